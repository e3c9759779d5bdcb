//! Tests that need to see inside: the two paths against each other, plans, the loss in libtorch's words.
mod cnn;
mod loss;
mod paths;
mod plan;
mod split;

use automl_contract::spec::{DataSource, DatasetSpec, Evaluation, EvaluationSpec, NetworkSpec};
use automl_genome::{Gene, Limits};

/// The gene of a text.
fn gene(text: &str) -> Gene {
    automl_genome::parse(text, &Limits::default()).unwrap()
}

/// The standard evaluation on the built-in digits, with these hidden layers and dropout.
fn digits(hidden: &[u32], dropout: f64) -> Evaluation {
    let network = NetworkSpec { hidden: Some(hidden.to_vec()), dropout: Some(dropout), ..NetworkSpec::default() };
    EvaluationSpec { network, ..EvaluationSpec::default() }.resolved()
}

/// The standard evaluation on a few made-up examples.
fn synthetic(limit: u32) -> Evaluation {
    let dataset = DatasetSpec { source: DataSource::Synthetic, limit: Some(limit), ..DatasetSpec::default() };
    EvaluationSpec { dataset, ..EvaluationSpec::default() }.resolved()
}
