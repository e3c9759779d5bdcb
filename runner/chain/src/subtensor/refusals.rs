//! A runtime's refusals, in words that a person can act on.
use crate::Refused;
use automl_keys::Address;
use subxt::error::{DispatchError, TokenError};
use subxt::tx::TransactionInvalid;

/// What a refusal is about.
pub(crate) struct About {
    /// Who asked.
    pub(crate) who: Address,
    /// The version of the rules that was given with weights, and the one that the subnet takes.
    pub(crate) version: Option<(u64, u64)>,
    /// From which block on it may be asked again, where that is known, and the block at hand.
    pub(crate) again: Option<(u64, u64)>,
}

/// A call that was included and had no effect.
pub(crate) fn dispatched(error: &DispatchError, about: &About) -> Refused {
    let DispatchError::Module(module) = error else {
        return match error {
            DispatchError::Token(TokenError::FundsUnavailable) => Refused::Funds,
            error => Refused::Runtime { name: error.to_string(), docs: String::new() },
        };
    };
    let (name, docs) = match module.details() {
        Ok(details) => (plain(&details.variant.name), plain(&details.variant.docs.join(" "))),
        Err(_) => (module.to_string(), String::new()),
    };
    let who = about.who;
    match name.as_str() {
        "HotKeyNotRegisteredInSubNet" | "HotKeyNotRegisteredInNetwork" | "AccountNotAllowedCommit" => {
            Refused::NotRegistered(who)
        }
        "HotKeyAlreadyRegisteredInSubNet" => Refused::Registered(who),
        "NeuronNoValidatorPermit" | "NotEnoughStakeToSetWeights" => Refused::NoPermit(who),
        "IncorrectWeightVersionKey" => {
            let (given, wanted) = about.version.unwrap_or_default();
            Refused::Version { given, wanted }
        }
        "CommitRevealEnabled" => Refused::CommitFirst,
        "NotEnoughBalanceToStake" | "CannotAffordLockCost" | "InsufficientBalance" => Refused::Funds,
        "SettingWeightsTooFast"
        | "CommittingWeightsTooFast"
        | "NetworkTxRateLimitExceeded"
        | "TxRateLimitExceeded"
        | "CommitmentSetRateLimitExceeded"
        | "TooManyRegistrationsThisBlock"
        | "TooManyRegistrationsThisInterval" => match about.again {
            Some((from, block)) => Refused::TooSoon { from, block },
            None => Refused::Runtime { name, docs },
        },
        _ => Refused::Runtime { name, docs },
    }
}

/// A node's words, without what moves a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// What a runtime says before it takes a call at all.
pub(crate) fn invalid(invalid: &TransactionInvalid, about: &About, runtime: u32) -> Refused {
    let who = about.who;
    match (invalid, about.again) {
        (TransactionInvalid::Custom(TOO_SOON), Some((from, block))) if runtime >= NUMBERED => {
            return Refused::TooSoon { from, block };
        }
        _ => {}
    }
    match invalid {
        // Weights with too little stake, by the calls that tell them.
        TransactionInvalid::Custom(1..=4) if runtime < NUMBERED => Refused::NoPermit(who),
        TransactionInvalid::Custom(number) if runtime < NUMBERED => {
            Refused::Extension { number: *number, meaning: "this old runtime does not say why" }
        }
        TransactionInvalid::Payment => Refused::Funds,
        TransactionInvalid::BadProof | TransactionInvalid::BadSigner => Refused::Signature(who),
        TransactionInvalid::Custom(number) => Refused::Extension { number: *number, meaning: extension(*number) },
        other => Refused::Runtime { name: format!("{other:?}"), docs: String::new() },
    }
}

/// The first runtime whose checks have the numbers below; those before numbered each call's own.
const NUMBERED: u32 = 250;

/// The one for a rate limit.
const TOO_SOON: u8 = 6;

/// Numbers of subtensor's transaction extension (`CustomTransactionError`, runtime 300).
fn extension(number: u8) -> &'static str {
    match number {
        0 => "the coldkey is being exchanged for another",
        1 => "the stake is too low",
        2 => "the balance is too low",
        3 => "there is no such subnet",
        4 => "there is no account of this hotkey: register it first",
        5 => "there is not enough stake",
        6 => "too soon after the last: a rate limit",
        7 => "there is not enough liquidity",
        8 => "the price has moved too far",
        9 => "transfers are not allowed",
        10 => "the hotkey is not registered in this subnet: register it first",
        11 => "an address of the internet that is none",
        12 => "too soon after the last announcement of an address",
        13 => "a port that is none",
        _ => "a request that this runtime does not take",
    }
}
