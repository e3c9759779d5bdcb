//! Genes that strangers name, fetched by a validator: within bounds, and only from where a stranger may send us.
use crate::{Access, Commitment, PublishError, Store};
use std::time::Duration;

/// What one fetch may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// From the first byte sent to the last received.
    pub patience: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
    /// Hosts that may have a private address.
    pub private_hosts: Vec<String>,
}

/// Fetches what commitments name.
pub struct Strangers {
    access: Access,
    bounds: Bounds,
}

impl Strangers {
    /// Nothing is sent yet. Of `access` strangers' places see nothing but the ledger.
    pub fn new(access: Access, bounds: Bounds) -> Strangers {
        Strangers { access, bounds }
    }

    /// The file that a commitment names; not checked. `None` where there is none.
    ///
    /// # Errors
    /// It cannot be reached, is too large, or lies where no stranger may lead.
    pub async fn get(&self, commitment: &Commitment) -> Result<Option<String>, PublishError> {
        let store = Store::open(commitment.locator(), &self.access)?;
        let got = tokio::time::timeout(self.bounds.patience, store.get(commitment)).await;
        got.unwrap_or_else(|_| {
            Err(PublishError::Unreachable {
                place: commitment.locator().to_string(),
                problem: format!("it took more than {} s", self.bounds.patience.as_secs()),
            })
        })
    }
}
