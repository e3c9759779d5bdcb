//! A subnet, read from a runtime's storage at one block: the maps have the same names in every version that is known.
use super::calls::COMMITMENTS;
use super::nodes::At;
use super::reveal::{Epochs, Kept};
use super::storage::{all, keys, needed, under, value, value_of};
use super::submit::digest;
use super::trouble::Trouble;
use crate::{Block, Commitment, Metagraph, Neuron, Rules, Weight};
use automl_keys::Address;
use subxt::ext::scale_value::{Composite, Value, ValueDef};
use subxt::utils::AccountId32;

/// Of the network that all stake counts in.
const ROOT: u16 = 0;

/// The block that is read.
pub(crate) fn block(at: &At) -> Result<Block, Trouble> {
    Ok(Block { number: at.block_number(), hash: digest(at.block_hash())? })
}

/// Who takes part.
pub(crate) async fn metagraph(at: &At, netuid: u16) -> Result<Metagraph, Trouble> {
    let rules = rules(at, netuid).await?;
    let neurons: u16 = needed(at, "SubnetworkN", (netuid,)).await?;
    let uids = 0..neurons;
    let hotkeys: Vec<AccountId32> = all(uids.clone().map(|uid| needed(at, "Keys", (netuid, uid)))).await?;
    let registered: Vec<u64> = all(uids.map(|uid| needed(at, "BlockAtRegistration", (netuid, uid)))).await?;
    let stakes: Vec<u64> = all(hotkeys.clone().into_iter().map(|hotkey| stake(at, netuid, hotkey))).await?;
    let shares = |entry| async move { Ok::<Vec<u16>, Trouble>(value(at, entry, (netuid,)).await?.unwrap_or_default()) };
    let (incentive, dividends) = (shares("Incentive").await?, shares("Dividends").await?);
    let (consensus, trust) = (shares("Consensus").await?, shares("Trust").await?);
    let (rank, validator_trust) = (shares("Rank").await?, shares("ValidatorTrust").await?);
    let emission: Vec<u64> = value(at, "Emission", (netuid,)).await?.unwrap_or_default();
    let updated: Vec<u64> = value(at, "LastUpdate", (netuid,)).await?.unwrap_or_default();
    let permits: Vec<bool> = value(at, "ValidatorPermit", (netuid,)).await?.unwrap_or_default();
    let mut weights: Vec<(u16, Vec<(u16, u16)>)> = under(at, super::calls::SUBNETS, "Weights", netuid).await?;
    let mut neurons: Vec<Neuron> = Vec::with_capacity(hotkeys.len());
    for (uid, hotkey) in hotkeys.into_iter().enumerate() {
        neurons.push(Neuron {
            uid: uid as u16,
            hotkey: Address::new(hotkey.0),
            stake: nth(&stakes, uid),
            registered: nth(&registered, uid),
            updated: nth(&updated, uid),
            permit: nth(&permits, uid),
            incentive: nth(&incentive, uid),
            dividends: nth(&dividends, uid),
            consensus: nth(&consensus, uid),
            rank: nth(&rank, uid),
            trust: nth(&trust, uid),
            validator_trust: nth(&validator_trust, uid),
            emission: nth(&emission, uid),
            weights: Vec::new(),
        });
    }
    for (uid, set) in &mut weights {
        if let Some(neuron) = neurons.get_mut(usize::from(*uid)) {
            neuron.weights = set.drain(..).map(|(uid, value)| Weight { uid, value }).collect();
        }
    }
    Ok(Metagraph { block: block(at)?, rules, neurons })
}

