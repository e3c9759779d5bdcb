//! What the operator says of a validator: what its pod says, bounded, and a phase that follows from the conditions.
use automl_api::names::{MAX_LABEL, ValidatorName, Version};
use automl_api::status::MAX_BYTES;
use automl_api::validator::ValidatorStatus;
use automl_api::validator::conditions::{Phase, Reason, SILENT, set, set_silent, set_told, summary};
use automl_contract::validating::{Condition, ConditionKind};
use automl_contract::validating::{Earns, RoundProgress};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as Stored, Time};
use proptest::prelude::*;

fn time(second: i64) -> Time {
    Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap())
}

fn told(kind: ConditionKind, holds: Option<bool>, reason: &str, message: &str) -> Condition {
    Condition { kind, holds, reason: reason.to_owned(), message: message.to_owned() }
}

#[test]
fn the_phase_follows_from_the_conditions() {
    let cases: &[(&[Reason], Phase, Option<Reason>)] = &[
        (&[], Phase::Pending, None),
        (&[Reason::Valid, Reason::Starting], Phase::Pending, Some(Reason::Starting)),
        (&[Reason::Valid, Reason::Validating], Phase::Running, Some(Reason::Validating)),
        (&[Reason::Valid, Reason::Unconnected], Phase::Pending, Some(Reason::Unconnected)),
        (&[Reason::Valid, Reason::Held], Phase::Suspended, Some(Reason::Held)),
        (&[Reason::Valid, Reason::BadInput], Phase::Failed, Some(Reason::BadInput)),
        (&[Reason::Valid, Reason::Crashing], Phase::Pending, Some(Reason::Crashing)),
        (&[Reason::HotkeyShared, Reason::Validating], Phase::Invalid, Some(Reason::HotkeyShared)),
    ];
    for (reasons, phase, because) in cases {
        let mut conditions = Vec::new();
        for reason in *reasons {
            set(&mut conditions, *reason, "", 1, &time(0));
        }
        let (found, condition) = summary(&conditions);
        assert_eq!(found, *phase, "{reasons:?}");
        assert_eq!(condition.map(|one| one.reason.as_str()), because.map(Reason::as_str), "{reasons:?}");
    }
}

#[test]
fn what_a_pod_says_is_passed_on_in_its_place_and_its_time_kept() {
    let mut conditions: Vec<Stored> = Vec::new();
    set_told(&mut conditions, &told(ConditionKind::ScorerReady, None, "Warming", ""), 1, &time(1));
    set_told(&mut conditions, &told(ConditionKind::ChainConnected, Some(true), "Connected", "block 7"), 1, &time(1));
    set(&mut conditions, Reason::Validating, "", 1, &time(1));
    let said: Vec<_> =
        conditions.iter().map(|one| (one.type_.as_str(), one.status.as_str(), one.reason.as_str())).collect();
    let expected = [
        ("Ready", "True", "Validating"),
        ("ChainConnected", "True", "Connected"),
        ("ScorerReady", "Unknown", "Warming"),
    ];
    assert_eq!(said, expected);
    assert!(set_silent(&mut conditions, ConditionKind::ChainConnected, "no answer", 1, &time(5)));
    assert!(!set_silent(&mut conditions, ConditionKind::ChainConnected, "no answer", 1, &time(9)), "nothing changed");
    assert_eq!((conditions[1].status.as_str(), conditions[1].reason.as_str()), ("Unknown", SILENT));
    assert_eq!(conditions[1].last_transition_time, time(5));
    for odd in ["", "two words", "lower", "Ünicode", "A\n", &"A".repeat(65)] {
        set_told(&mut conditions, &told(ConditionKind::Permitted, Some(false), odd, "x"), 1, &time(9));
        assert_eq!(conditions[2].reason, "Unnamed", "{odd:?}");
    }
}

fn largest(message: &str) -> ValidatorStatus {
    let mut conditions = Vec::new();
    set(&mut conditions, Reason::Valid, message, i64::MAX, &time(1));
    set(&mut conditions, Reason::ImageUnavailable, message, i64::MAX, &time(1));
    for kind in ConditionKind::ALL {
        set_told(&mut conditions, &told(kind, None, &"A".repeat(64), message), i64::MAX, &time(1));
    }
    let number = -f64::MIN_POSITIVE / 3.0;
    ValidatorStatus {
        observed_generation: Some(i64::MIN),
        phase: Some(Phase::Suspended),
        reason: Some("A".repeat(64)),
        hotkey: Some("5".repeat(64)),
        uid: Some(u16::MAX),
        block: Some(u64::MAX),
        round: Some(RoundProgress {
            closed: u64::MAX,
            commitments: u32::MAX,
            genes: u32::MAX,
            copies: u32::MAX,
            trainings: u64::MAX,
            paid: Some(u32::MAX),
        }),
        weights_block: Some(u64::MAX),
        rules: Some("f".repeat(64)),
        earns: Some(Earns {
            incentive: number,
            dividends: number,
            emission: number,
            trust: number,
            goes_after: Some(u16::MAX),
        }),
        conditions,
    }
}

#[test]
fn a_status_has_a_bound_and_keeps_all_its_conditions() {
    for message in ["", "x", &"é".repeat(10_000), &"\\".repeat(10_000), &"\u{7}\"".repeat(10_000)] {
        let status = largest(message).bounded();
        let size = serde_json::to_vec(&status).unwrap().len();
        assert!(size <= MAX_BYTES, "{size} bytes");
        assert_eq!(status.conditions.len(), 7);
        assert_eq!(status.clone().bounded(), status, "bounded twice is bounded once");
        assert_eq!(status.block, Some(1 << 53));
    }
}

#[test]
fn what_a_pod_must_not_say_is_left_out() {
    let mut status = largest("");
    status.hotkey = Some("5\"".to_owned());
    status.rules = Some("f".repeat(65));
    status.earns = Some(Earns { trust: f64::NAN, ..Earns::default() });
    let bounded = status.bounded();
    assert_eq!((bounded.hotkey, bounded.rules, bounded.earns), (None, None, None));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_name_made_from_a_validator_fits(name in "[a-z]([a-z0-9-]{0,46}[a-z0-9])?", hash in any::<[u8; 32]>()) {
        let validator = ValidatorName::try_from(name.as_str()).unwrap();
        let revision = format!("{}-{}", validator.set(), u32::MAX);
        let pod = format!("{}-0", validator.set());
        for name in [validator.set(), validator.records(), validator.file_map(Version::of(&hash)), revision, pod] {
            prop_assert!(name.len() <= MAX_LABEL && name.starts_with(validator.to_string().as_str()), "{}", name);
        }
    }
}
