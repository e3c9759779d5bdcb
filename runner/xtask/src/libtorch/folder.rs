//! A libtorch folder in the cache: is it whole, and what is added to make it so.
use super::{VERSION, is_right};
use crate::once;
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Stands where `libtorch.so` would: `-ltorch` then links `libtorch_cpu.so` and nothing of CUDA.
const LINKER_SCRIPT: &str = "INPUT(-ltorch_cpu)\n";

/// Says why `folder` is not a libtorch that this workspace can be built with.
pub(super) fn check(folder: &Path) -> Result<()> {
    for part in
        ["lib/libtorch_cpu.so", "lib/libtorch.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"]
    {
        if !folder.join(part).exists() {
            bail!("it has no {part}");
        }
    }
    let version = version(folder).context("it says nowhere which version it is (no build-version, no version.py)")?;
    if !is_right(&version) {
        bail!("it is version {}, {VERSION} is needed", version.trim());
    }
    Ok(())
}

/// The version that a libtorch archive (`build-version`) or a PyTorch package (`version.py`) says it has.
pub(super) fn version(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("build-version")).ok().or_else(|| {
        let text = fs::read_to_string(folder.join("version.py")).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(value.trim_matches(['\'', '"']).to_owned())
    })
}

/// A folder of ours in the cache.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the folder with `fill` unless it is whole already. `fill` gets an empty folder with `lib/` in it.
    pub(super) fn fill_once(&self, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let whole = |folder: &Path| check(folder).is_ok();
        once::fill(&self.path, whole, |partial| {
            let libraries = partial.join("lib");
            fs::create_dir(&libraries).with_context(|| format!("cannot make {}", libraries.display()))?;
            fill(partial)?;
            finish(partial)?;
            Ok(partial.to_owned())
        })
    }
}

fn finish(partial: &Path) -> Result<()> {
    fs::write(partial.join("lib/libtorch.so"), LINKER_SCRIPT)?;
    fs::write(partial.join("build-version"), format!("{VERSION}\n"))?;
    check(partial).context("the libtorch that was put together is not whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(folder: &Path) -> Result<()> {
        let header = folder.join("include/torch/csrc/api/include/torch");
        fs::create_dir_all(&header)?;
        fs::write(header.join("torch.h"), "")?;
        fs::write(folder.join("lib/libtorch_cpu.so"), "")?;
        Ok(fs::write(folder.join("lib/libc10.so"), "")?)
    }

    #[test]
    fn a_whole_folder_is_made_once() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let path = cache.path().join("libtorch");
        Folder::at(&path).fill_once(whole).expect("it is whole");
        assert_eq!(fs::read_to_string(path.join("lib/libtorch.so")).expect("the script"), LINKER_SCRIPT);
        Folder::at(&path).fill_once(|_| bail!("not to be called again")).expect("it is there already");
    }

    #[test]
    fn a_failed_fill_leaves_nothing_that_looks_like_libtorch() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let path = cache.path().join("libtorch");
        Folder::at(&path).fill_once(|_| Ok(())).expect_err("it lacks the libraries");
        assert!(!path.exists() && !cache.path().join("libtorch.partial").exists());
        Folder::at(&path).fill_once(whole).expect("the next try starts over");
    }

    #[test]
    fn leftovers_of_a_killed_process_are_not_kept() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let path = cache.path().join("libtorch");
        fs::create_dir_all(cache.path().join("libtorch.partial/lib")).expect("leftover");
        fs::write(cache.path().join("libtorch.partial/lib/half.so"), "half").expect("leftover");
        Folder::at(&path).fill_once(whole).expect("it is whole");
        assert!(!path.join("lib/half.so").exists());
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let path = cache.path().join("libtorch");
        Folder::at(&path).fill_once(whole).expect("it is whole");
        fs::write(path.join("build-version"), "2.10.0+cpu").expect("write");
        assert_eq!(
            check(&path).expect_err("another version").to_string(),
            "it is version 2.10.0+cpu, 2.11.0 is needed"
        );
        fs::remove_file(path.join("build-version")).expect("remove");
        fs::write(path.join("version.py"), "__all__ = []\n__version__ = '2.11.0+cu130'\ndebug = False\n")
            .expect("write");
        check(&path).expect("a PyTorch package of the right version");
    }
}
