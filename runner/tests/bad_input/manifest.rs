//! MinerRun files: each case changes one thing in a right one.
use crate::{BAD_INPUT, Case};

/// A right file, small enough to run in a second.
pub(crate) const GOOD: &str = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata:
  name: small
spec:
  search:
    budget:
      evaluations: 20
    population: 10
    offspring: 5
  evaluation:
    dataset:
      source: synthetic
      limit: 200
    network:
      hidden: [8]
    training:
      steps: 2
      batchSize: 16
    seeds: {search: 1, select: 2, final: 2}
";

/// `GOOD` with one thing changed.
pub(crate) fn changed(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "the case changes exactly one thing: {from}");
    GOOD.replacen(from, to, 1)
}

/// A file that must be refused.
pub(crate) fn refused(name: &str, file: impl Into<Vec<u8>>, says: &[&str]) -> Case {
    Case::new(name, "run -f m.yaml", BAD_INPUT, says).file("m.yaml", file)
}

pub(crate) fn cases() -> Vec<Case> {
    [unknown_fields(), values(), wholes(), of_the_search()].into_iter().flatten().collect()
}

fn change(name: &str, from: &str, to: &str, says: &[&str]) -> Case {
    refused(name, changed(from, to), says)
}

/// A field that is not known, at each level.
fn unknown_fields() -> Vec<Case> {
    vec![
        change(
            "an unknown field at the top",
            "kind:",
            "metdata: {}\nkind:",
            &["m.yaml:2:1", "did you mean `metadata`?"],
        ),
        change("in metadata", "  name:", "  lables: {}\n  name:", &["m.yaml:4:3", "metadata.lables", "`labels`"]),
        change(
            "in spec",
            "  search:",
            "  replica: 1\n  search:",
            &["m.yaml:6:3", "spec.replica", "did you mean `replicas`?"],
        ),
        change(
            "in search",
            "population:",
            "populaton:",
            &["m.yaml:9:5", "spec.search.populaton", "did you mean `population`?"],
        ),
        change(
            "in budget",
            "      evaluations:",
            "      evalutions: 1\n      evaluations:",
            &["m.yaml:8:7", "did you mean `evaluations`?"],
        ),
        change("in dataset", "limit:", "limits:", &["m.yaml:14:7", "did you mean `limit`?"]),
        change(
            "in limits",
            "    offspring: 5",
            "    limits: {nodes: 9, dept: 3}",
            &["m.yaml:10:", "did you mean `depth`?"],
        ),
        change(
            "in variation",
            "    offspring: 5",
            "    variation: {crosover: 0, subtree: 0, point: 0, constant: 0}",
            &["m.yaml:10:", "did you mean `crossover`?"],
        ),
        change("in evaluation", "    network:", "    networks:", &["m.yaml:15:5", "did you mean `network`?"]),
        change("in network", "hidden: [8]", "hiden: [8]", &["m.yaml:16:7", "did you mean `hidden`?"]),
        change("in training", "batchSize:", "batch_size:", &["m.yaml:19:7", "did you mean `batchSize`?"]),
        change("in seeds", "select: 2", "selct: 2", &["m.yaml:20:", "did you mean `select`?"]),
        change(
            "a field that lives elsewhere",
            "    population: 10",
            "    steps: 10",
            &["m.yaml:9:5", "spec.evaluation.training"],
        ),
    ]
}

