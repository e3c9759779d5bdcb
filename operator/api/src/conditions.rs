//! What can be said of a run, and why: every condition and every reason there is. Events use the same reasons.
//!
//! A reason belongs to one condition and says one thing of it, so a condition is set by its reason alone and the two
//! cannot disagree.
use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most bytes of a condition's message as JSON; where all are long, [`MinerRunStatus::bounded`] cuts them further.
///
/// [`MinerRunStatus::bounded`]: crate::MinerRunStatus::bounded
pub const MAX_MESSAGE: usize = 480;

/// A kind of condition. Each is true when it is good, but `Suspended` and `Failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The spec can be run.
    Accepted,
    /// The run moves towards what the spec asks for.
    Progressing,
    /// All islands search.
    Ready,
    /// No pod is left, and none will be started until the run is resumed.
    Suspended,
    /// All islands have finished.
    Complete,
    /// The run has ended without finishing.
    Failed,
    /// The chain that the run publishes on answers its submitter; absent where it publishes on none.
    ChainConnected,
}

impl ConditionType {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [ConditionType; 7] = [
        ConditionType::Accepted,
        ConditionType::Progressing,
        ConditionType::Ready,
        ConditionType::Suspended,
        ConditionType::Complete,
        ConditionType::Failed,
        ConditionType::ChainConnected,
    ];

    /// The word in `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConditionType::Accepted => "Accepted",
            ConditionType::Progressing => "Progressing",
            ConditionType::Ready => "Ready",
            ConditionType::Suspended => "Suspended",
            ConditionType::Complete => "Complete",
            ConditionType::Failed => "Failed",
            ConditionType::ChainConnected => "ChainConnected",
        }
    }
}

/// Declares reasons with the condition they are about and whether it is then true.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident => $about:ident $truth:literal,)*) => {
        /// Why a condition is as it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[doc = $doc])* $name,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Reason] = &[$(Reason::$name,)*];

            /// The word in `reason`, and of an Event.
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name),)* }
            }

            /// The condition it is about, and whether that is then true.
            pub const fn says(self) -> (ConditionType, bool) {
                match self { $(Reason::$name => (ConditionType::$about, $truth),)* }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$name => concat!($($doc),*),)* }
            }
        }
    };
}

reasons! {
    /// The spec is right.
    Valid => Accepted true,
    /// The spec was stored by another version and this one cannot read it.
    InvalidSpec => Accepted false,
    /// The spec names a profile that the administrator has not described.
    ProfileMissing => Accepted false,
    /// The run's objects are being made.
    Creating => Progressing true,
    /// The number of islands changes.
    Scaling => Progressing true,
    /// The pods are replaced by ones of the present spec.
    RollingOut => Progressing true,
    /// Islands search.
    Searching => Progressing true,
    /// Nothing moves, as the spec asks for: suspended, or no islands.
    Held => Progressing false,
    /// Nothing is left to do.
    Ended => Progressing false,
    /// All islands search.
    AllIslandsReady => Ready true,
    /// Pods are starting.
    Starting => Ready false,
    /// No islands are asked for, or all have ended.
    NoIslands => Ready false,
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
    /// A claim or `ConfigMap` that the spec names is not there, or not bound.
    VolumeMissing => Ready false,
    /// The API server refuses an object of the run.
    Refused => Ready false,
    /// The ledger cannot be told how many islands the run shall have: it does not answer, or it refuses the operator.
    LedgerUnavailable => Ready false,
    /// A pod needed more memory than its limit.
    OutOfMemory => Ready false,
    /// A pod ends again and again.
    Crashing => Ready false,
    /// The spec's `suspend`.
    ByUser => Suspended true,
    /// The queue has not admitted the run, or has taken its place back.
    ByQueue => Suspended true,
    /// Pods are still writing their checkpoints.
    Draining => Suspended false,
    /// The run is not suspended.
    Active => Suspended false,
    /// Every island has considered as many candidates as the budget holds.
    BudgetSpent => Complete true,
    /// The spec, a gene or data is wrong: exit code 78.
    BadInput => Failed true,
    /// The program refused its command line: exit code 64.
    BadUsage => Failed true,
    /// The program has a bug, or its host failed: exit code 70.
    Bug => Failed true,
    /// An island failed more often than `backoffLimitPerIndex`.
    BackoffExceeded => Failed true,
    /// The run took longer than `activeDeadlineSeconds`.
    DeadlineExceeded => Failed true,
    /// The spec was changed after the failure, and the run is tried again.
    Retrying => Failed false,
    /// The chain answers the submitter.
    Connected => ChainConnected true,
    /// No node of the chain answers the submitter.
    Unreachable => ChainConnected false,
    /// The chain's runtime is another than the submitter's program knows.
    RuntimeChanged => ChainConnected false,
    /// The submitter cannot ask the chain for another reason.
    Other => ChainConnected false,
}

/// The reference of every condition and reason, as Markdown.
pub fn markdown() -> String {
    let rows = ConditionType::ALL.into_iter().flat_map(|about| {
        let reasons = Reason::ALL.iter().filter(move |reason| reason.says().0 == about);
        reasons.map(move |reason| [about.as_str(), truth(reason.says().1), reason.as_str(), reason.meaning()])
    });
    table(rows)
}

/// A table of conditions: which, its status, the reason and what that means.
pub(crate) fn table<'a>(rows: impl Iterator<Item = [&'a str; 4]>) -> String {
    let mut text = "| Condition | Status | Reason | Meaning |\n|---|---|---|---|\n".to_owned();
    for [about, status, reason, meaning] in rows {
        let _ = writeln!(text, "| `{about}` | {status} | `{reason}` | {} |", meaning.trim());
    }
    text
}

