//! Uploads to presigned URLs.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use thiserror::Error;

use crate::http_client::{Roots, connector};

/// Why an upload has no response. Contains no part of the URL, because its signature is a credential.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The URL is not valid.
    #[error("the URL is not valid")]
    Url(#[source] HttpError),
    /// The time ran out.
    #[error("no response within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] ConnectorError),
}

/// Uploads to presigned URLs.
#[derive(Debug, Clone)]
pub struct Uploads {
    roots: Roots,
}

impl Uploads {
    /// Uploads to the buckets of a region. `lookup` returns environment variables.
    pub fn new(region: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self { roots: Roots::of(region, lookup) }
    }

    /// Sends a PUT request with an empty content type and returns the status of the response. Follows no redirect. Safe
    /// to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error if no response arrives in time.
    pub async fn put(&self, url: &str, body: String, timeout: Duration) -> Result<u16, UploadError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("PUT").map_err(UploadError::Url)?;
        request.set_uri(url).map_err(UploadError::Url)?;
        request.headers_mut().insert("content-type", "");
        // Each upload has its own connection, because uploads are rare.
        let connector = connector(Duration::ZERO, self.roots, None, None);
        let response = tokio::time::timeout(timeout, connector.call(request)).await;
        let response = response.map_err(|_| UploadError::Timeout(timeout))?.map_err(UploadError::Connection)?;
        Ok(response.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// On the paused clock, the test takes no time.
    #[tokio::test(start_paused = true)]
    async fn an_upload_ends_if_the_server_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/?signature=canary", listener.local_addr().unwrap());
        let uploads = Uploads::new("eu-west-1", |_| None);
        let error = uploads.put(&url, String::new(), Duration::from_secs(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "no response within 2000 ms");
    }

    #[tokio::test]
    async fn errors_omit_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        for url in [format!("http://{closed}/?signature=canary"), "not a URL canary".to_owned()] {
            let uploads = Uploads::new("eu-west-1", |_| None);
            let error = uploads.put(&url, String::new(), Duration::from_secs(2)).await.unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
