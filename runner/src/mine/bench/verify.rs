//! Recorded scores computed again: how many are equal, and how far another way to compute is away.
//!
//! A run on digits leaves its records, and `runner verify` computes a thousand of them again in processes of their own:
//! as they were recorded, which must give the same bits; and in the other ways that this machine has. Those stand in for
//! machines that are not here: libtorch instead of our own loops, with its widest instructions and with its oldest, and a
//! C library that is held to its oldest. Among the genes that a search breeds are some whose training is chaotic: there a
//! last bit decides, and the largest difference is theirs. The known losses' is told apart.
use super::figure::Figure;
use super::{in_scratch, myself};
use crate::failure::Failure;
use automl_contract::exit;
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// The sample for digits with a budget of half a minute.
const MANIFEST: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: verify}
spec:
  search: {vocabulary: extended, seed: 1, budget: {evaluations: 3000}}
  evaluation: {dataset: {source: digits}}
";

/// A way to compute: its name, the arguments for `runner verify`, the environment.
pub(super) struct Way {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// The recorded one.
pub(super) const AS_RECORDED: Way = Way { name: "as recorded", arguments: &[], environment: &[] };

/// Not the recorded one.
const OTHERS: [Way; 3] = [
    Way { name: "libtorch", arguments: &["--path", "tensor"], environment: &[] },
    Way {
        name: "libtorch without AVX",
        arguments: &["--path", "tensor"],
        environment: &[("ATEN_CPU_CAPABILITY", "default")],
    },
    Way {
        name: "our loops with a C library without AVX and FMA",
        arguments: &[],
        environment: &[("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-AVX512F")],
    },
];

/// What is read of a report.
#[derive(Deserialize)]
struct Report {
    records: u64,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) compared: u64,
    pub(super) equal: u64,
    largest_difference: f64,
    mean_difference: f64,
}

pub(super) fn measure() -> Result<Vec<Figure>, Failure> {
    in_scratch("verify", measure_in)
}

fn measure_in(folder: &Path) -> Result<Vec<Figure>, Failure> {
    let (file, run) = (folder.join("minerrun.yaml"), folder.join("run"));
    std::fs::write(&file, MANIFEST).map_err(|error| Failure::unwritable(&file, &error))?;
    output(quietly_myself()?.arg("run").arg("--file").arg(&file).arg("--out").arg(&run).arg("--json"), &[exit::DONE])?;
    let known = folder.join("known.jsonl");
    output(quietly_myself()?.args(["score", "mse", "--json", "--records"]).arg(&known), &[exit::DONE])?;
    let scores = run.join("scores.jsonl");
    let bytes = std::fs::metadata(&scores).map_err(|error| Failure::unreadable(&scores, &error))?.len();
    let (records, same) = verified(&run, &AS_RECORDED)?;
    let figure = |name: String, value: f64, unit| Figure::new("verify", name, value, unit);
    let mut figures = vec![
        figure(format!("recorded scores that are equal to the bit, of {}", same.compared), same.equal as f64, "scores")
            .at_least(same.compared as f64),
        figure("size of a record".to_owned(), bytes as f64 / records.max(1) as f64, "bytes"),
    ];
    for way in &OTHERS {
        let (_, group) = verified(&run, way)?;
        let name = way.name;
        figures.push(figure(
            format!("{name}: scores that are equal to the bit, of {}", group.compared),
            group.equal as f64,
            "scores",
        ));
        figures.push(figure(
            format!("{name}: largest difference of a score"),
            100.0 * group.largest_difference,
            "points",
        ));
        figures.push(figure(format!("{name}: mean difference of a score"), 100.0 * group.mean_difference, "points"));
        let (_, group) = verified(&known, way)?;
        figures.push(figure(
            format!("{name}: largest difference of a score of the known losses, of {}", group.compared),
            100.0 * group.largest_difference,
            "points",
        ));
    }
    Ok(figures)
}

/// The number of records, and what came of a thousand of them.
pub(super) fn verified(run: &Path, way: &Way) -> Result<(u64, Group), Failure> {
    let mut command = quietly_myself()?;
    command.arg("verify").arg(run).arg("--json").args(way.arguments).envs(way.environment.iter().copied());
    // Unequal scores are an answer here.
    let text = output(&mut command, &[exit::DONE, exit::BAD_INPUT])?;
    let report: Report = serde_json::from_str(text.trim()).map_err(Failure::internal)?;
    let group = report.groups.into_iter().next();
    Ok((report.records, group.ok_or_else(|| Failure::internal("a verification of nothing"))?))
}

pub(super) fn quietly_myself() -> Result<Command, Failure> {
    let mut command = Command::new(myself()?);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

/// What the command printed; it must have ended in one of these ways.
pub(super) fn output(command: &mut Command, codes: &[u8]) -> Result<String, Failure> {
    let output = command.output().map_err(|error| Failure::internal(format!("cannot start a run: {error}")))?;
    if !codes.iter().any(|code| output.status.code() == Some(i32::from(*code))) {
        return Err(Failure::internal(format!("{command:?} ended early ({})", output.status)));
    }
    String::from_utf8(output.stdout).map_err(Failure::internal)
}
