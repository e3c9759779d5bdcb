//! `runner score`: given genes beside the usual losses, without a search.
use crate::cli::ScoreOptions;
use crate::failure::Failure;
use crate::gene::source::{self, Named};
use crate::mine::compare::{Comparison, Row, Scored, pair};
use crate::mine::finale::{LABEL, comparison};
use crate::mine::original;
use crate::mine::plan::Plan;
use crate::mine::race::{Race, race};
use crate::mine::records::{Circumstances, Score, Writer};
use crate::mine::service::Service;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::tune::{self, Tuning, tune};
use crate::mine::{table, workers};
use crate::output;
use crate::worker::{self, Isolation};
use automl_contract::exit;
use automl_contract::spec::{Evaluation, EvaluationSpec};
use automl_genome::known_losses;
use automl_lab::{Lab, Stage};
use automl_score::allocate;
use serde::Serialize;

const BASELINE: &str = "cross-entropy";
const DIFFERENCE: &str = "loss − cross-entropy, points";

/// A table, and how its losses were tuned where they were.
#[derive(Serialize)]
struct Tabled<T> {
    #[serde(flatten)]
    table: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    tuning: Option<Tuning>,
}

/// Trains with the known losses and the given genes on paired final seeds; each row's pair is gene − cross-entropy.
pub(crate) fn score(options: &ScoreOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let (evaluation, seed) = evaluation(options)?;
    let genes = options.genes.iter().map(|argument| source::load(argument)).collect::<Result<Vec<Named>, _>>()?;
    let lab = Lab::open(&evaluation, seed).map_err(Failure::bad_input)?;
    let lab = if options.original { lab.judging_all() } else { lab };
    let workers = workers(options.workers);
    let isolation = Isolation {
        evaluation: evaluation.clone(),
        seed,
        memory: worker::allowance(u64::from(options.worker_memory) << 20, workers),
        judges_all: options.original,
    };
    let place = if options.in_process { Place::InProcess(&lab) } else { Place::Isolated(&isolation) };
    let stop = &service.stop;
    if options.original {
        return original::score(&lab, place, genes, workers, options.json, stop).map_err(ended)?;
    }
    let (entrants, tuning, mut records) = if options.tuned {
        let settings = tune::Settings {
            trials: options.trials,
            // An interval takes two.
            seeds: evaluation.search_seeds.max(2),
            learning_rate: evaluation.learning_rate,
        };
        let (entrants, tuning, records) = tune(place, genes, settings, workers, stop).map_err(ended)?;
        (entrants, Some(tuning), records)
    } else {
        (with_known(genes), None, Vec::new())
    };
    let label = tuning.as_ref().map_or_else(|| LABEL.to_owned(), Tuning::label);
    let mut write = |scores: Vec<Score>| {
        records.extend(scores);
        match &options.records {
            Some(path) => Writer::create(path, &Circumstances::new(&lab, &evaluation, seed))?.append(&lab, &records),
            None => Ok(()),
        }
    };
    if options.race {
        let default = allocate::Plan::default();
        let plan = allocate::Plan { cap: options.seeds.unwrap_or(default.cap), ..default };
        let (mut table, scores) = race(&lab, place, &entrants, plan, workers, stop).map_err(ended)?;
        write(scores)?;
        table.label = label;
        return print(&Tabled { table, tuning }, options.json, Race::to_string);
    }
    let seeds = options.seeds.unwrap_or(evaluation.final_seeds);
    let trials = train_all(place, &entrants, Stage::Final, 0..seeds, workers, stop, &|_| ()).map_err(ended)?;
    write(trials.records)?;
    let mut table = beside_baseline(&lab, seeds, trials.scored);
    table.label = label;
    print(&Tabled { table, tuning }, options.json, |table| table::render(table, DIFFERENCE))
}

/// As the file says, or as the options imply.
fn evaluation(options: &ScoreOptions) -> Result<(Evaluation, u32), Failure> {
    Ok(match &options.file {
        Some(path) => {
            let plan = Plan::read(path)?;
            (plan.evaluation, plan.search.seed)
        }
        None if options.original => (original::evaluation(), 0),
        None => (EvaluationSpec::default().resolved(), 0),
    })
}

/// Each loss on the same seeds, paired with cross-entropy.
fn beside_baseline(lab: &Lab, seeds: u32, scored: Vec<Scored>) -> Comparison {
    let baseline = scored.iter().find(|one| one.name == BASELINE).cloned();
    let others = scored.len() - 1;
    let rows = scored.into_iter().map(|one| Row {
        pair: baseline.as_ref().filter(|_| one.name != BASELINE).and_then(|baseline| pair(&one, baseline, others)),
        scored: one,
    });
    comparison(lab, seeds, rows.collect())
}

fn print<T: Serialize>(tabled: &Tabled<T>, json: bool, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    if json {
        return output::json(tabled);
    }
    let text = text(&tabled.table);
    match &tabled.tuning {
        Some(tuning) => output::line(format!("{text}\n\n{tuning}")),
        None => output::line(text),
    }
}

/// The known losses, cross-entropy first, and the genes that are not among them.
fn with_known(genes: Vec<Named>) -> Vec<Entrant> {
    let mut entrants: Vec<Entrant> = known_losses().iter().map(|known| Entrant::new(known.key, known.gene())).collect();
    for Named { name, gene } in genes {
        if !entrants.iter().any(|entrant| entrant.name == name && entrant.gene == gene) {
            entrants.push(Entrant::new(name, gene));
        }
    }
    entrants
}

fn ended(error: TrialsError) -> Failure {
    match error {
        TrialsError::Interrupted => Failure { code: exit::CHECKPOINTED, message: "stopped; nothing was kept".into() },
        TrialsError::Broken(failure) => failure,
    }
}
