//! What the operator says of a run: conditions that keep their time, a phase, and a size with a bound.
use automl_api::conditions::{ConditionType, MAX_MESSAGE, Phase, Reason, get, set, summary};
use automl_api::labels;
use automl_api::names::{MAX_LABEL, RunName, Version};
use automl_api::status::{Best, Interval, LedgerPlace, MAX_BYTES, MinerRunStatus, Progress, Submit};
use automl_contract::validating::Earns;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use proptest::prelude::*;

fn time(second: i64) -> Time {
    Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap())
}

fn seconds(condition: &Condition) -> i64 {
    condition.last_transition_time.0.as_second()
}

#[test]
fn the_time_changes_with_the_status_only() {
    let mut conditions = Vec::new();
    assert!(set(&mut conditions, Reason::Starting, "2 of 4 islands", 1, &time(10)));
    assert!(!set(&mut conditions, Reason::Starting, "2 of 4 islands", 1, &time(20)), "nothing changed");
    assert!(set(&mut conditions, Reason::Unschedulable, "no node has a GPU", 2, &time(30)));
    let ready = get(&conditions, ConditionType::Ready).unwrap();
    assert_eq!((ready.status.as_str(), seconds(ready), ready.observed_generation), ("False", 10, Some(2)));
    assert!(set(&mut conditions, Reason::AllIslandsReady, "", 2, &time(40)));
    let ready = get(&conditions, ConditionType::Ready).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str(), seconds(ready)), ("True", "AllIslandsReady", 40));
    assert_eq!(conditions.len(), 1);
}

#[test]
fn the_phase_follows_from_the_conditions() {
    let cases: &[(&[Reason], Phase, Option<Reason>)] = &[
        (&[], Phase::Pending, None),
        (&[Reason::Valid, Reason::Creating], Phase::Pending, None),
        (&[Reason::Valid, Reason::QuotaExceeded], Phase::Pending, Some(Reason::QuotaExceeded)),
        (&[Reason::AllIslandsReady, Reason::Active], Phase::Running, Some(Reason::AllIslandsReady)),
        (&[Reason::NoIslands, Reason::Draining], Phase::Suspending, Some(Reason::Draining)),
        (&[Reason::NoIslands, Reason::ByQueue], Phase::Suspended, Some(Reason::ByQueue)),
        (&[Reason::InvalidSpec, Reason::AllIslandsReady], Phase::Invalid, Some(Reason::InvalidSpec)),
        (&[Reason::BudgetSpent, Reason::NoIslands, Reason::ByUser], Phase::Complete, Some(Reason::BudgetSpent)),
        (&[Reason::Crashing, Reason::BackoffExceeded], Phase::Failed, Some(Reason::BackoffExceeded)),
        (&[Reason::Retrying, Reason::AllIslandsReady], Phase::Running, Some(Reason::AllIslandsReady)),
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

/// The largest status there can be: every field filled to its bound.
fn largest(message: &str) -> MinerRunStatus {
    let run = RunName::try_from("a".repeat(48).as_str()).unwrap();
    let mut conditions = Vec::new();
    for about in ConditionType::ALL {
        let of = Reason::ALL.iter().filter(|reason| reason.says().0 == about);
        let reason = *of.max_by_key(|reason| reason.as_str().len()).unwrap();
        set(&mut conditions, reason, message, i64::MAX, &time(253_402_207_200));
    }
    let least = -1.234_567_890_123_456_7e-300;
    let (share, amount) = (0.123_456_789, 12_345_678.123_456_79);
    let earns =
        Earns { incentive: share, dividends: share, emission: amount, trust: share, goes_after: Some(u16::MAX) };
    MinerRunStatus {
        observed_generation: Some(i64::MAX),
        phase: Some(Phase::Suspending),
        reason: Some("DeadlineExceeded".to_owned()),
        replicas: 10_000,
        ready_replicas: 10_000,
        selector: Some(labels::selector(&run)),
        image: Some("r".repeat(256 + 1 + 71)),
        start_time: Some(time(253_402_207_200)),
        progress: Some(Progress {
            generation: 1 << 53,
            evaluations: 1 << 53,
            budget: 1 << 53,
            finished_islands: 10_000,
        }),
        best: Some(Best {
            score: least,
            interval: Some(Interval { low: least, high: least }),
            hash: "f".repeat(64),
            generation: 1 << 53,
            island: 9_999,
            expression: Some("x".repeat(1024)),
        }),
        ledger: Some(LedgerPlace { url: "u".repeat(192), run: "r".repeat(121) }),
        submit: Some(Submit { hotkey: "5".repeat(48), block: Some(1 << 53), earns: Some(earns) }),
        conditions,
    }
}

#[test]
fn the_largest_status_is_small_and_nearly_whole() {
    for message in ["m", "\"", "\\", "\u{0}x", "é", "🦀", "a\n"].map(|piece| piece.repeat(1000)) {
        let status = largest(&message);
        let bounded = status.clone().bounded();
        let size = serde_json::to_vec(&bounded).unwrap().len();
        assert!(size <= MAX_BYTES, "{size} bytes with messages of {:?}", &message[..4]);
        // Only messages are cut, and even then each says something.
        let says = |one: &Condition| serde_json::to_vec(&one.message).unwrap().len();
        assert!(bounded.conditions.iter().all(|one| says(one) >= 45), "{:?}", bounded.conditions);
        assert_eq!(MinerRunStatus { conditions: status.conditions.clone(), ..bounded }, status);
    }
}

#[test]
fn a_status_is_read_back() {
    let status = largest("all is well");
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<MinerRunStatus>(&text).unwrap(), status);
    assert_eq!(serde_json::from_str::<MinerRunStatus>("{}").unwrap(), MinerRunStatus::default());
}

/// Texts of any length, plain or such as JSON writes longer than they are.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just("a"), Just("\""), Just("\\"), Just("\u{1}"), Just("é"), Just("🦀"), Just("Ready")];
    let length = prop_oneof![0..4_usize, 0..80_usize, 0..2000_usize];
    prop_oneof![(piece, length).prop_map(|(piece, length)| piece.repeat(length)), "\\PC{0,40}"]
}

