//! A chain in a ledger: what is said there is signed by hotkeys, and what comes of it is computed by whoever reads it.
//!
//! ```text
//! genesis  how a subnet is set up         signed  calls as they are recorded       keeper  checks calls for a served ledger
//! state    what all records together say  epoch   what weights are worth           block   what makes one
//! ```
//! All is in records of the scope `subnet.NETUID`: `block/…/0` is the genesis and `block/…/NUMBER` a block, whose hash is the
//! record's sum; `commitment`, `weights` and `registration` are calls, named HOTKEY.NUMBER. A call belongs to the last block
//! before it, so that block's hash was known to whoever made it and the next one's was not. A call that a chain refuses has no
//! effect, wherever it came from: two who read the same ledger see the same subnet, and neither has to trust the ledger
//! for more than the order of records.
mod block;
mod epoch;
mod genesis;
mod keeper;
mod signed;
mod state;

use crate::{Block, Call, Chain, ChainError, Commitment, History, Included, Metagraph};
use async_trait::async_trait;
use automl_keys::Hotkey;
use automl_ledger::{Digest, Entry, Filter, Kind, Ledger, Name};
use std::sync::Arc;
use tokio::sync::Mutex;

pub use genesis::Genesis;
pub use keeper::Keeper;
use signed::{Payload, Signed};
use state::State;

/// Blocks within which a call is to be included.
const ERA: u64 = 64;

/// What scopes of subnets begin with.
const SCOPES: &str = "subnet.";

/// The scope of a subnet's records.
pub fn scope(netuid: u16) -> String {
    format!("{SCOPES}{netuid}")
}

/// A subnet in a ledger.
pub struct Twin {
    ledger: Arc<dyn Ledger>,
    scope: String,
    /// Whether blocks whose time has come are made here: of a ledger's own process alone.
    keeps: bool,
    seen: Mutex<Seen>,
}

/// What was read so far.
struct Seen {
    after: u64,
    state: State,
}

impl Twin {
    /// Makes a subnet in a ledger that has none of this number.
    ///
    /// # Errors
    /// There is one, or the ledger fails.
    pub async fn create(ledger: &dyn Ledger, netuid: u16, genesis: &Genesis) -> Result<(), ChainError> {
        let body = serde_json::to_vec(genesis).unwrap_or_default();
        match ledger.append(vec![Entry { name: block::name(&scope(netuid), 0)?, body }]).await {
            Err(error) if error.is_conflict() => Err(ChainError::Exists(netuid)),
            Ok(appended) if appended.iter().any(|one| !one.new) => Err(ChainError::Exists(netuid)),
            appended => Ok(appended.map(drop)?),
        }
    }

    /// The subnet of this number in a ledger that somebody else serves.
    ///
    /// # Errors
    /// There is none, or the ledger fails.
    pub async fn open(ledger: Arc<dyn Ledger>, netuid: u16) -> Result<Twin, ChainError> {
        Twin::opened(ledger, netuid, false).await
    }

    /// The same in a ledger of this process, which makes its blocks.
    ///
    /// # Errors
    /// There is none, or the ledger fails.
    pub async fn keeping(ledger: Arc<dyn Ledger>, netuid: u16) -> Result<Twin, ChainError> {
        Twin::opened(ledger, netuid, true).await
    }

    async fn opened(ledger: Arc<dyn Ledger>, netuid: u16, keeps: bool) -> Result<Twin, ChainError> {
        let scope = scope(netuid);
        let first = ledger.get(&block::name(&scope, 0)?).await?.ok_or(ChainError::NoSubnet(netuid))?;
        let seen = Seen { after: first.seq, state: State::begin(&first)? };
        Ok(Twin { ledger, scope, keeps, seen: Mutex::new(seen) })
    }

    /// How it was set up.
    pub async fn genesis(&self) -> Genesis {
        self.seen.lock().await.state.genesis().clone()
    }

