//! What all records of a subnet together say. Pure: the same records make the same state.
use super::Genesis;
use super::epoch::{self, Seat};
use super::signed::{Payload, Signed};
use crate::{
    Block, Call, ChainError, Commitment, Included, LONGEST_COMMITMENT, Metagraph, Neuron, Refused, Rules, Weight,
};
use automl_keys::Address;
use automl_ledger::{Digest, Kind, Record};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Blocks whose hashes are remembered: a day and a half at twelve seconds.
const REMEMBERED: usize = 10_000;
/// Epochs that may end with one block.
const MOST_EPOCHS: u64 = 100;

/// A subnet at its newest block.
pub(super) struct State {
    genesis: Genesis,
    /// Milliseconds since 1970, by the ledger's clock.
    began: u64,
    hash: Digest,
    blocks: VecDeque<Block>,
    neurons: Vec<Neuron>,
    /// By validator and miner, as the last epoch left them.
    bonds: Vec<Vec<f64>>,
    commitments: BTreeMap<Address, Commitment>,
    /// Each time a hotkey was bound, or gave way and is bound no more, with the block.
    bound: Vec<(u64, Address, Option<Commitment>)>,
    calls: BTreeMap<Address, Calls>,
}

/// The calls of a hotkey.
struct Calls {
    next: u64,
    /// What became of the last.
    last: Result<Included, Refused>,
}

impl State {
    /// The state at the genesis.
    pub(super) fn begin(record: &Record) -> Result<State, ChainError> {
        let genesis = serde_json::from_slice(&record.body)
            .map_err(|error| ChainError::Damaged { seq: record.seq, problem: error.to_string() })?;
        Ok(State {
            genesis,
            began: record.at,
            hash: record.sum,
            blocks: VecDeque::from([Block { number: 0, hash: record.sum }]),
            neurons: Vec::new(),
            bonds: Vec::new(),
            commitments: BTreeMap::new(),
            bound: Vec::new(),
            calls: BTreeMap::new(),
        })
    }

    pub(super) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Of the genesis: which chain it is.
    pub(super) fn hash(&self) -> Digest {
        self.hash
    }

    pub(super) fn head(&self) -> Block {
        self.blocks.back().copied().unwrap_or(Block { number: 0, hash: self.hash })
    }

    /// The first remembered block of this height or above, unless it may be one that is forgotten.
    pub(super) fn block(&self, number: u64) -> Option<Block> {
        self.blocks.front().filter(|first| first.number <= number)?;
        self.blocks.get(self.blocks.partition_point(|block| block.number < number)).copied()
    }

    /// The number of the block whose time has come, if one has.
    pub(super) fn due(&self, now: u64) -> Option<u64> {
        let number = now.saturating_sub(self.began).checked_div(self.genesis.block_milliseconds)?;
        (number > self.head().number).then_some(number)
    }

    pub(super) fn next_number(&self, hotkey: Address) -> u64 {
        self.calls.get(&hotkey).map_or(0, |calls| calls.next)
    }

    /// What became of a call, which is this hotkey's last.
    pub(super) fn outcome(&self, hotkey: Address, number: u64) -> Result<Included, ChainError> {
        match self.calls.get(&hotkey) {
            Some(Calls { last, next }) if *next == number + 1 => Ok(last.clone()?),
            _ => Err(Refused::Number { given: number, next: self.next_number(hotkey) }.into()),
        }
    }

    pub(super) fn metagraph(&self) -> Metagraph {
        Metagraph { block: self.head(), rules: self.rules(), neurons: self.neurons.clone() }
    }

    fn rules(&self) -> Rules {
        let Genesis { open, tempo, neurons, least_stake, immunity, activity, weights_every, version, .. } =
            self.genesis;
        let tempo = tempo.max(1);
        Rules {
            tempo,
            epoch_blocks: tempo,
            next_epoch: Some((self.head().number / tempo).saturating_add(1).saturating_mul(tempo)),
            places: neurons,
            immunity,
            activity,
            weights_every,
            version,
            least_weights: 1,
            largest_weight: u16::MAX,
            least_stake,
            reveal_after: None,
            open,
            price: open.then_some(0),
        }
    }

    pub(super) fn commitments(&self) -> Vec<Commitment> {
        sorted(self.commitments.values().cloned().collect())
    }

    /// As they were at the end of a block.
    pub(super) fn commitments_at(&self, block: u64) -> Vec<Commitment> {
        let mut at = BTreeMap::new();
        for (_, hotkey, bound) in self.bound.iter().take_while(|(when, ..)| *when <= block) {
            at.insert(*hotkey, bound.clone());
        }
        sorted(at.into_values().flatten().collect())
    }

    /// All that there ever were, up to the end of a block.
    pub(super) fn history(&self, block: u64) -> Vec<Commitment> {
        let until = self.bound.iter().take_while(|(when, ..)| *when <= block);
        sorted(until.filter_map(|(.., bound)| bound.clone()).collect())
    }

