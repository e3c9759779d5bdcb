//! `runner score`: genes beside the usual losses, on paired seeds.
mod common;

use common::{Bench, runner, said, succeed};
use serde_json::Value;
use std::collections::BTreeMap;

const KNOWN: [&str; 8] = ["cross-entropy", "label-smoothing", "focal", "poly1", "mse", "baikal", "baikal-cma", "ngl"];
/// Cross-entropy under another text.
const TWIN: &str = "safe_sub(zero, row_sum(safe_mul(log_softmax(x), y)))";
/// Learns to be wrong: mean squared error, negated.
const ABSURD: &str = "safe_sub(zero, row_sum(square(safe_sub(softmax(x), y))))";

/// A task that most losses learn in a blink.
fn bench() -> Bench {
    let small = common::spec::Small { steps: 60, select: 2, final_: 8, ..Default::default() };
    Bench::new(&small.yaml())
}

fn score(bench: &Bench, arguments: &[&str]) -> String {
    let ran = runner().arg("score").args(arguments).arg("--file").arg(bench.manifest()).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {}", said(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

fn rows(json: &str) -> BTreeMap<String, Value> {
    named(&serde_json::from_str(json).unwrap())
}

/// The rows of a comparison by name.
fn named(comparison: &Value) -> BTreeMap<String, Value> {
    let rows = comparison["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row.clone())).collect()
}

fn accuracies(row: &Value) -> Vec<f64> {
    row["accuracies"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn every_known_loss_and_every_gene_is_paired_with_cross_entropy() {
    let json = score(&bench(), &[TWIN, "--json"]);
    let comparison: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(comparison["label"], "fixed learning rate, untuned");
    assert_eq!(comparison["seeds"], 8);
    assert_eq!(comparison["dataset"], "synthetic");
    let rows = rows(&json);
    assert_eq!(rows.len(), KNOWN.len() + 1);
    let baseline = accuracies(&rows["cross-entropy"]);
    assert!(rows["cross-entropy"].get("pair").is_none());
    for (name, row) in rows.iter().filter(|(name, _)| *name != "cross-entropy") {
        let ours = accuracies(row);
        assert_eq!((ours.len(), baseline.len()), (8, 8), "{name}");
        assert!(ours.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)), "{row}");
        let differences: Vec<f64> = ours.iter().zip(&baseline).map(|(ours, theirs)| ours - theirs).collect();
        let difference = &row["pair"]["difference"];
        let [middle, low, high] = ["mean", "low", "high"].map(|field| difference[field].as_f64().unwrap());
        assert!((middle - mean(&differences)).abs() < 1e-12, "{row}");
        assert!(low <= middle && middle <= high, "{row}");
        let verdict = if low > 0.0 {
            "better"
        } else if high < 0.0 {
            "worse"
        } else {
            "not_distinguishable"
        };
        assert_eq!(row["pair"]["verdict"], verdict, "{row}");
        assert!((row["accuracy"]["mean"].as_f64().unwrap() - mean(&ours)).abs() < 1e-12, "{row}");
    }
}

#[test]
fn the_table_says_what_the_json_says_and_both_say_it_again() {
    let bench = bench();
    let json = score(&bench, &[ABSURD, "--json", "--workers", "1"]);
    assert_eq!(json, score(&bench, &[ABSURD, "--json", "--workers", "2"]), "another time, other numbers");
    let table = score(&bench, &[ABSURD]);
    assert!(table.contains("loss − cross-entropy"), "{table}");
    for word in ["fixed learning rate, untuned", "8 paired seeds", "synthetic", "Bonferroni"] {
        assert!(table.contains(word), "{word} is missing: {table}");
    }
    for (name, row) in rows(&json) {
        let line = table.lines().find(|line| line.starts_with(&name) && line[name.len()..].starts_with(' '));
        let line = line.unwrap_or_else(|| panic!("{name} is missing: {table}"));
        let accuracy = format!("{:.2} ± ", 100.0 * row["accuracy"]["mean"].as_f64().unwrap());
        assert!(line.contains(&accuracy), "{accuracy} is missing: {line}");
        if let Some(pair) = row.get("pair") {
            let [middle, low, high] =
                ["mean", "low", "high"].map(|field| 100.0 * pair["difference"][field].as_f64().unwrap());
            let points = format!("{middle:+.2} [{low:+.2}, {high:+.2}]");
            let verdict = pair["verdict"].as_str().unwrap().replace('_', " ");
            assert!(line.contains(&points) && line.contains(&verdict), "{points} {verdict} is missing: {line}");
        }
    }
}

#[test]
fn cross_entropy_in_other_words_is_not_distinguishable_from_it() {
    let rows = rows(&score(&bench(), &[TWIN, "--json"]));
    let (name, twin) = rows.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())).unwrap();
    assert_eq!(accuracies(twin), accuracies(&rows["cross-entropy"]), "{name}");
    let pair = &twin["pair"];
    for field in ["mean", "low", "high"] {
        assert_eq!(pair["difference"][field].as_f64(), Some(0.0), "{pair}");
    }
    assert_eq!(pair["verdict"], "not_distinguishable");
    // Chance is 10 %: all this would hold of a network that learns nothing.
    assert!(mean(&accuracies(twin)) > 0.5, "{twin}");
}

