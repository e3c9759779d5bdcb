//! Tests that need a cluster, on a machine that cannot have one. Those of the operator use this file too.
use automl_testbed::TestbedError;

#[path = "../../../../runner/tests/common/skip.rs"]
pub(crate) mod skip;

/// What was started, or nothing after having said why the test leaves itself out. What a machine cannot do is no
/// failure; anything else is.
pub(crate) fn unless_unable<T>(started: Result<T, TestbedError>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(TestbedError::Unable(why)) => {
            skip::skip(&why);
            None
        }
        Err(error) => panic!("{error}"),
    }
}
