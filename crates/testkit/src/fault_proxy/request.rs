//! A complete request, with its protocol and operation.

use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

/// The protocol of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// AWS JSON: Cognito.
    Json,
    /// AWS Query: IAM and STS.
    Query,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

impl Request {
    /// The operation; `None` for another protocol.
    pub(super) fn operation(&self) -> Option<(String, Protocol)> {
        if let Some(target) = self.header("x-amz-target") {
            let operation = target.rsplit('.').next()?;
            return Some((operation.to_owned(), Protocol::Json));
        }
        Some((self.parameter("Action")?, Protocol::Query))
    }

    /// A parameter of AWS Query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        if !self.header(CONTENT_TYPE.as_str())?.starts_with("application/x-www-form-urlencoded") {
            return None;
        }
        let form = std::str::from_utf8(&self.body).ok()?;
        let (_, value) = form.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
        Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}
