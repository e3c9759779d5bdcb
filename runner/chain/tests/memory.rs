//! Who asks a chain for ever needs no more memory than who asks it for a while: a program of its own, because it counts its memory.
mod common;

use automl_chain::subtensor::{Settings, Subtensor};
use automl_chain::twin::{Genesis, Twin};
use automl_chain::{Call, Chain, Weight};
use automl_keys::Hotkey;
use automl_ledger::{Database, Ledger};
use common::chopsticks::Chopsticks;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// One after the other: both count the memory of all.
static ALONE: Mutex<()> = Mutex::const_new(());
/// What may come and go: caches of allocators and databases.
const SLACK: usize = 6 * 1024 * 1024;

/// Bytes that this process has in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Looks at a chain as services do.
async fn look(chain: &dyn Chain) {
    let metagraph = chain.metagraph().await.unwrap();
    assert!(!metagraph.neurons.is_empty());
    chain.commitments().await.unwrap();
    chain.block(metagraph.block.number).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_thousand_epochs_of_a_twin() {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger: Arc<dyn Ledger> = Arc::new(Database::open(path.to_str().unwrap()).await.unwrap());
    let key = |number: u8| Hotkey::of_seed(&[number; 32]).unwrap();
    let genesis = Genesis { block_milliseconds: 0, tempo: 10, weights_every: 0, ..Genesis::new(key(0).address()) };
    Twin::create(&*ledger, 1, &genesis).await.unwrap();
    let twin = Twin::keeping(ledger, 1).await.unwrap();
    for number in 0..16 {
        let admit = Call::Admit { hotkey: key(number).address(), stake: 1000 };
        twin.submit(&key(0), admit).await.unwrap();
    }
    let mut before = 0;
    for epoch in 0..1000 {
        twin.advance(10).await.unwrap();
        let weights = vec![Weight { uid: epoch % 16, value: 1 }, Weight { uid: (epoch + 1) % 16, value: 2 }];
        twin.submit(&key(3), Call::SetWeights { weights, version: 0 }).await.unwrap();
        look(&twin).await;
        if epoch == 200 {
            before = resident();
        }
    }
    let more = resident().saturating_sub(before);
    println!("{more} bytes more after 800 epochs");
    assert!(more < SLACK, "{more} bytes more than at the 200th epoch");
}

#[tokio::test]
async fn twenty_epochs_of_the_runtime() {
    let Some(node) = Chopsticks::start() else { return };
    let _alone = ALONE.lock().await;
    node.set_storage(json!({"SubtensorModule": {"Tempo": [[[1], 1]]}}));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = Subtensor::new(Settings {
        network: node.url().parse().unwrap(),
        netuid: 1,
        mechanism: 0,
        tls: tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        patience: Duration::from_mins(1),
        answering: Duration::from_secs(20),
    });
    let mut before = 0;
    for epoch in 0..25 {
        node.new_blocks(2);
        look(&chain).await;
        if epoch == 4 {
            before = resident();
        }
    }
    let more = resident().saturating_sub(before);
    println!("{more} bytes more after 20 epochs");
    assert!(more < SLACK, "{more} bytes more than at the 5th epoch");
}
