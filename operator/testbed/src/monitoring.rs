//! Finds the definitions of the Prometheus Operator's resources: files of its Go module, fetched once for each machine.
use crate::{
    cache,
    error::{TestbedError, Tried},
    go_module,
    image::hex,
    run::run,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The module's files, as they were when this program was compiled: which version, and what is in it.
const SOURCES: [(&str, &str); 2] =
    [("go.mod", include_str!("../monitoring/go.mod")), ("go.sum", include_str!("../monitoring/go.sum"))];
/// The module, and where it has its definitions.
const MODULE: &str = "github.com/prometheus-operator/prometheus-operator";
const PLACE: &str = "example/prometheus-operator-crd";
/// Those that are wanted, by their plural.
const KINDS: [&str; 3] = ["podmonitors", "prometheusrules", "servicemonitors"];

/// A folder with the definitions of `PodMonitor`, `PrometheusRule` and `ServiceMonitor`, from the project's cache.
///
/// # Errors
/// [`TestbedError::Unable`] where they are not there and there is no Go to fetch them; else they could not be fetched, or are
/// not what they were.
pub fn definitions() -> Result<PathBuf, TestbedError> {
    let text: String = SOURCES.iter().map(|(_, text)| *text).collect();
    let key: String = hex(&Sha256::digest(format!("{text}{KINDS:?}"))).chars().take(12).collect();
    let folder = cache::folder(&format!("monitoring-{key}"))?;
    cache::fill_once(&folder, fill)?;
    Ok(folder)
}

fn fill(folder: &Path) -> Result<(), TestbedError> {
    run(Command::new("go").args(["env", "GOVERSION"])).map_err(|error| {
        TestbedError::Unable(format!("definitions of the Prometheus Operator are fetched once, with Go: {error}"))
    })?;
    let sources = go_module::lay(&SOURCES, folder)?;
    // What is fetched is held to go.sum.
    let mut download = Command::new("go");
    download.args(["mod", "download", "-json", MODULE]).current_dir(&sources);
    let said = run(download.envs([("GOFLAGS", ""), ("GOWORK", "off")]))?;
    let said: Value = serde_json::from_str(&said).unwrap_or_default();
    let module = said["Dir"].as_str().map(Path::new).ok_or_else(|| TestbedError::Command {
        command: "go mod download".to_owned(),
        message: format!("it does not say where {MODULE} is: {said}"),
    })?;
    for kind in KINDS {
        let from = module.join(PLACE).join(format!("monitoring.coreos.com_{kind}.yaml"));
        fs::copy(&from, folder.join(format!("{kind}.yaml"))).tried("copy", &from)?;
    }
    fs::remove_dir_all(&sources).tried("remove", &sources)
}
