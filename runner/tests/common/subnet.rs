//! A ledger's file with a subnet in it, and hotkeys that may sign.
use super::{runner, said, succeed};
use serde_json::Value;
use std::fs::{Permissions, copy, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Of the key files that are the wallet's own.
pub(crate) const OWNER: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
pub(crate) const MINER: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";

/// The seed of //Alice, who owns the money of a chain for tests.
pub(crate) const ALICE: &str = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";

/// A file of its owner's alone.
pub(crate) fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// A ledger's file and two hotkeys with the modes that wallets give them, which no clone keeps.
pub(crate) struct Place(pub(crate) tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let wallet = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/tests/wallet");
        for (theirs, ours) in [("hotkeys/uri", "owner"), ("hotkeys/plain", "miner"), ("coldkey", "coldkey")] {
            copy(wallet.join(theirs), folder.path().join(ours)).unwrap();
            set_permissions(folder.path().join(ours), Permissions::from_mode(0o600)).unwrap();
        }
        Place(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn ledger(&self) -> String {
        self.file("ledger.db").to_str().unwrap().to_owned()
    }

    pub(crate) fn create(&self, blocks: &str) {
        let ledger = self.ledger();
        let more = ["--block-milliseconds", blocks, "--tempo", "5", "--commitments-every", "0", "--weights-every", "0"];
        succeed(runner().args(["chain", "create", &ledger, "--netuid", "7", "--owner", OWNER]).args(more));
    }

    /// What a command says of this subnet, in this ledger.
    pub(crate) fn chain(&self, ledger: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = runner();
        command.args(["chain", arguments[0], "--ledger", ledger, "--netuid", "7"]).args(&arguments[1..]);
        command.current_dir(self.0.path());
        command
    }

    pub(crate) fn json(&self, ledger: &str, arguments: &[&str]) -> Value {
        let ran = succeed(self.chain(ledger, arguments).arg("--json"));
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&ran)))
    }

    #[track_caller]
    pub(crate) fn fails(&self, ledger: &str, arguments: &[&str], code: i32, says: &str) {
        let ran = self.chain(ledger, arguments).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    }
}
