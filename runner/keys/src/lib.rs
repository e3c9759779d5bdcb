//! Hotkeys: who a miner or validator is. Key files as the ecosystem's wallets write them, and sr25519 signatures.
//!
//! ```text
//! file     opens a key file: who may read it, what it is, whose it is        sealed   encrypted ones
//! hotkey   signs                         address   whom a signature is of    process  what must not leave it
//! make     a new one
//! ```
//! A hotkey is opened in the one process that signs. A coldkey, which owns the money, is opened to pay for
//! taking part, where a person sits; wherever a hotkey is wanted, what looks like one is refused. Secrets are wiped when they are dropped and have no printed form.
mod address;
mod file;
mod hotkey;
mod make;
mod process;
mod sealed;

pub use address::{Address, AddressError, Signature};
pub use file::{KeyError, Place, open, open_coldkey, password};
pub use hotkey::{Coldkey, Hotkey};
pub use make::make;
pub use process::seal;
pub use zeroize::Zeroizing;
