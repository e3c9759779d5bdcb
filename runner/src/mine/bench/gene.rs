//! Parse, check and fingerprint a gene: what every candidate and every stranger's submission costs before training.
use super::figure::Figure;
use crate::failure::Failure;
use automl_genome::{Limits, Signature, parse};
use std::hint::black_box;
use std::time::Instant;

/// Thirty nodes with the usual mix of cheap and dear primitives.
const GENE: &str = "safe_add(safe_mul(safe_sub(x, y), safe_sub(x, y)), safe_div(safe_log(sigmoid(safe_mul(x, \
    safe_add(y, half)))), safe_add(safe_exp(safe_mul(tanh(x), tensor(0.3790))), safe_sqrt(safe_add(mean(abs(x)), \
    safe_mul(cos(y), one))))))";
const ROUNDS: usize = 50;
const PER_ROUND: u32 = 100;

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    let mut rounds: Vec<f64> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..PER_ROUND {
            let gene = parse(black_box(GENE), &Limits::default()).map_err(Failure::internal)?;
            black_box(Signature::of(&gene).key());
        }
        rounds.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(PER_ROUND));
    }
    rounds.sort_by(f64::total_cmp);
    let nodes = parse(GENE, &Limits::default()).map_err(Failure::internal)?.nodes().len();
    let name = format!("parse, check and signature of a {nodes}-node gene, median");
    Ok(vec![Figure::new("gene", name, rounds[ROUNDS / 2], "µs").at_most(100.0)])
}
