//! Which addresses a commitment may name.
use crate::common::{FILE, at, barred, knowing, page, passing};
use crate::peer::Peer;
use automl_publish::{Locator, LocatorError};

const PRIVATE: [&str; 44] = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::a00:1]",
    "[::ffff:a00:1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::808:808]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:a00:1::]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
];

#[tokio::test(flavor = "multi_thread")]
async fn private_ones_are_nobodys_business() {
    let strangers = knowing(&["example.com", "10.0.0.2", "192.168.0.0:8080", "::2"]);
    for host in PRIVATE {
        for place in [format!("http://{host}"), format!("https://{host}:8443/genes")] {
            barred(strangers.get(&at(&place)).await, "is no public address; a host of your own has to be named");
        }
    }
}

#[test]
fn a_commitment_has_one_spelling_of_an_address() {
    for host in ["2130706433", "0x7f000001", "127.1", "017700000001", "127.0.0.1.", "[::ffff:127.0.0.1]", "LOCALHOST"] {
        let found = format!("http://{host}").parse::<Locator>();
        assert!(matches!(found, Err(LocatorError::Spelling { .. })), "{host}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_what_it_resolves_to() {
    let peer = Peer::saying(page(FILE));
    let port = peer.port();
    let place = at(&format!("http://localhost:{port}"));
    let others = [String::new(), format!("localhost:{}", port ^ 1), "localhos".to_owned(), "127.0.0.1".to_owned()];
    for other in others {
        barred(knowing(&[&other]).get(&place).await, &format!("among the private hosts: http://localhost:{port}/"));
        barred(knowing(&[&other]).get(&place).await, "1 is no public address; a host of your own has to be named");
    }
    assert!(peer.asked().is_empty());
    for named in ["localhost".to_owned(), "LocalHost.".to_owned(), format!("localhost:{port}")] {
        assert_eq!(knowing(&[&named]).get(&place).await.unwrap().as_deref(), Some(FILE), "{named}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_ones_own_is_named() {
    let peer = Peer::saying(page(FILE));
    let place = at(&peer.url());
    for named in ["127.0.0.1".to_owned(), peer.host()] {
        assert_eq!(knowing(&[&named]).get(&place).await.unwrap().as_deref(), Some(FILE), "{named}");
    }
    barred(knowing(&["127.0.0.1:1"]).get(&place).await, "127.0.0.1 is no public address");
    // Nobody listens there, and it was tried.
    passing(knowing(&["::1"]).get(&at("http://[::1]:1")).await, "http://[::1]:1");
    passing(knowing(&["[::1]:1"]).get(&at("http://[::1]:1")).await, "http://[::1]:1");
}
