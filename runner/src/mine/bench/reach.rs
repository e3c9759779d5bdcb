//! How often a search finds its way to the textbook loss when it is not handed it.
//!
//! Twenty searches, alike but for the seed, on the shipped sample for digits with the `extended` vocabulary: cross-entropy
//! can be said there (`softmax`, `safe_log`, `row_sum`), but no primitive is it and nothing starts from it. A run has
//! reached it when its winner, on final seeds and examples that no step of the run saw, is at most half a point behind:
//! the lower end of the interval of winner − cross-entropy, which holds together with those against the other losses of
//! the run's table, lies above −0.5 points.
//!
//! That takes an hour. Each run is a `runner run` in a folder of its own, so a bench that is stopped and called again
//! reads what is finished and goes on with what is not.
use super::figure::Figure;
use super::myself;
use crate::failure::Failure;
use crate::mine::compare::Comparison;
use crate::mine::records::hex;
use automl_contract::exit;
use automl_contract::manifest;
use automl_contract::spec::VocabularyName;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use statrs::distribution::{Beta, ContinuousCDF};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SAMPLE: &str = include_str!("../../../../manifests/samples/minerrun-digits.yaml");
const SEEDS: u32 = 20;
/// Runs that were hoped to get there.
const GOAL: f64 = 18.0;
/// How far behind cross-entropy, as a share of the examples, still counts as there.
const MARGIN: f64 = -0.005;
const BASELINE: &str = "cross-entropy";
/// The probability that a lower bound of the success rate is right.
const CONFIDENCE: f64 = 0.95;

/// What is read of a run's `comparison.json`.
#[derive(Deserialize)]
struct Results {
    /// `None` where nothing was found.
    comparison: Option<Comparison>,
}

pub(super) fn measure(folder: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => default_folder()?,
    };
    fs::create_dir_all(&folder).map_err(|error| Failure::unwritable(&folder, &error))?;
    eprintln!("{SEEDS} searches in {}: stopped and called again, it goes on where it was", folder.display());
    let mut bounds = Vec::new();
    for seed in 0..SEEDS {
        let bound = lower_bound(&run(&folder, seed)?)?;
        let reached = if bound > MARGIN { "reached" } else { "missed" };
        eprintln!("seed {seed}: winner − {BASELINE} is at least {:+.2} points: {reached}", 100.0 * bound);
        bounds.push(bound);
    }
    figures(bounds)
}

fn figures(mut bounds: Vec<f64>) -> Result<Vec<Figure>, Failure> {
    bounds.sort_by(f64::total_cmp);
    let reached = bounds.iter().filter(|bound| **bound > MARGIN).count() as u64;
    let runs = bounds.len() as u64;
    let median = f64::midpoint(bounds[(bounds.len() - 1) / 2], bounds[bounds.len() / 2]);
    let proven = rate_at_least(reached, runs).ok_or_else(|| Failure::internal("no interval of a success rate"))?;
    let figure = |name: String, value, unit| Figure::new("reach", name, value, unit);
    Ok(vec![
        figure(
            format!(
                "digits, extended vocabulary: runs of {runs} whose winner − cross-entropy has a lower bound above −0.5 points"
            ),
            reached as f64,
            "runs",
        )
        .at_least(GOAL),
        figure(
            format!(
                "what {reached} of {runs} proves: a run of another seed succeeds at least so often (Clopper–Pearson, one-sided, 95 %)"
            ),
            100.0 * proven,
            "%",
        ),
        figure("lower bound of winner − cross-entropy, median of the runs".to_owned(), 100.0 * median, "points"),
    ])
}

/// The lower end of the exact one-sided interval of a probability that showed `successes` in `trials` independent trials
/// (Clopper & Pearson 1934): below it, so many successes or more have a probability under 1 − [`CONFIDENCE`].
fn rate_at_least(successes: u64, trials: u64) -> Option<f64> {
    if successes == 0 {
        return Some(0.0);
    }
    let beta = Beta::new(successes as f64, (trials - successes + 1) as f64).ok()?;
    Some(beta.inverse_cdf(1.0 - CONFIDENCE))
}

