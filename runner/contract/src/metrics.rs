//! Every metric's name, kind, help and labels, once: code registers them, docs, dashboards and alerts are checked against them.
//!
//! Base units (seconds, bytes), `_total` for counters, no label whose values are unbounded.
use std::fmt::Write as _;

/// What a metric counts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Only grows; restarts at zero with the process.
    Counter,
    /// A value of now.
    Gauge,
    /// Observations counted in buckets.
    Histogram,
}

impl Kind {
    /// The word Prometheus uses for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A metric as it is exposed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Its name in the exposition.
    pub name: &'static str,
    /// What kind of metric it is.
    pub kind: Kind,
    /// One sentence for people, with the unit.
    pub help: &'static str,
    /// Names of its labels, in the order values are given.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets; empty for the other kinds.
    pub buckets: &'static [f64],
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help, labels, buckets: &[] }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help, labels, buckets: &[] }
}

const fn histogram(name: &'static str, buckets: &'static [f64], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, help, labels: &[], buckets }
}

/// What the run is, as labels; the value is always 1.
pub const RUNNER_INFO: Metric = gauge(
    "automl_runner_info",
    &["version", "device", "processor", "component", "preset"],
    "The runner's version, the device and processor class it computes on, and what it searches; always 1.",
);
/// Generations completed.
pub const RUNNER_GENERATION: Metric =
    gauge("automl_runner_generation", &[], "Generations completed, counting those before a resume.");
/// Candidates considered, by what became of them; see [`Outcome`].
pub const RUNNER_EVALUATIONS: Metric = counter(
    "automl_runner_evaluations_total",
    &["result"],
    "Candidates considered since the process began, by result: scored, cached, screened, failed or timeout.",
);
/// The search's budget.
pub const RUNNER_BUDGET: Metric =
    gauge("automl_runner_budget_evaluations", &[], "Candidates the search may consider in all.");
/// Best fitness so far.
pub const RUNNER_BEST_FITNESS: Metric =
    gauge("automl_runner_best_fitness", &[], "Fitness of the best gene so far, 0 to 1; absent until one was scored.");
/// How long a candidate takes.
pub const RUNNER_CANDIDATE_SECONDS: Metric = histogram(
    "automl_runner_candidate_seconds",
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0],
    "Seconds to train and score a candidate on all its seeds; cached and screened ones are not observed.",
);
/// When the last checkpoint was written.
pub const RUNNER_CHECKPOINT_TIMESTAMP: Metric = gauge(
    "automl_runner_checkpoint_timestamp_seconds",
    &[],
    "When the last checkpoint was written, in seconds since 1970-01-01 UTC; absent before the first.",
);
/// How long writing a checkpoint takes.
pub const RUNNER_CHECKPOINT_SECONDS: Metric = histogram(
    "automl_runner_checkpoint_seconds",
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0],
    "Seconds to write a checkpoint, until it is safely on the disk.",
);
/// How long the ledger takes.
pub const RUNNER_LEDGER_SECONDS: Metric = histogram(
    "automl_runner_ledger_seconds",
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0],
    "Seconds until the ledger has answered a request, whatever it answered.",
);
/// How large the last checkpoint is.
pub const RUNNER_CHECKPOINT_BYTES: Metric =
    gauge("automl_runner_checkpoint_bytes", &[], "Size of the last checkpoint, in bytes; absent before the first.");
/// Size of the archive.
pub const RUNNER_ARCHIVE_GENES: Metric =
    gauge("automl_runner_archive_genes", &[], "Genes in the archive, the Pareto front of fitness against size.");
/// Threads that train.
pub const RUNNER_WORKERS: Metric = gauge("automl_runner_workers", &[], "Candidates that are trained at the same time.");

