//! Implements [`Files`] with an S3 bucket.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use domain::jobs::{FileVersion, Files, StoreError};
use domain::secret::Secret;
use domain::user_pool::page::Page;

use super::{has_code, has_status, unavailable};
use crate::failure::{Failure, Kind};
use crate::users::to_time;

/// The bucket. Objects are encrypted by the bucket's default encryption.
#[derive(Debug, Clone)]
pub struct JobBucket {
    client: Client,
    name: String,
}

impl JobBucket {
    pub(crate) fn new(config: &SdkConfig, name: &str) -> Self {
        // Otherwise presigned URLs would require a checksum of the file, which is not known yet.
        let config = Builder::from(config).request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        Self { client: Client::from_conf(config.build()), name: name.to_owned() }
    }

    /// Writes an object, if it does not exist.
    async fn create_once(&self, key: &str, content: ByteStream) -> Result<(), StoreError> {
        let request = self.client.put_object().bucket(&self.name).key(key).if_none_match("*").body(content);
        match request.send().await.map_err(|error| Failure::of(PUT, &error)) {
            Ok(_) => Ok(()),
            Err(failure) if has_code(&failure, &["PreconditionFailed"]) => Ok(()),
            Err(failure) => Err(unavailable(failure)),
        }
    }
}

const HEAD: &str = "HeadObject";
const GET: &str = "GetObject";
const PUT: &str = "PutObject";
const LIST: &str = "ListObjectsV2";
const DELETE: &str = "DeleteObject";

async fn bytes(body: ByteStream) -> Result<Vec<u8>, StoreError> {
    let unreadable = |error: ByteStreamError| {
        let kind = Kind::Unreadable(domain::error_chain::causes(&error));
        unavailable(Failure { operation: GET, kind, request_id: None })
    };
    Ok(body.collect().await.map_err(unreadable)?.to_vec())
}

/// The signature of a URL failed, for example because the credentials are missing.
fn unsigned(operation: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable { operation, source: Box::new(error) }
}

