//! Container images as OCI archives: layers of given files, written without a registry or a daemon.
//!
//! Nothing is compressed and nothing is held: a layer is written straight from its files into the archive, after one
//! pass over them for its digest, because a layer may be half a gigabyte and is unpacked on this machine.
use crate::error::{TestbedError, Tried};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tar::{Builder, Header};

/// An image to be written.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Its full name, with registry and tag: `automl.test/runner:dev`.
    pub name: String,
    /// Its layers, lowest first. What changes seldom lies below what changes often.
    pub layers: Vec<Layer>,
    /// The command that a container runs.
    pub entrypoint: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// `UID:GID`.
    pub user: String,
}

/// Files by their absolute paths in the image; each is made executable where it is so on this machine.
pub type Layer = Vec<(String, PathBuf)>;

impl Image {
    /// Writes the archive. Equal files and settings make equal bytes.
    pub fn write(&self, archive: &Path) -> Result<(), TestbedError> {
        self.put(archive).tried("write the image", archive)
    }

    fn put(&self, archive: &Path) -> io::Result<()> {
        let layers = self.layers.iter().map(|layer| measure(layer)).collect::<io::Result<Vec<_>>>()?;
        let digests: Vec<String> = layers.iter().map(|(digest, _)| format!("sha256:{digest}")).collect();
        let config = json!({
            "architecture": architecture(), "os": "linux",
            "config": {"Entrypoint": self.entrypoint, "Env": self.environment, "User": self.user, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": digests},
        })
        .to_string();
        let config_digest = hex(&Sha256::digest(&config));
        let described: Vec<Value> = layers
            .iter()
            .map(|(digest, size)| descriptor("application/vnd.oci.image.layer.v1.tar", digest, *size))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config_digest, config.len() as u64),
            "layers": described,
        })
        .to_string();
        let manifest_digest = hex(&Sha256::digest(&manifest));
        let mut entry =
            descriptor("application/vnd.oci.image.manifest.v1+json", &manifest_digest, manifest.len() as u64);
        // containerd reads the first, everyone else the second.
        let tag = self.name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        entry["annotations"] = json!({"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": tag});
        let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();

        let mut tar = Builder::new(BufWriter::with_capacity(BUFFER, File::create(archive)?));
        let layout = r#"{"imageLayoutVersion":"1.0.0"}"#;
        for (path, text) in [
            ("oci-layout", layout),
            ("index.json", &index),
            (&blob(&manifest_digest), &manifest),
            (&blob(&config_digest), &config),
        ] {
            append(&mut tar, path, text.len() as u64, 0o644, text.as_bytes())?;
        }
        let mut written = BTreeSet::new();
        for (files, (digest, size)) in self.layers.iter().zip(&layers) {
            if written.insert(digest) {
                let mut header = header(*size, 0o644);
                header.set_path(blob(digest))?;
                header.set_cksum();
                tar.get_mut().write_all(header.as_bytes())?;
                // A tar is a whole number of blocks long, so nothing has to be filled up behind it.
                put_layer(files, tar.get_mut())?;
            }
        }
        tar.into_inner()?.flush()
    }
}

/// What is copied at a time.
const BUFFER: usize = 1 << 20;

fn blob(digest: &str) -> String {
    format!("blobs/sha256/{digest}")
}

/// A layer's digest and size.
fn measure(files: &[(String, PathBuf)]) -> io::Result<(String, u64)> {
    let measured = put_layer(files, BufWriter::with_capacity(BUFFER, Measured { size: 0, hash: Sha256::new() }))?;
    let Measured { size, hash } = measured.into_inner()?;
    Ok((hex(&hash.finalize()), size))
}

fn put_layer<W: Write>(files: &[(String, PathBuf)], out: W) -> io::Result<W> {
    let mut tar = Builder::new(out);
    let folders: BTreeSet<&Path> = files.iter().flat_map(|(place, _)| Path::new(place).ancestors().skip(1)).collect();
    for folder in folders.into_iter().map(relative).filter(|name| !name.as_os_str().is_empty()) {
        let mut header = header(0, 0o755);
        header.set_entry_type(tar::EntryType::Directory);
        tar.append_data(&mut header, folder, io::empty())?;
    }
    for (place, source) in files {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", source.display()));
        let file = File::open(source).map_err(named)?;
        let data = file.metadata().map_err(named)?;
        let mode = if data.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        append(&mut tar, &relative(Path::new(place)).to_string_lossy(), data.len(), mode, file)?;
    }
    tar.into_inner()
}

/// Names in a tar have no leading slash.
fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn append<W: Write>(tar: &mut Builder<W>, path: &str, size: u64, mode: u32, data: impl Read) -> io::Result<()> {
    tar.append_data(&mut header(size, mode), path, data)
}

/// No owner and no time: an image is the same whoever builds it, whenever.
fn header(size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn descriptor(kind: &str, digest: &str, size: u64) -> Value {
    json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": size})
}

/// The processor's name in Go, which images use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Keeps nothing of what is written but its digest and size.
struct Measured {
    size: u64,
    hash: Sha256,
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
