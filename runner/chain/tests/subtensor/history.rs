//! What hotkeys were bound to before, from nodes that remember all blocks and from those that do not.
use crate::common::chopsticks::Chopsticks;
use crate::common::proxy::Proxy;
use crate::world::{NETUID, registered, subnet};
use automl_chain::{Call, Chain as _, Commitment, History};
use automl_keys::Hotkey;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// What a node says that has thrown the state of a block away.
const DISCARDED: &str = "Client error: Api called for an unknown Block: State already discarded for 0xfc41b9bd8ef8fe53";
/// How a value is read, and all of a map.
const VALUE: &str = "state_getStorage";
const KEYS: &str = "state_getKeysPaged";

/// A chain on which one hotkey was bound twice, and between that another, once.
struct Bound {
    node: Chopsticks,
    first: Commitment,
    other: Commitment,
    second: Commitment,
}

impl Bound {
    /// The one of these tests: the node ends with the process.
    async fn get() -> Option<&'static Bound> {
        static BOUND: OnceCell<Option<Bound>> = OnceCell::const_new();
        BOUND.get_or_init(Bound::start).await.as_ref()
    }

    async fn start() -> Option<Bound> {
        let node = Chopsticks::start()?;
        let (one, two) = (registered(&node, 41).await, registered(&node, 42).await);
        let first = bound(&node, &one, "one/first:00").await;
        let other = bound(&node, &two, "two/other:00").await;
        let second = bound(&node, &one, "one/second:00").await;
        Some(Bound { node, first, other, second })
    }

    fn all(&self) -> Vec<Commitment> {
        vec![self.first.clone(), self.other.clone(), self.second.clone()]
    }
}

/// Binds a hotkey, however short a time after the last.
async fn bound(node: &Chopsticks, hotkey: &Hotkey, text: &str) -> Commitment {
    let address = hotkey.address();
    node.set_storage(json!({"Commitments": {"LastCommitment": [[[NETUID, address.to_string()], Value::Null]]}}));
    let call = Call::Commit { text: text.to_owned() };
    let block = subnet(&[node.url()]).submit(hotkey, call).await.unwrap().block;
    Commitment { hotkey: address, text: text.to_owned(), block }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hotkeys_were_bound_to_is_read_from_older_blocks() {
    let Some(bound) = Bound::get().await else { return };
    let Bound { node, first, other, second } = bound;
    let chain = subnet(&[node.url()]);
    let head = chain.head().await.unwrap().number;
    let complete = |commitments| History { commitments, complete: true };
    assert_eq!(chain.commitments().await.unwrap(), [other.clone(), second.clone()]);
    assert_eq!(chain.history(head).await.unwrap(), complete(bound.all()));
    assert_eq!(chain.history(head + 1000).await.unwrap(), complete(bound.all()));
    let before = vec![first.clone(), other.clone()];
    assert_eq!(chain.history(second.block - 1).await.unwrap(), complete(before.clone()));
    assert_eq!(chain.history(first.block - 1).await.unwrap(), complete(Vec::new()));
    assert_eq!(chain.commitments_at(second.block - 1).await.unwrap(), Some(before));
    assert_eq!(chain.commitments_at(second.block).await.unwrap(), Some(vec![other.clone(), second.clone()]));
    assert_eq!(chain.commitments_at(first.block - 1).await.unwrap(), Some(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_node_has_forgotten_the_next_is_asked_and_what_all_have_forgotten_is_said() {
    let Some(bound) = Bound::get().await else { return };
    let Bound { node, first, other, second } = bound;
    let forgetful = Proxy::start(&node.url());
    let (alone, both) = (subnet(&[forgetful.url()]), subnet(&[forgetful.url(), node.url()]));
    let head = alone.head().await.unwrap().number;

    forgetful.fail(VALUE, 4003, DISCARDED, 2);
    let newest = History { commitments: vec![other.clone(), second.clone()], complete: false };
    assert_eq!(alone.history(head).await.unwrap(), newest);
    forgetful.fail(VALUE, 4003, DISCARDED, 1);
    assert_eq!(both.history(head).await.unwrap(), History { commitments: bound.all(), complete: true });

    // All that hold since before a block hold now, where its own state is gone.
    let before = vec![first.clone(), other.clone()];
    forgetful.fail(KEYS, 4003, DISCARDED, 1);
    let history = alone.history(second.block - 1).await.unwrap();
    assert_eq!(history, History { commitments: before.clone(), complete: false });
    // That is no answer to what was bound at that block: one may have given way since.
    forgetful.fail(KEYS, 4003, DISCARDED, 1);
    assert_eq!(alone.commitments_at(second.block - 1).await.unwrap(), None);
    let both = subnet(&[forgetful.url(), node.url()]);
    forgetful.fail(KEYS, 4003, DISCARDED, 1);
    assert_eq!(both.commitments_at(second.block - 1).await.unwrap(), Some(before));

    // In the words of every kind of node; other failures pass.
    for words in [
        DISCARDED,
        "Client error: UnknownBlock: State already discarded for 0xfc41b9bd8ef8fe53",
        "Client error: UnknownBlock: Header was not found in the database: 0xfc41b9bd8ef8fe53",
        "Block 0xfc41b9bd8ef8fe53 not found",
    ] {
        forgetful.fail(KEYS, 4003, words, 1);
        assert_eq!(alone.commitments_at(second.block - 1).await.unwrap(), None, "{words}");
    }
    forgetful.fail(KEYS, 4003, "Client error: Execution failed: the database is locked", 1);
    assert!(alone.commitments_at(second.block - 1).await.unwrap().is_some());
}
