//! Every call that is sent, against the recorded metadata of the main network (runtime 365); and runtimes that mean something else.
use crate::common::skip::skip;
use automl_chain::subtensor::beacon::{self, Pulse};
use automl_chain::subtensor::calls::{self, Encodable, Form};
use automl_chain::subtensor::{Network, Types};
use automl_chain::{ChainError, Weight};
use automl_keys::{Address, Hotkey};
use subxt::client::OfflineClient;
use subxt::config::SubstrateConfig;
use subxt::config::substrate::SpecVersionForRange;
use subxt::ext::codec::{Decode as _, Encode};
use subxt::ext::frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use subxt::ext::scale_decode::DecodeAsType as _;
use subxt::metadata::{ArcMetadata, Metadata};

/// Names the file with the metadata.
const METADATA: &str = "AUTOML_CHAIN_METADATA";
const NETUID: u16 = 100;
const WEIGHTS: [Weight; 2] = [Weight { uid: 3, value: 65_535 }, Weight { uid: 258, value: 1 }];
const VERSION: u64 = 1013;
/// Of round 1000 of quicknet.
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

fn recorded() -> Option<Vec<u8>> {
    let Some(path) = std::env::var_os(METADATA).filter(|value| !value.is_empty()) else {
        skip(
            "no recorded metadata: name a file with the main network's in AUTOML_CHAIN_METADATA; docs/chain.md says where to \
             get one",
        );
        return None;
    };
    Some(std::fs::read(path).unwrap())
}

fn metadata() -> Option<ArcMetadata> {
    Some(Metadata::decode_from(&recorded()?).unwrap().arc())
}

