//! What can be said of a validator, and why. Two conditions are the operator's; the others are what its pod says of itself, in
//! words of its own.
use automl_contract::validating::{self, ConditionKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::{get_named, place, short, table, truth};

/// A condition that the operator decides. Each is true when it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The spec can be served.
    Accepted,
    /// The pod runs, and the chain answers it.
    Ready,
}

impl ConditionType {
    /// Both, in the order in which they are listed.
    pub const ALL: [ConditionType; 2] = [ConditionType::Accepted, ConditionType::Ready];

    /// The word in `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConditionType::Accepted => "Accepted",
            ConditionType::Ready => "Ready",
        }
    }
}

reasons! {
    /// The spec is right.
    Valid => Accepted true,
    /// The spec was stored by another version and this one cannot read it, or it asks for what cannot be.
    InvalidSpec => Accepted false,
    /// The spec names a profile that the administrator has not described.
    ProfileMissing => Accepted false,
    /// The spec names no hotkey, and nothing signs without one.
    HotkeyMissing => Accepted false,
    /// An older validator of the namespace has the same hotkey in the same subnet.
    HotkeyShared => Accepted false,
    /// The spec names no network, and the operator knows no ledger that could keep the subnet.
    NoSubnet => Accepted false,
    /// The pod runs, and the chain answers it.
    Validating => Ready true,
    /// The pod is starting, or has just said that it is not ready.
    Starting => Ready false,
    /// The spec's `suspend`.
    Held => Ready false,
    /// The pod runs, and the chain does not answer it.
    Unconnected => Ready false,
    /// No node has room or is allowed.
    Unschedulable => Ready false,
    /// A pod should have ended and has not: its node does not answer, and Kubernetes replaces the pod when somebody says that the node is gone.
    NodeLost => Ready false,
    /// A pod has a GPU that is not healthy, as its node says: what runs there may fail or stand still.
    DeviceUnhealthy => Ready false,
    /// The namespace's quota is used up.
    QuotaExceeded => Ready false,
    /// The image cannot be pulled.
    ImageUnavailable => Ready false,
    /// A Secret that the spec names is not there, or lacks the entry.
    SecretMissing => Ready false,
    /// A Secret, claim or `ConfigMap` that is mounted is not there, or not bound.
    VolumeMissing => Ready false,
    /// The API server refuses an object of the validator.
    Refused => Ready false,
    /// A container needed more memory than its limit.
    OutOfMemory => Ready false,
    /// A container ends again and again.
    Crashing => Ready false,
    /// The spec, the key or data is wrong: exit code 78.
    BadInput => Ready false,
    /// The program refused its command line: exit code 64.
    BadUsage => Ready false,
    /// The program has a bug, or its host failed: exit code 70.
    Bug => Ready false,
}

/// The reason of what the pod would say, where it does not answer.
pub const SILENT: &str = "NotAnswering";
/// The reason where the pod gives one that is no word.
const UNNAMED: &str = "Unnamed";
/// The most letters of a reason.
const MAX_REASON: usize = 64;
/// How many conditions there are.
pub(crate) const COUNT: usize = ConditionType::ALL.len() + ConditionKind::ALL.len();

/// The reference of every condition and of the operator's reasons, as Markdown.
pub fn markdown() -> String {
    let ours = Reason::ALL.iter().map(|reason| {
        let (about, holds) = reason.says();
        [about.as_str(), truth(holds), reason.as_str(), reason.meaning()]
    });
    let pods = ConditionKind::ALL.into_iter().map(|kind| [kind.as_str(), "True", "the pod's", kind.meaning()]);
    let silent = ConditionKind::ALL
        .into_iter()
        .map(|kind| [kind.as_str(), "Unknown", SILENT, "The pod is not there, or does not answer."]);
    let all: Vec<_> = ours.chain(pods).chain(silent).collect();
    // A reason of the pod is no word of ours.
    table(all.into_iter()).replace("`the pod's`", "the pod's own")
}

/// Sets the condition that `reason` is about, as [`crate::conditions::set`] does.
pub fn set(conditions: &mut Vec<Condition>, reason: Reason, message: &str, generation: i64, now: &Time) -> bool {
    let (about, holds) = reason.says();
    let said = (about.as_str(), truth(holds), reason.as_str(), message);
    put(conditions, said, generation, now)
}

/// Sets a condition as the pod says it. What is no reason by its form is named by another.
pub fn set_told(conditions: &mut Vec<Condition>, told: &validating::Condition, generation: i64, now: &Time) -> bool {
    let reason = if is_word(&told.reason) { &told.reason } else { UNNAMED };
    let status = told.holds.map_or("Unknown", truth);
    put(conditions, (told.kind.as_str(), status, reason, &told.message), generation, now)
}

/// Says that nothing is known of a condition, as the pod does not answer.
pub fn set_silent(
    conditions: &mut Vec<Condition>,
    kind: ConditionKind,
    message: &str,
    generation: i64,
    now: &Time,
) -> bool {
    put(conditions, (kind.as_str(), "Unknown", SILENT, message), generation, now)
}

fn put(
    conditions: &mut Vec<Condition>,
    (kind, status, reason, message): (&str, &str, &str, &str),
    generation: i64,
    now: &Time,
) -> bool {
    let condition = Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: short(message),
        observed_generation: Some(generation),
        last_transition_time: now.clone(),
    };
    place(conditions, condition, |kind| kinds().position(|one| one == kind))
}

/// The word in `type` of all conditions, in order.
fn kinds() -> impl Iterator<Item = &'static str> {
    ConditionType::ALL
        .into_iter()
        .map(ConditionType::as_str)
        .chain(ConditionKind::ALL.into_iter().map(ConditionKind::as_str))
}

/// Whether it is a condition of a validator.
pub(crate) fn is_known(condition: &Condition) -> bool {
    kinds().any(|kind| kind == condition.type_) && is_word(&condition.reason)
}

fn is_word(reason: &str) -> bool {
    reason.len() <= MAX_REASON
        && reason.starts_with(|first: char| first.is_ascii_uppercase())
        && reason.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a validator is doing, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Its pod does not run yet, or not any more, or the chain does not answer; the reason says what it waits for.
    Pending,
    /// Its pod runs and the chain answers.
    Running,
    /// It has no pod, as the spec asks for.
    Suspended,
    /// The spec cannot be served.
    Invalid,
    /// Its pod ends for a cause that starting it again does not take away; the reason says which.
    Failed,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 5] = [Phase::Pending, Phase::Running, Phase::Suspended, Phase::Invalid, Phase::Failed];
}

/// The phase that conditions add up to, and the condition that decides it: the one whose reason is shown.
pub fn summary(conditions: &[Condition]) -> (Phase, Option<&Condition>) {
    let accepted = get_named(conditions, ConditionType::Accepted.as_str());
    if let Some(refused) = accepted.filter(|condition| condition.status == "False") {
        return (Phase::Invalid, Some(refused));
    }
    let ready = get_named(conditions, ConditionType::Ready.as_str());
    let because =
        |reasons: &[Reason]| ready.is_some_and(|ready| reasons.iter().any(|one| one.as_str() == ready.reason));
    let phase = if ready.is_some_and(|ready| ready.status == "True") {
        Phase::Running
    } else if because(&[Reason::Held]) {
        Phase::Suspended
    } else if because(&[Reason::BadInput, Reason::BadUsage, Reason::Bug]) {
        Phase::Failed
    } else {
        Phase::Pending
    };
    (phase, ready)
}
