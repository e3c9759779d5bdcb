//! How many inputs a fuzz test gets, and what it reports.

/// Inputs of one fuzz test: a quick look in `make test`, a share of the million in `make test-full`.
pub(crate) fn inputs(short: usize, full: usize) -> usize {
    if std::env::var("AUTOML_TEST_FULL").is_ok_and(|value| value == "1") { full } else { short }
}

/// Adds what a fuzz test went through to the figure of all of them.
pub(crate) fn report(inputs: usize) {
    println!("figure: fuzzed inputs without a panic = {inputs}");
}
