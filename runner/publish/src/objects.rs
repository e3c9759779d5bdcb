//! Genes in S3, on a web server that takes PUT, and in a folder.
use crate::error::shown;
use crate::web::{self, Given, bounded};
use crate::{Locator, PublishError};
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, Error, ObjectStore, ObjectStoreExt as _, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Whoever publishes tries again itself, later.
fn once_more() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 1, retry_timeout: Duration::from_secs(30) }
}

/// A place that keeps files by name.
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    place: Locator,
    /// What the place is shown.
    secret: Option<Zeroizing<String>>,
}

impl Objects {
    /// A bucket, opened with these variables.
    pub(crate) fn s3(
        place: &Locator,
        bucket: &str,
        prefix: &str,
        variables: &[(String, Zeroizing<String>)],
    ) -> Result<Objects, PublishError> {
        let known = variables.iter().filter_map(|(name, value)| {
            let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse().ok()?;
            Some((key, value.as_str()))
        });
        let store = known
            .fold(AmazonS3Builder::new(), |builder, (key, value)| builder.with_config(key, value))
            .with_bucket_name(bucket)
            .with_http_connector(Given(web::client(None)?))
            .with_retry(once_more())
            .build();
        Self::new(place, store.map_err(|error| of(place, error, None))?, prefix, None)
    }

    /// A server, shown this token.
    pub(crate) fn web(place: &Locator, token: Option<Zeroizing<String>>) -> Result<Objects, PublishError> {
        let store = HttpBuilder::new()
            .with_url(place.to_string())
            .with_http_connector(Given(web::client(token.as_deref().map(String::as_str))?))
            .with_retry(once_more())
            .build();
        Self::new(place, store.map_err(|error| of(place, error, None))?, "", token)
    }

    /// A folder, made where there is none.
    pub(crate) fn folder(place: &Locator, folder: &std::path::Path) -> Result<Objects, PublishError> {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| PublishError::refused(place, error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| of(place, error, None))?;
        Self::new(place, store.with_fsync(true), "", None)
    }

    fn new(
        place: &Locator,
        store: impl ObjectStore,
        prefix: &str,
        secret: Option<Zeroizing<String>>,
    ) -> Result<Objects, PublishError> {
        let prefix = Path::parse(prefix).map_err(|error| PublishError::refused(place, error.to_string()))?;
        Ok(Objects { store: Arc::new(store), prefix, place: place.clone(), secret })
    }

    fn at(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    pub(crate) async fn put(&self, name: &str, text: String) -> Result<(), PublishError> {
        let stored = self.store.put(&self.at(name), text.into()).await;
        stored.map(drop).map_err(|error| self.failed(error))
    }

    pub(crate) async fn get(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, PublishError> {
        let found = match self.store.get(&self.at(name)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(|error| self.failed(error))?,
        };
        let (size, parts) = (Some(found.meta.size), found.into_stream().map_err(|error| self.failed(error)));
        bounded(&self.place, most, size, parts).await.map(Some)
    }

    fn failed(&self, error: Error) -> PublishError {
        of(&self.place, error, self.secret.as_deref().map(String::as_str))
    }
}

/// A store says with words alone whether a server refused or did not answer: what it does not call a refusal may pass.
fn of(place: &Locator, error: Error, secret: Option<&str>) -> PublishError {
    match error {
        Error::Generic { source, .. } => PublishError::unreachable(place, &*source, secret),
        error => PublishError::Refused { place: place.to_string(), problem: shown(&error.to_string(), secret) },
    }
}