/// What is served, as labels; the value is always 1.
pub const LEDGER_INFO: Metric = gauge(
    "automl_ledger_info",
    &["version", "database"],
    "The version of what serves the ledger, and where its records are: SQLite or PostgreSQL; always 1.",
);
/// Requests, by what they ask and how they were answered.
pub const LEDGER_REQUESTS: Metric = counter(
    "automl_ledger_requests_total",
    &["page", "status"],
    "Requests by page (the paths of /openapi.json, or other) and HTTP status.",
);
/// How long requests take.
pub const LEDGER_REQUEST_SECONDS: Metric = histogram(
    "automl_ledger_request_seconds",
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0],
    "Seconds from a request's head until its answer begins: an append's until it is on disk.",
);
/// Records.
pub const LEDGER_RECORDS: Metric =
    gauge("automl_ledger_records", &[], "Records that the ledger holds; absent where its database does not answer.");

/// Attempts to publish.
pub const SUBMITTER_ATTEMPTS: Metric = counter(
    "automl_submitter_attempts_total",
    &["result"],
    "Attempts to publish a gene since the process began, by result: published, failed, given_up, too_early or no_ledger.",
);
/// What was published last.
pub const SUBMITTER_PUBLICATIONS: Metric = gauge(
    "automl_submitter_last_publication",
    &[],
    "The number of the publication that was read back last; 0 before the first.",
);
/// When the ledger was read.
pub const SUBMITTER_LOOKED: Metric = gauge(
    "automl_submitter_looked_timestamp_seconds",
    &[],
    "When the ledger was last read for something to publish, in seconds since 1970-01-01 UTC; 0 before the first time.",
);

/// Labels of what a hotkey earns.
const STANDING: &[&str] = &["hotkey", "netuid"];
/// What a hotkey earns, as the chain said last; from the second on absent where it takes no part.
pub const CHAIN_STANDING: &[Metric] = &[
    gauge("automl_chain_registered", STANDING, "1 where the hotkey takes part in the subnet, else 0."),
    gauge("automl_chain_block", STANDING, "The block at which the chain was last asked what the hotkey earns."),
    gauge(
        "automl_chain_incentive",
        STANDING,
        "What it was given as a miner in the last epoch: a share of all, 0 to 1.",
    ),
    gauge("automl_chain_emission_tokens", STANDING, "What it was given in the last epoch, in tokens of the subnet."),
    gauge("automl_chain_rank", STANDING, "What validators gave it within consensus, 0 to 1."),
    gauge(
        "automl_chain_trust",
        STANDING,
        "How much of what it was given, or of a validator's weights, was within consensus, 0 to 1.",
    ),
    gauge(
        "automl_chain_dividends",
        STANDING,
        "What it was given as a validator in the last epoch: a share of all, 0 to 1.",
    ),
    gauge("automl_chain_stake_tokens", STANDING, "Its stake, in tokens of the subnet."),
    gauge("automl_chain_permit", STANDING, "1 where it may set weights, else 0."),
    gauge(
        "automl_chain_newcomers_until_out",
        STANDING,
        "Newcomers until it has to give way to one; absent while it is immune.",
    ),
];
/// Why the chain cannot be asked.
pub const CHAIN_PROBLEM: Metric = gauge(
    "automl_chain_problem",
    &["reason"],
    "1 where the chain could not be asked last time: unreachable, changed (a runtime that this program does not know) or other.",
);

/// The operator's version; always 1.
pub const OPERATOR_INFO: Metric = gauge("automl_operator_info", &["version"], "The operator's version; always 1.");
/// Who acts.
pub const OPERATOR_LEADER: Metric =
    gauge("automl_operator_leader", &[], "1 where this operator holds the lease and acts, else 0.");
/// Reconciles, by how they ended.
pub const OPERATOR_RECONCILES: Metric = counter(
    "automl_operator_reconciles_total",
    &["result"],
    "Reconciles by result: ok, or the step that failed (dereference, ledger, apply, status, deadline).",
);
/// How long a reconcile takes.
pub const OPERATOR_RECONCILE_SECONDS: Metric = histogram(
    "automl_operator_reconcile_seconds",
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0],
    "Seconds of a reconcile, with its questions to the API server and to pods.",
);
/// Requests that change something.
pub const OPERATOR_WRITES: Metric =
    counter("automl_operator_writes_total", &["kind"], "Requests that change an object, by its kind.");
