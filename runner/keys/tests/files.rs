//! Key files as the ecosystem's wallet wrote them (bittensor-wallet 4.1.1: `regenerate_hotkey` with and without a password,
//! `create_hotkey_from_uri("//Alice")`, `regenerate_coldkey`), and everything that is not to be opened.
use automl_keys::{Address, AddressError, Hotkey, KeyError, Place, Signature, open, password, seal};
use proptest::prelude::*;
use std::fs::{Permissions, copy, create_dir_all, read, read_to_string, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Of the wallet's phrase, as the wallet says.
const ADDRESS: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
/// `Keypair.sign(b"hello")` of the wallet with that key.
const SIGNED: &str = "009c5e5b1807b3fbc30da3b93fa49e2e133195c2188f96b4cf05e7fc3c586660ef6578c9cd43ca5cf3e73267eb752f89e802d041c7fa113d01844a51eede3683";
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// The wallet's files with the modes that the wallet gives them, which no clone keeps.
struct Wallet(TempDir);

impl Wallet {
    fn new() -> Wallet {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wallet");
        create_dir_all(folder.path().join("hotkeys")).unwrap();
        for name in ["coldkey", "coldkeypub.txt", "hotkeys/plain", "hotkeys/encrypted", "hotkeys/uri"] {
            copy(source.join(name), folder.path().join(name)).unwrap();
            set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
        }
        Wallet(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        write(&path, text).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn opened(path: &Path, password: Option<&str>) -> Hotkey {
    open(path, password, Place::Host).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(path: &Path, password: Option<&str>) -> KeyError {
    open(path, password, Place::Host).expect_err("it is refused")
}

#[test]
fn the_wallets_files_open_and_sign_as_the_wallet_does() {
    let wallet = Wallet::new();
    let hotkey = opened(&wallet.file("hotkeys/plain"), None);
    assert_eq!(hotkey.address().to_string(), ADDRESS);
    assert_eq!(opened(&wallet.file("hotkeys/uri"), None).address().to_string(), ALICE);
    let theirs: Signature = SIGNED.parse().unwrap();
    assert!(hotkey.address().has_signed(b"hello", &theirs));
    let ours = hotkey.sign(b"hello");
    assert!(hotkey.address().has_signed(b"hello", &ours) && !hotkey.address().has_signed(b"hallo", &ours));
    assert!(!ALICE.parse::<Address>().unwrap().has_signed(b"hello", &ours));
    assert_eq!(ours.to_string().parse::<Signature>().unwrap(), ours);
    // The same key from its seed alone.
    let text = read_to_string(wallet.file("hotkeys/plain")).unwrap();
    let seed = wallet.text("hotkeys/seed", &text.replace("privateKey", "other"));
    assert_eq!(opened(&seed, None).address(), hotkey.address());
}

#[test]
fn an_encrypted_file_takes_its_password() {
    let wallet = Wallet::new();
    let path = wallet.file("hotkeys/encrypted");
    assert!(matches!(refused(&path, None), KeyError::NoPassword { .. }));
    assert!(matches!(refused(&path, Some("correct horse ")), KeyError::Password { .. }));
    let file = wallet.text("password", "correct horse\nand a remark\n");
    let password = password(&file, Place::Host).unwrap();
    assert_eq!(opened(&path, Some(&password)).address().to_string(), ADDRESS);
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(automl_keys::password(&file, Place::Host), Err(KeyError::Open { .. })));
}

#[test]
fn a_file_that_others_may_use_stays_closed() {
    let wallet = Wallet::new();
    let path = wallet.file("hotkeys/plain");
    for mode in 0..0o1000 {
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let for_others = mode & 0o007 != 0;
        let (for_group, group_writes) = (mode & 0o070 != 0, mode & 0o030 != 0);
        let is_open = |place| matches!(open(&path, None, place), Err(KeyError::Open { .. }));
        assert_eq!(is_open(Place::Host), for_others || for_group, "{mode:o}");
        assert_eq!(is_open(Place::Pod), for_others || group_writes, "{mode:o}");
    }
    set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
    assert!(refused(&path, None).to_string().contains("mode 0440"));
    assert_eq!(open(&path, None, Place::Pod).unwrap().address().to_string(), ADDRESS);
}

#[test]
fn a_coldkey_stays_closed_under_any_name() {
    let wallet = Wallet::new();
    let coldkey = wallet.file("coldkey");
    let (link, renamed) = (wallet.file("hotkeys/link"), wallet.file("hotkeys/renamed"));
    symlink(&coldkey, &link).unwrap();
    copy(&coldkey, &renamed).unwrap();
    for path in [coldkey, link, renamed, wallet.file("coldkeypub.txt")] {
        let error = refused(&path, None);
        assert!(matches!(error, KeyError::Coldkey { .. }), "{}: {error}", path.display());
        assert!(error.to_string().contains("hotkeys/"), "{error}");
    }
}

#[test]
fn what_is_no_key_is_refused_in_words() {
    let wallet = Wallet::new();
    let good = read_to_string(wallet.file("hotkeys/plain")).unwrap();
    let other = good.replace(ADDRESS, ALICE);
    let long = " ".repeat(20_000);
    for (text, says) in [
        ("", "not JSON"),
        ("{}", "public half"),
        (good.replace("\"cryptoType\":1", "\"cryptoType\":0").as_str(), "another kind"),
        (good.replace("\"privateKey\":\"0x05", "\"privateKey\":\"0xzz").as_str(), "hexadecimal"),
        (good.replace("\"privateKey\":\"0x05d6", "\"privateKey\":\"0x").as_str(), "no sr25519 key has"),
        (other.as_str(), "another address"),
        (long.as_str(), "larger than any key"),
    ] {
        let error = refused(&wallet.text("hotkeys/bad", text), None).to_string();
        assert!(error.contains(says) && error.contains("hotkeys/bad"), "{says}: {error}");
    }
    assert!(refused(&wallet.file("hotkeys"), None).to_string().contains("not a file"));
    assert!(refused(&wallet.file("nowhere"), None).to_string().contains("cannot read"));
    for length in 0..good.len() {
        refused(&wallet.text("hotkeys/cut", good.get(..length).unwrap()), None);
    }
}

#[test]
fn nothing_that_is_printed_has_a_part_of_a_secret() {
    let wallet = Wallet::new();
    let good = read_to_string(wallet.file("hotkeys/plain")).unwrap();
    let mut printed = vec![format!("{:?}", opened(&wallet.file("hotkeys/plain"), None))];
    for at in 0..good.len() {
        // Every way to be wrong in one letter.
        let mut text = good.clone().into_bytes();
        text[at] ^= 0x15;
        let path = wallet.file("hotkeys/bad");
        write(&path, &text).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        if let Err(error) = open(&path, None, Place::Host) {
            printed.extend([error.to_string(), format!("{error:?}")]);
        }
    }
    let printed = printed.concat();
    let parts: Vec<&str> = good.split('"').collect();
    let value = |name: &str| parts[parts.iter().position(|part| *part == name).unwrap() + 2];
    let (seed, secret) = (value("secretSeed"), value("privateKey"));
    for hidden in [seed, secret, value("secretPhrase")] {
        for start in 2..hidden.len() - 8 {
            let part = &hidden[start..start + 8];
            assert!(!printed.contains(part), "{part}");
        }
    }
    assert!(printed.contains(ADDRESS) && printed.len() > 1000);
}

#[test]
fn a_sealed_process_leaves_no_core() {
    seal().unwrap();
    let limits = read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(dumpable, rustix::process::DumpableBehavior::NotDumpable);
}

proptest! {
    #[test]
    fn an_address_is_read_back(bytes: [u8; 32]) {
        let address = Address::new(bytes);
        prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
    }

    #[test]
    fn any_bytes_are_a_key_file_or_an_error(bytes: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // None is encrypted: that takes seconds each.
        write(&path, &bytes).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        prop_assert!(open(&path, None, Place::Host).is_err());
        prop_assert_eq!(read(&path).unwrap(), bytes);
    }
}

/// Of one address: its checksum has two bytes, so of all addresses' one in 65,536 would be missed.
#[test]
fn a_wrong_letter_in_an_address_is_found() {
    let text = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    assert!(text.parse::<Address>().is_ok());
    for at in 0..text.len() {
        for letter in "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".chars() {
            let mut wrong = text.to_owned();
            wrong.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
            assert_eq!(wrong.parse::<Address>().is_ok(), wrong == text, "{wrong}");
        }
    }
}

#[test]
fn addresses_of_other_networks_are_named() {
    // Alice's on Polkadot.
    let other = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5".parse::<Address>();
    assert_eq!(other, Err(AddressError::Prefix(0)));
    assert_eq!("".parse::<Address>(), Err(AddressError::Form));
}
