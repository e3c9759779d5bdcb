//! Devices that are not there: a plugin offers them to a node's kubelet, which places, counts and gives them as real ones.
use crate::{
    error::{TestbedError, Tried},
    go_module::GoModule,
    part::Part,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Devices of a node. Dropping them ends their plugin: pods that have some run on, and no other gets any.
pub struct Devices {
    plugin: Part,
    /// What the plugin reads.
    file: PathBuf,
    are_healthy: BTreeMap<String, bool>,
}

impl Devices {
    /// Offers healthy ones with the plugin that `command` starts; its files lie in a folder of their own under this one.
    pub(crate) fn start(
        mut command: Command,
        folder: &Path,
        resource: &str,
        ids: &[&str],
    ) -> Result<Self, TestbedError> {
        let folder = folder.join(resource.replace('/', "-"));
        fs::create_dir_all(&folder).tried("make", &folder)?;
        let file = folder.join("devices");
        let are_healthy = ids.iter().map(|id| ((*id).to_owned(), true)).collect();
        write(&file, &are_healthy)?;
        let plugin = Part::start("device-plugin", &folder, command.arg(resource).arg(&file))?;
        Ok(Self { plugin, file, are_healthy })
    }

    /// Waits until `ready` says so, as long as the plugin lives.
    pub(crate) fn wait_until(&mut self, ready: impl FnMut() -> bool) -> Result<(), TestbedError> {
        self.plugin.wait_until(ready)
    }

    /// Says of a device whether it is healthy; the kubelet hears it in a moment.
    pub fn set_healthy(&mut self, id: &str, is_healthy: bool) -> Result<(), TestbedError> {
        self.are_healthy.insert(id.to_owned(), is_healthy);
        write(&self.file, &self.are_healthy)
    }
}

/// Writes what the plugin reads; it sees the old file or the new one, and never half of one.
fn write(file: &Path, are_healthy: &BTreeMap<String, bool>) -> Result<(), TestbedError> {
    let line = |(id, is_healthy): (&String, &bool)| format!("{id} {}healthy\n", if *is_healthy { "" } else { "un" });
    let text: String = are_healthy.iter().map(line).collect();
    let next = file.with_extension("next");
    fs::write(&next, text).tried("write", &next)?;
    fs::rename(&next, file).tried("make", file)
}

/// The plugin, built when it is not in the cache.
///
/// # Errors
/// [`TestbedError::Unable`] where it is not there and there is no Go to build it; else the build failed.
pub fn plugin() -> Result<PathBuf, TestbedError> {
    Ok(module().built()?.join(PROGRAM))
}

const PROGRAM: &str = "gpu";

/// The Go module of the plugin.
pub(crate) fn module() -> GoModule {
    GoModule {
        title: "a device plugin".to_owned(),
        folder: "device-plugin-",
        effort: "half a minute of processor time",
        instead: "do without the tests of GPUs".to_owned(),
        sources: &[
            ("go.mod", include_str!("../gpu/go.mod")),
            ("go.sum", include_str!("../gpu/go.sum")),
            ("main.go", include_str!("../gpu/main.go")),
        ],
        packages: &["."],
        linker_flags: "-s -w".to_owned(),
        finish: |_| Ok(()),
        is_right: |folder| folder.join(PROGRAM).is_file(),
    }
}