#[test]
fn a_dead_gene_shows_why_it_failed() {
    let bench = bench();
    let rows = rows(&score(&bench, &["mean(y)", "--json"]));
    let dead = &rows["mean(y)"];
    assert_eq!(accuracies(dead), [0.0; 8]);
    assert_eq!(dead["failures"]["no_gradient"], 8, "{dead}");
    assert_eq!(dead["pair"]["verdict"], "worse", "{dead}");
    assert!(rows["cross-entropy"]["failures"].as_object().unwrap().is_empty());
    let table = score(&bench, &["mean(y)"]);
    let line = table.lines().find(|line| line.starts_with("mean(y)")).unwrap();
    assert!(line.contains("0.00 ± 0.00") && line.contains("(failed: no_gradient 8×)"), "{line}");
}

#[test]
fn a_loss_that_unlearns_is_worse() {
    let json = score(&bench(), &[ABSURD, "--json", "--seeds", "5"]);
    let rows = rows(&json);
    let (_, absurd) = rows.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())).unwrap();
    assert_eq!(accuracies(absurd).len(), 5, "--seeds was not heeded: {absurd}");
    assert_eq!(absurd["pair"]["verdict"], "worse", "{absurd}");
    assert!(mean(&accuracies(absurd)) < 0.1, "{absurd}");
    // And the other way round: what learns is better than what does not, on the same numbers.
    assert!(mean(&accuracies(&rows["mse"])) > 0.5, "{}", rows["mse"]);
}

#[test]
fn a_winner_that_learns_is_better_than_a_loss_that_learns_less() {
    let small = common::spec::Small { steps: 60, select: 2, final_: 8, ..Default::default() };
    let warm = "  search:\n    vocabulary: extended\n    warmStart: ['safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))']\n";
    let bench = Bench::new(&small.yaml().replacen("  search:\n", warm, 1));
    succeed(&mut bench.run("run"));
    let results: Value = serde_json::from_slice(&common::read(&bench.path("run/comparison.json"))).unwrap();
    let rows = named(&results["comparison"]);
    assert_eq!(rows.len(), KNOWN.len() + 1);
    let (winner, other) = (accuracies(&rows["winner"]), accuracies(&rows["baikal-cma"]));
    // In this table the pair is winner − loss.
    let pair = &rows["baikal-cma"]["pair"];
    assert!((pair["difference"]["mean"].as_f64().unwrap() - (mean(&winner) - mean(&other))).abs() < 1e-12, "{pair}");
    assert_eq!((&pair["challenger"], &pair["verdict"]), (&Value::from("winner"), &Value::from("better")), "{pair}");
}

#[test]
fn genes_come_from_files_too_and_each_is_trained_once() {
    let bench = bench();
    std::fs::write(bench.path("mine.txt"), format!("{TWIN}\n")).unwrap();
    let file = bench.path("mine.txt");
    let json =
        score(&bench, &[file.to_str().unwrap(), file.to_str().unwrap(), "cross-entropy", "--json", "--seeds", "2"]);
    let names: Vec<String> = rows(&json).into_keys().collect();
    let comparison: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(comparison["rows"].as_array().unwrap().len(), KNOWN.len() + 1, "{names:?}");
    assert!(names.contains(&"mine".to_owned()), "{names:?}");
}