    /// Makes the block that is so many above the head, where blocks are made by hand.
    ///
    /// # Errors
    /// Blocks come by the clock, or the ledger fails.
    pub async fn advance(&self, blocks: u64) -> Result<Block, ChainError> {
        let mut seen = self.seen.lock().await;
        self.read(&mut seen).await?;
        let by_clock = seen.state.genesis().block_milliseconds;
        if by_clock > 0 {
            return Err(ChainError::ByClock(by_clock));
        }
        let number = seen.state.head().number.saturating_add(blocks.max(1));
        self.seal(&mut seen, number).await
    }

    /// What the ledger says now.
    async fn read(&self, seen: &mut Seen) -> Result<(), ChainError> {
        let filter = Filter { kind: None, scope: Some(self.scope.clone()) };
        for record in self.ledger.all(&filter, seen.after).await? {
            seen.state.take(&record)?;
            seen.after = record.seq;
        }
        Ok(())
    }

    async fn seal(&self, seen: &mut Seen, number: u64) -> Result<Block, ChainError> {
        let entry = Entry { name: block::name(&self.scope, number)?, body: block::entropy()? };
        match self.ledger.append(vec![entry]).await {
            // Another process of the same ledger was first.
            Err(error) if error.is_conflict() => {}
            appended => drop(appended?),
        }
        self.read(seen).await?;
        Ok(seen.state.head())
    }

    /// Whether a block's time has come, as far as was read: nothing is read for this.
    async fn is_due(&self) -> bool {
        self.seen.lock().await.state.due(block::now()).is_some()
    }

    /// Reads on; makes the block whose time has come.
    async fn sync(&self) -> Result<tokio::sync::MutexGuard<'_, Seen>, ChainError> {
        let mut seen = self.seen.lock().await;
        self.read(&mut seen).await?;
        if self.keeps
            && let Some(number) = seen.state.due(block::now())
        {
            self.seal(&mut seen, number).await?;
        }
        Ok(seen)
    }
}

#[async_trait]
impl Chain for Twin {
    async fn genesis(&self) -> Result<Digest, ChainError> {
        Ok(self.seen.lock().await.state.hash())
    }

    async fn head(&self) -> Result<Block, ChainError> {
        Ok(self.sync().await?.state.head())
    }

    async fn block(&self, number: u64) -> Result<Option<Block>, ChainError> {
        let seen = self.sync().await?;
        if let Some(block) = seen.state.block(number) {
            return Ok(Some(block));
        }
        let older = self.ledger.get(&block::name(&self.scope, number)?).await?;
        Ok(older.map(|record| Block { number, hash: record.sum }))
    }

    async fn metagraph(&self) -> Result<Metagraph, ChainError> {
        Ok(self.sync().await?.state.metagraph())
    }

    async fn commitments(&self) -> Result<Vec<Commitment>, ChainError> {
        Ok(self.sync().await?.state.commitments())
    }

    async fn commitments_at(&self, block: u64) -> Result<Option<Vec<Commitment>>, ChainError> {
        Ok(Some(self.sync().await?.state.commitments_at(block)))
    }

    async fn history(&self, block: u64) -> Result<History, ChainError> {
        Ok(History { commitments: self.sync().await?.state.history(block), complete: true })
    }

    async fn submit(&self, hotkey: &Hotkey, call: Call) -> Result<Included, ChainError> {
        // Locked until it is included: the next call of this process has the next number.
        let mut seen = self.sync().await?;
        let (address, until) = (hotkey.address(), seen.state.head().number.saturating_add(ERA));
        let number = seen.state.next_number(address);
        let payload = Payload { genesis: seen.state.hash(), hotkey: address, number, until, call };
        seen.state.check(&payload)?;
        let entry = Entry { name: payload.name(&self.scope)?, body: Signed::new(hotkey, &payload).body() };
        match self.ledger.append(vec![entry]).await {
            Err(error) if error.is_conflict() => {
                self.read(&mut seen).await?;
                let next = seen.state.next_number(address);
                return Err(crate::Refused::Number { given: number, next }.into());
            }
            appended => drop(appended?),
        }
        self.read(&mut seen).await?;
        seen.state.outcome(address, number)
    }
}

/// The name of a record of a subnet.
fn named(kind: Kind, scope: &str, key: impl Into<String>) -> Result<Name, ChainError> {
    Name::new(kind, scope, key).map_err(|error| crate::Refused::Malformed(error.to_string()).into())
}
