//! `runner chain`: a subnet, of a chain or in a ledger, from a terminal.
//!
//! ```text
//! open  which chain is meant     paid  what a coldkey pays for     shown  tables     earned, gauges  what a hotkey earns, on pages
//! ```
mod earned;
mod gauges;
mod open;
mod paid;
mod shown;

use crate::cli::{ChainCommand, CreateOptions, SignedBy, Subnet};
use crate::failure::Failure;
use crate::ledger::{block_on, place};
use crate::output;
use automl_chain::twin::{Genesis, Twin};
use automl_chain::{Call, ChainError, Included, Refused, Unrevealed, Weight};
use automl_contract::exit;
use automl_keys::{Address, Hotkey, KeyError, Place};
use automl_ledger::Database;
use std::path::Path;

pub(crate) use earned::{earns, problem};
pub(crate) use gauges::Gauges;
pub(crate) use open::beside;
use open::{network, open};

/// Does one of its commands.
pub(crate) fn dispatch(command: ChainCommand) -> Result<(), Failure> {
    block_on(async {
        match command {
            ChainCommand::Create(options) => create(&options).await,
            ChainCommand::CreateSubnet { network, paid, address } => {
                paid::create_subnet(&network, &paid, self::address(&address)?).await
            }
            ChainCommand::Status { subnet, addresses } => {
                let addresses = addresses.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
                shown::status(&subnet, &addresses).await
            }
            ChainCommand::Metagraph(subnet) => shown::metagraph(&subnet).await,
            ChainCommand::Commitments { subnet, seen, rebuild } => shown::commitments(&subnet, seen, rebuild).await,
            ChainCommand::Register { subnet, hotkey: Some(hotkey), password_file, .. } => {
                submit(&subnet, &SignedBy { hotkey, password_file }, Call::Register).await
            }
            ChainCommand::Register { subnet, hotkey: None, password_file, paid, address } => {
                let address = self::address(&address.unwrap_or_default())?;
                paid::register(&subnet, &paid, password_file.as_deref(), address).await
            }
            ChainCommand::Admit { subnet, by, address, stake } => {
                let hotkey = self::address(&address)?;
                submit(&subnet, &by, Call::Admit { hotkey, stake }).await
            }
            ChainCommand::Commit { subnet, by, text } => submit(&subnet, &by, Call::Commit { text }).await,
            ChainCommand::Weights { subnet, by, version_key, keep, weights } => {
                let weights = weights.iter().map(|text| weight(text)).collect::<Result<_, _>>()?;
                self::weights(&subnet, &by, weights, version_key, keep.as_deref()).await
            }
            ChainCommand::Reveal { subnet, by, kept } => reveal(&subnet, &by, &kept).await,
            ChainCommand::Advance { subnet, blocks } => {
                let block = open(&subnet).await?.twin()?.advance(blocks).await?;
                if subnet.json { output::json(&block) } else { output::line(format!("block {}", block.number)) }
            }
        }
    })
}

async fn create(options: &CreateOptions) -> Result<(), Failure> {
    let ledger = &options.ledger;
    if place::is_served(ledger) {
        return Err(Failure::usage(
            "a subnet is made where its ledger is: name the file or postgres://…, then serve it with --subnet",
        ));
    }
    let genesis = Genesis {
        open: options.open,
        block_milliseconds: options.block_milliseconds,
        tempo: options.tempo,
        weights_every: options.weights_every,
        commitments_every: options.commitments_every,
        version: options.version_key,
        ..Genesis::new(address(&options.owner)?)
    };
    let database = Database::open(ledger).await?;
    Twin::create(&database, options.netuid, &genesis).await?;
    database.close().await;
    output::line(format!("subnet {} of {}", options.netuid, genesis.owner))
}

async fn submit(subnet: &Subnet, by: &SignedBy, call: Call) -> Result<(), Failure> {
    let hotkey = hotkey(by)?;
    let included = open(subnet).await?.chain().submit(&hotkey, call).await?;
    tell(subnet, &included, &hotkey)
}

fn tell(subnet: &Subnet, included: &Included, hotkey: &Hotkey) -> Result<(), Failure> {
    if subnet.json {
        return output::json(included);
    }
    let Included { number, block, round } = included;
    let opens = round.map(|round| format!("; round {round} of drand opens it")).unwrap_or_default();
    output::line(format!("call {number} of {} is in block {block}{opens}", hotkey.address()))
}

/// Tells weights in the form that the chain takes.
async fn weights(
    subnet: &Subnet,
    by: &SignedBy,
    weights: Vec<Weight>,
    version: u64,
    keep: Option<&Path>,
) -> Result<(), Failure> {
    let hotkey = hotkey(by)?;
    let opened = open(subnet).await?;
    let chain = opened.chain();
    match chain.submit(&hotkey, Call::SetWeights { weights: weights.clone(), version }).await {
        Err(ChainError::Refused(Refused::CommitFirst)) => {}
        included => return tell(subnet, &included?, &hotkey),
    }
    let keep = keep.ok_or_else(|| {
        Failure::usage(
            "this chain is told the weights' hash now and the weights later: name a file for them with --keep",
        )
    })?;
    let kept = Unrevealed::new(weights, version)?;
    let text = serde_json::to_vec_pretty(&kept).map_err(Failure::internal)?;
    // Before the chain knows of it: what is lost cannot be revealed.
    output::new_file(keep, &text)?;
    let included = chain.commit_weights(&hotkey, &kept).await?;
    tell(subnet, &included, &hotkey)
}

async fn reveal(subnet: &Subnet, by: &SignedBy, kept: &Path) -> Result<(), Failure> {
    let unreadable = |problem: String| Failure::bad_input(format!("{}: {problem}", kept.display()));
    let bytes = std::fs::read(kept).map_err(|error| unreadable(error.to_string()))?;
    let unrevealed: Unrevealed = serde_json::from_slice(&bytes)
        .map_err(|error| unreadable(format!("not what `runner chain weights --keep` wrote: {error}")))?;
    let hotkey = hotkey(by)?;
    let included = open(subnet).await?.chain().reveal_weights(&hotkey, &unrevealed).await?;
    tell(subnet, &included, &hotkey)
}

/// Opens the key that signs; from here on this process leaves no core.
pub(crate) fn hotkey(by: &SignedBy) -> Result<Hotkey, Failure> {
    automl_keys::seal().map_err(Failure::internal)?;
    let place = Place::here();
    let password = by.password_file.as_deref().map(|file| automl_keys::password(file, place)).transpose()?;
    Ok(automl_keys::open(&by.hotkey, password.as_ref().map(|password| password.as_str()), place)?)
}

fn address(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("{text:?}: {error}")))
}

fn weight(text: &str) -> Result<Weight, Failure> {
    let parsed = text
        .split_once('=')
        .and_then(|(uid, value)| Some(Weight { uid: uid.parse().ok()?, value: value.parse().ok()? }));
    parsed.ok_or_else(|| Failure::usage(format!("{text:?} is no UID=WEIGHT, both from 0 to 65535")))
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Failure {
        match error {
            ChainError::Ledger(error) => error.into(),
            ChainError::Randomness(_) | ChainError::Timelock(_) => Failure::internal(error),
            ChainError::Refused(refused) if !refused.may_pass() => Failure::bad_input(refused),
            ChainError::Refused(_)
            | ChainError::Unreachable { .. }
            | ChainError::Changed { .. }
            | ChainError::NotIncluded { .. }
            | ChainError::Open { .. } => Failure { code: exit::UNREACHABLE, message: error.to_string() },
            _ => Failure::bad_input(error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        Failure::bad_input(error)
    }
}
