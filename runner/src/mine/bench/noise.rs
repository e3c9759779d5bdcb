//! How noisy a score is on Fashion-MNIST, and what that means for telling two losses apart.
//!
//! The usual losses are trained with the same seeds. Per loss the deviation over seeds is the noise of one score; the
//! deviation of the paired differences from cross-entropy is what a comparison has to overcome. A gain of δ is found with
//! 80 % power by a two-sided test at 5 % from about n = ((z₀.₉₇₅ + z₀.₈) · s / δ)² = (2.8 · s / δ)² paired seeds, s being
//! the deviation of a difference (normal approximation; for few seeds Student's t asks for one or two more).
use super::figure::Figure;
use crate::failure::Failure;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::workers;
use automl_contract::spec::{DataSource, DatasetSpec, Evaluation, EvaluationSpec, NetworkKind, NetworkSpec};
use automl_contract::tasks::{Counts, Factors, LearningRates, Percents, Shares, TasksSpec};
use automl_genome::KnownLoss;
use automl_lab::{Lab, Stage};
use statrs::distribution::{ContinuousCDF, Normal};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Cross-entropy, and losses that people would put beside it.
const LOSSES: [&str; 5] = ["cross-entropy", "label-smoothing", "focal", "poly1", "mse"];
/// Tasks of the MLP, and of the CNN, which takes a hundred times as long.
const TASKS: [u32; 2] = [64, 24];
/// Gains, as shares of the examples.
const GAINS: [f64; 3] = [0.002, 0.005, 0.01];
const LEVEL: f64 = 0.05;
const POWER: f64 = 0.8;

pub(super) fn measure(fashion_mnist: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    let dataset = DatasetSpec {
        source: DataSource::FashionMnist,
        path: fashion_mnist.map(|path| path.display().to_string()),
        limit: None,
    };
    let mut figures = Vec::new();
    for (network, count, evaluation) in networks(&dataset) {
        let lab = Lab::open(&evaluation, 0).map_err(Failure::bad_input)?;
        figures.extend(of_network(&network, &accuracies(&lab, count)?)?);
    }
    Ok(figures)
}

/// What is trained: a name, how many tasks, and the evaluation. Tasks that differ in their seed alone, and such that
/// differ in all that may be drawn for a picture.
fn networks(dataset: &DatasetSpec) -> Vec<(String, u32, Evaluation)> {
    let varied = TasksSpec {
        learning_rate: Some(LearningRates { low: 0.001, high: 0.01 }),
        width_percent: Some(Percents { low: 50, high: 200 }),
        classes: Some(Counts { low: 4, high: 10 }),
        projection: None,
        shrink: Some(Factors { low: 1, high: 2 }),
        label_noise: Some(Shares { low: 0.0, high: 0.2 }),
    };
    let kinds = [("MLP", NetworkKind::Mlp), ("CNN", NetworkKind::Cnn)].into_iter().zip(TASKS);
    let of = |((name, kind), count): ((&str, NetworkKind), u32)| {
        let network = NetworkSpec { kind, ..NetworkSpec::default() };
        let with =
            |tasks| EvaluationSpec { dataset: dataset.clone(), network: network.clone(), tasks, ..Default::default() };
        [
            (format!("{name}, {count} seeds"), count, with(None).resolved()),
            (format!("{name}, {count} varied tasks"), count, with(Some(varied.clone())).resolved()),
        ]
    };
    kinds.flat_map(of).collect()
}

/// Each loss's accuracy per task.
fn accuracies(lab: &Lab, count: u32) -> Result<Vec<Vec<f64>>, Failure> {
    let known = LOSSES.iter().filter_map(|key| KnownLoss::find(key));
    let entrants: Vec<Entrant> = known.map(|known| Entrant::new(known.key, known.gene())).collect();
    let stop = AtomicBool::new(false);
    let trials = train_all(Place::InProcess(lab), &entrants, Stage::Final, 0..count, workers(None), &stop, &|_| ());
    let trials = trials.map_err(|error| match error {
        TrialsError::Interrupted => Failure::internal("a bench was interrupted"),
        TrialsError::Broken(failure) => failure,
    })?;
    Ok(trials.scored.into_iter().map(|scored| scored.accuracies).collect())
}

/// `accuracies`: cross-entropy's first.
fn of_network(network: &str, accuracies: &[Vec<f64>]) -> Result<Vec<Figure>, Failure> {
    let few = || Failure::internal("a deviation needs two seeds, and a median a loss");
    let (baseline, others) = accuracies.split_first().ok_or_else(few)?;
    let spread = deviation(baseline).ok_or_else(few)?;
    let paired = others.iter().map(|other| {
        let differences: Vec<f64> = other.iter().zip(baseline).map(|(one, other)| one - other).collect();
        deviation(&differences)
    });
    let mut paired = paired.collect::<Option<Vec<f64>>>().ok_or_else(few)?;
    paired.sort_by(f64::total_cmp);
    let at = |index: usize| paired.get(index).copied();
    let count = paired.len();
    let (Some(lower), Some(upper), Some(largest)) =
        (at(count.saturating_sub(1) / 2), at(count / 2), paired.last().copied())
    else {
        return Err(few());
    };
    let middle = f64::midpoint(lower, upper);
    let figure = |what: String, value: f64, unit: &'static str| {
        Figure::new("noise", format!("Fashion-MNIST, {network}: {what}"), value, unit)
    };
    let points = |what: String, value: f64| figure(what, 100.0 * value, "points");
    let mut figures = vec![
        points("deviation of cross-entropy's accuracy".to_owned(), spread),
        points("deviation of a paired difference from cross-entropy, median of four losses".to_owned(), middle),
        points("the same, largest of four losses".to_owned(), largest),
    ];
    for gain in GAINS {
        let needed = seeds_needed(middle, gain).ok_or_else(few)?;
        let what = format!("pairs to find a gain of {} points (80 % power, 5 % level)", 100.0 * gain);
        figures.push(figure(what, needed, "seeds"));
    }
    Ok(figures)
}

/// Of a sample, with n − 1; `None` for fewer than two.
fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Some((values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// Pairs that find a mean difference of `gain` where single differences deviate by `deviation`.
fn seeds_needed(deviation: f64, gain: f64) -> Option<f64> {
    let normal = Normal::new(0.0, 1.0).ok()?;
    let factor = normal.inverse_cdf(1.0 - LEVEL / 2.0) + normal.inverse_cdf(POWER);
    Some((factor * deviation / gain).powi(2).ceil().max(2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_needed_is_the_textbooks() {
        // (1.959964 + 0.841621)² = 7.849: eight pairs where the gain is one deviation, four times as many for half of it.
        assert_eq!(seeds_needed(0.01, 0.01), Some(8.0));
        assert_eq!(seeds_needed(0.01, 0.005), Some(32.0));
        assert_eq!(seeds_needed(0.0, 0.01), Some(2.0));
    }

    #[test]
    fn pairs_share_what_seeds_have_in_common() {
        let baseline = vec![0.5, 0.6, 0.7, 0.8];
        let better: Vec<f64> = baseline.iter().map(|accuracy| accuracy + 0.01).collect();
        let figures = of_network("test", &[baseline, better]).unwrap();
        let values: Vec<f64> = figures.iter().map(Figure::value).collect();
        assert!((values[0] - 12.9).abs() < 0.1 && values[1].abs() < 1e-6, "{values:?}");
        assert!(of_network("test", &[vec![0.5]]).is_err());
    }
}