/// What holds in the subnet.
pub(crate) async fn rules(at: &At, netuid: u16) -> Result<Rules, Trouble> {
    is_there(at, netuid).await?;
    let key = (netuid,);
    let tempo = u64::from(needed::<_, u16>(at, "Tempo", key).await?);
    let committed_first: bool = value(at, "CommitRevealWeightsEnabled", key).await?.unwrap_or_default();
    let reveal_after: Option<u64> = value(at, "RevealPeriodEpochs", key).await?;
    let epochs = epochs(at, netuid, tempo).await?;
    Ok(Rules {
        tempo,
        epoch_blocks: epochs.map_or(tempo, |epochs| epochs.every),
        next_epoch: epochs.map(|epochs| epochs.next),
        places: needed(at, "MaxAllowedUids", key).await?,
        immunity: u64::from(needed::<_, u16>(at, "ImmunityPeriod", key).await?),
        activity: u64::from(value::<_, u16>(at, "ActivityCutoff", key).await?.unwrap_or_default()),
        weights_every: needed(at, "WeightsSetRateLimit", key).await?,
        version: needed(at, "WeightsVersionKey", key).await?,
        least_weights: value(at, "MinAllowedWeights", key).await?.unwrap_or_default(),
        largest_weight: value(at, "MaxWeightsLimit", key).await?.unwrap_or(u16::MAX),
        least_stake: least_stake(at).await?,
        reveal_after: committed_first.then(|| reveal_after.unwrap_or(1)),
        open: value(at, "NetworkRegistrationAllowed", key).await?.unwrap_or_default(),
        price: value(at, "Burn", key).await?,
    })
}

/// What setting weights takes; the older name is that of runtimes until the beginning of 2025.
async fn least_stake(at: &At) -> Result<u64, Trouble> {
    for entry in ["StakeThreshold", "WeightsMinStake"] {
        if let Some(stake) = value(at, entry, ()).await? {
            return Ok(stake);
        }
    }
    Ok(0)
}

/// When the epochs of a subnet are, by what its runtime keeps; `None` where there are none.
pub(crate) async fn epochs(at: &At, netuid: u16, tempo: u64) -> Result<Option<Epochs>, Trouble> {
    let (key, block) = ((netuid,), at.block_number());
    let Some(last) = value(at, "LastEpochBlock", key).await? else { return Ok(Epochs::fixed(block, netuid, tempo)) };
    let asked = value(at, "PendingEpochAt", key).await?.unwrap_or_default();
    let since = value(at, "BlocksSinceLastStep", key).await?.unwrap_or_default();
    Ok(Epochs::counted(block, tempo, &Kept { last, asked, since }))
}

/// From which block on a hotkey may be bound anew, and the block at hand; `None` where runtime and subnet do not limit it so.
pub(crate) async fn commitment_again(at: &At, netuid: u16, hotkey: Address) -> Result<Option<(u64, u64)>, Trouble> {
    let limit = |name| at.constants().entry(subxt::constants::dynamic::<u32>(COMMITMENTS, name)).ok();
    // Newer runtimes count bytes, not blocks.
    let Some(every) = limit("RateLimit").or_else(|| limit("DefaultRateLimit")) else { return Ok(None) };
    let keys = (netuid, AccountId32(*hotkey.bytes()));
    let last: Option<u64> = value_of(at, COMMITMENTS, "LastCommitment", keys).await?;
    Ok(last.map(|last| (last.saturating_add(every.into()), at.block_number())))
}

/// The same for weights.
pub(crate) async fn weights_again(
    at: &At,
    netuid: u16,
    hotkey: Address,
    every: u64,
) -> Result<Option<(u64, u64)>, Trouble> {
    let uid: Option<u16> = value(at, "Uids", (netuid, AccountId32(*hotkey.bytes()))).await?;
    let updated: Vec<u64> = value(at, "LastUpdate", (netuid,)).await?.unwrap_or_default();
    let last = uid.and_then(|uid| updated.get(usize::from(uid)).copied());
    Ok(last.map(|last| (last.saturating_add(every), at.block_number())))
}

/// A hotkey that is bound, perhaps to what is no text but encrypted, or bytes that are none.
#[derive(Clone)]
pub(crate) struct Bound {
    /// Who.
    pub(crate) hotkey: Address,
    /// Since which block.
    pub(crate) block: u64,
    text: Option<String>,
}

impl Bound {
    /// To what, where that is a text.
    pub(crate) fn commitment(self) -> Option<Commitment> {
        let Bound { hotkey, block, text } = self;
        text.map(|text| Commitment { hotkey, text, block })
    }
}

/// What a hotkey is bound to.
pub(crate) async fn bound(at: &At, netuid: u16, hotkey: Address) -> Result<Option<Bound>, Trouble> {
    let keys = (netuid, AccountId32(*hotkey.bytes()));
    let registration: Option<Registration> = value_of(at, COMMITMENTS, "CommitmentOf", keys).await?;
    registration.map(|registration| registration.of(hotkey, at)).transpose()
}

