//! `Validator` files: read as `MinerRun`s are, with rules of their own.
use automl_contract::manifest::{LoadedValidator, read_validator};
use automl_contract::rules::VALIDATOR_RULES;
use automl_contract::validator::Scheme;

/// A right file; each case changes one thing in it.
const GOOD: &str = "\
apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata:
  name: test
spec:
  network: test
  netuid: 100
  evaluation:
    dataset:
      source: digits
";

/// What is written at the end of the right file, and what one is told.
const ADDED: &[(&str, &str)] = &[
    (
        "payout: {frontPercent: 51}",
        "11:11: spec.payout: `frontPercent`, `championPercent` and `poolPercent` (50, 30 and 20 unless given) add up to more than 100: lower some; what is left to 100 is nobody's",
    ),
    (
        "scoring: {screen: 8, cap: 7}",
        "11:29: spec.scoring.cap: less than `screen`, the tasks that every new gene gets: raise it or lower `screen`",
    ),
    (
        "scoring: {screen: 65}",
        "11:3: spec.scoring.cap: less than `screen`, the tasks that every new gene gets: raise it or lower `screen`",
    ),
    (
        "copies: {near: 0.0005}",
        "11:18: spec.copies.near: less than `copy`, and a copy is a near copy, too: raise it or lower `copy`",
    ),
    ("env: [{name: A}, {name: A, value: b}]", "11:8: spec.env: a `name` is given twice: keep one of them"),
    (
        "env: [{name: AUTOML_X}]",
        "11:8: spec.env: names that begin with `AUTOML_` are the program's own: choose another",
    ),
    ("env: [{name: A, value: b, secret: {name: c, key: d}}]", "11:8: spec.env: give `value` or `secret`, not both"),
    (
        "certificates: c\n  env: [{name: SSL_CERT_FILE, value: x}]",
        "11:17: spec.certificates: the variable `SSL_CERT_FILE` names certificates, too: keep one of both",
    ),
    (
        "podTemplate: {env: [{name: A}, {name: A}]}",
        "11:22: spec.podTemplate.env: a `name` is given twice: keep one of them",
    ),
    (
        "gpu: {}",
        "8:3: spec.evaluation.device: `cpu` (also where it is left out) would leave the GPUs of `spec.gpu` idle: set `cuda` or `auto`, or remove `spec.gpu`",
    ),
    ("round: {epochs: 2}", "11:3: spec.round: unknown field; did you mean `rounds`?"),
    ("rounds: {epochs: 0}", "11:20: spec.rounds.epochs: `0` is too small; give a whole number from 1 to 1000"),
    ("search: {}", "11:3: spec.search: unknown field; did you mean `spec.evaluation.seeds.search`?"),
    (
        "scoring: {scheme: best}",
        "11:21: spec.scoring.scheme: the text `best` is not known here; give `paired` or `original`",
    ),
    (
        "payout: {remainder: 5C0CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC}",
        "11:23: spec.payout.remainder: the text `5C0CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC` does not fit here; give an SS58 address",
    ),
];

/// What is replaced in the right file, and what one is told.
const REPLACED: &[(&str, &str, &str)] = &[
    (
        "name: test",
        "name: Test",
        "4:9: metadata.name: not a usable name: use at most 48 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit",
    ),
    (
        "source: digits",
        "source: idx",
        "9:5: spec.evaluation.dataset.path: missing; `idx`, `npy` and `cifar` read a folder, `npz` a file: name it",
    ),
    ("kind: Validator", "kind: MinerRun", "2:7: kind: the text `MinerRun` is not known here; give `Validator`"),
    ("  netuid: 100\n", "", "5:1: spec.netuid: missing; give a whole number from 0 to 65535"),
    (
        "network: test",
        "network: local",
        "6:12: spec.network: the text `local` does not fit here; give `finney`, `test`, or nodes such as `wss://HOST:PORT` with commas between",
    ),
    (
        GOOD,
        "",
        "1:1: the file is empty; begin it with `apiVersion: automl.hivetrain.ai/v1alpha1` and `kind: Validator`",
    ),
];

fn changed() -> impl Iterator<Item = (String, &'static str)> {
    let added = ADDED.iter().map(|(lines, told)| (format!("{GOOD}  {lines}\n"), *told));
    let replaced = REPLACED.iter().map(|(from, to, told)| {
        assert!(GOOD.contains(from), "the case changes nothing: {from}");
        (GOOD.replacen(from, to, 1), *told)
    });
    added.chain(replaced)
}

fn loaded(text: &str) -> LoadedValidator {
    read_validator(text, "v.yaml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_mistake_is_named_with_its_place_and_its_cure() {
    for (text, expected) in changed() {
        let told = match read_validator(&text, "v.yaml") {
            Ok(loaded) => format!("accepted: {loaded:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, format!("v.yaml:{expected}"), "\n{text}");
    }
}

#[test]
fn every_rule_is_broken_by_some_case() {
    for rule in VALIDATOR_RULES {
        assert!(changed().any(|(_, told)| told.ends_with(rule.message)), "no case breaks: {}", rule.cel);
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let LoadedValidator { validator, unused } = loaded(GOOD);
    assert!(unused.is_empty());
    let spec = validator.spec;
    assert_eq!((spec.network.as_deref(), spec.netuid, spec.suspend), (Some("test"), 100, false));
    assert_eq!((spec.scoring.scheme, spec.scoring.screen, spec.scoring.cap), (Scheme::Paired, 8, 64));
    assert_eq!([spec.payout.front_percent, spec.payout.champion_percent, spec.payout.pool_percent], [50, 30, 20]);
    // An empty part is a part that is left out.
    let empty = format!("{GOOD}  rounds: {{}}\n  scoring: {{}}\n  copies: {{}}\n  payout: {{}}\n  fetch: {{}}\n");
    assert_eq!(loaded(&empty), loaded(GOOD));
}

#[test]
fn what_only_a_cluster_uses_is_listed_in_the_order_of_the_file() {
    let text = format!(
        "{GOOD}  suspend: true\n  hotkey: {{name: wallet, key: hotkey}}\n  password: {{name: wallet, key: password}}\n  \
         resources: {{requests: {{cpu: 4}}}}\n  env: [{{name: HF_TOKEN, secret: {{name: hub, key: token}}}}]\n\
         status: {{uid: 7}}\n"
    );
    let LoadedValidator { validator, unused } = loaded(&text);
    assert_eq!(unused, ["spec.suspend", "spec.hotkey", "spec.password", "spec.resources", "spec.env", "status"]);
    assert_eq!(validator.spec.hotkey.map(|hotkey| hotkey.key).as_deref(), Some("hotkey"));
}

#[test]
fn the_ends_of_every_rule_are_right() {
    for line in [
        "payout: {frontPercent: 100, championPercent: 0, poolPercent: 0}",
        "payout: {frontPercent: 0, championPercent: 0, poolPercent: 0}",
        "scoring: {screen: 64}",
        "scoring: {cap: 8}",
        "copies: {copy: 0.05}",
        "copies: {copy: 0, near: 0}",
        "copies: {copy: 1, near: 1}",
    ] {
        loaded(&format!("{GOOD}  {line}\n"));
    }
}
