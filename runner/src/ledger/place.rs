//! Which ledger is meant.
use crate::cli::LedgerPlace;
use crate::failure::Failure;
use automl_ledger::{Database, Ledger, Remote};
use std::path::Path;

/// Whether it is not a file.
pub(super) fn is_url(place: &str) -> bool {
    place.contains("://")
}

/// Whether another process serves it.
pub(crate) fn is_served(place: &str) -> bool {
    place.starts_with("http://") || place.starts_with("https://")
}

/// Opens one that is there.
pub(crate) async fn open(place: &LedgerPlace) -> Result<Box<dyn Ledger>, Failure> {
    let LedgerPlace { ledger, token_file } = place;
    if is_served(ledger) {
        return Ok(Box::new(match token_file {
            Some(file) => Remote::with_token_file(ledger, file)?,
            None => Remote::new(ledger, None)?,
        }));
    }
    if !is_url(ledger) && !Path::new(ledger).exists() {
        return Err(Failure::bad_input(format!(
            "there is no ledger {ledger}; `runner ledger serve {ledger}` makes one"
        )));
    }
    Ok(Box::new(Database::open(ledger).await?))
}

/// Opens one, and makes a file where there is none.
pub(crate) async fn open_or_make(place: &LedgerPlace) -> Result<Box<dyn Ledger>, Failure> {
    if is_url(&place.ledger) { open(place).await } else { Ok(Box::new(Database::open(&place.ledger).await?)) }
}
