//! What the operator remembers of a run between reconciles. All of it can be lost: it saves requests, it decides nothing.
use std::{collections::BTreeMap, sync::Arc, time::Instant};

use automl_api::{MinerRunStatus, names::Version};
use automl_contract::{progress::Progress, submitting::SubmitterStatus};

use super::archive::Kept;
use crate::child::Writes;

/// What is remembered of one run.
#[derive(Default)]
pub(crate) struct Memory {
    /// The run it is about; another of the same name begins anew.
    pub(crate) uid: String,
    /// Children as they were last applied.
    pub(crate) writes: Writes,
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
