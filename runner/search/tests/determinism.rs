//! Same spec and seed, same bytes: whatever the threads do, wherever the run is stopped, however the budget came.
mod common;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use automl_contract::spec::{Budget, Search, SearchPreset};
use automl_genome::{Gene, Signature};
use automl_search::{Clock, Engine, Firing, StepError};
use common::{Towards, clock, finish, new, restore, settings};
use proptest::prelude::*;

const PRESETS: [SearchPreset; 2] = [SearchPreset::Regularized, SearchPreset::Original];

fn with_budget(settings: &Search, evaluations: u64) -> Search {
    Search { budget: Budget { evaluations }, ..settings.clone() }
}

#[test]
fn the_number_of_workers_changes_no_byte() {
    for preset in PRESETS {
        let settings = settings(preset, 3, 507);
        let run = |workers| {
            let mut engine = new(&settings);
            let reports = finish(&mut engine, &Towards::target(), workers);
            assert_eq!(engine.evaluations(), 507);
            (reports, engine.archive().to_vec(), engine.checkpoint())
        };
        let one = run(1);
        assert!(one.1.len() > 1, "{:?}", one.1);
        assert!(one.0.iter().map(|report| report.cached).sum::<u64>() > 0, "the cache was not used");
        for workers in [2, 4, 64] {
            assert!(run(workers) == one, "{workers} workers, {preset:?}");
        }
    }
}

#[test]
fn trainings_are_told_in_an_order_that_threads_do_not_change() {
    for preset in PRESETS {
        let settings = settings(preset, 3, 300);
        let run = |workers| {
            let fitness = Towards::target();
            finish(&mut new(&settings), &fitness, workers);
            (fitness.told.into_inner().unwrap(), fitness.trained.into_inner().unwrap())
        };
        let (told, mut trained) = run(1);
        let (mut genes, others) = (told.iter().map(|(gene, _)| gene.clone()).collect::<Vec<_>>(), run(4));
        assert!(told == others.0, "{preset:?}");
        genes.sort();
        trained.sort();
        assert_eq!(genes, trained, "each training is told once");
    }
}

#[test]
fn seeds_and_islands_are_different_searches() {
    let settings = settings(SearchPreset::Regularized, 3, 30);
    let genes = |settings: &Search, island| {
        let mut engine = Engine::new(settings, island, "").unwrap();
        let fitness = Towards::target();
        finish(&mut engine, &fitness, 1);
        fitness.trained.into_inner().unwrap()
    };
    let first = genes(&settings, 0);
    assert_ne!(first, genes(&settings, 1));
    assert_ne!(first, genes(&Search { seed: 4, ..settings.clone() }, 0));
}

#[test]
fn no_behaviour_is_trained_twice_and_every_child_is_accounted_for() {
    for preset in PRESETS {
        let (mut engine, fitness) = (new(&settings(preset, 5, 2_000)), Towards::target());
        let reports = finish(&mut engine, &fitness, 4);
        let mut behaviours: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for text in fitness.trained.lock().unwrap().iter() {
            let gene: Gene = text.parse().unwrap();
            assert_eq!(gene, gene.canonical());
            assert_eq!(Signature::of(&gene).dead(), None, "{gene} cannot learn, yet it was trained");
            behaviours.entry(Signature::of(&gene).key()).or_default().push(text.clone());
        }
        for genes in behaviours.values() {
            assert_eq!(genes.len(), 1, "{genes:?} behave alike");
        }
        let mut evaluations = 0;
        for (index, report) in reports.iter().enumerate() {
            assert_eq!(report.generation as usize, index);
            assert_eq!(report.children, report.trained + report.cached + report.refused.values().sum::<u64>());
            evaluations += report.children;
            assert_eq!(report.evaluations, evaluations);
        }
        assert_eq!(reports.iter().map(|report| report.trained).sum::<u64>(), fitness.evaluations());
        assert!(reports.iter().map(|report| report.failed.get("diverged").copied().unwrap_or(0)).sum::<u64>() > 0);
    }
}

#[test]
fn reused_scores_name_the_gene_that_was_trained() {
    let (mut engine, fitness) = (new(&settings(SearchPreset::Regularized, 8, 3_000)), Towards::target());
    finish(&mut engine, &fitness, 2);
    let trained = fitness.trained.lock().unwrap();
    for entry in engine.archive() {
        let scored = entry.scored_as.as_ref().unwrap_or(&entry.gene);
        assert!(trained.contains(&scored.to_string()));
        assert_eq!(fitness.score(scored).fitness.to_bits(), entry.fitness.to_bits(), "the score can be recomputed");
        assert_eq!(Signature::of(scored).key(), Signature::of(&entry.gene).key());
        assert_eq!(entry.gene.canonical(), entry.gene);
        assert_eq!(entry.nodes as usize, entry.gene.nodes().len());
        assert_eq!(entry.sha256.len(), 64);
    }
}

