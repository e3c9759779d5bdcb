//! Asks the API server as the cluster's administrator: is it ready, is this object there.
use crate::{
    error::{TestbedError, Tried},
    pki::Identity,
};
use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

/// A client with the administrator's certificate.
pub(crate) struct Ask {
    agent: Agent,
    base: String,
}

impl Ask {
    /// A client that trusts the authority and shows the identity.
    pub(crate) fn new(server: SocketAddr, authority: &Path, identity: &Identity) -> Result<Self, TestbedError> {
        let read = |path: &Path| fs::read(path).tried("read", path);
        let bad = |why: ureq::Error| TestbedError::Ask { path: "/".to_owned(), why: why.to_string() };
        let authority = Certificate::from_pem(&read(authority)?).map_err(bad)?;
        let certificate = Certificate::from_pem(&read(&identity.certificate)?).map_err(bad)?;
        let key = PrivateKey::from_pem(&read(&identity.key)?).map_err(bad)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[authority]))
            .client_cert(Some(ClientCert::new_with_certs(&[certificate], key)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .new_agent();
        Ok(Self { agent, base: format!("https://{server}") })
    }

    /// The status and text that the server answers to a GET.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, String), TestbedError> {
        let ask = |why: ureq::Error| TestbedError::Ask { path: path.to_owned(), why: why.to_string() };
        let mut response = self.agent.get(format!("{}{path}", self.base)).call().map_err(ask)?;
        let text = response.body_mut().read_to_string().map_err(ask)?;
        Ok((response.status().as_u16(), text))
    }

    /// Whether a GET finds something.
    pub(crate) fn is_there(&self, path: &str) -> bool {
        matches!(self.get(path), Ok((200, _)))
    }
}
