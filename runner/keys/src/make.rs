//! A new hotkey, in a file as the ecosystem's wallets write it: for who has no wallet, and a subnet without money.
use crate::address::Address;
use crate::hotkey::Hotkey;
use rustix::rand::{GetRandomFlags, getrandom};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a seed.
const SEED: usize = 32;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    crypto_type: u8,
    ss58_address: String,
    account_id: String,
    public_key: String,
    secret_seed: &'a str,
}

/// Makes a hotkey and writes it to a new file that its owner alone may read; it is not encrypted.
///
/// # Errors
/// There is a file of this name, it cannot be written, or the system gives no randomness.
pub fn make(path: &Path) -> io::Result<Address> {
    let mut seed = Zeroizing::new([0; SEED]);
    getrandom(seed.as_mut_slice(), GetRandomFlags::empty())?;
    let hotkey = Hotkey::of_seed(seed.as_slice()).ok_or_else(|| io::Error::other("the seed makes no key"))?;
    let address = hotkey.address();
    let public = format!("0x{}", hex::encode(address.bytes()));
    let secret = Zeroizing::new(format!("0x{}", hex::encode(seed.as_slice())));
    let written = Written {
        crypto_type: 1,
        ss58_address: address.to_string(),
        account_id: public.clone(),
        public_key: public,
        secret_seed: &secret,
    };
    let text = Zeroizing::new(serde_json::to_vec(&written)?);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(address)
}
