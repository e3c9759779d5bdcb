//! How a validator's file says to train: the same for the one that asks and the one that trains.
use crate::failure::Failure;
use automl_contract::manifest::read_validator;
use automl_contract::spec::Evaluation;
use automl_contract::tasks::Stage;
use automl_contract::validator::{Scheme, Validator};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// The run's seed of all trainings; which tasks there are follows from the seeds of rounds.
const SEED: u32 = 0;
/// What the original's validators train with, always.
const ORIGINAL_SEED: u32 = 42;
/// Digits of a hash that tell settings apart.
const DIGITS: usize = 16;

/// How networks are trained.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Way {
    /// Data, networks, steps.
    pub evaluation: Evaluation,
    /// The run's seed.
    pub seed: u32,
    /// Judge whatever a training left, as the original's validators do.
    pub judges_all: bool,
}

impl Way {
    /// As the file says.
    pub(crate) fn of(validator: &Validator) -> Way {
        let original = validator.spec.scoring.scheme == Scheme::Original;
        let seed = if original { ORIGINAL_SEED } else { SEED };
        Way { evaluation: validator.spec.evaluation.resolved(), seed, judges_all: original }
    }

    /// Sets that tasks are of in turn.
    pub(crate) fn sets(&self) -> u32 {
        self.evaluation.sets[Stage::Final as usize].len().max(1) as u32
    }

    /// Digits that are the same where trainings are.
    pub(crate) fn digits(&self) -> String {
        digits(self)
    }
}

/// Digits of the hash of settings.
pub(crate) fn digits(settings: &impl Serialize) -> String {
    // Plain values always encode.
    let text = serde_json::to_string(settings).unwrap_or_default();
    let digest = Sha256::digest(text);
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")).chars().take(DIGITS).collect()
}

/// Reads a Validator file.
pub(crate) fn read(path: &Path) -> Result<Validator, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    Ok(read_validator(&text, &path.display().to_string()).map_err(Failure::bad_input)?.validator)
}
