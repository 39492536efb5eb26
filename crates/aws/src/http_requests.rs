//! HTTP requests without AWS credentials: uploads to presigned URLs, downloads of public documents, and requests to servers of
//! the operator.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::byte_stream::error::Error as BodyError;
use thiserror::Error;

use crate::http_client::{Roots, connector};

/// The maximum size of a downloaded document. The public keys of a user pool take one kilobyte.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Why a request failed. Contains no part of the URL, because the signature of a presigned URL is a credential.
#[derive(Debug, Error)]
pub enum HttpRequestError {
    /// The URL is not valid.
    #[error("the URL is not valid")]
    Url(#[source] HttpError),
    /// The time ran out.
    #[error("no response within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] ConnectorError),
    /// The server returned another status than 200.
    #[error("the status is {0}, not 200")]
    Status(u16),
    /// The response could not be read.
    #[error("the response could not be read")]
    Body(#[source] BodyError),
    /// The response is too large.
    #[error("the response is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
}

/// Sends HTTP requests. Follows no redirect. Each request opens a connection, because requests are rare.
#[derive(Debug, Clone)]
pub struct HttpRequests {
    roots: Roots,
}

impl HttpRequests {
    /// Sends requests to AWS endpoints of a region. `lookup` returns environment variables.
    pub fn new(region: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self { roots: Roots::of(region, lookup) }
    }

    /// Sends requests to any server. Trusts the certificate authorities of the system.
    #[must_use]
    pub fn to_any_server() -> Self {
        Self { roots: Roots::System }
    }

    /// Sends a POST request with a JSON body and further headers, and returns the body of the response, of at most 64 KiB.
    /// The request is sent once.
    ///
    /// # Errors
    ///
    /// Returns an error unless the status is 200 and the whole response arrives in time.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
        timeout: Duration,
    ) -> Result<Vec<u8>, HttpRequestError> {
        let mut request = request("POST", url, SdkBody::from(body))?;
        request.headers_mut().insert("content-type", "application/json");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.clone());
        }
        within(timeout, self.document(request)).await
    }

    /// Sends a PUT request with an empty content type and returns the status of the response. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error if no response arrives in time.
    pub async fn put(&self, url: &str, body: String, timeout: Duration) -> Result<u16, HttpRequestError> {
        let mut request = request("PUT", url, SdkBody::from(body))?;
        request.headers_mut().insert("content-type", "");
        Ok(within(timeout, self.send(request)).await?.status().as_u16())
    }

    /// Uploads a file with a PUT request with further headers. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error unless the status is 200.
    pub async fn upload(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        file: Vec<u8>,
        timeout: Duration,
    ) -> Result<(), HttpRequestError> {
        let mut request = request("PUT", url, SdkBody::from(file))?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.clone());
        }
        match within(timeout, self.send(request)).await?.status().as_u16() {
            200 => Ok(()),
            status => Err(HttpRequestError::Status(status)),
        }
    }

    /// Downloads a document of at most 64 KiB. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error unless the whole document arrives in time.
    pub async fn get(&self, url: &str, timeout: Duration) -> Result<Vec<u8>, HttpRequestError> {
        let request = request("GET", url, SdkBody::empty())?;
        within(timeout, self.document(request)).await
    }

    /// Sends a request and reads the body of a response with status 200.
    async fn document(&self, request: HttpRequest) -> Result<Vec<u8>, HttpRequestError> {
        let response = self.send(request).await?;
        match response.status().as_u16() {
            200 => read(response).await,
            status => Err(HttpRequestError::Status(status)),
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpRequestError> {
        let connector = connector(Duration::ZERO, self.roots, None, None);
        connector.call(request).await.map_err(HttpRequestError::Connection)
    }
}

fn request(method: &str, url: &str, body: SdkBody) -> Result<HttpRequest, HttpRequestError> {
    let mut request = HttpRequest::new(body);
    request.set_method(method).map_err(HttpRequestError::Url)?;
    request.set_uri(url).map_err(HttpRequestError::Url)?;
    Ok(request)
}

async fn within<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, HttpRequestError>>,
) -> Result<T, HttpRequestError> {
    tokio::time::timeout(timeout, work).await.unwrap_or(Err(HttpRequestError::Timeout(timeout)))
}

