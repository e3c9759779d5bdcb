//! `runner chain`.
use super::LedgerPlace;
use automl_contract::pod;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The subnet that is meant.
#[derive(Debug, Args)]
pub(crate) struct Subnet {
    /// The chain: `finney`, `test`, `local`, or its nodes such as `wss://HOST:PORT`, with commas between
    #[arg(long, value_name = "NETWORK", env = pod::NETWORK, hide_env_values = true)]
    pub network: Option<String>,
    /// The ledger that keeps the subnet, where there is no chain: a file, `postgres://…`, or the `http://…` of a served one
    #[arg(long, value_name = "LEDGER", env = pod::LEDGER, hide_env_values = true, required_unless_present = "network")]
    pub ledger: Option<String>,
    /// A file with the ledger's bearer token
    #[arg(long, value_name = "FILE", env = pod::LEDGER_TOKEN_FILE, hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// Its number
    #[arg(long, value_name = "NETUID")]
    pub netuid: u16,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Subnet {
    /// The ledger, where one is named.
    pub(crate) fn place(&self) -> Option<LedgerPlace> {
        self.ledger.clone().map(|ledger| LedgerPlace { ledger, token_file: self.token_file.clone() })
    }
}

/// Who signs.
#[derive(Debug, Args)]
pub(crate) struct SignedBy {
    /// The hotkey's file, as the ecosystem's wallets write it
    #[arg(long, value_name = "FILE")]
    pub hotkey: PathBuf,
    /// A file whose first line is its password, where it is encrypted
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Who pays, at a person's terminal alone.
#[derive(Debug, Args)]
pub(crate) struct PaidBy {
    /// The coldkey's file; its password is asked for, where it is encrypted
    #[arg(long, value_name = "FILE", requires = "at_most")]
    pub coldkey: Option<PathBuf>,
    /// The most that it may cost, in tokens, such as 0.5
    #[arg(long, value_name = "TOKENS", value_parser = tokens)]
    pub at_most: Option<u64>,
    /// Do not ask again before it is paid
    #[arg(long)]
    pub yes: bool,
}

/// How a subnet is made.
#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// The ledger's file, made where there is none, or `postgres://…`
    #[arg(value_name = "LEDGER", env = pod::LEDGER, hide_env_values = true)]
    pub ledger: String,
    /// Its number
    #[arg(long, value_name = "NETUID")]
    pub netuid: u16,
    /// The hotkey that admits others and says what their stake is
    #[arg(long, value_name = "ADDRESS")]
    pub owner: String,
    /// Let hotkeys register themselves too, without stake
    #[arg(long)]
    pub open: bool,
    /// Milliseconds from block to block; 0: blocks come with `runner chain advance` alone
    #[arg(long, value_name = "MS", default_value_t = 12_000)]
    pub block_milliseconds: u64,
    /// Blocks of an epoch
    #[arg(long, value_name = "BLOCKS", default_value = "360", value_parser = clap::value_parser!(u64).range(1..))]
    pub tempo: u64,
    /// Blocks between two weights of a validator
    #[arg(long, value_name = "BLOCKS", default_value_t = 100)]
    pub weights_every: u64,
    /// Blocks between two commitments of a hotkey
    #[arg(long, value_name = "BLOCKS", default_value_t = 100)]
    pub commitments_every: u64,
    /// The version of the rules by which weights are found
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub version_key: u64,
}

/// What can be done with a subnet.
#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// Make a subnet in a ledger, which has it for ever
    Create(CreateOptions),
    /// Make a subnet of a chain, which its coldkey pays for
    CreateSubnet {
        /// The chain: `finney`, `test`, `local`, or its nodes
        #[arg(long, value_name = "NETWORK", env = pod::NETWORK, hide_env_values = true)]
        network: String,
        #[command(flatten)]
        paid: PaidBy,
        /// The address of the hotkey that owns it
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Show what hotkeys earn and how safe their places are, or what holds in the subnet
    Status {
        #[command(flatten)]
        subnet: Subnet,
        /// Whose
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Show who takes part and what they earn
    Metagraph(Subnet),
    /// Show what hotkeys are bound to, the earliest first
    Commitments {
        #[command(flatten)]
        subnet: Subnet,
        /// Keep what is seen in the ledger, and show all that was ever seen: a chain forgets
        #[arg(long, requires = "ledger")]
        seen: bool,
        /// Keep also what was bound before it was first seen, as far as the chain's nodes remember: an archive remembers all
        #[arg(long, requires = "seen")]
        rebuild: bool,
    },
    /// Take part: paid by a coldkey, or in a ledger's subnet where registration is open
    Register {
        #[command(flatten)]
        subnet: Subnet,
        /// The hotkey's file, where a ledger keeps the subnet
        #[arg(long, value_name = "FILE", required_unless_present = "coldkey")]
        hotkey: Option<PathBuf>,
        /// A file whose first line is the key's password, where it is encrypted
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        paid: PaidBy,
        /// The hotkey's address, where a coldkey pays for it
        #[arg(value_name = "ADDRESS", required_unless_present = "hotkey")]
        address: Option<String>,
    },
    /// Let a hotkey take part, or say what its stake is: for who owns a ledger's subnet
    Admit {
        #[command(flatten)]
        subnet: Subnet,
        #[command(flatten)]
        by: SignedBy,
        /// Whom
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// In billionths of a token
        #[arg(long, value_name = "AMOUNT", default_value_t = 0)]
        stake: u64,
    },
    /// Bind a hotkey to a text, in place of the one before
    Commit {
        #[command(flatten)]
        subnet: Subnet,
        #[command(flatten)]
        by: SignedBy,
        /// 1 to 128 bytes, such as `owner/name:HASH`
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Say who deserves what, in place of what was said before: for validators
    Weights {
        #[command(flatten)]
        subnet: Subnet,
        #[command(flatten)]
        by: SignedBy,
        /// Of the rules by which they were found
        #[arg(long, value_name = "N", default_value_t = 0)]
        version_key: u64,
        /// Where weights are kept that the chain is told by their hash first: `runner chain reveal` needs them
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
        /// Each as UID=WEIGHT, both from 0 to 65535
        #[arg(value_name = "UID=WEIGHT", required = true)]
        weights: Vec<String>,
    },
    /// Reveal weights that the chain knows by their hash
    Reveal {
        #[command(flatten)]
        subnet: Subnet,
        #[command(flatten)]
        by: SignedBy,
        /// What `runner chain weights --keep` wrote
        #[arg(value_name = "FILE")]
        kept: PathBuf,
    },
    /// Make the block that is so many above the newest, where none come by the clock
    Advance {
        #[command(flatten)]
        subnet: Subnet,
        /// How many
        #[arg(value_name = "BLOCKS", value_parser = clap::value_parser!(u64).range(1..))]
        blocks: u64,
    },
}

/// Tokens, in billionths.
fn tokens(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no number of tokens such as 0.5, with 9 digits after the point at most");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 9 {
        return Err(wrong());
    }
    let part: u64 = format!("{part:0<9}").parse().map_err(|_| wrong())?;
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(part)).ok_or_else(wrong)
}
