//! Nodes, connections and answers fail, and a call still arrives once: judged by the events of the chain's own blocks.
use crate::common::chopsticks::Chopsticks;
use crate::common::proxy::Proxy;
use crate::world::{counted, node, registered, subnet};
use automl_chain::subtensor::Subtensor;
use automl_chain::{Call, Chain as _, ChainError, Refused};
use automl_keys::Hotkey;
use serde_json::{Value, json};
use std::time::Duration;

const HAND_IN: &str = "author_submitAndWatchExtrinsic";

/// A node behind a proxy, and a hotkey that takes part.
struct Through {
    node: &'static Chopsticks,
    proxy: Proxy,
    chain: Subtensor,
    hotkey: Hotkey,
}

impl Through {
    async fn start(seed: u8) -> Option<Through> {
        let node = node()?;
        let proxy = Proxy::start(&node.url());
        let chain = subnet(&[proxy.url()]);
        Some(Through { node, chain, proxy, hotkey: registered(node, seed).await })
    }

    async fn commit(&self, text: &str) -> Result<u64, ChainError> {
        let included = self.chain.submit(&self.hotkey, Call::Commit { text: text.to_owned() }).await?;
        Ok(included.block)
    }

    /// Commits, and finds that it is there once.
    async fn commits_once(&self) {
        let block = self.commit("owner/name:00").await.unwrap();
        let bound = self.chain.commitment(self.hotkey.address()).await.unwrap().unwrap();
        assert_eq!((bound.text.as_str(), bound.block), ("owner/name:00", block));
        assert_eq!(counted(self.node, "Commitments", "Commitment", &self.hotkey).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn included_but_the_answer_lost() {
    let Some(through) = Through::start(11).await else { return };
    let cut = (*through.proxy).clone();
    through.proxy.rewrite(HAND_IN, move |_, told| {
        if told.get("finalized").is_some() {
            cut.drop_all();
        }
        told
    });
    through.commits_once().await;
    assert_eq!(through.proxy.count(HAND_IN), 1, "what is included is not handed in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_but_the_answer_lost() {
    let Some(through) = Through::start(10).await else { return };
    through.proxy.lose_answer(HAND_IN);
    through.commits_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_before_it_was_handed_in() {
    let Some(through) = Through::start(12).await else { return };
    through.proxy.cut_before(HAND_IN);
    through.commits_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_no_room_is_asked_again() {
    let Some(through) = Through::start(13).await else { return };
    through.proxy.fail(HAND_IN, 1016, "Immediately dropped: the pool is full", 2);
    through.commits_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_lies_still_is_left() {
    let Some(through) = Through::start(14).await else { return };
    through.chain.head().await.unwrap();
    through.proxy.silence(true);
    let (proxy, commit) = ((*through.proxy).clone(), through.commits_once());
    let heal = async {
        proxy.until(|proxy| proxy.swallowed() > 0).await;
        proxy.silence(false);
    };
    tokio::join!(commit, heal);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_are_answers() {
    let Some(through) = Through::start(15).await else { return };
    through.proxy.delay(Duration::from_millis(300));
    through.commits_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_for_a_while() {
    let Some(through) = Through::start(16).await else { return };
    through.chain.head().await.unwrap();
    through.proxy.refuse();
    through.proxy.drop_all();
    let back = async {
        through.proxy.until(|proxy| proxy.refused() > 1).await;
        through.proxy.accept();
    };
    tokio::join!(through.commits_once(), back);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_node_is_taken_where_one_has_fallen_behind() {
    let Some(node) = node() else { return };
    let old = node.rpc("chain_getBlockHash", &json!([0]));
    let proxy = Proxy::start(&node.url());
    let chain = subnet(&[proxy.url(), node.url()]);
    node.new_blocks(12);
    let head = chain.head().await.unwrap().number;
    let stale = old.clone();
    proxy.rewrite("chain_getFinalizedHead", move |_, _| stale.clone());
    assert!(chain.head().await.unwrap().number >= head);
    // Where there is no other, it is said.
    let alone = Proxy::start(&node.url());
    let chain = subnet(&[alone.url()]).with_patience(Duration::from_secs(2));
    chain.head().await.unwrap();
    alone.rewrite("chain_getFinalizedHead", move |_, _| old.clone());
    let error = chain.head().await.unwrap_err().to_string();
    assert!(error.contains("has fallen behind: its newest block is 0"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_asked_nothing() {
    let Some(node) = node() else { return };
    let proxy = Proxy::start(&node.url());
    let chain = subnet(&[proxy.url(), node.url()]);
    chain.head().await.unwrap();
    proxy.rewrite("chain_getBlockHash", |_, _| json!(format!("0x{}", "ab".repeat(32))));
    proxy.drop_all();
    chain.head().await.unwrap();
    let asked = proxy.requests().len();
    let strict = format!("{}={}", "cd".repeat(32), node.url());
    let chain = subnet(&[strict]).with_patience(Duration::from_secs(2));
    let error = chain.head().await.unwrap_err().to_string();
    assert!(error.contains("a node of another chain"), "{error}");
    chain.metagraph().await.unwrap_err();
    assert_eq!(proxy.requests().len(), asked);
}

/// The node says it has another runtime, in which something is called otherwise.
fn upgraded(proxy: &Proxy, from: &'static str, to: &'static str) {
    assert_eq!(from.len(), to.len());
    proxy.rewrite("state_call", move |params, result| match (params[0].as_str(), result.as_str()) {
        (Some("Core_version"), Some(version)) => json!(version.replacen("da000000", "db000000", 1)),
        (Some(call), Some(bytes)) if call.starts_with("Metadata") => {
            json!(bytes.replace(&hex::encode(from), &hex::encode(to)))
        }
        _ => result,
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_changes_under_us_is_read_anew() {
    let Some(through) = Through::start(17).await else { return };
    let metadata = |proxy: &Proxy| {
        let is_metadata = |(method, params): &(String, Value)| {
            method == "state_call" && params[0].as_str().is_some_and(|call| call.contains("metadata_at_version"))
        };
        proxy.requests().iter().filter(|request| is_metadata(request)).count()
    };
    let before = through.chain.metagraph().await.unwrap();
    let first = metadata(&through.proxy);
    // What keeps its meaning needs no other program.
    upgraded(&through.proxy, "set_commitment", "set_commitment");
    assert_eq!(through.chain.metagraph().await.unwrap().rules, before.rules);
    assert_eq!(metadata(&through.proxy), 2 * first, "the new runtime's metadata is read, once");
    through.chain.metagraph().await.unwrap();
    assert_eq!(metadata(&through.proxy), 2 * first);
    // A program that has not met it before.
    upgraded(&through.proxy, "set_commitment", "set_compliment");
    let later = Through { chain: subnet(&[through.proxy.url()]), ..through };
    let error = later.commit("owner/name:00").await.unwrap_err();
    assert!(matches!(error, ChainError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("Commitments.set_commitment is not there: update this program"), "{error}");
    assert_eq!(later.proxy.count(HAND_IN), 0);
    // It stays up, and does it when the runtime is as it was.
    later.proxy.restore("state_call");
    later.commits_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_one_key_bind_it_one_after_the_other() {
    let Some(through) = Through::start(18).await else { return };
    let other = subnet(&[through.node.url()]);
    let call = |text: &str| Call::Commit { text: text.to_owned() };
    let (one, two) =
        tokio::join!(through.chain.submit(&through.hotkey, call("a:00")), other.submit(&through.hotkey, call("b:00")));
    let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    let [ChainError::Refused(Refused::Number { .. } | Refused::TooSoon { .. })] = refused.as_slice() else {
        panic!("one of them is told: {refused:?}");
    };
    assert_eq!(counted(through.node, "Commitments", "Commitment", &through.hotkey).await, 1);
}
