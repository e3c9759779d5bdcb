//! A search that is kept in a ledger: it writes each generation there, and goes on from there when its folder is gone.
//!
//! The ledger comes first and the folder after it: what a folder has, the ledger has. So a pod may die with its node. A ledger
//! that does not answer is waited for.
use super::{FORMAT, Header, SPEC, check_name, of_generation};
use crate::cli::KeptIn;
use crate::failure::Failure;
use crate::ledger::place;
use crate::mine::Side;
use crate::mine::service::Shared;
use automl_contract::archive::Found;
use automl_contract::exit;
use automl_contract::progress::Phase;
use automl_contract::spec::{Evaluation, Search};
use automl_ledger::{Appended, Entry, Filter, Kind, Ledger, LedgerError, Name, Record};
use automl_search::{Engine, Entry as Archived, Report};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait before asking again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a wait looks whether the search shall stop.
const GLANCE: Duration = Duration::from_millis(20);
/// The most that the score records of a generation unpack to.
const MOST_LINES: u64 = 1 << 30;

/// Keeps one island of a run.
pub(crate) struct Keeper {
    pub(super) ledger: Box<dyn Ledger>,
    pub(super) shared: Arc<Shared>,
    pub(super) run: String,
    /// Whom its genes are confirmed for.
    submitter: Option<String>,
    pub(super) island: u32,
    pub(super) search: Search,
    /// Islands where nobody has wished for another number.
    pub(super) replicas: u32,
    pub(super) exchange: super::exchange::Exchange,
}

/// What is kept of a step.
pub(crate) struct Step<'a> {
    pub engine: &'a Engine,
    pub report: &'a Report,
    /// Its score records.
    pub lines: &'a str,
    /// The archive before it.
    pub archived: &'a [Archived],
}

impl Keeper {
    /// Opens the ledger and says there what is searched. `patient` waits for one that does not answer.
    pub(crate) fn open(
        kept: &KeptIn,
        plan: (&str, &Search, &Evaluation),
        (island, replicas): (u32, u32),
        shared: &Arc<Shared>,
        patient: bool,
    ) -> Result<Option<Keeper>, Failure> {
        let Some(chosen) = kept.place() else { return Ok(None) };
        let (name, search, evaluation) = plan;
        let run = kept.run_name.clone().unwrap_or_else(|| name.to_owned());
        check_name(&run)?;
        let submitter = kept.submitter.clone();
        submitter.as_deref().map_or(Ok(()), crate::submit::check_name)?;
        let mut waiting = Waiting::new(shared);
        let ledger = loop {
            match shared.runtime.block_on(place::open_or_make(&chosen)) {
                Err(failure) if patient && failure.code == exit::UNREACHABLE => waiting.again(&failure.message)?,
                opened => break opened?,
            }
        };
        waiting.over();
        let exchange = super::exchange::Exchange::default();
        let (search, shared) = (search.clone(), Arc::clone(shared));
        let keeper = Keeper { ledger, shared, run, submitter, island, search, replicas, exchange };
        keeper.introduce(name, evaluation, patient)?;
        Ok(Some(keeper))
    }

