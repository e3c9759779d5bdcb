//! `runner chain`: a subnet in a file and in a served ledger, from the command line and by strangers' requests.
mod common;
#[path = "ledger/served.rs"]
mod served;

use automl_ledger::{Entry, Kind, Ledger as _, LedgerError, Name, Remote};
use common::subnet::{MINER, OWNER, Place};
use common::{runner, said, succeed};
use serde_json::Value;
use served::Server;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_subnet_lives_in_a_file_and_who_is_weighed_earns() {
    let (place, ledger) = (Place::new(), Place::ledger);
    let ledger = ledger(&place);
    place.create("0");
    for (who, stake) in [(OWNER, "1000"), (MINER, "0")] {
        succeed(&mut place.chain(&ledger, &["admit", "--hotkey", "owner", who, "--stake", stake]));
    }
    let committed = place.json(&ledger, &["commit", "--hotkey", "miner", "owner/name:0123"]);
    assert_eq!(committed["block"], 0);
    place.fails(&ledger, &["weights", "--hotkey", "owner", "1=65535"], 78, "no validator permit");
    succeed(&mut place.chain(&ledger, &["advance", "5"]));
    succeed(&mut place.chain(&ledger, &["weights", "--hotkey", "owner", "1=65535"]));
    succeed(&mut place.chain(&ledger, &["advance", "5"]));
    let metagraph = place.json(&ledger, &["metagraph"]);
    assert_eq!(metagraph["neurons"][1]["hotkey"], MINER);
    assert_eq!(metagraph["neurons"][1]["incentive"], 65_535);
    assert_eq!(metagraph["neurons"][0]["dividends"], 65_535);
    let commitments = place.json(&ledger, &["commitments"]);
    assert_eq!((commitments["hotkey"].as_str(), commitments["text"].as_str()), (Some(MINER), Some("owner/name:0123")));
    let table = succeed(&mut place.chain(&ledger, &["metagraph"]));
    assert!(said(&table).contains(MINER), "{}", said(&table));
}

#[test]
fn what_is_wrong_is_named_and_nothing_of_a_key_is_said() {
    let place = Place::new();
    let ledger = place.ledger();
    place.fails(&ledger, &["metagraph"], 78, "there is no ledger");
    place.create("0");
    let again = ["chain", "create", &ledger, "--netuid", "7", "--owner", OWNER, "--tempo", "5"];
    let again = runner().args(again).output().unwrap();
    assert_eq!(again.status.code(), Some(78), "{}", said(&again));
    assert!(said(&again).contains("has a subnet 7 already"), "{}", said(&again));
    place.fails(&ledger, &["register", "--hotkey", "miner"], 78, "ask the subnet's owner");
    place.fails(&ledger, &["register", "--hotkey", "coldkey"], 78, "coldkey");
    place.fails(&ledger, &["register", "--hotkey", "nowhere"], 78, "cannot read nowhere");
    place.fails(&ledger, &["admit", "--hotkey", "owner", "5abc"], 64, "not an SS58 address");
    place.fails(&ledger, &["weights", "--hotkey", "owner", "1:2"], 64, "is no UID=WEIGHT");
    place.fails(&ledger, &["weights", "--hotkey", "owner", "70000=2"], 64, "is no UID=WEIGHT");
    set_permissions(place.file("miner"), Permissions::from_mode(0o644)).unwrap();
    place.fails(&ledger, &["commit", "--hotkey", "miner", "x"], 78, "has mode 0644");
    let seed: Value = serde_json::from_slice(&std::fs::read(place.file("miner")).unwrap()).unwrap();
    let seed = seed["secretSeed"].as_str().unwrap().trim_start_matches("0x");
    let ran = place.chain(&ledger, &["commit", "--hotkey", "miner", "x"]).output().unwrap();
    assert!(seed.len() == 64 && !said(&ran).contains(seed));
}

#[tokio::test]
async fn a_served_subnet_takes_what_is_signed_and_nothing_else() {
    let place = Place::new();
    place.create("50");
    let mut server = Server::start(&place.ledger(), &["--subnet", "7"]);
    succeed(&mut place.chain(&server.url, &["admit", "--hotkey", "owner", OWNER, "--stake", "1000"]));
    succeed(&mut place.chain(&server.url, &["admit", "--hotkey", "owner", MINER]));
    let committed = place.json(&server.url, &["commit", "--hotkey", "miner", "owner/name:0123"]);
    let (call, block) = (committed["number"].as_u64().unwrap(), committed["block"].as_u64().unwrap());

    let remote = Remote::new(&server.url, None).unwrap();
    let name = |kind, key: &str| Name::new(kind, "subnet.7", key).unwrap();
    let honest = remote.get(&name(Kind::Commitment, &format!("{MINER}.{call}"))).await.unwrap().unwrap().body;
    let honest = String::from_utf8(honest).unwrap();
    let next = format!("{MINER}.{}", call + 1);
    let forged = [
        (Kind::Block, "99999999", "00".repeat(32), "made by the ledger alone"),
        (Kind::Commitment, &next, "{}".to_owned(), "this is no call"),
        (Kind::Commitment, &next, "x".repeat(70_000), "65536 are the most"),
        (Kind::Commitment, &next, honest.clone(), "is not the name of this call"),
        (Kind::Commitment, &next, honest.replace("owner/", "thief/"), "the signature is not of"),
        (Kind::Gene, "x", "x".to_owned(), "this is no call"),
    ];
    let before =
        remote.list(&automl_ledger::Filter { kind: Some(Kind::Commitment), scope: None }, 0, 100).await.unwrap();
    for (kind, key, body, says) in forged {
        let appended = remote.append(vec![Entry { name: name(kind, key), body: body.into() }]).await;
        let Err(LedgerError::Refused { status, detail, .. }) = appended else { panic!("{kind}/{key}: {appended:?}") };
        assert!(status == 422 && detail.contains(says), "{says}: {status} {detail}");
    }
    let elsewhere = Name::new(Kind::Commitment, "subnet.8", &next).unwrap();
    let refused = remote.append(vec![Entry { name: elsewhere, body: honest.clone().into() }]).await;
    assert!(matches!(refused, Err(LedgerError::Refused { status: 422, .. })), "{refused:?}");
    // Who had no answer asks again.
    let again = Entry { name: name(Kind::Commitment, &format!("{MINER}.{call}")), body: honest.into() };
    assert!(!remote.append(vec![again]).await.unwrap()[0].new);
    let after =
        remote.list(&automl_ledger::Filter { kind: Some(Kind::Commitment), scope: None }, 0, 100).await.unwrap();
    assert_eq!(after, before, "nothing of it is stored");

    server.kill_and_start();
    let kept = place.json(&server.url, &["commitments"]);
    assert_eq!((kept["text"].as_str(), kept["block"].as_u64()), (Some("owner/name:0123"), Some(block)));

    // Blocks come by themselves, and with them the epoch's end and the permit.
    let newest = || place.json(&server.url, &["metagraph"]);
    while newest()["block"]["number"].as_u64().unwrap() < block + 10 {}
    assert_eq!(newest()["neurons"][0]["permit"], true);
    assert_eq!(newest()["neurons"][1]["permit"], false);
    place.fails(&server.url, &["advance", "1"], 78, "every 50 ms");
}
