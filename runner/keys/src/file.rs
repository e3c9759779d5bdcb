//! Opens a key file: who else may read it, what it is, and whether it is a hotkey at all.
use crate::address::Address;
use crate::hotkey::{Coldkey, Hotkey};
use crate::sealed::{self, Closed};
use serde::Deserialize;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most bytes of a key file or a password's file: ten times what wallets write.
const MOST_BYTES: u64 = 16 * 1024;
/// The number that wallets give to sr25519.
const SR25519: u8 = 1;
/// What wallets call the key that owns the money, and what its file's name begins with.
const COLDKEY: &str = "coldkey";
/// Its public half, in the wallet's folder.
const COLDKEY_PUBLIC: &str = "coldkeypub.txt";

/// Where a file lies, which decides who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A machine of many users: the owner alone.
    Host,
    /// A pod, where a Secret belongs to root and to the pod's group: that group too.
    Pod,
}

impl Place {
    /// Where this process runs: Kubernetes tells its pods where the API server is.
    pub fn here() -> Place {
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() { Place::Pod } else { Place::Host }
    }

    /// What others may not do.
    fn forbidden(self) -> u32 {
        match self {
            Place::Host => 0o077,
            Place::Pod => 0o037,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Place::Host => "0600 or 0400",
            Place::Pod => "0440 (defaultMode of the Secret's volume, with an fsGroup of the pod)",
        }
    }
}

/// Why a key file is not opened. No message has a part of its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read or change it.
    #[error("{} has mode {mode:04o}, so that others than its owner may use it: make it {wanted}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        wanted: &'static str,
    },
    /// It is somebody else's.
    #[error("{} belongs to user {owner}, who may exchange it: take it over (chown)", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The key that owns the money.
    #[error(
        "{} is a coldkey, which owns the money and is needed nowhere here: name the hotkey's file (wallets keep it in hotkeys/), and take the coldkey off this machine",
        path.display()
    )]
    Coldkey {
        /// The file.
        path: PathBuf,
    },
    /// The key that owns the money, where nobody sits who could say yes.
    #[error("{} is not opened: a coldkey is for a person's own terminal, and this is a pod", path.display())]
    ColdkeyInPod {
        /// The file.
        path: PathBuf,
    },
    /// Not what wallets write.
    #[error("{}: {problem}; a hotkey's file is the one that the ecosystem's wallet wrote (JSON, or $NACL where it is encrypted)", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// It is encrypted, and no password is given.
    #[error("{} is encrypted: give a file with its password", path.display())]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// Another password, or a damaged file.
    #[error("{}: the password is another one, or the file was changed", path.display())]
    Password {
        /// The file.
        path: PathBuf,
    },
    /// A password takes much memory to try.
    #[error("{}: opening it takes {} MiB of memory for a moment, which are not there; give it more, or use a file without password", path.display(), sealed::MEMORY / 1024)]
    Memory {
        /// The file.
        path: PathBuf,
    },
}

/// A key as wallets write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    crypto_type: Option<u8>,
    #[serde(default)]
    public_key: Option<String>,
    #[serde(default)]
    ss58_address: Option<String>,
    #[serde(default)]
    private_key: Option<Zeroizing<String>>,
    #[serde(default)]
    secret_seed: Option<Zeroizing<String>>,
}

/// Opens a hotkey's file.
///
/// # Errors
/// It cannot be read, others may read it, it is no hotkey, or the password is wrong.
pub fn open(path: &Path, password: Option<&str>, place: Place) -> Result<Hotkey, KeyError> {
    if is_named_coldkey(path) {
        return Err(KeyError::Coldkey { path: path.to_owned() });
    }
    let hotkey = pair(path, password, place)?;
    if is_of_coldkey(path, &hotkey.address()) {
        return Err(KeyError::Coldkey { path: path.to_owned() });
    }
    Ok(hotkey)
}

/// Opens a coldkey's file, where a person sits: to pay for taking part.
///
/// # Errors
/// This is a pod, where no coldkey may be; or as for a hotkey.
pub fn open_coldkey(path: &Path, password: Option<&str>, place: Place) -> Result<Coldkey, KeyError> {
    if place == Place::Pod {
        return Err(KeyError::ColdkeyInPod { path: path.to_owned() });
    }
    pair(path, password, place).map(Coldkey)
}

