//! Has a signed call included once, whatever happens to connections, nodes and answers meanwhile.
//!
//! A call is signed once, for one number of the hotkey (its nonce) and for so many blocks. What was handed in may have been
//! included although no answer came, so nothing is signed anew on a guess: the same bytes are handed in again, which cannot be
//! included twice, until the chain's own blocks say what became of them or the call is too old to be included at all.
use super::calls::Encodable;
use super::config::{Signing, Types};
use super::nodes::{At, Node, Nodes};
use super::refusals::{self, About};
use super::trouble::Trouble;
use crate::{Block, ChainError, Refused};
use automl_keys::{Address, Hotkey};
use automl_ledger::Digest;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::error::DispatchError;
use subxt::tx::{TransactionInvalid, TransactionStatus, ValidationResult};
use subxt::utils::{AccountId32, H256};
use tokio::time::{Instant, timeout};

/// Blocks within which a call is to be included.
const ERA: u64 = 64;
/// How long a node may say nothing of a call: blocks are final within a minute.
const WATCHING: Duration = Duration::from_mins(2);
/// From one look at the chain to the next, where a call is neither included nor refused.
const PAUSE: Duration = Duration::from_secs(3);

/// A call that is signed.
struct Signed {
    bytes: Vec<u8>,
    hash: H256,
    who: Address,
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
}

/// What the chain's blocks say of a call.
enum Fate {
    /// It is in this block.
    Included(H256),
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
    let (signed, about) = nodes.ask(|_, at| sign(key, at, &call)).await?;
    let signed = Arc::new(signed);
    let end = Instant::now() + patience;
    loop {
        // Whatever comes of it: what counts is what the chain says.
        let told = nodes.ask(|node, at| hand_in(node, at, Arc::clone(&signed))).await?;
        let (fate, landed) = nodes
            .ask(|node, at| {
                let signed = Arc::clone(&signed);
                let about = &about;
                async move {
                    let fate = match told.block {
                        Some(hash) => Fate::Included(hash),
                        None => fate(&node, &at, &signed).await?,
                    };
                    match fate {
                        Fate::Included(hash) => {
                            let landed = outcome(&node.at(hash).await?, &signed, about).await?;
                            Ok((fate, Some(landed)))
                        }
                        fate => Ok((fate, None)),
                    }
                }
            })
            .await?;
        match (fate, landed) {
            (_, Some(landed)) => return Ok(landed),
            (Fate::Overtaken, _) => {
                return Err(Refused::Number { given: signed.nonce, next: signed.nonce + 1 }.into());
            }
            (Fate::Expired, _) => {
                return Err(ChainError::NotIncluded { until: signed.until, problem: told.problem });
            }
            _ => {}
        }
        if let Some(refused) = told.refused {
            return Err(refused.into());
        }
        if Instant::now() >= end {
            return Err(ChainError::Open { until: signed.until, problem: told.problem });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sign<F, R>(key: &Hotkey, at: At, call: &F) -> Result<(Signed, About), Trouble>
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
    let signed = Signed {
        hash: transaction.hash(),
        bytes: transaction.into_encoded(),
        who: key.address(),
        nonce,
        since,
        until: since + ERA,
    };
    // Before anybody else sees it.
    if let Some(refused) = validate(&at, &signed).await? {
        return Err(refused.into());
    }
    Ok((signed, about))
}

/// What a runtime says of a call before it is included; nothing of what passes by itself.
async fn validate(at: &At, signed: &Signed) -> Result<Option<Refused>, Trouble> {
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
    Ok((!passes).then(|| refusals::invalid(&invalid, signed.who, at.spec_version())))
}

/// What came of handing a call in.
struct Told {
    /// The final block that has it, as the node says.
    block: Option<H256>,
    /// The chain does not take it as it is.
    refused: Option<Refused>,
    /// What else was said.
    problem: String,
}

/// Hands a call in and waits until it is in a final block, or the node has nothing more to say.
async fn hand_in(_: Arc<Node>, at: At, signed: Arc<Signed>) -> Result<Told, Trouble> {
    let lost = |problem: String| Told { block: None, refused: None, problem };
    let mut told = match at.tx().from_bytes(signed.bytes.clone()).submit_and_watch().await {
        Err(error) => lost(Trouble::of(&error).words()),
        Ok(mut progress) => loop {
            match timeout(WATCHING, progress.next()).await {
                Err(_) => break lost("the node says nothing more of it".to_owned()),
                Ok(None) => break lost("the node has stopped to tell of it".to_owned()),
                Ok(Some(Err(error))) => break lost(Trouble::of(&error).words()),
                Ok(Some(Ok(TransactionStatus::InFinalizedBlock(block)))) => {
                    return Ok(Told { block: Some(block.block_hash()), refused: None, problem: String::new() });
                }
                Ok(Some(Ok(
                    TransactionStatus::Error { message }
                    | TransactionStatus::Invalid { message }
                    | TransactionStatus::Dropped { message },
                ))) => break lost(message),
                Ok(Some(Ok(_))) => {}
            }
        },
    };
    // Whether it will ever be taken, if it has not been. The connection may be gone: then the next node is asked.
    told.refused = validate(&at, &signed).await.unwrap_or_default();
    Ok(told)
}

/// Where a call is, by the chain's blocks up to this one.
async fn fate(node: &Node, at: &At, signed: &Signed) -> Result<Fate, Trouble> {
    let account = AccountId32(*signed.who.bytes());
    let head = at.block_number();
    if at.tx().account_nonce(&account).await? <= signed.nonce {
        return Ok(if head > signed.until { Fate::Expired } else { Fate::Open });
    }
    for number in signed.since + 1..=head.min(signed.until) {
        let Some(block) = node.at_height(number).await? else { continue };
        let extrinsics = block.extrinsics().fetch().await?;
        for extrinsic in extrinsics.iter() {
            if extrinsic?.hash() == signed.hash {
                return Ok(Fate::Included(block.block_hash()));
            }
        }
    }
    Ok(Fate::Overtaken)
}

/// What a call has done in its block.
async fn outcome(at: &At, signed: &Signed, about: &About) -> Result<Landed, Trouble> {
    let extrinsics = at.extrinsics().fetch().await?;
    for extrinsic in extrinsics.iter() {
        let extrinsic = extrinsic?;
        if extrinsic.hash() != signed.hash {
            continue;
        }
        let events = extrinsic.events().await?;
        for event in events.iter() {
            let event = event?;
            if (event.pallet_name(), event.event_name()) == ("System", "ExtrinsicFailed") {
                let error = DispatchError::decode_from(event.field_bytes(), at.metadata())
                    .map_err(|error| Trouble::changed("refusal", format_args!("cannot be read: {error}")))?;
                return Err(refusals::dispatched(&error, about).into());
            }
        }
        let block = Block { number: at.block_number(), hash: digest(at.block_hash())? };
        return Ok(Landed { block, nonce: signed.nonce });
    }
    Err(Trouble::Node("a block has not the call that the node said it has".to_owned()))
}

/// A block's hash, as the ledger writes such things.
pub(crate) fn digest(hash: H256) -> Result<Digest, Trouble> {
    Digest::from_bytes(hash.as_bytes()).ok_or_else(|| Trouble::Node("a hash that is none".to_owned()))
}
