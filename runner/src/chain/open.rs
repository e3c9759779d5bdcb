//! Which chain is meant: subtensor over its nodes, or a subnet that a ledger keeps.
use crate::cli::{InLedger, Subnet};
use crate::failure::Failure;
use crate::ledger::place;
use automl_chain::Chain;
use automl_chain::subtensor::{Network, Settings, Subtensor};
use automl_chain::twin::Twin;
use automl_ledger::Ledger;
use std::sync::Arc;
use std::time::Duration;

/// How long it is tried to get an answer from any of its nodes.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one of them may take.
const ANSWERING: Duration = Duration::from_secs(20);

/// A subnet that can be asked.
pub(crate) enum Opened {
    /// Of the chain.
    Subtensor(Box<Subtensor>),
    /// In a ledger.
    Twin(Box<Twin>),
}

impl Opened {
    /// What both can do.
    pub(crate) fn chain(&self) -> &dyn Chain {
        match self {
            Opened::Subtensor(chain) => &**chain,
            Opened::Twin(chain) => &**chain,
        }
    }

    /// The same, shared.
    pub(crate) fn shared(self) -> Arc<dyn Chain> {
        match self {
            Opened::Subtensor(chain) => Arc::new(*chain),
            Opened::Twin(chain) => Arc::new(*chain),
        }
    }

    /// What a ledger's subnet alone can do.
    pub(crate) fn twin(&self) -> Result<&Twin, Failure> {
        match self {
            Opened::Twin(chain) => Ok(chain),
            Opened::Subtensor(_) => {
                Err(Failure::usage("a chain makes its blocks itself: this is for a ledger's subnet"))
            }
        }
    }

    /// What subtensor alone can do.
    pub(crate) fn subtensor(&self) -> Result<&Subtensor, Failure> {
        match self {
            Opened::Subtensor(chain) => Ok(chain),
            Opened::Twin(_) => Err(Failure::usage("a ledger's subnet has no such thing: name a chain with --network")),
        }
    }
}

/// Opens the subnet that is named.
pub(crate) async fn open(subnet: &Subnet) -> Result<Opened, Failure> {
    if let Some(network) = &subnet.network {
        return Ok(Opened::Subtensor(Box::new(self::network(network, subnet.netuid)?)));
    }
    let place =
        subnet.place().ok_or_else(|| Failure::usage("name a chain with --network, or a ledger with --ledger"))?;
    let ledger: Arc<dyn Ledger> = Arc::from(place::open(&place).await?);
    Ok(Opened::Twin(Box::new(twin(ledger, &place.ledger, subnet.netuid).await?)))
}

/// Opens a ledger, and the subnet: of a chain where one is named, or the one that the ledger keeps.
pub(crate) async fn beside(
    ledger: &InLedger,
    network: Option<&str>,
    netuid: u16,
) -> Result<(Arc<dyn Ledger>, Arc<dyn Chain>), Failure> {
    let place = ledger.place();
    let opened: Arc<dyn Ledger> = Arc::from(place::open(&place).await?);
    let chain = match network {
        Some(network) => Opened::Subtensor(Box::new(self::network(network, netuid)?)),
        None => Opened::Twin(Box::new(twin(Arc::clone(&opened), &place.ledger, netuid).await?)),
    };
    Ok((opened, chain.shared()))
}

async fn twin(ledger: Arc<dyn Ledger>, place: &str, netuid: u16) -> Result<Twin, Failure> {
    // Who serves a ledger makes its blocks; in a file, whoever uses it.
    let twin =
        if place::is_served(place) { Twin::open(ledger, netuid).await } else { Twin::keeping(ledger, netuid).await };
    Ok(twin?)
}

/// A subnet of a chain, which is connected to when it is asked something.
pub(crate) fn network(text: &str, netuid: u16) -> Result<Subtensor, Failure> {
    let network: Network = text.parse().map_err(Failure::usage)?;
    let tls = automl_publish::tls()?;
    Ok(Subtensor::new(Settings { network, netuid, mechanism: 0, tls, patience: PATIENCE, answering: ANSWERING }))
}
