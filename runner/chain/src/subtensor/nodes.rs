//! Nodes of one chain: connected to one at a time, the next one when it fails, lies still or has fallen behind.
//!
//! A node is somebody else's machine. None of what it says is taken before its first block is the right one, and nothing that is
//! older than what was seen before.
use super::Network;
use super::config::Types;
use super::network::shown;
use super::trouble::Trouble;
use crate::ChainError;
use jsonrpsee::core::client::Client;
use jsonrpsee::ws_client::{PingConfig, WsClientBuilder};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use subxt::backend::LegacyBackend;
use subxt::client::{OnlineClient, OnlineClientAtBlock};
use subxt::config::RpcConfigFor;
use subxt::rpcs::RpcClient;
use subxt::rpcs::methods::legacy::LegacyRpcMethods;
use subxt::utils::H256;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// A block whose state is read: everything that is read together is of one.
pub(crate) type At = OnlineClientAtBlock<Types>;

/// How long a node may take to be there.
const CONNECTING: Duration = Duration::from_secs(10);
/// The largest answer: metadata has a third of a megabyte.
const MOST_BYTES: u32 = 16 * 1024 * 1024;
/// Blocks that a node may be behind another.
const BEHIND: u64 = 10;
/// How long a block counts that nobody has confirmed since: a node that told of one that never was must not shut out the others.
const BELIEVED: Duration = Duration::from_mins(5);
/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Nodes of a chain.
pub(crate) struct Nodes {
    network: Network,
    tls: rustls::ClientConfig,
    /// How long it is tried to get an answer from any.
    patience: Duration,
    /// How long one may take to answer, and to give a sign of life.
    answering: Duration,
    types: Types,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Node>>,
    /// Whose turn it is.
    turn: usize,
    /// Of the chain that was met first.
    genesis: Option<H256>,
    /// The highest block that any node has called final, and when it was last said.
    highest: Option<(u64, Instant)>,
}

/// A node that is connected.
pub(crate) struct Node {
    url: String,
    client: OnlineClient<Types>,
    rpc: LegacyRpcMethods<RpcConfigFor<Types>>,
}

impl Node {
    /// The chain's first block.
    pub(crate) fn genesis(&self) -> H256 {
        self.client.genesis_hash()
    }

    /// The hash of the block of this height, which a node keeps that has thrown the block's state away; `None` where it has none.
    pub(crate) async fn hash(&self, number: u64) -> Result<Option<H256>, Trouble> {
        self.rpc.chain_get_block_hash(Some(number.into())).await.map_err(|error| Trouble::of(&error))
    }

    /// What was called in a block.
    pub(crate) async fn body(&self, hash: H256) -> Result<Vec<Vec<u8>>, Trouble> {
        let details = self.rpc.chain_get_block(Some(hash)).await.map_err(|error| Trouble::of(&error))?;
        let details = details.ok_or_else(|| Trouble::Forgotten(format!("has block {hash:?} no more")))?;
        Ok(details.block.extrinsics.into_iter().map(|extrinsic| extrinsic.0).collect())
    }

