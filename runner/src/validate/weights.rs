//! Weights on the chain: found for the uids of the moment, set once a round, and by nobody else with this hotkey.
use super::book::{Begun, Book, Set};
use super::pages::{EARLY, FAILED, Pages, REFUSED, SET};
use super::{Trouble, Validating};
use automl_chain::{Call, ChainError, Included, Metagraph, Neuron, Refused, Rules, Weight};
use automl_contract::validating::ConditionKind;
use automl_keys::Address;
use automl_validate::{Judged, pay};
use std::collections::{BTreeMap, BTreeSet};

/// Who sets weights with this hotkey: what the chain should say if it is only this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fence {
    /// The block of the last weights on the chain that are known to be ours, or were there before.
    expected: Option<u64>,
    /// The round in which others were found.
    foreign: Option<u64>,
}

impl Fence {
    /// Whether weights may be set for the round that this block closed.
    pub(super) async fn look(
        &mut self,
        own: &Neuron,
        rules: &Rules,
        closed: Option<u64>,
        book: &Book,
        pages: &Pages,
    ) -> Result<bool, Trouble> {
        let known = match self.expected {
            Some(known) => known,
            None => match book.last_weights().await? {
                // What was begun before this process was may have been included without anybody to write it down.
                Some((_, begun, None)) => begun.block.saturating_sub(1),
                Some((_, _, Some(set))) => set.block,
                None => own.updated,
            },
        };
        self.expected = Some(known);
        if own.updated > known {
            match book.last_weights().await? {
                Some((round, begun, None)) if may_be_ours(own, rules, &begun) => {
                    book.set(round, Set { block: own.updated }).await?;
                }
                _ => self.foreign = Some(closed.unwrap_or_default()),
            }
            self.expected = Some(own.updated);
        }
        let held = self.foreign.is_some_and(|round| closed.unwrap_or_default() <= round);
        let message = if held {
            format!(
                "somebody else has set weights with this hotkey in block {}: end the other validator; this one sets none in this round",
                own.updated
            )
        } else {
            "no weights but ours".to_owned()
        };
        pages.condition(ConditionKind::HotkeyInUse, held, if held { "OtherWriter" } else { "Alone" }, message);
        Ok(!held)
    }

    pub(super) fn set(&mut self, block: u64) {
        self.expected = self.expected.max(Some(block));
    }
}

/// Whether weights on the chain can be those that were begun: a call may be included although no answer came.
fn may_be_ours(own: &Neuron, rules: &Rules, begun: &Begun) -> bool {
    let told: Vec<(u16, u16)> = own.weights.iter().map(|weight| (weight.uid, weight.value)).collect();
    own.updated >= begun.block && (rules.reveal_after.is_some() || told == begun.weights)
}

/// What became of weights.
pub(super) enum Told {
    /// They are on the chain, since this block.
    Done(Set),
    /// Nobody earns any.
    Nobody,
    /// Not now, in words; it is tried again.
    Later(String),
}

impl Validating {
    /// Sets the weights of a round, with what the chain says now of who has which uid.
    pub(super) async fn set_weights(&mut self, judged: &Judged) -> Result<Told, Trouble> {
        let metagraph = self.chain.metagraph().await?;
        let weights = found(judged, &metagraph, self.remainder);
        let Some(weights) = weights else { return Ok(Told::Nobody) };
        let block = metagraph.block.number;
        let begun = Begun { block, weights: weights.iter().map(|weight| (weight.uid, weight.value)).collect() };
        self.book.begin(judged.closed, &begun).await?;
        let call = Call::SetWeights { weights: weights.clone(), version: metagraph.rules.version };
        let told = match self.chain.submit(&self.hotkey, call).await {
            Ok(Included { block, .. }) => {
                return self.is_set(judged.closed, Set { block }).await;
            }
            Err(ChainError::Refused(Refused::CommitFirst)) => {
                self.commit_weights(judged.closed, weights, &metagraph).await
            }
            Err(error) => Err(error.into()),
        };
        match told {
            Err(Trouble::Chain(ChainError::Refused(Refused::TooSoon { from, .. }))) => {
                self.pages.weights(EARLY);
                Ok(Told::Later(format!("the chain takes the next weights of this hotkey from block {from} on")))
            }
            Err(Trouble::Chain(ChainError::Refused(refused))) => {
                self.pages.weights(REFUSED);
                Ok(Told::Later(format!("the chain does not take the weights: {refused}")))
            }
            Err(error) => {
                self.pages.weights(FAILED);
                Err(error)
            }
            told => told,
        }
    }

    /// Weights are on the chain.
    pub(super) async fn is_set(&mut self, closed: u64, set: Set) -> Result<Told, Trouble> {
        self.book.set(closed, set).await?;
        self.fence.set(set.block);
        self.pages.change(|progress| progress.weights_block = Some(set.block));
        self.pages.weights(SET);
        Ok(Told::Done(set))
    }
}
/// A round's shares as weights of those who have a uid now; `None` where nobody earns any.
pub(super) fn found(judged: &Judged, metagraph: &Metagraph, remainder: Option<Address>) -> Option<Vec<Weight>> {
    let uids: BTreeMap<String, u16> =
        metagraph.neurons.iter().map(|neuron| (neuron.hotkey.to_string(), neuron.uid)).collect();
    let mut shares: BTreeMap<u16, f64> = BTreeMap::new();
    for row in judged.rows.iter().filter(|row| row.share > 0.0) {
        // Who has left is not paid, whoever has its uid now.
        if let Some(uid) = uids.get(&row.hotkey) {
            *shares.entry(*uid).or_default() += row.share;
        }
    }
    let remainder = remainder.and_then(|address| uids.get(&address.to_string()).copied());
    let weights = pay::weights(&shares, remainder, metagraph.rules.largest_weight);
    let mut weights: Vec<Weight> = weights.into_iter().map(|(uid, value)| Weight { uid, value }).collect();
    if weights.is_empty() {
        return None;
    }
    // A subnet may want more neurons named than earn anything: those who earn nothing are named with nothing.
    let least = usize::from(metagraph.rules.least_weights).min(metagraph.neurons.len());
    let named: BTreeSet<u16> = weights.iter().map(|weight| weight.uid).collect();
    let others = metagraph.neurons.iter().map(|neuron| neuron.uid).filter(|uid| !named.contains(uid));
    let missing = least.saturating_sub(named.len());
    weights.extend(others.take(missing).map(|uid| Weight { uid, value: 0 }));
    weights.sort_by_key(|weight| weight.uid);
    Some(weights)
}
