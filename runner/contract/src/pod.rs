//! How the operator starts a runner in a pod, and how they talk: paths, variables, port and pages.
//!
//! A pod needs no rights and no key: its spec is a mounted file, its checkpoints are a folder, and what it has found is
//! fetched from its pages.
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of the container and of its image's program.
pub const CONTAINER: &str = "runner";
/// The port that pages and metrics are served on.
pub const PORT: u16 = 9090;
/// The port's name in pods and Services.
pub const PORT_NAME: &str = "metrics";
/// The folder that the spec is mounted in.
pub const SPEC_FOLDER: &str = "/etc/automl";
/// The spec's file in that folder: a `MinerRun` with `search` and `evaluation`.
pub const SPEC_FILE: &str = "minerrun.yaml";
/// The folder that holds checkpoints; one below it for each spec that was searched with.
pub const CHECKPOINTS: &str = "/checkpoints";
/// The folder below which data of `spec.podTemplate.volumes` is mounted.
pub const DATA: &str = "/data";
/// The variable that holds the island's index.
pub const ISLAND: &str = "AUTOML_ISLAND";
/// The variable that lists islands which have finished already, as a Job's `completedIndexes` does: `0-2,5`.
pub const FINISHED: &str = "AUTOML_FINISHED";
/// The variable that names the chain: `finney`, `test`, `local`, or its nodes.
pub const NETWORK: &str = "AUTOML_NETWORK";
/// The variable that names the ledger: a file, `postgres://…` or the `http://…` of a served one.
pub const LEDGER: &str = "AUTOML_LEDGER";
/// The variable that names the file with the token that is shown to the ledger.
pub const LEDGER_TOKEN_FILE: &str = "AUTOML_LEDGER_TOKEN_FILE";
/// The variable that says what the run is called in the ledger.
pub const LEDGER_RUN: &str = "AUTOML_RUN";
/// The variable that names the submitter that a run confirms its genes for.
pub const SUBMITTER: &str = "AUTOML_SUBMITTER";
/// What a submitter's name begins with; behind it comes what tells it from others of its namespace, and its pod has `-0` at the end.
pub const SUBMITTER_NAME: &str = "automl-submitter-";
/// The folder that a hotkey's file is mounted in.
pub const KEY_FOLDER: &str = "/var/run/secrets/automl-hotkey";
/// What the hotkey's file is called there.
pub const KEY_FILE: &str = "hotkey";
/// What the file with its password is called, where there is one.
pub const PASSWORD_FILE: &str = "password";
/// The folder that certificates of authorities are mounted in.
pub const CERTIFICATES_FOLDER: &str = "/etc/automl/certificates";
/// The file of certificates there, and what the entry of its `ConfigMap` is called.
pub const CERTIFICATES_FILE: &str = "ca.crt";

/// What the names of a validator's objects end with; its pod has `-0` behind it.
pub const VALIDATOR_SUFFIX: &str = "-val";
/// The validator's file in [`SPEC_FOLDER`].
pub const VALIDATOR_FILE: &str = "validator.yaml";
/// The container that signs, in a validator's pod.
pub const VALIDATOR: &str = "validator";
/// The container that scores there, and has no key.
pub const SCORER: &str = "scorer";
/// The folder that both share.
pub const SCORER_FOLDER: &str = "/run/automl/scorer";
/// The socket in it.
pub const SCORER_SOCKET: &str = "socket";
/// The folder that keeps a validator's records where there is no ledger.
pub const RECORDS_FOLDER: &str = "/var/lib/automl";
/// The file in it.
pub const RECORDS_FILE: &str = "validator.db";

/// What a validator is called in the ledger: no run is, as their names have no capital letters.
pub fn validator_scope(namespace: &str, name: &str) -> String {
    format!("{namespace}.Validator-{name}")
}

/// What a submitter is called in the ledger: no run is, as their names have no capital letters.
pub fn submitter_scope(namespace: &str, which: &str) -> String {
    format!("{namespace}.Submitter-{which}")
}

/// The folder that the token for the ledger is mounted in.
pub const LEDGER_TOKEN_FOLDER: &str = "/var/run/secrets/automl-ledger";
/// The token's file in that folder.
pub const LEDGER_TOKEN: &str = "token";
/// Whom that token is for: it opens nothing else.
pub const LEDGER_AUDIENCE: &str = "automl-ledger";
/// The kind of a record that says which islands a run has.
pub const SCHEDULE_RECORD: &str = "schedule";
/// What the key of a record begins with that says how many islands a run shall have; its body is the number in digits. The last
/// one counts.
pub const WISH_KEY: &str = "wish.";