    /// The block of this height; `None` where the node has none.
    pub(crate) async fn at_height(&self, number: u64) -> Result<Option<At>, Trouble> {
        match self.client.at_block(number).await {
            Ok(at) => Ok(Some(at)),
            Err(subxt::error::OnlineClientAtBlockError::BlockNotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Nodes {
    /// Nodes that are still to be connected to.
    pub(crate) fn new(network: Network, tls: rustls::ClientConfig, patience: Duration, answering: Duration) -> Nodes {
        let state = State { genesis: network.genesis.as_deref().and_then(hash), ..State::default() };
        Nodes { network, tls, patience, answering, types: Types::default(), state: Mutex::new(state) }
    }

    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.network.nodes.len()
    }

    /// Does something at the newest final block, with the next node where one fails, until patience ends.
    ///
    /// # Errors
    /// No node does it in time, or the chain does not do it at all.
    pub(crate) async fn ask<T, F, R>(&self, work: F) -> Result<T, ChainError>
    where
        F: Fn(Arc<Node>, At) -> R,
        R: Future<Output = Result<T, Trouble>>,
    {
        let end = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let problem = match self.try_once(&work).await {
                Ok(done) => return Ok(done),
                Err(Trouble::Chain(error)) => return Err(error),
                Err(Trouble::Node(problem) | Trouble::Forgotten(problem)) => problem,
            };
            if Instant::now() + pause >= end {
                return Err(ChainError::Unreachable { network: self.network.to_string(), problem });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_once<T, F, R>(&self, work: &F) -> Result<T, Trouble>
    where
        F: Fn(Arc<Node>, At) -> R,
        R: Future<Output = Result<T, Trouble>>,
    {
        let node = self.node().await?;
        let done = async {
            let at = node.client.at_current_block().await?;
            self.is_not_behind(&at).await?;
            work(Arc::clone(&node), at).await
        };
        let done = done.await;
        match done {
            Err(Trouble::Node(problem) | Trouble::Forgotten(problem)) => {
                self.leave(&node).await;
                Err(Trouble::Node(format!("{}: {problem}", shown(&node.url))))
            }
            done => done,
        }
    }

    /// The node that is connected, or the next that can be.
    async fn node(&self) -> Result<Arc<Node>, Trouble> {
        let mut state = self.state.lock().await;
        if let Some(node) = &state.current {
            return Ok(Arc::clone(node));
        }
        let mut problems = Vec::new();
        for _ in 0..self.network.nodes.len() {
            let url = &self.network.nodes[state.turn % self.network.nodes.len()];
            let connected = timeout(2 * CONNECTING, self.connect(url, state.genesis)).await;
            match connected.unwrap_or_else(|_| Err(Trouble::Node("does not finish to connect".to_owned()))) {
                Ok(node) => {
                    state.genesis = Some(node.client.genesis_hash());
                    let node = Arc::new(node);
                    state.current = Some(Arc::clone(&node));
                    return Ok(node);
                }
                Err(Trouble::Node(problem) | Trouble::Forgotten(problem)) => {
                    problems.push(format!("{}: {problem}", shown(url)));
                }
                Err(chain) => return Err(chain),
            }
            state.turn += 1;
        }
        Err(Trouble::Node(problems.join("; ")))
    }

    async fn connect(&self, url: &str, genesis: Option<H256>) -> Result<Node, Trouble> {
        // Another may have been first: it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ping = PingConfig::new().ping_interval(self.answering / 2).inactive_limit(self.answering).max_failures(1);
        let builder = WsClientBuilder::new()
            .with_custom_cert_store(self.tls.clone())
            .connection_timeout(CONNECTING)
            .request_timeout(self.answering)
            .max_response_size(MOST_BYTES)
            .max_frame_size(MOST_BYTES)
            .enable_ws_ping(ping);
        let client: Client = builder.build(url).await.map_err(|error| Trouble::of(&error))?;
        let client = RpcClient::new(client);
        let rpc = LegacyRpcMethods::new(client.clone());
        let backend = LegacyBackend::builder().build(client);
        let client = OnlineClient::from_backend_with_config(self.types.clone(), Arc::new(backend)).await?;
        match genesis {
            Some(genesis) if client.genesis_hash() != genesis => Err(Trouble::Node(format!(
                "a node of another chain: its first block is {:?}, and that of {} is {genesis:?}",
                client.genesis_hash(),
                self.network
            ))),
            _ => Ok(Node { url: url.to_owned(), client, rpc }),
        }
    }

    /// What is read is no older than what was read before.
    async fn is_not_behind(&self, at: &At) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        let block = at.block_number();
        match state.highest {
            Some((highest, said)) if block < highest && said.elapsed() < BELIEVED => {
                if block.saturating_add(BEHIND) < highest {
                    let problem = format!("has fallen behind: its newest block is {block}, and {highest} was seen");
                    return Err(Trouble::Node(problem));
                }
            }
            _ => state.highest = Some((block, Instant::now())),
        }
        Ok(())
    }

    /// The next node, from now on.
    pub(crate) async fn turn(&self) {
        let mut state = self.state.lock().await;
        if self.network.nodes.len() > 1 {
            state.current = None;
            state.turn += 1;
        }
    }

    /// Not this one any more, unless somebody has left it already.
    async fn leave(&self, node: &Arc<Node>) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, node)) {
            state.current = None;
            state.turn += 1;
        }
    }
}

fn hash(digits: &str) -> Option<H256> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(H256(bytes))
}
