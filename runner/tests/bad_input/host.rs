//! A disk that is full and one that is read-only: the run ends with a message, keeps its last checkpoint, and goes on when
//! the disk does. Each needs a file system of its own, so the script runs in a mount namespace of its own (Linux).
use crate::BUG;
use crate::common::skip::skip;
use crate::common::{Bench, assert_same_results, said, succeed};
use crate::manifest::{GOOD, changed};
use automl_contract::progress::Progress;
use std::process::{Command, Output};

/// Searches until the disk (`$1`, a small one) refuses, then goes on after more room is made. `$2` is the program, `$3`
/// the spec, `$4` the larger budget, `$5` a folder for what came out. `$6` breaks the disk and `$7` mends it.
const SCRIPT: &str = r#"
set -u
mount -t tmpfs -o size=4m none "$1" && cd "$1" || exit 99
"$2" run -f "$3" --out run --json > first || exit 98
eval "$6" || exit 97
"$2" resume run --evaluations "$4" --json > "$5/lines" 2> "$5/error"
echo "$?" > "$5/code"
"$2" run -f "$3" --out fresh 2> "$5/fresh-error"
echo "$?" > "$5/fresh-code"
ls -A run > "$5/names"
eval "$7" || exit 96
test ! -e fresh/checkpoint.bin || exit 95
"$2" resume run --evaluations "$4" > /dev/null || exit 94
cp -r run "$5/run"
"#;

/// Runs the script; `None` where this machine does not let us mount.
fn script(bench: &Bench, budget: u64, breaks: &str, mends: &str) -> Option<Output> {
    let may = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !may.is_ok_and(|ran| ran.status.success()) {
        skip("mounting in a name space of one's own is not allowed here; `unshare -rm` must work");
        return None;
    }
    let [disk, kept] = ["disk", "kept"].map(|name| bench.path(name));
    std::fs::create_dir(&disk).unwrap();
    std::fs::create_dir(&kept).unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", SCRIPT, "sh"]).arg(disk).arg(env!("CARGO_BIN_EXE_runner")).arg(bench.manifest());
    Some(command.arg(budget.to_string()).arg(kept).args([breaks, mends]).output().unwrap())
}

/// The disk breaks after the first 20 candidates, or while the search goes on (`later`), and is mended again; the end must
/// be that of a run on a sound disk.
fn survives(what: &str, breaks: &str, mends: &str, cause: &str, later: bool) {
    const BUDGET: u64 = 400;
    let bench = Bench::new(GOOD);
    let Some(ran) = script(&bench, BUDGET, breaks, mends) else { return };
    assert!(ran.status.success(), "{what}: {}", said(&ran));
    let kept = |name: &str| std::fs::read_to_string(bench.path("kept").join(name)).unwrap();
    for (code, error) in [("code", "error"), ("fresh-code", "fresh-error")] {
        assert_eq!(kept(code).trim(), BUG.to_string(), "{what}: {}", kept(error));
        assert!(kept(error).contains("runner: cannot ") && kept(error).contains(cause), "{what}: {}", kept(error));
        assert!(!kept(error).contains("panicked"), "{what}: {}", kept(error));
    }
    assert!(kept("error").contains("what was written before is intact"), "{what}: {}", kept("error"));
    assert!(kept("error").contains("runner resume"), "{what}: {}", kept("error"));
    let told = kept("lines").lines().map(|line| serde_json::from_str::<Progress>(line).unwrap().evaluations).max();
    assert_eq!(told.is_some_and(|evaluations| evaluations > 20), later, "{what}: it broke after {told:?}");
    assert!(!kept("names").contains(".new"), "{what}: a half written file was left behind: {}", kept("names"));
    let sound = Bench::new(&changed("evaluations: 20", &format!("evaluations: {BUDGET}")));
    succeed(&mut sound.run("run"));
    assert_same_results(&sound.path("run"), &bench.path("kept/run"), what);
}

#[test]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    let fill = "cat /dev/zero > fill 2> /dev/null; test -s fill";
    survives("full at once", fill, "rm -rf fill fresh", "No space left on device", false);
}

#[test]
fn a_disk_that_fills_up_while_searching_loses_nothing() {
    // 24 KiB of room: a few generations.
    let fill = "cat /dev/zero > fill 2> /dev/null; truncate -s -24K fill";
    survives("full after a while", fill, "rm -rf fill fresh", "No space left on device", true);
}

#[test]
fn a_read_only_disk_ends_the_run_and_loses_nothing() {
    survives("read-only", "mount -o remount,ro .", "mount -o remount,rw .", "Read-only file system", false);
}
