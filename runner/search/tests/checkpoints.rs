//! Checkpoints are whole or refused, and refusals say why.
mod common;

use std::fs;
use std::sync::LazyLock;

use automl_contract::spec::{Budget, Search, SearchPreset, Variation};
use automl_search::checkpoint::write_atomic;
use automl_search::{CheckpointError, Engine};
use common::{CONTEXT, Towards, finish, new, settings};
use proptest::prelude::*;

static RUN: LazyLock<(Search, Vec<u8>)> = LazyLock::new(|| {
    let settings = settings(SearchPreset::Regularized, 2, 95);
    let mut engine = new(&settings);
    finish(&mut engine, &Towards::target(), 2);
    (settings, engine.checkpoint())
});

fn restored(bytes: &[u8]) -> Result<Engine, CheckpointError> {
    Engine::restore(bytes, &RUN.0, 0, CONTEXT)
}

#[test]
fn what_is_restored_is_what_was_saved() {
    let engine = restored(&RUN.1).unwrap();
    assert_eq!(engine.checkpoint(), RUN.1);
    assert_eq!((engine.generation(), engine.evaluations()), (4, 95));
    assert!(engine.finished() && engine.best().is_some());
}

#[test]
fn every_truncation_is_detected() {
    for length in 0..RUN.1.len() {
        let error = restored(&RUN.1[..length]).err().unwrap();
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{length} bytes: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_flipped_bit_is_detected(place: prop::sample::Index, bit in 0..8_u8) {
        let mut bytes = RUN.1.clone();
        *place.get_mut(&mut bytes) ^= 1 << bit;
        prop_assert!(restored(&bytes).is_err());
    }

    #[test]
    fn surplus_and_strange_bytes_are_refused(surplus in prop::collection::vec(any::<u8>(), 1..200)) {
        prop_assert!(restored(&[&RUN.1[..], &surplus].concat()).is_err());
        prop_assert!(restored(&surplus).is_err());
    }
}

#[test]
fn another_version_and_another_file_are_named() {
    let mut newer = RUN.1.clone();
    newer[8] = 7;
    let error = restored(&newer).err().unwrap();
    assert!(matches!(error, CheckpointError::Version { found: 7 }));
    assert!(error.to_string().contains("format 7"), "{error}");
    assert!(matches!(restored(b"apiVersion: v1\n").err().unwrap(), CheckpointError::Foreign));
}

#[test]
fn changed_settings_are_refused_by_name() {
    let good = RUN.0.clone();
    let cases: Vec<(&str, Search)> = vec![
        ("seed", Search { seed: 9, ..good.clone() }),
        ("population", Search { population: 31, ..good.clone() }),
        ("preset", Search { preset: SearchPreset::Original, ..good.clone() }),
        ("variation.point", Search { variation: Variation { point: 0.1, ..good.variation }, ..good.clone() }),
        ("warmStart", Search { warm_start: vec!["x".into()], ..good.clone() }),
        ("budget.evaluations", Search { budget: Budget { evaluations: 94 }, ..good.clone() }),
    ];
    for (field, settings) in cases {
        match Engine::restore(&RUN.1, &settings, 0, CONTEXT).err().unwrap() {
            CheckpointError::Setting { field: named, .. } => assert_eq!(named, field),
            other => panic!("{field}: {other}"),
        }
    }
    let grown = Search { budget: Budget { evaluations: 96 }, ..good.clone() };
    assert!(!Engine::restore(&RUN.1, &grown, 0, CONTEXT).unwrap().finished());
    assert!(matches!(
        Engine::restore(&RUN.1, &good, 1, CONTEXT).err().unwrap(),
        CheckpointError::Island { was: 0, is: 1 }
    ));
    assert!(matches!(Engine::restore(&RUN.1, &good, 0, "elsewhere").err().unwrap(), CheckpointError::Context));
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let (old, new) = (new(&RUN.0).checkpoint(), &RUN.1);
    write_atomic(&path, &old).unwrap();
    assert_eq!(fs::read(&path).unwrap(), old);
    write_atomic(&path, new).unwrap();
    assert_eq!(fs::read(&path).unwrap(), *new);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file stayed");
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    write_atomic(&path, &RUN.1).unwrap();
    // A folder in the way of the temporary file.
    fs::create_dir(folder.path().join("checkpoint.new")).unwrap();
    assert!(write_atomic(&path, b"").is_err());
    assert_eq!(fs::read(&path).unwrap(), RUN.1);
}
