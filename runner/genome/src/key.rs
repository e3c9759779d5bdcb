//! What a cache of trained behaviours is keyed by.
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::eval::Class;
use crate::signature::{Response, largest};

/// Gradients are told apart to this share of the largest one of the batch; an odd number, see [`quantum`].
const RESOLUTION: f64 = 0.693_147_180_559_945_3e-6;

/// Equal for genes that train equally: a digest of the gradients rounded to about 7e-7 of each batch's largest, and of
/// the classes. Reordered arithmetic (1e-13) lands on the same key but for about one gene in ten thousand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BehaviourKey([u8; 16]);

impl BehaviourKey {
    pub(crate) fn of(probes: &[Response]) -> BehaviourKey {
        let mut hash = Sha256::new();
        for probe in probes {
            hash.update([probe.class as u8]);
            let gradient = probe.gradient.as_ref().filter(|_| probe.class != Class::NonfiniteValue);
            if let Some(gradient) = gradient {
                let (exponent, quantum) = quantum(gradient);
                hash.update(exponent.to_le_bytes());
                for element in gradient {
                    hash.update(rounded(*element, quantum).to_le_bytes());
                }
            } else if probe.class == Class::NoGrad {
                hash.update(probe.value.to_le_bytes());
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        BehaviourKey(std::array::from_fn(|index| digest[index]))
    }

    /// The digest.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for BehaviourKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BehaviourKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for BehaviourKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadKey);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| BadKey)?;
        Ok(BehaviourKey(number.to_be_bytes()))
    }
}

/// A text that is no behaviour key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a behaviour key is 32 hexadecimal digits")]
pub struct BadKey;

impl Serialize for BehaviourKey {
    /// Hex where people read it, the 16 bytes elsewhere.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for BehaviourKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            Ok(BehaviourKey(<[u8; 16]>::deserialize(deserializer)?))
        }
    }
}

/// The binary order of a gradient's size and the step to which its elements are rounded. Both the order's borders and
/// the step are odd multiples of powers of two: gradients like 1/32 or 3/8, exact or one bit off, fall well inside.
fn quantum(gradient: &[f64]) -> (i64, f64) {
    let largest = largest(gradient);
    if largest == 0.0 {
        return (i64::MIN, 1.0);
    }
    let exponent = (largest * std::f64::consts::SQRT_2 * 1.1).log2().floor();
    (exponent as i64, exponent.exp2().max(f64::MIN_POSITIVE / RESOLUTION) * RESOLUTION)
}

/// An element in steps; at most some 2e6 of them, which leaves room for codes of what is not finite.
fn rounded(element: f64, quantum: f64) -> i32 {
    if element.is_nan() {
        i32::MIN
    } else if element.is_infinite() {
        if element > 0.0 { i32::MAX } else { -i32::MAX }
    } else {
        (element / quantum).round() as i32
    }
}