    /// Takes in the next record. What is no block and no call that may be has no effect.
    pub(super) fn take(&mut self, record: &Record) -> Result<(), ChainError> {
        if record.name.kind() == Kind::Block {
            let number = record.name.key().parse().map_err(|_| ChainError::Damaged {
                seq: record.seq,
                problem: format!("{} is named as no block is", record.name),
            })?;
            self.seal(Block { number, hash: record.sum });
            return Ok(());
        }
        let Ok(payload) = Signed::parse(&record.body).and_then(|signed| signed.payload()) else { return Ok(()) };
        // A call under a name of another is none: names make each number unique.
        if payload.name(record.name.scope()).ok().as_ref() != Some(&record.name) {
            return Ok(());
        }
        if self.addressed(&payload).is_err() {
            return Ok(());
        }
        let last = self.permitted(&payload);
        let (hotkey, next) = (payload.hotkey, payload.number + 1);
        if last.is_ok() {
            self.perform(payload);
        }
        let last = last.map(|()| Included { block: self.head().number, number: next - 1, round: None });
        self.calls.insert(hotkey, Calls { next, last });
        Ok(())
    }

    /// A block that is older than the head is none: two who made blocks at once both wrote theirs.
    fn seal(&mut self, block: Block) {
        let head = self.head().number;
        if block.number <= head {
            return;
        }
        let tempo = self.genesis.tempo.max(1);
        // Epochs end at multiples of the tempo. After a long pause of all blocks only so many are paid.
        let epochs = (block.number / tempo - head / tempo).min(MOST_EPOCHS);
        for _ in 0..epochs {
            self.end_epoch(block.number);
        }
        self.blocks.push_back(block);
        if self.blocks.len() > REMEMBERED {
            self.blocks.pop_front();
        }
    }

    fn end_epoch(&mut self, block: u64) {
        let seats: Vec<Seat<'_>> = self
            .neurons
            .iter()
            .map(|neuron| Seat {
                stake: neuron.stake,
                votes: neuron.permit && block.saturating_sub(neuron.updated) <= self.genesis.activity,
                registered: neuron.registered,
                updated: neuron.updated,
                weights: &neuron.weights,
            })
            .collect();
        let emission = self.genesis.emission.saturating_mul(self.genesis.tempo);
        let outcome = epoch::end(&seats, &self.bonds, emission);
        for (neuron, earned) in self.neurons.iter_mut().zip(outcome.earned) {
            neuron.incentive = earned.incentive;
            neuron.dividends = earned.dividends;
            neuron.consensus = earned.consensus;
            neuron.rank = earned.rank;
            neuron.trust = earned.trust;
            neuron.validator_trust = earned.validator_trust;
            neuron.emission = earned.emission;
            neuron.stake = neuron.stake.saturating_add(earned.emission);
        }
        self.bonds = outcome.bonds;
        self.permit();
    }

    /// Those of the most stake may set weights in the next epoch.
    fn permit(&mut self) {
        let mut ranking: Vec<(std::cmp::Reverse<u64>, u16)> = self
            .neurons
            .iter()
            .filter(|neuron| neuron.stake >= self.genesis.least_stake)
            .map(|neuron| (std::cmp::Reverse(neuron.stake), neuron.uid))
            .collect();
        ranking.sort_unstable();
        let chosen: BTreeSet<u16> =
            ranking.into_iter().take(self.genesis.validators.into()).map(|(_, uid)| uid).collect();
        for neuron in &mut self.neurons {
            neuron.permit = chosen.contains(&neuron.uid);
        }
    }

    fn neuron(&self, hotkey: Address) -> Result<&Neuron, Refused> {
        self.neurons.iter().find(|neuron| neuron.hotkey == hotkey).ok_or(Refused::NotRegistered(hotkey))
    }

    /// Whether a call may be, now.
    pub(super) fn check(&self, payload: &Payload) -> Result<(), Refused> {
        self.addressed(payload)?;
        self.permitted(payload)
    }

    /// Whether it is this hotkey's next call to this chain: one that is takes a number, also where it is refused.
    fn addressed(&self, payload: &Payload) -> Result<(), Refused> {
        let Payload { genesis, hotkey, number, .. } = payload;
        if *genesis != self.hash {
            return Err(Refused::OtherChain { given: genesis.to_string(), genesis: self.hash.to_string() });
        }
        let next = self.next_number(*hotkey);
        if *number == next { Ok(()) } else { Err(Refused::Number { given: *number, next }) }
    }

