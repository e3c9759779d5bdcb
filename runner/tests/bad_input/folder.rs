//! Run folders: in use, damaged, of another version or another run. A finished run is the ground for each case.
use crate::common::{Bench, succeed};
use crate::manifest::{GOOD, changed};
use crate::{BAD_INPUT, Case};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A finished run of `GOOD`, and one of another seed.
static RUNS: LazyLock<(Bench, Bench)> = LazyLock::new(|| {
    let run = |manifest: &str| {
        let bench = Bench::new(manifest);
        succeed(&mut bench.run("run"));
        bench
    };
    (run(GOOD), run(&changed("    population", "    seed: 2\n    population")))
});

/// A case in a folder with a copy of the finished run, changed by `change`, in `run`.
fn after(name: &str, arguments: &str, says: &[&str], change: impl Fn(&Path) + Send + Sync + 'static) -> Case {
    Case::new(name, arguments, BAD_INPUT, says).file("m.yaml", GOOD).setup(move |folder| {
        let run = folder.join("run");
        copy(&RUNS.0.path("run"), &run);
        change(&run);
        Box::new(())
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn alter(run: &Path, change: impl Fn(&mut Vec<u8>)) {
    let path = run.join("checkpoint.bin");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn replace(path: PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(&path).unwrap();
    assert_ne!(text, text.replace(from, to), "{from} is not in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

pub(crate) fn cases() -> Vec<Case> {
    const RESUME: &str = "resume run --evaluations 40";
    let untouched = |_: &Path| {};
    vec![
        after(
            "a run where one is",
            "run -f m.yaml --out run",
            &["run already holds a run", "runner resume run"],
            untouched,
        ),
        after(
            "a smaller budget",
            "resume run --evaluations 10",
            &["--evaluations 10", "20", "extended, not cut"],
            untouched,
        ),
        after("a cut off checkpoint", RESUME, &["checkpoint.bin", "damaged", "restore"], |run| {
            alter(run, |bytes| bytes.truncate(bytes.len() / 2));
        }),
        after("a checkpoint cut off in its head", RESUME, &["checkpoint.bin", "ends inside its head"], |run| {
            alter(run, |bytes| bytes.truncate(10));
        }),
        after("an empty checkpoint", RESUME, &["checkpoint.bin", "empty"], |run| alter(run, Vec::clear)),
        after("one bit of a checkpoint flipped", RESUME, &["checkpoint.bin", "checksum"], |run| {
            alter(run, |bytes| *bytes.last_mut().unwrap() ^= 0x10);
        }),
        after("a checkpoint of another version", RESUME, &["checkpoint.bin", "format 3", "reads format 2"], |run| {
            alter(run, |bytes| bytes[8] = 3);
        }),
        after("a checkpoint that is none", RESUME, &["checkpoint.bin", "not a checkpoint"], |run| {
            alter(run, |bytes| *bytes = b"%PDF-1.7 and so on, and so on, and so on, and so on".to_vec());
        }),
        after("a checkpoint of another seed", RESUME, &["checkpoint.bin", "search.seed was 2", "is 0 now"], |run| {
            fs::copy(RUNS.1.path("run").join("checkpoint.bin"), run.join("checkpoint.bin")).unwrap();
        }),
        after("another population", RESUME, &["search.population was 10", "is 12 now"], |run| {
            replace(run.join("minerrun.yaml"), "population: 10", "population: 12");
        }),
        after("another training", RESUME, &["checkpoint.bin", "other conditions"], |run| {
            replace(run.join("minerrun.yaml"), "steps: 2", "steps: 3");
        }),
        after("another island", RESUME, &["of island 0", "island 1"], |run| {
            replace(run.join("run.json"), "\"island\": 0", "\"island\": 1");
        }),
        after("a broken spec", RESUME, &["run/minerrun.yaml:9:5", "did you mean `population`?"], |run| {
            replace(run.join("minerrun.yaml"), "population", "populaton");
        }),
        after("no record", RESUME, &["run/run.json is missing"], |run| fs::remove_file(run.join("run.json")).unwrap()),
        after("a cut off record", RESUME, &["run/run.json", "line"], |run| {
            let text = fs::read(run.join("run.json")).unwrap();
            fs::write(run.join("run.json"), &text[..text.len() / 2]).unwrap();
        }),
        after("a damaged line of history", RESUME, &["run/history.jsonl:1:"], |run| {
            let text = fs::read_to_string(run.join("history.jsonl")).unwrap();
            fs::write(run.join("history.jsonl"), text.replacen('{', "<", 1)).unwrap();
        }),
        after("a damaged score record", RESUME, &["run/scores.jsonl:1:"], |run| {
            let text = fs::read_to_string(run.join("scores.jsonl")).unwrap();
            fs::write(run.join("scores.jsonl"), text.replacen('{', "<", 1)).unwrap();
        }),
        after("verifying a damaged score record", "verify run", &["run/scores.jsonl:1:", "changed or cut"], |run| {
            let text = fs::read_to_string(run.join("scores.jsonl")).unwrap();
            fs::write(run.join("scores.jsonl"), text.replacen('{', "<", 1)).unwrap();
        }),
        after("verifying a folder without records", "verify .", &["cannot read ./scores.jsonl"], untouched),
        after("a run in use", RESUME, &["run is in use by another runner", "stop that one"], untouched).setup(
            |folder| {
                let lock = fs::File::open(folder.join("run/.lock")).unwrap();
                lock.lock().unwrap();
                Box::new(lock)
            },
        ),
    ]
}
