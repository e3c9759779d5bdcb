//! Programs that are built of Go modules, once for each machine: sources in this crate, a folder of the cache for what they become.
use crate::{
    cache::{self, beside},
    error::{TestbedError, Tried},
    image::hex,
    run::{run, tail},
};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The oldest Go that builds them, as each go.mod says.
const GO: (u32, u32) = (1, 25);

/// What the compiler is told: no C, no paths, no debugging information (a fifth of the time and nobody reads it).
const FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"];

/// A module and the programs that it becomes.
pub(crate) struct GoModule {
    /// What it is called: `Kubernetes v1.35.4`.
    pub(crate) title: String,
    /// What the cache's folders of its programs are called, followed by what they were built of.
    pub(crate) folder: &'static str,
    /// How long it takes, for people.
    pub(crate) effort: &'static str,
    /// What else helps where it cannot be built.
    pub(crate) instead: String,
    /// The module's files, as they were when this program was compiled.
    pub(crate) sources: &'static [(&'static str, &'static str)],
    /// The packages to build.
    pub(crate) packages: &'static [&'static str],
    /// What the linker is told, so that the programs know their version.
    pub(crate) linker_flags: String,
    /// What remains to do in the folder when the programs are built.
    pub(crate) finish: fn(&Path) -> Result<(), TestbedError>,
    /// Whether a folder holds all programs, and of this version.
    pub(crate) is_right: fn(&Path) -> bool,
}

impl GoModule {
    /// The cache's folder of programs, built when it is not there.
    ///
    /// # Errors
    /// [`TestbedError::Unable`] where they are nowhere and there is no Go to build them; else the build failed.
    pub(crate) fn built(&self) -> Result<PathBuf, TestbedError> {
        let go = match self.go_version() {
            Ok(go) => go,
            // Built while there was one.
            Err(unable) => return self.earlier()?.ok_or(unable),
        };
        let folder = cache::folder(&format!("{}{}", self.folder, self.fingerprint(&go)))?;
        cache::fill_once(&folder, |partial| self.build(partial, &beside(&folder, ".log")))?;
        Ok(folder)
    }

    /// The version of a Go that can build them, such as `go1.26.1`.
    fn go_version(&self) -> Result<String, TestbedError> {
        let unable = |why: &str| {
            let (major, minor) = GO;
            TestbedError::Unable(format!(
                "{} is built here once, and that needs Go {major}.{minor} or newer: {why}. Unpack one (`curl -L \
                 https://go.dev/dl/go1.26.0.linux-amd64.tar.gz | sudo tar -xz -C /usr/local`) and put \
                 /usr/local/go/bin on PATH; or {}",
                self.title, self.instead
            ))
        };
        let version = run(Command::new("go").args(["env", "GOVERSION"])).map_err(|error| unable(&error.to_string()))?;
        if is_new_enough(&version) { Ok(version) } else { Err(unable(&format!("this is {}", version.trim()))) }
    }

    /// Programs of this version in the cache that another Go has built, or this one from other sources.
    fn earlier(&self) -> Result<Option<PathBuf>, TestbedError> {
        let caches = cache::folder("")?;
        // No cache, no programs.
        let folders = fs::read_dir(caches).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let named = |path: &PathBuf| {
            // Locks, logs and what is being built have an extension.
            path.extension().is_none()
                && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(self.folder))
        };
        Ok(folders.filter(named).find(|path| (self.is_right)(path)))
    }

    /// Changes with everything that changes what is built.
    fn fingerprint(&self, go: &str) -> String {
        let mut hash = Sha256::new();
        for (name, text) in self.sources {
            hash.update(format!("{name} {}\n{text}", text.len()));
        }
        hash.update(format!("{go} {FLAGS:?} {}", self.linker_flags));
        hex(&hash.finalize()).chars().take(16).collect()
    }

    fn build(&self, folder: &Path, log_path: &Path) -> Result<(), TestbedError> {
        let source = lay(self.sources, folder)?;
        eprintln!("building {}, once for this machine: {}; log: {}", self.title, self.effort, log_path.display());
        let started = Instant::now();
        let log = File::create(log_path).tried("write", log_path)?;
        let log_too = log.try_clone().tried("write", log_path)?;
        // It runs beside the Rust build, which is the one that is waited for.
        let status = Command::new("nice")
            .args(["-n", "5", "go", "build", "-v", "-mod=readonly"])
            .args(FLAGS)
            .args(["-ldflags", &self.linker_flags])
            .arg("-o")
            .arg(beside(folder, "/"))
            .args(self.packages)
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
        (self.finish)(folder)?;
        eprintln!("built {} in {} s", self.title, started.elapsed().as_secs());
        Ok(())
    }
}

/// Writes a module's files into a folder below this one, and hands that back.
pub(crate) fn lay(sources: &[(&str, &str)], folder: &Path) -> Result<PathBuf, TestbedError> {
    let source = folder.join("source");
    for (name, text) in sources {
        let path = source.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).tried("make", parent)?;
        }
        fs::write(&path, text).tried("write", &path)?;
    }
    Ok(source)
}

/// Whether a version such as `go1.26.1` or `go1.26rc1` is not older than [`GO`]; one that is none, as of a Go that was
/// built from its sources, may be tried.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches("go").split(|other: char| !other.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    next().zip(next()).is_none_or(|version| version >= GO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{binaries, devices, helm};

    #[test]
    fn an_old_go_is_told_from_a_new_one() {
        for (version, new_enough) in
            [("go1.24.11", false), ("go1.9", false), ("go1.25.0\n", true), ("go1.26rc1", true), ("go2.0", true)]
        {
            assert_eq!(is_new_enough(version), new_enough, "{version}");
        }
        assert!(is_new_enough("devel +a1b2c3"));
        let (major, minor) = GO;
        for module in [binaries::module(), helm::module(), devices::module()] {
            let (_, text) = module.sources[0];
            assert!(text.contains(&format!("\ngo {major}.{minor}.")), "{}: go.mod names another Go", module.title);
        }
    }
}
