//! Other people's programs: the ecosystem's own Python packages, which ours is held to.
use super::skip::skip;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The ecosystem's Python packages.
pub(crate) struct Python {
    site: PathBuf,
    home: tempfile::TempDir,
}

/// Those that are installed; None where none are, which is said.
pub(crate) fn ecosystem() -> Option<Python> {
    let Some(site) = std::env::var_os("AUTOML_BITTENSOR_SITE").filter(|site| !site.is_empty()) else {
        skip(
            "no Python packages of the ecosystem: install runner/chain/tests/python/requirements.txt into a folder and name it \
             in AUTOML_BITTENSOR_SITE; cargo xtask test does both",
        );
        return None;
    };
    Some(Python { site: site.into(), home: tempfile::tempdir().unwrap() })
}

impl Python {
    /// Runs one of the scripts; what it prints.
    #[track_caller]
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> Value {
        let mut python = Command::new("python3");
        python.args(["-B", "-c", script]).args(arguments).env("PYTHONPATH", &self.site);
        // The SDK makes folders in a person's home.
        let ran = python.env("HOME", self.home.path()).output().unwrap();
        let told = String::from_utf8_lossy(&ran.stdout).into_owned();
        let parsed = serde_json::from_str(&told).ok().filter(|_| ran.status.success());
        parsed.unwrap_or_else(|| panic!("{arguments:?}: {told} {}", String::from_utf8_lossy(&ran.stderr)))
    }
}