/// Questions to pods.
pub const OPERATOR_POLLS: Metric = counter(
    "automl_operator_polls_total",
    &["result"],
    "Questions to pods for their progress, by result: ok or failed.",
);
/// Broken watches.
pub const OPERATOR_WATCH_ERRORS: Metric = counter(
    "automl_operator_watch_errors_total",
    &["kind"],
    "Times a watch of the API server failed and was begun again, by kind.",
);
/// Runs, by phase.
pub const OPERATOR_RUNS: Metric = gauge("automl_operator_runs", &["phase"], "MinerRuns by phase.");
/// Validators, by phase.
pub const OPERATOR_VALIDATORS: Metric = gauge("automl_operator_validators", &["phase"], "Validators by phase.");
/// Islands that search.
pub const RUN_READY_ISLANDS: Metric =
    gauge("automl_run_ready_islands", &["namespace", "run"], "Islands of a run that search now.");
/// Islands that shall search.
pub const RUN_WANTED_ISLANDS: Metric = gauge(
    "automl_run_wanted_islands",
    &["namespace", "run"],
    "Islands of a run that shall search now; 0 while it is suspended and when it is over.",
);
/// How far a run is.
pub const RUN_GENERATION: Metric =
    gauge("automl_run_generation", &["namespace", "run"], "Generations that every island of a run has completed.");
/// Candidates of a run.
pub const RUN_EVALUATIONS: Metric =
    gauge("automl_run_evaluations", &["namespace", "run"], "Candidates considered by all islands of a run.");
/// The best of a run.
pub const RUN_BEST_SCORE: Metric = gauge(
    "automl_run_best_score",
    &["namespace", "run"],
    "Score of a run's best gene, 0 to 1; absent until one was scored.",
);

/// The metrics of a runner.
pub const RUNNER: &[Metric] = &[
    RUNNER_INFO,
    RUNNER_GENERATION,
    RUNNER_EVALUATIONS,
    RUNNER_BUDGET,
    RUNNER_BEST_FITNESS,
    RUNNER_CANDIDATE_SECONDS,
    RUNNER_CHECKPOINT_TIMESTAMP,
    RUNNER_CHECKPOINT_SECONDS,
    RUNNER_LEDGER_SECONDS,
    RUNNER_CHECKPOINT_BYTES,
    RUNNER_ARCHIVE_GENES,
    RUNNER_WORKERS,
];

/// The metrics of a served ledger.
pub const LEDGER: &[Metric] = &[LEDGER_INFO, LEDGER_REQUESTS, LEDGER_REQUEST_SECONDS, LEDGER_RECORDS];

/// The metrics of a submitter that stays.
pub const SUBMITTER: &[Metric] = &[SUBMITTER_ATTEMPTS, SUBMITTER_PUBLICATIONS, SUBMITTER_LOOKED];

/// The newest block that a validator has seen.
pub const VALIDATOR_BLOCK: Metric = gauge("automl_validator_block", &[], "Height of the newest block that was seen.");
/// Which round it is at.
pub const VALIDATOR_ROUND: Metric =
    gauge("automl_validator_round", &[], "The block that closed the round which was scored last.");
/// What became of the genes of a round.
pub const VALIDATOR_GENES: Metric = gauge(
    "automl_validator_genes",
    &["state"],
    "Hotkeys of the last round by what became of their gene: paid, unpaid, copy or unusable.",
);
/// Genes that could not be read.
pub const VALIDATOR_FETCH_FAILURES: Metric =
    counter("automl_validator_fetch_failures_total", &[], "Commitments whose gene could not be read, once a round.");
