//! This project's own images: what their programs need, found by asking the linker, and nothing else.
use crate::{
    cache,
    error::{TestbedError, Tried},
    image::{Image, Layer, hex},
    run::run,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::UNIX_EPOCH,
};

/// Where programs lie in an image; their own libraries lie in `lib` beside them, where the runner looks first.
const HOME: &str = "/opt/automl";
/// Not root, and no user of any machine: the number that rootless images have agreed on.
const USER: &str = "65532:65532";
/// A folder of programs that have just been built, as by `cargo test`: with it set, they are not built again.
const PROGRAMS: &str = "AUTOML_PROGRAMS";
/// A folder of finished archives: with it set, nothing is built.
const FINISHED: &str = "AUTOML_IMAGES";

/// An image of this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProjectImage {
    /// The runner with libtorch: it searches
    Runner,
    /// The runner without the lab: genes, the ledger, no training
    RunnerSlim,
    /// The operator
    Operator,
}

impl ProjectImage {
    /// Every image.
    pub const ALL: &[Self] = &[Self::Operator, Self::Runner, Self::RunnerSlim];

    /// The name that pods ask for, complete as containerd wants it: `docker.io/library/automl-runner:VERSION`.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Runner => concat!("docker.io/library/automl-runner:", env!("CARGO_PKG_VERSION")),
            Self::RunnerSlim => concat!("docker.io/library/automl-runner:", env!("CARGO_PKG_VERSION"), "-slim"),
            Self::Operator => concat!("docker.io/library/automl-operator:", env!("CARGO_PKG_VERSION")),
        }
    }

    /// The archive in the folder that `AUTOML_IMAGES` names, or else in the cache: built with cargo, and written when
    /// it is not of what was built.
    pub fn archive(self) -> Result<PathBuf, TestbedError> {
        let file = format!("{}.tar", self.file());
        if let Some(finished) = env::var_os(FINISHED) {
            let path = PathBuf::from(finished).join(file);
            return if path.is_file() {
                Ok(path)
            } else {
                Err(TestbedError::Unable(format!("there is no {}, but {FINISHED} names its folder", path.display())))
            };
        }
        let folder = cache::folder("images")?;
        fs::create_dir_all(&folder).tried("make", &folder)?;
        let (archive, stamped) = (folder.join(file), folder.join(format!("{}.stamp", self.file())));
        // One at a time: both runners are built at the same place.
        cache::locked(&folder, || {
            // What lies there now may be what the person calls, or what tests are about to call: it is put back.
            let (place, aside) = (target().join("release").join(self.program()), folder.join("aside"));
            let _ = fs::remove_file(&aside);
            let kept = fs::hard_link(&place, &aside).is_ok();
            let made = self.bring_up_to_date(&archive, &stamped);
            if kept {
                fs::rename(&aside, &place).tried("make", &place)?;
            }
            made
        })?;
        Ok(archive)
    }

    fn bring_up_to_date(self, archive: &Path, stamped: &Path) -> Result<(), TestbedError> {
        let program = self.build()?;
        let libraries = libraries(&program)?;
        let stamp = stamp(&program, &libraries)?;
        if archive.is_file() && fs::read_to_string(stamped).is_ok_and(|text| text == stamp) {
            return Ok(());
        }
        // Whoever reads the old archive at this moment goes on reading it.
        let partial = cache::beside(archive, ".partial");
        self.image(&program, &libraries)?.image.write(&partial)?;
        fs::rename(&partial, archive).tried("make", archive)?;
        fs::write(stamped, &stamp).tried("write", stamped)
    }

    /// Writes the archive to this file.
    pub fn write(self, output: &Path) -> Result<(), TestbedError> {
        let archive = self.archive()?;
        fs::copy(&archive, output).map(drop).tried("write", output)
    }

    fn file(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::RunnerSlim => "runner-slim",
            Self::Operator => "operator",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Runner | Self::RunnerSlim => "runner",
            Self::Operator => "operator",
        }
    }

    /// Builds the program and says where it is.
    fn build(self) -> Result<PathBuf, TestbedError> {
        let root = root();
        let program = self.program();
        let fresh = env::var_os(PROGRAMS).map(|folder| PathBuf::from(folder).join(program));
        if let Some(fresh) = fresh.filter(|path| self != Self::RunnerSlim && path.is_file()) {
            return Ok(fresh);
        }
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--release", "--locked", "--quiet", "--message-format=json-render-diagnostics"])
            .args(["--package", &format!("automl-{program}"), "--bin", program])
            .current_dir(root);
        match self {
            Self::Runner => {
                if env::var_os("LIBTORCH").is_none() {
                    let found = run(Command::new("cargo").args(["xtask", "libtorch", "--print"]).current_dir(root))?;
                    cargo.env("LIBTORCH", found.trim());
                }
            }
            // In the same target folder, because everything else is compiled there already.
            Self::RunnerSlim => {
                cargo.arg("--no-default-features");
            }
            Self::Operator => {}
        }
        let said = run(&mut cargo)?;
        let built = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let built = built.filter(|message| message["target"]["name"] == program);
        let path = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
        path.ok_or_else(|| TestbedError::Command {
            command: format!("{cargo:?}").replace('"', ""),
            message: format!("it names no program {program}"),
        })
    }

    fn image(self, program: &Path, libraries: &[PathBuf]) -> Result<Made, TestbedError> {
        let scratch = tempfile::tempdir().tried("use", &env::temp_dir())?;
        let slender = scratch.path().join(self.program());
        strip(program, &slender)?;
        let (system, own): (Vec<_>, Vec<_>) = libraries.iter().partition(|library| is_system(library));
        let mut layers: Vec<Layer> = vec![system.into_iter().map(|path| (text(path), path.clone())).collect()];
        if !own.is_empty() {
            layers.push(own_libraries(&own)?);
        }
        let path = format!("{HOME}/{}", self.program());
        layers.push(vec![(path.clone(), slender)]);
        let image = Image {
            name: self.reference().to_owned(),
            layers,
            entrypoint: vec![path],
            environment: vec![format!("PATH={HOME}")],
            user: USER.to_owned(),
        };
        Ok(Made { image, _scratch: scratch })
    }
}

