//! What it is worth to know the tasks of the round before.
//!
//! A miner that knows which tasks a round had can choose, among many variants of a loss, the one that does best on exactly these. The
//! next round has others. Measured: by how much the chosen variant is above the mean of all variants on the tasks it was
//! chosen by, and by how much on the next round's. The first is luck and looks like skill; only what is left of it in the
//! second could be earned.
use super::figure::Figure;
use crate::failure::Failure;
use automl_contract::spec::{Evaluation, EvaluationSpec};
use automl_contract::tasks::{LearningRates, Shares, TasksSpec};
use automl_genome::{Gene, Limits, parse};
use automl_lab::{Lab, Stage};
use automl_score::interval;
use automl_validate::first_seed;
use sha2::{Digest as _, Sha256};
use std::sync::atomic::AtomicBool;

/// Rounds that are simulated.
const ROUNDS: usize = 24;
/// Tasks of a round.
const TASKS: u32 = 16;
/// Variants that the miner chooses from.
const VARIANTS: u32 = 24;

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    let tasks = TasksSpec {
        learning_rate: Some(LearningRates { low: 0.001, high: 0.01 }),
        label_noise: Some(Shares { low: 0.0, high: 0.2 }),
        ..TasksSpec::default()
    };
    let evaluation: Evaluation = EvaluationSpec { tasks: Some(tasks), ..EvaluationSpec::default() }.resolved();
    let lab = Lab::open(&evaluation, 0).map_err(Failure::bad_input)?;
    let genes = variants()?;
    let mut worker = lab.worker();
    let mut round = |number: usize| -> Result<Vec<f64>, Failure> {
        let first = first_seed(&Sha256::digest(format!("round {number}")), 0, TASKS);
        let mut means = Vec::new();
        for gene in &genes {
            let mut sum = 0.0;
            for seed in first..first + TASKS {
                let outcome = worker.train(gene, Stage::Final, seed, &AtomicBool::new(false));
                sum += outcome.map_err(Failure::internal)?.accuracy;
            }
            means.push(100.0 * sum / f64::from(TASKS));
        }
        Ok(means)
    };
    let mut known = round(0)?;
    let (mut then, mut next) = (Vec::new(), Vec::new());
    for number in 1..=ROUNDS {
        let fresh = round(number)?;
        let best = (0..genes.len()).max_by(|one, other| known[*one].total_cmp(&known[*other])).unwrap_or_default();
        let above = |means: &[f64]| means[best] - means.iter().sum::<f64>() / means.len() as f64;
        then.push(above(&known));
        next.push(above(&fresh));
        known = fresh;
    }
    let broken = || Failure::internal("too few rounds for an interval");
    let then = interval(&then, 2).ok_or_else(broken)?;
    let next = interval(&next, 2).ok_or_else(broken)?;
    let figure = |name: &str, value| Figure::new("foresight", name, value, "points");
    let of = format!("best of {VARIANTS} variants, chosen by the {TASKS} tasks of a round, over their mean");
    Ok(vec![
        figure(&format!("{of}: on these tasks"), then.mean),
        figure(&format!("{of}: on the next round's, mean of {ROUNDS} rounds"), next.mean),
        figure(&format!("{of}: on the next round's, lower end of its interval"), next.low).at_most(0.0),
        figure(&format!("{of}: on the next round's, upper end of its interval"), next.high),
    ])
}

/// Variants of one loss that are about as good as each other: smoothing and temperature differ by little.
fn variants() -> Result<Vec<Gene>, Failure> {
    let variant = |number: u32| {
        let (scale, smoothing) = (2.9 + 0.2 * f64::from(number % 6) / 5.0, 0.01 * f64::from(number / 6));
        let text = format!(
            "safe_sub(zero, row_sum(safe_mul(safe_add(y, tensor({smoothing:.4})), log_softmax(safe_mul(x, tensor({scale:.4}))))))"
        );
        parse(&text, &Limits::default()).map_err(Failure::internal)
    };
    (0..VARIANTS).map(variant).collect()
}
