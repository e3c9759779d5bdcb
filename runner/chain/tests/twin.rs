//! A subnet in a ledger, as miners and validators use it.
use automl_chain::seen::{Seen, Sight};
use automl_chain::twin::{Genesis, Twin, scope};
use automl_chain::{Call, Chain as _, ChainError, Commitment, History, Refused, Weight};
use automl_keys::{Address, Hotkey};
use automl_ledger::{Database, Entry, Filter, Kind, Ledger, Name};
use std::slice;
use std::sync::Arc;

const NETUID: u16 = 7;

fn key(number: u8) -> Hotkey {
    Hotkey::of_seed(&[number; 32]).unwrap()
}

fn owner() -> Hotkey {
    key(255)
}

/// A subnet whose blocks are made by hand, ten of them an epoch.
fn genesis() -> Genesis {
    Genesis {
        block_milliseconds: 0,
        tempo: 10,
        weights_every: 5,
        commitments_every: 5,
        immunity: 20,
        version: 3,
        ..Genesis::new(owner().address())
    }
}

struct Subnet {
    _folder: tempfile::TempDir,
    ledger: Arc<dyn Ledger>,
    twin: Twin,
}

impl Subnet {
    async fn new(genesis: &Genesis) -> Subnet {
        let folder = tempfile::tempdir().unwrap();
        let ledger: Arc<dyn Ledger> =
            Arc::new(Database::open(folder.path().join("ledger.db").to_str().unwrap()).await.unwrap());
        Twin::create(&*ledger, NETUID, genesis).await.unwrap();
        let twin = Twin::keeping(Arc::clone(&ledger), NETUID).await.unwrap();
        Subnet { _folder: folder, ledger, twin }
    }

    /// With these admitted, at these stakes, an epoch later.
    async fn of(stakes: &[u64]) -> Subnet {
        let subnet = Subnet::new(&genesis()).await;
        for (number, stake) in stakes.iter().enumerate() {
            let hotkey = key(number as u8).address();
            subnet.twin.submit(&owner(), Call::Admit { hotkey, stake: *stake }).await.unwrap();
        }
        subnet.twin.advance(10).await.unwrap();
        subnet
    }

    async fn refuses(&self, by: &Hotkey, call: Call) -> Refused {
        let before = self.records().await;
        let refused = match self.twin.submit(by, call).await {
            Err(ChainError::Refused(refused)) => refused,
            other => panic!("it is refused, not {other:?}"),
        };
        assert_eq!(self.records().await, before, "nothing is stored");
        refused
    }

    async fn records(&self) -> u64 {
        self.ledger.status().await.unwrap().records
    }
}

fn commit(text: &str) -> Call {
    Call::Commit { text: text.to_owned() }
}

fn weights(weights: &[(u16, u16)]) -> Call {
    let weights = weights.iter().map(|(uid, value)| Weight { uid: *uid, value: *value }).collect();
    Call::SetWeights { weights, version: 3 }
}