/// The page with [`crate::progress::Progress`].
pub const STATUS_PAGE: &str = "/status";
/// The page with the archive, one [`crate::archive::Found`] for each line.
pub const ARCHIVE_PAGE: &str = "/archive";
/// A POST here says that the results of a finished island are kept elsewhere, so that its process may end.
pub const RELEASE_PAGE: &str = "/release";
/// Is the process alive.
pub const HEALTH_PAGE: &str = "/healthz";
/// Does it search, or has it finished.
pub const READY_PAGE: &str = "/readyz";
/// Prometheus' page.
pub const METRICS_PAGE: &str = "/metrics";

/// Whether a list of indexes such as `0-2,5` has this one; [`Indexes`] is for whoever asks more than once.
pub fn listed(list: &str, index: u32) -> bool {
    Indexes::from(list).contains(index)
}

/// A set of indexes, written as a Job's `completedIndexes` is: `0-2,5`. What is not such a list has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Indexes {
    /// First and last, in order, with a gap after each.
    ranges: Vec<(u32, u32)>,
}

impl Indexes {
    /// Whether this one is in it.
    pub fn contains(&self, index: u32) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= index);
        self.ranges[..after].last().is_some_and(|(_, last)| index <= *last)
    }

    /// How many are below `end`.
    pub fn count_below(&self, end: u32) -> u32 {
        let below = self.ranges.iter().take_while(|(first, _)| *first < end);
        below.map(|(first, last)| end.min(last.saturating_add(1)) - first).sum()
    }

    /// Of these.
    pub fn all(indexes: impl IntoIterator<Item = u32>) -> Self {
        Self::of(indexes.into_iter().map(|index| (index, index)).collect())
    }

    /// Takes up those of another set.
    pub fn join(&mut self, other: &Self) {
        *self = Self::of(self.ranges.iter().chain(&other.ranges).copied().collect());
    }

    fn of(mut all: Vec<(u32, u32)>) -> Self {
        all.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (first, last) in all {
            match ranges.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => ranges.push((first, last)),
            }
        }
        Self { ranges }
    }
}

impl From<u32> for Indexes {
    fn from(index: u32) -> Self {
        Self { ranges: vec![(index, index)] }
    }
}

impl From<&str> for Indexes {
    fn from(list: &str) -> Self {
        let range = |part: &str| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
            (low <= high).then_some((low, high))
        };
        Self::of(list.split(',').filter_map(range).collect())
    }
}

impl From<String> for Indexes {
    fn from(list: String) -> Self {
        Self::from(list.as_str())
    }
}

impl From<Indexes> for String {
    fn from(indexes: Indexes) -> Self {
        indexes.to_string()
    }
}

impl fmt::Display for Indexes {
    /// In its shortest form.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if first == last {
                write!(formatter, "{comma}{first}")?;
            } else {
                write!(formatter, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_list_is_the_set_it_was_made_of(one: BTreeSet<u8>, other: BTreeSet<u8>) {
            let indexes = |set: &BTreeSet<u8>| {
                let mut indexes = Indexes::default();
                for index in set {
                    indexes.join(&u32::from(*index).into());
                }
                indexes
            };
            let mut joined = indexes(&one);
            joined.join(&indexes(&other));
            let both: BTreeSet<u8> = one.union(&other).copied().collect();
            prop_assert_eq!(&Indexes::all(both.iter().rev().copied().map(u32::from)), &joined);
            for index in 0..=255 {
                prop_assert_eq!(joined.contains(index.into()), both.contains(&index));
                prop_assert_eq!(joined.count_below(index.into()) as usize, both.range(..index).count());
            }
            prop_assert_eq!(&joined, &indexes(&both));
            prop_assert_eq!(Indexes::from(joined.to_string()), joined);
        }
    }

    #[test]
    fn what_is_no_list_lists_nothing() {
        for text in ["", "x", "3-1", "-", "1-2-3", "99999999999"] {
            assert_eq!((Indexes::from(text), listed(text, 1)), (Indexes::default(), false), "{text}");
        }
        assert_eq!(Indexes::from("5, 1-3,0-2,x").to_string(), "0-3,5");
    }

    #[test]
    fn every_index_there_is_can_be_listed() {
        let all = Indexes::from("0-4294967295");
        assert!(all.contains(u32::MAX) && all.count_below(u32::MAX) == u32::MAX);
        assert!(listed("4294967295", u32::MAX));
    }
}
