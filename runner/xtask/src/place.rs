//! Where things lie: the clone and the cache.
use anyhow::{Context, Result};
use std::{
    env,
    path::{Path, PathBuf},
};

/// The clone that this program was built from.
pub(crate) fn root() -> Result<PathBuf> {
    // Cargo sets the variable for what it runs, so a moved clone does not mislead; the other is for a bare call.
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), Into::into);
    package.ancestors().nth(2).map(Path::to_owned).context("xtask lies two folders below the root")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    Ok(env::var_os("CARGO_TARGET_DIR").map_or(root()?.join("target"), PathBuf::from))
}

/// The project's cache folder: outside the clone, so that a fresh clone downloads nothing again.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        // The XDG specification says that a relative path there is to be ignored.
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")));
    base.map(|base| base.join("automl"))
        .context("no cache folder: neither XDG_CACHE_HOME nor HOME is set; set one of them")
}
