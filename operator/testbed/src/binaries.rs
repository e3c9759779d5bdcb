//! Finds the Kubernetes programs: what the person names, what is on PATH, what was built before, or a build.
use crate::{
    cache::{self, beside},
    error::{TestbedError, Tried},
    image::hex,
    run::{run, tail},
};
use sha2::{Digest, Sha256};
use std::{
    env,
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The Kubernetes that is built here.
pub const VERSION: &str = "v1.35.4";

/// The oldest Go that builds it, as go.mod says.
const GO: (u32, u32) = (1, 25);
/// What the cache's folders of programs are called, followed by what they were built of.
const FOLDER: &str = "kubernetes-";

/// What a control plane is made of.
pub(crate) const CONTROL_PLANE: [&str; 5] =
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"];
/// What a node needs of Kubernetes beside it.
pub(crate) const NODE: [&str; 3] = ["kubelet", "kube-proxy", "pause"];

/// The Go module in this crate, as it was when this program was compiled.
const SOURCES: [(&str, &str); 4] = [
    ("go.mod", include_str!("../kubernetes/go.mod")),
    ("go.sum", include_str!("../kubernetes/go.sum")),
    ("main.go", include_str!("../kubernetes/main.go")),
    ("pause/main.go", include_str!("../kubernetes/pause/main.go")),
];

/// What the compiler is told: no C, no paths, no debugging information (a fifth of the time and nobody reads it).
const FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"];

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
        Ok(Self { folders: vec![built()?] })
    }

    /// Where a program lies.
    pub fn path(&self, name: &str) -> Result<PathBuf, TestbedError> {
        self.get(name).ok_or_else(|| TestbedError::Unable(format!("there is no program `{name}`")))
    }

    fn get(&self, name: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

/// The cache's folder of programs, built when it is not there.
fn built() -> Result<PathBuf, TestbedError> {
    let go = match go_version() {
        Ok(go) => go,
        // Built while there was one.
        Err(unable) => return earlier()?.ok_or(unable),
    };
    let folder = cache::folder(&format!("{FOLDER}{}", fingerprint(&go)))?;
    cache::fill_once(&folder, |partial| build(partial, &beside(&folder, ".log")))?;
    Ok(folder)
}

/// The version of a Go that can build them, such as `go1.26.1`.
fn go_version() -> Result<String, TestbedError> {
    let unable = |why: &str| {
        let (major, minor) = GO;
        TestbedError::Unable(format!(
            "Kubernetes {VERSION} is built here once, and that needs Go {major}.{minor} or newer: {why}. Unpack one \
             (`curl -L https://go.dev/dl/go1.26.0.linux-amd64.tar.gz | sudo tar -xz -C /usr/local`) and put \
             /usr/local/go/bin on PATH; or set KUBEBUILDER_ASSETS to a folder with {}",
            CONTROL_PLANE.join(", ")
        ))
    };
    let version = run(Command::new("go").args(["env", "GOVERSION"])).map_err(|error| unable(&error.to_string()))?;
    if is_new_enough(&version) { Ok(version) } else { Err(unable(&format!("this is {}", version.trim()))) }
}

/// Whether a version such as `go1.26.1` or `go1.26rc1` is not older than [`GO`]; one that is none, as of a Go that was
/// built from its sources, may be tried.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches("go").split(|other: char| !other.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    next().zip(next()).is_none_or(|version| version >= GO)
}

/// Programs of this version in the cache that another Go has built, or this one from other sources.
fn earlier() -> Result<Option<PathBuf>, TestbedError> {
    let caches = cache::folder("")?;
    // No cache, no programs.
    let folders = fs::read_dir(caches).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        // Locks, logs and what is being built have an extension.
        path.extension().is_none() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLDER))
    };
    let right = |path: &PathBuf| {
        let said = run(Command::new(path.join("kube-apiserver")).arg("--version"));
        CONTROL_PLANE.iter().chain(&NODE).all(|name| path.join(name).is_file())
            && said.is_ok_and(|said| said.trim() == format!("Kubernetes {VERSION}"))
    };
    Ok(folders.filter(named).find(right))
}

/// Changes with everything that changes what is built.
fn fingerprint(go: &str) -> String {
    let mut hash = Sha256::new();
    for (name, text) in SOURCES {
        hash.update(format!("{name} {}\n{text}", text.len()));
    }
    hash.update(format!("{go} {FLAGS:?} {}", linker_flags()));
    hex(&hash.finalize()).chars().take(16).collect()
}

/// What `kubectl version` and the nodes say is set by the linker.
fn linker_flags() -> String {
    format!(
        "-s -w -X k8s.io/component-base/version.gitVersion={VERSION} -X k8s.io/component-base/version.gitMajor=1 -X \
         k8s.io/component-base/version.gitMinor=35 -X k8s.io/client-go/pkg/version.gitVersion={VERSION}"
    )
}

fn build(folder: &Path, log_path: &Path) -> Result<(), TestbedError> {
    let source = folder.join("source");
    for (name, text) in SOURCES {
        let path = source.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).tried("make", parent)?;
        }
        fs::write(&path, text).tried("write", &path)?;
    }
    eprintln!(
        "building Kubernetes {VERSION}, once for this machine: about ten minutes of processor time; log: {}",
        log_path.display()
    );
    let started = Instant::now();
    let log = File::create(log_path).tried("write", log_path)?;
    let log_too = log.try_clone().tried("write", log_path)?;
    // It runs beside the Rust build, which is the one that is waited for.
    let status = Command::new("nice")
        .args(["-n", "5", "go", "build", "-v", "-mod=readonly"])
        .args(FLAGS)
        .args(["-ldflags", &linker_flags()])
        .arg("-o")
        .arg(beside(folder, "/"))
        .args([".", "./pause"])
        .current_dir(&source)
        // The linker needs 2 GB either way; collecting less often saves a fifth of the time.
        .envs([("CGO_ENABLED", "0"), ("GOGC", "400"), ("GOFLAGS", ""), ("GOWORK", "off")])
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .status()
        .tried("run nice and go for", folder)?;
    if !status.success() {
        let said = fs::read_to_string(log_path).unwrap_or_default();
        return Err(TestbedError::Command { command: "go build".to_owned(), message: tail(&said, 20) });
    }
    fs::remove_dir_all(&source).tried("remove", &source)?;
    for name in CONTROL_PLANE.iter().chain(&NODE).filter(|name| **name != "pause") {
        symlink("kubernetes", folder.join(name)).tried("make", &folder.join(name))?;
    }
    eprintln!("built Kubernetes {VERSION} in {} s", started.elapsed().as_secs());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_go_is_told_from_a_new_one() {
        for (version, new_enough) in
            [("go1.24.11", false), ("go1.9", false), ("go1.25.0\n", true), ("go1.26rc1", true), ("go2.0", true)]
        {
            assert_eq!(is_new_enough(version), new_enough, "{version}");
        }
        assert!(is_new_enough("devel +a1b2c3"));
        let (major, minor) = GO;
        let (_, module) = SOURCES[0];
        assert!(module.contains(&format!("\ngo {major}.{minor}.")), "go.mod names another version");
    }
}
