//! Which gene is published next, if any: a function of what the ledger says.
use super::records::{Confirmed, Publications};
use crate::failure::Failure;
use automl_genome::{Format, Gene, Limits, export, parse};
use serde::Serialize;
use std::fmt;

/// Which runs a submitter serves.
#[derive(Debug)]
pub(crate) struct Runs(Vec<String>);

impl Runs {
    /// Names, or the beginnings of names with `*` after them.
    pub(crate) fn new(texts: &[String]) -> Result<Runs, Failure> {
        for text in texts {
            super::records::check_name(text.strip_suffix('*').filter(|rest| !rest.is_empty()).unwrap_or(text))?;
        }
        Ok(Runs(texts.to_vec()))
    }

    fn has(&self, run: &str) -> bool {
        self.0.iter().any(|text| match text.strip_suffix('*') {
            Some(beginning) => run.starts_with(beginning),
            None => run == text,
        })
    }

    /// Those that are named in full.
    pub(crate) fn named(&self) -> Vec<String> {
        self.0.iter().filter(|text| !text.ends_with('*')).cloned().collect()
    }
}

/// Why nothing is published.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Nothing {
    pub reason: String,
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing to publish: {}", self.reason)
    }
}

/// The gene that is best confirmed against what was published last.
///
/// The first to be published has nothing to beat; after that, a gene has to be better beyond doubt.
pub(crate) fn choose<'a>(
    published: &Publications,
    confirmations: &'a [Confirmed],
    runs: &Runs,
) -> Result<&'a Confirmed, Nothing> {
    let number = published.last_number();
    let ours: Vec<&Confirmed> = confirmations
        .iter()
        .filter(|one| runs.has(&one.run) && one.confirmation.against.publication == number)
        .collect();
    // A run of strangers' making may have written anything: what is no gene is not published.
    let well_formed = |one: &&&Confirmed| publishable(&one.confirmation.gene);
    let given_up = |of: &Confirmed| published.gave_up(&of.confirmation.gene);
    let worth = |one: &&&Confirmed| number == 0 || one.confirmation.better();
    let best = ours.iter().filter(worth).filter(well_formed).max_by(|one, other| {
        let low = |of: &Confirmed| of.confirmation.difference.low;
        // One that could not be published keeps no other waiting; of two that are equal the earlier.
        let by_failure = given_up(other).cmp(&given_up(one));
        by_failure.then(low(one).total_cmp(&low(other))).then(other.seq.cmp(&one.seq))
    });
    best.copied().ok_or_else(|| {
        let unpublishable = ours.iter().filter(worth).count();
        let reason = match (number, ours.len()) {
            _ if unpublishable > 0 => {
                format!("{unpublishable} confirmed genes cannot be written as the original's file")
            }
            (0, 0) => "no run has confirmed a gene yet".to_owned(),
            (_, 0) => format!("no run has confirmed a gene against publication {number} yet"),
            (_, 1) => format!("the gene that met publication {number} is not better beyond doubt"),
            (_, met) => format!("of {met} genes that met publication {number} none is better beyond doubt"),
        };
        Nothing { reason }
    })
}

/// Whether validators can read it: it is written as the original's file, whose text is then the one that is hashed.
pub(crate) fn publishable(text: &str) -> bool {
    let written = |gene: Gene| gene.to_string() == text && export(&gene, Format::Original).is_ok();
    parse(text, &Limits::default()).is_ok_and(written)
}
