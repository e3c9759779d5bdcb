//! Whether a run's best gene is better than the one that was published last: found out on seeds of their own.
//!
//! A run that searches on does this from time to time, so that what it finds is published before it ends. It draws on nothing
//! that the search draws on: with and without, a search finds the same.
use crate::failure::Failure;
use crate::mine::finale::{FINALISTS, winner_of};
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::workers;
use crate::runs::{Keeper, Run};
use crate::submit::{Against, Confirmation, Difference, FORMAT, Publications, confirmation_name, publishable};
use automl_contract::archive::{Found, front};
use automl_contract::spec::Evaluation;
use automl_genome::{Gene, Limits, known_losses, parse};
use automl_lab::{Lab, Stage};
use automl_ledger::{Entry, Filter, Kind, Ledger, Record};
use automl_score::{differences, interval};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::runtime::Handle;

/// Trainings of a search for each training of a confirmation.
const SHARE: u64 = 10;
/// Final seeds from here on are of confirmations alone; those below are of the comparison at a run's end.
const FIRST_SEED: u32 = 1 << 31;

/// Seeds of a confirmation at least: fewer prove little, and late attempts nothing.
const FEWEST_SEEDS: u32 = 8;
/// And at most: what a spec may have as final seeds.
const MOST_SEEDS: u32 = 10_000;

/// Where a confirmation is written down.
pub(crate) trait Book {
    /// All records of a kind.
    fn all(&self, filter: &Filter) -> Result<Vec<Record>, Failure>;
    /// Writes a record, unless one of that name is there; says whether it is ours.
    fn offer(&self, entry: Entry) -> Result<bool, Failure>;
}

/// What trains.
pub(crate) struct Ground<'a> {
    pub lab: &'a Lab,
    pub evaluation: &'a Evaluation,
    pub workers: usize,
    pub stop: &'a AtomicBool,
}

/// Whose gene it is, and for whom.
pub(crate) struct Side<'a> {
    pub submitter: &'a str,
    pub run: &'a str,
    pub island: u32,
}

/// How many trainings a search shall do before the next confirmation, for that to cost little beside it.
pub(crate) fn pause(evaluation: &Evaluation) -> u64 {
    let select = FINALISTS as u64 * u64::from(evaluation.select_seeds);
    SHARE * (select + 2 * u64::from(evaluation.final_seeds))
}

/// Chooses among the candidates, and lets the chosen one meet what was published last; writes down what came of it. `None`
/// where it has met it before, or is it.
pub(crate) fn confirm(
    book: &dyn Book,
    ground: &Ground<'_>,
    side: &Side<'_>,
    candidates: &[Gene],
) -> Result<Option<Confirmation>, TrialsError> {
    let broken = TrialsError::Broken;
    let published = book.all(&Publications::filter(side.submitter)).map_err(broken)?;
    let against = published_last(&Publications::of(&published).map_err(broken)?);
    let filter = Filter { kind: Some(Kind::Confirmation), scope: Some(side.run.to_owned()) };
    let written = book.all(&filter).map_err(broken)?;
    let prefix = format!("{}.", side.island);
    let number = written.iter().filter(|record| record.name.key().starts_with(&prefix)).count();
    let known: Vec<Confirmation> =
        written.iter().filter_map(|record| serde_json::from_slice(&record.body).ok()).collect();
    let met = |one: &&Confirmation| one.submitter == side.submitter && one.against == against;
    // Nobody could read another: it is not written as the original's file.
    let candidates: Vec<Gene> = candidates.iter().filter(|gene| publishable(&gene.to_string())).cloned().collect();
    let Some(gene) = best_of(ground, &candidates)? else { return Ok(None) };
    let text = gene.to_string();
    if text == against.gene || known.iter().filter(met).any(|one| one.gene == text) {
        return Ok(None);
    }
    let attempt = 1 + known.iter().filter(met).filter(|one| one.island == side.island).count() as u32;
    let confirmation = meet(ground, side, &gene, against, attempt)?;
    let name = confirmation_name(side.run, side.island, number).map_err(|error| broken(Failure::internal(error)))?;
    let body = serde_json::to_vec(&confirmation).map_err(|error| broken(Failure::internal(error)))?;
    if book.offer(Entry { name, body }).map_err(broken)? {
        return Ok(Some(confirmation));
    }
    Err(broken(Failure::bad_input("another process has just confirmed a gene of this island: try again")))
}

