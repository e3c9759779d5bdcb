//! `runner score`: given genes beside the usual losses, without a search.
use crate::cli::ScoreOptions;
use crate::failure::Failure;
use crate::gene::source::{self, Named};
use crate::mine::compare::{Row, pair};
use crate::mine::finale::comparison;
use crate::mine::original;
use crate::mine::plan::Plan;
use crate::mine::records::{Circumstances, Writer};
use crate::mine::service::Service;
use crate::mine::trials::{Entrant, Place, TrialsError, train_all};
use crate::mine::tune::{self, Tuned, tune};
use crate::mine::{table, workers};
use crate::output;
use crate::worker::{self, Isolation};
use automl_contract::exit;
use automl_contract::spec::EvaluationSpec;
use automl_genome::known_losses;
use automl_lab::{Lab, Stage};

const BASELINE: &str = "cross-entropy";
const DIFFERENCE: &str = "loss − cross-entropy, points";

/// Trains with the known losses and the given genes on paired final seeds; each row's pair is gene − cross-entropy.
pub(crate) fn score(options: &ScoreOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let (evaluation, seed) = match &options.file {
        Some(path) => {
            let plan = Plan::read(path)?;
            (plan.evaluation, plan.search.seed)
        }
        None if options.original => (original::evaluation(), 0),
        None => (EvaluationSpec::default().resolved(), 0),
    };
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
    if options.original {
        return original::score(&lab, place, genes, workers, options.json, &service.stop).map_err(ended)?;
    }
    let (entrants, tuning, mut records) = if options.tuned {
        let settings = tune::Settings {
            trials: options.trials,
            // An interval takes two.
            seeds: evaluation.search_seeds.max(2),
            learning_rate: evaluation.learning_rate,
        };
        let tuned = tune(place, genes, settings, workers, &service.stop).map_err(ended)?;
        (tuned.0, Some(tuned.1), tuned.2)
    } else {
        (with_known(genes), None, Vec::new())
    };
    let seeds = options.seeds.unwrap_or(evaluation.final_seeds);
    let trials = train_all(place, &entrants, Stage::Final, seeds, workers, &service.stop, &|_| ()).map_err(ended)?;
    if let Some(path) = &options.records {
        records.extend(trials.records);
        Writer::create(path, &Circumstances::new(&lab, &evaluation, seed))?.append(&records)?;
    }
    let scored = trials.scored;
    let baseline = scored.iter().find(|one| one.name == BASELINE).cloned();
    let others = scored.len() - 1;
    let rows = scored.into_iter().map(|one| Row {
        pair: baseline.as_ref().filter(|_| one.name != BASELINE).and_then(|baseline| pair(&one, baseline, others)),
        scored: one,
    });
    let mut comparison = comparison(&lab, seeds, rows.collect());
    let Some(tuning) = tuning else {
        return if options.json {
            output::json(&comparison)
        } else {
            output::line(table::render(&comparison, DIFFERENCE))
        };
    };
    comparison.label = tuning.label();
    if options.json {
        return output::json(&Tuned { comparison, tuning });
    }
    output::line(format!("{}\n\n{tuning}", table::render(&comparison, DIFFERENCE)))
}

/// The known losses, and the genes that are not among them.
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