/// Trainings.
pub const VALIDATOR_TRAININGS: Metric = counter(
    "automl_validator_trainings_total",
    &["of"],
    "Networks that were trained, by with what: a miner's gene (miner) or cross-entropy (baseline).",
);
/// Where the time of a round goes.
pub const VALIDATOR_SECONDS: Metric = counter(
    "automl_validator_seconds_total",
    &["step"],
    "Seconds that a round's steps took: sync, read, score (with waiting for the scorer) and weights.",
);
/// Processor time of trainings.
pub const VALIDATOR_TRAINING_SECONDS: Metric = counter(
    "automl_validator_training_seconds_total",
    &["of"],
    "Seconds that trainings took, all added up, by with what: miner or baseline.",
);
/// The age of its weights.
pub const VALIDATOR_WEIGHTS_AGE: Metric = gauge(
    "automl_validator_weights_age_blocks",
    &[],
    "Blocks since weights were set with this hotkey; absent before the first.",
);
/// Attempts to set weights.
pub const VALIDATOR_WEIGHTS: Metric = counter(
    "automl_validator_weights_total",
    &["result"],
    "Attempts to set weights, by result: set (or committed to), revealed, early, refused or failed.",
);
/// What holds.
pub const VALIDATOR_CONDITION: Metric = gauge(
    "automl_validator_condition",
    &["condition"],
    "1 where a condition holds, 0 where it does not; absent while that is not known.",
);

/// The metrics of a validator.
pub const VALIDATOR: &[Metric] = &[
    VALIDATOR_BLOCK,
    VALIDATOR_ROUND,
    VALIDATOR_GENES,
    VALIDATOR_FETCH_FAILURES,
    VALIDATOR_TRAININGS,
    VALIDATOR_SECONDS,
    VALIDATOR_TRAINING_SECONDS,
    VALIDATOR_WEIGHTS_AGE,
    VALIDATOR_WEIGHTS,
    VALIDATOR_CONDITION,
];

/// The metrics of the operator.
pub const OPERATOR: &[Metric] = &[
    OPERATOR_INFO,
    OPERATOR_LEADER,
    OPERATOR_RECONCILES,
    OPERATOR_RECONCILE_SECONDS,
    OPERATOR_WRITES,
    OPERATOR_POLLS,
    OPERATOR_WATCH_ERRORS,
    OPERATOR_RUNS,
    OPERATOR_VALIDATORS,
    RUN_READY_ISLANDS,
    RUN_WANTED_ISLANDS,
    RUN_GENERATION,
    RUN_EVALUATIONS,
    RUN_BEST_SCORE,
];

/// What can become of a candidate: the values of the label `result` of [`RUNNER_EVALUATIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Trained and scored.
    Scored,
    /// Answered from the cache: its behaviour had been seen.
    Cached,
    /// Refused before training: too large, constant, or not finite on the screening batch.
    Screened,
    /// Its training failed or gave a number that is not finite; fitness 0.
    Failed,
    /// Stopped by the safety net; fitness 0.
    Timeout,
}

impl Outcome {
    /// Every value of the label.
    pub const ALL: [Outcome; 5] =
        [Outcome::Scored, Outcome::Cached, Outcome::Screened, Outcome::Failed, Outcome::Timeout];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Scored => "scored",
            Outcome::Cached => "cached",
            Outcome::Screened => "screened",
            Outcome::Failed => "failed",
            Outcome::Timeout => "timeout",
        }
    }
}

/// The reference table of every metric, as Markdown.
pub fn markdown() -> String {
    let mut text = String::new();
    let chain = [CHAIN_STANDING, &[CHAIN_PROBLEM]].concat();
    for (title, metrics) in [
        ("Of a runner", RUNNER),
        ("Of a served ledger", LEDGER),
        ("Of a submitter", SUBMITTER),
        ("Of a validator", VALIDATOR),
        ("Of whoever signs with a hotkey", chain.as_slice()),
        ("Of the operator", OPERATOR),
    ] {
        let _ = writeln!(text, "## {title}\n\n| Metric | Kind | Labels | Meaning |\n|---|---|---|---|");
        for Metric { name, kind, help, labels, .. } in metrics {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let _ = writeln!(text, "| `{name}` | {} | {} | {help} |", kind.as_str(), labels.join(", "));
        }
        text.push('\n');
    }
    text
}
