//! Encrypted key files: `$NACL`, a nonce, and a secret box (XSalsa20-Poly1305) under a key that Argon2i makes of the password.
//! Parameters as the ecosystem's wallet has them (libsodium's "sensitive" limits and a salt that is the same for all).
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto_secretbox::{Key, KeyInit as _, Nonce, XSalsa20Poly1305, aead::Aead as _};
use zeroize::{Zeroize as _, Zeroizing};

/// What such a file begins with.
pub(crate) const MARK: &[u8] = b"$NACL";
const NONCE: usize = 24;
const SALT: [u8; 16] = [0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1];
/// Memory that a password takes to try, in KiB.
pub(crate) const MEMORY: u32 = 512 * 1024;
const PASSES: u32 = 8;

/// Why it stays closed.
pub(crate) enum Closed {
    /// The password is another, or the file was changed: nobody can tell which.
    Password,
    /// There is not that much memory.
    Memory,
}

/// Opens it; what follows [`MARK`] is given.
pub(crate) fn open(sealed: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(Closed::Password)?;
    let key = key(password)?;
    let sealing = XSalsa20Poly1305::new(Key::from_slice(&*key));
    sealing.decrypt(Nonce::from_slice(nonce), sealed).map(Zeroizing::new).map_err(|_| Closed::Password)
}

fn key(password: &str) -> Result<Zeroizing<[u8; 32]>, Closed> {
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY, PASSES, 1, Some(key.len())).map_err(|_| Closed::Memory)?;
    // Asked for in a way that may be refused.
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| Closed::Memory)?;
    memory.resize(params.block_count(), Block::default());
    let made = Argon2::new(Algorithm::Argon2i, Version::V0x13, params).hash_password_into_with_memory(
        password.as_bytes(),
        &SALT,
        &mut *key,
        &mut memory,
    );
    memory.zeroize();
    made.map(|()| key).map_err(|_| Closed::Password)
}
