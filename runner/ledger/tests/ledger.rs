//! What every ledger promises, on each database, embedded and served.
mod common;

use automl_ledger::{Appended, Digest, Filter, Kind, LedgerError, MAX_BODY, Name, Record};
use common::{behind_its_back, entry, places};
use std::collections::BTreeSet;

fn new(seq: u64) -> Appended {
    Appended { seq, new: true }
}

fn keys(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.name.key()).collect()
}

#[tokio::test]
async fn what_is_appended_is_read_back_in_order() {
    for place in places().await {
        let (what, ledger) = (place.what, &place.ledger);
        let every_byte: Vec<u8> = (0..=255).collect();
        let first = ledger.append(vec![entry(Kind::Run, "digits", "spec", "{}")]).await.unwrap();
        let more = vec![
            entry(Kind::Packet, "digits", "0.1", every_byte.clone()),
            entry(Kind::Packet, "other", "0.1", ""),
            entry(Kind::Gene, "digits", "b", "square(x)"),
            entry(Kind::Gene, "digits", "a", "square(y)"),
        ];
        assert_eq!((first, ledger.append(more).await.unwrap()), (vec![new(1)], (2..6).map(new).collect()), "{what}");
        let name = Name::new(Kind::Packet, "digits", "0.1").unwrap();
        let record = ledger.get(&name).await.unwrap().unwrap();
        assert_eq!((record.seq, &record.body, &record.name), (2, &every_byte, &name), "{what}");
        assert!(record.at > 1_700_000_000_000, "milliseconds since 1970, {what}");
        let absent = Name::new(Kind::Packet, "digits", "0.2").unwrap();
        assert_eq!(ledger.get(&absent).await.unwrap(), None, "{what}");
        let list = |kind, scope: Option<&str>, after, limit| {
            let filter = Filter { kind, scope: scope.map(str::to_owned) };
            async move { ledger.list(&filter, after, limit).await.unwrap() }
        };
        assert_eq!(keys(&list(None, None, 0, 100).await), ["spec", "0.1", "0.1", "b", "a"], "{what}");
        assert_eq!(keys(&list(None, None, 1, 3).await), ["0.1", "0.1", "b"], "{what}");
        assert_eq!(keys(&list(None, Some("digits"), 1, 2).await), ["0.1", "b"], "{what}");
        assert_eq!(keys(&list(Some(Kind::Gene), None, 0, 9).await), ["b", "a"], "{what}");
        assert_eq!(keys(&list(Some(Kind::Packet), Some("other"), 0, 9).await), ["0.1"], "{what}");
        assert_eq!(list(None, None, u64::MAX, 9).await, [], "{what}");
        let status = ledger.status().await.unwrap();
        assert!(what.starts_with(&status.database), "{status:?}");
        assert_eq!((status.records, status.kinds["gene"], status.kinds["packet"], status.kinds["run"]), (5, 2, 2, 1));
        assert!(status.bytes > 0, "{what}");
        let verified = ledger.verify().await.unwrap();
        assert_eq!((verified.records, verified.head), (5, status.head), "{what}");
    }
}

