//! Subtensor: the chain that pays.
//!
//! ```text
//! network   which chain, over which nodes      nodes     connected to, one after the other
//! config    what subxt has to know beforehand  storage   one value              reads     a subnet at a block
//! calls     calls for the runtime at hand      shape     what its types are     refusals  its errors, in words
//! submit    included once                      timelock  weights nobody can read before their time
//! reveal    when that is, and weights whose hash comes first                    trouble   the node's fault or the chain's
//! history   what hotkeys were bound to before                                  beacon    what nobody could know before
//! ```
//! Nothing of the runtime is compiled in: names and types come from its metadata, so that one that keeps what a call means needs no
//! new program.
pub mod beacon;
mod config;
mod history;
mod network;
mod nodes;
mod reads;
mod refusals;
mod shape;
mod storage;
mod submit;
mod trouble;

pub mod calls;
pub mod reveal;
pub mod timelock;

use crate::{
    Block, Call, Chain, ChainError, Commitment, History, Included, LONGEST_COMMITMENT, Metagraph, Refused, Rules,
    Unrevealed, Weight,
};
use async_trait::async_trait;
use automl_keys::{Address, Coldkey, Hotkey};
use automl_ledger::Digest;
use calls::{Encodable, Form};
use nodes::{At, Nodes};
use reads::Bound;
use refusals::About;
use std::time::{Duration, SystemTime};
use submit::{Landed, digest};
use tokio::sync::Mutex;
use trouble::Trouble;

pub use config::Types;
pub use network::{Network, NetworkError};

/// A subnet of subtensor.
pub struct Subtensor {
    nodes: Nodes,
    netuid: u16,
    mechanism: u8,
    /// How long it is tried to have a call included.
    patience: Duration,
    /// One call at a time: each has the number after the one before.
    writing: Mutex<()>,
}

/// What is to be reached, and how.
pub struct Settings {
    /// The chain and its nodes.
    pub network: Network,
    /// The subnet.
    pub netuid: u16,
    /// Of its mechanisms the one that weights are for; most have one, 0.
    pub mechanism: u8,
    /// How connections are secured.
    pub tls: rustls::ClientConfig,
    /// How long an answer is waited for, from any node.
    pub patience: Duration,
    /// How long from one.
    pub answering: Duration,
}

/// How long a call is waited for: blocks come every 12 s, and are final a few later.
const INCLUSION: Duration = Duration::from_mins(5);

impl Subtensor {
    /// A subnet that is connected to when it is asked something.
    pub fn new(settings: Settings) -> Subtensor {
        let Settings { network, netuid, mechanism, tls, patience, answering } = settings;
        let nodes = Nodes::new(network, tls, patience, answering);
        Subtensor { nodes, netuid, mechanism, patience: INCLUSION.min(patience * 5), writing: Mutex::default() }
    }

