//! Files of bearer tokens: who serves a ledger admits all of them, who asks shows the first.
use std::path::{Path, PathBuf};

/// Of a token, in bytes.
const SHORTEST: usize = 16;

/// A line of a file of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLine {
    /// What is shown.
    pub token: String,
    /// The run that it may write, where it may not write all.
    pub run: Option<String>,
}

/// Why a file of tokens is none.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// More on a line than belongs there.
    #[error("{}:{line}: a line is a token, or a token and a run", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A token that is too short.
    #[error(
        "{}:{line}: a token of fewer than {SHORTEST} characters can be guessed; `openssl rand -hex 32` makes a good one",
        path.display()
    )]
    Short {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// No token at all.
    #[error("{} has no token", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The tokens in a file, one a line, at least one; lines that begin with `#` are remarks.
pub fn tokens(file: &Path) -> Result<Vec<TokenLine>, TokenError> {
    let path = || file.to_owned();
    let text = std::fs::read_to_string(file).map_err(|source| TokenError::Unreadable { path: path(), source })?;
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    let read = |(line, text): (usize, &str)| {
        let mut words = text.split_whitespace().map(str::to_owned);
        let (token, run) = (words.next().unwrap_or_default(), words.next());
        if words.next().is_some() {
            Err(TokenError::Line { path: path(), line })
        } else if token.len() < SHORTEST {
            Err(TokenError::Short { path: path(), line })
        } else {
            Ok(TokenLine { token, run })
        }
    };
    let tokens = lines.map(read).collect::<Result<Vec<_>, _>>()?;
    if tokens.is_empty() { Err(TokenError::Empty { path: path() }) } else { Ok(tokens) }
}
