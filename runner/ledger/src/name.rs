//! What a record is called.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest scope and key, in bytes.
const LONGEST: usize = 253;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A run: what it searches and how it scores.
    Run,
    /// The islands of a run, from a generation on.
    Schedule,
    /// What an island was at the end of a generation.
    Checkpoint,
    /// What came of a generation.
    Generation,
    /// The trainings of a generation.
    Training,
    /// Genes that an island gives to its neighbours.
    Packet,
    /// A gene that was found.
    Gene,
    /// A block of a subnet that is in a ledger.
    Block,
    /// That a hotkey takes part in such a subnet.
    Registration,
    /// What a run found out about a gene beside the one that was published last.
    Confirmation,
    /// That a gene is published, and what came of it.
    Publication,
    /// A hash that was published before its gene.
    Commitment,
    /// What a validator computed for a gene.
    Score,
    /// The weights that a validator set.
    Weights,
    /// A validation period.
    Round,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 15] = [
        Kind::Run,
        Kind::Schedule,
        Kind::Checkpoint,
        Kind::Generation,
        Kind::Training,
        Kind::Packet,
        Kind::Gene,
        Kind::Block,
        Kind::Registration,
        Kind::Confirmation,
        Kind::Publication,
        Kind::Commitment,
        Kind::Score,
        Kind::Weights,
        Kind::Round,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Schedule => "schedule",
            Kind::Checkpoint => "checkpoint",
            Kind::Generation => "generation",
            Kind::Training => "training",
            Kind::Packet => "packet",
            Kind::Gene => "gene",
            Kind::Block => "block",
            Kind::Registration => "registration",
            Kind::Confirmation => "confirmation",
            Kind::Publication => "publication",
            Kind::Commitment => "commitment",
            Kind::Score => "score",
            Kind::Weights => "weights",
            Kind::Round => "round",
        }
    }
}

impl FromStr for Kind {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Kind, NameError> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| NameError::Kind { found: text.chars().take(LONGEST).collect() })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which record it is: of a kind, in a scope (a run, or a subnet), under a key such as `2.17` (island 2, generation 17).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Name {
    kind: Kind,
    scope: String,
    key: String,
}

impl Name {
    /// Scope and key have 1 to 253 characters: letters, digits and `-`, `_`, `.`.
    pub fn new(kind: Kind, scope: impl Into<String>, key: impl Into<String>) -> Result<Name, NameError> {
        let name = Name { kind, scope: scope.into(), key: key.into() };
        check("scope", &name.scope)?;
        check("key", &name.key)?;
        Ok(name)
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The run or subnet it belongs to.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Its name among those of its kind and scope.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.scope, self.key)
    }
}

fn check(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() || text.len() > LONGEST {
        return Err(NameError::Length { what, bytes: text.len() });
    }
    let fits = |found: &char| found.is_ascii_alphanumeric() || "-_.".contains(*found);
    match text.chars().find(|found| !fits(found)) {
        Some(found) => Err(NameError::Character { what, found }),
        None => Ok(()),
    }
}

/// Why something is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No such kind.
    #[error("there are no records of kind {found:?}; kinds are {}", Kind::ALL.map(Kind::as_str).join(", "))]
    Kind {
        /// The text.
        found: String,
    },
    /// Empty or too long.
    #[error("a {what} has 1 to {LONGEST} characters, not {bytes}")]
    Length {
        /// Scope or key.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A character that it may not have.
    #[error("a {what} consists of letters, digits and the characters -_., not {found:?}")]
    Character {
        /// Scope or key.
        what: &'static str,
        /// The first that it may not have.
        found: char,
    },
}
