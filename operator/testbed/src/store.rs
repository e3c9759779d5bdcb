//! containerd's store with images in it, kept between clusters.
//!
//! Importing the runner's image writes it twice, which takes longer than starting the cluster. So the first cluster
//! that wants certain images leaves its store in the cache, and the next ones get links to its files: containerd never
//! changes a layer. Its databases it does change; those are copied.
use crate::{
    cache,
    error::{TestbedError, Tried},
    image::hex,
    project::seen,
    run::run,
};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Puts a store with `images` at `store`. `import` makes one there with `tools`, and leaves no containerd running.
pub(crate) fn provide(
    store: &Path,
    images: &[PathBuf],
    tools: &[PathBuf],
    import: impl FnOnce() -> Result<(), TestbedError>,
) -> Result<(), TestbedError> {
    let mut hash = Sha256::new();
    for tool in tools {
        hash.update(seen(tool)?);
    }
    let mut names = String::new();
    for image in images {
        hash.update(seen(image)?);
        names.push('-');
        names.push_str(&image.file_stem().unwrap_or_default().to_string_lossy());
    }
    let kind = format!("node-images{names}@");
    let key: String = hex(&hash.finalize()).chars().take(16).collect();
    let kept = cache::folder(&format!("{kind}{key}"))?;
    cache::fill_once(&kept, |partial| {
        // Those of images that have been built anew since.
        if let Some(folder) = kept.parent() {
            forget(folder, &kind, partial).tried("clear", folder)?;
        }
        import()?;
        copy(store, &partial.join("store"))
    })?;
    if store.exists() { Ok(()) } else { copy(&kept.join("store"), store) }
}

fn forget(cache: &Path, kind: &str, except: &Path) -> io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        let of_kind = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind));
        if of_kind && path.is_dir() && path != except {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

/// Links all files, where both folders are on one file system, and copies the databases.
fn copy(from: &Path, to: &Path) -> Result<(), TestbedError> {
    let cp = |how: &str| run(Command::new("cp").arg("--archive").arg(how).arg(from).arg(to)).map(drop);
    if cp("--link").is_err() {
        let _ = fs::remove_dir_all(to);
        return cp("--reflink=auto");
    }
    for plugin in fs::read_dir(from).tried("read", from)? {
        let plugin = plugin.tried("read", from)?;
        if !plugin.path().is_dir() {
            continue;
        }
        for file in fs::read_dir(plugin.path()).tried("read", from)? {
            let file = file.tried("read", from)?;
            if file.path().extension().is_some_and(|extension| extension == "db") {
                let own = to.join(plugin.file_name()).join(file.file_name());
                fs::remove_file(&own).tried("remove", &own)?;
                fs::copy(file.path(), &own).tried("copy", &own)?;
            }
        }
    }
    Ok(())
}