/// Metadata in which something is called otherwise.
fn renamed(from: &str, to: &str) -> Option<Metadata> {
    let bytes = recorded()?;
    let RuntimeMetadataPrefixed(magic, RuntimeMetadata::V16(mut metadata)) =
        RuntimeMetadataPrefixed::decode(&mut bytes.as_slice()).unwrap()
    else {
        panic!("the recorded metadata is of version 16");
    };
    let mut count = 0;
    for ty in &mut metadata.types.types {
        if let scale_info::TypeDef::Variant(variant) = &mut ty.ty.type_def {
            for variant in &mut variant.variants {
                let names = std::iter::once(&mut variant.name)
                    .chain(variant.fields.iter_mut().filter_map(|field| field.name.as_mut()));
                for name in names.filter(|name| *name == from) {
                    to.clone_into(name);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 0, "{from} is in the metadata");
    let changed = RuntimeMetadataPrefixed(magic, RuntimeMetadata::V16(metadata));
    Some(Metadata::decode_from(&changed.encode()).unwrap())
}

/// The bytes of a call as this runtime wants them.
fn bytes(metadata: &ArcMetadata, call: &Encodable) -> Vec<u8> {
    let config = SubstrateConfig::builder()
        .set_metadata_for_spec_versions([(365, metadata.clone())])
        .set_spec_version_for_block_ranges([SpecVersionForRange {
            block_range: 0..u64::MAX,
            spec_version: 365,
            transaction_version: 1,
        }])
        .build();
    let client = OfflineClient::new_with_config(Types::from(config)).at_block(0_u64).unwrap();
    client.tx().call_data(call).unwrap()
}

/// The same by hand: the numbers of pallet and call, and its fields one after the other.
#[track_caller]
fn assert_is(metadata: &ArcMetadata, call: Result<Encodable, ChainError>, number: u8, fields: impl Encode) {
    let call = call.unwrap();
    let pallet = metadata.pallet_by_name(subxt::tx::Payload::pallet_name(&call)).unwrap().call_index();
    let mut expected = vec![pallet, number];
    fields.encode_to(&mut expected);
    assert_eq!(hex::encode(bytes(metadata, &call)), hex::encode(expected), "{call:?}");
}

fn address() -> Address {
    Hotkey::of_seed(&[7; 32]).unwrap().address()
}

#[test]
fn each_call_encodes_against_the_main_networks_metadata() {
    let Some(metadata) = metadata() else { return };
    let (uids, values): (Vec<u16>, Vec<u16>) = WEIGHTS.iter().map(|weight| (weight.uid, weight.value)).unzip();
    let openly = (NETUID, uids.clone(), values.clone(), VERSION);
    let set = |form| calls::set_weights(&metadata, form, NETUID, &WEIGHTS, VERSION);
    assert_is(&metadata, set(Form::Plain), 0, &openly);
    assert_is(&metadata, set(Form::Mechanism(2)), 119, (NETUID, 2_u8, uids.clone(), values.clone(), VERSION));
    assert_is(&metadata, calls::commit_hash(&metadata, NETUID, [9; 32]), 96, (NETUID, [9_u8; 32]));
    let salt: Vec<u16> = vec![1, 2, 3];
    let revealed = (NETUID, uids, values, salt.clone(), VERSION);
    assert_is(&metadata, calls::reveal(&metadata, NETUID, &WEIGHTS, &salt, VERSION), 97, revealed);
    let sealed = vec![5_u8; 300];
    let timelocked = |form| calls::commit_timelocked(&metadata, form, NETUID, &sealed, 1000);
    assert_is(&metadata, timelocked(Form::TimelockV4), 113, (NETUID, sealed.clone(), 1000_u64, 4_u16));
    let of_mechanism = (NETUID, 2_u8, sealed.clone(), 1000_u64, 4_u16);
    assert_is(&metadata, timelocked(Form::MechanismTimelockV4(2)), 118, of_mechanism);
    // One byte: a list of one must not be taken for what is in it.
    let one = calls::commit_timelocked(&metadata, Form::TimelockV4, NETUID, &[6], 1);
    assert_is(&metadata, one, 113, (NETUID, vec![6_u8], 1_u64, 4_u16));
    let alone = calls::set_weights(&metadata, Form::Plain, NETUID, &WEIGHTS[..1], VERSION);
    assert_is(&metadata, alone, 0, (NETUID, vec![3_u16], vec![65_535_u16], VERSION));
    assert_is(&metadata, calls::register(&metadata, NETUID, address(), 5), 7, (NETUID, address().bytes()));
    assert_is(&metadata, calls::create_subnet(&metadata, address()), 59, address().bytes());
    for length in [1, 74, 128] {
        let text = "x".repeat(length);
        // One field, and of `Data` the variant for so many bytes: `None` is 0, `Raw0` 1.
        let mut fields = (NETUID, vec![1 + length as u8]).encode();
        fields.extend(text.as_bytes());
        let call = calls::commit(&metadata, NETUID, &text).unwrap();
        let expected = [&[metadata.pallet_by_name("Commitments").unwrap().call_index(), 0][..], &fields].concat();
        assert_eq!(hex::encode(bytes(&metadata, &call)), hex::encode(expected));
    }
}

#[test]
fn the_form_of_weights_is_the_newest_that_a_runtime_has() {
    let Some(metadata) = metadata() else { return };
    let form =
        |metadata: &Metadata, committed_first, mechanism| calls::form(metadata, committed_first, mechanism).unwrap();
    assert_eq!(form(&metadata, false, 0), Form::Plain);
    assert_eq!(form(&metadata, false, 3), Form::Mechanism(3));
    assert_eq!(form(&metadata, true, 0), Form::TimelockV4);
    assert_eq!(form(&metadata, true, 3), Form::MechanismTimelockV4(3));
    let Some(older) = renamed("commit_timelocked_weights", "commit_crv3_weights") else { return };
    assert_eq!(form(&older, true, 0), Form::MechanismTimelockV4(0), "what is new goes before what is old");
    let Some(without) = renamed("set_weights", "gone") else { return };
    assert_eq!(form(&without, false, 0), Form::Mechanism(0));
}

#[test]
fn a_call_that_means_something_else_is_not_sent() {
    let changed = |from: &str, to: &str| {
        let metadata = renamed(from, to)?;
        let call = calls::set_weights(&metadata, Form::Plain, NETUID, &WEIGHTS, VERSION);
        Some(call.unwrap_err().to_string())
    };
    let Some(other_field) = changed("dests", "targets") else { return };
    assert!(
        other_field.contains(
            "SubtensorModule.set_weights takes (netuid: u16, targets: [u16], weights: [u16], version_key: u64)"
        ),
        "{other_field}"
    );
    assert!(other_field.contains("update this program"), "{other_field}");
    let Some(gone) = changed("set_weights", "set_weights_2") else { return };
    assert!(gone.contains("SubtensorModule.set_weights is not there"), "{gone}");
}

#[test]
fn a_network_is_shown_without_what_may_be_a_key() {
    let shown = |text: &str| text.parse::<Network>().unwrap().to_string();
    assert_eq!(shown("test"), "test");
    assert_eq!(shown("wss://me:secret@host:443/v2/KEY?apikey=KEY,ws://other:1#KEY"), "wss://host:443, ws://other:1");
    let pinned: Network = "finney=wss://host".parse().unwrap();
    assert_eq!(
        (pinned.genesis, pinned.nodes),
        ("finney".parse::<Network>().unwrap().genesis, vec!["wss://host".to_owned()])
    );
}

#[test]
fn a_blocks_round_of_drand_is_found_in_its_body_and_read_from_what_the_chain_keeps() {
    let Some(metadata) = metadata() else { return };
    // Unsigned, Timestamp.set (pallet 2, call 0), the time as SCALE has it; beside a call that is signed and one that is another.
    let at = "280402000bdcd31e238a01";
    let extrinsics = ["2484000102030405060708", "1005020100", at].map(|text| hex::decode(text).unwrap());
    assert_eq!(beacon::moment(&metadata, &extrinsics), Some(1_692_806_337_500));
    assert_eq!(beacon::moment(&metadata, &extrinsics[..2]), None);
    // Round 1000 was 2997 s after the first, which was at 1692803367; the block 26.5 s before that.
    assert_eq!(beacon::round_after(1_692_806_337_500), 1000);
    assert_eq!(beacon::round_after(1_692_806_340_000), 1001, "no round that may be known when the block is made");
    let kept = metadata.pallet_by_name("Drand").unwrap().storage().unwrap().entry_by_name("Pulses").unwrap().value_ty();
    // A number, then two lists of bytes.
    let randomness = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd";
    let bytes = format!("e80300000000000080{randomness}c0{SIGNATURE}");
    let bytes = hex::decode(bytes).unwrap();
    let pulse = Pulse::decode_as_type(&mut bytes.as_slice(), kept, metadata.types()).unwrap();
    assert_eq!(hex::encode(&pulse.randomness), randomness);
    // SHA-256 of 32 times 7 and of these.
    let both = "a5cb326870529d3309d5f1625d277b0a7d8634b2e2356628421d6ac5ef0b7407";
    assert_eq!(beacon::mixed(&[7; 32], &pulse.randomness).to_string(), both);
}
