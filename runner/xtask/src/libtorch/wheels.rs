//! libtorch from PyTorch's ordinary wheel and two small ones beside it, fetched with `pip download`.
//!
//! pip knows the person's mirror, proxy and certificates, and checks the sums; installing nothing, it needs neither root
//! nor a virtual environment. Of 1 GB unpacked, the libraries and headers for the CPU are kept.
use super::{VERSION, file_name};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use zip::ZipArchive;

const WHEELS: &str = include_str!("wheels.txt");

/// Wheels name the oldest glibc they run with, and pip does not derive one such name from another.
const PLATFORMS: [&str; 4] =
    ["manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"];

/// Downloads the wheels and fills `target` with what the build and the running program need of them.
pub(super) fn fetch(target: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        bail!(
            "no libtorch {VERSION} can be fetched for this system: the wheels that are used are for Linux on x86-64 with \
             glibc. Install PyTorch {VERSION} for python3, or set LIBTORCH to the folder of a libtorch {VERSION}"
        );
    }
    eprintln!(
        "fetching libtorch {VERSION}: 540 MB to download, 490 MB to keep in {}",
        target.with_extension("").display()
    );
    let download = target.join("download");
    for wheel in download_wheels(&download)? {
        unpack(&wheel, target).with_context(|| format!("cannot unpack {}", wheel.display()))?;
    }
    fs::remove_dir_all(&download).with_context(|| format!("cannot remove {}", download.display()))
}

fn download_wheels(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let requirements = folder.join("wheels.txt");
    fs::write(&requirements, WHEELS)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
        "--require-hashes",
    ])
    .args(["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=none"])
    .args(PLATFORMS.iter().map(|platform| format!("--platform={platform}")))
    .arg("--requirement")
    .arg(&requirements)
    .arg("--dest")
    .arg(folder)
    .stdin(Stdio::null())
    // Our own standard output carries the folder's name and nothing else.
    .stdout(io::stderr());
    let status = pip.status().context(
        "cannot run python3, which fetches libtorch: install it (Debian, Ubuntu: apt-get install python3 python3-pip)",
    )?;
    if !status.success() {
        bail!(
            "`python3 -m pip download` failed ({status}); its message is above. If pip is missing: \
             apt-get install python3-pip. Without a network, set LIBTORCH to the folder of a libtorch {VERSION}"
        );
    }
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    Ok(wheels)
}

fn unpack(wheel: &Path, target: &Path) -> Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let Some(place) = file.enclosed_name().filter(|_| file.is_file()).and_then(place) else { continue };
        let path = target.join(place);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut output = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        io::copy(&mut file, &mut output).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Where a file of a wheel goes in a libtorch folder, or nowhere.
fn place(name: &Path) -> Option<PathBuf> {
    let text = name.to_str()?;
    if let Ok(header) = name.strip_prefix("torch/include") {
        return Some(Path::new("include").join(header));
    }
    if let Some((package, licence)) = text.split_once(".dist-info/") {
        // What is redistributed in an image has to carry its licence.
        let notice = licence.to_ascii_lowercase();
        return (notice.contains("license") || notice.contains("notice"))
            .then(|| Path::new("licenses").join(package).join(file_name(name).as_ref()));
    }
    let file = file_name(name);
    let wanted = match name.parent()?.to_str()? {
        "torch/lib" => matches!(file.as_ref(), "libtorch_cpu.so" | "libc10.so" | "libgomp.so.1"),
        "nvidia/cu13/lib" => matches!(file.as_ref(), "libcudart.so.13" | "libcupti.so.13"),
        _ => false,
    };
    wanted.then(|| Path::new("lib").join(file.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::place;
    use std::path::Path;

    #[test]
    fn only_what_runs_on_a_cpu_is_kept() {
        for (name, kept) in [
            ("torch/lib/libtorch_cpu.so", Some("lib/libtorch_cpu.so")),
            ("torch/lib/libgomp.so.1", Some("lib/libgomp.so.1")),
            ("nvidia/cu13/lib/libcudart.so.13", Some("lib/libcudart.so.13")),
            ("torch/include/ATen/ATen.h", Some("include/ATen/ATen.h")),
            ("torch-2.11.0.dist-info/licenses/LICENSE", Some("licenses/torch-2.11.0/LICENSE")),
            ("torch/lib/libtorch_cuda.so", None),
            ("torch/lib/libtorch.so", None),
            ("nvidia/cu13/lib/libcudart_static.a", None),
            ("torch/nn/functional.py", None),
            ("torch-2.11.0.dist-info/RECORD", None),
        ] {
            assert_eq!(place(Path::new(name)).as_deref(), kept.map(Path::new), "{name}");
        }
    }
}