#[tokio::test]
async fn what_a_chain_refuses_is_refused_in_words_and_not_stored() {
    let subnet = Subnet::of(&[1_000, 0]).await;
    let (validator, miner, stranger) = (key(0), key(1), key(9));
    let address = Hotkey::address;
    assert_eq!(subnet.refuses(&stranger, commit("x")).await, Refused::NotRegistered(address(&stranger)));
    let closed = Refused::Closed { owner: address(&owner()), hotkey: address(&stranger) };
    assert_eq!(subnet.refuses(&stranger, Call::Register).await, closed);
    assert_eq!(subnet.refuses(&miner, Call::Register).await, Refused::Registered(address(&miner)));
    let not_owner = Refused::NotOwner { owner: address(&owner()), hotkey: address(&miner) };
    let admit = Call::Admit { hotkey: address(&stranger), stake: 1 };
    assert_eq!(subnet.refuses(&miner, admit).await, not_owner);
    assert_eq!(subnet.refuses(&miner, commit("")).await, Refused::Length(0));
    assert_eq!(subnet.refuses(&miner, commit(&"x".repeat(129))).await, Refused::Length(129));
    subnet.twin.submit(&miner, commit(&"x".repeat(128))).await.unwrap();
    assert_eq!(subnet.refuses(&miner, commit("y")).await, Refused::TooSoon { from: 15, block: 10 });
    assert_eq!(subnet.refuses(&miner, weights(&[(0, 1)])).await, Refused::NoPermit(address(&miner)));
    let other = Call::SetWeights { weights: vec![Weight { uid: 1, value: 1 }], version: 2 };
    assert_eq!(subnet.refuses(&validator, other).await, Refused::Version { given: 2, wanted: 3 });
    for none in [&[][..], &[(1, 0)], &[(2, 1)], &[(1, 1), (1, 2)]] {
        let refused = subnet.refuses(&validator, weights(none)).await;
        assert!(matches!(refused, Refused::Weights(_)), "{refused}");
    }
    subnet.twin.submit(&validator, weights(&[(1, 1)])).await.unwrap();
    let soon = Refused::TooSoon { from: 15, block: 10 };
    assert_eq!(subnet.refuses(&validator, weights(&[(1, 2)])).await, soon);
    subnet.twin.advance(5).await.unwrap();
    subnet.twin.submit(&validator, weights(&[(1, 2)])).await.unwrap();
    assert_eq!(subnet.twin.submit(&miner, commit("y")).await.unwrap().block, 15);
}

/// By hand: the second validator's weight for uid 3 is clipped to what the first gives, who has more than half of the stake.
#[tokio::test]
async fn an_epoch_pays_what_validators_of_most_of_the_stake_agree_on() {
    let subnet = Subnet::of(&[600, 400, 0, 0]).await;
    subnet.twin.submit(&key(0), weights(&[(2, 49_149), (3, 16_383)])).await.unwrap();
    subnet.twin.submit(&key(1), weights(&[(3, 65_535)])).await.unwrap();
    subnet.twin.advance(10).await.unwrap();
    let neurons = subnet.twin.metagraph().await.unwrap().neurons;
    let shares = |of: fn(&automl_chain::Neuron) -> u16| neurons.iter().map(of).collect::<Vec<_>>();
    assert_eq!(shares(|neuron| neuron.incentive), [0, 0, 42_130, 23_405]);
    assert_eq!(shares(|neuron| neuron.dividends), [56_173, 9_362, 0, 0]);
    assert_eq!(shares(|neuron| neuron.trust), [0, 0, 65_535, 29_789]);
    assert_eq!(shares(|neuron| neuron.consensus), [0, 0, 49_151, 16_384]);
    assert_eq!(shares(|neuron| neuron.validator_trust), [65_535, 16_384, 0, 0]);
    let emission: Vec<u64> = neurons.iter().map(|neuron| neuron.emission).collect();
    assert_eq!(emission[2], 3_214_285_714);
    assert!((9_999_999_990..=10_000_000_000).contains(&emission.iter().sum::<u64>()), "{emission:?}");
}

