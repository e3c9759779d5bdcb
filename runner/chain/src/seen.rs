//! What hotkeys were bound to, kept in a ledger from when it was first seen: a chain keeps the newest commitment of each alone, and who
//! was first with a gene is paid for it. What was bound before that, an archive node's blocks tell.
use crate::{Block, Chain, ChainError, Commitment, History};
use automl_ledger::{Entry, Filter, Kind, Ledger, LedgerError, Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What scopes of what was seen begin with.
const SCOPES: &str = "seen.";
/// Digits of the chain's first block's hash in a scope: enough to tell chains apart.
const DIGITS: usize = 16;

/// A commitment, and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sight {
    /// Who is bound to what, since which block.
    #[serde(flatten)]
    pub commitment: Commitment,
    /// The height of the block at which it was first seen.
    pub seen: u64,
}

/// What was seen of a subnet of a chain.
pub struct Seen<'a> {
    chain: &'a dyn Chain,
    ledger: &'a dyn Ledger,
    scope: String,
}

impl<'a> Seen<'a> {
    /// What a ledger has of it.
    ///
    /// # Errors
    /// The chain does not say which one it is.
    pub async fn of(chain: &'a dyn Chain, ledger: &'a dyn Ledger, netuid: u16) -> Result<Seen<'a>, ChainError> {
        let genesis = chain.genesis().await?.to_string();
        Ok(Seen { chain, ledger, scope: format!("{SCOPES}{}.{netuid}", &genesis[..DIGITS]) })
    }

    /// The same as one keeps it that may write names alone that begin with its own.
    #[must_use]
    pub fn kept_by(self, name: &str) -> Seen<'a> {
        Seen { scope: format!("{name}.{}", self.scope), ..self }
    }

    /// Keeps what hotkeys are bound to now, unless it was seen before; says how many were new.
    ///
    /// # Errors
    /// The chain or the ledger does not answer.
    pub async fn keep(&self) -> Result<usize, ChainError> {
        let Block { number, .. } = self.chain.head().await?;
        self.add(self.chain.commitments().await?, number).await
    }

    /// Keeps all that they were ever bound to, as far as the chain remembers; says whether that goes back to the first of each.
    ///
    /// # Errors
    /// The chain or the ledger does not answer.
    pub async fn rebuild(&self) -> Result<bool, ChainError> {
        let Block { number, .. } = self.chain.head().await?;
        let History { commitments, complete } = self.chain.history(number).await?;
        self.add(commitments, number).await?;
        Ok(complete)
    }

    /// All that was seen, the earliest first.
    ///
    /// # Errors
    /// The ledger does not answer, or has something else under these names.
    pub async fn all(&self) -> Result<Vec<Sight>, ChainError> {
        let filter = Filter { kind: Some(Kind::Commitment), scope: Some(self.scope.clone()) };
        let records = self.ledger.all(&filter, 0).await?;
        let sight = |record: &automl_ledger::Record| {
            serde_json::from_slice::<Sight>(&record.body)
                .map_err(|error| ChainError::Damaged { seq: record.seq, problem: error.to_string() })
        };
        let mut sights = records.iter().map(sight).collect::<Result<Vec<_>, _>>()?;
        sights.sort_by_key(|sight| (sight.commitment.block, sight.commitment.hotkey));
        Ok(sights)
    }

    async fn add(&self, commitments: Vec<Commitment>, number: u64) -> Result<usize, ChainError> {
        let name = |commitment: &Commitment| (commitment.hotkey, commitment.block);
        let known: BTreeSet<_> = self.all().await?.iter().map(|sight| name(&sight.commitment)).collect();
        let mut new = 0;
        for commitment in commitments.into_iter().filter(|commitment| !known.contains(&name(commitment))) {
            let key = format!("{}.{}", commitment.hotkey, commitment.block);
            let name = Name::new(Kind::Commitment, self.scope.clone(), key).map_err(LedgerError::from)?;
            let seen = number.max(commitment.block);
            let body = serde_json::to_vec(&Sight { commitment, seen }).map_err(LedgerError::from)?;
            match self.ledger.append(vec![Entry { name, body }]).await {
                // Somebody else saw it a moment earlier.
                Err(error) if error.is_conflict() => {}
                appended => new += appended?.iter().filter(|one| one.new).count(),
            }
        }
        Ok(new)
    }
}
