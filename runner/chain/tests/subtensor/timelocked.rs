//! Weights under a timelock: the ecosystem's library opens ours, ours opens what it sealed, with a round of drand that is recorded.
use crate::common::python::ecosystem;
use automl_chain::Weight;
use automl_chain::subtensor::reveal::{Epochs, Kept, Unrevealed};
use automl_chain::subtensor::timelock::{open, payload, round_at, seal};
use automl_keys::Hotkey;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Weights under a timelock, as the peers' library has them.
const DRAND: &str = include_str!("../python/drand.py");
/// A round of quicknet, and what its signature was.
const ROUND: u64 = 1000;
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
/// Of quicknet, in seconds since 1970.
const GENESIS: u64 = 1_692_803_367;
const WEIGHTS: [Weight; 2] = [Weight { uid: 1, value: 12_345 }, Weight { uid: 2, value: 65_535 }];

#[test]
fn the_ecosystems_library_opens_what_is_sealed_here() {
    let sender = Hotkey::of_seed(&[7; 32]).unwrap().address();
    let plain = payload(Some(sender), &WEIGHTS, 1013);
    // Length 32 and the key, two lists of two numbers, the version: SCALE by hand.
    let expected = format!("80{}0801000200083930fffff503000000000000", hex::encode(sender.bytes()));
    assert_eq!(hex::encode(&plain), expected);
    assert_eq!(hex::encode(payload(None, &WEIGHTS, 1013)), expected[66..]);
    let sealed = seal(&plain, ROUND).unwrap();
    assert_ne!(sealed, seal(&plain, ROUND).unwrap(), "no two are alike");
    assert_eq!(open(&sealed, &hex::decode(SIGNATURE).unwrap()).unwrap(), plain);
    let Some(python) = ecosystem() else { return };
    let opened = python.run(DRAND, &["decrypt", &ROUND.to_string(), SIGNATURE, &hex::encode(&sealed)]);
    assert_eq!(opened["plain"], hex::encode(&plain));
}

#[test]
fn what_the_ecosystems_library_seals_is_opened_here() {
    let Some(python) = ecosystem() else { return };
    let signature = hex::decode(SIGNATURE).unwrap();
    let sealed = python.run(DRAND, &["encrypt", &ROUND.to_string(), &hex::encode("a gene")]);
    let sealed = hex::decode(sealed["commit"].as_str().unwrap()).unwrap();
    assert_eq!(open(&sealed, &signature).unwrap(), b"a gene");
    // Its own payload is what ours would be.
    let sender = Hotkey::of_seed(&[7; 32]).unwrap().address();
    let arguments = ["commit", &ROUND.to_string(), &hex::encode(sender.bytes()), "[1, 2]", "[12345, 65535]", "1013"];
    let sealed = python.run(DRAND, &arguments);
    assert_eq!(sealed["round"], ROUND);
    let sealed = hex::decode(sealed["commit"].as_str().unwrap()).unwrap();
    assert_eq!(open(&sealed, &signature).unwrap(), payload(Some(sender), &WEIGHTS, 1013));
}

#[test]
fn rounds_come_every_three_seconds() {
    let first = UNIX_EPOCH + Duration::from_secs(GENESIS);
    let at = |seconds| round_at(first + Duration::from_secs(seconds));
    assert_eq!((at(0), at(5), at(6), at(3000)), (1, 1, 2, 1000));
    assert_eq!(round_at(UNIX_EPOCH), 1, "there is none before");
}

#[test]
fn epochs_at_fixed_blocks() {
    // Subnet 1 at tempo 10: (block + 2) is a multiple of 11.
    let epochs = |block| Epochs::fixed(block, 1, 10).unwrap();
    assert_eq!([8, 9, 19, 20].map(|block| epochs(block).next), [9, 20, 20, 31]);
    // Of the epoch from 9 on: opened with the next one, or a later one.
    assert_eq!((epochs(9).opening(1), epochs(18).opening(1), epochs(9).opening(3)), (20, 20, 42));
    // The commit would be in block 20, which is the next epoch's already.
    assert_eq!(epochs(19).opening(1), 31);
    assert_eq!(Epochs::fixed(9, 1, 0), None);
}

#[test]
fn epochs_that_are_counted_from_the_last() {
    // Blocks of the main network's subnet 118, in September 2026.
    let kept = Kept { last: 9_029_149, asked: 0, since: 48 };
    let epochs = |block| Epochs::counted(block, 360, &kept).unwrap();
    assert_eq!((epochs(9_029_197).next, epochs(9_029_448).next), (9_029_509, 9_029_509));
    assert_eq!(epochs(9_029_448).opening(1), 9_029_509);
    assert_eq!(epochs(9_029_508).opening(1), 9_029_509 + 360, "in the epoch's own block");
    let asked = Kept { asked: 9_029_200, ..kept };
    assert_eq!(Epochs::counted(9_029_197, 360, &asked).unwrap().next, 9_029_200);
    let overdue = Kept { last: 5, asked: 0, since: 400 };
    assert_eq!(Epochs::counted(1000, 360, &overdue).unwrap().next, 1001);
}

/// The ecosystem's library knows the epochs of newer runtimes: both find the same round, in the same second.
#[test]
fn the_round_is_the_ecosystems() {
    let Some(python) = ecosystem() else { return };
    for (last, block, tempo, after) in [(100_u64, 110_u64, 360_u64, 1_u64), (100, 459, 360, 2), (7, 9, 20, 3)] {
        let kept = Kept { last, asked: 0, since: block - last };
        let numbers = [last, block, tempo, after].map(|number| number.to_string());
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let epochs = Epochs::counted(block, tempo, &kept).unwrap();
        let before = epochs.round(after, SystemTime::now());
        let theirs = python.run(DRAND, &[&["round"], numbers.as_slice()].concat())["round"].as_u64().unwrap();
        let since = epochs.round(after, SystemTime::now());
        assert!((before..=since).contains(&theirs), "{theirs} is not from {before} to {since}");
    }
}

#[test]
fn the_hash_of_weights_is_of_all_that_counts() {
    let hotkey = Hotkey::of_seed(&[7; 32]).unwrap().address();
    let kept = Unrevealed { weights: WEIGHTS.to_vec(), version: 1013, salt: vec![1, 2] };
    let hash = kept.hash(hotkey, 5);
    assert_eq!(hash, kept.clone().hash(hotkey, 5));
    let others = [
        kept.hash(hotkey, 6),
        kept.hash(Hotkey::of_seed(&[8; 32]).unwrap().address(), 5),
        Unrevealed { version: 1014, ..kept.clone() }.hash(hotkey, 5),
        Unrevealed { salt: vec![2, 1], ..kept.clone() }.hash(hotkey, 5),
        Unrevealed { weights: WEIGHTS[..1].to_vec(), ..kept }.hash(hotkey, 5),
    ];
    assert!(others.iter().all(|other| *other != hash));
    let fresh = || Unrevealed::new(WEIGHTS.to_vec(), 1013).unwrap();
    assert_ne!(fresh().salt, fresh().salt);
}
