//! What fits into a commitment, and what is none.
use automl_publish::{Commitment, LONGEST, Locator, LocatorError};
use sha2::{Digest as _, Sha256};

#[test]
fn a_place_has_one_spelling() {
    for place in [
        "owner/name",
        "Owner-1/name_2.x",
        "s3://bucket",
        "s3://bucket/a/b",
        "https://host/a/b",
        "http://127.0.0.1:8080",
        "file:///srv/genes",
        "ledger:ns.Submitter-1a2b3c4d",
    ] {
        let parsed: Locator = place.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(parsed.to_string(), place);
    }
    for (other, place) in [
        ("https://HOST/a/", "https://host/a"),
        ("https://host:443/a", "https://host/a"),
        ("s3://bucket/a/", "s3://bucket/a"),
        ("file:///srv/../genes", "file:///genes"),
    ] {
        let canonical = place.to_owned();
        assert_eq!(other.parse::<Locator>(), Err(LocatorError::Spelling { text: other.to_owned(), canonical }));
    }
}

#[test]
fn what_is_no_place_is_refused() {
    for other in
        ["", "name", "/name", "owner/", "a/b/c", "-a/b", "a/b.", "a--b/c", "a/b c", "owner/ünï", "ftp://host/a"]
    {
        assert!(matches!(other.parse::<Locator>(), Err(LocatorError::Unknown(_))), "{other}");
    }
    for other in [
        "https://",
        "https://user@host/a",
        "https://u:p@host/a",
        "https://host/a?b",
        "https://host/#a",
        "file:///",
        "ledger:",
        "ledger:a/b",
    ] {
        assert!(matches!(other.parse::<Locator>(), Err(LocatorError::Malformed { .. })), "{other}");
    }
    let long = format!("https://host/{}", "a".repeat(LONGEST));
    assert!(matches!(long.parse::<Locator>(), Err(LocatorError::TooLong { .. })));
}

#[test]
fn a_commitment_is_the_originals() {
    let gene = "safe_sub(y, x)";
    let hash = hex::encode(Sha256::digest(format!("{gene}owner/name")));
    let commitment = Commitment::new("owner/name".parse().unwrap(), gene);
    assert_eq!(commitment.to_string(), format!("owner/name:{hash}"));
    assert_eq!(commitment.to_string().parse(), Ok(commitment.clone()));
    assert!(commitment.is_of(gene) && !commitment.is_of("safe_sub(x, y)"));
    // An address has a colon of its own.
    let text = format!("http://127.0.0.1:8080/genes:{hash}");
    let parsed: Commitment = text.parse().unwrap();
    assert_eq!((parsed.locator().to_string().as_str(), parsed.hash()), ("http://127.0.0.1:8080/genes", hash.as_str()));
    assert!(text.len() <= 128);
    let longest = Commitment::new(format!("https://host/{}", "a".repeat(LONGEST - 13)).parse().unwrap(), gene);
    assert_eq!(longest.to_string().len(), 128);
    for other in [
        String::new(),
        hash.clone(),
        format!("owner/name:{}", &hash[1..]),
        format!("owner/name:{}", hash.to_uppercase()),
    ] {
        assert!(other.parse::<Commitment>().is_err(), "{other}");
    }
}
