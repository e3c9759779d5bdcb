//! What was asked: the MinerRun file, read, checked and resolved.
use crate::cli::KeptIn;
use crate::failure::Failure;
use crate::mine::folder::RunFolder;
use crate::mine::service::Shared;
use crate::runs::Keeper;
use automl_contract::manifest;
use automl_contract::progress::{Phase, Progress};
use automl_contract::spec::{Evaluation, Search};
use automl_lab::{About, Lab};
use automl_search::Engine;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the file in the run folder that this was read from.
const FILE: &str = "minerrun.yaml";
const RECORD: &str = "run.json";
pub(crate) const CHECKPOINT: &str = "checkpoint.bin";

/// A run that was asked for.
pub(crate) struct Plan {
    pub name: String,
    pub search: Search,
    pub evaluation: Evaluation,
    /// Islands where nobody has wished for another number.
    pub replicas: u32,
    /// Fields of the file that only a cluster uses.
    pub unused: Vec<String>,
    text: String,
}

/// `run.json`: what a run ran on.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The runner that wrote last.
    pub version: String,
    pub island: u32,
    /// The budget; larger than the file's where the run was extended.
    pub evaluations: u64,
    /// What it is called in the ledger that it is kept in; absent where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_as: Option<String>,
    pub lab: About,
}

impl Plan {
    /// Reads a MinerRun file.
    pub(crate) fn read(path: &Path) -> Result<Plan, Failure> {
        let text = crate::gene::source::read_text(path)?;
        Self::parse(text, &path.display().to_string())
    }

    fn parse(text: String, file: &str) -> Result<Plan, Failure> {
        let loaded = manifest::read(&text, file).map_err(Failure::bad_input)?;
        let spec = &loaded.run.spec;
        Ok(Plan {
            name: loaded.run.metadata.name.clone(),
            search: spec.search.resolved(),
            evaluation: spec.evaluation.resolved(),
            replicas: spec.replicas,
            unused: loaded.unused,
            text,
        })
    }

    /// Reads the plan and record of an earlier run.
    pub(crate) fn reopen(folder: &RunFolder) -> Result<(Plan, Record), Failure> {
        let plan = Self::read(&folder.path(FILE))?;
        let path = folder.path(RECORD);
        let bytes = folder.read(RECORD)?.ok_or_else(|| {
            Failure::bad_input(format!(
                "{} is missing: this run was killed before it began; delete the folder and run it again",
                path.display()
            ))
        })?;
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())))?;
        Ok((plan, record))
    }

    /// Writes the plan and the record of what it runs on.
    pub(crate) fn write(
        &self,
        folder: &RunFolder,
        island: u32,
        lab: &Lab,
        kept: Option<&Keeper>,
    ) -> Result<(), Failure> {
        let record = Record {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            island,
            evaluations: self.search.budget.evaluations,
            kept_as: kept.map(|keeper| keeper.run().to_owned()),
            lab: lab.about().clone(),
        };
        folder.write_json(RECORD, &record)?;
        // Last: a folder with this file can be resumed.
        folder.write(FILE, self.text.as_bytes())
    }

    /// What is known of a run's progress before it begins.
    pub(crate) fn starting(&self, island: u32) -> Progress {
        Progress {
            run: self.name.clone(),
            island,
            phase: Phase::Starting,
            generation: 0,
            evaluations: 0,
            budget: self.search.budget.evaluations,
            best: None,
            cache_hits: 0,
            archive_genes: 0,
            checkpointed: None,
            updated: now(),
            message: None,
        }
    }

    /// The ledger that the search is kept in, where one is named.
    pub(crate) fn keeper(
        &self,
        kept: &KeptIn,
        island: u32,
        shared: &Arc<Shared>,
        patient: bool,
    ) -> Result<Option<Keeper>, Failure> {
        let plan = (self.name.as_str(), &self.search, &self.evaluation);
        Keeper::open(kept, plan, (island, self.replicas), shared, patient)
    }

    pub(crate) fn open_lab(&self) -> Result<Lab, Failure> {
        Lab::open(&self.evaluation, self.search.seed).map_err(Failure::bad_input)
    }

    pub(crate) fn new_engine(&self, island: u32) -> Result<Engine, Failure> {
        Engine::new(&self.search, island, &self.context()?).map_err(Failure::bad_input)
    }

    /// The search as the folder's checkpoint has it, or a new one where the run was killed before its first.
    pub(crate) fn restored_engine(&self, folder: &RunFolder, island: u32) -> Result<Engine, Failure> {
        let Some(bytes) = folder.read(CHECKPOINT)? else {
            return self.new_engine(island);
        };
        Engine::restore(&bytes, &self.search, island, &self.context()?)
            .map_err(|error| Failure::bad_input(format!("{}: {error}", folder.path(CHECKPOINT).display())))
    }

    /// All that scores depend on beside the search's own settings.
    fn context(&self) -> Result<String, Failure> {
        serde_json::to_string(&self.evaluation).map_err(Failure::internal)
    }
}

/// Seconds since 1970-01-01 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