    /// What the run is called in the ledger.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Who confirms its genes, and for whom; nobody where nobody publishes.
    pub(crate) fn side(&self) -> Option<Side<'_>> {
        let submitter = self.submitter.as_deref()?;
        Some(Side { submitter, run: &self.run, island: self.island })
    }

    /// All records of a kind.
    pub(crate) fn records(&self, filter: &Filter) -> Result<Vec<Record>, Failure> {
        self.ask(async || self.ledger.all(filter, 0).await)?.map_err(Failure::from)
    }

    fn introduce(&self, name: &str, evaluation: &Evaluation, patient: bool) -> Result<(), Failure> {
        let mut search = serde_json::to_value(&self.search).map_err(Failure::internal)?;
        if let Some(settings) = search.as_object_mut() {
            settings.remove("budget");
        }
        let evaluation = serde_json::to_value(evaluation).map_err(Failure::internal)?;
        let header = Header { format: FORMAT, name: name.to_owned(), search, evaluation };
        let entry =
            Entry { name: self.name(Kind::Run, SPEC)?, body: serde_json::to_vec(&header).map_err(Failure::internal)? };
        let told = if patient {
            self.append(&[entry])?
        } else {
            self.shared.runtime.block_on(self.ledger.append(vec![entry]))
        };
        match told {
            Err(error) if error.is_conflict() => Err(Failure::bad_input(format!(
                "the ledger holds another run {}, which searches or scores otherwise: choose another name for this one with --run-name",
                self.run
            ))),
            told => told.map(drop).map_err(Failure::from),
        }
    }

    /// The next generation that the ledger has and the search has not: its report, and its score records.
    pub(crate) fn catch_up(&self, engine: &mut Engine) -> Result<Option<(Report, String)>, Failure> {
        let generation = engine.generation();
        let Some(record) = self.record(&self.own(Kind::Checkpoint, generation)?)? else {
            return Ok(None);
        };
        let damaged = |record: &Record, problem: &dyn std::fmt::Display| {
            Failure::bad_input(format!("record {} of the ledger, {}: {problem}", record.seq, record.name))
        };
        let report = engine.replay(&record.body).map_err(|error| damaged(&record, &error))?;
        let mut lines = String::new();
        if let Some(record) = self.record(&self.own(Kind::Training, generation)?)? {
            let unpacked = GzDecoder::new(&*record.body).take(MOST_LINES).read_to_string(&mut lines);
            unpacked.map_err(|error| damaged(&record, &error))?;
        }
        Ok(Some((report, lines)))
    }

    /// A folder that is ahead of the ledger was not kept in it.
    pub(crate) fn knows(&self, engine: &Engine) -> Result<(), Failure> {
        let Some(last) = engine.generation().checked_sub(1) else { return Ok(()) };
        match self.record(&self.own(Kind::Checkpoint, last)?)? {
            Some(_) => Ok(()),
            None => Err(Failure::bad_input(format!(
                "the folder has {} generations of island {} that the ledger's run {} has not: it was not kept in this ledger from its beginning; start a new run, or go on without the ledger",
                engine.generation(),
                self.island,
                self.run
            ))),
        }
    }

    /// Keeps a step.
    pub(crate) fn keep(&self, step: &Step<'_>) -> Result<(), Failure> {
        let Step { engine, report, lines, archived } = step;
        let (island, generation) = (self.island, report.generation);
        let body = serde_json::to_vec(report).map_err(Failure::internal)?;
        let genes = engine.archive().iter().filter(|found| !archived.contains(found));
        let gene = |found: &Archived| {
            let name = self.name(Kind::Gene, &format!("{island}.{generation}.{}", found.sha256))?;
            let found = Found {
                gene: found.gene.to_string(),
                fitness: found.fitness,
                nodes: found.nodes,
                generation: found.generation,
                sha256: found.sha256.clone(),
                scored_as: found.scored_as.as_ref().map(ToString::to_string),
                island: Some(found.island.unwrap_or(island)),
            };
            Ok::<_, Failure>(Entry { name, body: serde_json::to_vec(&found).map_err(Failure::internal)? })
        };
        let mut entries = genes.map(gene).collect::<Result<Vec<_>, _>>()?;
        let Some(journal) = engine.journal() else {
            // The budget ended inside the generation: it will be done again, to the same end.
            let key = format!("{island}.{generation}.{}", report.children);
            entries.push(Entry { name: self.name(Kind::Generation, &key)?, body });
            return self.offer(&entries).map(drop);
        };
        entries.push(Entry { name: self.own(Kind::Generation, generation)?, body });
        entries.push(Entry { name: self.own(Kind::Checkpoint, generation)?, body: journal });
        if !lines.is_empty() {
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            let packed =
                packed.write_all(lines.as_bytes()).and_then(|()| packed.finish()).map_err(Failure::internal)?;
            entries.push(Entry { name: self.own(Kind::Training, generation)?, body: packed });
        }
        self.append(&entries)?.map(drop).map_err(|error| match error {
            error if error.is_conflict() => Failure::internal(format!(
                "another process searches island {island} of {} too, and generation {generation} ended otherwise there; start again to go on from what the ledger has, and search each island once",
                self.run
            )),
            LedgerError::TooLarge { .. } => {
                Failure::bad_input(format!("{error}: a generation has to fit in; lower spec.search.offspring"))
            }
            error => error.into(),
        })
    }

    /// Keeps the winner's comparison.
    pub(crate) fn keep_results(&self, evaluations: u64, comparison: Vec<u8>) -> Result<(), Failure> {
        let name = self.name(Kind::Score, &format!("{}.{evaluations}", self.island))?;
        // Compared once more, on another class of processor: the first stands.
        self.offer(&[Entry { name, body: comparison }]).map(drop)
    }

    pub(super) fn name(&self, kind: Kind, key: &str) -> Result<Name, Failure> {
        Name::new(kind, &self.run, key).map_err(Failure::internal)
    }

    /// The name of a record of a generation of ours.
    fn own(&self, kind: Kind, generation: u32) -> Result<Name, Failure> {
        of_generation(kind, &self.run, self.island, generation).map_err(Failure::internal)
    }

    /// Appends, as often as it takes; what cannot be better the next time is handed back.
    pub(super) fn append(&self, entries: &[Entry]) -> Result<Result<Vec<Appended>, LedgerError>, Failure> {
        self.ask(async || self.ledger.append(entries.to_vec()).await)
    }

    /// The same, unless a name is taken by another body: then what was first stands. Says whether it is ours.
    pub(crate) fn offer(&self, entries: &[Entry]) -> Result<bool, Failure> {
        match self.append(entries)? {
            Err(error) if error.is_conflict() => Ok(false),
            told => told.map(|_| true).map_err(Failure::from),
        }
    }

    pub(super) fn record(&self, name: &Name) -> Result<Option<Record>, Failure> {
        self.ask(async || self.ledger.get(name).await)?.map_err(Failure::from)
    }

    pub(super) fn ask<T>(
        &self,
        question: impl AsyncFn() -> Result<T, LedgerError>,
    ) -> Result<Result<T, LedgerError>, Failure> {
        let mut waiting = Waiting::new(&self.shared);
        loop {
            let asked = Instant::now();
            let answer = self.shared.runtime.block_on(question());
            self.shared.gauges.ledger_seconds.observe(asked.elapsed().as_secs_f64());
            match answer {
                Err(error) if error.may_pass() => waiting.again(&error.to_string())?,
                answer => {
                    waiting.over();
                    return Ok(answer);
                }
            }
        }
    }
}

