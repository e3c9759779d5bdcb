//! What hotkeys were bound to, kept in a ledger from when it was first seen: a chain keeps the newest commitment of each alone, and who
//! was first with a gene is paid for it.
use crate::{Block, Chain, ChainError, Commitment};
use automl_ledger::{Entry, Filter, Kind, Ledger, Name};
use serde::{Deserialize, Serialize};

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

/// The scope of what was seen of a subnet of a chain.
async fn scope(chain: &dyn Chain, netuid: u16) -> Result<String, ChainError> {
    let genesis = chain.genesis().await?.to_string();
    Ok(format!("{SCOPES}{}.{netuid}", &genesis[..DIGITS]))
}

/// Keeps what hotkeys are bound to now, unless it was seen before; says how many were new.
///
/// # Errors
/// The chain or the ledger does not answer.
pub async fn keep(chain: &dyn Chain, ledger: &dyn Ledger, netuid: u16) -> Result<usize, ChainError> {
    let scope = scope(chain, netuid).await?;
    let Block { number, .. } = chain.head().await?;
    let known = read(ledger, &scope).await?;
    let mut new = 0;
    for commitment in chain.commitments().await? {
        if known.iter().any(|sight| sight.commitment == commitment) {
            continue;
        }
        let key = format!("{}.{}", commitment.hotkey, commitment.block);
        let name = Name::new(Kind::Commitment, scope.clone(), key).map_err(automl_ledger::LedgerError::from)?;
        let seen = number.max(commitment.block);
        let body = serde_json::to_vec(&Sight { commitment, seen }).map_err(automl_ledger::LedgerError::from)?;
        match ledger.append(vec![Entry { name, body }]).await {
            // Somebody else saw it a moment earlier.
            Err(error) if error.is_conflict() => {}
            appended => new += appended?.iter().filter(|one| one.new).count(),
        }
    }
    Ok(new)
}

/// All that was seen, the earliest first.
///
/// # Errors
/// The chain or the ledger does not answer.
pub async fn history(chain: &dyn Chain, ledger: &dyn Ledger, netuid: u16) -> Result<Vec<Sight>, ChainError> {
    read(ledger, &scope(chain, netuid).await?).await
}

async fn read(ledger: &dyn Ledger, scope: &str) -> Result<Vec<Sight>, ChainError> {
    let filter = Filter { kind: Some(Kind::Commitment), scope: Some(scope.to_owned()) };
    let records = ledger.all(&filter, 0).await?;
    let sight = |record: &automl_ledger::Record| {
        serde_json::from_slice::<Sight>(&record.body)
            .map_err(|error| ChainError::Damaged { seq: record.seq, problem: error.to_string() })
    };
    let mut sights = records.iter().map(sight).collect::<Result<Vec<_>, _>>()?;
    sights.sort_by_key(|sight| (sight.commitment.block, sight.commitment.hotkey));
    Ok(sights)
}