/// The word in `status`.
pub(crate) const fn truth(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

/// Sets the condition that `reason` is about, and says whether anything changed.
///
/// `message` says what is wrong, where, and what to do; it is put on one line and cut at [`MAX_MESSAGE`].
/// `lastTransitionTime` becomes `now` only where the status changes; `generation` is the spec's that was looked at.
pub fn set(conditions: &mut Vec<Condition>, reason: Reason, message: &str, generation: i64, now: &Time) -> bool {
    let (about, truth) = reason.says();
    let condition = Condition {
        type_: about.as_str().to_owned(),
        status: self::truth(truth).to_owned(),
        reason: reason.as_str().to_owned(),
        message: short(message),
        observed_generation: Some(generation),
        last_transition_time: now.clone(),
    };
    place(conditions, condition, |kind| ConditionType::ALL.iter().position(|one| one.as_str() == kind))
}

/// Puts a condition among others, in the place of the one of its kind; `rank` says in which order they are. Says whether
/// anything changed.
pub(crate) fn place(
    conditions: &mut Vec<Condition>,
    mut condition: Condition,
    rank: impl Fn(&str) -> Option<usize>,
) -> bool {
    let Some(present) = conditions.iter_mut().find(|present| present.type_ == condition.type_) else {
        conditions.push(condition);
        // A fixed order: what is written does not depend on what was learned first.
        conditions.sort_by_key(|condition| rank(&condition.type_));
        return true;
    };
    if present.status == condition.status {
        condition.last_transition_time = present.last_transition_time.clone();
    }
    let changed = *present != condition;
    *present = condition;
    changed
}

/// Takes the condition of a kind away: there is nothing to say of it.
pub fn unset(conditions: &mut Vec<Condition>, about: ConditionType) {
    conditions.retain(|condition| condition.type_ != about.as_str());
}

/// The condition of a kind.
pub fn get(conditions: &[Condition], about: ConditionType) -> Option<&Condition> {
    get_named(conditions, about.as_str())
}

/// The condition with this word as its `type`.
pub(crate) fn get_named<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether it is one of a run.
pub(crate) fn is_known(condition: &Condition) -> bool {
    ConditionType::ALL.iter().any(|about| about.as_str() == condition.type_)
        && Reason::ALL.iter().any(|reason| reason.as_str() == condition.reason)
}

/// Leaves out what is no known condition, or one twice, and shortens the rest as [`set`] does.
pub(crate) fn bound(conditions: &mut Vec<Condition>, is_known: impl Fn(&Condition) -> bool) {
    let known = |condition: &Condition| {
        is_known(condition) && ["True", "False", "Unknown"].contains(&condition.status.as_str())
    };
    let mut seen = Vec::new();
    conditions.retain_mut(|condition| {
        let keep = known(condition) && !seen.contains(&condition.type_);
        seen.push(condition.type_.clone());
        condition.message = short(&condition.message);
        keep
    });
}

/// Cuts the longest message to about three quarters; false where there is nothing left to cut.
pub(crate) fn cut_longest(conditions: &mut [Condition]) -> bool {
    let Some(longest) = conditions.iter_mut().max_by_key(|condition| json_len(&condition.message)) else {
        return false;
    };
    let most = json_len(&longest.message) * 3 / 4;
    longest.message = cut(&longest.message, most);
    most > 0
}

/// A text on one line, of at most [`MAX_MESSAGE`] bytes as JSON.
pub(crate) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(line.trim(), MAX_MESSAGE)
}

/// The head of a line without control characters, of at most this many bytes as JSON; `…` says that more was there.
fn cut(line: &str, most: usize) -> String {
    if json_len(line) <= most {
        return line.to_owned();
    }
    let mut size = '…'.len_utf8();
    let head: String = line.chars().take_while(|c| (size += json_cost(*c), size <= most).1).collect();
    if most < '…'.len_utf8() { String::new() } else { head + "…" }
}

fn json_len(line: &str) -> usize {
    line.chars().map(json_cost).sum()
}

fn json_cost(c: char) -> usize {
    if matches!(c, '"' | '\\') { 2 } else { c.len_utf8() }
}

/// What a run is doing, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// The spec cannot be run.
    Invalid,
    /// Not all islands search yet, or not any more; the reason says what they wait for.
    Pending,
    /// All islands search.
    Running,
    /// Pods are writing their checkpoints before they end.
    Suspending,
    /// No pod is left; the run can be resumed.
    Suspended,
    /// Finished; the best gene and the archive are there.
    Complete,
    /// Ended without finishing; the reason says why.
    Failed,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 7] = [
        Phase::Invalid,
        Phase::Pending,
        Phase::Running,
        Phase::Suspending,
        Phase::Suspended,
        Phase::Complete,
        Phase::Failed,
    ];
}

/// The phase that conditions add up to, and the condition that decides it: the one whose reason is shown.
pub fn summary(conditions: &[Condition]) -> (Phase, Option<&Condition>) {
    let is = |about, status: &str| get(conditions, about).filter(|condition| condition.status == status);
    let ready = get(conditions, ConditionType::Ready);
    let draining = |condition: &&Condition| condition.reason == Reason::Draining.as_str();
    // An end outweighs everything before it, and a wrong spec everything that still runs of an older one.
    let decided = [
        (Phase::Failed, is(ConditionType::Failed, "True")),
        (Phase::Complete, is(ConditionType::Complete, "True")),
        (Phase::Invalid, is(ConditionType::Accepted, "False")),
        (Phase::Suspended, is(ConditionType::Suspended, "True")),
        (Phase::Suspending, is(ConditionType::Suspended, "False").filter(draining)),
        (Phase::Running, is(ConditionType::Ready, "True")),
    ];
    let first = decided.into_iter().find(|(_, condition)| condition.is_some());
    first.unwrap_or((Phase::Pending, ready))
}
