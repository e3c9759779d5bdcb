//! Tuning: every loss of a table gets the same number of trials, and only its best meets the others.
//!
//! At a learning rate that suits one loss another looks worse than it is, and a parameter like focal loss's gamma is part
//! of the loss. So each loss is tried with several multiples of the settings' learning rate and, where it has a parameter
//! of its own, several values of that; the trials are the same points of a low-discrepancy sequence for all, are judged on
//! the search stage's seeds and examples, and the best one (the first of equals) goes on to the final stage, where all is
//! fresh and paired. A candidate gene has no parameter of its own: its numbers are its discoverer's.
use crate::gene::source::Named;
use crate::mine::compare::Scored;
use crate::mine::records::Score;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use automl_genome::{Gene, KnownLoss, LossFamily};
use automl_lab::Stage;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::AtomicBool;

/// The losses that a candidate has to beat, cross-entropy first.
const BASELINES: [&str; 5] = ["cross-entropy", "label-smoothing", "focal", "poly1", "mse"];
/// The learning rate is tried from the settings' divided by this to the settings' multiplied by it.
const REACH: f64 = 10.0;
/// The plastic number's reciprocals: the steps of the sequence R2 (M. Roberts 2018, "The unreasonable effectiveness of
/// quasirandom sequences"), an additive recurrence that fills the square evenly however many points are taken.
const STEPS: [f64; 2] = [0.754_877_666_246_692_7, 0.569_840_290_998_053_3];

/// What was tried and chosen; printed with the table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tuning {
    /// Per loss.
    trials: u16,
    /// Search seeds that each trial is the mean of.
    seeds: u32,
    /// Multiples of the settings' learning rate: the least and the most.
    learning_rate_scales: [f64; 2],
    chosen: Vec<Chosen>,
}

/// The best trial of one loss.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chosen {
    name: String,
    learning_rate: f64,
    learning_rate_scale: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<Parameter>,
    /// Mean accuracy of the trial: the best of many, so too high an estimate.
    search_accuracy: f64,
}

#[derive(Clone, Serialize)]
struct Parameter {
    name: &'static str,
    low: f64,
    high: f64,
    value: f64,
}

/// One loss with one learning rate and parameter.
struct Trial {
    entrant: Entrant,
    parameter: Option<Parameter>,
}

/// A loss to be tuned.
enum Loss {
    Fixed(String, Gene),
    Family(&'static LossFamily),
}

/// The usual losses and the given genes, each at its best of `trials`; what was chosen; every training's record.
pub(crate) fn tune(
    place: Place<'_>,
    genes: Vec<Named>,
    settings: Settings,
    workers: usize,
    stop: &AtomicBool,
) -> Result<(Vec<Entrant>, Tuning, Vec<Score>), TrialsError> {
    let losses = losses(genes);
    let points: Vec<[f64; 2]> = (0..settings.trials).map(point).collect();
    let trials: Vec<Trial> = losses.iter().flat_map(|loss| points.iter().map(|&point| trial(loss, point))).collect();
    let entrants: Vec<Entrant> = trials.iter().map(|trial| trial.entrant.clone()).collect();
    let trained = train_all(place, &entrants, Stage::Search, 0..settings.seeds, workers, stop, &|_| ())?;
    let per_loss = usize::from(settings.trials);
    let best = trials
        .chunks(per_loss)
        .zip(trained.scored.chunks(per_loss))
        .filter_map(|(trials, scored)| best(trials, scored));
    let (mut entrants, mut chosen) = (Vec::new(), Vec::new());
    for (trial, search_accuracy) in best {
        let scale = trial.entrant.learning_rate_scale.unwrap_or(1.0);
        chosen.push(Chosen {
            name: trial.entrant.name.clone(),
            learning_rate: scale * settings.learning_rate,
            learning_rate_scale: scale,
            parameter: trial.parameter.clone(),
            search_accuracy,
        });
        entrants.push(trial.entrant.clone());
    }
    let Settings { trials, seeds, .. } = settings;
    let tuning = Tuning { trials, seeds, learning_rate_scales: [REACH.recip(), REACH], chosen };
    Ok((entrants, tuning, trained.records))
}

/// How much is tried, and around what.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// Per loss.
    pub trials: u16,
    /// Of the search stage.
    pub seeds: u32,
    /// The evaluation's.
    pub learning_rate: f64,
}

