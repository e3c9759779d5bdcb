//! What a hotkey earns, and why its chain cannot be asked, as the pages of services say it.
use super::shown::{part, tokens};
use automl_chain::{ChainError, Standing};
use automl_contract::submitting::{ChainProblem, ChainTrouble};
use automl_contract::validating::Earns;

/// What it earns.
pub(crate) fn earns(standing: &Standing) -> Earns {
    Earns {
        incentive: part(standing.incentive),
        dividends: part(standing.dividends),
        emission: tokens(standing.emission),
        trust: part(if standing.permit { standing.validator_trust } else { standing.trust }),
        goes_after: standing.goes_after,
    }
}

/// Why its chain cannot be asked.
pub(crate) fn problem(error: &ChainError) -> ChainProblem {
    ChainProblem { reason: trouble(error), message: error.to_string() }
}

/// The same in a word.
pub(super) fn trouble(error: &ChainError) -> ChainTrouble {
    match error {
        ChainError::Unreachable { .. } => ChainTrouble::Unreachable,
        ChainError::Changed { .. } => ChainTrouble::RuntimeChanged,
        _ => ChainTrouble::Other,
    }
}
