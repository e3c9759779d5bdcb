//! `runner verify`: computes recorded scores again, in a process and with a lab that remember nothing, and compares them
//! to the bit.
//!
//! On the class of processor, path and versions that recorded them, scores must be equal: one that is not was changed, or
//! there is a bug. Elsewhere they may differ a little, and how far they do is the answer. What a clock ended cannot be
//! asked for again and is only counted.
//!
//! ```text
//! draw     which scores        again   the lab they are computed in        report  what came of it, in words
//! ```
mod again;
mod draw;
mod report;

use crate::cli::{PathArgument, VerifyOptions};
use crate::failure::Failure;
use crate::mine::records::{self, Recorded};
use crate::mine::service::Service;
use crate::mine::workers;
use crate::output;
use again::Again;
use automl_contract::exit;
use automl_lab::Path;
use report::Report;
use std::rc::Rc;

pub(crate) fn verify(options: &VerifyOptions) -> Result<(), Failure> {
    let service = Service::start()?;
    let path = if options.run.is_dir() { options.run.join(records::FILE) } else { options.run.clone() };
    let recorded = records::read(&path)?;
    if recorded.is_empty() {
        return Err(Failure::bad_input(format!("{} holds no scores", path.display())));
    }
    let (timeouts, kept): (Vec<_>, Vec<_>) = recorded.iter().partition(|one| one.score.timed_out());
    let wanted = if options.all { kept.len() } else { options.records as usize };
    let drawn = draw::evenly(&kept, wanted, options.seed);
    let other_path = options.path.map(|path| match path {
        PathArgument::Host => Path::Host,
        PathArgument::Tensor => Path::Tensor,
    });
    let mut report = Report::new(&path, recorded.len(), timeouts.len());
    for group in by_circumstances(&drawn) {
        let again = Again::open(&group[0].circumstances, other_path)?;
        let scores = again.compute(&group, workers(options.workers), &service.stop)?;
        let scores = scores.ok_or_else(|| Failure {
            code: exit::CHECKPOINTED,
            message: "stopped before all scores were compared; nothing was kept".to_owned(),
        })?;
        report.add(&group, &scores, &again)?;
    }
    if options.json {
        output::json(&report)?;
    } else {
        output::line(&report)?;
    }
    report.verdict()
}

/// The scores that share their circumstances, in the order of the file.
fn by_circumstances<'a>(drawn: &[&'a Recorded]) -> Vec<Vec<&'a Recorded>> {
    let mut groups: Vec<Vec<&Recorded>> = Vec::new();
    for one in drawn {
        match groups.iter_mut().find(|group| Rc::ptr_eq(&group[0].circumstances, &one.circumstances)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}
