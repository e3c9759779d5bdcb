//! What hotkeys were bound to before: a block's state has the newest binding of each alone, and since when it is.
//!
//! So the one before it is in the state of the block before that one. Each step takes a node some four answers, for as many hotkeys
//! at once as [`all`] asks for, and all hotkeys take a step before any takes the next, so that a node that fails or has forgotten a
//! block costs one step.
use super::nodes::{Node, Nodes};
use super::reads::{Bound, all_bound, bound, commitments};
use super::storage::all;
use super::trouble::Trouble;
use crate::{ChainError, History};
use automl_keys::Address;

/// The most bindings of one hotkey that are walked back over: more than a year's where it is bound anew each day.
const MOST_STEPS: usize = 500;

/// What all were bound to at the end of a block; `None` where no node remembers.
pub(crate) async fn at(nodes: &Nodes, netuid: u16, block: u64) -> Result<Option<Vec<Bound>>, ChainError> {
    for _ in 0..nodes.count() {
        let read = nodes.ask(|node, _| async move {
            let Some(at) = node.at_height(block).await.or_else(forgotten)? else { return Ok(None) };
            all_bound(&at, netuid).await.map(Some).or_else(forgotten)
        });
        if let Some(bound) = read.await? {
            return Ok(Some(bound));
        }
        // Another may be an archive.
        nodes.turn().await;
    }
    Ok(None)
}

/// All that hotkeys were ever bound to, up to the end of a block. Of one that is bound to nothing then, or was in between, what was
/// before is not known.
pub(crate) async fn walk(nodes: &Nodes, netuid: u16, block: u64) -> Result<History, ChainError> {
    let head = nodes.ask(|_, at| async move { Ok(at.block_number()) }).await?;
    let (mut met, mut complete) = match at(nodes, netuid, block.min(head)).await? {
        Some(bound) => (bound, true),
        // Who is bound since before that block is so still.
        None => (nodes.ask(|_, at| async move { all_bound(&at, netuid).await }).await?, false),
    };
    let mut found = Vec::new();
    for _ in 0..MOST_STEPS {
        let before = met.iter().filter_map(|bound| Some((bound.hotkey, bound.block.checked_sub(1)?))).collect();
        found.extend(met.into_iter().filter(|bound| bound.block <= block));
        let all_remembered;
        (met, all_remembered) = step(nodes, netuid, before).await?;
        complete &= all_remembered;
        if met.is_empty() {
            break;
        }
    }
    Ok(History { commitments: commitments(found), complete: complete && met.is_empty() })
}

/// What hotkeys were bound to, each at the end of a block, and whether all of that is remembered.
async fn step(nodes: &Nodes, netuid: u16, mut open: Vec<(Address, u64)>) -> Result<(Vec<Bound>, bool), ChainError> {
    let mut found = Vec::new();
    for _ in 0..nodes.count() {
        if open.is_empty() {
            break;
        }
        let read = nodes.ask(|node, _| {
            let open = open.clone();
            async move { all(open.into_iter().map(|(hotkey, block)| then(&node, netuid, hotkey, block))).await }
        });
        let read = read.await?;
        let mut left = Vec::new();
        for (asked, read) in open.into_iter().zip(read) {
            match read {
                Some(bound) => found.extend(bound),
                None => left.push(asked),
            }
        }
        open = left;
        if !open.is_empty() {
            nodes.turn().await;
        }
    }
    Ok((found, open.is_empty()))
}

/// What a hotkey was bound to at the end of a block; `None` where the node does not remember.
async fn then(node: &Node, netuid: u16, hotkey: Address, block: u64) -> Result<Option<Option<Bound>>, Trouble> {
    let Some(at) = node.at_height(block).await.or_else(forgotten)? else { return Ok(None) };
    bound(&at, netuid, hotkey).await.map(Some).or_else(forgotten)
}

/// What is forgotten is an answer.
fn forgotten<T>(trouble: Trouble) -> Result<Option<T>, Trouble> {
    match trouble {
        Trouble::Forgotten(_) => Ok(None),
        trouble => Err(trouble),
    }
}
