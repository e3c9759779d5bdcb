//! containerd, runc, the CNI plugins and nft: Debian's packages, unpacked into the cache and never installed.
use crate::{
    cache,
    error::{TestbedError, Tried},
    image::hex,
    run::run,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The programs, then the libraries that they need and a small system may lack.
const PACKAGES: [&str; 18] = [
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "nftables",
    "prometheus",
    "runc",
    "libbsd0",
    "libedit2",
    "libgmp10",
    "libjansson4",
    "libmd0",
    "libmnl0",
    "libnftables1",
    "libnftnl11",
    "libseccomp2",
    "libtinfo6",
    "libxtables12",
    "zlib1g",
];

/// Where programs lie.
const PROGRAMS: [&str; 4] = ["usr/sbin", "usr/bin", "sbin", "bin"];

/// The unpacked packages.
#[derive(Clone, Debug)]
pub(crate) struct Debian {
    root: PathBuf,
}

impl Debian {
    /// Finds them in the cache, or downloads them with apt once for this machine (about 60 MB).
    pub(crate) fn find() -> Result<Self, TestbedError> {
        let list = hex(&Sha256::digest(PACKAGES.join(" ")));
        let root = cache::folder(&format!("node-tools-{}", list.get(..8).unwrap_or_default()))?;
        cache::fill_once(&root, fill)?;
        Ok(Self { root })
    }

    /// A folder of the packages, such as `usr/lib/cni`.
    pub(crate) fn folder(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A program of the packages, in whichever of the usual folders this release has it.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, TestbedError> {
        PROGRAMS.iter().map(|folder| self.root.join(folder).join(name)).find(|path| path.exists()).ok_or_else(|| {
            TestbedError::Unable(format!("{} has no {name}: remove it, to have it made again", self.root.display()))
        })
    }

    /// `PATH` and `LD_LIBRARY_PATH` with which the programs find each other and their libraries.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let join = |folders: &[&str]| {
            folders.iter().map(|folder| self.root.join(folder).display().to_string()).collect::<Vec<_>>().join(":")
        };
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", join(&PROGRAMS));
        let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
        let libraries = join(&[&format!("usr/lib/{triple}"), &format!("lib/{triple}")]);
        [("PATH", path), ("LD_LIBRARY_PATH", libraries)]
    }
}

/// A program that tests use outside of a node, such as `promtool`: the person's own, else Debian's.
///
/// # Errors
/// [`TestbedError::Unable`] where there is neither and apt cannot fetch it.
pub fn tool(name: &str) -> Result<PathBuf, TestbedError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    own.map_or_else(|| Debian::find()?.program(name), Ok)
}

fn fill(folder: &Path) -> Result<(), TestbedError> {
    let download = folder.join("download");
    fs::create_dir(&download).tried("make", &download)?;
    // `_apt`, the user that downloads for root, may not write here, and apt says so at length.
    let fetch = || {
        run(Command::new("apt-get")
            .args(["download", "-q", "-o", "APT::Sandbox::User=root"])
            .args(PACKAGES)
            .current_dir(&download))
    };
    fetch().or_else(|_| run(Command::new("apt-get").args(["update", "-q"])).and_then(|_| fetch())).map_err(
        |error| {
            TestbedError::Unable(format!(
                "a node needs containerd and its companions, by apt-get of Debian or Ubuntu: {error}"
            ))
        },
    )?;
    for entry in fs::read_dir(&download).tried("read", &download)? {
        let package = entry.tried("read", &download)?.path();
        run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(folder))?;
    }
    fs::remove_dir_all(&download).tried("remove", &download)
}