/// Any status that the type can hold, with what was learned from others in every field.
fn anything() -> impl Strategy<Value = MinerRunStatus> {
    use prop::option::of;
    let progress = any::<(u64, u64, u64, u32)>().prop_map(|(generation, evaluations, budget, finished_islands)| {
        Progress { generation, evaluations, budget, finished_islands }
    });
    let interval = any::<(f64, f64)>().prop_map(|(low, high)| Interval { low, high });
    let best = (any::<(f64, u64, u32)>(), of(interval), text(), of(text())).prop_map(
        |((score, generation, island), interval, hash, expression)| Best {
            score,
            interval,
            hash,
            generation,
            island,
            expression,
        },
    );
    let word = || prop_oneof![text(), prop::sample::select(Reason::ALL).prop_map(|one| one.as_str().to_owned())];
    let about =
        prop_oneof![text(), prop::sample::select(&ConditionType::ALL[..]).prop_map(|one| one.as_str().to_owned())];
    let truth = prop_oneof![text(), Just("True".to_owned())];
    let condition = (about, truth, word(), text(), of(any::<i64>()), 0..253_402_207_200_i64).prop_map(
        |(type_, status, reason, message, observed_generation, second)| Condition {
            type_,
            status,
            reason,
            message,
            observed_generation,
            last_transition_time: time(second),
        },
    );
    let head = (of(any::<i64>()), of(word()), any::<(i32, i32)>(), of(text()), of(text()), of(Just(time(1))));
    let ledger = (text(), text()).prop_map(|(url, run)| LedgerPlace { url, run });
    let earns = any::<([f64; 4], Option<u16>)>().prop_map(|([incentive, dividends, emission, trust], goes_after)| {
        Earns { incentive, dividends, emission, trust, goes_after }
    });
    let submit =
        (text(), of(any::<u64>()), of(earns)).prop_map(|(hotkey, block, earns)| Submit { hotkey, block, earns });
    (head, of(progress), of(best), of(ledger), of(submit), prop::collection::vec(condition, 0..20)).prop_map(
        |(head, progress, best, ledger, submit, conditions)| {
            let (observed_generation, reason, (replicas, ready_replicas), selector, image, start_time) = head;
            let phase = Some(Phase::Suspending);
            MinerRunStatus {
                observed_generation,
                phase,
                reason,
                replicas,
                ready_replicas,
                selector,
                image,
                start_time,
                progress,
                best,
                ledger,
                submit,
                conditions,
            }
        },
    )
}

