//! `runner chain`: a subnet that is in a ledger, from a terminal.
use crate::cli::{ChainCommand, CreateOptions, InLedger, SignedBy, Subnet};
use crate::failure::Failure;
use crate::ledger::{block_on, place};
use crate::output;
use automl_chain::twin::{Genesis, Twin};
use automl_chain::{Call, Chain as _, ChainError, Weight};
use automl_keys::{Address, Hotkey, KeyError, Place};
use automl_ledger::{Database, Ledger};
use std::sync::Arc;

/// Does one of its commands.
pub(crate) fn dispatch(command: ChainCommand) -> Result<(), Failure> {
    block_on(async {
        match command {
            ChainCommand::Create(options) => create(&options).await,
            ChainCommand::Metagraph(subnet) => metagraph(&subnet).await,
            ChainCommand::Commitments(subnet) => commitments(&subnet).await,
            ChainCommand::Register { subnet, by } => submit(&subnet, &by, Call::Register).await,
            ChainCommand::Admit { subnet, by, address, stake } => {
                let hotkey = self::address(&address)?;
                submit(&subnet, &by, Call::Admit { hotkey, stake }).await
            }
            ChainCommand::Commit { subnet, by, text } => submit(&subnet, &by, Call::Commit { text }).await,
            ChainCommand::Weights { subnet, by, version_key, weights } => {
                let weights = weights.iter().map(|text| weight(text)).collect::<Result<_, _>>()?;
                submit(&subnet, &by, Call::SetWeights { weights, version: version_key }).await
            }
            ChainCommand::Advance { subnet, blocks } => {
                let block = open(&subnet).await?.advance(blocks).await?;
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

async fn metagraph(subnet: &Subnet) -> Result<(), Failure> {
    let metagraph = open(subnet).await?.metagraph().await?;
    if subnet.json {
        return output::json(&metagraph);
    }
    output::line(format!("block {} {}", metagraph.block.number, metagraph.block.hash))?;
    output::line("uid    incentive  dividends  trust   emission         stake            permit  updated   hotkey")?;
    for neuron in &metagraph.neurons {
        output::line(format!(
            "{:<5}  {:<9.4}  {:<9.4}  {:<6.3}  {:<15.9}  {:<15.9}  {:<6}  {:<8}  {}",
            neuron.uid,
            part(neuron.incentive),
            part(neuron.dividends),
            part(if neuron.permit { neuron.validator_trust } else { neuron.trust }),
            neuron.emission as f64 / 1e9,
            neuron.stake as f64 / 1e9,
            if neuron.permit { "yes" } else { "no" },
            neuron.updated,
            neuron.hotkey
        ))?;
    }
    Ok(())
}

async fn commitments(subnet: &Subnet) -> Result<(), Failure> {
    for commitment in open(subnet).await?.commitments().await? {
        if subnet.json {
            output::json(&commitment)?;
        } else {
            let (block, hotkey) = (commitment.block, commitment.hotkey);
            // A stranger's text: nothing in it may move a terminal's cursor.
            output::line(format!("{block:<8}  {hotkey}  {}", commitment.text.escape_debug()))?;
        }
    }
    Ok(())
}

async fn submit(subnet: &Subnet, by: &SignedBy, call: Call) -> Result<(), Failure> {
    let hotkey = hotkey(by)?;
    let included = open(subnet).await?.submit(&hotkey, call).await?;
    if subnet.json {
        return output::json(&included);
    }
    output::line(format!("call {} of {} is in block {}", included.number, hotkey.address(), included.block))
}

async fn open(subnet: &Subnet) -> Result<Twin, Failure> {
    Ok(opened(&subnet.ledger, subnet.netuid).await?.1)
}

/// Opens a ledger, and a subnet that it keeps.
pub(crate) async fn opened(ledger: &InLedger, netuid: u16) -> Result<(Arc<dyn Ledger>, Twin), Failure> {
    let place = ledger.place();
    let opened: Arc<dyn Ledger> = Arc::from(place::open(&place).await?);
    let ledger = Arc::clone(&opened);
    // Who serves a ledger makes its blocks; in a file, whoever uses it.
    let twin = if place::is_served(&place.ledger) {
        Twin::open(ledger, netuid).await
    } else {
        Twin::keeping(ledger, netuid).await
    };
    Ok((opened, twin?))
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

fn part(share: u16) -> f64 {
    f64::from(share) / 65535.0
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Failure {
        match error {
            ChainError::Ledger(error) => error.into(),
            ChainError::Randomness(_) => Failure::internal(error),
            _ => Failure::bad_input(error),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        Failure::bad_input(error)
    }
}
