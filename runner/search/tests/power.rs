//! Evolution finds what random search with the same budget does not.
mod common;

use automl_contract::spec::{Search, SearchPreset, VocabularyName};
use common::{Towards, finish, new, settings};

/// The squared error on logits: every part of it misleads until it is whole.
const TARGET: &str = "safe_mul(safe_sub(x, y), safe_sub(x, y))";
const BUDGET: u64 = 4_000;
const SEEDS: u32 = 12;
/// Gradients this close to the target's train alike.
const FOUND: f64 = 0.999;

fn best(settings: &Search) -> f64 {
    let mut engine = new(settings);
    finish(&mut engine, &Towards::behaving_like(TARGET), 2);
    engine.best().map_or(0.0, |entry| entry.fitness)
}

#[test]
fn evolution_beats_random_search() {
    let run = |seed| {
        let preset = SearchPreset::Regularized;
        let evolution = Search {
            vocabulary: VocabularyName::Miner,
            population: 100,
            offspring: 50,
            ..settings(preset, seed, BUDGET)
        };
        // Generation 0 is random genes and nothing else.
        let random = Search { population: BUDGET as u32, ..evolution.clone() };
        (best(&evolution), best(&random))
    };
    let results: Vec<(f64, f64)> = (0..SEEDS).map(run).collect();
    let found = |of: fn(&(f64, f64)) -> f64| results.iter().filter(|result| of(result) >= FOUND).count();
    let (evolution, random) = (found(|result| result.0), found(|result| result.1));
    let closer = results.iter().filter(|(evolution, random)| evolution > random).count();
    println!("of {SEEDS} seeds: found by evolution {evolution}, by random search {random}; evolution closer {closer}");
    println!("{results:.4?}");
    assert!(closer as u32 * 2 > SEEDS && evolution >= random + 4, "{results:?}");
}
