//! The stand-ins are held to the clients that everybody uses: what these understand, ours may be tested with.
use crate::common::bucket::{self, Bucket};
use crate::common::failure::Failure;
use crate::common::hub::{Hub, PAGE};
use crate::common::python::script;
use crate::common::server::Asked;
use serde_json::{Value, json};

const REPOSITORY: &str = "alice/genes";
const GENE: &str = "genes/the best one.json";

/// An error as a script prints it.
fn failed(found: &Value, error: &str, status: u16) -> bool {
    found["error"] == error && found["status"] == status
}

#[test]
fn the_hubs_own_client_takes_the_stand_in_for_the_hub() {
    let hub = Hub::start(&[("hf_alice", "alice"), ("hf_bob", "bob")]);
    hub.create("bob/genes", false);
    hub.server.fail(Failure::new(503));
    hub.server.fail(Failure::new(429).retry_after(1));
    hub.server.fail(Failure::new(500).within("/commit/").late());
    let argument = json!({ "token": "hf_alice", "own": REPOSITORY, "foreign": "bob/genes" });
    let Some(found) = script("hub.py", &[("HF_ENDPOINT", hub.server.url())], &argument) else { return };

    for (step, error, status) in [
        ("unavailable", "HfHubHTTPError", 503),
        ("busy", "HfHubHTTPError", 429),
        ("again", "HfHubHTTPError", 409),
        ("create_foreign", "HfHubHTTPError", 403),
        ("create_wrong", "HfHubHTTPError", 401),
        ("create_nobody", "RepositoryNotFoundError", 401),
        ("lost", "HfHubHTTPError", 500),
        ("put_wrong", "HfHubHTTPError", 401),
        ("put_nobody", "RepositoryNotFoundError", 401),
        ("put_foreign", "HfHubHTTPError", 403),
        ("put_absent", "RepositoryNotFoundError", 404),
        ("put_stale", "HfHubHTTPError", 412),
        ("get_absent", "RemoteEntryNotFoundError", 404),
        ("get_before", "RemoteEntryNotFoundError", 404),
        ("get_no_revision", "RevisionNotFoundError", 404),
        ("get_no_repository", "RepositoryNotFoundError", 404),
        ("get_wrong", "HfHubHTTPError", 401),
        ("get_nobody", "RepositoryNotFoundError", 401),
        ("files_nobody", "RepositoryNotFoundError", 401),
        ("info_nobody", "RepositoryNotFoundError", 401),
    ] {
        assert!(failed(&found[step], error, status), "{step}: {}", found[step]);
    }
    let page = format!("{}/{REPOSITORY}", hub.server.url());
    assert_eq!((&found["created"], &found["again_allowed"]), (&json!(page), &json!(page)));

    // Each commit once: the one whose answer was lost was not made again, nor one that changes nothing.
    let (ids, titles): (Vec<_>, Vec<_>) = hub.commits(REPOSITORY).into_iter().unzip();
    assert_eq!(
        titles,
        [
            "initial commit",
            "Upload README.md with huggingface_hub",
            "The first",
            "Upload genes/the best one.json with huggingface_hub",
            "Many",
            "Delete many/00.json with huggingface_hub"
        ]
    );
    assert!(ids.iter().all(|id| id.len() == 40));
    let steps = ["card", "first", "second", "unchanged", "many", "deleted", "sha", "sha_before"];
    let expected = [1, 2, 3, 3, 4, 5, 5, 1].map(|index| json!(ids[index]));
    assert_eq!(steps.map(|step| found[step].clone()), expected);

    let newest = "another gene, ältere";
    assert_eq!((&found["get"], &found["get_older"]), (&json!(newest), &json!("a gene")));
    assert_eq!(hub.file(REPOSITORY, "main", GENE).unwrap(), newest.as_bytes());
    assert_eq!(hub.file(REPOSITORY, &ids[2], GENE).unwrap(), b"a gene");
    assert!(found["get_foreign"].as_str().unwrap().contains("filter=lfs"), "what is public is for everybody");
    assert_eq!(found["metadata"], json!([ids[5], git_blob(newest), newest.len()]));
    assert_eq!(found["part"], json!([206, "othe", format!("bytes 2-5/{}", newest.len())]));
    assert_eq!(found["part_behind"], 416);
    assert_eq!((&found["exists"], &found["exists_not"]), (&json!(true), &json!(false)));
    assert_eq!(found["private"], json!([true, false]));
    assert_eq!(found["sizes"][GENE], newest.len());

    let many = (1..25).map(|index| format!("many/{index:02}.json"));
    let files: Vec<_> = [".gitattributes", "README.md", GENE].map(str::to_owned).into_iter().chain(many).collect();
    assert_eq!(found["files"], json!(files));
    assert!(files.len() > PAGE, "pages were turned");
    assert_eq!(found["files_before"], json!([".gitattributes", "README.md"]));
    assert_eq!(found["folder"], json!([".gitattributes", "README.md", "genes", "many"]));
    assert!(found["put_large"]["error"].is_string() && hub.file(REPOSITORY, "main", "x.safetensors").is_none());

    let asked = hub.server.asked();
    let first =
        Asked { method: "POST".into(), path: "/api/repos/create".into(), query: String::new(), authorized: true };
    assert_eq!(asked[0], first);
    assert!(asked.iter().any(|asked| asked.method == "HEAD" && !asked.authorized), "nobody asks without a token");
}

