//! Each redirect is judged as if a stranger had named where it leads.
use crate::common::{FILE, access, among, at, barred, bounds, innocent, knowing, page, passing, redirect};
use crate::peer::Peer;
use automl_publish::{Bounds, Strangers};

/// Counts down from the number in the path.
fn stairs() -> Peer {
    Peer::start(|asked, wire| {
        let left: usize = asked.path().split('/').nth(1).unwrap().parse().unwrap();
        let answer = if left == 0 { page(FILE) } else { redirect(&format!("/{}/x", left - 1)) };
        wire.send(answer.as_bytes());
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_are_followed_as_may_be() {
    let peer = stairs();
    let to = |steps: usize| at(&format!("{}/{steps}", peer.url()));
    assert_eq!(among(&[&peer]).get(&to(3)).await.unwrap().as_deref(), Some(FILE));
    assert_eq!(peer.asked().len(), 4);
    barred(among(&[&peer]).get(&to(4)).await, "redirects more than 3 times");
    assert_eq!(peer.asked().len(), 4);
    let none = Strangers::new(access(), &Bounds { redirects: 0, ..bounds(&["127.0.0.1"]) }).unwrap();
    assert_eq!(none.get(&to(0)).await.unwrap().as_deref(), Some(FILE));
    barred(none.get(&to(1)).await, "redirects more than 0 times");
    let circle = Peer::start(|asked, wire| {
        wire.send(redirect(asked.path()).as_bytes());
    });
    barred(among(&[&circle]).get(&at(&circle.url())).await, "redirects more than 3 times");
    assert_eq!(circle.asked().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn none_leads_to_a_private_address() {
    let inner = Peer::saying(page(FILE));
    let port = inner.port();
    for host in [
        "127.0.0.1",
        "127.0.0.2",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "%ef%bc%9127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0",
        "localhost",
        "LOCALHOST",
    ] {
        let peer = Peer::saying(redirect(&format!("http://{host}:{port}/")));
        barred(among(&[&peer]).get(&at(&peer.url())).await, "is no public address");
        let peer = Peer::saying(redirect(&format!("//{host}:{port}/")));
        barred(among(&[&peer]).get(&at(&peer.url())).await, "has to be named among the private hosts");
    }
    assert!(inner.asked().is_empty());
    // One that is named is no stranger's choice.
    let peer = Peer::saying(redirect(&format!("{}/x", inner.url())));
    assert_eq!(among(&[&peer, &inner]).get(&at(&peer.url())).await.unwrap().as_deref(), Some(FILE));
    innocent(&peer.asked());
    innocent(&inner.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn none_leads_elsewhere_than_to_a_web_server() {
    let inner = Peer::saying(page(FILE));
    let long = format!("ftp://{}", "x".repeat(10_000));
    for to in [
        "file:///etc/passwd",
        "ftp://host/",
        "ledger:us",
        "data:,x",
        "http://",
        "http://a b/",
        "http://\u{ff11}27.0.0.1/",
        &long,
    ] {
        let peer = Peer::saying(redirect(to));
        barred(among(&[&peer]).get(&at(&peer.url())).await, "it redirects to what is no address of a web server: \"");
    }
    // No resolver has to be asked to know that this is no name of a host; a server of names may be at fault another time.
    let peer = Peer::saying(redirect(&format!("http://{}.example/", "x".repeat(64))));
    passing(among(&[&peer]).get(&at(&peer.url())).await, "dns error");
    // A long one hides no reason.
    let peer = Peer::saying(redirect(&format!("http://10.0.0.1/{}", "x".repeat(10_000))));
    barred(among(&[&peer]).get(&at(&peer.url())).await, "10.0.0.1 is no public address");
    let peer = Peer::saying(redirect(&format!("http://us:them@{}/", inner.host())));
    barred(
        among(&[&peer, &inner]).get(&at(&peer.url())).await,
        "it redirects to an address with a password in it: http://127.0.0.1",
    );
    let strangers = knowing(&["127.0.0.1"]);
    for (code, line) in [(301, "Moved"), (303, "See"), (307, "Now"), (308, "For ever")] {
        let answer = redirect(&format!("{}/x#y", inner.url())).replace("302 Found", &format!("{code} {line}"));
        let peer = Peer::saying(answer);
        assert_eq!(strangers.get(&at(&peer.url())).await.unwrap().as_deref(), Some(FILE));
    }
    assert!(inner.asked().iter().all(|asked| asked.path() == "/x"));
}