#[test]
fn tuned_losses_had_equally_many_trials_and_meet_at_their_best() {
    let bench = bench();
    let json = score(&bench, &[TWIN, "--tuned", "--trials", "6", "--json", "--workers", "1"]);
    assert_eq!(json, score(&bench, &[TWIN, "--tuned", "--trials", "6", "--json", "--workers", "2"]));
    let comparison: Value = serde_json::from_str(&json).unwrap();
    let label = comparison["label"].as_str().unwrap();
    for words in ["tuned", "6 trials", "× 0.1 to × 10"] {
        assert!(label.contains(words) && !label.contains("untuned"), "{words} is missing: {label}");
    }
    let rows = rows(&json);
    assert_eq!(rows.len(), 6, "five baselines and the gene");
    let tuning = &comparison["tuning"];
    assert_eq!((&tuning["trials"], &tuning["seeds"]), (&6.into(), &2.into()));
    let chosen: BTreeMap<String, Value> = tuning["chosen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone()))
        .collect();
    for (name, parameter) in [("label-smoothing", "epsilon"), ("focal", "gamma"), ("poly1", "epsilon")] {
        let own = &chosen[name]["parameter"];
        let [low, high, value] = ["low", "high", "value"].map(|field| own[field].as_f64().unwrap());
        assert!(own["name"] == parameter && (low..=high).contains(&value), "{own}");
        let number = rows[name]["expression"].as_str().unwrap();
        assert!(number.contains(&format!("tensor({value:.4})")), "{number} was not trained with {value}");
    }
    for name in ["cross-entropy", "mse"] {
        assert!(chosen[name].get("parameter").is_none());
    }
    // The gene is cross-entropy in other words: tried at the same points, it ends at the same scores.
    let (_, twin) = rows.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())).unwrap();
    assert_eq!(accuracies(twin), accuracies(&rows["cross-entropy"]));
    let table = score(&bench, &[TWIN, "--tuned", "--trials", "6"]);
    assert!(table.contains("each loss tuned") && table.contains("focal: learning rate"), "{table}");
}

/// One trial is the settings' learning rate, which a bad one is; more trials find a better.
#[test]
fn tuning_finds_a_learning_rate_that_learns() {
    let small = common::spec::Small { steps: 60, select: 2, final_: 8, ..Default::default() };
    let bench = Bench::new(&small.yaml().replace("training: {", "training: {learningRate: 0.0003, "));
    let accuracy = |trials: &str| {
        let json = score(&bench, &["mse", "--tuned", "--trials", trials, "--json"]);
        mean(&accuracies(&rows(&json)["cross-entropy"]))
    };
    let (one, many) = (accuracy("1"), accuracy("12"));
    assert!(many > one + 0.1, "{one} with one trial, {many} with twelve");
    let plain = mean(&accuracies(&rows(&score(&bench, &["mse", "--json"]))["cross-entropy"]));
    assert!((one - plain).abs() < 1e-12, "the first trial is the settings' own");
}

#[test]
fn the_records_of_a_tuned_table_can_be_computed_again() {
    let bench = bench();
    let file = bench.path("records.jsonl");
    score(&bench, &["mse", "--tuned", "--trials", "3", "--seeds", "2", "--records", file.to_str().unwrap()]);
    let found = succeed(runner().arg("verify").arg(&file).args(["--all", "--json"]));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    // 5 losses, 3 trials on 2 seeds, then 2 final seeds.
    assert_eq!((&found["records"], &found["groups"][0]["equal"]), (&40.into(), &40.into()), "{found}");
}

#[test]
fn the_originals_scheme_judges_what_is_left_and_weighs_by_rank() {
    let small = common::spec::Small { steps: 60, ..Default::default() }.yaml();
    let sets = "    sets:\n      - {stage: final}\n      - {stage: final, network: {hidden: [16]}}\n";
    let bench = Bench::new(&small.replace("    seeds:", &format!("{sets}    seeds:")));
    // A loss that learns; one that is not finite at the first step and one without a gradient, which both leave the
    // untrained network; one whose gradient is undefined, which leaves nothing but answers of class 0.
    let genes = ["reciprocal(zero)", "y", "square(safe_sub(x, y))", "safe_sqrt(safe_mul(x, y))"];
    let rows: Value = serde_json::from_str(&score(&bench, &[&genes[..], &["--original", "--json"]].concat())).unwrap();
    let row = |index: usize| &rows[index];
    let accuracies = |index: usize| accuracies(row(index));
    assert_eq!(accuracies(0), accuracies(1));
    assert!(accuracies(0).iter().all(|accuracy| (0.0..0.6).contains(accuracy)), "{rows}");
    assert!(accuracies(2).iter().zip(accuracies(0)).all(|(learnt, untrained)| *learnt > 2.0 * untrained), "{rows}");
    // 120 examples of ten classes in turn, shuffled: class 0 has its share in both sets alike.
    assert_eq!(accuracies(3)[..1], accuracies(3)[1..]);
    assert!((0.02..0.25).contains(&accuracies(3)[0]), "{rows}");
    for index in 0..4 {
        let [one, two]: [f64; 2] = accuracies(index).try_into().unwrap();
        let (mean, deviation) = (f64::midpoint(one, two), (one - two).abs() / 2_f64.sqrt());
        let expected = 0.7 * mean + 0.3 * (1.0 - deviation / mean);
        let found = row(index)["score"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-6, "{index}: {found} for {expected}");
    }
    // The line from 5 to 1 over 50 places, cut after four: 5, 5 − 4/49, 5 − 8/49, 5 − 12/49, the first as 65,535.
    let mut emitted: Vec<u64> = (0..4).map(|index| row(index)["emitted"].as_u64().unwrap()).collect();
    assert_eq!(emitted[2], 65_535);
    assert!(emitted[0] > emitted[1], "of equal scores the first given ranks first: {rows}");
    emitted.sort_unstable();
    assert_eq!(emitted, [62_325, 63_395, 64_465, 65_535]);
    let weights: f64 = (0..4).map(|index| row(index)["weight"].as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-9);
    let confined = score(&bench, &[&genes[..], &["--original"]].concat());
    assert_eq!(score(&bench, &[&genes[..], &["--original", "--in-process"]].concat()), confined);
    assert!(confined.contains("the original's scheme"), "{confined}");
}