/// How git names the content of a file.
fn git_blob(content: &str) -> String {
    use sha1::{Digest as _, Sha1};
    hex::encode(Sha1::digest(format!("blob {}\0{content}", content.len())))
}

#[test]
fn boto3_takes_the_stand_in_for_s3() {
    let bucket = Bucket::start();
    bucket.server.fail(Failure::new(503).times(2));
    bucket.server.fail(Failure::new(500).late());
    let argument = json!({
        "url": bucket.server.url(), "region": bucket::REGION, "bucket": bucket::NAME,
        "access": bucket::ACCESS_KEY, "secret": bucket::SECRET_KEY,
    });
    let Some(found) = script("bucket.py", &[], &argument) else { return };

    for (step, error, status) in [
        ("unavailable", "503", 503),
        ("busy", "503", 503),
        ("lost", "500", 500),
        ("lost_again", "PreconditionFailed", 412),
        ("kept", "PreconditionFailed", 412),
        ("put_wrong_key", "InvalidAccessKeyId", 403),
        ("put_wrong_secret", "SignatureDoesNotMatch", 403),
        ("put_nobody", "AccessDenied", 403),
        ("put_no_bucket", "NoSuchBucket", 404),
        ("get_absent", "NoSuchKey", 404),
        ("get_wrong_secret", "SignatureDoesNotMatch", 403),
        ("get_nobody", "AccessDenied", 403),
        ("get_no_bucket", "NoSuchBucket", 404),
        ("get_deleted", "NoSuchKey", 404),
        ("head_absent", "404", 404),
    ] {
        assert!(failed(&found[step], error, status), "{step}: {}", found[step]);
    }
    assert_eq!(found["get"], "another gene, ältere");
    assert_eq!(bucket.object("genes/the best one ä.json").unwrap(), "another gene, ältere".as_bytes());
    assert_eq!((bucket.object("genes/lost.json").unwrap(), bucket.object("x")), (b"a gene".to_vec(), None));
    // S3 names a small object by the MD5 of its content.
    assert_eq!(found["put"], "\"9e8ef65b051f537efc92a526262b589b\"");
    assert_eq!(found["get_part"], "ge");
    assert_eq!(found["head"], json!([6, { "run": "one" }]));
    let pages =
        [json!(["genes/first.json", "genes/lost.json"]), json!(["genes/the best one ä.json", "genes/third.json"])];
    assert_eq!(found["pages"], json!(pages));
    assert_eq!(found["large"], true, "what is sent in parts is whole");
    let asked = bucket.server.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("PUT", "/genes/genes/first.json"));
    assert!(asked.iter().any(|asked| asked.query.contains("partNumber=2")));
    assert!(asked.iter().any(|asked| !asked.authorized), "nobody asks without a key");
}