/// The baselines, then the genes that are not among them.
fn losses(genes: Vec<Named>) -> Vec<Loss> {
    let baseline = |key: &&'static str| match LossFamily::find(key) {
        Some(family) => Some(Loss::Family(family)),
        None => KnownLoss::find(key).map(|known| Loss::Fixed(known.key.to_owned(), known.gene())),
    };
    let mut losses: Vec<Loss> = BASELINES.iter().filter_map(baseline).collect();
    for Named { name, gene } in genes {
        let there = |loss: &Loss| match loss {
            Loss::Fixed(fixed, same) => *fixed == name && *same == gene,
            Loss::Family(family) => {
                family.key == name && KnownLoss::find(&name).is_some_and(|known| known.gene() == gene)
            }
        };
        if !losses.iter().any(there) {
            losses.push(Loss::Fixed(name, gene));
        }
    }
    losses
}

/// The point of this number of the sequence; the first is the middle, so the settings' own learning rate is always tried.
fn point(number: u16) -> [f64; 2] {
    STEPS.map(|step| (0.5 + step * f64::from(number)).fract())
}

fn trial(loss: &Loss, [rate, own]: [f64; 2]) -> Trial {
    let scale = Some(rounded(REACH.powf(2.0 * rate - 1.0)));
    match loss {
        Loss::Fixed(name, gene) => Trial {
            entrant: Entrant { name: name.clone(), gene: gene.clone(), learning_rate_scale: scale },
            parameter: None,
        },
        Loss::Family(family) => {
            let LossFamily { key, parameter: name, low, high, .. } = **family;
            let value = rounded(low + (high - low) * own);
            Trial {
                entrant: Entrant { name: key.to_owned(), gene: family.gene(value), learning_rate_scale: scale },
                parameter: Some(Parameter { name, low, high, value }),
            }
        }
    }
}

/// To four significant digits, to the very double that those mean: what is written down is what was trained with.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn best<'a>(trials: &'a [Trial], scored: &[Scored]) -> Option<(&'a Trial, f64)> {
    let with_means = trials.iter().zip(scored.iter().map(mean));
    with_means.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

fn mean(scored: &Scored) -> f64 {
    scored.accuracies.iter().sum::<f64>() / scored.accuracies.len().max(1) as f64
}

impl Tuning {
    /// Says what the table is.
    pub(crate) fn label(&self) -> String {
        let [low, high] = self.learning_rate_scales;
        format!(
            "each loss tuned: the best of {} trials on {} search seed(s), learning rate × {low} to × {high} and the loss's own parameter",
            self.trials, self.seeds
        )
    }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chosen:")?;
        for Chosen { name, learning_rate, parameter, .. } in &self.chosen {
            write!(f, "\n  {name}: learning rate {}", rounded(*learning_rate))?;
            if let Some(Parameter { name, low, high, value }) = parameter {
                write!(f, ", {name} {value} (of {low} to {high})")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_begins_in_the_middle_and_fills_the_square() {
        assert!(point(0).iter().all(|half| (half - 0.5).abs() < 1e-12));
        // Sixteen points: every quarter of each side has three to five, every quarter of the square at least two.
        let points: Vec<[f64; 2]> = (0..16).map(point).collect();
        for side in 0..2 {
            for quarter in 0..4 {
                let within = points.iter().filter(|point| (point[side] * 4.0) as usize == quarter).count();
                assert!((3..=5).contains(&within), "{within} in quarter {quarter} of side {side}");
            }
        }
        for corner in 0..4 {
            let within = points.iter().filter(|[a, b]| (a * 2.0) as usize * 2 + (b * 2.0) as usize == corner).count();
            assert!(within >= 2, "{within} in corner {corner}");
        }
    }

    #[test]
    fn trials_stay_in_their_ranges_and_are_the_same_for_all() {
        let losses = losses(Vec::new());
        assert_eq!(losses.len(), BASELINES.len());
        for number in 0..1000 {
            let trials: Vec<Trial> = losses.iter().map(|loss| trial(loss, point(number))).collect();
            let scale = trials[0].entrant.learning_rate_scale.unwrap();
            assert!((0.1..=10.0).contains(&scale));
            for Trial { entrant, parameter } in &trials {
                assert_eq!(entrant.learning_rate_scale, Some(scale));
                if let Some(Parameter { low, high, value, .. }) = parameter {
                    assert!((low..=high).contains(&value));
                }
            }
        }
        assert_eq!(trial(&losses[0], point(0)).entrant.learning_rate_scale, Some(1.0));
    }
}
