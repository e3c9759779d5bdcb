//! The real clients, in Python: what they make of a server is printed by a script as one JSON object.
use super::skip::skip;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Names the folder with the packages of `requirements.txt`.
const VARIABLE: &str = "AUTOML_PYTHON_SITE";

/// What a script of `tests/python` printed when it was given `variables` and `argument`. None where there are no packages,
/// which is said.
pub(crate) fn script(name: &str, variables: &[(&str, &str)], argument: &Value) -> Option<Value> {
    let Some(site) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        skip(&format!(
            "no Python clients: python3 -m pip install --target FOLDER --requirement \
             runner/publish/tests/python/requirements.txt, and name the folder in {VARIABLE}; cargo xtask test does both"
        ));
        return None;
    };
    let home = tempfile::Builder::new().prefix("publish-python-").tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name);
    let mut python = Command::new("python3");
    // Nothing of the person's: no token, no key, no proxy, no module.
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        let begins = ["HF_", "HUGGING", "AWS_", "PYTHON"].iter().any(|prefix| name.starts_with(prefix));
        if begins || name.to_ascii_lowercase().ends_with("_proxy") {
            python.env_remove(name);
        }
    }
    for name in ["HF_HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        python.env(name, home.path().join(name));
    }
    for name in ["HF_HUB_DISABLE_TELEMETRY", "AWS_EC2_METADATA_DISABLED", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE"]
    {
        python.env(name, "true");
    }
    python.env("PYTHONPATH", site);
    python.envs(variables.iter().copied());
    let output = python.arg(script).arg(argument.to_string()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {said}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
