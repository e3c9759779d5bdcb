//! A stand-in for S3: one bucket in a folder that ends with it, one access key, addresses by path.
use super::server::Server;
use axum::Router;
use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;

pub(crate) const NAME: &str = "genes";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET_KEY: &str = "the key of a bucket that exists in a test alone";

/// Ends, with all that is in it, when it is dropped.
pub(crate) struct Bucket {
    pub(crate) server: Server,
    folder: TempDir,
}

impl Bucket {
    /// An empty one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("publish-bucket-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(OneKey);
        let service = HandleError::new(service.build(), |error: s3s::HttpError| async move {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"))
        });
        Self { server: Server::start(Router::new().fallback_service(service).layer(from_fn(the_one_bucket))), folder }
    }

    /// What lies there under a key, if anything.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join(NAME).join(key)).ok()
    }
}

struct OneKey;

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY { Ok(SECRET_KEY.into()) } else { Err(s3_error!(InvalidAccessKeyId)) }
    }
}

/// The service would take the name of any bucket for a folder that it has to make.
async fn the_one_bucket(request: Request, next: Next) -> Response {
    if request.uri().path().split('/').nth(1) == Some(NAME) {
        return next.run(request).await;
    }
    let absent = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/xml")], absent).into_response()
}
