//! MinerRun files: small ones that run in about a second, and the shipped sample with another budget.
use std::path::Path;

/// A small search on the made-up data set. Fields that matter to a test are set in the test.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    pub seed: u32,
    pub evaluations: u64,
    pub population: u32,
    pub offspring: u32,
    /// Training steps per candidate and seed.
    pub steps: u32,
    /// Seeds that choose the winner.
    pub select: u32,
    /// Seeds of the final comparison.
    pub final_: u32,
}

impl Default for Small {
    fn default() -> Small {
        Small { seed: 1, evaluations: 60, population: 10, offspring: 5, steps: 10, select: 2, final_: 2 }
    }
}

impl Small {
    /// The file.
    pub(crate) fn yaml(&self) -> String {
        let Small { seed, evaluations, population, offspring, steps, select, final_ } = self;
        format!(
            "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata:
  name: small
spec:
  search:
    seed: {seed}
    budget: {{evaluations: {evaluations}}}
    population: {population}
    offspring: {offspring}
  evaluation:
    dataset: {{source: synthetic, limit: 600}}
    network: {{hidden: [8], dropout: 0.1}}
    training: {{steps: {steps}, batchSize: 16}}
    seeds: {{search: 1, select: {select}, final: {final_}}}
"
        )
    }
}

/// The sample that `make mine` runs, as it is shipped but for its budget.
pub(crate) fn sample(evaluations: u64) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/samples/minerrun-digits.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, after) = text.split_once("evaluations: ").expect("the sample names its budget");
    let end = after.find('\n').unwrap_or(after.len());
    assert!(!after.contains("evaluations: "), "the sample names one budget");
    format!("{before}evaluations: {evaluations}{}", &after[end..])
}
