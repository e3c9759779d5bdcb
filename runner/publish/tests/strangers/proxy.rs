//! Behind a proxy, which resolves names in our place; also what is only so over TLS. The environment is a process's own: each of
//! these tests runs a second one of this program's tests in a process with another.
use crate::common::{FILE, access, at, barred, bounds, innocent, page, redirect};
use crate::peer::{Asked, Peer};
use automl_publish::{Access, Strangers};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::process::Command;
use std::sync::Arc;

const NAMES: [&str; 6] = [
    "gene.example",
    "hub.example",
    "cdn.example",
    "s3.us-east-1.amazonaws.com",
    "s3.eu-central-1.amazonaws.com",
    "s3.eu-west-9.amazonaws.com",
];

/// A server's side of TLS for all of these, and in PEM who vouches for it.
fn tls() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(NAMES.map(str::to_owned)).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (Arc::new(config), authority.pem())
}

/// What the hosts behind the proxy are.
fn answer(asked: &Asked) -> String {
    match asked.url.split("/genes/").next().unwrap() {
        "https://hub.example/owner/name/resolve/main/best_gene.json" => redirect("https://cdn.example/file"),
        "https://gene.example/to-http" => redirect("http://gene.example/file"),
        "https://gene.example/to-proxy" => redirect("https://localhost/file"),
        "https://s3.us-east-1.amazonaws.com/far" => moved("eu-central-1"),
        "https://s3.us-east-1.amazonaws.com/lost" | "https://s3.eu-west-9.amazonaws.com/lost" => moved("eu-west-9"),
        "https://s3.us-east-1.amazonaws.com/evil" => moved("evil.example/"),
        _ => page(FILE),
    }
}

fn moved(region: &str) -> String {
    format!("HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: {region}\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn names_are_resolved_by_the_proxy() {
    let (tls, authority) = tls();
    let proxy = Peer::proxy(tls, |asked, wire| {
        wire.send(answer(asked).as_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let mut inside = Command::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.to_ascii_lowercase().ends_with("_proxy")) {
            inside.env_remove(name);
        }
    }
    // Its name has a private address, and is let through as the owner's choice.
    let address = format!("http://localhost:{}", proxy.port());
    inside.env("HTTP_PROXY", &address).env("HTTPS_PROXY", &address).env("SSL_CERT_FILE", &file);
    let ended = inside.args(["proxy::inside", "--exact", "--ignored", "--nocapture"]).output().unwrap();
    let (said, problems) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{said}\n{problems}");

    let asked = proxy.asked();
    let of = |url: &str| asked.iter().filter(|asked| asked.url.starts_with(url)).cloned().collect::<Vec<_>>();
    let (hub, others): (Vec<Asked>, Vec<Asked>) =
        asked.iter().cloned().partition(|asked| asked.url.starts_with("https://hub.example/"));
    assert!(hub.len() == 1 && hub[0].head.contains("authorization: bearer "), "{hub:?}");
    innocent(&others);
    assert_eq!(of("https://cdn.example/file").len(), 1);
    assert_eq!(of("http://gene.example/file").len(), 0);
    for region in ["us-east-1", "eu-central-1"] {
        let place = at("s3://far/genes");
        let url = format!("https://s3.{region}.amazonaws.com/far/genes/{}.json", place.hash());
        assert_eq!(of(&url).len(), 1, "{asked:?}");
    }
    // The public neighbours of private networks.
    assert_eq!(of("http://").len(), PUBLIC.len() + 1, "{asked:?}");
    assert_eq!(of("https://").len(), asked.len() - PUBLIC.len() - 1);
}

const PUBLIC: [&str; 20] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "[2000::1]",
    "[2001:200::1]",
    "[2606:4700::1111]",
    "[64:ff9b::808:808]",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, with a proxy"]
async fn inside() {
    let access = Access { hub: "https://hub.example".to_owned(), ..access() };
    let strangers = Strangers::new(access, &bounds(&[])).unwrap();
    let get = async |place: &str| strangers.get(&at(place)).await;
    for host in PUBLIC {
        assert_eq!(get(&format!("http://{host}")).await.unwrap().as_deref(), Some(FILE), "{host}");
    }
    for place in ["http://gene.example", "https://gene.example", "owner/name", "s3://near/genes", "s3://far/genes"] {
        assert_eq!(get(place).await.unwrap().as_deref(), Some(FILE), "{place}");
    }
    // What can be seen without resolving anything.
    for host in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:a00:1]"] {
        barred(get(&format!("http://{host}")).await, "is no public address");
    }
    for name in ["metadata", "metadata.google.internal", "a.localhost", "printer.local", "printer.local."] {
        barred(get(&format!("https://{name}")).await, "that is no public name; a host of your own has to be named");
    }
    barred(get("https://localhost").await, "that is our proxy");
    barred(get("https://gene.example/to-proxy/genes").await, "that is our proxy");
    barred(
        get("https://gene.example/to-http/genes").await,
        "from https to http, which anybody on the way could change: http://gene.example/file",
    );
    barred(get("s3://lost/genes").await, "redirects more than 3 times");
    let nowhere = get("s3://evil/genes").await.unwrap_err();
    assert!(nowhere.to_string().contains("refuses: 301"), "{nowhere}");
}
