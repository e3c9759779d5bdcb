//! Why a chain does not do what it is asked, in words that a person can act on.
use crate::LONGEST_COMMITMENT;
use automl_keys::Address;

/// Why a call has no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not signed by whom it says.
    #[error("the signature is not of {0}: sign with the hotkey that the call names")]
    Signature(Address),
    /// It was signed for another subnet or another beginning of this one.
    #[error("the call is for another chain: it names the genesis {given}, and this one's is {genesis}")]
    OtherChain {
        /// In the call.
        given: String,
        /// Of this chain.
        genesis: String,
    },
    /// A call of this number was there, or one before is missing.
    #[error(
        "the call has number {given} and the next of this hotkey is {next}: another process uses it too, or ask again"
    )]
    Number {
        /// In the call.
        given: u64,
        /// What it should be.
        next: u64,
    },
    /// It was not to be included any more.
    #[error("the call was to be included up to block {until}, and this is block {block}: sign it again")]
    Expired {
        /// The last block.
        until: u64,
        /// Where it came.
        block: u64,
    },
    /// Who asks takes no part.
    #[error("hotkey {0} is not registered in this subnet: register it first")]
    NotRegistered(Address),
    /// It does already.
    #[error("hotkey {0} is registered already")]
    Registered(Address),
    /// The owner chooses.
    #[error("registration is not open: ask the subnet's owner {owner} to admit {hotkey}")]
    Closed {
        /// Who can.
        owner: Address,
        /// Who asked.
        hotkey: Address,
    },
    /// Only the owner may.
    #[error("only the subnet's owner {owner} may do this, not {hotkey}")]
    NotOwner {
        /// Who may.
        owner: Address,
        /// Who asked.
        hotkey: Address,
    },
    /// There is no place, and nobody to give way.
    #[error("all {0} places are taken, and who has them is still immune: try again later")]
    Full(u16),
    /// A commitment without content, or with too much.
    #[error("a commitment has 1 to {LONGEST_COMMITMENT} bytes, not {0}")]
    Length(usize),
    /// Too soon after the last.
    #[error("the next of these calls is taken from block {from} on, and this is block {block}")]
    TooSoon {
        /// When.
        from: u64,
        /// Where it came.
        block: u64,
    },
    /// Weights of other rules.
    #[error("the weights are of version {given} and the subnet takes version {wanted}: update the validator")]
    Version {
        /// In the call.
        given: u64,
        /// The subnet's.
        wanted: u64,
    },
    /// Too little stake.
    #[error("hotkey {0} has no validator permit: it needs more stake, and permits are given at an epoch's end")]
    NoPermit(Address),
    /// None, a neuron twice, or one that is not there.
    #[error("these are no weights: {0}")]
    Weights(String),
    /// Weights are committed to before they are told.
    #[error("this subnet takes weights in two steps: commit to them first, reveal them when their time has come")]
    CommitFirst,
    /// They are told at once.
    #[error("this subnet takes weights openly: there is nothing to commit to or to reveal")]
    Openly,
    /// Nothing is to be done.
    #[error("the hotkey is bound to this already, since block {block}")]
    Bound {
        /// Since when.
        block: u64,
    },
    /// Its owner has stopped it.
    #[error("subnet {0} has no epochs: its tempo is 0")]
    NoEpochs(u16),
    /// Taking part costs money, which a hotkey has not.
    #[error(
        "on this chain taking part costs money: register the hotkey with its coldkey, at a terminal (`runner chain register --coldkey FILE`)"
    )]
    Coldkey,
    /// Who pays has not enough.
    #[error("there is not enough money in the account for this: calls of a registered hotkey are free, others are not")]
    Funds,
    /// It costs more than was allowed.
    #[error("it costs {price} billionths of a token now, and at most {most} are allowed")]
    Price {
        /// Now.
        price: u64,
        /// Allowed.
        most: u64,
    },
    /// A chain's check before a call is taken.
    #[error("the chain does not take the call: {meaning} (number {number} of its checks)")]
    Extension {
        /// As the chain says it.
        number: u8,
        /// What it means in the runtime that is known.
        meaning: &'static str,
    },
    /// Anything else, in the runtime's own words.
    #[error("the chain refuses: {name}. {docs}")]
    Runtime {
        /// What it calls the error.
        name: String,
        /// What it says about it.
        docs: String,
    },
    /// Not a call at all.
    #[error("this is no call: {0}")]
    Malformed(String),
}

impl Refused {
    /// Whether it passes by itself, so that the same may be asked again.
    pub fn may_pass(&self) -> bool {
        matches!(self, Refused::TooSoon { .. } | Refused::Number { .. } | Refused::Expired { .. } | Refused::Full(_))
    }

    /// Whether something costs more than is allowed.
    ///
    /// # Errors
    /// It does.
    pub fn dearer(price: u64, most: u64) -> Result<(), Refused> {
        if price > most { Err(Refused::Price { price, most }) } else { Ok(()) }
    }
}
