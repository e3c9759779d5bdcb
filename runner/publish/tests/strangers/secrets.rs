//! What opens our own places is shown to none of strangers'.
use crate::common::{FILE, SECRET, access, among, at, barred, bounds, innocent, knowing, page, redirect};
use crate::peer::{Asked, Peer};
use automl_publish::{Access, PublishError, Strangers};

fn of_hub(hub: &str, private: &[&str]) -> Strangers {
    Strangers::new(Access { hub: hub.to_owned(), ..access() }, &bounds(private)).unwrap()
}

fn of_endpoint(endpoint: &str) -> Strangers {
    let mut access = access();
    access.s3.push(("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned().into()));
    Strangers::new(access, &bounds(&[])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_sees_none() {
    let peer = Peer::saying(page(FILE));
    let strangers = among(&[&peer]);
    assert_eq!(strangers.get(&at(&peer.url())).await.unwrap().as_deref(), Some(FILE));
    let asked = peer.asked();
    assert_eq!(asked.len(), 1);
    innocent(&asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_alone_sees_its_own() {
    let cdn = Peer::saying(page(FILE));
    let elsewhere = format!("{}/file", cdn.url());
    let hub = Peer::start(move |asked, wire| {
        let to = if asked.path().starts_with("/owner/") { "/cached/x" } else { &elsewhere };
        wire.send(redirect(to).as_bytes());
    });
    let place = at("owner/name");
    // The hub is our own choice and may be private, and where it leads may not.
    barred(of_hub(&hub.url(), &[]).get(&place).await, &format!("among the private hosts: http://{}/file", cdn.host()));
    assert!(cdn.asked().is_empty());
    hub.asked();
    assert_eq!(of_hub(&hub.url(), &[&cdn.host()]).get(&place).await.unwrap().as_deref(), Some(FILE));
    let asked = hub.asked();
    let paths: Vec<&str> = asked.iter().map(Asked::path).collect();
    assert_eq!(paths, ["/owner/name/resolve/main/best_gene.json", "/cached/x"]);
    assert!(asked.iter().all(|asked| asked.head.contains(&format!("authorization: bearer {SECRET}"))));
    innocent(&cdn.asked());

    // Nor does a web server that is the same as the hub, or one that leads there.
    let web = Peer::saying(redirect(&format!("{}/x", hub.url())));
    barred(of_hub(&hub.url(), &[]).get(&at(&hub.url())).await, "127.0.0.1 is no public address");
    barred(of_hub(&hub.url(), &[&web.host()]).get(&at(&web.url())).await, "127.0.0.1 is no public address");
    assert!(hub.asked().is_empty());
    let strangers = of_hub(&hub.url(), &["127.0.0.1"]);
    assert_eq!(strangers.get(&at(&web.url())).await.unwrap().as_deref(), Some(FILE));
    innocent(&hub.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_the_hub_comes_back_as_a_stranger() {
    let away = Peer::start(|asked, wire| {
        let back = asked.path().trim_start_matches('/');
        wire.send(redirect(&format!("http://{back}/back")).as_bytes());
    });
    let elsewhere = away.url();
    let hub = Peer::start(move |asked, wire| {
        let host = asked.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let answer = if asked.path() == "/back" { page(FILE) } else { redirect(&format!("{elsewhere}/{host}")) };
        wire.send(answer.as_bytes());
    });
    let place = at("owner/name");
    barred(of_hub(&hub.url(), &[&away.host()]).get(&place).await, "127.0.0.1 is no public address");
    hub.asked();
    assert_eq!(of_hub(&hub.url(), &["127.0.0.1"]).get(&place).await.unwrap().as_deref(), Some(FILE));
    let asked = hub.asked();
    assert_eq!(asked.len(), 2);
    innocent(&asked[1..]);
    innocent(&away.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_read_as_anybody_reads_it() {
    let peer = Peer::saying(page(FILE));
    let place = at("s3://genes/a/b");
    // The endpoint is our own choice and may be private.
    assert_eq!(of_endpoint(&peer.url()).get(&place).await.unwrap().as_deref(), Some(FILE));
    let asked = peer.asked();
    assert_eq!(asked[0].path(), format!("/genes/a/b/{}.json", place.hash()));
    innocent(&asked);
    assert_eq!(of_endpoint(&format!("{}/s3/", peer.url())).get(&place).await.unwrap().as_deref(), Some(FILE));
    assert!(peer.asked()[0].path().starts_with("/s3/genes/a/b/"));
    // For buckets, and nothing else there.
    barred(of_endpoint(&peer.url()).get(&at(&peer.url())).await, "127.0.0.1 is no public address");
    for bucket in ["s3://a%2Fb", "s3://Genes", "s3://..", "s3://ab", "s3://a..b", "s3://a_b"] {
        barred(of_endpoint(&peer.url()).get(&at(bucket)).await, "no bucket's name");
    }
    assert!(peer.asked().is_empty());
}

#[test]
fn a_setting_that_is_no_address_is_told() {
    let s3 = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned().into())];
    for (access, says) in [
        (Access { hub: "huggingface.co".to_owned(), ..access() }, "HF_ENDPOINT=\"huggingface.co\": it is no address"),
        (
            Access { s3: s3("AWS_ENDPOINT_URL", "s3.local"), ..access() },
            "AWS_ENDPOINT_URL=\"s3.local\": it is no address",
        ),
        (Access { s3: s3("AWS_REGION", "evil.example/"), ..access() }, "AWS_REGION=\"evil.example/\": it is no name"),
    ] {
        let error = Strangers::new(access, &bounds(&[])).map(|_| ()).unwrap_err();
        assert!(matches!(error, PublishError::Settings { .. }) && error.to_string().contains(says), "{error}");
    }
    knowing(&["no host at all", ""]);
}