/// What a gene has to be better than: a usual loss where nothing was published yet.
fn published_last(published: &Publications) -> Against {
    match published.last() {
        Some(last) => Against { publication: last.number, gene: last.gene.clone() },
        None => Against {
            publication: 0,
            gene: known_losses().first().map_or_else(String::new, |known| known.gene().to_string()),
        },
    }
}

/// The winner on the seeds that choose among finalists.
fn best_of(ground: &Ground<'_>, candidates: &[Gene]) -> Result<Option<Gene>, TrialsError> {
    if candidates.len() < 2 {
        return Ok(candidates.first().cloned());
    }
    let scored = ground.train(candidates, Stage::Select, 0..ground.evaluation.select_seeds)?;
    Ok(candidates.get(winner_of(&scored)).cloned())
}

fn meet(
    ground: &Ground<'_>,
    side: &Side<'_>,
    gene: &Gene,
    against: Against,
    attempt: u32,
) -> Result<Confirmation, TrialsError> {
    let broken = |error: &dyn std::fmt::Display| TrialsError::Broken(Failure::bad_input(error));
    // Any vocabulary that there is: it may have been published by another run.
    let other = parse(&against.gene, &Limits::default()).map_err(|error| broken(&error))?;
    let first = first_seed(side, &against, attempt);
    let seeds = first..first + ground.evaluation.final_seeds.clamp(FEWEST_SEEDS, MOST_SEEDS);
    let scored = ground.train(&[gene.clone(), other], Stage::Final, seeds)?;
    let [ours, theirs] = &scored[..] else { return Err(broken(&"a gene was not trained")) };
    // The k-th attempt may err with 1/(k(k+1)) of the chance that all have together, and so may the k-th island: however many
    // there are, that is the sum.
    let part = |k: u32| (k as usize).saturating_mul((k as usize).saturating_add(1));
    let comparisons = part(attempt).saturating_mul(part(side.island.saturating_add(1)));
    let found = interval(&differences(&ours.accuracies, &theirs.accuracies), comparisons);
    let found = found.ok_or_else(|| broken(&"the differences of accuracy have no interval"))?;
    let (dataset, examples) = ground.lab.about().judged(Stage::Final);
    // Accuracies come in steps: differences that happen to be equal are no proof that they always are.
    let step = 1.0 / examples.max(1) as f64;
    let difference =
        Difference { mean: found.mean, low: found.low.min(found.mean - step), high: found.high.max(found.mean + step) };
    Ok(Confirmation {
        format: FORMAT,
        submitter: side.submitter.to_owned(),
        island: side.island,
        gene: gene.to_string(),
        against,
        attempt,
        first_seed: first,
        accuracies: ours.accuracies.clone(),
        against_accuracies: theirs.accuracies.clone(),
        difference,
        dataset,
        examples,
    })
}

/// Where the seeds of this attempt begin: elsewhere than those of any other, and nobody's choice.
fn first_seed(side: &Side<'_>, against: &Against, attempt: u32) -> u32 {
    let Side { submitter, run, island, .. } = side;
    let digest = Sha256::digest(format!("{submitter}\n{run}\n{island}\n{}\n{attempt}", against.publication));
    let drawn = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    FIRST_SEED + drawn % (FIRST_SEED - MOST_SEEDS)
}