#[tokio::test]
async fn whoever_reads_the_ledger_sees_the_same_and_what_is_forged_has_no_effect() {
    let subnet = Subnet::of(&[600, 400, 0]).await;
    subnet.twin.submit(&key(0), weights(&[(2, 1)])).await.unwrap();
    subnet.twin.submit(&key(2), commit("owner/name:hash")).await.unwrap();
    let all = subnet.ledger.all(&Filter { kind: Some(Kind::Commitment), scope: Some(scope(NETUID)) }, 0).await.unwrap();
    let honest = String::from_utf8(all[0].body.clone()).unwrap();
    let named = |key: String| Name::new(Kind::Commitment, scope(NETUID), key).unwrap();
    let (miner, other) = (key(2).address(), key(1).address());
    let forged = [
        (format!("{miner}.1"), honest.clone()),
        (format!("{other}.0"), honest.clone()),
        (format!("{miner}.2"), honest.replace("owner/name", "thief/name")),
        (format!("{other}.1"), honest.replace(&miner.to_string(), &other.to_string())),
        ("x".to_owned(), "x".to_owned()),
    ];
    for (key, body) in forged {
        subnet.ledger.append(vec![Entry { name: named(key), body: body.into() }]).await.unwrap();
    }
    subnet.twin.advance(10).await.unwrap();
    let seen = subnet.twin.metagraph().await.unwrap();
    let another = Twin::open(Arc::clone(&subnet.ledger), NETUID).await.unwrap();
    assert_eq!(another.metagraph().await.unwrap(), seen);
    let commitments = another.commitments().await.unwrap();
    assert_eq!(commitments.len(), 1);
    assert_eq!(
        (commitments[0].hotkey, commitments[0].text.as_str(), commitments[0].block),
        (miner, "owner/name:hash", 10)
    );
    assert_eq!(seen.neurons[2].incentive, 65_535);
}

#[tokio::test]
async fn a_blocks_hash_is_its_own_and_is_not_there_before() {
    let (one, two) = (Subnet::of(&[1]).await, Subnet::of(&[1]).await);
    assert!(one.twin.block(11).await.unwrap().is_none());
    let block = one.twin.advance(3).await.unwrap();
    assert_eq!(block.number, 13);
    assert_eq!(one.twin.block(11).await.unwrap(), Some(block), "the first at this height or above");
    assert_ne!(two.twin.advance(3).await.unwrap().hash, block.hash);
    let reread = Twin::open(Arc::clone(&one.ledger), NETUID).await.unwrap();
    assert_eq!(reread.block(13).await.unwrap(), Some(block));
}

