//! Genes in every form a person gives them, and batches to evaluate them on.
use crate::{BAD_INPUT, Case};

const BATCH: &str = r#"{"outputs": [[1, 2], [3, 4]], "targets": [[0, 1], [1, 0]]}"#;

/// `gene eval` of a gene file.
fn eval(name: &str, gene: &str, says: &[&str]) -> Case {
    let command = "gene eval g.txt --batch b.json";
    Case::new(name, command, BAD_INPUT, says).file("g.txt", gene).file("b.json", BATCH)
}

/// `gene eval` on a batch.
fn batch(name: &str, batch: &str, says: &[&str]) -> Case {
    eval(name, "x", says).file("b.json", batch)
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        eval(
            "an unknown primitive",
            "safe_add(x,\n  safe_mull(x, y))",
            &["g.txt", "line 2, column 3", "did you mean `safe_mul`?"],
        ),
        eval("after blank lines", "\n\nsafe_ad(x, y)", &["g.txt", "line 3, column 1", "did you mean `safe_add`?"]),
        eval("an operator of Python", "x + y", &["column 3", "`+`"]),
        eval("a missing argument", "safe_add(x, sin(", &["`sin` still needs 1"]),
        eval("a surplus argument", "safe_add(x, y, y)", &["column 16", "complete before `y`"]),
        eval("an empty gene", " \n", &["no expression"]),
        eval("a gene too long", &"x ".repeat(11_000), &["bytes", "20480"]),
        eval("10,000 levels", &format!("{}x", "sin ".repeat(10_000)), &["bytes", "20480"]),
        eval("91 levels", &format!("{}x", "sin ".repeat(91)), &["`x`", "deeper than 90 levels"]),
        eval("too many nodes", &format!("{}x", "max x ".repeat(3000)), &["g.txt", "deeper than 90"]),
        eval("1e400", "safe_mul(x, 1e400)", &["column 13", "`1e400`", "finite"]),
        eval("nan", "safe_mul(x, nan)", &["column 13", "`nan`", "finite"]),
        eval("rand_const", "safe_mul(x, rand_const_3)", &["column 13", "`rand_const_3`", "write a number"]),
        eval("hexadecimal", "safe_mul(x, 0x10)", &["column 13", "`0x10`", "decimal"]),
        eval("tensor of nothing", "safe_mul(x, tensor())", &["`tensor` needs"]),
        eval("control characters", "sin(\u{1b}[31m)", &["\\u{1b}[31m"]),
        eval(
            "a gene that is JSON without an expression",
            r#"{"expresion": "x"}"#,
            &["g.txt", "`expression` is missing"],
        ),
        eval("a gene encoded three times", r#""\"\\\"{}\\\"\"""#, &["g.txt", "encoded once or twice"]),
        eval("cut off JSON", r#"{"expression": "x""#, &["g.txt", "not JSON", "line 1"]),
        batch("a batch that is no JSON", "outputs: []", &["b.json", "expected {\"outputs\""]),
        batch(
            "ragged outputs",
            r#"{"outputs": [[1, 2], [3]], "targets": [[0, 1], [1, 0]]}"#,
            &["b.json", "row 1 of outputs has 1 numbers, not 2"],
        ),
        batch(
            "ragged targets",
            r#"{"outputs": [[1, 2], [3, 4]], "targets": [[0, 1, 0], [1, 0, 0]]}"#,
            &["row 0 of targets has 3"],
        ),
        batch("an empty batch", r#"{"outputs": [], "targets": []}"#, &["b.json", "outputs are empty"]),
        batch("empty rows", r#"{"outputs": [[], []], "targets": [[], []]}"#, &["b.json", "outputs are empty"]),
        batch(
            "fewer targets",
            r#"{"outputs": [[1, 2], [3, 4]], "targets": [[0, 1]]}"#,
            &["2 rows of outputs and 1 of targets"],
        ),
        batch("no targets", r#"{"outputs": [[1, 2]]}"#, &["b.json", "missing field `targets`"]),
        batch(
            "a misspelt field",
            r#"{"outputs": [[1, 2]], "targets": [[1, 0]], "target": []}"#,
            &["unknown field `target`"],
        ),
        batch("text for a number", r#"{"outputs": [["one", 2]], "targets": [[1, 0]]}"#, &["b.json", "line 1"]),
        Case::new("no batch", "gene eval g.txt --batch nowhere.json", BAD_INPUT, &["cannot read nowhere.json"])
            .file("g.txt", "x"),
        Case::new("no gene file", "gene eval nowhere.txt --batch b.json", BAD_INPUT, &["cannot read nowhere.txt"])
            .file("b.json", BATCH),
        Case::new(
            "lines from nowhere",
            "gene eval --jsonl nowhere --batch b.json",
            BAD_INPUT,
            &["cannot read nowhere"],
        )
        .file("b.json", BATCH),
        Case::new(
            "a gene of a file that is not there",
            "gene show genes/best.txt",
            BAD_INPUT,
            &["genes/best.txt", "no such file"],
        ),
        Case::new("a binary gene file", "gene show g.bin", BAD_INPUT, &["g.bin", "not UTF-8"])
            .file("g.bin", [0xff, 0xfe, 0]),
        Case::new("a huge gene file", "gene import g.json", BAD_INPUT, &["g.json", "1 MiB"])
            .file("g.json", vec![b' '; 2 << 20]),
        Case::new("an import of plain text", "gene import g.txt", BAD_INPUT, &["g.txt", "not JSON"])
            .file("g.txt", "safe_add(x, y)"),
        Case::new(
            "an extended gene for the original",
            "gene export cross-entropy --format original",
            BAD_INPUT,
            &["row_sum", "log_softmax"],
        ),
        Case::new("a misspelt known loss", "gene show cross-entrpy", BAD_INPUT, &["cross-entrpy"]),
        Case::new("score of a bad gene", "score", BAD_INPUT, &["did you mean `safe_add`?"]).argument("safe_ad(x, y)"),
        Case::new("score with a bad file", "score x -f m.yaml", BAD_INPUT, &["m.yaml:1:1", "empty"]).file("m.yaml", ""),
        // What is quoted back is short, whatever was given.
        Case::new("a long bad gene", "gene show", BAD_INPUT, &["unknown name"]).argument("z".repeat(10_000)),
    ]
}