/// An image and the folder that some of its files lie in until it is written.
struct Made {
    image: Image,
    _scratch: tempfile::TempDir,
}

/// The clone that this program was built from.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// Where cargo builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// What the program loads at its start, as the dynamic linker finds it here: the linker itself among them.
fn libraries(program: &Path) -> Result<Vec<PathBuf>, TestbedError> {
    // Cargo sets the variable for what it runs, with its own folders.
    let said = run(Command::new("ldd").arg(program).env_remove("LD_LIBRARY_PATH"))?;
    if let Some(missing) = said.lines().find(|line| line.contains("not found")) {
        return Err(TestbedError::Unable(format!("{} lacks a library: {}", program.display(), missing.trim())));
    }
    let paths = said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(paths.filter(|path| path.is_file()).collect())
}

/// Whether the dynamic linker finds a library by itself.
fn is_system(library: &Path) -> bool {
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64"].iter().any(|folder| library.starts_with(folder))
}

/// libtorch without its symbols, which are a fifth of it: made once, because that takes seconds.
fn own_libraries(libraries: &[&PathBuf]) -> Result<Layer, TestbedError> {
    let mut hash = Sha256::new();
    for library in libraries {
        hash.update(seen(library)?);
    }
    let key: String = hex(&hash.finalize()).chars().take(16).collect();
    let folder = cache::folder(&format!("libtorch-stripped-{key}"))?;
    let name = |library: &Path| library.file_name().unwrap_or_default().to_owned();
    cache::fill_once(&folder, |partial| {
        libraries.iter().try_for_each(|library| strip(library, &partial.join(name(library))))
    })?;
    let place = |library: &PathBuf| (format!("{HOME}/lib/{}", name(library).display()), folder.join(name(library)));
    Ok(libraries.iter().map(|library| place(library)).collect())
}

/// Copies a program or library without what only a debugger reads; just copies where nothing can strip.
fn strip(from: &Path, to: &Path) -> Result<(), TestbedError> {
    if run(Command::new("strip").arg("--strip-unneeded").arg("-o").arg(to).arg(from)).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map(drop).tried("copy", from)
}

/// Changes with the files that an image is made of.
fn stamp(program: &Path, libraries: &[PathBuf]) -> Result<String, TestbedError> {
    let mut all = format!("{HOME} {USER}\n{}", seen(program)?);
    for library in libraries {
        all.push_str(&seen(library)?);
    }
    Ok(all)
}

/// A file as it is now: its path, size and time.
pub(crate) fn seen(path: &Path) -> Result<String, TestbedError> {
    let data = fs::metadata(path).tried("look at", path)?;
    let time = data.modified().tried("look at", path)?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{} {} {}\n", path.display(), data.len(), time.as_nanos()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
