//! Has a signed call included once, whatever happens to connections, nodes and answers meanwhile.
//!
//! A call is signed once, for one number of the hotkey (its nonce) and for so many blocks. What was handed in may have been
//! included although no answer came, so nothing is signed anew on a guess: the same bytes are handed in again, which cannot be
//! included twice, until the chain's own blocks say what became of them or the call is too old to be included at all.
use super::calls::{Encodable, SUBNETS};
use super::config::{Signing, Types};
use super::nodes::{At, Node, Nodes};
use super::refusals::{self, About};
use super::trouble::Trouble;
use crate::{Block, ChainError, Included, Refused};
use automl_keys::Hotkey;
use automl_ledger::Digest;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::error::DispatchError;
use subxt::tx::{TransactionInvalid, TransactionStatus, ValidationResult};
use subxt::utils::{AccountId32, H256};
use tokio::time::{Instant, timeout_at};

/// Blocks within which a call is to be included.
const ERA: u64 = 64;
/// How long a node is listened to: blocks are final within a minute.
const WATCHING: Duration = Duration::from_mins(2);
/// From one look at the chain to the next, where a call is neither included nor refused.
const PAUSE: Duration = Duration::from_secs(3);

/// A call that is signed.
struct Signed {
    bytes: Vec<u8>,
    hash: H256,
    about: About,
    /// Its number among those of the hotkey.
    nonce: u64,
    /// The block it was signed at.
    since: u64,
    /// The last block that may include it.
    until: u64,
}

/// A call that was included and has had its effect.
pub(crate) struct Landed {
    /// Where.
    pub(crate) block: Block,
    /// Its number among those of the hotkey.
    pub(crate) nonce: u64,
    /// The subnet that it made, where the runtime says so in a form that is known.
    pub(crate) made: Option<u16>,
}

impl Landed {
    /// The same as a caller is told.
    pub(crate) fn included(&self) -> Included {
        Included { block: self.block.number, number: self.nonce, round: None }
    }
}

/// What the chain's blocks say of a call.
enum Fate {
    /// It has had its effect.
    Landed(Landed),
    /// Another call has its number.
    Overtaken,
    /// It cannot be included any more, and was not.
    Expired,
    /// It is in none so far.
    Open,
}

