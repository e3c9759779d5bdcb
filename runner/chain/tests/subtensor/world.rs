//! What tests share: the chain's runtime on a node, and keys.
use crate::common::chopsticks::Chopsticks;
use automl_chain::subtensor::{Settings, Subtensor, Types};
use automl_keys::{Coldkey, Hotkey, Place, open_coldkey};
use serde_json::json;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subxt::backend::LegacyBackend;
use subxt::client::OnlineClient;
use subxt::rpcs::RpcClient;
use tokio::sync::Mutex;

/// The subnet that the chain begins with.
pub(crate) const NETUID: u16 = 1;
/// The seed of //Alice, who owns the chain's money.
const ALICE: &str = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";

/// The one node of all these tests: the process ends with them.
pub(crate) fn node() -> Option<&'static Chopsticks> {
    static NODE: OnceLock<Option<Chopsticks>> = OnceLock::new();
    let node = NODE.get_or_init(|| {
        let node = Chopsticks::start()?;
        node.set_storage(json!({"SubtensorModule": {
            "MaxRegistrationsPerBlock": [[[NETUID], 100]],
            "TargetRegistrationsPerInterval": [[[NETUID], 100]],
            "WeightsSetRateLimit": [[[NETUID], 0]],
        }}));
        Some(node)
    });
    node.as_ref()
}

/// The subnet, over these nodes.
pub(crate) fn subnet(nodes: &[String]) -> Subtensor {
    Subtensor::new(Settings {
        network: nodes.join(",").parse().unwrap(),
        netuid: NETUID,
        mechanism: 0,
        tls: rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
        patience: Duration::from_mins(1),
        answering: Duration::from_secs(5),
    })
}

/// Alice's coldkey, in a file as wallets write it.
pub(crate) fn coldkey() -> Coldkey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("coldkey");
    std::fs::write(&path, json!({"cryptoType": 1, "secretSeed": ALICE}).to_string()).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    open_coldkey(&path, None, Place::Host).unwrap()
}

/// A hotkey that takes part.
pub(crate) async fn registered(node: &Chopsticks, seed: u8) -> Hotkey {
    // Alice's calls have numbers, too.
    static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::const_new(());
    let _alone = ONE_AFTER_THE_OTHER.lock().await;
    let hotkey = Hotkey::of_seed(&[seed; 32]).unwrap();
    subnet(&[node.url()]).register(&coldkey(), hotkey.address(), 1_000_000_000_000).await.unwrap();
    hotkey
}

/// How often a hotkey was bound to something, and set weights: by the events of all of the chain's blocks.
pub(crate) async fn counted(node: &Chopsticks, pallet: &str, event: &str, hotkey: &Hotkey) -> usize {
    let rpc = RpcClient::from_insecure_url(node.url()).await.unwrap();
    let backend = LegacyBackend::<Types>::builder().build(rpc);
    let client = OnlineClient::<Types>::from_backend_with_config(Types::default(), Arc::new(backend)).await.unwrap();
    let mut count = 0;
    for number in 1..=node.head() {
        let events = client.at_block(number).await.unwrap().events().fetch().await.unwrap();
        for found in events.iter() {
            let found = found.unwrap();
            let is_of = found.field_bytes().windows(32).any(|bytes| bytes == hotkey.address().bytes());
            count += usize::from(found.pallet_name() == pallet && found.event_name() == event && is_of);
        }
    }
    count
}