    /// Whether it may do what it asks for.
    fn permitted(&self, payload: &Payload) -> Result<(), Refused> {
        let Payload { hotkey, until, call, .. } = payload;
        let (hotkey, block) = (*hotkey, self.head().number);
        if block > *until {
            return Err(Refused::Expired { until: *until, block });
        }
        let owner = self.genesis.owner;
        match call {
            Call::Register if self.neuron(hotkey).is_ok() => Err(Refused::Registered(hotkey)),
            Call::Register if !self.genesis.open => Err(Refused::Closed { owner, hotkey }),
            Call::Admit { .. } if hotkey != owner => Err(Refused::NotOwner { owner, hotkey }),
            Call::Admit { hotkey, .. } if self.neuron(*hotkey).is_ok() => Ok(()),
            Call::Register | Call::Admit { .. } => self.place().map(drop),
            Call::Commit { text } => {
                self.neuron(hotkey)?;
                if text.is_empty() || text.len() > LONGEST_COMMITMENT {
                    return Err(Refused::Length(text.len()));
                }
                let last = self.commitments.get(&hotkey).map(|last| last.block);
                in_time(last, self.genesis.commitments_every, block)
            }
            Call::SetWeights { weights, version } => {
                let neuron = self.neuron(hotkey)?;
                if *version != self.genesis.version {
                    return Err(Refused::Version { given: *version, wanted: self.genesis.version });
                }
                if !neuron.permit {
                    return Err(Refused::NoPermit(hotkey));
                }
                let last = (!neuron.weights.is_empty()).then_some(neuron.updated);
                in_time(last, self.genesis.weights_every, block)?;
                self.fit(weights)
            }
        }
    }

    fn fit(&self, weights: &[Weight]) -> Result<(), Refused> {
        if weights.iter().all(|weight| weight.value == 0) {
            return Err(Refused::Weights("none is above 0".to_owned()));
        }
        let mut met = BTreeSet::new();
        for Weight { uid, .. } in weights {
            if usize::from(*uid) >= self.neurons.len() {
                return Err(Refused::Weights(format!("there is no uid {uid}")));
            }
            if !met.insert(uid) {
                return Err(Refused::Weights(format!("uid {uid} has two")));
            }
        }
        Ok(())
    }

    /// The uid for a newcomer: the next free one, or that of the one who earned least and is not immune.
    fn place(&self) -> Result<u16, Refused> {
        let taken = self.neurons.len();
        if taken < usize::from(self.genesis.neurons) {
            return Ok(taken as u16);
        }
        let block = self.head().number;
        let who = self
            .neurons
            .iter()
            .filter(|neuron| block.saturating_sub(neuron.registered) >= self.genesis.immunity)
            .min_by_key(|neuron| (neuron.emission, neuron.registered, neuron.uid));
        who.map(|neuron| neuron.uid).ok_or(Refused::Full(self.genesis.neurons))
    }

    /// Does what was checked.
    fn perform(&mut self, payload: Payload) {
        let Payload { hotkey, call, .. } = payload;
        let block = self.head().number;
        match call {
            Call::Register => self.seat(hotkey, 0),
            Call::Admit { hotkey, stake } => match self.neurons.iter_mut().find(|neuron| neuron.hotkey == hotkey) {
                Some(neuron) => neuron.stake = stake,
                None => self.seat(hotkey, stake),
            },
            Call::Commit { text } => {
                let commitment = Commitment { hotkey, text, block };
                self.bound.push((block, hotkey, Some(commitment.clone())));
                self.commitments.insert(hotkey, commitment);
            }
            Call::SetWeights { weights, .. } => {
                if let Some(neuron) = self.neurons.iter_mut().find(|neuron| neuron.hotkey == hotkey) {
                    neuron.weights = weights;
                    neuron.updated = block;
                }
            }
        }
    }

    fn seat(&mut self, hotkey: Address, stake: u64) {
        let Ok(uid) = self.place() else { return };
        let block = self.head().number;
        let neuron = Neuron {
            uid,
            hotkey,
            stake,
            registered: block,
            updated: block,
            permit: false,
            incentive: 0,
            dividends: 0,
            consensus: 0,
            rank: 0,
            trust: 0,
            validator_trust: 0,
            emission: 0,
            weights: Vec::new(),
        };
        let at = usize::from(uid);
        if at == self.neurons.len() {
            self.neurons.push(neuron);
            return;
        }
        // Who gives way takes its commitment and bonds along.
        let gone = std::mem::replace(&mut self.neurons[at], neuron);
        if self.commitments.remove(&gone.hotkey).is_some() {
            self.bound.push((block, gone.hotkey, None));
        }
        for (validator, row) in self.bonds.iter_mut().enumerate() {
            for (miner, bond) in row.iter_mut().enumerate() {
                if validator == at || miner == at {
                    *bond = 0.0;
                }
            }
        }
    }
}

fn sorted(mut commitments: Vec<Commitment>) -> Vec<Commitment> {
    commitments.sort_by_key(|commitment| (commitment.block, commitment.hotkey));
    commitments
}

/// Whether a call may come so many blocks after the last of its kind.
fn in_time(last: Option<u64>, every: u64, block: u64) -> Result<(), Refused> {
    match last.map(|last| last.saturating_add(every)) {
        Some(from) if block < from => Err(Refused::TooSoon { from, block }),
        _ => Ok(()),
    }
}
