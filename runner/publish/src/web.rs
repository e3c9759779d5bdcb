//! One HTTP client for all places.
//!
//! Proxies are the usual variables (`HTTPS_PROXY`, `NO_PROXY`). The authorities that servers are vouched for by are the system's,
//! or the file in `SSL_CERT_FILE` in their place; an image has none, so Mozilla's are in the program.
use crate::{Locator, PublishError};
use futures_util::{Stream, TryStreamExt as _};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder};
use rustls::pki_types::CertificateDer;
use std::pin::pin;
use std::time::Duration;
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may.
const CONNECTING: Duration = Duration::from_secs(10);

/// Makes one, which shows this token with every request.
pub(crate) fn client(token: Option<&str>) -> Result<Client, PublishError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value = value.map_err(|_| PublishError::Settings {
            what: "the token".to_owned(),
            problem: "it holds what no HTTP header may".to_owned(),
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    built(builder()?.timeout(PATIENCE).default_headers(headers))
}

/// What all clients have in common.
pub(crate) fn builder() -> Result<ClientBuilder, PublishError> {
    // Another may have been first: it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().tls_certs_only(authorities()?).connect_timeout(CONNECTING);
    Ok(builder.user_agent(concat!("automl-runner/", env!("CARGO_PKG_VERSION"))))
}

/// The client that was described.
pub(crate) fn built(builder: ClientBuilder) -> Result<Client, PublishError> {
    builder
        .build()
        .map_err(|error| PublishError::Settings { what: "the HTTP client".to_owned(), problem: error.to_string() })
}

/// A server's address among our settings.
pub(crate) fn address(variable: &str, text: &str) -> Result<Url, PublishError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| PublishError::Settings {
        what: format!("{variable}={text:?}"),
        problem: "it is no address like https://HOST".to_owned(),
    })
}

/// How connections to strangers are secured: whom their certificates have to be vouched for by.
///
/// # Errors
/// The certificates of the system, or those that are named, are none.
pub fn tls() -> Result<rustls::ClientConfig, PublishError> {
    // Another may have been first: it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in vouching()? {
        // One of the system's that no program can read is of no use to anybody.
        let _ = roots.add(certificate);
    }
    Ok(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

fn authorities() -> Result<Vec<Certificate>, PublishError> {
    let own = vouching()?.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>();
    own.map_err(|error| PublishError::Settings {
        what: "the system's certificates".to_owned(),
        problem: error.to_string(),
    })
}

/// The authorities that servers are vouched for by.
fn vouching() -> Result<Vec<CertificateDer<'static>>, PublishError> {
    const VARIABLE: &str = "SSL_CERT_FILE";
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(found.certs);
    }
    if std::env::var_os(VARIABLE).is_some() {
        // A file that was named is not passed over in silence.
        let problems: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        let problem = format!("no certificate of an authority is there; {}", problems.join("; "));
        return Err(PublishError::Settings { what: VARIABLE.to_owned(), problem });
    }
    Ok(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec())
}

/// Reads what comes, as far as it may be read; `size` is what was announced.
pub(crate) async fn bounded<B: AsRef<[u8]>>(
    place: &Locator,
    most: usize,
    size: Option<u64>,
    parts: impl Stream<Item = Result<B, PublishError>>,
) -> Result<Vec<u8>, PublishError> {
    let too_large = || PublishError::TooLarge { place: place.to_string(), most };
    if size.is_some_and(|size| size > most as u64) {
        return Err(too_large());
    }
    let mut parts = pin!(parts);
    let mut bytes = Vec::new();
    while let Some(part) = parts.try_next().await? {
        if bytes.len() + part.as_ref().len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(part.as_ref());
    }
    Ok(bytes)
}

/// Gives a client of ours to `object_store`.
#[derive(Debug)]
pub(crate) struct Given(pub(crate) Client);

impl HttpConnector for Given {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
