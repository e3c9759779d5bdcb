//! One file over HTTP from where a stranger says. Redirects are followed here, as each has to be judged before anything is
//! sent after it.
use super::Bounds;
use super::bucket::Object;
use super::names::{Hosts, NotPublic};
use crate::web::{self, bounded};
use crate::{Locator, PublishError};
use automl_genome::original::MAX_FILE_BYTES;
use futures_util::TryStreamExt as _;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, retry};
use url::Url;

/// Where the Hub says how large a file is that lies elsewhere.
const LINKED_SIZE: &str = "x-linked-size";

/// A file of a place.
pub(super) struct File<'a> {
    pub(super) place: &'a Locator,
    pub(super) url: Url,
    /// Whether the server is one of our settings and no stranger's choice.
    pub(super) ours: bool,
    /// What a server of ours is shown.
    pub(super) token: Option<&'a str>,
    /// What it is in a bucket, which may be in another region.
    pub(super) object: Option<&'a Object<'a>>,
}

impl File<'_> {
    /// The reason comes first: an address may be long, and is cut.
    fn barred(&self, problem: &str) -> PublishError {
        PublishError::barred(self.place, problem)
    }

    fn not_public(&self, url: &Url, problem: &str) -> PublishError {
        let named = "a host of your own has to be named among the private hosts";
        self.barred(&format!("{problem}; {named}: {url}"))
    }

    fn too_large(&self) -> PublishError {
        PublishError::TooLarge { place: self.place.to_string(), most: MAX_FILE_BYTES }
    }

    /// Where it lies instead.
    fn elsewhere(&self, url: &Url, answer: &Response) -> Result<Option<Url>, PublishError> {
        let headers = answer.headers();
        let location = headers.get(LOCATION);
        let location = location.filter(|_| matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308));
        let Some(location) = location else {
            return Ok(self.object.and_then(|object| object.elsewhere(answer.status(), headers)));
        };
        let size = headers.get(LINKED_SIZE).and_then(|size| size.to_str().ok()?.parse::<u64>().ok());
        if size.is_some_and(|size| size > MAX_FILE_BYTES as u64) {
            return Err(self.too_large());
        }
        let next = location.to_str().ok().and_then(|location| url.join(location).ok());
        let Some(mut next) = next.filter(|next| matches!(next.scheme(), "http" | "https")) else {
            return Err(self.barred(&format!("it redirects to what is no address of a web server: {location:?}")));
        };
        next.set_fragment(None);
        if !next.username().is_empty() || next.password().is_some() {
            return Err(self.barred(&format!(
                "it redirects to an address with a password in it: {}",
                next.origin().ascii_serialization()
            )));
        }
        if url.scheme() == "https" && next.scheme() == "http" {
            return Err(
                self.barred(&format!("it redirects from https to http, which anybody on the way could change: {next}"))
            );
        }
        Ok(Some(next))
    }
}

/// What fetches files: any number of them at once.
pub(super) struct Http {
    hosts: Hosts,
    redirects: usize,
    /// Connects to public addresses.
    public: Client,
    /// Connects to any address: for hosts that the owner named.
    any: Client,
}

impl Http {
    pub(super) fn new(bounds: &Bounds) -> Result<Http, PublishError> {
        let hosts = Hosts::new(&bounds.private_hosts);
        let public = web::built(once()?.dns_resolver(hosts.clone()))?;
        Ok(Http { hosts, redirects: bounds.redirects, public, any: web::built(once()?)? })
    }

    /// What lies there; `None` where there is nothing.
    pub(super) async fn get(&self, file: &File<'_>) -> Result<Option<Vec<u8>>, PublishError> {
        let (mut url, mut ours, mut redirects) = (file.url.clone(), file.ours, 0);
        loop {
            let answer = self.ask(file, &url, ours).await?;
            let Some(next) = file.elsewhere(&url, &answer)? else {
                return read(file, answer).await;
            };
            if redirects == self.redirects {
                return Err(file.barred(&format!("it redirects more than {redirects} times, at last to {next}")));
            }
            redirects += 1;
            ours = ours && next.origin() == url.origin();
            url = next;
        }
    }

    async fn ask(&self, file: &File<'_>, url: &Url, ours: bool) -> Result<Response, PublishError> {
        let client = if ours || self.hosts.are_named(url) {
            &self.any
        } else if let Some(problem) = self.hosts.problem(url) {
            return Err(file.not_public(url, &problem));
        } else {
            &self.public
        };
        let request = client.get(url.clone());
        let request = match file.token.filter(|_| ours) {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.map_err(|error| match private(&error) {
            Some(problem) => file.not_public(url, &problem.to_string()),
            None => PublishError::unreachable(file.place, &error, file.token),
        })
    }
}

/// Who fetches decides whether to try again, and no stranger's server keeps a connection of ours.
fn once() -> Result<ClientBuilder, PublishError> {
    Ok(web::builder()?.redirect(Policy::none()).retry(retry::never()).pool_max_idle_per_host(0))
}

async fn read(file: &File<'_>, answer: Response) -> Result<Option<Vec<u8>>, PublishError> {
    let status = answer.status();
    if status.is_success() {
        let (size, parts) = (answer.content_length(), answer.bytes_stream());
        let parts = parts.map_err(|error| PublishError::unreachable(file.place, &error, file.token));
        return bounded(file.place, MAX_FILE_BYTES, size, parts).await.map(Some);
    }
    // What else it says is a stranger's text and not read.
    let (place, problem) = (file.place.to_string(), status.to_string());
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Err(PublishError::Unreachable { place, problem })
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let problem = format!("{problem}: it is not there, or not for everybody to read");
            Err(PublishError::Refused { place, problem })
        }
        status if status.is_server_error() => Err(PublishError::Unreachable { place, problem }),
        _ => Err(PublishError::Refused { place, problem }),
    }
}

/// What our resolver said; clients wrap it.
fn private(error: &reqwest::Error) -> Option<NotPublic> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(*found);
        }
        next = error.source();
    }
    None
}
