//! What servers answer, and how much of it is read.
use crate::common::{FILE, MOST, access, among, at, barred, bounds, page, passing, refused, status, too_large};
use crate::peer::{Asked, Peer, Wire};
use automl_ledger::{Database, Entry, Kind, Ledger as _, Name};
use automl_publish::{Access, Bounds, PublishError, Strangers};
use std::sync::{Arc, mpsc};
use std::time::Duration;

async fn got(peer: &Peer) -> Result<Option<String>, PublishError> {
    among(&[peer]).get(&at(&format!("{}/genes", peer.url()))).await
}

async fn answered(answer: impl Into<Vec<u8>>) -> Result<Option<String>, PublishError> {
    got(&Peer::saying(answer)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_under_its_hash() {
    let peer = Peer::saying(page(FILE));
    let commitment = at(&format!("{}/genes", peer.url()));
    assert_eq!(among(&[&peer]).get(&commitment).await.unwrap().as_deref(), Some(FILE));
    let paths: Vec<String> = peer.asked().iter().map(|asked| asked.path().to_owned()).collect();
    assert_eq!(paths, [format!("/genes/{}.json", commitment.hash())]);
    assert_eq!(answered(status("404 Not Found")).await.unwrap(), None);
    assert_eq!(answered(status("410 Gone")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_fail_or_refuse() {
    for line in ["500 Oh", "503 Busy", "599 What", "429 Slow down", "408 Late"] {
        passing(answered(status(line)).await, &line[..3]);
    }
    for line in ["400 Bad", "418 Teapot", "304 Same", "300 Many"] {
        refused(answered(status(line)).await, &line[..3]);
    }
    for line in ["401 Who", "403 No"] {
        refused(answered(status(line)).await, "it is not there, or not for everybody to read");
    }
    passing(answered("").await, "http://127.0.0.1");
    passing(answered("nothing that HTTP knows\r\n\r\n").await, "http://127.0.0.1");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = Strangers::new(access(), &bounds(&["127.0.0.1"])).unwrap();
    passing(nobody.get(&at(&format!("http://{free}"))).await, "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_than_a_gene_may_have() {
    let largest = "x".repeat(MOST);
    assert_eq!(answered(page(&largest)).await.unwrap(), Some(largest.clone()));
    let unannounced = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    assert_eq!(answered(unannounced(&largest)).await.unwrap(), Some(largest.clone()));
    too_large(answered(page(&format!("{largest}x"))).await);
    too_large(answered(unannounced(&format!("{largest}x"))).await);
    let json = format!("{{\"expression\": \"{}\"}}", "x".repeat(1 << 20));
    too_large(answered(page(&json)).await);
    too_large(answered(unannounced(&json)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_as_too_large_is_not_waited_for() {
    // Whoever waited for its body would wait for ever.
    let peer = Peer::start(|_, wire| {
        wire.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40).as_bytes());
        wire.until_gone();
    });
    too_large(got(&peer).await);
    let hub = Peer::start(|_, wire| {
        wire.send(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nx-linked-size: 1000000\r\ncontent-length: 0\r\n\r\n");
    });
    let mine = Strangers::new(Access { hub: hub.url(), ..access() }, &bounds(&[])).unwrap();
    too_large(mine.get(&at("owner/name")).await);
    assert_eq!(hub.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_is_left() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for (head, part) in [("", "x".repeat(0x1000)), ("transfer-encoding: chunked\r\n", chunk)] {
        let (left, is_left) = mpsc::channel();
        let peer = Peer::start(move |_: &Asked, wire: &mut dyn Wire| {
            wire.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes());
            while wire.send(part.as_bytes()) {}
            left.send(()).unwrap();
        });
        too_large(got(&peer).await);
        is_left.recv().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_may_be_wrong() {
    let short = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{FILE}", FILE.len() + 1);
    passing(answered(short).await, "http://127.0.0.1");
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{FILE} and more", FILE.len());
    assert_eq!(answered(long).await.unwrap().as_deref(), Some(FILE));
    for length in ["-1", "x", "1\r\ncontent-length: 2", "99999999999999999999999"] {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{FILE}");
        passing(answered(text).await, "http://127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused() {
    refused(answered(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe".as_slice()).await, "no text");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_too_long_is_left() {
    let silent: fn(&mut dyn Wire) = |wire| wire.until_gone();
    let half_a_head: fn(&mut dyn Wire) = |wire| {
        wire.send(b"HTTP/1.1 200 OK\r\nx-y: ");
        wire.until_gone();
    };
    let half_a_body: fn(&mut dyn Wire) = |wire| {
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nx");
        wire.until_gone();
    };
    // Each part in time, and all of them never. As many as sockets hold, and no more than may be read.
    let small_parts: fn(&mut dyn Wire) = |wire| {
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        for _ in 0..1000 {
            wire.send(b"1\r\nx\r\n");
        }
        wire.until_gone();
    };
    let never_final: fn(&mut dyn Wire) = |wire| while wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n") {};
    for answer in [silent, half_a_head, half_a_body, small_parts, never_final] {
        let peer = Peer::start(move |_, wire| answer(wire));
        let bounds = Bounds { patience: Duration::from_millis(300), ..bounds(&["127.0.0.1"]) };
        let strangers = Strangers::new(access(), &bounds).unwrap();
        passing(strangers.get(&at(&peer.url())).await, "it took more than 300ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_is_left() {
    let peer = Peer::start(|_, wire| {
        wire.send(b"HTTP/1.1 200 OK\r\nx-y: ");
        while wire.send(&[b'x'; 0x1000]) {}
    });
    passing(got(&peer).await, "http://127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_read_and_a_folder_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Database::open(&folder.path().join("ledger.db").display().to_string()).await.unwrap();
    let here = Access { ledger: Some(Arc::new(ledger.clone())), ..access() };
    let here = Strangers::new(here, &bounds(&[])).unwrap();
    for (place, body) in [("ledger:us", FILE.to_owned()), ("ledger:them", "x".repeat(MOST + 1))] {
        let commitment = at(place);
        assert_eq!(here.get(&commitment).await.unwrap(), None);
        let name = Name::new(Kind::Gene, &place["ledger:".len()..], commitment.hash()).unwrap();
        ledger.append(vec![Entry { name, body: body.into_bytes() }]).await.unwrap();
    }
    assert_eq!(here.get(&at("ledger:us")).await.unwrap().as_deref(), Some(FILE));
    too_large(here.get(&at("ledger:them")).await);
    refused(among(&[]).get(&at("ledger:us")).await, "there is no ledger here");

    let place = format!("file://{}", folder.path().display());
    let commitment = at(&place);
    std::fs::write(folder.path().join(format!("{}.json", commitment.hash())), FILE).unwrap();
    barred(here.get(&commitment).await, "a folder is not reached over a network");
}
