//! Genes that strangers name, fetched by a validator: within bounds, and only from where a stranger may send us.
//!
//! ```text
//! http        one file, hop by hop             names       which hosts are the owner's, and what the others resolve to
//! bucket      where a file of S3 lies          addresses   which addresses are public
//! ```
//!
//! Places are read as anybody reads them: what opens our own is not carried along, but for the Hub's token, which the Hub is shown.
mod addresses;
mod bucket;
mod http;
mod names;

use crate::store::{name_of, text};
use crate::{Access, Commitment, Locator, PublishError, Store, hub, web};
use bucket::{Buckets, Object};
use http::{File, Http};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// What one fetch may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// From the first byte sent to the last received, redirects included.
    pub patience: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
    /// Hosts that may have a private address, as `HOST` or `HOST:PORT`.
    pub private_hosts: Vec<String>,
}

/// Fetches what commitments name; any number of them at once.
pub struct Strangers {
    patience: Duration,
    http: Http,
    buckets: Buckets,
    hub: Url,
    hub_token: Option<Zeroizing<String>>,
    /// Our places without what opens them, but for the ledger.
    ours: Access,
}

impl Strangers {
    /// Nothing is sent yet. Of `access` strangers' places see nothing: keys of S3 and the web's token are dropped, and the Hub's is
    /// shown to the Hub alone. The servers of `HF_ENDPOINT` and `AWS_ENDPOINT_URL` are the owner's choice and may have a private
    /// address, for commitments to the Hub and to S3.
    ///
    /// # Errors
    /// One of these two is no address, `AWS_REGION` no region, or the certificates of authorities cannot be used.
    pub fn new(access: Access, bounds: &Bounds) -> Result<Strangers, PublishError> {
        Ok(Strangers {
            patience: bounds.patience,
            http: Http::new(bounds)?,
            buckets: Buckets::new(&access.s3)?,
            hub: web::address("HF_ENDPOINT", &access.hub)?,
            hub_token: access.hub_token,
            ours: Access { s3: Vec::new(), hub: access.hub, hub_token: None, web_token: None, ledger: access.ledger },
        })
    }

    /// The file that a commitment names; not checked. `None` where there is none. Nothing is tried twice.
    ///
    /// # Errors
    /// It cannot be reached in time, which may pass ([`PublishError::may_pass`]); or it is too large, no text, kept from the public,
    /// or lies where no stranger may lead.
    pub async fn get(&self, commitment: &Commitment) -> Result<Option<String>, PublishError> {
        let got = tokio::time::timeout(self.patience, self.fetched(commitment)).await;
        got.unwrap_or_else(|_| {
            Err(PublishError::Unreachable {
                place: commitment.locator().to_string(),
                problem: format!("it took more than {:?}", self.patience),
            })
        })
    }

    async fn fetched(&self, commitment: &Commitment) -> Result<Option<String>, PublishError> {
        let (place, name) = (commitment.locator(), name_of(commitment));
        let file = |url| File { place, url, ours: false, token: None, object: None };
        let bytes = match place {
            Locator::Web(url) => {
                let mut url = url.clone();
                if let Ok(mut path) = url.path_segments_mut() {
                    path.pop_if_empty().push(&name);
                }
                self.http.get(&file(url)).await?
            }
            Locator::Hub { repository } => {
                let token = self.hub_token.as_deref().map(String::as_str);
                self.http.get(&File { ours: true, token, ..file(hub::file(&self.hub, repository)) }).await?
            }
            Locator::S3 { bucket, prefix } => {
                let object = Object { buckets: &self.buckets, bucket, prefix, name: &name };
                let url = object.url().ok_or_else(|| PublishError::barred(place, "that is no bucket's name"))?;
                self.http.get(&File { ours: self.buckets.ours(), object: Some(&object), ..file(url) }).await?
            }
            Locator::Folder(_) => {
                return Err(PublishError::barred(place, "a folder is not reached over a network"));
            }
            Locator::Ledger { .. } => return Store::open(place, &self.ours)?.get(commitment).await,
        };
        text(place, bytes)
    }
}
