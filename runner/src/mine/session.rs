//! The search, generation by generation: step, write down, tell.
use crate::cli::Running;
use crate::failure::{Failure, program};
use crate::mine::confirm::{self, Ground};
use crate::mine::display::Display;
use crate::mine::finale;
use crate::mine::fitness::MeanAccuracy;
use crate::mine::folder::{ARCHIVE, COMPARISON, HISTORY, RunFolder, append_line};
use crate::mine::plan::{CHECKPOINT, Plan, now};
use crate::mine::records::{self, Circumstances, Kept, Writer};
use crate::mine::service::Shared;
use crate::mine::trials::TrialsError;
use crate::mine::workers;
use crate::runs::{Keeper, Step};
use crate::submit::publishable;
use automl_contract::exit;
use automl_contract::metrics::{self, Outcome};
use automl_contract::progress::{Best, Phase, Progress};
use automl_genome::Gene;
use automl_lab::{Lab, Stage};
use automl_search::{Clock, Engine, Entry, Report, StepError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A search that is about to begin or go on.
pub(crate) struct Session {
    pub plan: Plan,
    pub lab: Lab,
    pub engine: Engine,
    pub folder: RunFolder,
    pub island: u32,
    pub running: Running,
    pub shared: Arc<Shared>,
    /// The ledger that it is kept in.
    pub keeper: Option<Keeper>,
}

impl Session {
    /// Searches until the budget is used, then chooses and compares the winner.
    pub(crate) fn go(mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let ended = self.search_and_compare(&shared);
        let mut progress = shared.progress();
        match &ended {
            Ok(()) => progress.phase = Phase::Done,
            Err(failure) if failure.code == exit::CHECKPOINTED => progress.phase = Phase::Stopped,
            Err(failure) => {
                progress.phase = Phase::Failed;
                progress.message = Some(failure.message.clone());
            }
        }
        drop(progress);
        ended
    }

    fn search_and_compare(&mut self, shared: &Arc<Shared>) -> Result<(), Failure> {
        *shared.progress() =
            Progress { phase: Phase::Starting, ..progress_of(&self.plan, self.island, &self.engine, &[]) };
        let mut display = Display::new(self.running.json, self.plan.search.budget.evaluations);
        self.announce(&display);
        display.beginning(&shared.progress());
        let circumstances = Circumstances::new(&self.lab, &self.plan.evaluation, self.plan.search.seed);
        let (whole, part) = (self.trained_up_to_checkpoint()?, self.engine.trained_in_part());
        let path = self.folder.path(records::FILE);
        let mut records = Writer::go_on(&path, &circumstances, whole + part)?;
        let history = self.history_up_to_checkpoint()?;
        let history = self.catch_up(&display, history, &mut records, || Writer::go_on(&path, &circumstances, whole))?;
        let history = self.search(shared, &mut display, &mut records, history)?;
        let finale = finale::Finale {
            plan: &self.plan,
            lab: &self.lab,
            engine: &self.engine,
            folder: &self.folder,
            workers: workers(self.running.workers),
            json: self.running.json,
        };
        let winner = finale.play(shared, &display, &history, &mut records)?;
        if let (Some(keeper), Some(comparison)) = (&self.keeper, self.folder.read(COMPARISON)?) {
            keeper.keep_results(self.engine.evaluations(), comparison)?;
        }
        let Some(winner) = winner else { return Ok(()) };
        let winner = if publishable(&winner.to_string()) { vec![winner] } else { self.finalists() };
        self.confirm(&display, || winner)
    }

    /// Lets the best of these meet what was published last, where somebody publishes. What keeps it from that is said, and the
    /// search goes on.
    fn confirm(&self, display: &Display, candidates: impl FnOnce() -> Vec<Gene>) -> Result<(), Failure> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let Some(side) = keeper.side() else { return Ok(()) };
        let ground = Ground {
            lab: &self.lab,
            evaluation: &self.plan.evaluation,
            workers: workers(self.running.workers),
            stop: &self.shared.stop,
        };
        match confirm::confirm(keeper, &ground, &side, &candidates()) {
            Ok(Some(confirmation)) => display.remark(&confirmation.to_string()),
            Ok(None) => {}
            Err(TrialsError::Interrupted) => return Err(stopped(&self.folder)),
            Err(TrialsError::Broken(failure)) if self.shared.stopping() => return Err(failure),
            Err(TrialsError::Broken(failure)) => display.remark(&format!("no gene is confirmed: {}", failure.message)),
        }
        Ok(())
    }

    /// The fittest of the archive.
    fn finalists(&self) -> Vec<Gene> {
        finale::finalists(self.engine.archive()).into_iter().map(|entry| entry.gene.clone()).collect()
    }

    /// Takes over what the ledger has and the folder has not. `whole` is the folder's records without those of a generation
    /// that it has in part.
    fn catch_up(
        &mut self,
        display: &Display,
        mut history: Vec<Report>,
        records: &mut Writer,
        whole: impl Fn() -> Result<Writer, Failure>,
    ) -> Result<Vec<Report>, Failure> {
        let Some(keeper) = &self.keeper else { return Ok(history) };
        keeper.knows(&self.engine)?;
        let before = self.engine.generation();
        while let Some((report, lines)) = keeper.catch_up(&mut self.engine)? {
            if report.generation == before {
                history.retain(|known| known.generation < before);
                *records = whole()?;
            }
            records.append_lines(&lines)?;
            history.push(report);
        }
        if self.engine.generation() > before {
            self.folder.write_lines(HISTORY, &history)?;
            self.folder.write(CHECKPOINT, &self.engine.checkpoint())?;
            self.folder.write_lines(ARCHIVE, self.engine.archive())?;
            let generation = self.engine.generation();
            display.remark(&format!(
                "the ledger has {generation} generations, and the folder had {before}: going on from there"
            ));
        }
        Ok(history)
    }

    fn announce(&self, display: &Display) {
        let about = self.lab.about();
        display.remark(&format!(
            "{}: {} examples of {} ({} classes) on {}, {} candidates, results in {}",
            self.plan.name,
            about.sizes.train + about.sizes.search + about.sizes.select + about.sizes.final_,
            about.dataset,
            about.classes,
            about.processor,
            self.plan.search.budget.evaluations,
            self.folder.root().display()
        ));
    }

    fn search(
        &mut self,
        shared: &Arc<Shared>,
        display: &mut Display,
        records: &mut Writer,
        mut history: Vec<Report>,
    ) -> Result<Vec<Report>, Failure> {
        let workers = workers(self.running.workers);
        let mut archived = self.engine.archive().to_vec();
        let folder = &self.folder;
        let firings = folder.lines("clock.jsonl")?;
        let path = folder.path("clock.jsonl");
        let mut clock = Clock::new(firings, Box::new(move |firing| append_line(&path, firing)));
        let gauges = &shared.gauges;
        let about = self.lab.about();
        gauges.set(
            &metrics::RUNNER_INFO,
            &[env!("CARGO_PKG_VERSION"), &about.device, &about.processor, "loss", &preset(&self.plan)],
            1.0,
        );
        gauges.set(&metrics::RUNNER_BUDGET, &[], self.plan.search.budget.evaluations as f64);
        gauges.set(&metrics::RUNNER_WORKERS, &[], workers as f64);
        shared.progress().phase = Phase::Searching;
        shared.ready.store(true, Ordering::SeqCst);
        let fitness = MeanAccuracy {
            lab: &self.lab,
            seeds: self.plan.evaluation.search_seeds,
            seconds: &gauges.candidate_seconds,
            kept: Kept::new(self.plan.evaluation.steps),
        };
        let (began, before) = (Instant::now(), self.engine.evaluations());
        let (pause, mut since) = (confirm::pause(&self.plan.evaluation), 0);
        while !self.engine.finished() {
            if let Some(keeper) = &mut self.keeper {
                keeper.exchange(&mut self.engine)?;
            }
            let report = match self.engine.step(&fitness, workers, &shared.stop, &mut clock) {
                Ok(report) => report,
                Err(StepError::Stopped) => return Err(stopped(folder)),
                Err(error) => return Err(Failure::internal(error)),
            };
            let lines = records.lines(&self.lab, &fitness.kept.take())?;
            if let Some(keeper) = &self.keeper {
                keeper.keep(&Step { engine: &self.engine, report: &report, lines: &lines, archived: &archived })?;
            }
            records.append_lines(&lines)?;
            // History first: lines beyond the checkpoint are cut off on resume, missing ones could not be made up.
            folder.append(HISTORY, &report)?;
            let checkpoint = self.engine.checkpoint();
            let writing = Instant::now();
            folder.write(CHECKPOINT, &checkpoint)?;
            gauges.checkpoint_seconds.observe(writing.elapsed().as_secs_f64());
            gauges.set(&metrics::RUNNER_CHECKPOINT_BYTES, &[], checkpoint.len() as f64);
            gauges.set(&metrics::RUNNER_CHECKPOINT_TIMESTAMP, &[], now() as f64);
            if archived != self.engine.archive() {
                folder.write_lines(ARCHIVE, self.engine.archive())?;
                archived = self.engine.archive().to_vec();
            }
            count(shared, &report);
            since += report.trained * u64::from(self.plan.evaluation.search_seeds);
            history.push(report);
            let progress =
                Progress { checkpointed: Some(now()), ..progress_of(&self.plan, self.island, &self.engine, &history) };
            let rate = (self.engine.evaluations() - before) as f64 / began.elapsed().as_secs_f64().max(1e-9);
            display.generation(&progress, self.standard_error(), rate, trained(&history));
            *shared.progress() = progress;
            if since >= pause && !self.engine.finished() {
                since = 0;
                self.confirm(display, || self.finalists())?;
            }
        }
        Ok(history)
    }

    /// History lines of generations that the checkpoint has. A killed run may have written one more; a run that is
    /// extended completes a generation that its old budget cut short, and writes that line anew.
    fn history_up_to_checkpoint(&self) -> Result<Vec<Report>, Failure> {
        let mut history: Vec<Report> = self.folder.lines(HISTORY)?;
        let finished = self.engine.finished();
        history.retain(|report| finished || report.generation < self.engine.generation());
        self.folder.write_lines(HISTORY, &history)?;
        Ok(history)
    }

    /// Candidates that the search had trained in whole generations when the checkpoint was written.
    fn trained_up_to_checkpoint(&self) -> Result<u64, Failure> {
        let history: Vec<Report> = self.folder.lines(HISTORY)?;
        let whole = history.iter().filter(|report| report.generation < self.engine.generation());
        // Of two lines of a generation the later one counts.
        let trained: BTreeMap<u32, u64> = whole.map(|report| (report.generation, report.trained)).collect();
        Ok(trained.values().sum())
    }

    /// Binomial standard error of the best fitness, from the number of validation examples behind it.
    fn standard_error(&self) -> f64 {
        let (_, examples) = self.lab.about().judged(Stage::Search);
        let judged = examples as f64 * f64::from(self.plan.evaluation.search_seeds);
        let best = self.engine.best().map_or(0.0, |best| best.fitness);
        (best * (1.0 - best) / judged.max(1.0)).sqrt()
    }
}

