//! The cnn against its definition, computed by plain loops, and against the original's number of weights.
use automl_contract::spec::{EvaluationSpec, NetworkKind, NetworkSpec};
use tch::Device;

use crate::Stage;
use crate::data::{self, Shape};
use crate::plan::Plan;
use crate::recipe::{Convolutions, Recipe};
use crate::tensor::{Network, Shared};

fn recipe() -> (Recipe, data::Dataset) {
    let network = NetworkSpec { kind: NetworkKind::Cnn, channels: Some(3), ..NetworkSpec::default() };
    let evaluation = EvaluationSpec { network, ..EvaluationSpec::default() }.resolved();
    let data = data::open(&evaluation.dataset).unwrap();
    (Recipe::new(&evaluation, &evaluation.network, &data).unwrap(), data)
}

#[test]
fn it_has_as_many_weights_as_the_originals() {
    let (recipe, _) = recipe();
    let shape = Shape { channels: 1, height: 28, width: 28 };
    let convolutions = Some(Convolutions { shape, channels: 32 });
    let recipe = Recipe { convolutions, widths: vec![64 * 7 * 7, 128, 10], ..recipe };
    // sum(p.numel() for p in get_cnn(1, 10).parameters()) of the original.
    assert_eq!(recipe.parameters(), 320 + 18_496 + 401_536 + 1_290);
}

/// Convolution, `ReLU` and pooling of one picture: channels × height × width, weights outputs × inputs × 3 × 3.
fn convolve(x: &[f64], [channels, height, width]: [usize; 3], weights: &[f32], biases: &[f32]) -> Vec<f64> {
    let mut out = Vec::new();
    for (output, bias) in biases.iter().enumerate() {
        let at = |row: isize, column: isize| -> f64 {
            let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
            let mut sum = f64::from(*bias);
            assert!(inside);
            for channel in 0..channels {
                for (down, right) in (0..9).map(|index| (index / 3, index % 3)) {
                    let (row, column) = (row + down - 1, column + right - 1);
                    if (0..height as isize).contains(&row) && (0..width as isize).contains(&column) {
                        let pixel = x[(channel * height + row as usize) * width + column as usize];
                        let weight = weights[((output * channels + channel) * 3 + down as usize) * 3 + right as usize];
                        sum += pixel * f64::from(weight);
                    }
                }
            }
            sum.max(0.0)
        };
        for row in 0..height / 2 {
            for column in 0..width / 2 {
                let square = [(0, 0), (0, 1), (1, 0), (1, 1)];
                let values = square.map(|(down, right)| at((2 * row + down) as isize, (2 * column + right) as isize));
                out.push(values.into_iter().fold(f64::NEG_INFINITY, f64::max));
            }
        }
    }
    out
}

fn linear(x: &[f64], weights: &[f32], biases: &[f32]) -> Vec<f64> {
    let product = |output: usize| -> f64 {
        x.iter().enumerate().map(|(input, value)| value * f64::from(weights[input * biases.len() + output])).sum()
    };
    biases.iter().enumerate().map(|(output, bias)| f64::from(*bias) + product(output)).collect()
}

#[test]
fn its_outputs_are_those_of_plain_loops() {
    let (recipe, data) = recipe();
    let plan = Plan::new(&recipe, data.train.len(), 3, Stage::Search, 0);
    let shared = Shared::new(&data, Device::Cpu).unwrap();
    let outputs = Network::new(&shared, Device::Cpu).initial_outputs(&recipe, &plan, 5);
    let layers = recipe.layers();
    let parts = |index: usize| {
        let layer = layers[index];
        (&plan.parameters[layer.start..layer.biases()], &plan.parameters[layer.biases()..layer.end()])
    };
    for (example, outputs) in outputs.chunks_exact(10).enumerate() {
        let x: Vec<f64> = data.train.all()[64 * example..][..64].iter().map(|&pixel| f64::from(pixel)).collect();
        let x = convolve(&x, [1, 8, 8], parts(0).0, parts(0).1);
        let x = convolve(&x, [3, 4, 4], parts(1).0, parts(1).1);
        assert_eq!(x.len(), 6 * 2 * 2);
        let x: Vec<f64> = linear(&x, parts(2).0, parts(2).1).into_iter().map(|value| value.max(0.0)).collect();
        let expected = linear(&x, parts(3).0, parts(3).1);
        for (found, expected) in outputs.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }
}