#[tokio::test]
async fn the_same_again_is_no_error_and_another_body_is_a_conflict() {
    for place in places().await {
        let (what, ledger) = (place.what, &place.ledger);
        let packet = |body: &str| entry(Kind::Packet, "run", "1.5", body);
        assert_eq!(ledger.append(vec![packet("one")]).await.unwrap(), [new(1)], "{what}");
        let again = ledger.append(vec![packet("one"), entry(Kind::Gene, "run", "g", "x")]).await.unwrap();
        assert_eq!(again, [Appended { seq: 1, new: false }, new(2)], "{what}");
        match ledger.append(vec![packet("two")]).await {
            Err(LedgerError::Conflict { name, seq }) => assert_eq!((name.key(), seq), ("1.5", 1), "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        // Of a request with a conflict nothing is stored; nor of one that contradicts itself.
        for second in [packet("two"), entry(Kind::Gene, "run", "h", "y")] {
            let entries = vec![entry(Kind::Gene, "run", "h", "x"), second];
            let refused = ledger.append(entries).await.unwrap_err().to_string();
            assert!(refused.contains("another content"), "{what}: {refused}");
        }
        assert_eq!(ledger.status().await.unwrap().records, 2, "{what}");
        let twice = entry(Kind::Gene, "run", "i", "z");
        let appended = ledger.append(vec![twice.clone(), twice]).await.unwrap();
        assert_eq!(appended, [new(3), Appended { seq: 3, new: false }], "{what}");
        assert_eq!(ledger.append(Vec::new()).await.unwrap(), [], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_numbers_without_a_gap() {
    const TASKS: usize = 8;
    const EACH: usize = 40;
    for place in places().await {
        // Every entry comes from two tasks: only one of them stores it.
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let ledger = std::sync::Arc::clone(&place.ledger);
                tokio::spawn(async move {
                    let mut appended = Vec::new();
                    for index in 0..EACH {
                        let key = format!("{}.{index}", task / 2);
                        let entries = vec![entry(Kind::Packet, "run", &key, key.clone())];
                        appended.extend(ledger.append(entries).await.unwrap());
                    }
                    appended
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        let fresh: Vec<u64> = all.iter().filter(|one| one.new).map(|one| one.seq).collect();
        let numbers: BTreeSet<u64> = fresh.iter().copied().collect();
        assert_eq!((fresh.len(), numbers.len()), (TASKS * EACH / 2, TASKS * EACH / 2), "{}", place.what);
        assert_eq!(numbers, (1..=(TASKS * EACH / 2) as u64).collect(), "{}", place.what);
        assert!(all.iter().all(|one| numbers.contains(&one.seq)));
        assert_eq!(place.ledger.verify().await.unwrap().records, numbers.len() as u64, "{}", place.what);
    }
}

#[tokio::test]
async fn whatever_is_done_behind_its_back_is_found() {
    let spoilt: [(&str, u64); 6] = [
        ("UPDATE records SET body = (SELECT body FROM records WHERE seq = 1) WHERE seq = 4", 4),
        ("UPDATE records SET key = 'other' WHERE seq = 3", 3),
        ("UPDATE records SET at = at + 1 WHERE seq = 5", 5),
        ("DELETE FROM records WHERE seq = 2", 2),
        ("UPDATE records SET sum = (SELECT sum FROM records WHERE seq = 2) WHERE seq = 3", 3),
        ("UPDATE records SET kind = 'unheard' WHERE seq = 2", 2),
    ];
    for (statement, damaged) in spoilt {
        for place in places().await {
            for index in 0..6 {
                let entries = vec![entry(Kind::Gene, "run", &format!("g{index}"), format!("gene {index}"))];
                place.ledger.append(entries).await.unwrap();
            }
            assert_eq!(place.ledger.verify().await.unwrap().records, 6);
            behind_its_back(&place.address, statement).await;
            let found = place.ledger.verify().await.unwrap_err().to_string();
            assert!(found.contains(&format!("record {damaged}:")), "{}: {statement}: {found}", place.what);
        }
    }
}

/// Whatever is asked for, an answer has a bounded size.
#[tokio::test]
async fn pages_of_large_records_are_short() {
    for place in places().await {
        for index in 0..7 {
            let entries = vec![entry(Kind::Checkpoint, "run", &index.to_string(), vec![index; MAX_BODY])];
            assert_eq!(place.ledger.append(entries).await.unwrap(), [new(u64::from(index) + 1)]);
        }
        let first = place.ledger.list(&Filter::default(), 0, 100).await.unwrap();
        assert_eq!(keys(&first), ["0", "1", "2", "3"], "{}", place.what);
        assert_eq!(keys(&place.ledger.list(&Filter::default(), 4, 100).await.unwrap()), ["4", "5", "6"]);
        assert_eq!(place.ledger.verify().await.unwrap().records, 7);
        let more = vec![entry(Kind::Checkpoint, "run", "more", vec![0; MAX_BODY + 1])];
        let refused = place.ledger.append(more).await.unwrap_err().to_string();
        assert!(refused.contains("4194305 bytes"), "{}: {refused}", place.what);
    }
}

/// Only a sum that was noted elsewhere tells that the end was cut off.
#[tokio::test]
async fn the_head_tells_of_all_that_is_before_it() {
    for place in places().await {
        for index in 0..3 {
            place.ledger.append(vec![entry(Kind::Gene, "run", &index.to_string(), "x")]).await.unwrap();
        }
        let head = place.ledger.status().await.unwrap().head;
        // Any head there ever was, that of the empty ledger too.
        for noted in [head, Digest::NONE] {
            assert_eq!(place.ledger.verify_since(noted).await.unwrap().head, head);
        }
        behind_its_back(&place.address, "DELETE FROM records WHERE seq = 3").await;
        let cut = place.ledger.verify().await.unwrap();
        assert_eq!(cut.records, 2);
        assert_ne!(cut.head, head);
        let said = place.ledger.verify_since(head).await.unwrap_err().to_string();
        assert!(said.contains(&head.to_string()) && said.contains("cut off or replaced"), "{said}");
    }
}

/// Computed independently: `printf '%s' … | sha256sum` over the bytes that the documentation of the sum names.
#[test]
fn a_checksum_is_sha256() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Digest::of(b"").to_string(), empty);
    assert_eq!(Digest::from_hex(empty), Some(Digest::of(b"")));
    for text in ["", "e3", &empty.replace('e', "g"), &format!("{empty}00"), &"é".repeat(32)] {
        assert_eq!(Digest::from_hex(text), None, "{text}");
    }
}

#[test]
fn names_have_bounds() {
    assert!(Name::new(Kind::Run, "a", "B-9_.x").is_ok());
    assert!(Name::new(Kind::Run, "a".repeat(253), "x").is_ok());
    for (scope, key) in
        [("", "x"), ("x", ""), ("a b", "x"), ("x", "a/b"), ("x", "ü"), ("x", "\0"), (&"a".repeat(254), "x")]
    {
        let error = Name::new(Kind::Run, scope, key).unwrap_err().to_string();
        assert!(error.starts_with("a scope ") || error.starts_with("a key "), "{error}");
    }
    assert!("nonsense".parse::<Kind>().unwrap_err().to_string().contains("checkpoint"));
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let refusal = async |place: &str| automl_ledger::Database::open(place).await.map(drop).unwrap_err().to_string();
    std::fs::write(folder.path().join("text"), "no database").unwrap();
    for place in [path("absent/ledger.db"), path("text"), folder.path().to_str().unwrap().to_owned()] {
        let said = refusal(&place).await;
        assert!(said.starts_with(&format!("cannot open the ledger {place}: ")), "{said}");
    }
    let said = refusal("postgres://me:secret@127.0.0.1:1/x").await;
    assert!(said.contains("me:") && !said.contains("secret"), "{said}");
    let newer = path("newer.db");
    automl_ledger::Database::open(&newer).await.unwrap().close().await;
    behind_its_back(&newer, "UPDATE ledger SET format = 2").await;
    let said = refusal(&newer).await;
    assert!(said.contains("format 2") && said.contains("newer one"), "{said}");
}
