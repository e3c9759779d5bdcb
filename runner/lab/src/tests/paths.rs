//! The host path is held against libtorch: same weights, batches and masks; then the same numbers must come out.
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use automl_contract::spec::Evaluation;
use automl_genome::Program;
use tch::Device;

use super::{digits, gene};
use crate::data;
use crate::host::Host;
use crate::outcome::Failure;
use crate::plan::Plan;
use crate::recipe::Recipe;
use crate::tensor::{Network, Shared};
use crate::training::{Guard, Halt};
use crate::view::View;
use crate::{Lab, Stage};

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
const MSE: &str = "square(safe_sub(x, y))";

/// Trains on both paths and compares the weights: each within `tolerance` of the other, relative to the layer's largest.
fn compare(evaluation: &Evaluation, text: &str, tolerance: f32) {
    let data = data::open(&evaluation.dataset).unwrap();
    let recipe = Recipe::new(evaluation, &evaluation.network, &data).unwrap();
    let view = View::whole(&data, Stage::Search);
    let plan = Plan::new(&recipe, data.train.len(), 7, Stage::Search, 1);
    let stop = AtomicBool::new(false);
    let guard = Guard::new(&stop, Duration::from_mins(10));
    let gene = gene(text);
    let mut host = Host::new(&recipe);
    host.train(&recipe, &plan, &view, &data, &Program::new(&gene), &guard).unwrap();
    let shared = Shared::new(&data, Device::Cpu).unwrap();
    let mut network = Network::new(&shared, Device::Cpu);
    network.train(&recipe, &plan, &view, &data, &gene, &guard).unwrap();
    let (left, right) = (host.parameters(), network.parameters());
    assert_eq!(left.len(), right.len());
    assert_ne!(left, plan.parameters, "training changes weights");
    for layer in recipe.layers() {
        let (left, right) = (&left[layer.start..layer.end()], &right[layer.start..layer.end()]);
        let largest = right.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let worst = left.iter().zip(right).fold(0.0_f32, |worst, (left, right)| worst.max((left - right).abs()));
        assert!(worst <= tolerance * largest, "{text} {:?}: {worst} of {largest}", evaluation.network.hidden);
    }
}

#[test]
fn the_first_steps_give_the_same_weights() {
    for hidden in [&[][..], &[32], &[24, 40], &[5, 1, 7]] {
        for dropout in [0.0, 0.25] {
            for text in [MSE, CROSS_ENTROPY, "safe_mul(sigmoid(x), safe_sub(half, y))"] {
                let evaluation = Evaluation { steps: 3, ..digits(hidden, dropout) };
                compare(&evaluation, text, 2e-4);
            }
        }
    }
}

#[test]
fn a_whole_training_gives_nearly_the_same_weights() {
    compare(&digits(&[32], 0.1), MSE, 2e-3);
    compare(&digits(&[32], 0.1), CROSS_ENTROPY, 2e-3);
}

#[test]
fn accuracies_of_the_sample_are_equal() {
    let evaluation = digits(&[32], 0.1);
    let (host, tensor) = (Lab::open(&evaluation, 0).unwrap(), Lab::open_tensor(&evaluation, 0).unwrap());
    let (mut host, mut tensor) = (host.worker(), tensor.worker());
    let stop = AtomicBool::new(false);
    for text in [MSE, CROSS_ENTROPY, "tanh(square(safe_sub(y, x)))"] {
        for stage in Stage::ALL {
            let left = host.train(&gene(text), stage, 0, &stop).unwrap();
            let right = tensor.train(&gene(text), stage, 0, &stop).unwrap();
            assert_eq!(left, right, "{text} {stage:?}");
            assert_eq!(left.failure, None);
        }
    }
}

#[test]
fn failures_of_both_paths_are_the_same() {
    let evaluation = digits(&[32], 0.1);
    let (host, tensor) = (Lab::open(&evaluation, 0).unwrap(), Lab::open_tensor(&evaluation, 0).unwrap());
    let (mut host, mut tensor) = (host.worker(), tensor.worker());
    let stop = AtomicBool::new(false);
    for (text, reason) in [
        ("y", "no_gradient"),
        ("one", "no_gradient"),
        ("reciprocal(zero)", "nonfinite_value"),
        ("std(half)", "nonfinite_value"),
        ("arcsin(safe_mul(x, 100))", "nonfinite_value"),
        ("safe_sqrt(safe_mul(x, y))", "nonfinite_gradient"),
    ] {
        let left = host.train(&gene(text), Stage::Search, 0, &stop).unwrap();
        let right = tensor.train(&gene(text), Stage::Search, 0, &stop).unwrap();
        assert_eq!(left, right, "{text}");
        assert_eq!(left.failure.as_ref().map(Failure::reason), Some(reason), "{text}");
        assert!(left.accuracy == 0.0 && left.steps == 0);
    }
}

#[test]
fn weights_that_overflow_are_no_success() {
    // The last step makes the weights infinite: no later loss can tell.
    let evaluation = Evaluation { steps: 1, learning_rate: 1e39, ..digits(&[4], 0.0) };
    for lab in [Lab::open(&evaluation, 0).unwrap(), Lab::open_tensor(&evaluation, 0).unwrap()] {
        let outcome = lab.worker().train(&gene(MSE), Stage::Search, 0, &AtomicBool::new(false)).unwrap();
        assert_eq!(outcome.failure, Some(Failure::NonfiniteWeights));
        assert!(outcome.accuracy == 0.0 && outcome.steps == 1);
    }
}

#[test]
fn the_clock_ends_a_training_as_a_failure_with_its_step() {
    let stop = AtomicBool::new(false);
    let guard = Guard::new(&stop, Duration::ZERO);
    while std::time::Instant::now().elapsed().is_zero() {} // until the clock has moved on
    let halt = guard.check(17).unwrap_err();
    assert!(matches!(halt, Halt::Failed { failure: Failure::Timeout { step: 17 }, steps: 17 }), "{halt:?}");
}