/// A wait that the pages tell of and that a signal ends.
pub(super) struct Waiting<'a> {
    shared: &'a Shared,
    /// What is said to be done meanwhile.
    phase: Phase,
    next: Duration,
    /// What was done before.
    before: Option<Phase>,
    said: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(shared: &'a Shared) -> Waiting<'a> {
        Waiting { shared, phase: Phase::Waiting, next: FIRST_WAIT, before: None, said: false }
    }

    /// The wait of an island that is not among those of the run.
    pub(super) fn left_out(shared: &'a Shared) -> Waiting<'a> {
        Waiting { phase: Phase::LeftOut, ..Self::new(shared) }
    }

    /// Waits, longer each time.
    pub(super) fn again(&mut self, reason: &str) -> Result<(), Failure> {
        let mut progress = self.shared.progress();
        self.before.get_or_insert(progress.phase);
        progress.phase = self.phase;
        progress.message = Some(reason.to_owned());
        drop(progress);
        if self.next == LONGEST_WAIT && !std::mem::replace(&mut self.said, true) {
            eprintln!("runner: waiting: {reason}");
        }
        let until = Instant::now() + self.next;
        while let left = until.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            if self.shared.stopping() {
                let message = format!("stopped while waiting ({reason}); nothing is lost: go on with the same command");
                return Err(Failure { code: exit::CHECKPOINTED, message });
            }
            std::thread::sleep(GLANCE.min(left));
        }
        self.next = (self.next * 2).min(LONGEST_WAIT);
        Ok(())
    }

    /// What was waited for has come.
    pub(super) fn over(&mut self) {
        if let Some(before) = self.before.take() {
            let mut progress = self.shared.progress();
            progress.phase = before;
            progress.message = None;
        }
    }
}
