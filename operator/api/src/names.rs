//! Names of a run or a validator and of the objects that belong to it.
//!
//! Kubernetes bounds a label and a host name at 63 characters. Such a name is bounded such that every name made from
//! it fits; the proofs are in the types and evaluated when this crate is compiled.
use std::fmt;

use automl_contract::pod::VALIDATOR_SUFFIX;
use automl_contract::rules::MAX_NAME;

/// The most characters of a label's value, a Service's name and a pod's host name.
pub const MAX_LABEL: usize = 63;

/// Why a text is not the name of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a usable name: use at most {MAX_NAME} lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit"
)]
pub struct NameError(String);

/// The name of a run: a DNS label that begins with a letter, of at most [`MAX_NAME`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunName(String);

impl TryFrom<&str> for RunName {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let right = name.len() <= MAX_NAME
            && name.bytes().all(inside)
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && !name.ends_with('-');
        // A name that is wrong may be of any length; its head is enough to find it.
        if right { Ok(Self(name.to_owned())) } else { Err(NameError(name.chars().take(MAX_LABEL).collect())) }
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells one version of a child from the next: the first 32 bits of a hash over its content, as 8 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u32);

impl Version {
    const DIGITS: usize = 8;

    /// The version of content with this sha256.
    pub fn of(sha256: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = *sha256;
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$x}", self.0, width = Self::DIGITS)
    }
}

/// The most digits of an island's number.
const ISLAND_DIGITS: usize = 4;
const NETWORK: &str = "-net";
const CHECKPOINT: &str = "-checkpoint";
const ARCHIVE: &str = "-archive";
const CLAIM: &str = "-gpu";

// A pod's host name is its Job's name, `-` and the number of its island.
const _: () = assert!(MAX_NAME + 1 + Version::DIGITS + 1 + ISLAND_DIGITS <= MAX_LABEL);
const _: () = assert!(MAX_NAME + CHECKPOINT.len() <= MAX_LABEL && MAX_NAME + ARCHIVE.len() <= MAX_LABEL);
const _: () = assert!(MAX_NAME + CLAIM.len() + 1 + Version::DIGITS <= MAX_LABEL);
const _: () = assert!(automl_contract::minerrun::MAX_ISLANDS <= 10_u32.pow(ISLAND_DIGITS as u32));

impl RunName {
    /// The Job that runs the islands from a template of this version.
    pub fn job(&self, version: Version) -> String {
        format!("{self}-{version}")
    }

    /// The `ConfigMap` with the spec of this version, which pods mount.
    pub fn spec_map(&self, version: Version) -> String {
        format!("{self}-{version}")
    }

    /// The headless Service by which pods are scraped.
    pub fn service(&self) -> String {
        self.to_string()
    }

    /// The `NetworkPolicy` of the pods.
    pub fn network_policy(&self) -> String {
        format!("{self}{NETWORK}")
    }

    /// The claim that holds checkpoints.
    pub fn claim(&self) -> String {
        format!("{self}{CHECKPOINT}")
    }

    /// The template, of this version, that pods make their claims of devices from.
    pub fn claim_template(&self, version: Version) -> String {
        format!("{self}{CLAIM}-{version}")
    }

    /// The `ConfigMap` with the archive, which outlives the pods.
    pub fn archive(&self) -> String {
        format!("{self}{ARCHIVE}")
    }
}

/// The name of a validator: as that of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatorName(RunName);

/// The most digits of what Kubernetes puts behind a set's name, in the label of its pod's revision.
const REVISION_DIGITS: usize = 10;
const RECORDS: &str = "-records";

const _: () = assert!(MAX_NAME + VALIDATOR_SUFFIX.len() + 1 + REVISION_DIGITS <= MAX_LABEL);
const _: () = assert!(MAX_NAME + VALIDATOR_SUFFIX.len() + RECORDS.len() <= MAX_LABEL);
const _: () = assert!(MAX_NAME + VALIDATOR_SUFFIX.len() + 1 + Version::DIGITS <= MAX_LABEL);

impl TryFrom<&str> for ValidatorName {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        RunName::try_from(name).map(Self)
    }
}

impl fmt::Display for ValidatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ValidatorName {
    /// The `StatefulSet`, its Service and its `NetworkPolicy`.
    pub fn set(&self) -> String {
        format!("{self}{VALIDATOR_SUFFIX}")
    }

    /// The `ConfigMap` with the file of this version, which the pod mounts.
    pub fn file_map(&self, version: Version) -> String {
        format!("{self}{VALIDATOR_SUFFIX}-{version}")
    }

    /// The template, of this version, that the pod makes its claim of devices from.
    pub fn claim_template(&self, version: Version) -> String {
        format!("{self}{VALIDATOR_SUFFIX}-{version}")
    }

    /// The claim that holds records where there is no ledger.
    pub fn records(&self) -> String {
        format!("{self}{VALIDATOR_SUFFIX}{RECORDS}")
    }
}