/// The sample as a run of this bench.
fn manifest_of(seed: u32) -> Result<String, Failure> {
    let mut run = manifest::read(SAMPLE, "minerrun-digits.yaml").map_err(Failure::internal)?.run;
    run.metadata.name = format!("reach-{seed}");
    run.spec.search.vocabulary = VocabularyName::Extended;
    run.spec.search.seed = seed;
    // Every JSON text is YAML.
    serde_json::to_string_pretty(&run).map_err(Failure::internal)
}

/// A folder of the cache that is another one when this program or the sample is: a figure names the commit it is of.
fn default_folder() -> Result<PathBuf, Failure> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|cache| cache.is_absolute())
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .ok_or_else(|| Failure::usage("neither XDG_CACHE_HOME nor HOME is set: name a folder with --folder"))?;
    let program = myself()?;
    let bytes = fs::read(&program).map_err(|error| Failure::unreadable(&program, &error))?;
    let hash = hex(&Sha256::new().chain_update(bytes).chain_update(manifest_of(0)?).finalize());
    Ok(cache.join("automl").join(format!("reach-{}", &hash[..16])))
}

/// Runs the search of this seed, or what is left of it; its results.
fn run(folder: &Path, seed: u32) -> Result<Results, Failure> {
    let out = folder.join(format!("seed-{seed}"));
    let results = out.join("comparison.json");
    if !results.is_file() {
        let mut command = Command::new(myself()?);
        if out.join("minerrun.yaml").is_file() {
            command.arg("resume").arg(&out);
        } else {
            let file = folder.join(format!("seed-{seed}.yaml"));
            fs::write(&file, manifest_of(seed)?).map_err(|error| Failure::unwritable(&file, &error))?;
            command.arg("run").arg("--file").arg(file).arg("--out").arg(&out);
        }
        let status = command.arg("--json").stdin(Stdio::null()).stdout(Stdio::null()).status();
        let status = status.map_err(|error| Failure::internal(format!("cannot start a run: {error}")))?;
        if !status.success() {
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::BUG);
            let message = format!("the run in {} ended early ({status}); call the bench again to go on", out.display());
            return Err(Failure { code, message });
        }
    }
    let text = fs::read(&results).map_err(|error| Failure::unreadable(&results, &error))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::bad_input(format!("{}: {error}; delete {} to run it again", results.display(), out.display()))
    })
}

/// The lower end of winner − cross-entropy; a run without a winner is behind by everything there is.
fn lower_bound(results: &Results) -> Result<f64, Failure> {
    let Some(comparison) = &results.comparison else { return Ok(-1.0) };
    let mut pairs = comparison.rows.iter().filter_map(|row| row.pair.as_ref());
    let pair = pairs.find(|pair| pair.baseline == BASELINE);
    pair.map(|pair| pair.difference.low)
        .ok_or_else(|| Failure::bad_input(format!("a comparison without {BASELINE}: not one of this bench's runs")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.beta.ppf(0.05, 18, 3)`, and for all and none of them.
    #[test]
    fn what_so_many_of_twenty_prove() {
        for (successes, expected) in [(20, 0.860_891_659_331_734_8), (18, 0.717_381_475_114_139_1), (0, 0.0)] {
            let bound = rate_at_least(successes, 20).unwrap();
            assert!((bound - expected).abs() < 1e-9, "{successes}: {bound}");
        }
    }

    #[test]
    fn the_runs_are_the_sample_with_another_vocabulary_and_seed() {
        let sample = manifest::read(SAMPLE, "sample").unwrap().run;
        let run = manifest::read(&manifest_of(7).unwrap(), "ours").unwrap().run;
        assert_eq!((run.spec.search.seed, run.spec.search.vocabulary), (7, VocabularyName::Extended));
        assert!(run.spec.search.warm_start.is_empty(), "a search that starts from known losses reaches them");
        assert_eq!(
            (&run.spec.search.budget, &run.spec.evaluation),
            (&sample.spec.search.budget, &sample.spec.evaluation)
        );
    }
}
