//! Finds the Kubernetes programs: what the person names, what is on PATH, what was built before, or a build.
use crate::{
    error::{TestbedError, Tried},
    go_module::GoModule,
    run::run,
};
use std::{
    env,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// The Kubernetes that is built here.
pub const VERSION: &str = "v1.35.4";

/// What a control plane is made of.
pub(crate) const CONTROL_PLANE: [&str; 5] =
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"];
/// What a node needs of Kubernetes beside it.
pub(crate) const NODE: [&str; 3] = ["kubelet", "kube-proxy", "pause"];

/// A folder that holds the programs by their usual names.
#[derive(Clone, Debug)]
pub struct Binaries {
    folders: Vec<PathBuf>,
}

impl Binaries {
    /// Finds all programs of a control plane, and those of a node where asked; builds them when they are nowhere.
    ///
    /// Looks in the folder `KUBEBUILDER_ASSETS`, on `PATH`, then in the project's cache. The build takes about ten
    /// minutes of processor time, once for each machine.
    ///
    /// # Errors
    /// [`TestbedError::Unable`] where they are nowhere and there is no Go to build them; else the build failed.
    pub fn find(with_node: bool) -> Result<Self, TestbedError> {
        let mut needed = CONTROL_PLANE.to_vec();
        if with_node {
            needed.extend(NODE);
        }
        let named = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
        for folders in [named.map(|folder| vec![folder]), path].into_iter().flatten() {
            let found = Self { folders };
            if needed.iter().all(|name| found.get(name).is_some()) {
                return Ok(found);
            }
        }
        Ok(Self { folders: vec![module().built()?] })
    }

    /// Where a program lies.
    pub fn path(&self, name: &str) -> Result<PathBuf, TestbedError> {
        self.get(name).ok_or_else(|| TestbedError::Unable(format!("there is no program `{name}`")))
    }

    fn get(&self, name: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

/// The Go module of the programs.
pub(crate) fn module() -> GoModule {
    GoModule {
        title: format!("Kubernetes {VERSION}"),
        folder: "kubernetes-",
        effort: "about ten minutes of processor time",
        instead: format!("set KUBEBUILDER_ASSETS to a folder with {}", CONTROL_PLANE.join(", ")),
        sources: &[
            ("go.mod", include_str!("../kubernetes/go.mod")),
            ("go.sum", include_str!("../kubernetes/go.sum")),
            ("main.go", include_str!("../kubernetes/main.go")),
            ("pause/main.go", include_str!("../kubernetes/pause/main.go")),
        ],
        packages: &[".", "./pause"],
        // What `kubectl version` and the nodes say.
        linker_flags: format!(
            "-s -w -X k8s.io/component-base/version.gitVersion={VERSION} -X k8s.io/component-base/version.gitMajor=1 \
             -X k8s.io/component-base/version.gitMinor=35 -X k8s.io/client-go/pkg/version.gitVersion={VERSION}"
        ),
        finish: link,
        is_right,
    }
}

/// Gives the one program all of its names.
fn link(folder: &Path) -> Result<(), TestbedError> {
    let mut names = CONTROL_PLANE.iter().chain(&NODE).filter(|name| **name != "pause");
    names.try_for_each(|name| symlink("kubernetes", folder.join(name)).tried("make", &folder.join(name)))
}

fn is_right(folder: &Path) -> bool {
    let said = run(Command::new(folder.join("kube-apiserver")).arg("--version"));
    CONTROL_PLANE.iter().chain(&NODE).all(|name| folder.join(name).is_file())
        && said.is_ok_and(|said| said.trim() == format!("Kubernetes {VERSION}"))
}
