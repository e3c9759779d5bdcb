//! Checks what strangers want to append to the subnets of a served ledger, and makes their blocks.
use super::{SCOPES, Signed, Twin, scope};
use crate::{Chain as _, ChainError, Refused};
use async_trait::async_trait;
use automl_ledger::serve::{Guard, Unfit};
use automl_ledger::{Entry, Kind, Ledger};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keeps subnets of one ledger.
pub struct Keeper {
    twins: BTreeMap<String, Twin>,
}

impl Keeper {
    /// Keeps these.
    ///
    /// # Errors
    /// One is not there, or the ledger fails.
    pub async fn new(ledger: &Arc<dyn Ledger>, netuids: &[u16]) -> Result<Keeper, ChainError> {
        let mut twins = BTreeMap::new();
        for netuid in netuids {
            twins.insert(scope(*netuid), Twin::keeping(Arc::clone(ledger), *netuid).await?);
        }
        Ok(Keeper { twins })
    }

    /// Makes the blocks whose time has come.
    ///
    /// # Errors
    /// The ledger fails.
    pub async fn seal(&self) -> Result<(), ChainError> {
        for twin in self.twins.values() {
            if twin.is_due().await {
                twin.head().await?;
            }
        }
        Ok(())
    }

    async fn admits(&self, entry: &Entry) -> Result<(), ChainError> {
        let known = || self.twins.keys().cloned().collect::<Vec<_>>().join(", ");
        let twin = self.twins.get(entry.name.scope()).ok_or_else(|| {
            Refused::Malformed(format!("{} is no subnet of this ledger; it has: {}", entry.name.scope(), known()))
        })?;
        if entry.name.kind() == Kind::Block {
            return Err(Refused::Malformed("blocks are made by the ledger alone".to_owned()).into());
        }
        // Signatures first: whoever has none costs no look at the ledger.
        let payload = Signed::parse(&entry.body)?.payload()?;
        if payload.name(entry.name.scope())? != entry.name {
            let problem = format!("{} is not the name of this call; name it KIND/HOTKEY.NUMBER", entry.name);
            return Err(Refused::Malformed(problem).into());
        }
        let seen = twin.sync().await?;
        if payload.number < seen.state.next_number(payload.hotkey) && twin.ledger.get(&entry.name).await?.is_some() {
            // Perhaps one whose answer was lost: the ledger says whether it is the same.
            return Ok(());
        }
        Ok(seen.state.check(&payload)?)
    }
}

#[async_trait]
impl Guard for Keeper {
    fn guards(&self, scope: &str) -> bool {
        scope.starts_with(SCOPES)
    }

    async fn check(&self, entry: &Entry) -> Result<(), Unfit> {
        match self.admits(entry).await {
            Ok(()) => Ok(()),
            Err(ChainError::Ledger(error)) => Err(Unfit::Ledger(error)),
            Err(other) => Err(Unfit::Refused(other.to_string())),
        }
    }
}
