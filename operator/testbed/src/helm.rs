//! Finds Helm: on PATH, in the cache, or a build of the real one.
use crate::{error::TestbedError, go_module::GoModule, run::run};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The Helm that is built here: one whose libraries are those of the Kubernetes that is built, which halves its build.
const VERSION: &str = "v3.20.2";

/// Finds Helm 3 on `PATH` or in the project's cache; builds it when it is nowhere, once for each machine.
///
/// # Errors
/// [`TestbedError::Unable`] where it is nowhere and there is no Go to build it; else the build failed.
pub fn find() -> Result<PathBuf, TestbedError> {
    let on_path = PathBuf::from("helm");
    // Another generation has other words.
    if version(&on_path).is_some_and(|version| version.starts_with("v3.")) {
        return Ok(on_path);
    }
    Ok(module().built()?.join("helm"))
}

/// The Go module of the program. Charts are rendered and linted for the Kubernetes that is tested.
pub(crate) fn module() -> GoModule {
    let kubernetes = ["lint/rules", "chartutil"].map(|package| {
        let name = format!("-X helm.sh/helm/v3/pkg/{package}.k8sVersion");
        format!(" {name}Major=1 {name}Minor=35")
    });
    GoModule {
        title: format!("Helm {VERSION}"),
        folder: "helm-",
        effort: "one or two minutes of processor time",
        instead: "put helm, of version 3, on PATH".to_owned(),
        sources: &[("go.mod", include_str!("../helm/go.mod")), ("go.sum", include_str!("../helm/go.sum"))],
        packages: &["helm.sh/helm/v3/cmd/helm"],
        linker_flags: format!("-s -w -X helm.sh/helm/v3/internal/version.version={VERSION}{}", kubernetes.concat()),
        finish: |_| Ok(()),
        is_right: |folder| version(&folder.join("helm")).is_some_and(|version| version == VERSION),
    }
}

/// What a program says that its version is; nothing where there is no such program.
fn version(helm: &Path) -> Option<String> {
    run(Command::new(helm).args(["version", "--template={{.Version}}"])).ok()
}
