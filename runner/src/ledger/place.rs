//! Which ledger is meant.
use crate::cli::LedgerPlace;
use crate::failure::Failure;
use automl_ledger::{Database, Ledger, Remote};
use std::path::Path;

/// Whether it is not a file.
pub(super) fn is_url(place: &str) -> bool {
    place.contains("://")
}

/// Opens one that is there.
pub(crate) async fn open(place: &LedgerPlace) -> Result<Box<dyn Ledger>, Failure> {
    let LedgerPlace { ledger, token_file } = place;
    if ledger.starts_with("http://") || ledger.starts_with("https://") {
        return match token_file {
            Some(file) => {
                tokens(file)?;
                Ok(Box::new(Remote::with_token_file(ledger, file)?))
            }
            None => Ok(Box::new(Remote::new(ledger, None)?)),
        };
    }
    if !is_url(ledger) && !Path::new(ledger).exists() {
        return Err(Failure::bad_input(format!(
            "there is no ledger {ledger}; `runner ledger serve {ledger}` makes one"
        )));
    }
    Ok(Box::new(Database::open(ledger).await?))
}

/// Opens one, and makes a file where there is none.
#[cfg(feature = "lab")]
pub(crate) async fn open_or_make(place: &LedgerPlace) -> Result<Box<dyn Ledger>, Failure> {
    if is_url(&place.ledger) { open(place).await } else { Ok(Box::new(Database::open(&place.ledger).await?)) }
}

/// A line of a file of tokens: the token, and the run that it may write, where it may not write all.
pub(super) struct TokenLine {
    pub(super) token: String,
    pub(super) run: Option<String>,
}

/// The tokens in a file, one a line; lines that begin with `#` are remarks.
pub(super) fn tokens(file: &Path) -> Result<Vec<TokenLine>, Failure> {
    const SHORTEST: usize = 16;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, &error))?;
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut tokens = Vec::new();
    for (number, line) in lines {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (token, run) = (words.next().unwrap_or_default(), words.next());
        if words.next().is_some() {
            return Err(Failure::bad_input(format!(
                "{}:{number}: a line is a token, or a token and a run",
                file.display()
            )));
        }
        if token.len() >= SHORTEST {
            tokens.push(TokenLine { token, run });
            continue;
        }
        return Err(Failure::bad_input(format!(
            "{}:{number}: a token of fewer than {SHORTEST} characters can be guessed; `openssl rand -hex 32` makes a good one",
            file.display()
        )));
    }
    if tokens.is_empty() {
        return Err(Failure::bad_input(format!("{} has no token", file.display())));
    }
    Ok(tokens)
}
