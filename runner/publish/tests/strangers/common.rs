//! A validator with every secret it could have, and what it finds wrong.
use crate::peer::{Asked, Peer};
use automl_publish::{Access, Bounds, Commitment, PublishError, Strangers};
use std::time::Duration;

pub(crate) const GENE: &str = "safe_mul(y, x)";
pub(crate) const FILE: &str = "\"{\\\"expression\\\": \\\"safe_mul(y, x)\\\"}\"";
pub(crate) const MOST: usize = 20 * 1024;
/// In each secret.
pub(crate) const SECRET: &str = "nobodys-business";

/// Everything that a validator's environment may hold.
pub(crate) fn access() -> Access {
    let s3 = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    Access {
        s3: s3.map(|name| (name.to_owned(), SECRET.to_owned().into())).into(),
        hub: "https://hub.invalid".to_owned(),
        hub_token: Some(SECRET.to_owned().into()),
        web_token: Some(SECRET.to_owned().into()),
        ledger: None,
    }
}

/// Three redirects, no end of patience, and these hosts.
pub(crate) fn bounds(private: &[&str]) -> Bounds {
    let private_hosts = private.iter().map(|&host| host.to_owned()).collect();
    Bounds { patience: Duration::from_hours(1), redirects: 3, private_hosts }
}

/// A validator to whom these hosts are known.
pub(crate) fn knowing(private: &[&str]) -> Strangers {
    Strangers::new(access(), &bounds(private)).unwrap()
}

/// One whose own address is taken for that of any of these peers.
pub(crate) fn among(peers: &[&Peer]) -> Strangers {
    let hosts: Vec<String> = peers.iter().map(|peer| peer.host()).collect();
    knowing(&hosts.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(crate) fn at(place: &str) -> Commitment {
    Commitment::new(place.parse().unwrap_or_else(|error| panic!("{place}: {error}")), GENE)
}

/// What a page says, with its length.
pub(crate) fn page(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// An answer without a body.
pub(crate) fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n")
}

/// A redirect.
pub(crate) fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// What went wrong: bounded, fit for a terminal, and without a secret.
pub(crate) fn wrong(got: Result<Option<String>, PublishError>) -> PublishError {
    let error = got.unwrap_err();
    let text = error.to_string();
    assert!(text.chars().count() < 5000 && !text.chars().any(char::is_control), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    error
}

/// It is not followed, for this reason.
pub(crate) fn barred(got: Result<Option<String>, PublishError>, says: &str) {
    let error = wrong(got);
    let text = error.to_string();
    assert!(matches!(error, PublishError::Barred { .. }) && !error.may_pass(), "{text}");
    assert!(text.contains("is not followed: ") && text.contains(says), "{text}");
}

/// It is refused, for this reason.
pub(crate) fn refused(got: Result<Option<String>, PublishError>, says: &str) {
    let error = wrong(got);
    let text = error.to_string();
    assert!(matches!(error, PublishError::Refused { .. }) && !error.may_pass(), "{text}");
    assert!(text.contains(" refuses: ") && text.contains(says), "{text}");
}

/// It is too large.
pub(crate) fn too_large(got: Result<Option<String>, PublishError>) {
    let error = wrong(got);
    let text = error.to_string();
    assert!(matches!(error, PublishError::TooLarge { .. }) && !error.may_pass(), "{text}");
    assert!(text.contains("has more than 20480 bytes and is not read"), "{text}");
}

/// It may be there the next time.
pub(crate) fn passing(got: Result<Option<String>, PublishError>, says: &str) {
    let error = wrong(got);
    let text = error.to_string();
    assert!(matches!(error, PublishError::Unreachable { .. }) && error.may_pass(), "{text}");
    assert!(text.contains(" cannot be reached: ") && text.contains(says), "{text}");
}

/// That of what a peer was asked nothing opens anything.
pub(crate) fn innocent(asked: &[Asked]) {
    for Asked { head, .. } in asked {
        let opens = ["authorization", "x-amz-", "cookie", "referer", SECRET].iter().any(|word| head.contains(word));
        assert!(!opens && head.starts_with("get "), "{head}");
    }
}
