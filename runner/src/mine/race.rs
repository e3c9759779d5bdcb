//! `runner score --race`: many losses told apart with as few trainings as that takes.
//!
//! All get a few seeds, then ever more for those that may still be among the best ([`automl_score::allocate`]). Verdicts against
//! the champion hold together, however early a loss left.
use crate::mine::records::Score;
use crate::mine::table::{failed, points, words};
use crate::mine::trials::{Entrant, Place, TrialsError, records, train_each};
use automl_lab::{Lab, Stage};
use automl_score::allocate::{Allocation, Plan, Standing, Told};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;

/// What came of it; printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Race {
    /// What this comparison is and is not.
    pub label: String,
    dataset: String,
    /// Examples that accuracy is measured on.
    examples: usize,
    champion: String,
    plan: Plan,
    trainings: usize,
    /// Trainings, had every loss got as many seeds as the one with the most.
    flat_trainings: usize,
    /// The best first.
    standings: Vec<Runner>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Runner {
    name: String,
    expression: String,
    #[serde(flatten)]
    standing: Standing,
    /// Why trainings failed, by reason; a failed training counts as accuracy 0.
    reasons: BTreeMap<String, u32>,
}

/// Trains entrants on the final stage, the first of them being the champion that the others have to beat; also each
/// training's record.
pub(crate) fn race(
    lab: &Lab,
    place: Place<'_>,
    entrants: &[Entrant],
    plan: Plan,
    workers: usize,
    stop: &AtomicBool,
) -> Result<(Race, Vec<Score>), TrialsError> {
    let broken = |error: &dyn fmt::Display| TrialsError::Broken(crate::failure::Failure::bad_input(error.to_string()));
    let mut allocation = Allocation::new(entrants.len(), plan.clone()).map_err(|error| broken(&error))?;
    let mut reasons = vec![BTreeMap::new(); entrants.len()];
    let mut kept = Vec::new();
    loop {
        let pairs = allocation.ask();
        if pairs.is_empty() {
            break;
        }
        let outcomes = train_each(place, entrants, Stage::Final, &pairs, workers, stop, &|_| ())?;
        for (&(who, seed), outcome) in pairs.iter().zip(&outcomes) {
            let told = match &outcome.failure {
                None => Told::Accuracy(outcome.accuracy),
                Some(failure) => {
                    *reasons[who].entry(failure.reason().to_owned()).or_insert(0) += 1;
                    Told::Failed
                }
            };
            allocation.tell(who, seed, told).map_err(|error| broken(&error))?;
        }
        kept.extend(records(entrants, Stage::Final, &pairs, &outcomes));
    }
    let standings = allocation.report().map(|report| report.standings).unwrap_or_default();
    let most = standings.iter().map(|standing| standing.seeds as usize).max().unwrap_or(0);
    let runner = |standing: Standing| {
        let Entrant { name, gene, .. } = &entrants[standing.candidate];
        let reasons = std::mem::take(&mut reasons[standing.candidate]);
        Runner { name: name.clone(), expression: gene.to_string(), standing, reasons }
    };
    let (dataset, examples) = lab.about().judged(Stage::Final);
    let race = Race {
        label: String::new(),
        dataset,
        examples,
        champion: entrants.first().map(|champion| champion.name.clone()).unwrap_or_default(),
        plan,
        trainings: allocation.trainings(),
        flat_trainings: most * entrants.len(),
        standings: standings.into_iter().map(runner).collect(),
    };
    Ok((race, kept))
}

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.standings.iter().map(|one| one.name.chars().count()).max().unwrap_or(0).max(4);
        writeln!(f, "{:<width$}  seeds  accuracy %  loss − {}, points", "loss", self.champion)?;
        for Runner { name, standing, reasons, .. } in &self.standings {
            write!(f, "{name:<width$}  {:>5}  {:>10.2}", standing.seeds, 100.0 * standing.mean)?;
            if let Some(verdict) = standing.verdict {
                let difference = standing.difference.as_ref().map_or_else(|| "too few seeds".to_owned(), points);
                write!(f, "  {difference:<23}  {}", words(verdict))?;
            }
            writeln!(f, "{}", failed(reasons))?;
        }
        write!(
            f,
            "{}; {} trainings instead of {}; paired seeds, {} examples of {} that no search step saw; verdicts are wrong with {} % at most, \
             all together and whenever one stops; a mean that was chosen for being high is too high",
            self.label,
            self.trainings,
            self.flat_trainings,
            self.examples,
            self.dataset,
            100.0 * self.plan.error,
        )
    }
}
