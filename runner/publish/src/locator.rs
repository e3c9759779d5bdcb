//! A place where genes are published, as it stands in a commitment.
use automl_ledger::{Kind, Name};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// The longest, in bytes: with `:` and a hash it is the 128 bytes that a commitment may have.
pub const LONGEST: usize = 63;

/// A place where genes are published. Each has one spelling, and a hash covers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Locator {
    /// `OWNER/NAME`: a model repository of the Hugging Face Hub, as the original's are.
    Hub {
        /// Both of it.
        repository: String,
    },
    /// `s3://BUCKET/PREFIX`.
    S3 {
        /// The bucket.
        bucket: String,
        /// Where in it, without slashes around; may be empty.
        prefix: String,
    },
    /// `https://HOST/PATH`, or `http://`: a server that takes PUT.
    Web(Url),
    /// `file:///FOLDER`.
    Folder(Url),
    /// `ledger:SCOPE`: the ledger that the chain is in.
    Ledger {
        /// Whose records of genes.
        scope: String,
    },
}

/// Why a text is no such place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// It does not fit into a commitment.
    #[error("{text:?} has {} bytes, and with a hash a commitment has room for {LONGEST}", text.len())]
    TooLong {
        /// All of it.
        text: String,
    },
    /// No kind of place.
    #[error(
        "{0:?} is no place for genes: it is OWNER/NAME of the Hugging Face Hub, s3://BUCKET/PREFIX, https://HOST/PATH, file:///FOLDER or ledger:NAME"
    )]
    Unknown(String),
    /// Of a kind, but not well-formed.
    #[error("{text:?}: {problem}")]
    Malformed {
        /// All of it.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The same place has another spelling.
    #[error("{text:?} is written {canonical:?}")]
    Spelling {
        /// What was given.
        text: String,
        /// What it has to be.
        canonical: String,
    },
}

impl FromStr for Locator {
    type Err = LocatorError;

    fn from_str(text: &str) -> Result<Locator, LocatorError> {
        if text.len() > LONGEST {
            return Err(LocatorError::TooLong { text: text.to_owned() });
        }
        let locator = parse(text)?;
        let canonical = locator.to_string();
        if canonical == text { Ok(locator) } else { Err(LocatorError::Spelling { text: text.to_owned(), canonical }) }
    }
}

fn parse(text: &str) -> Result<Locator, LocatorError> {
    let malformed =
        |problem: &dyn fmt::Display| LocatorError::Malformed { text: text.to_owned(), problem: problem.to_string() };
    if let Some(scope) = text.strip_prefix("ledger:") {
        Name::new(Kind::Gene, scope, "x").map_err(|error| malformed(&error))?;
        return Ok(Locator::Ledger { scope: scope.to_owned() });
    }
    if !text.contains("://") {
        return hub(text).ok_or_else(|| LocatorError::Unknown(text.to_owned()));
    }
    let url = Url::parse(text).map_err(|error| malformed(&error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed(&"a published address may hold no password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(malformed(&"a query or fragment has no meaning here"));
    }
    match (url.scheme(), url.host_str()) {
        ("s3", Some(bucket)) => {
            let (bucket, prefix) = (bucket.to_owned(), url.path().trim_matches('/').to_owned());
            Ok(Locator::S3 { bucket, prefix })
        }
        ("http" | "https", Some(_)) => Ok(Locator::Web(url)),
        ("file", None) if url.path() != "/" => Ok(Locator::Folder(url)),
        ("file", _) => Err(malformed(&"a folder is written file:///FOLDER, with its whole path")),
        _ => Err(LocatorError::Unknown(text.to_owned())),
    }
}

/// The Hub's own rule for names: letters, digits, `-`, `_`, `.`, neither beginning nor ending with `-` or `.`.
fn hub(text: &str) -> Option<Locator> {
    let fits = |part: &str| {
        let known = part.chars().all(|found| found.is_ascii_alphanumeric() || "-_.".contains(found));
        let edge = |found: &str| found.starts_with(['-', '.']) || found.ends_with(['-', '.']);
        known && !part.is_empty() && !edge(part) && !part.contains("--") && !part.contains("..")
    };
    let (owner, name) = text.split_once('/')?;
    (fits(owner) && fits(name)).then(|| Locator::Hub { repository: text.to_owned() })
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Locator::Hub { repository } => f.write_str(repository),
            Locator::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Locator::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Locator::Web(url) | Locator::Folder(url) => f.write_str(url.as_str().trim_end_matches('/')),
            Locator::Ledger { scope } => write!(f, "ledger:{scope}"),
        }
    }
}
