//! What the operator remembers of a run between reconciles. All of it can be lost: it saves requests, it decides nothing.
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use automl_api::{MinerRunStatus, names::Version};
use automl_contract::{progress::Progress, submitting::SubmitterStatus};

use super::archive::Kept;

/// How long our own write may take to come back by a watch.
pub(crate) const ECHO: Duration = Duration::from_secs(3);

/// What is remembered of one run.
#[derive(Default)]
pub(crate) struct Memory {
    /// The run it is about; another of the same name begins anew.
    pub(crate) uid: String,
    /// Children as they were last applied, by kind and name.
    pub(crate) applied: HashMap<(&'static str, String), Applied>,
    /// The status that was last written, by this operator or an earlier one.
    pub(crate) status: Option<MinerRunStatus>,
    /// What was found.
    pub(crate) kept: Option<Arc<Kept>>,
    /// What of it was last written, and when; the same copy as long as nothing more was found.
    pub(crate) written: Option<(Arc<Kept>, Instant)>,
    /// What pods last said, by island.
    pub(crate) told: BTreeMap<u32, Progress>,
    /// The archive that was last fetched of an island, by its best gene and size.
    pub(crate) fetched: BTreeMap<u32, (String, u64)>,
    /// When pods were last asked, and with which island the next round begins.
    pub(crate) polled: Option<Instant>,
    pub(crate) next_island: u32,
    /// What the ledger was told last: the run's name there, and how many islands.
    pub(crate) wished: Option<(String, u32)>,
    /// The submitter that was last asked, when, and what it said last.
    pub(crate) asked: Option<(Version, Instant)>,
    pub(crate) told_by_submitter: Option<SubmitterStatus>,
    /// Reconciles that failed since one went well, and what the last one said.
    pub(crate) failures: u32,
    pub(crate) error: Option<String>,
    /// When the last reconcile ended.
    pub(crate) reconciled: Option<Instant>,
}

/// A child as it was applied.
pub(crate) struct Applied {
    content: Version,
    resource_version: String,
    at: Instant,
}

/// What is to be done about a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// It is as it was applied.
    Nothing,
    /// It differs, or it is not there.
    Apply,
    /// The watch may not have told yet: look again soon.
    Wait,
}

impl Memory {
    /// Whether a child of this content has to be applied, when the watch knows it in this version.
    pub(crate) fn due(&self, kind: &'static str, name: &str, content: Version, known: Option<&str>) -> Due {
        let Some(applied) = self.applied.get(&(kind, name.to_owned())) else { return Due::Apply };
        if applied.content != content {
            return Due::Apply;
        }
        match known {
            Some(version) if version == applied.resource_version => Due::Nothing,
            _ if applied.at.elapsed() < ECHO => Due::Wait,
            _ => Due::Apply,
        }
    }

    /// A child that was deleted is to be written again at once where it is wanted.
    pub(crate) fn forget(&mut self, kind: &'static str, name: String) {
        self.applied.remove(&(kind, name));
    }

    /// Remembers a child as the API server answered.
    pub(crate) fn applied(&mut self, kind: &'static str, name: String, content: Version, resource_version: String) {
        self.applied.insert((kind, name), Applied { content, resource_version, at: Instant::now() });
    }
}
