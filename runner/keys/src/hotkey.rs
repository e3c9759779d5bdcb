//! The key that signs.
use crate::address::{Address, CONTEXT, Signature};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, SecretKey};
use std::fmt;

/// An sr25519 key pair. Its secret is wiped when it is dropped, and there is no way to print or store it.
pub struct Hotkey(Keypair);

impl Hotkey {
    /// The key pair of a 64-byte secret: the scalar, and what nonces are made from.
    pub(crate) fn of_secret(secret: &[u8]) -> Option<Hotkey> {
        SecretKey::from_bytes(secret).ok().map(|secret| Hotkey(secret.to_keypair()))
    }

    /// The key pair of a 32-byte seed; `None` where there are not 32.
    pub fn of_seed(seed: &[u8]) -> Option<Hotkey> {
        let seed = MiniSecretKey::from_bytes(seed).ok()?;
        Some(Hotkey(seed.expand_to_keypair(ExpansionMode::Ed25519)))
    }

    /// Whom its signatures are of.
    pub fn address(&self) -> Address {
        Address::new(self.0.public.to_bytes())
    }

    /// Signs a message of any length.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign_simple(CONTEXT, message).to_bytes())
    }
}

/// The key that owns the money: it pays for taking part, at a person's terminal, and is used for nothing else.
pub struct Coldkey(pub(crate) Hotkey);

impl Coldkey {
    /// What signs.
    pub fn pair(&self) -> &Hotkey {
        &self.0
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hotkey({})", self.address())
    }
}