/// The end of a run that was asked to stop.
pub(crate) fn stopped(folder: &RunFolder) -> Failure {
    Failure {
        code: exit::CHECKPOINTED,
        message: format!("stopped after a checkpoint; go on with `{} resume {}`", program(), folder.root().display()),
    }
}

fn progress_of(plan: &Plan, island: u32, engine: &Engine, history: &[Report]) -> Progress {
    let best = |entry: &Entry| {
        Best::new(entry.fitness, &entry.gene.to_string(), entry.sha256.clone(), u64::from(entry.generation))
    };
    Progress {
        phase: Phase::Searching,
        generation: u64::from(engine.generation()),
        evaluations: engine.evaluations(),
        best: engine.best().map(best),
        cache_hits: history.iter().map(|report| report.cached).sum(),
        archive_genes: engine.archive().len() as u64,
        ..plan.starting(island)
    }
}

fn count(shared: &Shared, report: &Report) {
    let gauges = &shared.gauges;
    let add = |outcome: Outcome, number: u64| gauges.evaluations.with_label_values(&[outcome.as_str()]).inc_by(number);
    let timeouts = report.failed.get("timeout").copied().unwrap_or(0);
    let failed = report.failed.values().sum::<u64>();
    add(Outcome::Scored, report.trained - failed);
    add(Outcome::Cached, report.cached);
    add(Outcome::Screened, report.refused.values().sum());
    add(Outcome::Failed, failed - timeouts);
    add(Outcome::Timeout, timeouts);
    gauges.set(&metrics::RUNNER_GENERATION, &[], f64::from(report.generation) + 1.0);
    if let Some(best) = report.best_fitness {
        gauges.set(&metrics::RUNNER_BEST_FITNESS, &[], best);
    }
    gauges.set(&metrics::RUNNER_ARCHIVE_GENES, &[], report.archive as f64);
}

fn trained(history: &[Report]) -> u64 {
    history.iter().map(|report| report.trained).sum()
}

fn preset(plan: &Plan) -> String {
    format!("{:?}", plan.search.preset).to_lowercase()
}
