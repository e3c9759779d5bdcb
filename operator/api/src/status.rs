//! What the operator says of a run: small, whatever the run's length and however many islands it has.
use automl_contract::{
    progress::{MAX_COUNT, MAX_GENE_BYTES},
    validating::Earns,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::{self, ConditionType, Phase, Reason};

/// The most bytes that a status may take as JSON; a test fills every field to prove it.
pub const MAX_BYTES: usize = 4096;
/// The most characters of a label selector.
const MAX_SELECTOR: usize = 256;
/// The most characters of an image with its tag and digest.
const MAX_IMAGE: usize = 336;
/// The most characters of a hotkey's address.
const MAX_ADDRESS: usize = 48;
/// The characters of a sha256.
const MAX_HASH: usize = 64;

/// The most characters of a ledger's address.
pub const MAX_LEDGER_URL: usize = 192;
/// The most characters of a run's name there: a namespace, a name, a version and two dots.
const MAX_LEDGER_RUN: usize = 121;

/// What the operator has seen of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinerRunStatus {
    /// The `metadata.generation` that this status is about. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the run is doing. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why the run is in its phase: the reason of the condition that decided it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Pods that exist. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Pods that search now. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub ready_replicas: i32,
    /// The label selector of the pods, for the scale subresource. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_SELECTOR))]
    pub selector: Option<String>,
    /// The image that pods run, as given to the node. Default: none before the pods exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_IMAGE))]
    pub image: Option<String>,
    /// When the first pod since the last suspension started, which `activeDeadlineSeconds` counts from. Default: none before one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// How far the run is. Default: none before the first pod has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The best gene of all islands. Default: none before one scored above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Where the ledger keeps all that the run does, also when the resource is gone. Default: none where the operator knows no ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerPlace>,
    /// The hotkey that the run publishes with, as the chain knows it. Default: none where it publishes nothing, or before its submitter has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<Submit>,
    /// What is true of the run, each with the reason. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ConditionType::ALL.len()))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A run in a ledger: `runner inspect RUN --ledger URL`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPlace {
    /// Where pods find the ledger.
    #[schemars(length(max = MAX_LEDGER_URL))]
    pub url: String,
    /// What the run is called there: another search or another evaluation is another run.
    #[schemars(length(max = MAX_LEDGER_RUN))]
    pub run: String,
}

/// The hotkey that a run publishes with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Submit {
    /// Its address.
    #[schemars(length(max = MAX_ADDRESS))]
    pub hotkey: String,
    /// The block at which the chain has said last what it earns. Default: none before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub block: Option<u64>,
    /// What that was. Default: none where the hotkey takes no part in the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earns: Option<Earns>,
}

/// How far a run is, over all islands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Generations that every island has completed.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub generation: u64,
    /// Candidates considered by all islands.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub evaluations: u64,
    /// Candidates that all islands may consider.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub budget: u64,
    /// Islands that have finished. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub finished_islands: u32,
}

/// The best gene of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Best {
    /// Its score, 0 to 1, greater is better: on the search's own seeds while the run goes on, on fresh ones once `interval` is given.
    pub score: f64,
    /// The 95 % interval of its score on fresh seeds. Default: none before the run has compared its best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The sha256 of its text, 64 lower-case hexadecimal digits.
    #[schemars(length(max = MAX_HASH))]
    pub hash: String,
    /// The generation that found it.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub generation: u64,
    /// The island that found it. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub island: u32,
    /// Its text. Default: none where it is longer than 1,024 bytes; the archive has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_GENE_BYTES))]
    pub expression: Option<String>,
}

/// An interval that holds the true value in 95 of 100 runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Submit {
    fn bounded(self) -> Self {
        let Submit { hotkey, block, earns } = self;
        // A chain has no finer parts, and further digits would be news each time.
        let rounded = |amount: f64| format!("{amount:.9}").parse().unwrap_or(amount);
        let earns = earns.map(|Earns { incentive, dividends, emission, trust, goes_after }| Earns {
            incentive: rounded(incentive),
            dividends: rounded(dividends),
            emission: rounded(emission),
            trust: rounded(trust),
            goes_after,
        });
        let earns = earns.filter(Earns::is_finite);
        Submit { hotkey, block: block.map(|block| MAX_COUNT.min(block)), earns }
    }
}

impl MinerRunStatus {
    /// The status as it may be written: at most [`MAX_BYTES`], and within the bounds of its schema.
    ///
    /// What pods say is not trusted: whatever is too long, or no number, is left out.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.reason = self.reason.filter(|reason| Reason::ALL.iter().any(|one| one.as_str() == reason));
        (self.replicas, self.ready_replicas) = (self.replicas.max(0), self.ready_replicas.max(0));
        self.selector = self.selector.filter(|text| fits(text, MAX_SELECTOR));
        self.image = self.image.filter(|text| fits(text, MAX_IMAGE));
        self.ledger =
            self.ledger.filter(|ledger| fits(&ledger.url, MAX_LEDGER_URL) && fits(&ledger.run, MAX_LEDGER_RUN));
        if let Some(progress) = &mut self.progress {
            for count in [&mut progress.generation, &mut progress.evaluations, &mut progress.budget] {
                *count = MAX_COUNT.min(*count);
            }
        }
        self.best = self.best.filter(|best| best.score.is_finite() && fits(&best.hash, MAX_HASH));
        if let Some(best) = &mut self.best {
            best.interval = best.interval.filter(|interval| interval.low.is_finite() && interval.high.is_finite());
            best.generation = MAX_COUNT.min(best.generation);
            best.expression.take_if(|text| !fits(text, MAX_GENE_BYTES));
        }
        self.submit = self.submit.filter(|submit| fits(&submit.hotkey, MAX_ADDRESS)).map(Submit::bounded);
        conditions::bound(&mut self.conditions, conditions::is_known);
        // Without messages it always fits.
        while is_too_large(&self) && conditions::cut_longest(&mut self.conditions) {}
        self
    }
}

/// Whether a status takes more than [`MAX_BYTES`].
pub(crate) fn is_too_large(status: &impl Serialize) -> bool {
    serde_json::to_vec(status).is_ok_and(|json| json.len() > MAX_BYTES)
}

/// Whether a text takes at most this many bytes of JSON, without its quotes.
pub(crate) fn fits(text: &str, most: usize) -> bool {
    text.len() <= most && serde_json::to_string(text).is_ok_and(|json| json.len() <= most + 2)
}