#[test]
fn a_race_finds_what_a_flat_table_finds_with_fewer_trainings() {
    let bench = bench();
    let genes = [TWIN, ABSURD, "mean(y)", "y", "square(x)"];
    let raced = |more: &[&str]| score(&bench, &[&genes[..], &["--race", "--seeds", "24"], more].concat());
    let file = bench.path("race.jsonl");
    let json = raced(&["--json", "--workers", "1", "--records", file.to_str().unwrap()]);
    assert_eq!(json, raced(&["--json", "--workers", "2"]), "another time, other numbers");
    let race: Value = serde_json::from_str(&json).unwrap();
    let standings = race["standings"].as_array().unwrap();
    assert_eq!(standings.len(), KNOWN.len() + genes.len());
    assert_eq!(race["champion"], "cross-entropy");
    // What was looked at is what a table of all seeds begins with.
    let flat = rows(&score(&bench, &[&genes[..], &["--seeds", "24", "--json"]].concat()));
    let mut trainings = 0;
    for standing in standings {
        let name = standing["name"].as_str().unwrap();
        let seeds = standing["seeds"].as_u64().unwrap() as usize;
        trainings += seeds;
        let expected = mean(&accuracies(&flat[name])[..seeds]);
        assert!((standing["mean"].as_f64().unwrap() - expected).abs() < 1e-12, "{standing}");
    }
    let of = |name: &str| standings.iter().find(|standing| standing["name"] == name).unwrap();
    let seeds = |name: &str| of(name)["seeds"].as_u64().unwrap();
    let (trained, all) = (race["trainings"].as_u64().unwrap(), race["flatTrainings"].as_u64().unwrap());
    assert_eq!(all, 24 * standings.len() as u64);
    assert!(trained < all && trainings as u64 <= trained, "{trained} of {all}");
    assert!(seeds("mean(y)") < 24 && seeds("cross-entropy") == 24, "{race}");
    for name in ["mean(y)", "y"] {
        assert_eq!((&of(name)["verdict"], &of(name)["reasons"]["no_gradient"]), (&"worse".into(), &of(name)["seeds"]));
    }
    let twin = standings.iter().find(|standing| standing["expression"] == TWIN).unwrap();
    assert_ne!(twin["verdict"], "better");
    assert_ne!(twin["verdict"], "worse");
    let places = |wanted: &str| standings.iter().position(|one| one["expression"] == wanted).unwrap();
    assert!(places(TWIN) < places(ABSURD), "{race}");
    // The table says the same in words, and each training left a record that can be computed again.
    let table = raced(&[]);
    for words in ["seeds", "loss − cross-entropy", "untuned", &format!("{trained} trainings instead of {all}")] {
        assert!(table.contains(words), "{words} is missing: {table}");
    }
    let line = table.lines().find(|line| line.starts_with("mean(y)")).unwrap();
    assert!(line.contains("worse") && line.contains("(failed: no_gradient "), "{line}");
    let found = succeed(runner().arg("verify").arg(&file).args(["--all", "--json"]));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["records"], &found["groups"][0]["equal"]), (&trained.into(), &trained.into()), "{found}");
}

#[test]
fn tuned_losses_race_at_their_best() {
    let arguments = [ABSURD, "--race", "--seeds", "12", "--tuned", "--trials", "3"];
    let race: Value = serde_json::from_str(&score(&bench(), &[&arguments[..], &["--json"]].concat())).unwrap();
    assert_eq!(race["standings"].as_array().unwrap().len(), 6);
    assert_eq!(race["tuning"]["chosen"].as_array().unwrap().len(), 6);
    assert!(race["label"].as_str().unwrap().contains("each loss tuned"), "{race}");
    let table = score(&bench(), &arguments);
    assert!(table.contains("each loss tuned") && table.contains("focal: learning rate"), "{table}");
}