/// Makes a call of what is at hand at a block, signs it and has it included.
pub(crate) async fn submit<F, R>(nodes: &Nodes, key: &Hotkey, patience: Duration, call: F) -> Result<Landed, ChainError>
where
    F: Fn(At) -> R,
    R: Future<Output = Result<(Encodable, About), Trouble>>,
{
    let signed = Arc::new(nodes.ask(|_, at| sign(key, at, &call)).await?);
    let end = Instant::now() + patience;
    let mut is_taken = false;
    loop {
        // From here on it may be included, whatever is said of it: what counts are the chain's blocks.
        let told = nodes.ask(|_, at| hand_in(at, Arc::clone(&signed))).await.map_err(|error| open(&signed, error))?;
        is_taken |= told.is_taken;
        let looked = nodes.ask(|node, at| {
            let signed = Arc::clone(&signed);
            async move { fate(&node, &at, &signed).await }
        });
        match looked.await.map_err(|error| open(&signed, error))? {
            Fate::Landed(landed) => return Ok(landed),
            Fate::Overtaken => return Err(Refused::Number { given: signed.nonce, next: signed.nonce + 1 }.into()),
            Fate::Expired => return Err(ChainError::NotIncluded { until: signed.until, problem: told.problem }),
            Fate::Open => {}
        }
        match told.refused {
            // A node that has taken it may have passed it on.
            Some(refused) if !is_taken => return Err(refused.into()),
            _ if Instant::now() >= end => {
                return Err(ChainError::Open { until: signed.until, problem: told.problem });
            }
            _ => {}
        }
        // Another may have room for it, or be further.
        nodes.turn().await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is said of a call that was handed in where nobody can be asked any more.
fn open(signed: &Signed, error: ChainError) -> ChainError {
    match error {
        ChainError::Refused(_) => error,
        error => ChainError::Open { until: signed.until, problem: error.to_string() },
    }
}

async fn sign<F, R>(key: &Hotkey, at: At, call: &F) -> Result<Signed, Trouble>
where
    F: Fn(At) -> R,
    R: Future<Output = Result<(Encodable, About), Trouble>>,
{
    let (call, about) = call(at.clone()).await?;
    let account = AccountId32(*key.address().bytes());
    let nonce = at.tx().account_nonce(&account).await?;
    let params = DefaultExtrinsicParamsBuilder::<Types>::new().mortal(ERA).nonce(nonce).build();
    let transaction = at.tx().create_signed(&call, &Signing(key), params).await?;
    let since = at.block_number();
    let about = About { who: key.address(), ..about };
    let signed = Signed {
        hash: transaction.hash(),
        bytes: transaction.into_encoded(),
        about,
        nonce,
        since,
        until: since + ERA - 1,
    };
    // Before anybody else sees it.
    match validate(&at, &signed).await? {
        Some(invalid) => Err(refusals::invalid(&invalid, &signed.about, at.spec_version()).into()),
        None => Ok(signed),
    }
}

/// Why a runtime would not include a call; nothing where it would, or where that passes by itself.
async fn validate(at: &At, signed: &Signed) -> Result<Option<TransactionInvalid>, Trouble> {
    let invalid = match at.tx().from_bytes(signed.bytes.clone()).validate().await? {
        ValidationResult::Valid(_) | ValidationResult::Unknown(_) => return Ok(None),
        ValidationResult::Invalid(invalid) => invalid,
    };
    let passes = matches!(
        invalid,
        TransactionInvalid::Stale
            | TransactionInvalid::Future
            | TransactionInvalid::ExhaustsResources
            | TransactionInvalid::AncientBirthBlock
    );
    Ok((!passes).then_some(invalid))
}

/// What came of handing a call in.
struct Told {
    /// The node has had it in its pool.
    is_taken: bool,
    /// The chain does not take it as it is.
    refused: Option<Refused>,
    /// What else was said.
    problem: String,
}

/// Hands a call in and waits until it is in a final block, or the node has nothing more to say.
async fn hand_in(at: At, signed: Arc<Signed>) -> Result<Told, Trouble> {
    let mut is_taken = false;
    let problem = match at.tx().from_bytes(signed.bytes.clone()).submit_and_watch().await {
        Err(error) => Trouble::of(&error).words(),
        Ok(mut progress) => {
            let until = Instant::now() + WATCHING;
            loop {
                match timeout_at(until, progress.next()).await {
                    Err(_) => break "the node says nothing more of it".to_owned(),
                    Ok(None) => break "the node has stopped to tell of it".to_owned(),
                    Ok(Some(Err(error))) => break Trouble::of(&error).words(),
                    Ok(Some(Ok(TransactionStatus::InFinalizedBlock(_)))) => {
                        return Ok(Told { is_taken: true, refused: None, problem: String::new() });
                    }
                    Ok(Some(Ok(
                        TransactionStatus::Error { message }
                        | TransactionStatus::Invalid { message }
                        | TransactionStatus::Dropped { message },
                    ))) => break message,
                    Ok(Some(Ok(_))) => is_taken = true,
                }
            }
        }
    };
    // Whether it will ever be taken, if it has not been. The connection may be gone: then the next node is asked.
    let invalid = validate(&at, &signed).await.unwrap_or_default();
    // It was signed well: a node that says otherwise is at another block than it says.
    let invalid = invalid.filter(|invalid| *invalid != TransactionInvalid::BadProof);
    let refused = invalid.map(|invalid| refusals::invalid(&invalid, &signed.about, at.spec_version()));
    Ok(Told { is_taken, refused, problem })
}

/// Where a call is, by the chain's blocks up to this one.
async fn fate(node: &Node, at: &At, signed: &Signed) -> Result<Fate, Trouble> {
    let account = AccountId32(*signed.about.who.bytes());
    let head = at.block_number();
    if at.tx().account_nonce(&account).await? <= signed.nonce {
        return Ok(if head >= signed.until { Fate::Expired } else { Fate::Open });
    }
    for number in signed.since + 1..=head.min(signed.until) {
        let gap = || Trouble::Node(format!("has no block {number}"));
        let block = node.at_height(number).await?.ok_or_else(gap)?;
        if let Some(landed) = landed(&block, signed).await? {
            return Ok(Fate::Landed(landed));
        }
    }
    Ok(Fate::Overtaken)
}

/// What a call has done in a block, where it is in it.
async fn landed(at: &At, signed: &Signed) -> Result<Option<Landed>, Trouble> {
    let extrinsics = at.extrinsics().fetch().await?;
    // Those of others that cannot be read are none of ours.
    let Some(ours) = extrinsics.iter().filter_map(Result::ok).find(|one| one.hash() == signed.hash) else {
        return Ok(None);
    };
    let events = ours.events().await?;
    let mut made = None;
    for event in events.iter() {
        let event = event?;
        match (event.pallet_name(), event.event_name()) {
            ("System", "ExtrinsicFailed") => {
                let error = DispatchError::decode_from(event.field_bytes(), at.metadata())
                    .map_err(|error| Trouble::changed("refusal", format_args!("cannot be read: {error}")))?;
                return Err(refusals::dispatched(&error, &signed.about).into());
            }
            (SUBNETS, "NetworkAdded") => {
                let fields = event.decode_fields_unchecked_as::<(u16, u16)>();
                made = fields.ok().map(|(netuid, _)| netuid);
            }
            _ => {}
        }
    }
    let block = Block { number: at.block_number(), hash: digest(at.block_hash())? };
    Ok(Some(Landed { block, nonce: signed.nonce, made }))
}

/// A block's hash, as the ledger writes such things.
pub(crate) fn digest(hash: H256) -> Result<Digest, Trouble> {
    Digest::from_bytes(hash.as_bytes()).ok_or_else(|| Trouble::Node("a hash that is none".to_owned()))
}
