//! Mining: `run`, `resume` and `score` on one machine, `island` in a pod.
//!
//! ```text
//! plan     what was asked, read and resolved     session  the search, generation by generation
//! folder   the run's files                       finale   choose the winner, compare it, write results
//! trials   many trainings at once   compare  intervals and verdicts   table, picture  for people
//! tune     learning rate and parameter of each loss   race  seeds where they tell losses apart   original  its scheme
//! records  what it takes to compute a score again    verify   does so
//! confirm  whether the best is better than what was published last
//! island   what a pod does: begin or go on, then hand over
//! display  progress at a terminal   service  signals and pages        gauges          metrics
//! ```
mod bench;
mod compare;
mod confirm;
mod display;
mod finale;
mod fitness;
mod folder;
mod gauges;
mod island;
mod original;
mod picture;
mod plan;
mod race;
mod records;
mod score;
pub(crate) mod service;
mod session;
mod table;
mod trials;
mod tune;
mod verify;

pub(crate) use bench::bench;
pub(crate) use confirm::{Side, confirm_in_ledger};
pub(crate) use island::island;
pub(crate) use score::score;
pub(crate) use verify::verify;

use crate::cli::{KeptIn, ResumeOptions, RunOptions, Running};
use crate::failure::Failure;
use folder::RunFolder;
use plan::Plan;
use service::Service;
use session::Session;

/// `runner run`: a new run in a new folder.
pub(crate) fn run(options: RunOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let plan = Plan::read(&options.file)?;
    let shared = service.share(plan.starting(options.island), options.running.address())?;
    if !options.running.json {
        let migrates = plan.search.migration.is_some() && options.kept.ledger.is_some();
        for field in plan.unused.iter().filter(|field| !(migrates && *field == "spec.replicas")) {
            eprintln!("note: {field} has no effect outside a cluster");
        }
        if plan.search.migration.is_some() && !migrates {
            eprintln!("note: spec.search.migration has no effect without --ledger: islands meet in a ledger");
        }
    }
    // Data and spec are checked before anything is written: a mistake leaves no folder behind.
    let lab = plan.open_lab()?;
    let engine = plan.new_engine(options.island)?;
    if shared.stopping() {
        let message = "stopped before the search began; nothing was written".to_owned();
        return Err(Failure { code: automl_contract::exit::CHECKPOINTED, message });
    }
    let keeper = plan.keeper(&options.kept, options.island, &shared, false)?;
    let folder = RunFolder::create(options.out.as_deref(), &plan.name)?;
    plan.write(&folder, options.island, &lab, keeper.as_ref())?;
    Session { plan, lab, engine, folder, island: options.island, running: options.running, shared, keeper }.go()
}

/// `runner resume`: goes on from the last checkpoint, up to a larger budget where one is given.
pub(crate) fn resume(options: ResumeOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let folder = RunFolder::open(&options.folder)?;
    let (mut plan, record) = Plan::reopen(&folder)?;
    plan.search.budget.evaluations = record.evaluations;
    if let Some(evaluations) = options.evaluations {
        if evaluations < record.evaluations {
            return Err(Failure::bad_input(format!(
                "--evaluations {evaluations} is less than this run's budget of {}: a run can be extended, not cut",
                record.evaluations
            )));
        }
        plan.search.budget.evaluations = evaluations;
    }
    let shared = service.share(plan.starting(record.island), options.running.address())?;
    let lab = plan.open_lab()?;
    if lab.about().processor != record.lab.processor {
        eprintln!(
            "note: this run began on a processor of class {} and goes on on {}: its numbers are then those of neither alone",
            record.lab.processor,
            lab.about().processor
        );
    }
    let engine = plan.restored_engine(&folder, record.island)?;
    // The session reads it again; here a damaged one is found before anything is written.
    folder.lines::<automl_search::Report>(folder::HISTORY)?;
    records::check(&folder.path(records::FILE))?;
    if shared.stopping() {
        return Err(session::stopped(&folder));
    }
    let kept = KeptIn { run_name: options.kept.run_name.clone().or(record.kept_as.clone()), ..options.kept };
    if let (Some(name), None) = (&record.kept_as, &kept.ledger) {
        return Err(Failure::usage(format!("this run is kept in a ledger, as {name}: name it with --ledger")));
    }
    let keeper = plan.keeper(&kept, record.island, &shared, false)?;
    plan.write(&folder, record.island, &lab, keeper.as_ref())?;
    Session { plan, lab, engine, folder, island: record.island, running: options.running, shared, keeper }.go()
}

/// The number of trainings at once: as asked, else one per processor.
pub(crate) fn workers(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

impl Running {
    fn address(&self) -> Option<std::net::SocketAddr> {
        self.port.map(|port| (self.bind, port).into())
    }
}
