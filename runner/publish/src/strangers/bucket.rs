//! A stranger's bucket as anybody reads it: nothing is signed, so no key of ours is used.
use crate::PublishError;
use crate::web;
use object_store::aws::AmazonS3ConfigKey;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;
use zeroize::Zeroizing;

/// Where a bucket's region is said, by Amazon's servers of another.
const REGION: &str = "x-amz-bucket-region";

/// Where buckets are.
pub(super) struct Buckets {
    /// A server of our settings for all of them, where they are not Amazon's.
    endpoint: Option<Url>,
    region: String,
}

impl Buckets {
    /// Of the variables that begin with `AWS_` it takes the region and the endpoint, and no key.
    pub(super) fn new(variables: &[(String, Zeroizing<String>)]) -> Result<Buckets, PublishError> {
        let named = |wanted: AmazonS3ConfigKey| {
            let is = |name: &str| name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().is_ok_and(|key| key == wanted);
            variables.iter().find(|(name, value)| is(name) && !value.is_empty()).map(|(_, value)| value.as_str())
        };
        let endpoint = named(AmazonS3ConfigKey::S3Endpoint).or_else(|| named(AmazonS3ConfigKey::Endpoint));
        let endpoint = endpoint.map(|text| web::address("AWS_ENDPOINT_URL", text)).transpose()?;
        let region = named(AmazonS3ConfigKey::Region).or_else(|| named(AmazonS3ConfigKey::DefaultRegion));
        let region = region.unwrap_or("us-east-1").to_owned();
        if endpoint.is_none() && amazon(&region).is_none() {
            let problem = "it is no name of a region, such as us-east-1".to_owned();
            return Err(PublishError::Settings { what: format!("AWS_REGION={region:?}"), problem });
        }
        Ok(Buckets { endpoint, region })
    }

    /// Whether a server of ours has them.
    pub(super) fn ours(&self) -> bool {
        self.endpoint.is_some()
    }
}

/// A file in a bucket.
pub(super) struct Object<'a> {
    pub(super) buckets: &'a Buckets,
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) name: &'a str,
}

impl Object<'_> {
    /// Its address: by path, which buckets with a dot in their name need. `None` where that is no bucket's name.
    pub(super) fn url(&self) -> Option<Url> {
        let known = |found: char| found.is_ascii_lowercase() || found.is_ascii_digit() || "-.".contains(found);
        let is_name = (3..=63).contains(&self.bucket.len()) && self.bucket.chars().all(known);
        if !is_name || self.bucket.contains("..") || self.bucket.starts_with('.') {
            return None;
        }
        self.at(&self.buckets.region)
    }

    fn at(&self, region: &str) -> Option<Url> {
        let mut url = match &self.buckets.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => amazon(region)?,
        };
        let prefix = self.prefix.split('/').filter(|part| !part.is_empty());
        url.path_segments_mut().ok()?.pop_if_empty().push(self.bucket).extend(prefix).push(self.name);
        Some(url)
    }

    /// Where it is, if its region is another: Amazon says so without an address.
    pub(super) fn elsewhere(&self, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
        let region = headers.get(REGION).and_then(|region| region.to_str().ok());
        let moved = matches!(status.as_u16(), 301 | 400) && !self.buckets.ours();
        self.at(region.filter(|region| moved && *region != self.buckets.region)?)
    }
}

/// The server of a region, if that is the name of one.
fn amazon(region: &str) -> Option<Url> {
    let known = |found: char| found.is_ascii_lowercase() || found.is_ascii_digit() || found == '-';
    let named = !region.is_empty() && region.len() <= 32 && region.chars().all(known);
    named.then(|| Url::parse(&format!("https://s3.{region}.amazonaws.com")).ok()).flatten()
}