fn pair(path: &Path, password: Option<&str>, place: Place) -> Result<Hotkey, KeyError> {
    let path_of = || path.to_owned();
    let bytes = read(path, place)?;
    match bytes.strip_prefix(sealed::MARK) {
        None => written(path, &bytes),
        Some(sealed) => {
            let password = password.ok_or_else(|| KeyError::NoPassword { path: path_of() })?;
            let opened = sealed::open(sealed, password).map_err(|closed| match closed {
                Closed::Password => KeyError::Password { path: path_of() },
                Closed::Memory => KeyError::Memory { path: path_of() },
            })?;
            written(path, &opened)
        }
    }
}

/// Reads a password's file: its first line.
///
/// # Errors
/// It cannot be read, or others may read it.
pub fn password(path: &Path, place: Place) -> Result<Zeroizing<String>, KeyError> {
    let bytes = read(path, place)?;
    let form = || KeyError::Form { path: path.to_owned(), problem: "no line of text" };
    let text = std::str::from_utf8(&bytes).map_err(|_| form())?;
    text.lines().next().filter(|line| !line.is_empty()).map(|line| Zeroizing::new(line.to_owned())).ok_or_else(form)
}

/// The file's bytes, if nobody else may use it. The questions are asked of what was opened, not of its name.
fn read(path: &Path, place: Place) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(KeyError::Form { path: path.to_owned(), problem: "not a file" });
    }
    check(path, &about, place)?;
    if about.len() > MOST_BYTES {
        return Err(KeyError::Form { path: path.to_owned(), problem: "larger than any key" });
    }
    // Never grown, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn check(path: &Path, about: &Metadata, place: Place) -> Result<(), KeyError> {
    let mode = about.mode() & 0o7777;
    if mode & place.forbidden() != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode, wanted: place.wanted() });
    }
    let me = rustix::process::geteuid().as_raw();
    if ![0, me].contains(&about.uid()) {
        return Err(KeyError::NotOurs { path: path.to_owned(), owner: about.uid() });
    }
    Ok(())
}

fn written(path: &Path, bytes: &[u8]) -> Result<Hotkey, KeyError> {
    let wrong = |problem| KeyError::Form { path: path.to_owned(), problem };
    // What serde_json says of an error may show a part of the text.
    let written: Written = serde_json::from_slice(bytes).map_err(|_| wrong("not JSON of a key, or cut off"))?;
    if written.crypto_type.is_some_and(|kind| kind != SR25519) {
        return Err(wrong("a key of another kind than sr25519"));
    }
    let secret = |text: &Zeroizing<String>| {
        let digits = text.strip_prefix("0x").unwrap_or(text.as_str());
        hex::decode(digits).map(Zeroizing::new).map_err(|_| wrong("a secret that is not hexadecimal digits"))
    };
    let hotkey = match (&written.private_key, &written.secret_seed) {
        (Some(key), _) => Hotkey::of_secret(&secret(key)?),
        (None, Some(seed)) => Hotkey::of_seed(&secret(seed)?),
        (None, None) => return Err(wrong("no secret in it: it is the public half")),
    };
    let hotkey = hotkey.ok_or_else(|| wrong("a secret that no sr25519 key has"))?;
    let address = hotkey.address();
    let public = format!("0x{}", hex::encode(address.bytes()));
    let differs = written.ss58_address.is_some_and(|said| said != address.to_string())
        || written.public_key.is_some_and(|said| !said.eq_ignore_ascii_case(&public));
    if differs { Err(wrong("its secret belongs to another address than it says")) } else { Ok(hotkey) }
}

/// Whether a file has the name of a coldkey, or lies where wallets keep theirs.
fn is_named_coldkey(path: &Path) -> bool {
    let names = [Some(path.to_owned()), path.canonicalize().ok()];
    names.iter().flatten().filter_map(|path| path.file_name()?.to_str()).any(|name| name.starts_with(COLDKEY))
}

/// Whether the wallet that a file belongs to says that this is its coldkey.
fn is_of_coldkey(path: &Path, address: &Address) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let folders = path.ancestors().skip(1).take(2);
    let mut public = folders.filter_map(|folder| std::fs::read(folder.join(COLDKEY_PUBLIC)).ok());
    public.any(|bytes| {
        let said: Option<Written> = serde_json::from_slice(&bytes).ok();
        said.and_then(|said| said.ss58_address).is_some_and(|said| said == address.to_string())
    })
}
