//! libtorch for the build: a folder with `lib/`, `include/` and `build-version`, as `torch-sys` expects it in `LIBTORCH`.
//!
//! Only `libtorch_cpu.so` is linked, so one binary serves machines with and without a GPU; on a GPU machine the runner
//! opens `libtorch_cuda.so` itself. PyTorch's own `libtorch.so` would pull in CUDA, so a linker script takes its place.
mod folder;
mod pytorch;
mod wheels;

use crate::place;
use anyhow::Result;
use folder::Folder;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The release that the `tch` of this workspace is made for.
pub(crate) const VERSION: &str = "2.11.0";

/// A usable libtorch.
pub(crate) struct Found {
    /// The folder to put in `LIBTORCH`, absolute.
    pub(crate) folder: PathBuf,
    /// Where it came from, in words.
    pub(crate) origin: String,
}

/// Finds libtorch: `LIBTORCH`, else the PyTorch of `python3`, else wheels, downloaded once into the cache.
pub(crate) fn locate() -> Result<Found> {
    if let Some(given) = env::var_os("LIBTORCH").filter(|value| !value.is_empty()) {
        let given = std::path::absolute(given)?;
        match folder::check(&given) {
            Ok(()) => return Ok(Found { folder: given, origin: "from LIBTORCH".into() }),
            Err(reason) => eprintln!("LIBTORCH={} is not used: {reason:#}", given.display()),
        }
    }
    let cache = place::cache()?;
    if let Some(installed) = pytorch::installed() {
        let folder = cache.join(pytorch::folder_name(&installed));
        Folder::at(&folder).fill_once(|partial| pytorch::link(&installed, partial))?;
        return Ok(Found { folder, origin: format!("links to PyTorch in {}", installed.package.display()) });
    }
    let folder = cache.join(format!("libtorch-{VERSION}"));
    Folder::at(&folder).fill_once(wheels::fetch)?;
    Ok(Found { folder, origin: "unpacked from wheels".into() })
}

/// Whether `version`, such as `2.11.0+cu130`, is the release that the workspace is made for.
fn is_right(version: &str) -> bool {
    version.trim().split('+').next() == Some(VERSION)
}

/// The last part of a path as text, empty where it has none.
fn file_name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}
