//! The original's files and hash, and the model of its loader against what was observed of the real one.
use automl_genome::original::{self, MAX_FILE_BYTES, OriginalError, WouldRun, original_would_run};
use automl_genome::{Gene, Limits};

fn read(json: &str) -> Result<original::OriginalGene, OriginalError> {
    original::read(json, &Limits::default())
}

fn gene(text: &str) -> Gene {
    automl_genome::parse(text, &Limits::default()).unwrap()
}

#[test]
fn a_file_is_read_encoded_once_or_twice_but_not_three_times() {
    let once = r#"{"expression": "safe_add(x, y)", "hotkey": "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"}"#;
    let twice = serde_json::to_string(once).unwrap();
    for text in [once, &twice] {
        let file = read(text).unwrap();
        assert_eq!(file.expression, "safe_add(x, y)");
        assert_eq!(file.gene, gene("safe_add(x, y)"));
        assert_eq!(file.hotkey.as_deref(), Some("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"));
    }
    let thrice = serde_json::to_string(&twice).unwrap();
    assert!(matches!(read(&thrice), Err(OriginalError::NotAnObject("a text"))));
}

#[test]
fn broken_files_say_what_is_wrong() {
    let deep = format!(r#"{{"expression": {}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let large = format!(r#"{{"expression": "x{}"}}"#, " ".repeat(MAX_FILE_BYTES));
    for (json, expected) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        (r#""{""#, "not JSON inside its JSON text"),
        ("[]", "holds a list"),
        ("null", "holds null"),
        ("{}", "`expression` is missing"),
        (r#"{"expression": 3}"#, "`expression` is a number"),
        (r#"{"expression": null}"#, "`expression` is null"),
        (r#"{"expression": "x", "hotkey": 7}"#, "`hotkey` is a number"),
        (r#"{"expression": "foo(x)"}"#, "foo"),
        (r#"{"expression": ""}"#, "expression"),
        (&deep, "not JSON"),
        (&large, "bytes; at most 20480"),
    ] {
        let message = read(json).unwrap_err().to_string();
        assert!(message.contains(expected), "{}: {message}", &json[..json.len().min(40)]);
    }
    assert_eq!(read(r#"{"expression": "x", "hotkey": null}"#).unwrap().hotkey, None);
    assert_eq!(read(r#"{"expression": "x", "other": [1]}"#).unwrap().hotkey, None);
}

#[test]
fn a_written_file_is_the_originals_double_encoding() {
    let written = original::write(&gene("safe_add(x, y)"), Some("5abc"));
    assert_eq!(written, r#""{\"expression\":\"safe_add(x, y)\",\"hotkey\":\"5abc\"}""#);
    let file = read(&written).unwrap();
    assert_eq!((file.expression.as_str(), file.hotkey.as_deref()), ("safe_add(x, y)", Some("5abc")));
    assert_eq!(read(&original::write(&gene("x"), None)).unwrap().hotkey, None);
}

#[test]
fn the_commitment_hash_is_sha256_of_text_and_repository() {
    // python3 -c "import hashlib; print(hashlib.sha256(b'safe_add(x, y)' + b'someone/automl').hexdigest())"
    let expected = "93e41a6457db3afa0f03e8eba874d35a58f4dd5231fbd93acf39ca141d59e475";
    assert_eq!(original::commitment_hash("safe_add(x, y)", "someone/automl"), expected);
}

#[test]
fn the_originals_loader_is_followed_where_it_runs_something_else() {
    let same = |text: &str| assert_eq!(original_would_run(text).unwrap(), WouldRun::Same, "{text}");
    let other = |text: &str, runs: &str| {
        let WouldRun::Other(found) = original_would_run(text).unwrap() else {
            panic!("{text}: {:?}", original_would_run(text));
        };
        assert_eq!(gene(&found), gene(runs), "{text}");
    };
    let fails = |text: &str, reason: &str| match original_would_run(text).unwrap() {
        WouldRun::Fails(found) => assert!(found.contains(reason), "{text}: {found}"),
        found => panic!("{text}: {found:?}"),
    };
    for text in ["x", "safe_add(x, y)", "safe_add x y", "safe_add((x)),,(y)", "sin(x))))", "mean(safe_mul(pi, x))"] {
        same(text);
    }
    same("safe_add(0.379, x)");
    same("safe_mul(-0.5, safe_add(+.5, safe_sub(1., safe_mul(1e-3, x))))");
    same("mod(x, 0.5)");
    same("safe_div(safe_add(0.5, x), 2)");
    other("safe_exp(safe_sub(tensor(-0.6289), x))", "x");
    other("safe_add(x", "x");
    other("safe_add(x, y, y)", "y");
    other("foo(x)", "x");
    other("safe_add(x, rand_const)", "x");
    other("safe_add(x, rand_const_3)", "x");
    other("row_sum(safe_mul(y, log_softmax(x)))", "x");
    other("safe_add(sin(x), safe_add(cos(y)", "cos(y)");
    fails("", "empty text");
    fails("safe_add(", "empty text");
    fails("safe_add(x, foo)", "`foo`");
    fails("safe_add(x, tensor(0.3790))", "not a tensor");
    fails("safe_add(x, -y)", "`-y`");
    fails("safe_add(x, nan)", "`nan`");
    fails("safe_add(x, 1e400)", "overflows");
    fails("safe_mul(x, tensor(0.3790, device='cuda:0'))", "syntax error");
    fails("safe_add(x, +)", "syntax error");
    fails("safe_add(x, len)", "syntax error");
    fails("safe_add(x, lambda)", "syntax error");
    fails("sin(0.5)", "`sin` refuses a Python number");
    fails("max(x, 0.5)", "`max` refuses a Python number");
    fails("mod(0.5, 0.5)", "`mod` refuses");
    fails("sin(safe_div(1, 2))", "`sin` refuses");
    fails("0.5", "not a tensor");
    assert!(original_would_run("safe_add(x, 1+1)").unwrap_err().to_string().contains("1+1"));
    assert!(original_would_run("safe_add(x, 1j)").is_err());
}

#[test]
fn hostile_texts_are_bounded() {
    let deep = "sin(".repeat(4000) + "x";
    assert!(matches!(original_would_run(&deep).unwrap(), WouldRun::Fails(reason) if reason.contains("nests")));
    let long = "x ".repeat(MAX_FILE_BYTES);
    assert!(matches!(original_would_run(&long).unwrap(), WouldRun::Fails(reason) if reason.contains("bytes")));
    let name = "z".repeat(10_000);
    assert!(matches!(original_would_run(&name).unwrap(), WouldRun::Fails(reason) if reason.len() < 300));
}
