//! Successive elimination on genes of known quality: is the best found, what does it cost, is an equal ever declared better?
//!
//! The noise is that of the default task: the known losses are trained on many seeds, what seeds and genes add is taken away, and
//! the rest is drawn from. Genes are then made up: one is better by a stated gap, all others equal the champion.
use super::figure::Figure;
use crate::failure::Failure;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::workers;
use automl_contract::spec::EvaluationSpec;
use automl_genome::known_losses;
use automl_lab::{Lab, Stage};
use automl_score::allocate::Plan;
use automl_score::simulate::{Noise, ORIGINAL_TASKS, Setting, Simulated, simulate};
use std::sync::atomic::AtomicBool;

/// Seeds on which the noise is measured.
const SEEDS: u32 = 96;
const GENES: usize = 64;
/// Gaps in percentage points. The goals are for the middle one; what the others give is reported.
const GAPS: [f64; 3] = [0.2, 0.5, 1.0];
const GOAL_GAP: f64 = 0.5;
/// 95 % have a standard deviation of 0.3 points with 5,000 rounds.
const ROUNDS: u32 = 5000;

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    let (noise, about) = noise()?;
    let percent = |name: String, share: f64| Figure::new("allocation", name, 100.0 * share, "%");
    let points = |name: String, share: f64| Figure::new("allocation", name, 100.0 * share, "points");
    let mut figures = vec![
        points(format!("noise of one training on {about}: what a seed does to all genes"), noise.common_deviation()),
        points(format!("noise of one training on {about}: the rest"), noise.residual_deviation()),
    ];
    for gap in GAPS {
        let Simulated { top, best_won, cost, flat_top, flat_won, original_first, original_top, original_cost, .. } =
            play(&noise, gap)?;
        let name = |what: &str| format!("{what}; one of {GENES} genes better by {gap} points, {ROUNDS} rounds");
        let goal = (gap - GOAL_GAP).abs() < 1e-9;
        let [found, spent] =
            [percent(name("the best in the top 3"), top), Figure::new("allocation", name(&cost_of()), cost, "×")];
        figures.extend(if goal { [found.at_least(95.0), spent.at_most(0.2)] } else { [found, spent] });
        figures.extend([
            percent(name("the best declared better than the champion"), best_won),
            percent(name("the best in the top 3, the same cost spent evenly"), flat_top),
            percent(name("the best declared better, the same cost spent evenly (Student, Bonferroni)"), flat_won),
            percent(name(&original("the best in the top 3")), original_top),
            percent(name(&original("the best comes first")), original_first),
            Figure::new("allocation", name(&original("cost over the flat allocation")), original_cost, "×"),
        ]);
    }
    let null = play(&noise, 0.0)?;
    let name = |what: &str| format!("{what}; {GENES} equal genes, {ROUNDS} rounds");
    figures.extend([
        percent(name("rounds with a false win of any challenger"), null.false_wins).at_most(5.0),
        Figure::new("allocation", name(&cost_of()), null.cost, "×"),
        percent(name(&original("rounds in which a challenger comes first")), null.original_false_wins),
    ]);
    Ok(figures)
}

fn cost_of() -> String {
    format!("cost over {} seeds for all", Plan::default().cap)
}

fn original(what: &str) -> String {
    format!("the original's rule ({ORIGINAL_TASKS} trainings a gene, best score): {what}")
}

fn play(noise: &Noise, points: f64) -> Result<Simulated, Failure> {
    let setting = Setting { genes: GENES, gap: points / 100.0, rounds: ROUNDS, seed: 1, plan: Plan::default() };
    simulate(noise, &setting).map_err(Failure::internal)
}

/// The noise of the default task's known losses, and in words where it was measured.
fn noise() -> Result<(Noise, String), Failure> {
    let lab = Lab::open(&EvaluationSpec::default().resolved(), 0).map_err(Failure::bad_input)?;
    let entrants: Vec<Entrant> = known_losses().iter().map(|known| Entrant::new(known.key, known.gene())).collect();
    let never = AtomicBool::new(false);
    let trained = train_all(Place::InProcess(&lab), &entrants, Stage::Final, 0..SEEDS, workers(None), &never, &|_| ());
    let trained = trained.map_err(|error| match error {
        TrialsError::Interrupted => Failure::internal("the trainings ended without being stopped"),
        TrialsError::Broken(failure) => failure,
    })?;
    let table: Vec<Vec<f64>> = trained.scored.into_iter().map(|one| one.accuracies).collect();
    let noise =
        Noise::measured(&table).ok_or_else(|| Failure::internal("the known losses gave no noise to measure"))?;
    let about = lab.about();
    let words =
        format!("{} ({} known losses, {SEEDS} seeds, {} examples)", about.dataset, entrants.len(), about.sizes.final_);
    Ok((noise, words))
}