/// Runs to the end in spite of stops: each attempt gives up after as many evaluations as `stops` says, and the next one
/// starts from the last checkpoint, on another number of threads. Returns the final checkpoint and the history.
fn stumbling(settings: &Search, stops: &[u64]) -> (Vec<u8>, BTreeMap<u32, String>) {
    let mut saved = new(settings).checkpoint();
    let mut history = BTreeMap::new();
    for (attempt, stop_at) in stops.iter().copied().chain([u64::MAX]).enumerate() {
        let mut engine = restore(&saved, settings);
        let (fitness, stop) = (Towards::stopping_at(stop_at), AtomicBool::new(false));
        while !engine.finished() {
            match engine.step(&fitness, attempt % 4 + 1, &stop, &mut clock()) {
                Ok(report) => {
                    history.insert(report.generation, serde_json::to_string(&report).unwrap());
                    saved = engine.checkpoint();
                }
                Err(StepError::Stopped) => {
                    assert_eq!(engine.checkpoint(), saved, "a stopped step changed the engine");
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    (saved, history)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_interruptions_end_in_the_same_checkpoint(
        seed in 0..3_u32, original: bool, stops in prop::collection::vec(0..120_u64, 1..6),
    ) {
        let settings = settings(PRESETS[usize::from(original)], seed, 250);
        let (straight, history) = stumbling(&settings, &[]);
        let (resumed, same) = stumbling(&settings, &stops);
        prop_assert!(straight == resumed);
        prop_assert_eq!(history, same);
    }

    #[test]
    fn a_budget_in_parts_is_the_budget_in_one(
        seed in 0..3_u32, original: bool, mut budgets in prop::collection::vec(1..300_u64, 1..5),
    ) {
        budgets.sort_unstable();
        let settings = settings(PRESETS[usize::from(original)], seed, 300);
        let mut direct = new(&settings);
        let history = finish(&mut direct, &Towards::target(), 2);
        let mut saved = new(&with_budget(&settings, budgets[0])).checkpoint();
        let mut pieces = BTreeMap::new();
        for budget in budgets.into_iter().chain([300]) {
            let mut engine = restore(&saved, &with_budget(&settings, budget));
            for report in finish(&mut engine, &Towards::target(), 1) {
                pieces.insert(report.generation, report);
            }
            prop_assert_eq!(engine.evaluations(), budget);
            saved = engine.checkpoint();
        }
        prop_assert!(saved == direct.checkpoint());
        prop_assert_eq!(pieces.into_values().collect::<Vec<_>>(), history);
    }
}

/// A search with enough random genes that many can be trained in generation 0.
fn crowded() -> Search {
    Search { population: 150, ..settings(SearchPreset::Regularized, 1, 210) }
}

fn recording(known: Vec<Firing>) -> (Clock, Arc<Mutex<Vec<Firing>>>) {
    let record = Arc::new(Mutex::new(known.clone()));
    let sink = Arc::clone(&record);
    let on_fire = move |firing: &Firing| {
        sink.lock().unwrap().push(firing.clone());
        Ok(())
    };
    (Clock::new(known, Box::new(on_fire)), record)
}

#[test]
fn timeouts_are_recorded_at_once_and_replayed_when_the_generation_is_repeated() {
    let settings = crowded();
    let stop = AtomicBool::new(false);
    // A slow machine, from start to end.
    let (mut straight, (mut clock, record)) = (new(&settings), recording(vec![]));
    while !straight.finished() {
        straight.step(&Towards::target().slow(), 2, &stop, &mut clock).unwrap();
    }
    let expected = record.lock().unwrap().clone();
    assert!(expected.len() > 2, "{expected:?}");
    // The same run is killed near the end of generation 0; the repeat finds a fast machine and the record.
    let (mut engine, (mut clock, record)) = (new(&settings), recording(vec![]));
    let before = engine.checkpoint();
    let nearly = Towards::target();
    finish(&mut new(&with_budget(&settings, settings.population.into())), &nearly, 1);
    let killed = Towards::stopping_at(nearly.evaluations() - 1).slow();
    assert!(matches!(engine.step(&killed, 1, &stop, &mut clock), Err(StepError::Stopped)));
    let firings = record.lock().unwrap().clone();
    assert!(!firings.is_empty());
    let (mut again, (mut clock, record)) = (restore(&before, &settings), recording(firings.clone()));
    let stop = AtomicBool::new(false);
    let fast = Towards::target();
    let report = again.step(&fast, 3, &stop, &mut clock).unwrap();
    assert_eq!(*record.lock().unwrap(), firings, "a replay is no new firing");
    assert_eq!(report.failed.get("timeout").copied().unwrap_or(0), firings.len() as u64);
    assert_eq!(fast.evaluations() + firings.len() as u64, report.trained, "a replayed candidate is not trained");
    // With the whole record, a fast machine makes the slow machine's run.
    let (mut replayed, (mut clock, _)) = (new(&settings), recording(expected));
    while !replayed.finished() {
        replayed.step(&Towards::target(), 2, &stop, &mut clock).unwrap();
    }
    assert!(replayed.checkpoint() == straight.checkpoint());
}

#[test]
fn a_record_of_another_run_is_refused_and_a_record_that_cannot_be_written_stops_the_step() {
    let settings = crowded();
    let stop = AtomicBool::new(false);
    let (mut engine, (mut clock, record)) = (new(&settings), recording(vec![]));
    engine.step(&Towards::target().slow(), 1, &stop, &mut clock).unwrap();
    let mut firings = record.lock().unwrap().clone();
    firings[0].gene = "safe_add(x, y)".into();
    let error = new(&settings).step(&Towards::target(), 1, &stop, &mut recording(firings).0).unwrap_err();
    assert!(matches!(error, StepError::ForeignFiring { generation: 0, .. }), "{error}");

    let mut full_disk = Clock::new([], Box::new(|_| Err(std::io::ErrorKind::StorageFull.into())));
    let mut engine = new(&settings);
    let before = engine.checkpoint();
    let error = engine.step(&Towards::target().slow(), 2, &stop, &mut full_disk).unwrap_err();
    assert!(matches!(error, StepError::Record(_)), "{error}");
    assert_eq!(engine.checkpoint(), before);
}
