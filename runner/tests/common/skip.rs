//! Tests that a machine does not allow: left out loudly, and never in CI. The lab's tests use this file too.
use std::io::Write;

/// Says why the calling test leaves itself out and what would help; the test then returns.
///
/// Cargo hides what a passing test prints, so the reason also goes to the file that `cargo xtask test` reads.
///
/// # Panics
/// With `CI=true`: what is missing there has to be brought.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "nothing is left out in CI: {reason}");
    println!("skipped: {reason}");
    if let Some(list) = std::env::var_os("AUTOML_SKIPPED") {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let list = std::fs::File::options().create(true).append(true).open(list);
        list.expect("xtask names a file that can be made")
            .write_all(format!("{test}: {reason}\n").as_bytes())
            .expect("a line can be written");
    }
}