async fn read(response: HttpResponse) -> Result<Vec<u8>, HttpRequestError> {
    let mut document = Vec::new();
    let mut body = ByteStream::new(response.into_body());
    while let Some(part) = body.next().await {
        document.extend(part.map_err(HttpRequestError::Body)?);
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(HttpRequestError::TooLarge);
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Downloads a document from a server that sends these bytes and closes the connection.
    async fn downloaded(response: String) -> Result<Vec<u8>, HttpRequestError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = connection.read(&mut request).unwrap();
            connection.write_all(response.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let document = HttpRequests::new("eu-west-1", |_| None).get(&url, Duration::from_mins(1)).await;
        assert!(server.join().unwrap().starts_with("GET /jwks.json HTTP/1.1\r\n"));
        document
    }

    fn ok(length: usize, body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn downloads_complete_documents_only() {
        let largest = "x".repeat(MAX_DOCUMENT_BYTES);
        assert_eq!(downloaded(ok(2, "{}")).await.unwrap(), b"{}");
        assert_eq!(downloaded(ok(largest.len(), &largest)).await.unwrap(), largest.as_bytes());
        assert!(matches!(downloaded(ok(3, "{}")).await, Err(HttpRequestError::Body(_))));
        let too_large = downloaded(ok(largest.len() + 1, &(largest + "x"))).await;
        assert!(matches!(too_large, Err(HttpRequestError::TooLarge)));
        for (status, line) in [(404, "404 Not Found"), (302, "302 Found\r\nlocation: /other")] {
            let response = format!("HTTP/1.1 {line}\r\ncontent-length: 2\r\n\r\n{{}}");
            let result = downloaded(response).await;
            assert!(matches!(result, Err(HttpRequestError::Status(actual)) if actual == status), "{result:?}");
        }
    }

    #[tokio::test]
    async fn posts_headers_and_body_and_returns_the_response() {
        for (response, expected) in [(ok(2, "{}"), Some(&b"{}"[..])), (ok(0, "").replace("200", "500"), None)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/users", listener.local_addr().unwrap());
            let server = thread::spawn(move || {
                let (mut connection, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"{\"a\":1}") {
                    let mut part = [0; 1024];
                    let length = connection.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..length]);
                }
                connection.write_all(response.as_bytes()).unwrap();
                String::from_utf8(request).unwrap().to_ascii_lowercase()
            });
            let headers = [("webhook-id", "msg_1".to_owned())];
            let requests = HttpRequests::to_any_server();
            let answer = requests.post(&url, &headers, "{\"a\":1}".to_owned(), Duration::from_mins(1)).await;
            assert_eq!(answer.ok().as_deref(), expected);
            let request = server.join().unwrap();
            assert!(request.starts_with("post /users http/1.1\r\n"), "{request}");
            for header in
                ["\r\nwebhook-id: msg_1\r\n", "\r\ncontent-type: application/json\r\n", "\r\ncontent-length: 7\r\n"]
            {
                assert!(request.contains(header), "{header}: {request}");
            }
        }
    }

    /// On the paused clock, the test takes no time.
    #[tokio::test(start_paused = true)]
    async fn ends_if_the_server_does_not_respond() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/?signature=canary", listener.local_addr().unwrap());
        let requests = HttpRequests::new("eu-west-1", |_| None);
        let error = requests.put(&url, String::new(), Duration::from_secs(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "no response within 2000 ms");
    }

    #[tokio::test]
    async fn errors_omit_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        for url in [format!("http://{closed}/?signature=canary"), "not a URL canary".to_owned()] {
            let requests = HttpRequests::new("eu-west-1", |_| None);
            let error = requests.put(&url, String::new(), Duration::from_secs(2)).await.unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
