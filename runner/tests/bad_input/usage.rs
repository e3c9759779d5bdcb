//! Command lines.
use crate::manifest::GOOD;
use crate::{BAD_INPUT, BUG, Case, USAGE};
use std::net::TcpListener;

pub(crate) fn cases() -> Vec<Case> {
    let with_file =
        |name: &str, command: &str, code: i32, says: &[&str]| Case::new(name, command, code, says).file("m.yaml", GOOD);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    vec![
        Case::new("no command", "", USAGE, &["Usage: runner"]),
        Case::new("an unknown command", "rum", USAGE, &["unrecognized subcommand 'rum'", "run"]),
        Case::new("an unknown option", "run --flie m.yaml", USAGE, &["unexpected argument '--flie'", "--file"]),
        Case::new("run without a file", "run", USAGE, &["--file"]),
        with_file("no workers", "run -f m.yaml --workers 0", USAGE, &["--workers", "1..=1024"]),
        with_file("a million workers", "run -f m.yaml --workers 1000000", USAGE, &["--workers", "1..=1024"]),
        with_file("a port that is none", "run -f m.yaml --port 70000", USAGE, &["--port"]),
        with_file("an address without a port", "run -f m.yaml --bind 0.0.0.0", USAGE, &["--port"]),
        with_file(
            "a port in use",
            &format!("run -f m.yaml --out new --port {port}"),
            BUG,
            &["cannot listen on 127.0.0.1", "--port"],
        )
        .setup(move |_| Box::new(taken.try_clone().unwrap())),
        with_file("a negative island", "run -f m.yaml --island=-1", USAGE, &["--island"]),
        with_file(
            "a file where the folder should be",
            "run -f m.yaml --out m.yaml",
            BUG,
            &["cannot make the folder m.yaml", "--out"],
        ),
        Case::new("score without genes", "score", USAGE, &["<GENE>"]),
        Case::new("trials without tuning", "score x --trials 4", USAGE, &["--tuned"]),
        Case::new("verifying nothing", "verify run --records 0", USAGE, &["--records"]),
        Case::new("score on one seed", "score x --seeds 1", USAGE, &["--seeds", "2..=10000"]),
        Case::new("eval without a gene", "gene eval --batch b.json", USAGE, &["<GENE_FILE>"]),
        Case::new(
            "eval in half precision",
            "gene eval g.txt --batch b.json --precision f16",
            USAGE,
            &["f16", "f32", "f64"],
        ),
        Case::new("an unknown format", "gene export x --format onnx", USAGE, &["onnx", "pytorch"]),
        Case::new(
            "a hotkey in a formula",
            "gene export x --format latex --hotkey 5F",
            USAGE,
            &["--hotkey", "original"],
        ),
        Case::new("completions for an unknown shell", "completions tcsh", USAGE, &["tcsh", "bash"]),
        Case::new(
            "resume of nothing",
            "resume nowhere",
            BAD_INPUT,
            &["nowhere holds no run", "runner run -f FILE --out nowhere"],
        ),
        Case::new("resume of a folder without a run", "resume d", BAD_INPUT, &["d holds no run"])
            .file("d/notes.txt", "mine"),
    ]
}
