//! `runner chain`.
use super::InLedger;
use automl_contract::pod;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The subnet that is meant.
#[derive(Debug, Args)]
pub(crate) struct Subnet {
    #[command(flatten)]
    pub ledger: InLedger,
    /// Its number
    #[arg(long, value_name = "NETUID")]
    pub netuid: u16,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
    /// Show who takes part and what they earn
    Metagraph(Subnet),
    /// Show what hotkeys are bound to, the earliest first
    Commitments(Subnet),
    /// Take part, where registration is open
    Register {
        #[command(flatten)]
        subnet: Subnet,
        #[command(flatten)]
        by: SignedBy,
    },
    /// Let a hotkey take part, or say anew what its stake is: for the owner
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
        /// Each as UID=WEIGHT, both from 0 to 65535
        #[arg(value_name = "UID=WEIGHT", required = true)]
        weights: Vec<String>,
    },
    /// Make the block that is so many above the newest, where blocks do not come by the clock
    Advance {
        #[command(flatten)]
        subnet: Subnet,
        /// How many
        #[arg(value_name = "BLOCKS", value_parser = clap::value_parser!(u64).range(1..))]
        blocks: u64,
    },
}