impl Ground<'_> {
    fn train(
        &self,
        genes: &[Gene],
        stage: Stage,
        seeds: Range<u32>,
    ) -> Result<Vec<crate::mine::compare::Scored>, TrialsError> {
        let entrants: Vec<Entrant> = genes.iter().map(|gene| Entrant::new("gene", gene.clone())).collect();
        let place = Place::InProcess(self.lab);
        Ok(train_all(place, &entrants, stage, seeds, self.workers, self.stop, &|_| ())?.scored)
    }
}

impl Book for Keeper {
    fn all(&self, filter: &Filter) -> Result<Vec<Record>, Failure> {
        self.records(filter)
    }

    fn offer(&self, entry: Entry) -> Result<bool, Failure> {
        Keeper::offer(self, &[entry])
    }
}

/// A ledger that is asked once.
struct Asked<'a> {
    ledger: &'a dyn Ledger,
    runtime: &'a Handle,
}

impl Book for Asked<'_> {
    fn all(&self, filter: &Filter) -> Result<Vec<Record>, Failure> {
        Ok(self.runtime.block_on(self.ledger.all(filter, 0))?)
    }

    fn offer(&self, entry: Entry) -> Result<bool, Failure> {
        match self.runtime.block_on(self.ledger.append(vec![entry])) {
            Err(error) if error.is_conflict() => Ok(false),
            told => Ok(told.map(|_| true)?),
        }
    }
}

/// The fittest of the genes that joined an archive, the best first.
fn fittest(genes: Vec<Found>) -> Vec<String> {
    let mut archive = front(genes);
    archive.retain(|found| found.fitness > 0.0);
    archive.sort_by(|one, other| other.fitness.total_cmp(&one.fitness));
    archive.truncate(FINALISTS);
    archive.into_iter().map(|found| found.gene).collect()
}

/// Confirms the best genes of runs that are in a ledger and do so no more, or never did. `met` has each run's last
/// confirmation against what is published now: one that has found nothing since is left out.
pub(crate) fn confirm_in_ledger(
    ledger: &Arc<dyn Ledger>,
    runtime: &Handle,
    submitter: &str,
    runs: &[String],
    met: &BTreeMap<String, u64>,
    asked: Option<u16>,
) -> Result<(), Failure> {
    let stop = AtomicBool::new(false);
    for name in runs {
        let (run, winners, genes, has_new) = runtime.block_on(async {
            let run = Run::of(Arc::clone(ledger), name).await?;
            let has_new = run.found_since(met.get(name).copied()).await?;
            let (genes, newest) = run.genes_and_newest().await?;
            let winners = run.winners_since(newest).await?;
            Ok::<_, Failure>((run, winners, genes, has_new))
        })?;
        if !has_new {
            continue;
        }
        let (evaluation, seed) = run.scored_by()?;
        let texts = if winners.is_empty() { fittest(genes) } else { winners };
        let candidates = texts.iter().map(|text| parse(text, &Limits::default()));
        let candidates: Vec<Gene> = candidates.collect::<Result<_, _>>().map_err(Failure::bad_input)?;
        let lab = Lab::open(&evaluation, seed).map_err(Failure::bad_input)?;
        let ground = Ground { lab: &lab, evaluation: &evaluation, workers: workers(asked), stop: &stop };
        let side = Side { submitter, run: name, island: 0 };
        eprintln!("confirming the best of {name} on fresh seeds");
        let told = confirm(&Asked { ledger: &**ledger, runtime }, &ground, &side, &candidates);
        match told {
            Ok(Some(_)) => {}
            Ok(None) if candidates.is_empty() => eprintln!("note: {name} has found nothing yet"),
            Ok(None) => eprintln!("note: the best of {name} that can be published is, or was found to be no better"),
            Err(TrialsError::Broken(failure)) => return Err(failure),
            Err(TrialsError::Interrupted) => return Err(Failure::internal("the confirmation was interrupted")),
        }
    }
    Ok(())
}
