//! `runner island`: what a pod of a MinerRun does. It begins or goes on, and when it has finished it stays until what it
//! has found is kept elsewhere: with the pod goes the folder.
use crate::cli::IslandOptions;
use crate::failure::Failure;
use crate::mine::folder::{self, RunFolder};
use crate::mine::plan::{Plan, Record};
use crate::mine::records;
use crate::mine::service::{Service, Shared};
use crate::mine::session::{self, Session};
use automl_contract::pod;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the kubelet reads what a container says last.
const LAST_WORDS: &str = "/dev/termination-log";
/// How often a finished island looks whether it may end.
const GLANCE: Duration = Duration::from_millis(100);

pub(crate) fn island(options: IslandOptions) -> Result<(), Failure> {
    if pod::listed(&options.finished, options.island) {
        eprintln!("island {} has finished before; nothing is left to do", options.island);
        return Ok(());
    }
    let service = Service::start()?;
    let mut plan = Plan::read(&options.file)?;
    let shared = service.share(plan.starting(options.island), options.running.address())?;
    if plan.search.migration.is_some() && options.kept.ledger.is_none() {
        let message =
            "spec.search.migration: islands give each other genes through a ledger, and none is named (--ledger)";
        return Err(Failure::bad_input(message));
    }
    let lab = plan.open_lab()?;
    let keeper = plan.keeper(&options.kept, options.island, &shared, true)?;
    let (folder, engine) = if options.out.join("minerrun.yaml").exists() {
        let folder = RunFolder::open(&options.out)?;
        let (_, record) = Plan::reopen(&folder)?;
        same_island(&record, options.island, &options.out)?;
        // A run can be extended, not cut.
        plan.search.budget.evaluations = plan.search.budget.evaluations.max(record.evaluations);
        let engine = plan.restored_engine(&folder, options.island)?;
        folder.lines::<automl_search::Report>(folder::HISTORY)?;
        records::check(&folder.path(records::FILE))?;
        (folder, engine)
    } else {
        let engine = plan.new_engine(options.island)?;
        (RunFolder::create(Some(&options.out), &plan.name)?, engine)
    };
    if shared.stopping() {
        return Err(session::stopped(&folder));
    }
    plan.write(&folder, options.island, &lab, keeper.as_ref())?;
    shared.shows_archive_of(folder.path(folder::ARCHIVE));
    let running = options.running;
    Session { plan, lab, engine, folder, island: options.island, running, shared: shared.clone(), keeper }.go()?;
    hand_over(&shared, Duration::from_secs(options.hand_over))
}

fn same_island(record: &Record, island: u32, folder: &Path) -> Result<(), Failure> {
    if record.island == island {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "{} holds island {} and this is island {island}: give each island a folder of its own",
        folder.display(),
        record.island
    )))
}

/// Waits until the results are fetched. Told to stop before, it says that it is not done: the next pod hands them over.
fn hand_over(shared: &Shared, patience: Duration) -> Result<(), Failure> {
    if patience.is_zero() {
        return Ok(());
    }
    let began = Instant::now();
    eprintln!("finished; waits for the results to be fetched");
    while !shared.wait_for_release(GLANCE) {
        if shared.stopping() {
            let message = "stopped before the results were fetched; the next pod hands them over".to_owned();
            return Err(Failure { code: automl_contract::exit::CHECKPOINTED, message });
        }
        if began.elapsed() > patience {
            eprintln!("nobody fetched the results within {} s; they stay in the folder", patience.as_secs());
            break;
        }
    }
    last_words(shared);
    Ok(())
}

/// Leaves the progress with the kubelet, best gene included: it lives as long as the pod's object.
fn last_words(shared: &Shared) {
    let Ok(text) = serde_json::to_string(&*shared.progress()) else { return };
    let file = OpenOptions::new().write(true).truncate(true).open(LAST_WORDS);
    // Outside a pod there is none.
    let _ = file.and_then(|mut file| file.write_all(text.as_bytes()));
}