/// Values of the wrong type, out of their range, missing, or at odds with others.
fn values() -> Vec<Case> {
    vec![
        change(
            "text for a number",
            "population: 10",
            "population: ten",
            &["m.yaml:9:17", "population", "whole number from 2 to 100000"],
        ),
        change(
            "a list for a mapping",
            "seeds: {search: 1, select: 2, final: 2}",
            "seeds: [1]",
            &["m.yaml:20:12", "seeds", "mapping"],
        ),
        change(
            "no budget",
            "    budget:\n      evaluations: 20\n",
            "",
            &["m.yaml:6:3", "spec.search.budget", "missing"],
        ),
        change("a negative budget", "evaluations: 20", "evaluations: -1", &["m.yaml:8:20", "evaluations", "too small"]),
        change("no candidates", "evaluations: 20", "evaluations: 0", &["m.yaml:8:20", "evaluations", "too small"]),
        change(
            "1e30 candidates",
            "evaluations: 20",
            "evaluations: 1e30",
            &["m.yaml:8:20", "evaluations", "whole number"],
        ),
        change(
            "half a candidate",
            "evaluations: 20",
            "evaluations: 2.5",
            &["m.yaml:8:20", "evaluations", "whole number"],
        ),
        change("a population of 1", "population: 10", "population: 1", &["m.yaml:9:17", "too small", "2 to 100000"]),
        change(
            "a tournament of all and more",
            "population: 10",
            "population: 10\n    tournament: 11",
            &["m.yaml:10:17", "tournament", "lower it or raise `population`"],
        ),
        change(
            "probabilities of more than 1",
            "    offspring: 5",
            "    variation: {crossover: 0.6, subtree: 0.6, point: 0, constant: 0}",
            &["m.yaml:10:16", "variation", "more than 1"],
        ),
        change(
            "a probability that is not a number",
            "    offspring: 5",
            "    variation: {crossover: .nan, subtree: 0, point: 0, constant: 0}",
            &["m.yaml:10:", "finite"],
        ),
        change("infinite dropout", "hidden: [8]", "hidden: [8]\n      dropout: .inf", &["m.yaml:17:", "finite"]),
        change("a learning rate of 0", "steps: 2", "learningRate: 0", &["m.yaml:18:21", "learningRate", "too small"]),
        change(
            "a layer of a billion",
            "hidden: [8]",
            "hidden: [1000000000]",
            &["m.yaml:16:16", "hidden[0]", "too large", "4096"],
        ),
        change("another kind", "kind: MinerRun", "kind: Pod", &["m.yaml:2:7", "kind", "`MinerRun`"]),
        change("another version", "v1alpha1", "v2", &["m.yaml:1:13", "apiVersion", "automl.hivetrain.ai/v1alpha1"]),
        change(
            "a name that is a path",
            "name: small",
            "name: ../../etc",
            &["m.yaml:4:9", "metadata.name", "lower-case letters"],
        ),
        change("an unknown data set", "source: synthetic", "source: mnist", &["m.yaml:13:15", "source", "`idx`"]),
        change("no path where one is needed", "source: synthetic", "source: idx", &["m.yaml:12:5", "path", "missing"]),
    ]
}

/// Files that are no `MinerRun` as a whole.
fn wholes() -> Vec<Case> {
    vec![
        change("a tab", "  search:\n", "\tsearch:\n", &["m.yaml:6:", "tab"]),
        change("an unclosed list", "hidden: [8]", "hidden: [8", &["m.yaml:1", "not valid YAML"]),
        refused("an empty file", "", &["m.yaml:1:1", "empty", "apiVersion"]),
        refused("two documents", format!("{GOOD}---\n{GOOD}"), &["m.yaml:2", "second document"]),
        refused("a binary file", [0x7f, b'E', b'L', b'F', 0xff, 0xfe, 0, 1], &["m.yaml", "not UTF-8"]),
        refused("a huge file", format!("{GOOD}#{}", "x".repeat(2 << 20)), &["m.yaml", "larger than 1 MiB"]),
        refused("a file that unfolds into gigabytes", bomb(), &["m.yaml:", "too many"]),
        refused("10,000 open brackets", "[".repeat(10_000), &["m.yaml:1:256", "not valid YAML"]),
        Case::new("a missing file", "run -f nowhere.yaml", BAD_INPUT, &["nowhere.yaml", "No such file"]),
        Case::new("a folder for a file", "run -f .", BAD_INPUT, &["cannot read .", "directory"]),
    ]
}

/// What a right file asks for and cannot have.
fn of_the_search() -> Vec<Case> {
    let warm = |gene: &str| changed("    offspring: 5", &format!("    warmStart: [x, '{gene}']"));
    let mut cases = vec![
        refused("a broken gene to start from", warm("safe_ad(x, y)"), &["warmStart[1]", "did you mean `safe_add`?"]),
        refused("a gene outside the vocabulary", warm("softmax(x)"), &["warmStart[1]", "extended", "validator"]),
    ];
    // Where there is a GPU, asking for it is no mistake.
    if !std::path::Path::new("/dev/nvidiactl").exists() {
        let asked = changed("    seeds:", "    device: cuda\n    seeds:");
        cases.push(refused("a GPU where there is none", asked, &["cuda", "device: cpu", "device: auto"]));
        cases.push(Case::new("figures of a GPU where there is none", "bench gpu", BAD_INPUT, &["NVIDIA GPU", "cuda"]));
    }
    cases
}

/// Nine to the ninth power values in 400 bytes.
fn bomb() -> String {
    let first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    (1..9).fold(first, |text, level| {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("{text}a{level}: &a{level} [{below}]\n")
    })
}
