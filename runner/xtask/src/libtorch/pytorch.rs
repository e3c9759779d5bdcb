//! libtorch from an installed PyTorch: a folder of links, so nothing is downloaded and a GPU machine keeps its CUDA.
//!
//! `libtorch_cuda.so` is left out on purpose: where it lies in the library folder, `torch-sys` links it. The runner finds
//! it beside the real `libtorch_cpu.so`.
use super::{VERSION, file_name, folder, is_right};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Says where the package is without importing it, which would take seconds.
const WHERE: &str =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";

/// A PyTorch of the right version.
pub(super) struct Installed {
    /// The package's folder, `…/site-packages/torch`.
    pub(super) package: PathBuf,
}

/// The PyTorch that `python3` would import, if it is of the right version and has its headers.
pub(super) fn installed() -> Option<Installed> {
    let output =
        Command::new("python3").args(["-c", WHERE]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let package = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    if !output.status.success() || package.as_os_str().is_empty() {
        return None;
    }
    match folder::version(&package) {
        Some(version) if is_right(&version) => {}
        Some(version) => {
            eprintln!("PyTorch {} of python3 is not used: {VERSION} is needed", version.trim());
            return None;
        }
        None => return None,
    }
    folder::check(&package).ok().map(|()| Installed { package })
}

/// One folder per installation: two virtual environments must not take turns in one.
pub(super) fn folder_name(installed: &Installed) -> String {
    let digest = Sha256::digest(installed.package.as_os_str().as_bytes());
    digest.iter().take(6).fold(format!("libtorch-{VERSION}-pytorch-"), |mut name, byte| {
        write!(name, "{byte:02x}").expect("writing to a string cannot fail");
        name
    })
}

/// Fills `target` with links to the package's headers and to the libraries that `libtorch_cpu.so` needs.
pub(super) fn link(installed: &Installed, target: &Path) -> Result<()> {
    let package = &installed.package;
    symlink(package.join("include"), target.join("include")).context("cannot link PyTorch's headers")?;
    for library in libraries(package)? {
        let link = target.join("lib").join(file_name(&library).as_ref());
        symlink(&library, &link).with_context(|| format!("cannot link {}", library.display()))?;
    }
    Ok(())
}

/// The loader looks beside the link and not beside what it points to, so every library needed must be linked.
fn libraries(package: &Path) -> Result<Vec<PathBuf>> {
    let own = entries(&package.join("lib"))?;
    let mut libraries: Vec<PathBuf> = own
        .into_iter()
        .filter(|path| {
            let name = file_name(path);
            name == "libtorch_cpu.so" || name == "libc10.so" || name.starts_with("libgomp")
        })
        .collect();
    // A CPU build of PyTorch has no such folder, and its libtorch_cpu.so needs nothing of it.
    let nvidia = package.with_file_name("nvidia");
    for component in entries(&nvidia).unwrap_or_default() {
        libraries.extend(entries(&component.join("lib")).unwrap_or_default().into_iter().filter(|path| {
            let name = file_name(path);
            name.starts_with("libcudart.so") || name.starts_with("libcupti.so")
        }));
    }
    Ok(libraries)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect()
}
