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
    /// The one that it has to be better than.
    pub(crate) near: Option<usize>,
}

/// Tells copies from what is scored. The round's own seed has to be among the question's.
pub fn sort(question: &Question<'_>) -> Sorted {
    let mut fates = BTreeMap::new();
    let mut contenders = Vec::new();
    let mut behaviours = Behaviours::on(ground(question), question.copies.copy, question.copies.near);
    // Where in the history each gene is that was met, and since when its hotkey has it.
    let mut met: Vec<(usize, u64)> = Vec::new();
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
        let earlier = nearest.and_then(|Nearest { index, distance }| met.get(index).map(|one| (*one, distance)));
        let mut since = bound.block;
        let mut near = None;
        if let Some(((first, first_since), _)) = earlier.filter(|_| kind != Kind::Original) {
            let original = &question.history[first];
            if original.hotkey == bound.hotkey {
                // Its own, bound anew: what counts is when it was there first.
                since = if kind == Kind::Copy { first_since } else { bound.block };
            } else if kind == Kind::Copy {
                fates.insert(at, Fate::Copy { of: original.hotkey.clone(), since: original.block });
                met.push((first, first_since));
                continue;
            } else {
                near = Some(first);
            }
        }
        met.push((at, since));
        if question.current.contains(&at) {
            let kin = earlier.map(|((first, _), distance)| (first, distance));
            contenders.push(Contender {
                at,
                text: gene.to_string().into(),
                nodes: gene.nodes().len(),
                since,
                kin,
                near,
            });
        }
    }
    Sorted { fates, contenders }
}

/// Made of the round's seed, so that no gene could be made for it.
fn ground(question: &Question<'_>) -> Ground {
    let seed = question.seeds.get(&question.closed).copied().unwrap_or_default();
    Ground::of(Sha256::new().chain_update("automl-ground/1\n").chain_update(seed.to_be_bytes()).finalize().into())
}
