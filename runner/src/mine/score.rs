//! `runner score`: given genes beside the usual losses, without a search.
use crate::cli::ScoreOptions;
use crate::failure::Failure;
use crate::gene::source;
use crate::mine::compare::{Row, pair};
use crate::mine::finale::comparison;
use crate::mine::plan::Plan;
use crate::mine::records::{Circumstances, Writer};
use crate::mine::service::Service;
use crate::mine::trials::{Entrant, TrialsError, train_all};
use crate::mine::{table, workers};
use crate::output;
use automl_contract::exit;
use automl_contract::spec::EvaluationSpec;
use automl_genome::known_losses;
use automl_lab::{Lab, Stage};

const BASELINE: &str = "cross-entropy";

/// Trains with the known losses and the given genes on paired final seeds; each row's pair is gene − cross-entropy.
pub(crate) fn score(options: &ScoreOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let (evaluation, seed) = match &options.file {
        Some(path) => {
            let plan = Plan::read(path)?;
            (plan.evaluation, plan.search.seed)
        }
        None => (EvaluationSpec::default().resolved(), 0),
    };
    let mut entrants: Vec<Entrant> =
        known_losses().iter().map(|known| Entrant::new(known.key, known.gene())).collect();
    for argument in &options.genes {
        let named = source::load(argument)?;
        if !entrants.iter().any(|entrant| entrant.name == named.name && entrant.gene == named.gene) {
            entrants.push(Entrant::new(named.name, named.gene));
        }
    }
    let lab = Lab::open(&evaluation, seed).map_err(Failure::bad_input)?;
    let seeds = options.seeds.unwrap_or(evaluation.final_seeds);
    let trained = train_all(&lab, &entrants, Stage::Final, seeds, workers(options.workers), &service.stop, &|_| ());
    let trials = trained.map_err(|error| match error {
        TrialsError::Interrupted => Failure { code: exit::CHECKPOINTED, message: "stopped; nothing was kept".into() },
        TrialsError::Broken(failure) => failure,
    })?;
    if let Some(path) = &options.records {
        Writer::create(path, &Circumstances::new(&lab, &evaluation, seed))?.append(&trials.records)?;
    }
    let scored = trials.scored;
    let baseline = scored.iter().find(|one| one.name == BASELINE).cloned();
    let others = scored.len() - 1;
    let rows = scored.into_iter().map(|one| Row {
        pair: baseline.as_ref().filter(|_| one.name != BASELINE).and_then(|baseline| pair(&one, baseline, others)),
        scored: one,
    });
    let comparison = comparison(&lab, seeds, rows.collect());
    if options.json {
        return output::json(&comparison);
    }
    output::line(table::render(&comparison, "loss − cross-entropy, points"))
}
