//! Calls, as the runtime at hand takes them. Pure: metadata in, a call out.
//!
//! A runtime changes under a client that nobody has built anew. What a call means is in the names and types of its fields: where
//! these are as known, it is encoded by the metadata; where they are not, it is refused in words, because a call that is
//! encoded all the same could mean anything.
use super::shape::shape;
use crate::{ChainError, Weight};
use automl_keys::Address;
use subxt::ext::scale_value::{Composite, Value};
use subxt::metadata::Metadata;
use subxt::tx::{DynamicPayload, dynamic};

/// A call for one runtime.
pub type Encodable = DynamicPayload<Composite<()>>;

/// The pallet of the subnets.
pub(crate) const SUBNETS: &str = "SubtensorModule";
/// The pallet of what hotkeys are bound to.
pub(crate) const COMMITMENTS: &str = "Commitments";

/// The version of timelocked weights that is known.
pub(crate) const REVEAL_VERSION: u16 = 4;

/// How weights are told to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Openly.
    Plain,
    /// Openly, for a mechanism of a subnet.
    Mechanism(u8),
    /// Their hash now, themselves later.
    Hash,
    /// Encrypted until a round of drand, as runtimes until the middle of 2025 have it.
    TimelockV3,
    /// The same with the sender in it.
    TimelockV4,
    /// The same for a mechanism of a subnet.
    MechanismTimelockV4(u8),
}