    /// Waits so long for an answer from any node.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Subtensor {
        self.nodes.set_patience(patience);
        self
    }

    /// Has a hotkey take part, which the coldkey pays for, no more than so many billionths of a token.
    ///
    /// # Errors
    /// It costs more, there is not enough money, or the chain does not take it.
    pub async fn register(&self, coldkey: &Coldkey, hotkey: Address, at_most: u64) -> Result<Included, ChainError> {
        let netuid = self.netuid;
        self.included(coldkey.pair(), |at| async move {
            Refused::dearer(reads::price_of_place(&at, netuid).await?, at_most)?;
            let about = About { who: hotkey, version: None, again: None };
            Ok((calls::register(at.metadata_ref(), netuid, hotkey, at_most)?, about))
        })
        .await
    }

    /// What taking part costs now, in billionths of a token.
    ///
    /// # Errors
    /// No node answers, or the runtime does not say.
    pub async fn price_of_place(&self) -> Result<u64, ChainError> {
        self.nodes.ask(|_, at| async move { reads::price_of_place(&at, self.netuid).await }).await
    }

    /// What making a subnet costs now, in billionths of a token.
    ///
    /// # Errors
    /// No node answers, or the runtime does not say.
    pub async fn price_of_subnet(&self) -> Result<u64, ChainError> {
        self.nodes.ask(|_, at| async move { reads::price_of_subnet(&at).await }).await
    }

    /// Makes a subnet that a hotkey owns, which the coldkey pays for; tells its number, where the runtime does.
    ///
    /// # Errors
    /// It costs more, there is not enough money, or the chain does not take it.
    pub async fn create_subnet(
        &self,
        coldkey: &Coldkey,
        hotkey: Address,
        at_most: u64,
    ) -> Result<(Included, Option<u16>), ChainError> {
        let landed = self
            .landed(coldkey.pair(), |at| async move {
                Refused::dearer(reads::price_of_subnet(&at).await?, at_most)?;
                let about = About { who: hotkey, version: None, again: None };
                Ok((calls::create_subnet(at.metadata_ref(), hotkey)?, about))
            })
            .await?;
        Ok((landed.included(), landed.made))
    }

    /// A call about weights whose hash comes first.
    async fn hashed<C>(&self, hotkey: &Hotkey, kept: &Unrevealed, call: C) -> Result<Included, ChainError>
    where
        C: Fn(&At) -> Result<Encodable, ChainError> + Send + Sync,
    {
        let (netuid, call) = (self.netuid, &call);
        self.included(hotkey, |at| async move {
            let rules = reads::rules(&at, netuid).await?;
            let about = about_weights(&at, netuid, &rules, hotkey.address(), kept.version).await?;
            Ok((call(&at)?, about))
        })
        .await
    }

    /// How this subnet is told weights now, and what holds in it.
    async fn form_at(&self, at: &At) -> Result<(Form, Rules), Trouble> {
        let rules = reads::rules(at, self.netuid).await?;
        Ok((calls::form(at.metadata_ref(), rules.reveal_after.is_some(), self.mechanism)?, rules))
    }

    async fn included<F, R>(&self, key: &Hotkey, call: F) -> Result<Included, ChainError>
    where
        F: Fn(At) -> R,
        R: Future<Output = Result<(Encodable, About), Trouble>>,
    {
        Ok(self.landed(key, call).await?.included())
    }

    async fn landed<F, R>(&self, key: &Hotkey, call: F) -> Result<Landed, ChainError>
    where
        F: Fn(At) -> R,
        R: Future<Output = Result<(Encodable, About), Trouble>>,
    {
        let _writing = self.writing.lock().await;
        submit::submit(&self.nodes, key, self.patience, call).await
    }

    async fn commit(&self, hotkey: &Hotkey, text: &str) -> Result<Included, ChainError> {
        if text.is_empty() || text.len() > LONGEST_COMMITMENT {
            return Err(Refused::Length(text.len()).into());
        }
        let (netuid, who) = (self.netuid, hotkey.address());
        self.included(hotkey, |at| async move {
            // Who was first counts: what is bound already is not bound anew.
            if let Some(bound) =
                reads::bound(&at, netuid, who).await?.and_then(Bound::commitment).filter(|bound| bound.text == text)
            {
                return Err(Refused::Bound { block: bound.block }.into());
            }
            let call = calls::commit(at.metadata_ref(), netuid, text)?;
            Ok((call, About { who, version: None, again: reads::commitment_again(&at, netuid, who).await? }))
        })
        .await
    }

    async fn set_weights(&self, hotkey: &Hotkey, weights: &[Weight], version: u64) -> Result<Included, ChainError> {
        let (netuid, who) = (self.netuid, hotkey.address());
        let round = Mutex::new(None);
        let included = self
            .included(hotkey, |at| {
                let round = &round;
                async move {
                    let (form, rules) = self.form_at(&at).await?;
                    let about = about_weights(&at, netuid, &rules, who, version).await?;
                    let metadata = at.metadata_ref();
                    let call = match form {
                        Form::Plain | Form::Mechanism(_) => {
                            calls::set_weights(metadata, form, netuid, weights, version)?
                        }
                        Form::Hash => return Err(Refused::CommitFirst.into()),
                        Form::TimelockV3 | Form::TimelockV4 | Form::MechanismTimelockV4(_) => {
                            let never = || Trouble::from(Refused::NoEpochs(netuid));
                            let epochs = reads::epochs(&at, netuid, rules.tempo).await?.ok_or_else(never)?;
                            let opens = epochs.round(rules.reveal_after.unwrap_or(1), SystemTime::now());
                            let sender = (form != Form::TimelockV3).then_some(who);
                            let sealed = timelock::seal(&timelock::payload(sender, weights, version), opens)?;
                            *round.lock().await = Some(opens);
                            calls::commit_timelocked(metadata, form, netuid, &sealed, opens)?
                        }
                    };
                    Ok((call, about))
                }
            })
            .await?;
        Ok(Included { round: round.into_inner(), ..included })
    }
}

