//! Every way a `MinerRun` file can be wrong that we thought of, with the exact words a person then reads.
#[path = "common/wrong.rs"]
mod wrong;

use automl_contract::manifest::{MAX_BYTES, read};
use automl_contract::rules::RULES;
use wrong::{FILES, GOOD, changed};

/// The message about a file, each line without the file's name that it must begin with.
fn told(text: &str) -> String {
    let message = match read(text, "m.yaml") {
        Ok(loaded) => return format!("accepted: {loaded:?}"),
        Err(error) => error.to_string(),
    };
    let lines = message.lines().map(|line| line.strip_prefix("m.yaml:").unwrap_or("a line without the file's name"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_unchanged_file_is_right() {
    read(GOOD, "m.yaml").unwrap();
}

#[test]
fn each_mistake_is_named_with_its_place_and_its_cure() {
    let whole = FILES.iter().map(|(text, told)| ((*text).to_owned(), *told));
    for (text, expected) in changed().chain(whole) {
        assert_eq!(told(&text), expected, "\n{text}");
    }
}

#[test]
fn every_rule_is_broken_by_some_case() {
    for rule in RULES {
        assert!(changed().any(|(_, told)| told.ends_with(rule.message)), "no case breaks: {}", rule.cel);
    }
}

#[test]
fn a_second_document_is_pointed_at() {
    let text = format!("{GOOD}---\n{GOOD}");
    let expected =
        "13:1: a second document begins here; keep one MinerRun per file: put the others in files of their own";
    assert_eq!(told(&text), expected);
}

#[test]
fn a_huge_file_is_refused_unread() {
    let text = format!("{GOOD}#{}", "x".repeat(MAX_BYTES));
    let expected = format!("1:1: {} bytes are more than the 1048576 a MinerRun may have", text.len());
    assert_eq!(told(&text), expected);
    let largest = format!("{GOOD}#{}", "x".repeat(MAX_BYTES - GOOD.len() - 1));
    read(&largest, "m.yaml").unwrap();
}

#[test]
fn annotations_are_bounded_together() {
    let with = |size: usize| {
        let value = "x".repeat(size);
        GOOD.replacen("name: digits\n", &format!("name: digits\n  annotations: {{a: {value}, b: ''}}\n"), 1)
    };
    let most = 256 * 1024 - 2;
    read(&with(most), "m.yaml").unwrap();
    let expected =
        "5:16: metadata.annotations: 262145 bytes are more than the 262144 that annotations may have: remove some";
    assert_eq!(told(&with(most + 1)), expected);
}

#[test]
fn aliases_that_would_unfold_into_gigabytes_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        text = format!("{text}a{level}: &a{level} [{inner}]\n");
    }
    let told = told(&text);
    assert!(told.ends_with("too many values or too many aliases for a MinerRun; write the values out"), "{told}");
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000)] {
        let told = told(&text);
        assert!(told.ends_with("recursion limit exceeded") || told.contains("too deep"), "{told}");
    }
}

#[test]
fn a_file_full_of_mistakes_gets_a_short_answer() {
    let text = (0..1000).fold(GOOD.to_owned(), |text, index| format!("{text}  wrong{index}: 1\n"));
    let error = read(&text, "m.yaml").unwrap_err();
    assert_eq!(error.problems.len(), 21);
    assert_eq!(error.problems[20].message, "and 980 more; mend those above first");
}
