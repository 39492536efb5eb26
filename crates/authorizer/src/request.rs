//! Reads the requests of API Gateway: payload version 2.0 of HTTP APIs, and the formats of REST and WebSocket APIs, which
//! HTTP APIs also send as payload version 1.0.
//!
//! The types of `aws_lambda_events` 1.2 name the field `type` differently, and reject requests without fields that a
//! decision does not need.

use std::collections::HashMap;

use serde::Deserialize;

/// Where a request contains the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// In the header `Authorization`, with or without the prefix `Bearer`, like API Gateway's own JWT authorizers.
    Authorization,
    /// In the cookie with this name.
    Cookie(String),
}

/// A request of API Gateway.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// In payload version 2.0.
    route_arn: Option<String>,
    /// In all other formats.
    method_arn: Option<String>,
    /// The token source in requests of REST APIs to authorizers of the type `TOKEN`, which contain no headers: usually
    /// the header `Authorization`. In payload version 1.0, the identity source, which can be any part of the request.
    authorization_token: Option<String>,
    #[serde(default)]
    headers: Option<HashMap<String, Option<String>>>,
    #[serde(default)]
    multi_value_headers: Option<HashMap<String, Option<Vec<String>>>>,
    /// In payload version 2.0, which has no header `cookie`.
    #[serde(default)]
    cookies: Option<Vec<String>>,
}

/// The response that API Gateway expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// `isAuthorized`.
    Simple,
    /// An IAM policy for the method with this ARN.
    Policy {
        /// E.g. `arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/GET/orders`.
        method_arn: String,
    },
}

impl Request {
    /// Returns the format of the response, or `None` if this is not a request to an authorizer.
    pub(crate) fn format(&self) -> Option<Format> {
        match (&self.route_arn, &self.method_arn) {
            (Some(_), None) => Some(Format::Simple),
            (None, Some(method_arn)) => Some(Format::Policy { method_arn: method_arn.clone() }),
            _ => None,
        }
    }

    /// Returns the values at the place of the token. A request with several tokens is ambiguous, because the API behind
    /// the authorizer can read another one.
    pub(crate) fn tokens(&self, source: &TokenSource) -> Vec<&str> {
        match source {
            TokenSource::Authorization => {
                let has_headers = self.headers.is_some() || self.multi_value_headers.is_some();
                let token = self.authorization_token.as_deref().filter(|_| !has_headers);
                token.into_iter().chain(self.headers("authorization")).map(without_scheme).collect()
            }
            TokenSource::Cookie(name) => {
                let separate = self.cookies.iter().flatten().map(String::as_str);
                let joined = self.headers("cookie").into_iter().flat_map(|cookies| cookies.split(';'));
                let pairs = separate.chain(joined).filter_map(|cookie| cookie.trim().split_once('='));
                pairs.filter(|(found, _)| found == name).map(|(_, value)| value).collect()
            }
        }
    }

    /// Returns all values of a header. `multiValueHeaders` repeats the values of `headers`.
    fn headers(&self, name: &str) -> Vec<&str> {
        fn of<'a, T>(headers: &'a HashMap<String, Option<T>>, name: &str) -> impl Iterator<Item = &'a T> {
            headers
                .iter()
                .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
                .filter_map(|(_, value)| value.as_ref())
        }
        match &self.multi_value_headers {
            Some(headers) => of(headers, name).flatten().map(String::as_str).collect(),
            None => self.headers.iter().flat_map(|headers| of(headers, name)).map(String::as_str).collect(),
        }
    }
}

/// Removes the prefix `Bearer`, in any case (RFC 9110, section 11.1).
fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start_matches(' '),
        _ => value,
    }
}
