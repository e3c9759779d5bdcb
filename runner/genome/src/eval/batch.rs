//! One batch as an evaluation sees it: borrowed, row-major, checked once.

/// Outputs of a network and the targets they should have, both `rows` × `classes`, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    /// What the network said (logits): `x`.
    pub outputs: &'a [T],
    /// What it should have said, one-hot: `y`.
    pub targets: &'a [T],
    /// Examples.
    pub rows: usize,
    /// Classes.
    pub classes: usize,
}

/// Why two slices are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nothing to compute on.
    #[error("a batch needs at least one row and one class, not {rows} × {classes}")]
    Empty {
        /// Rows that were claimed.
        rows: usize,
        /// Classes that were claimed.
        classes: usize,
    },
    /// A slice does not have rows × classes elements.
    #[error("{which} has {found} numbers, but {rows} rows of {classes} classes need {}", rows.saturating_mul(*classes))]
    Length {
        /// `outputs` or `targets`.
        which: &'static str,
        /// Its length.
        found: usize,
        /// Rows that were claimed.
        rows: usize,
        /// Classes that were claimed.
        classes: usize,
    },
}

impl<'a, T> Batch<'a, T> {
    /// A batch of `rows` × `classes` numbers each.
    pub fn new(outputs: &'a [T], targets: &'a [T], rows: usize, classes: usize) -> Result<Batch<'a, T>, BatchError> {
        if rows == 0 || classes == 0 {
            return Err(BatchError::Empty { rows, classes });
        }
        for (which, found) in [("outputs", outputs.len()), ("targets", targets.len())] {
            if rows.checked_mul(classes) != Some(found) {
                return Err(BatchError::Length { which, found, rows, classes });
            }
        }
        Ok(Batch { outputs, targets, rows, classes })
    }
}
