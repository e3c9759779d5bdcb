//! What parent and child say to each other.
use automl_contract::spec::Evaluation;
use automl_lab::{Outcome, Stage};
use serde::{Deserialize, Serialize};

/// The parent's first message.
#[derive(Serialize, Deserialize)]
pub(super) struct Setup {
    pub evaluation: Evaluation,
    /// The run's.
    pub seed: u32,
    /// Bytes that training may take beyond what the child has when it is warm; `None`: no limit.
    pub memory: Option<u64>,
    /// Judge whatever a training left, as the original's validators do.
    #[serde(default)]
    pub judges_all: bool,
    /// Take requests to try what is forbidden. Only tests ask for it.
    #[serde(default)]
    pub probes: bool,
}

/// The child's first message: it is ready, or it never will be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begun {
    Ready(Confinement),
    /// In words, with what to do.
    Refused(String),
}

/// What holds a child in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confinement {
    /// System calls outside of a list are refused, the dangerous ones end the process.
    pub system_calls: bool,
    /// `full`, `partial` or `none`: how much of landlock the kernel has. No file can be opened either way.
    pub landlock: String,
    /// Bytes of private memory at which the system refuses more; `None`: no limit.
    pub memory: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Train with a gene.
    Train { gene: String, stage: Stage, seed: u32, learning_rate_scale: Option<f64> },
    /// Say what was used so far.
    Usage,
    /// Try something forbidden.
    Probe(super::probe::Probe),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    Outcome(Outcome),
    Usage {
        /// Seconds of processor time.
        processor_seconds: f64,
    },
    /// What came of trying, in the system's words.
    Tried(String),
    /// The request makes no sense: a fault of the parent.
    Refused(String),
}