/// A call, and the fields that give it its meaning: name, shapes that are known, value.
struct Meaning {
    pallet: &'static str,
    call: &'static str,
    fields: Vec<(&'static str, &'static [&'static str], Value<()>)>,
}

/// Which form this runtime takes for a mechanism of a subnet, whose weights are committed first or not.
pub fn form(metadata: &Metadata, committed_first: bool, mechanism: u8) -> Result<Form, ChainError> {
    let has =
        |call: &str| metadata.pallet_by_name(SUBNETS).is_some_and(|pallet| pallet.call_variant_by_name(call).is_some());
    let absent = |what: &str| Err(ChainError::Changed { what: what.to_owned(), problem: "is not there".to_owned() });
    match (committed_first, mechanism) {
        (false, 0) if has("set_weights") => Ok(Form::Plain),
        (false, _) if has("set_mechanism_weights") => Ok(Form::Mechanism(mechanism)),
        (false, _) => absent("a call to set weights"),
        (true, 0) if has("commit_timelocked_weights") => Ok(Form::TimelockV4),
        (true, _) if has("commit_timelocked_mechanism_weights") => Ok(Form::MechanismTimelockV4(mechanism)),
        (true, 0) if has("commit_crv3_weights") => Ok(Form::TimelockV3),
        (true, 0) if has("commit_weights") && has("reveal_weights") => Ok(Form::Hash),
        (true, _) => absent("a call to commit weights"),
    }
}

/// To be bound to a text.
pub fn commit(metadata: &Metadata, netuid: u16, text: &str) -> Result<Encodable, ChainError> {
    let data = Value::unnamed_variant(format!("Raw{}", text.len()), [Value::from_bytes(text)]);
    let info = Value::named_composite([("fields", Value::unnamed_composite([data]))]);
    Meaning {
        pallet: COMMITMENTS,
        call: "set_commitment",
        fields: vec![("netuid", &["u16"], number(netuid)), ("info", &["CommitmentInfo"], info)],
    }
    .encodable(metadata)
}

/// Weights, openly.
pub fn set_weights(
    metadata: &Metadata,
    form: Form,
    netuid: u16,
    weights: &[Weight],
    version: u64,
) -> Result<Encodable, ChainError> {
    let mut fields = vec![("netuid", U16, number(netuid))];
    let call = match form {
        Form::Mechanism(mechanism) => {
            fields.push(("mecid", U8, number(mechanism)));
            "set_mechanism_weights"
        }
        _ => "set_weights",
    };
    fields.extend([
        ("dests", NUMBERS, numbers(weights.iter().map(|weight| weight.uid))),
        ("weights", NUMBERS, numbers(weights.iter().map(|weight| weight.value))),
        ("version_key", U64, number(version)),
    ]);
    Meaning { pallet: SUBNETS, call, fields }.encodable(metadata)
}

/// The hash of weights.
pub fn commit_hash(metadata: &Metadata, netuid: u16, hash: [u8; 32]) -> Result<Encodable, ChainError> {
    let fields = vec![("netuid", U16, number(netuid)), ("commit_hash", &["H256"][..], Value::from_bytes(hash))];
    Meaning { pallet: SUBNETS, call: "commit_weights", fields }.encodable(metadata)
}

/// The weights to a hash.
pub fn reveal(
    metadata: &Metadata,
    netuid: u16,
    weights: &[Weight],
    salt: &[u16],
    version: u64,
) -> Result<Encodable, ChainError> {
    let fields = vec![
        ("netuid", U16, number(netuid)),
        ("uids", NUMBERS, numbers(weights.iter().map(|weight| weight.uid))),
        ("values", NUMBERS, numbers(weights.iter().map(|weight| weight.value))),
        ("salt", NUMBERS, numbers(salt.iter().copied())),
        ("version_key", U64, number(version)),
    ];
    Meaning { pallet: SUBNETS, call: "reveal_weights", fields }.encodable(metadata)
}

/// Weights that are encrypted until a round.
pub fn commit_timelocked(
    metadata: &Metadata,
    form: Form,
    netuid: u16,
    sealed: &[u8],
    round: u64,
) -> Result<Encodable, ChainError> {
    let mut fields = vec![("netuid", U16, number(netuid))];
    let call = match form {
        Form::TimelockV3 => "commit_crv3_weights",
        Form::MechanismTimelockV4(mechanism) => {
            fields.push(("mecid", U8, number(mechanism)));
            "commit_timelocked_mechanism_weights"
        }
        _ => "commit_timelocked_weights",
    };
    fields.extend([("commit", BYTES, Value::from_bytes(sealed)), ("reveal_round", U64, number(round))]);
    if form != Form::TimelockV3 {
        fields.push(("commit_reveal_version", U16, number(REVEAL_VERSION)));
    }
    Meaning { pallet: SUBNETS, call, fields }.encodable(metadata)
}

/// To take part, for what it costs now. Where the runtime can, it costs no more than this (in billionths of a token).
pub fn register(metadata: &Metadata, netuid: u16, hotkey: Address, at_most: u64) -> Result<Encodable, ChainError> {
    let hotkey = ("hotkey", ACCOUNT, account(hotkey));
    let limited = Meaning {
        pallet: SUBNETS,
        call: "register_limit",
        fields: vec![("netuid", U16, number(netuid)), hotkey.clone(), ("limit_price", U64, number(at_most))],
    };
    if limited.is_there(metadata) {
        return limited.encodable(metadata);
    }
    let fields = vec![("netuid", U16, number(netuid)), hotkey];
    Meaning { pallet: SUBNETS, call: "burned_register", fields }.encodable(metadata)
}

/// To make a subnet, of its one mechanism where the runtime asks for it.
pub fn create_subnet(metadata: &Metadata, hotkey: Address) -> Result<Encodable, ChainError> {
    let mut meaning =
        Meaning { pallet: SUBNETS, call: "register_network", fields: vec![("hotkey", ACCOUNT, account(hotkey))] };
    let pallet = metadata.pallet_by_name(SUBNETS);
    let variant = pallet.as_ref().and_then(|pallet| pallet.call_variant_by_name(meaning.call));
    if variant.is_some_and(|variant| variant.fields.len() == 2) {
        meaning.fields.push(("mechid", U16, number(1_u16)));
    }
    meaning.encodable(metadata)
}

const U8: &[&str] = &["u8"];
const U16: &[&str] = &["u16"];
const U64: &[&str] = &["u64"];
const NUMBERS: &[&str] = &["[u16]"];
const BYTES: &[&str] = &["[u8]"];
const ACCOUNT: &[&str] = &["AccountId32"];

impl Meaning {
    fn is_there(&self, metadata: &Metadata) -> bool {
        metadata.pallet_by_name(self.pallet).is_some_and(|pallet| pallet.call_variant_by_name(self.call).is_some())
    }

    fn encodable(self, metadata: &Metadata) -> Result<Encodable, ChainError> {
        let Meaning { pallet, call, fields } = self;
        let changed = |problem: String| ChainError::Changed { what: format!("{pallet}.{call}"), problem };
        let variant = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.call_variant_by_name(call));
        let variant = variant.ok_or_else(|| changed("is not there".to_owned()))?;
        let has: Vec<(String, String)> = variant
            .fields
            .iter()
            .map(|field| (field.name.clone().unwrap_or_default(), shape(metadata.types(), field.ty.id)))
            .collect();
        let is_known = has.len() == fields.len()
            && has
                .iter()
                .zip(&fields)
                .all(|((name, shape), (known, shapes, _))| name == known && shapes.contains(&shape.as_str()));
        if !is_known {
            let shown = |parts: Vec<String>| parts.join(", ");
            let has = shown(has.iter().map(|(name, shape)| format!("{name}: {shape}")).collect());
            let known = shown(fields.iter().map(|(name, shapes, _)| format!("{name}: {}", shapes.join("|"))).collect());
            return Err(changed(format!("takes ({has}), and this program knows ({known})")));
        }
        let values = fields.into_iter().map(|(name, _, value)| (name.to_owned(), value)).collect();
        Ok(dynamic(pallet, call, Composite::Named(values)))
    }
}

fn number(value: impl Into<u128>) -> Value<()> {
    Value::u128(value.into())
}

fn numbers(values: impl Iterator<Item = u16>) -> Value<()> {
    Value::unnamed_composite(values.map(number))
}

fn account(address: Address) -> Value<()> {
    Value::from_bytes(address.bytes())
}