#[async_trait]
impl Files for JobBucket {
    async fn version(&self, key: &str) -> Result<Option<FileVersion>, StoreError> {
        let answer = self.client.head_object().bucket(&self.name).key(key).send().await;
        match answer.map_err(|error| Failure::of(HEAD, &error)) {
            Ok(answer) => {
                let etag = answer.e_tag.ok_or_else(|| unavailable(Failure::missing(HEAD, "ETag")))?;
                let size = answer.content_length.and_then(|size| u64::try_from(size).ok());
                let size = size.ok_or_else(|| unavailable(Failure::missing(HEAD, "Content-Length")))?;
                let modified_at = answer.last_modified.and_then(to_time);
                let modified_at = modified_at.ok_or_else(|| unavailable(Failure::missing(HEAD, "Last-Modified")))?;
                Ok(Some(FileVersion { size, etag, modified_at }))
            }
            Err(failure) if has_status(&failure, 404) => Ok(None),
            Err(failure) if has_status(&failure, 403) => {
                Err(StoreError::Forbidden { operation: HEAD, source: Box::new(failure) })
            }
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let answer = self.client.get_object().bucket(&self.name).key(key).send().await;
        match answer.map_err(|error| Failure::of(GET, &error)) {
            Ok(answer) => Ok(Some(bytes(answer.body).await?)),
            Err(failure) if has_code(&failure, &["NoSuchKey"]) => Ok(None),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn read_part(&self, key: &str, etag: &str, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let range = format!("bytes={offset}-{}", offset + length - 1);
        let request = self.client.get_object().bucket(&self.name).key(key).if_match(etag).range(range);
        match request.send().await.map_err(|error| Failure::of(GET, &error)) {
            Ok(answer) => bytes(answer.body).await,
            Err(failure) if has_code(&failure, &["PreconditionFailed", "NoSuchKey", "InvalidRange"]) => {
                Err(StoreError::Changed)
            }
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError> {
        self.create_once(key, content.into()).await
    }

    async fn create_from(&self, key: &str, path: &Path) -> Result<(), StoreError> {
        let unreadable = |error: ByteStreamError| StoreError::Unavailable { operation: PUT, source: Box::new(error) };
        let content = ByteStream::from_path(path).await.map_err(unreadable)?;
        self.create_once(key, content).await
    }

    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError> {
        let answer = self.client.put_object().bucket(&self.name).key(key).body(content.into()).send().await;
        answer.map(|_| ()).map_err(|error| unavailable(Failure::of(PUT, &error)))
    }

    async fn exchange(&self, key: &str, expected: Option<&str>, content: Vec<u8>) -> Result<String, StoreError> {
        let request = self.client.put_object().bucket(&self.name).key(key).body(content.into());
        let request = match expected {
            Some(etag) => request.if_match(etag),
            None => request.if_none_match("*"),
        };
        match request.send().await.map_err(|error| Failure::of(PUT, &error)) {
            Ok(answer) => answer.e_tag.ok_or_else(|| unavailable(Failure::missing(PUT, "ETag"))),
            Err(failure) if has_code(&failure, &["PreconditionFailed", "NoSuchKey"]) => Err(StoreError::Changed),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn list(&self, prefix: &str, after: Option<String>, limit: u16) -> Result<Page<String>, StoreError> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let request = request.set_start_after(after).max_keys(limit.into());
        let answer = request.send().await.map_err(|error| unavailable(Failure::of(LIST, &error)))?;
        let is_truncated = answer.is_truncated.unwrap_or_default();
        let entries: Vec<String> = answer.contents.into_iter().flatten().filter_map(|object| object.key).collect();
        let next = entries.last().filter(|_| is_truncated).cloned();
        Ok(Page { entries, next })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let answer = self.client.delete_object().bucket(&self.name).key(key).send().await;
        answer.map(|_| ()).map_err(|error| unavailable(Failure::of(DELETE, &error)))
    }

    async fn upload_url(&self, key: &str, valid_for: Duration) -> Result<Secret, StoreError> {
        let validity = PresigningConfig::expires_in(valid_for).map_err(|error| unsigned(PUT, error))?;
        // The header is part of the signature, so that the URL cannot replace a file.
        let request = self.client.put_object().bucket(&self.name).key(key).if_none_match("*");
        let signed = request.presigned(validity).await.map_err(|error| unavailable(Failure::of(PUT, &error)))?;
        Ok(Secret::new(signed.uri().to_owned()))
    }

    async fn download_url(&self, key: &str, valid_for: Duration) -> Result<Secret, StoreError> {
        let validity = PresigningConfig::expires_in(valid_for).map_err(|error| unsigned(GET, error))?;
        let request = self.client.get_object().bucket(&self.name).key(key);
        let signed = request.presigned(validity).await.map_err(|error| unavailable(Failure::of(GET, &error)))?;
        Ok(Secret::new(signed.uri().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aws;

    /// The parameter of a presigned URL.
    fn parameter<'u>(url: &'u Secret, name: &str) -> Option<&'u str> {
        let (_, query) = url.expose().split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    #[tokio::test]
    async fn an_upload_url_cannot_replace_a_file() {
        let aws = Aws::local("http://127.0.0.1:1", "eu-central-1", "key", "secret").await;
        let bucket = aws.job_bucket("jobs");
        let validity = Duration::from_mins(15);
        let upload = bucket.upload_url("uploads/one", validity).await.unwrap();
        // S3 rejects a request without a signed header.
        assert_eq!(parameter(&upload, "X-Amz-SignedHeaders"), Some("host%3Bif-none-match"));
        assert_eq!(parameter(&upload, "X-Amz-Expires"), Some("900"));
        let download = bucket.download_url("jobs/one", validity).await.unwrap();
        assert_eq!(parameter(&download, "X-Amz-SignedHeaders"), Some("host"));
    }
}