/// What a refusal of weights is about.
async fn about_weights(at: &At, netuid: u16, rules: &Rules, who: Address, version: u64) -> Result<About, Trouble> {
    let again = reads::weights_again(at, netuid, who, rules.weights_every).await?;
    Ok(About { who, version: Some((version, rules.version)), again })
}

#[async_trait]
impl Chain for Subtensor {
    async fn genesis(&self) -> Result<Digest, ChainError> {
        self.nodes.ask(|node, _| async move { digest(node.genesis()) }).await
    }

    async fn head(&self) -> Result<Block, ChainError> {
        self.nodes.ask(|_, at| async move { reads::block(&at) }).await
    }

    async fn block(&self, number: u64) -> Result<Option<Block>, ChainError> {
        self.nodes
            .ask(|node, at| async move {
                if number > at.block_number() {
                    return Ok(None);
                }
                node.hash(number).await?.map(|hash| Ok(Block { number, hash: digest(hash)? })).transpose()
            })
            .await
    }

    async fn unforeseen(&self, number: u64) -> Result<Option<Digest>, ChainError> {
        beacon::unforeseen(&self.nodes, number).await
    }

    async fn metagraph(&self) -> Result<Metagraph, ChainError> {
        self.nodes.ask(|_, at| async move { reads::metagraph(&at, self.netuid).await }).await
    }

    async fn commitments(&self) -> Result<Vec<Commitment>, ChainError> {
        let bound = self.nodes.ask(|_, at| async move { reads::all_bound(&at, self.netuid).await }).await?;
        Ok(reads::commitments(bound))
    }

    async fn commitments_at(&self, block: u64) -> Result<Option<Vec<Commitment>>, ChainError> {
        Ok(history::at(&self.nodes, self.netuid, block).await?.map(reads::commitments))
    }

    async fn history(&self, block: u64) -> Result<History, ChainError> {
        history::walk(&self.nodes, self.netuid, block).await
    }

    async fn commitment(&self, hotkey: Address) -> Result<Option<Commitment>, ChainError> {
        let bound = self.nodes.ask(|_, at| async move { reads::bound(&at, self.netuid, hotkey).await }).await?;
        Ok(bound.and_then(Bound::commitment))
    }

    async fn submit(&self, hotkey: &Hotkey, call: Call) -> Result<Included, ChainError> {
        match call {
            Call::Commit { text } => self.commit(hotkey, &text).await,
            Call::SetWeights { weights, version } => self.set_weights(hotkey, &weights, version).await,
            Call::Register | Call::Admit { .. } => Err(Refused::Coldkey.into()),
        }
    }

    async fn commit_weights(&self, hotkey: &Hotkey, kept: &Unrevealed) -> Result<Included, ChainError> {
        let (netuid, hash) = (self.netuid, kept.hash(hotkey.address(), self.netuid));
        self.hashed(hotkey, kept, |at| calls::commit_hash(at.metadata_ref(), netuid, hash)).await
    }

    async fn reveal_weights(&self, hotkey: &Hotkey, kept: &Unrevealed) -> Result<Included, ChainError> {
        let Unrevealed { weights, salt, version } = kept;
        self.hashed(hotkey, kept, |at| calls::reveal(at.metadata_ref(), self.netuid, weights, salt, *version)).await
    }
}
