//! Training through the public face: learning, determinism, stopping.
use std::sync::atomic::{AtomicBool, Ordering};

use automl_contract::spec::{DataSource, DatasetSpec, DeviceName, Evaluation, EvaluationPreset, EvaluationSpec};
use automl_contract::tasks::Network;
use automl_genome::{Gene, Limits};
use automl_lab::{Failure, Interrupted, Lab, LabError, Outcome, Path, Stage};

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
const MSE: &str = "square(safe_sub(x, y))";

fn gene(text: &str) -> Gene {
    automl_genome::parse(text, &Limits::default()).unwrap()
}

fn digits() -> Evaluation {
    EvaluationSpec::default().resolved()
}

fn train(lab: &Lab, text: &str, stage: Stage, seed: u32) -> Outcome {
    lab.worker().train(&gene(text), stage, seed, &AtomicBool::new(false)).unwrap()
}

#[test]
fn known_losses_learn_digits() {
    let lab = Lab::open(&digits(), 0).unwrap();
    assert_eq!(lab.about().path, Path::Host);
    for text in [MSE, CROSS_ENTROPY] {
        for stage in Stage::ALL {
            let outcome = train(&lab, text, stage, 0);
            assert!(outcome.accuracy > 0.8 && outcome.failure.is_none(), "{text} {stage:?}: {outcome:?}");
            assert_eq!(outcome.steps, 100);
        }
    }
    let unlearnable = train(&lab, "x", Stage::Search, 0);
    assert!(unlearnable.failure.is_none() && unlearnable.accuracy < 0.4, "{unlearnable:?}");
}

#[test]
fn the_original_recipe_learns_pictures() {
    let dataset = DatasetSpec { source: DataSource::Synthetic, limit: Some(1500), ..DatasetSpec::default() };
    let spec = EvaluationSpec { preset: EvaluationPreset::Original, dataset, ..EvaluationSpec::default() };
    let outcome = train(&Lab::open(&spec.resolved(), 0).unwrap(), MSE, Stage::Search, 0);
    assert!(outcome.accuracy > 0.8, "{outcome:?}");
}

