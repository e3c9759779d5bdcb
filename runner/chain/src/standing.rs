//! What one who takes part earns, and how safe its place is: what a miner or a validator looks at first.
use crate::{Metagraph, Neuron};
use automl_keys::Address;
use serde::Serialize;
use std::cmp::Reverse;

/// Where a hotkey stands in a subnet. Shares are of 65535.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// At which block.
    pub block: u64,
    /// The block of the next epoch, when all this changes.
    pub next_epoch: Option<u64>,
    /// Who.
    pub hotkey: Address,
    /// Its number in the subnet.
    pub uid: u16,
    /// In billionths of a token.
    pub stake: u64,
    /// What it was given as a miner in the last epoch: a share of all.
    pub incentive: u16,
    /// What it was given as a validator in the last epoch: a share of all.
    pub dividends: u16,
    /// In billionths of a token, in the last epoch.
    pub emission: u64,
    /// What validators gave it within consensus, by their stake.
    pub rank: u16,
    /// How much of what validators gave it was within consensus.
    pub trust: u16,
    /// How much of the weights it set was within consensus.
    pub validator_trust: u16,
    /// Whether it may set weights.
    pub permit: bool,
    /// Its place among all by incentive: 1 has the most; who has as much shares it.
    pub place: u16,
    /// How many take part.
    pub neurons: u16,
    /// How many may.
    pub places: u16,
    /// The first block at which it may have to give way to a newcomer.
    pub immune_until: u64,
    /// How many others have to give way before it, once all places are taken and it is not immune any more.
    pub before_it: u16,
    /// Newcomers from now on until it is its turn; `None` while it is immune.
    pub goes_after: Option<u16>,
}

impl Metagraph {
    /// One who takes part; `None` where it does not.
    pub fn neuron(&self, hotkey: Address) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| neuron.hotkey == hotkey)
    }

    /// Where a hotkey stands; `None` where it takes no part.
    ///
    /// Who earned least gives way first, among equals who was registered first, and newcomers only after their immunity
    /// (`get_neuron_to_prune` of the runtime; the subnet's owner and a few others it protects are not known here).
    pub fn standing(&self, hotkey: Address) -> Option<Standing> {
        let own = self.neuron(hotkey)?;
        let (block, rules) = (self.block.number, &self.rules);
        let immune_until = |neuron: &Neuron| neuron.registered.saturating_add(rules.immunity);
        let turn = |neuron: &Neuron| (neuron.emission, neuron.registered, neuron.uid);
        let count = |which: &dyn Fn(&&Neuron) -> bool| self.neurons.iter().filter(which).count() as u16;
        let before_it = count(&|other| immune_until(other) <= block && turn(other) < turn(own));
        let neurons = self.neurons.len() as u16;
        let free = rules.places.saturating_sub(neurons);
        Some(Standing {
            block,
            next_epoch: rules.next_epoch,
            hotkey,
            uid: own.uid,
            stake: own.stake,
            incentive: own.incentive,
            dividends: own.dividends,
            emission: own.emission,
            rank: own.rank,
            trust: own.trust,
            validator_trust: own.validator_trust,
            permit: own.permit,
            place: 1 + count(&|other| Reverse(other.incentive) < Reverse(own.incentive)),
            neurons,
            places: rules.places,
            immune_until: immune_until(own),
            before_it,
            goes_after: (immune_until(own) <= block).then(|| free.saturating_add(before_it).saturating_add(1)),
        })
    }
}