#[tokio::test]
async fn two_who_use_one_hotkey_at_once_lose_no_call_and_say_none_twice() {
    let subnet = Subnet::new(&Genesis { commitments_every: 0, open: true, ..genesis() }).await;
    let other = Twin::open(Arc::clone(&subnet.ledger), NETUID).await.unwrap();
    subnet.twin.submit(&key(1), Call::Register).await.unwrap();
    let mut numbers = Vec::new();
    for _ in 0..20 {
        let miner = key(1);
        for included in <[_; 2]>::from(tokio::join!(
            subnet.twin.submit(&miner, commit("ours")),
            other.submit(&miner, commit("theirs"))
        )) {
            match included {
                Ok(included) => numbers.push(included.number),
                Err(ChainError::Refused(Refused::Number { .. })) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    numbers.sort_unstable();
    let all: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert!(numbers.len() >= 20);
    assert_eq!(numbers, all, "each number once, and none is missing");
}

#[tokio::test]
async fn who_earns_least_gives_way_once_it_is_not_immune() {
    let subnet = Subnet::new(&Genesis { neurons: 2, open: true, ..genesis() }).await;
    subnet.twin.submit(&owner(), Call::Admit { hotkey: key(0).address(), stake: 100 }).await.unwrap();
    subnet.twin.submit(&key(1), Call::Register).await.unwrap();
    assert_eq!(subnet.refuses(&key(2), Call::Register).await, Refused::Full(2));
    subnet.twin.advance(10).await.unwrap();
    subnet.twin.submit(&key(0), weights(&[(1, 1)])).await.unwrap();
    subnet.twin.submit(&key(1), commit("mine")).await.unwrap();
    subnet.twin.advance(10).await.unwrap();
    subnet.twin.submit(&key(2), Call::Register).await.unwrap();
    let hotkeys: Vec<Address> = subnet.twin.metagraph().await.unwrap().neurons.iter().map(|one| one.hotkey).collect();
    assert!(hotkeys.contains(&key(2).address()) && hotkeys.len() == 2, "{hotkeys:?}");
}

#[tokio::test]
async fn what_hotkeys_were_bound_to_at_any_block_is_remembered() {
    let subnet = Subnet::new(&Genesis { neurons: 1, open: true, ..genesis() }).await;
    let (one, two) = (key(1), key(2));
    subnet.twin.submit(&one, Call::Register).await.unwrap();
    subnet.twin.submit(&one, commit("first")).await.unwrap();
    subnet.twin.advance(10).await.unwrap();
    subnet.twin.submit(&one, commit("second")).await.unwrap();
    subnet.twin.advance(10).await.unwrap();
    // The only place: who had it is bound no more.
    subnet.twin.submit(&two, Call::Register).await.unwrap();
    subnet.twin.submit(&two, commit("other")).await.unwrap();
    let bound =
        |hotkey: &Hotkey, text: &str, block| Commitment { hotkey: hotkey.address(), text: text.to_owned(), block };
    let (first, second, other) = (bound(&one, "first", 0), bound(&one, "second", 10), bound(&two, "other", 20));
    for twin in [&subnet.twin, &Twin::open(Arc::clone(&subnet.ledger), NETUID).await.unwrap()] {
        assert_eq!(twin.commitments().await.unwrap(), slice::from_ref(&other));
        for (block, at, history) in [
            (9, &first, vec![first.clone()]),
            (10, &second, vec![first.clone(), second.clone()]),
            (19, &second, vec![first.clone(), second.clone()]),
            (20, &other, vec![first.clone(), second.clone(), other.clone()]),
        ] {
            assert_eq!(twin.commitments_at(block).await.unwrap().as_deref(), Some(slice::from_ref(at)), "{block}");
            let all = History { commitments: history, complete: true };
            assert_eq!(twin.history(block).await.unwrap(), all, "{block}");
        }
    }
}

#[tokio::test]
async fn what_was_bound_is_kept_from_when_it_was_seen_and_filled_in_from_a_chain_that_remembers() {
    let subnet = Subnet::new(&Genesis { commitments_every: 0, open: true, ..genesis() }).await;
    let miner = key(1);
    subnet.twin.submit(&miner, Call::Register).await.unwrap();
    subnet.twin.submit(&miner, commit("first")).await.unwrap();
    subnet.twin.advance(10).await.unwrap();
    subnet.twin.submit(&miner, commit("second")).await.unwrap();
    subnet.twin.advance(5).await.unwrap();
    let seen = Seen::of(&subnet.twin, &*subnet.ledger, NETUID).await.unwrap();
    let sight = |text: &str, block, seen| Sight {
        commitment: Commitment { hotkey: miner.address(), text: text.to_owned(), block },
        seen,
    };
    assert_eq!((seen.keep().await.unwrap(), seen.keep().await.unwrap()), (1, 0));
    assert_eq!(seen.all().await.unwrap(), [sight("second", 10, 15)]);
    subnet.twin.advance(5).await.unwrap();
    assert!(seen.rebuild().await.unwrap(), "a ledger forgets nothing");
    assert_eq!(seen.all().await.unwrap(), [sight("first", 0, 20), sight("second", 10, 15)]);
    assert_eq!(seen.keep().await.unwrap(), 0);
}

#[tokio::test]
async fn a_pause_of_any_length_ends() {
    let subnet = Subnet::of(&[1_000, 0]).await;
    subnet.twin.submit(&key(0), weights(&[(1, 1)])).await.unwrap();
    let block = subnet.twin.advance(u64::MAX).await.unwrap();
    assert_eq!(block.number, u64::MAX);
    assert_eq!(subnet.twin.advance(1).await.unwrap(), block, "there is none above");
}

#[tokio::test]
async fn a_subnet_is_made_once() {
    let subnet = Subnet::of(&[]).await;
    assert!(matches!(Twin::create(&*subnet.ledger, NETUID, &genesis()).await, Err(ChainError::Exists(NETUID))));
    assert!(matches!(Twin::open(Arc::clone(&subnet.ledger), 8).await, Err(ChainError::NoSubnet(8))));
}
