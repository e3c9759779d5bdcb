//! Helm as a person uses it, and what it renders.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use automl_testbed::ControlPlane;
use serde_json::Value;
use tempfile::TempDir;

use super::{project, unless_unable};

/// The charts' folders.
pub(crate) const OPERATOR: &str = "charts/automl-operator";
pub(crate) const FLEET: &str = "charts/automl-fleet";

/// Helm with a home of its own.
pub(crate) struct Helm {
    program: PathBuf,
    home: TempDir,
    kubeconfig: PathBuf,
}

impl Helm {
    /// Helm for a cluster, or for none. None where there is no Helm, which is said.
    pub(crate) fn find(plane: Option<&ControlPlane>) -> Option<Self> {
        let program = unless_unable(automl_testbed::helm::find())?;
        let kubeconfig = plane.map_or_else(|| PathBuf::from("/dev/null"), |plane| plane.kubeconfig().to_owned());
        Some(Self { program, home: tempfile::tempdir().expect("a temporary folder"), kubeconfig })
    }

    /// Whether it was pleased, and both its outputs.
    pub(crate) fn try_cli(&self, arguments: &[&str]) -> (bool, String) {
        let mut helm = Command::new(&self.program);
        helm.args(arguments).current_dir(project()).env("KUBECONFIG", &self.kubeconfig);
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(folder, self.home.path().join(folder));
        }
        let output = helm.output().expect("helm starts");
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Helm that has to succeed.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let (pleased, said) = self.try_cli(arguments);
        assert!(pleased, "helm {}: {said}", arguments.join(" "));
        said
    }

    /// Writes values to a file and hands back the option that names it.
    pub(crate) fn values(&self, text: &str) -> String {
        let file = self.home.path().join("values.yaml");
        fs::write(&file, text).expect("a file");
        format!("--values={}", file.display())
    }

    /// What a chart renders, as text.
    pub(crate) fn render(&self, release: &str, chart: &str, values: &str, more: &[&str]) -> String {
        let values = self.values(values);
        let arguments = ["template", release, chart, "--namespace=automl-system", &values];
        self.cli(&[&arguments[..], more].concat())
    }

    /// A copy of a chart, to be changed.
    pub(crate) fn copy(&self, chart: &str) -> PathBuf {
        let copy = self.home.path().join("chart");
        let _ = fs::remove_dir_all(&copy);
        copy_folder(&project().join(chart), &copy);
        copy
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the chart") {
        let entry = entry.expect("a file");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(from, to).expect("a copy");
        }
    }
}

/// The objects of a text.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
    all.into_iter().filter(|object| !object.is_null()).collect()
}