/// The schema of `status`, as the API server has it.
fn schema() -> jsonschema::Validator {
    let definition = serde_json::to_value(automl_api::crd::minerrun()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"];
    jsonschema::validator_for(schema).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_others_say_a_status_is_small_and_fits_its_schema(status in anything()) {
        static SCHEMA: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(schema);
        let status = status.bounded();
        let json = serde_json::to_value(&status).unwrap();
        let size = json.to_string().len();
        prop_assert!(size <= MAX_BYTES, "{} bytes", size);
        let problems: Vec<_> = SCHEMA.iter_errors(&json).map(|error| error.to_string()).collect();
        prop_assert!(problems.is_empty(), "{:?}", problems);
        prop_assert_eq!(status.clone().bounded(), status, "bounded twice is another");
    }

    #[test]
    fn messages_are_one_short_line(message in "\\PC{0,300}|(?s:.){0,300}") {
        let mut conditions = Vec::new();
        set(&mut conditions, Reason::Crashing, &message, 1, &time(0));
        let shown = &conditions[0].message;
        prop_assert!(serde_json::to_string(shown).unwrap().len() <= MAX_MESSAGE + 2, "{}", shown);
        prop_assert!(!shown.chars().any(char::is_control));
        prop_assert!(!set(&mut conditions, Reason::Crashing, &message, 1, &time(9)), "the same message again is a change");
    }

    #[test]
    fn a_name_is_taken_exactly_where_the_rule_takes_it(name in "[a-z0-9-]{0,3}[a-zA-Z0-9.-]{0,46}[a-z0-9-]{0,2}") {
        let file = serde_json::json!({
            "apiVersion": "automl.hivetrain.ai/v1alpha1", "kind": "MinerRun", "metadata": { "name": name },
            "spec": { "search": { "budget": { "evaluations": 1 } }, "evaluation": { "dataset": { "source": "digits" } } },
        });
        let by_rule = automl_contract::manifest::read(&file.to_string(), "m.yaml").is_ok();
        prop_assert_eq!(RunName::try_from(name.as_str()).is_ok(), by_rule);
    }

    #[test]
    fn every_name_made_from_a_run_fits(name in "[a-z]([a-z0-9-]{0,46}[a-z0-9])?", hash in any::<[u8; 32]>()) {
        let run = RunName::try_from(name.as_str()).unwrap();
        let job = run.job(Version::of(&hash));
        let pod = format!("{job}-9999");
        let names = [run.service(), run.network_policy(), run.claim(), run.archive(), run.spec_map(Version::of(&hash)), job, pod];
        for name in names {
            prop_assert!(name.len() <= MAX_LABEL && name.starts_with(run.to_string().as_str()), "{}", name);
            prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!name.ends_with('-'));
        }
    }
}

#[test]
fn names_do_not_depend_on_the_machine() {
    let run = RunName::try_from("digits").unwrap();
    assert_eq!(run.job(Version::of(&[0x0a; 32])), "digits-0a0a0a0a");
    let mut wrong = "x".repeat(100_000);
    wrong.push('!');
    let told = RunName::try_from(wrong.as_str()).unwrap_err().to_string();
    assert!(told.len() < 300, "{} bytes", told.len());
}
