//! `runner score --original`: what the original's validators would make of genes, from training to the numbers on the chain.
//!
//! One training for each data set × network (the sets of the final stage), judged whatever the training left; then the
//! original's score, ranking, decay and 16-bit weights ([`automl_score::original`]). Genes stand in the order they are given, which
//! decides ties as the order of uids does there.
use crate::failure::Failure;
use crate::gene::source::Named;
use crate::mine::trials::{Entrant, Place, TrialsError, all_pairs, train_each};
use crate::output;
use automl_contract::spec::{Evaluation, EvaluationPreset, EvaluationSpec};
use automl_lab::{Lab, Outcome, Stage};
use automl_score::original::{emit, score as score_of, weights};
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

/// Batches that the original's validator trains on.
const BATCHES: u32 = 600;
/// Batches it judges on: it stops after the one numbered 100, counting from 0.
const JUDGED: u32 = 101;

/// A gene as the original's validator sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    expression: String,
    /// For each set in turn.
    accuracies: Vec<f64>,
    /// `null` where it is not a number: of fewer than two accuracies, or when all are 0.
    score: f32,
    /// Its share; all shares add up to 1.
    weight: f64,
    /// What would be sent to the chain; 0 is not sent.
    emitted: u16,
}

/// The original validator's recipe on the built-in data.
pub(crate) fn evaluation() -> Evaluation {
    let spec = EvaluationSpec { preset: EvaluationPreset::Original, ..EvaluationSpec::default() };
    Evaluation { steps: BATCHES, validation_batches: Some(JUDGED), ..spec.resolved() }
}

/// Trains, scores and weighs the genes, and prints what came of it.
pub(crate) fn score(
    lab: &Lab,
    place: Place<'_>,
    genes: Vec<Named>,
    workers: usize,
    json: bool,
    stop: &AtomicBool,
) -> Result<Result<(), Failure>, TrialsError> {
    let entrants: Vec<Entrant> = genes.into_iter().map(|named| Entrant::new(named.name, named.gene)).collect();
    let sets = lab.about().sets.iter().filter(|set| set.stages.contains(&Stage::Final)).count() as u32;
    let pairs = all_pairs(entrants.len(), 0..sets);
    let outcomes = train_each(place, &entrants, Stage::Final, &pairs, workers, stop, &|_| ())?;
    Ok(print(&rows(&entrants, &outcomes), json))
}

/// `outcomes`: set by set, and within a set gene by gene.
fn rows(entrants: &[Entrant], outcomes: &[Outcome]) -> Vec<Row> {
    let of = |who: usize| outcomes.iter().skip(who).step_by(entrants.len());
    // What raises an error there has score 0, whatever it scored elsewhere.
    let raised = |who: usize| of(who).any(|outcome| outcome.failure.is_some());
    let accuracies = |who: usize| of(who).map(|outcome| outcome.accuracy).collect::<Vec<f64>>();
    let scores: Vec<f32> =
        (0..entrants.len()).map(|who| if raised(who) { 0.0 } else { score_of(&accuracies(who)) }).collect();
    let weights = weights(&scores);
    let emitted = emit(&weights);
    let rows = entrants.iter().enumerate().map(|(who, entrant)| Row {
        name: entrant.name.clone(),
        expression: entrant.gene.to_string(),
        accuracies: accuracies(who),
        score: scores[who],
        weight: weights[who],
        emitted: emitted.iter().find(|(uid, _)| *uid == who).map_or(0, |(_, weight)| *weight),
    });
    rows.collect()
}

fn print(rows: &[Row], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&rows);
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text =
        format!("{:<width$}  {:>7}  {:>8}  {:>7}  accuracy % of each set\n", "gene", "score", "weight", "emitted");
    for Row { name, score, weight, emitted, accuracies, .. } in rows {
        let accuracies: Vec<String> = accuracies.iter().map(|accuracy| format!("{:.2}", 100.0 * accuracy)).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<width$}  {score:>7.4}  {weight:>8.6}  {emitted:>7}  {}", accuracies.join("  "));
    }
    text.push_str(
        "the original's scheme: 0.7·mean + 0.3·(1 − deviation/mean), linear decay over 50 places, 16-bit weights",
    );
    output::line(text)
}
