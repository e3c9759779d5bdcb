use super::digits;
use crate::data;
use crate::plan::{Plan, Plans, Prepared};
use crate::recipe::Recipe;
use crate::view::View;
use crate::{Lab, Stage};

fn recipe(hidden: &[u32], dropout: f64) -> Recipe {
    let evaluation = digits(hidden, dropout);
    Recipe::new(&evaluation, &evaluation.network, &data::open(&evaluation.dataset).unwrap()).unwrap()
}

fn all_steps(plan: &Plan, recipe: &Recipe) -> (Vec<u32>, Vec<u8>) {
    let mut steps = plan.steps(recipe);
    let mut all = (Vec::new(), Vec::new());
    for _ in 0..recipe.steps {
        let (rows, keep) = steps.next();
        all.0.extend_from_slice(rows);
        all.1.extend_from_slice(keep);
    }
    all
}

#[test]
fn initial_parameters_are_pytorchs_uniform_distribution() {
    let recipe = recipe(&[256, 100], 0.0);
    let plan = Plan::new(&recipe, 898, 1, Stage::Search, 0);
    for layer in recipe.layers() {
        let bound = 1.0 / (layer.inputs as f64).sqrt();
        for part in [&plan.parameters[layer.start..layer.biases()], &plan.parameters[layer.biases()..layer.end()]] {
            let count = part.len() as f64;
            let mean = part.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
            let variance = part.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / count;
            assert!(part.iter().all(|&value| f64::from(value).abs() <= bound * (1.0 + 1e-6)));
            // Five standard errors: the mean's is bound/√(3n), the relative variance's √(4/(5n)).
            assert!(mean.abs() < 5.0 * bound / (3.0 * count).sqrt(), "mean {mean} of {count}");
            let expected = bound * bound / 3.0;
            assert!(
                (variance / expected - 1.0).abs() < 5.0 * (0.8 / count).sqrt(),
                "variance {variance} for {expected}"
            );
        }
    }
}

#[test]
fn every_example_comes_once_per_epoch() {
    let recipe = recipe(&[32], 0.1);
    let plan = Plan::new(&recipe, 898, 1, Stage::Search, 0);
    let (rows, _) = all_steps(&plan, &recipe);
    assert_eq!(rows.len(), 6400);
    let mut orders = Vec::new();
    for epoch in rows.chunks_exact(898) {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..898));
        orders.push(epoch);
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 7, "each epoch has an order of its own");
}

#[test]
fn dropout_keeps_the_right_share() {
    let recipe = recipe(&[48, 16], 0.3);
    let (_, keep) = all_steps(&Plan::new(&recipe, 898, 1, Stage::Search, 0), &recipe);
    assert_eq!(keep.len(), 100 * 64 * 64);
    assert!(keep.iter().all(|&unit| unit <= 1));
    let share = keep.iter().map(|&unit| f64::from(unit)).sum::<f64>() / keep.len() as f64;
    assert!((share - 0.7).abs() < 5.0 * (0.21 / keep.len() as f64).sqrt(), "{share}");
}

#[test]
fn a_plan_too_long_to_record_draws_the_same() {
    let short = recipe(&[32], 0.1);
    let long = Recipe { steps: 20_000, ..short.clone() };
    let (recorded, drawn) = [&short, &long].map(|recipe| Plan::new(recipe, 898, 1, Stage::Select, 3)).into();
    assert_eq!(recorded.parameters, drawn.parameters);
    assert_eq!(all_steps(&recorded, &short), all_steps(&drawn, &short));
}

#[test]
fn each_run_stage_and_seed_has_randomness_of_its_own() {
    let recipe = recipe(&[32], 0.1);
    let mut starts: Vec<Vec<u32>> = Vec::new();
    for run in [0, 1, u32::MAX] {
        for stage in Stage::ALL {
            for seed in [0, 1, 31] {
                let plan = Plan::new(&recipe, 898, run, stage, seed);
                let again = Plan::new(&recipe, 898, run, stage, seed);
                assert_eq!(plan.parameters, again.parameters);
                assert_eq!(all_steps(&plan, &recipe), all_steps(&again, &recipe));
                starts.push(plan.parameters.iter().map(|value| value.to_bits()).collect());
                starts.push(all_steps(&plan, &recipe).0);
            }
        }
    }
    let count = starts.len();
    starts.sort_unstable();
    starts.dedup();
    assert_eq!(starts.len(), count);
}

#[test]
fn kept_plans_are_shared_and_bounded() {
    let recipe = Recipe { steps: 4000, ..recipe(&[32], 0.1) };
    let plans = Plans::default();
    let evaluation = digits(&[32], 0.1);
    let data = data::open(&evaluation.dataset).unwrap();
    let lab = Lab::open(&evaluation, 0).unwrap();
    let make = |seed| Prepared {
        task: lab.task(Stage::Search, seed),
        recipe: recipe.clone(),
        view: View::whole(&data, Stage::Search),
        plan: Plan::new(&recipe, 898, 0, Stage::Search, seed),
    };
    let first = plans.get(Stage::Search, 0, || make(0));
    let again = plans.get(Stage::Search, 0, || unreachable!("it is kept"));
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    // Each takes about 9 MiB of the 256.
    for seed in 1..40 {
        plans.get(Stage::Search, seed, || make(seed));
    }
    let mut drawn_again = false;
    plans.get(Stage::Search, 0, || {
        drawn_again = true;
        make(0)
    });
    assert!(drawn_again, "the oldest has gone");
}

#[test]
fn judging_wraps_around() {
    let recipe = Recipe { judged: Some(25), ..recipe(&[], 0.0) };
    // Of ten examples, the first three are right: 2 × 3 in two rounds, and 3 of the first five again.
    let correct = |count: usize| Ok::<_, ()>(count.min(3));
    assert_eq!(recipe.accuracy(10, correct), Ok(9.0 / 25.0));
    assert_eq!(Recipe { judged: None, ..recipe.clone() }.accuracy(10, correct), Ok(0.3));
    assert_eq!(Recipe { judged: Some(4), ..recipe }.accuracy(10, correct), Ok(0.75));
}
