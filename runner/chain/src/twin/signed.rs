//! Calls as they are recorded: a text and its signature. The text is signed as it stands, so no two ways to write JSON matter.
use crate::{Call, ChainError, Refused};
use automl_keys::{Address, Hotkey, Signature};
use automl_ledger::{Digest, Kind, Name};
use serde::{Deserialize, Serialize};

/// What precedes the text that is signed: a signature of a call is one of nothing else.
const DOMAIN: &[u8] = b"automl twin call\n";
/// The largest record of a call, in bytes: weights for all neurons are a quarter of it.
pub(super) const LARGEST: usize = 64 << 10;

/// A record of a call.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    payload: String,
    signature: String,
}

/// What is signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Payload {
    /// The hash of the subnet's genesis.
    pub(super) genesis: Digest,
    /// Who asks.
    pub(super) hotkey: Address,
    /// The how manyth call of this hotkey it is, from 0.
    pub(super) number: u64,
    /// The last block that may include it.
    pub(super) until: u64,
    /// What is asked.
    pub(super) call: Call,
}

impl Signed {
    /// `payload` names this hotkey.
    pub(super) fn new(hotkey: &Hotkey, payload: &Payload) -> Signed {
        let payload = serde_json::to_string(payload).unwrap_or_default();
        let signature = hotkey.sign(&message(&payload)).to_string();
        Signed { payload, signature }
    }

    pub(super) fn parse(body: &[u8]) -> Result<Signed, Refused> {
        if body.len() > LARGEST {
            return Err(Refused::Malformed(format!("{} bytes; {LARGEST} are the most", body.len())));
        }
        serde_json::from_slice(body).map_err(|error| Refused::Malformed(error.to_string()))
    }

    pub(super) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What was signed, by whom it says.
    pub(super) fn payload(&self) -> Result<Payload, Refused> {
        let payload: Payload =
            serde_json::from_str(&self.payload).map_err(|error| Refused::Malformed(error.to_string()))?;
        let signature: Result<Signature, _> = self.signature.parse();
        match signature {
            Ok(signature) if payload.hotkey.has_signed(&message(&self.payload), &signature) => Ok(payload),
            _ => Err(Refused::Signature(payload.hotkey)),
        }
    }
}

impl Payload {
    /// What the record is called.
    pub(super) fn name(&self, scope: &str) -> Result<Name, ChainError> {
        let kind = match &self.call {
            Call::Register | Call::Admit { .. } => Kind::Registration,
            Call::Commit { .. } => Kind::Commitment,
            Call::SetWeights { .. } => Kind::Weights,
        };
        // One number is one call, of whatever kind: replay takes the first.
        super::named(kind, scope, format!("{}.{}", self.hotkey, self.number))
    }
}

fn message(payload: &str) -> Vec<u8> {
    [DOMAIN, payload.as_bytes()].concat()
}
