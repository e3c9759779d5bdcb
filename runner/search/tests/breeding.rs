//! What is bred is within bounds and vocabulary, and the better breed more.
mod common;

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use automl_contract::spec::{Budget, GeneLimits, Search, SearchPreset, Variation, VocabularyName};
use automl_genome::{Gene, Vocabulary, known_losses};
use automl_search::{Engine, Failure, Fitness, FitnessError, Interrupted, Outcome, SearchError, StepError, Worker};
use common::{Towards, clock, finish, new, settings};
use proptest::prelude::*;

/// All that a search trained (in canonical form, which is never larger than what was bred).
fn bred(settings: &Search) -> Vec<Gene> {
    let fitness = Towards::target();
    finish(&mut new(settings), &fitness, 2);
    fitness.trained.into_inner().unwrap().iter().map(|text| text.parse().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn genes_are_within_bounds_and_vocabulary(
        seed: u32, original: bool, nodes in 1..60_u32, depth in 0..9_u32, vocabulary in 0..3_usize,
    ) {
        let vocabulary = [VocabularyName::Miner, VocabularyName::Validator, VocabularyName::Extended][vocabulary];
        let preset = if original { SearchPreset::Original } else { SearchPreset::Regularized };
        let variation = Variation { crossover: 0.3, subtree: 0.3, point: 0.2, constant: 0.2 };
        let settings =
            Search { vocabulary, limits: GeneLimits { nodes, depth }, variation, ..settings(preset, seed, 300) };
        let allowed = match vocabulary {
            VocabularyName::Miner => Vocabulary::Miner,
            VocabularyName::Validator => Vocabulary::Validator,
            VocabularyName::Extended => Vocabulary::Extended,
        };
        for gene in bred(&settings) {
            prop_assert!(gene.nodes().len() <= nodes as usize && gene.depth() <= depth as usize, "{gene}");
            prop_assert!(gene.vocabulary() <= allowed, "{gene}");
            prop_assert_eq!(gene.to_string().parse::<Gene>().unwrap(), gene);
        }
    }
}

#[test]
fn warm_start_genes_come_first() {
    let texts: Vec<String> = known_losses().iter().map(|loss| loss.gene().to_string()).collect();
    let settings = Search {
        warm_start: texts.clone(),
        vocabulary: VocabularyName::Extended,
        ..settings(SearchPreset::Regularized, 0, texts.len() as u64)
    };
    let trained = bred(&settings);
    for loss in known_losses() {
        assert!(trained.contains(&loss.gene().canonical()), "{}", loss.key);
    }
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let good = settings(SearchPreset::Regularized, 0, 100);
    let cases: Vec<(&str, Search)> = vec![
        ("budget.evaluations", Search { budget: Budget { evaluations: 0 }, ..good.clone() }),
        ("population", Search { population: 1, ..good.clone() }),
        ("offspring", Search { offspring: 0, ..good.clone() }),
        ("offspring", Search { offspring: 1, budget: Budget { evaluations: 1_000_000_000_000 }, ..good.clone() }),
        ("tournament", Search { tournament: 0, ..good.clone() }),
        ("variation.point", Search { variation: Variation { point: f64::NAN, ..good.variation }, ..good.clone() }),
        ("variation", Search { variation: Variation { point: 0.9, ..good.variation }, ..good.clone() }),
        ("limits.nodes", Search { limits: GeneLimits { nodes: 0, depth: 3 }, ..good.clone() }),
        ("limits.depth", Search { limits: GeneLimits { nodes: 10, depth: 91 }, ..good.clone() }),
        ("warmStart", Search { warm_start: vec!["x".into(); 31], ..good.clone() }),
        ("warmStart[1]", Search { warm_start: vec!["x".into(), "safe_ad(x, y)".into()], ..good.clone() }),
        ("warmStart[0]", Search { warm_start: vec!["softmax(x)".into()], ..good.clone() }),
        ("warmStart[0]", Search { warm_start: vec!["sin ".repeat(13) + "x"], ..good.clone() }),
    ];
    for (field, settings) in cases {
        let error = Engine::new(&settings, 0, "").err().unwrap_or_else(|| panic!("{field} was accepted"));
        assert!(error.to_string().starts_with(&format!("search.{field}: ")), "{field}: {error}");
        assert_eq!(matches!(error, SearchError::WarmStart { .. }), field.ends_with(']'));
    }
}

/// Scores by size alone, so that selection can be read off the sizes.
struct BySize {
    larger_is_better: bool,
    sizes: Mutex<Vec<f64>>,
}

impl Fitness for BySize {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        Ok(Box::new(self))
    }
}

impl Worker for &BySize {
    fn evaluate(&mut self, gene: &Gene, _: &AtomicBool) -> Result<Outcome, Interrupted> {
        let size = gene.nodes().len() as f64;
        self.sizes.lock().unwrap().push(size);
        let fitness = if self.larger_is_better { size } else { 1.0 / size };
        Ok(Outcome { fitness, failure: None, cost: 1 })
    }
}

#[test]
fn the_better_breed_more() {
    let mean_of_last = |larger_is_better, seed| {
        let fitness = BySize { larger_is_better, sizes: Mutex::default() };
        finish(&mut new(&settings(SearchPreset::Regularized, seed, 1_500)), &fitness, 1);
        let sizes = fitness.sizes.into_inner().unwrap();
        let last = &sizes[sizes.len() - 100..];
        last.iter().sum::<f64>() / last.len() as f64
    };
    for seed in 0..5 {
        let (large, small) = (mean_of_last(true, seed), mean_of_last(false, seed));
        assert!(large > 1.5 * small, "seed {seed}: {large} against {small}");
    }
}

/// Fails in the ways a fitness must not.
struct Broken(Score);

type Score = fn() -> Result<Outcome, FitnessError>;

impl Fitness for Broken {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        (self.0)()?;
        Ok(Box::new(self))
    }
}

impl Worker for &Broken {
    fn evaluate(&mut self, _: &Gene, _: &AtomicBool) -> Result<Outcome, Interrupted> {
        Ok((self.0)().unwrap())
    }
}

#[test]
fn a_broken_fitness_is_an_error_and_changes_nothing() {
    let cases: [(&str, Score); 3] = [
        ("no GPU", || Err(FitnessError::new("no GPU"))),
        ("finite", || Ok(Outcome { fitness: f64::NAN, failure: None, cost: 0 })),
        ("finite", || {
            let failure = Failure { reason: "r".into(), detail: String::new(), timeout: false };
            Ok(Outcome { fitness: 1.0, failure: Some(failure), cost: 0 })
        }),
    ];
    for (text, broken) in cases {
        let mut engine = new(&settings(SearchPreset::Regularized, 0, 100));
        let before = engine.checkpoint();
        let error = engine.step(&Broken(broken), 2, &AtomicBool::new(false), &mut clock()).unwrap_err();
        assert!(matches!(error, StepError::Fitness(_) | StepError::BadFitness { .. }));
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(engine.checkpoint(), before);
    }
}