/// What all are bound to.
pub(crate) async fn all_bound(at: &At, netuid: u16) -> Result<Vec<Bound>, Trouble> {
    let all: Vec<(AccountId32, Registration)> = under(at, COMMITMENTS, "CommitmentOf", netuid).await?;
    all.into_iter().map(|(account, registration)| registration.of(Address::new(account.0), at)).collect()
}

/// The texts among them, the earliest first.
pub(crate) fn commitments(bound: impl IntoIterator<Item = Bound>) -> Vec<Commitment> {
    let mut commitments: Vec<Commitment> = bound.into_iter().filter_map(Bound::commitment).collect();
    commitments.sort_by_key(|commitment| (commitment.block, commitment.hotkey));
    commitments
}

/// What the commitments' pallet keeps of a hotkey.
#[derive(subxt::ext::scale_decode::DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Registration {
    block: u64,
    info: Info,
}

#[derive(subxt::ext::scale_decode::DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Info {
    fields: Vec<Value<()>>,
}

impl Registration {
    /// The first text in it, as read at a block.
    fn of(self, hotkey: Address, at: &At) -> Result<Bound, Trouble> {
        let Registration { block, info } = self;
        if block > at.block_number() {
            let problem = format!("tells at block {} of a commitment in block {block}", at.block_number());
            return Err(Trouble::Node(problem));
        }
        Ok(Bound { hotkey, block, text: info.fields.iter().find_map(text) })
    }
}

/// The text of a field: `Raw74` is 74 bytes of it, `BigRaw` any number.
fn text(field: &Value<()>) -> Option<String> {
    let ValueDef::Variant(variant) = &field.value else { return None };
    if !(variant.name.starts_with("Raw") || variant.name == "BigRaw") {
        return None;
    }
    let mut bytes = Vec::new();
    collect(&variant.values, &mut bytes);
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// The bytes of wrappers in wrappers.
fn collect(values: &Composite<()>, bytes: &mut Vec<u8>) {
    for value in values.values() {
        match &value.value {
            ValueDef::Composite(inner) => collect(inner, bytes),
            _ => bytes.extend(value.as_u128().and_then(|byte| u8::try_from(byte).ok())),
        }
    }
}

/// What taking part costs.
pub(crate) async fn price_of_place(at: &At, netuid: u16) -> Result<u64, Trouble> {
    is_there(at, netuid).await?;
    needed(at, "Burn", (netuid,)).await
}

/// What making a subnet costs.
pub(crate) async fn price_of_subnet(at: &At) -> Result<u64, Trouble> {
    const API: &str = "SubnetRegistrationRuntimeApi";
    const METHOD: &str = "get_network_registration_cost";
    let call = subxt::runtime_apis::dynamic::<(), u64>(API, METHOD, ());
    at.runtime_apis().call(call).await.map_err(|error| match error {
        subxt::error::RuntimeApiError::CannotCallApi(_) => Trouble::of(&error),
        error => Trouble::changed(&format!("{API}.{METHOD}"), error),
    })
}

async fn is_there(at: &At, netuid: u16) -> Result<(), Trouble> {
    match value(at, "NetworksAdded", (netuid,)).await? {
        Some(true) => Ok(()),
        _ => Err(crate::ChainError::Absent(netuid).into()),
    }
}

/// A hotkey's stake in a subnet: its own alpha, and that of the root network as far as it counts. What other hotkeys lend it
/// is not in it.
async fn stake(at: &At, netuid: u16, hotkey: AccountId32) -> Result<u64, Trouble> {
    let alpha: u64 = value(at, "TotalHotkeyAlpha", (hotkey, netuid)).await?.unwrap_or_default();
    let root: u64 = value(at, "TotalHotkeyAlpha", (hotkey, ROOT)).await?.unwrap_or_default();
    // Runtimes until the beginning of 2025 weigh it for each subnet.
    let counts: Option<u64> = match keys(at, "TaoWeight") {
        Some(1) => value(at, "TaoWeight", (netuid,)).await?,
        _ => value(at, "TaoWeight", ()).await?,
    };
    let counts = counts.unwrap_or_default();
    let lent = u128::from(root) * u128::from(counts) / u128::from(u64::MAX);
    Ok(alpha.saturating_add(u64::try_from(lent).unwrap_or(u64::MAX)))
}

fn nth<T: Copy + Default>(values: &[T], index: usize) -> T {
    values.get(index).copied().unwrap_or_default()
}