#[test]
fn any_number_of_workers_gives_the_same_bits() {
    let genes = [
        MSE,
        CROSS_ENTROPY,
        "tanh(square(safe_sub(y, x)))",
        "y",
        "safe_sqrt(safe_mul(x, y))",
        "hypot(x, safe_sub(x, y))",
    ];
    let work: Vec<(usize, Stage, u32)> =
        (0..24).map(|index| (index % genes.len(), Stage::ALL[index % 3], (index / 6) as u32)).collect();
    let run = |workers: usize| {
        let lab = Lab::open(&digits(), 5).unwrap();
        let next = std::sync::atomic::AtomicUsize::new(0);
        let mut results: Vec<(usize, u64, Option<Failure>)> = std::thread::scope(|scope| {
            let thread = || {
                let mut worker = lab.worker();
                let mut results = Vec::new();
                while let Some(&(index, stage, seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let at = work.iter().position(|item| *item == (index, stage, seed)).unwrap();
                    let outcome = worker.train(&gene(genes[index]), stage, seed, &AtomicBool::new(false)).unwrap();
                    results.push((at, outcome.accuracy.to_bits(), outcome.failure));
                }
                results
            };
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(thread)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        results.sort_by_key(|result| result.0);
        results
    };
    let one = run(1);
    assert_eq!(one.len(), work.len());
    assert_eq!(one, run(1), "again");
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}

#[test]
fn a_candidate_leaves_no_trace_in_its_worker() {
    let lab = Lab::open(&digits(), 0).unwrap();
    let mut worker = lab.worker();
    let stop = AtomicBool::new(false);
    let fresh = worker.train(&gene(MSE), Stage::Search, 0, &stop).unwrap();
    worker.train(&gene("safe_exp(safe_mul(x, 100))"), Stage::Search, 1, &stop).unwrap();
    worker.train(&gene(CROSS_ENTROPY), Stage::Final, 0, &stop).unwrap();
    assert_eq!(worker.train(&gene(MSE), Stage::Search, 0, &stop).unwrap(), fresh);
}

#[test]
fn runs_stages_and_seeds_differ() {
    let lab = Lab::open(&digits(), 0).unwrap();
    let other = Lab::open(&digits(), 1).unwrap();
    let accuracies =
        |lab: &Lab, stage| (0..8).map(|seed| train(lab, MSE, stage, seed).accuracy.to_bits()).collect::<Vec<_>>();
    let search = accuracies(&lab, Stage::Search);
    assert_ne!(search, accuracies(&other, Stage::Search));
    assert_ne!(search, accuracies(&lab, Stage::Select));
    assert!(search.iter().any(|accuracy| accuracy != &search[0]));
}

#[test]
fn a_raised_flag_interrupts() {
    let lab = Lab::open(&digits(), 0).unwrap();
    let stop = AtomicBool::new(true);
    assert_eq!(lab.worker().train(&gene(MSE), Stage::Search, 0, &stop), Err(Interrupted));
    let long = Lab::open(&Evaluation { steps: 1_000_000, timeout_seconds: 3600, ..digits() }, 0).unwrap();
    let stop = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        let thread = scope.spawn(|| long.worker().train(&gene(MSE), Stage::Search, 0, &stop));
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap()
    });
    assert_eq!(result, Err(Interrupted));
}

#[test]
fn a_gene_that_would_outlast_the_limit_is_refused_by_count() {
    let lab = Lab::open(&Evaluation { steps: 1_000_000, timeout_seconds: 1, ..digits() }, 0).unwrap();
    let outcome = train(&lab, MSE, Stage::Search, 0);
    assert_eq!(outcome.steps, 0);
    let failure = outcome.failure.unwrap();
    assert!(matches!(failure, Failure::OverBudget { work, limit: 100_000_000 } if work > limit_of(&failure)));
    assert_eq!(failure.reason(), "over_budget");
    assert_eq!(serde_json::from_str::<Failure>(&serde_json::to_string(&failure).unwrap()).unwrap(), failure);
}

fn limit_of(failure: &Failure) -> u64 {
    if let Failure::OverBudget { limit, .. } = failure { *limit } else { 0 }
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let with = |change: fn(&mut Network)| {
        let mut evaluation = digits();
        change(&mut evaluation.network);
        evaluation
    };
    for (evaluation, words) in [
        (Evaluation { batch_size: 899, ..digits() }, ["training.batchSize", "898"]),
        (Evaluation { batch_size: 0, ..digits() }, ["training.batchSize", "0"]),
        (Evaluation { steps: 0, ..digits() }, ["training.steps", "0"]),
        (with(|network| network.dropout = 1.0), ["network.dropout", "below 1"]),
        (with(|network| network.dropout = f64::NAN), ["network.dropout", "NaN"]),
        (Evaluation { learning_rate: -1.0, ..digits() }, ["training.learningRate", "-1"]),
        (with(|network| network.hidden = vec![8, 0]), ["network.hidden", "width 0"]),
        (with(|network| network.hidden = vec![4_000_000_000; 3]), ["network.hidden", "at most"]),
    ] {
        let message = Lab::open(&evaluation, 0).err().expect("refused").to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn cuda_is_used_where_it_is_and_missed_clearly_where_it_is_not() {
    let auto = Lab::open(&Evaluation { device: DeviceName::Auto, ..digits() }, 0).unwrap();
    let cuda = Lab::open(&Evaluation { device: DeviceName::Cuda, ..digits() }, 0);
    match cuda {
        Ok(lab) => {
            assert_eq!((lab.about().device.as_str(), auto.about().device.as_str()), ("cuda:0", "cuda:0"));
            assert!(train(&lab, MSE, Stage::Search, 0).accuracy > 0.8);
        }
        Err(error @ (LabError::NoCuda { .. } | LabError::CudaLibrary { .. })) => {
            assert_eq!(auto.about().device, "cpu");
            assert!(error.to_string().contains("device: cpu"), "{error}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_lab_that_forgets_gives_the_same_numbers() {
    let lab = Lab::open(&digits(), 3).unwrap();
    let forgetful = Lab::open(&digits(), 3).unwrap().forgetful();
    assert!(lab.work_limit() > 0 && lab.work_limit() == forgetful.work_limit());
    for seed in [1, 0, 1] {
        assert_eq!(train(&lab, MSE, Stage::Select, seed), train(&forgetful, MSE, Stage::Select, seed));
    }
}

#[test]
fn a_scaled_learning_rate_is_that_learning_rate() {
    let (lab, faster) = (Lab::open(&digits(), 0).unwrap(), Evaluation { learning_rate: 0.012, ..digits() });
    let faster = Lab::open(&faster, 0).unwrap();
    let scaled = |scale| {
        let stop = AtomicBool::new(false);
        lab.worker().train_at(&gene(CROSS_ENTROPY), Stage::Search, 0, scale, &stop).unwrap()
    };
    assert_eq!(scaled(Some(1.0)), scaled(None));
    assert_eq!(scaled(Some(4.0)), train(&faster, CROSS_ENTROPY, Stage::Search, 0));
    assert_ne!(scaled(Some(4.0)), scaled(None));
}
