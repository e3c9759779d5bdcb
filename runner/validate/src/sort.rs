//! Which genes are scored: those that are well-formed and behave as none before them.
use crate::copies::{Behaviours, Kind, Meeting, Nearest};
use crate::judge::Question;
use crate::outcome::Fate;
use automl_genome::{Ground, Signature};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The genes of a round, told apart.
pub struct Sorted {
    /// Those that are not scored, by where they are in the history.
    pub(crate) fates: BTreeMap<usize, Fate>,
    pub(crate) contenders: Vec<Contender>,
}

/// A gene that is scored.
pub(crate) struct Contender {
    /// Where it is in the history.
    pub(crate) at: usize,
    pub(crate) text: Arc<str>,
    pub(crate) nodes: usize,
    /// Since when its hotkey has it.
    pub(crate) since: u64,
    /// The nearest earlier one, in the history, and how far that is.
    pub(crate) kin: Option<(usize, f64)>,
    /// Those that it has to be better than, in the history.
    pub(crate) near: Vec<usize>,
}

/// A gene that was met, for those that come after it.
#[derive(Clone)]
struct Met {
    /// Where in the history it was there first.
    at: usize,
    /// Since when its hotkey has it.
    since: u64,
    kin: Option<(usize, f64)>,
    near: Vec<usize>,
}

/// Tells copies from what is scored. The round's own seed has to be among the question's.
pub fn sort(question: &Question<'_>) -> Sorted {
    let mut fates = BTreeMap::new();
    let mut contenders = Vec::new();
    let mut behaviours = Behaviours::on(ground(question), question.copies.copy, question.copies.near);
    let mut met: Vec<Met> = Vec::new();
    for (at, bound) in question.history.iter().enumerate() {
        let gene = match &bound.gene {
            Ok(gene) => gene,
            Err(reason) => {
                fates.insert(at, Fate::Unusable { reason: reason.clone() });
                continue;
            }
        };
        if let Some(dead) = Signature::of(gene).dead() {
            fates.insert(at, Fate::Unusable { reason: format!("no network learns from it: {dead}") });
            continue;
        }
        let Meeting { kind, nearest } = behaviours.meet(gene);
        let earlier = nearest.and_then(|Nearest { index, distance }| Some((met.get(index)?.clone(), distance)));
        let own = |first: &Met| question.history[first.at].hotkey == bound.hotkey;
        let found = match earlier {
            Some((first, _)) if kind == Kind::Copy && !own(&first) => {
                let original = &question.history[first.at];
                fates.insert(at, Fate::Copy { of: original.hotkey.clone(), since: original.block });
                met.push(first);
                continue;
            }
            // Its own, bound anew: it stays what it was, on the tasks it had. Who could choose another text for tasks that are
            // known by now would choose the one that does best on them.
            Some((first, _)) if kind == Kind::Copy => first,
            // What it owes to others it owes in its new form too.
            Some((first, _)) if own(&first) => {
                let mut near = first.near;
                if kind == Kind::Near {
                    near.push(first.at);
                }
                Met { at, since: bound.block, kin: first.kin, near }
            }
            Some((first, distance)) => {
                let near = if kind == Kind::Near { vec![first.at] } else { Vec::new() };
                Met { at, since: bound.block, kin: Some((first.at, distance)), near }
            }
            None => Met { at, since: bound.block, kin: None, near: Vec::new() },
        };
        if question.current.contains(&at)
            && let Ok(gene) = &question.history[found.at].gene
        {
            let (text, nodes) = (gene.to_string().into(), gene.nodes().len());
            let Met { since, kin, near, .. } = found.clone();
            contenders.push(Contender { at, text, nodes, since, kin, near });
        }
        met.push(found);
    }
    // One that was bound anew comes where it was first.
    contenders.sort_by_key(|contender| (contender.since, contender.at));
    Sorted { fates, contenders }
}

/// Made of the round's seed, so that no gene could be made for it.
fn ground(question: &Question<'_>) -> Ground {
    let seed = question.seeds.get(&question.closed).copied().unwrap_or_default();
    Ground::of(Sha256::new().chain_update("automl-ground/1\n").chain_update(seed.to_be_bytes()).finalize().into())
}
