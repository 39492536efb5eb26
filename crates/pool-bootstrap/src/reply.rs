//! The one answer that CloudFormation waits for: a PUT of at most 4,096 bytes to a presigned URL.

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::cloudformation::{
    CloudFormationCustomResourceResponse, CloudFormationCustomResourceResponseStatus as Status,
};
use domain::invitation::{KeyName, PublicKey};
use domain::provision::Receipt;
use thiserror::Error;

/// CloudFormation takes no longer answer.
const MAX_BYTES: usize = 4096;

/// An answer to CloudFormation.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply(CloudFormationCustomResourceResponse);

/// Whom the answer goes to: copied from the request, under CloudFormation's names.
#[expect(clippy::struct_field_names, reason = "CloudFormation's names")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addressee {
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_resource_id: String,
}

impl Reply {
    /// It worked.
    pub(crate) fn success(to: Addressee, physical_resource_id: String, reason: &str, data: Data) -> Self {
        Self::new(Status::Success, to, physical_resource_id, reason, data)
    }

    /// It did not work. A long reason is cut.
    pub(crate) fn failure(to: Addressee, physical_resource_id: String, reason: &str) -> Self {
        Self::new(Status::Failed, to, physical_resource_id, reason, Data::new())
    }

    fn new(status: Status, to: Addressee, physical_resource_id: String, reason: &str, data: Data) -> Self {
        let mut response = CloudFormationCustomResourceResponse::default();
        response.status = status;
        response.physical_resource_id = physical_resource_id;
        response.stack_id = to.stack_id;
        response.request_id = to.request_id;
        response.logical_resource_id = to.logical_resource_id;
        response.data = data;
        response.reason = Some(String::new());
        let mut reply = Self(response);
        let mut reason = reason.to_owned();
        loop {
            reply.0.reason = Some(reason.clone());
            let excess = reply.body().len().saturating_sub(MAX_BYTES);
            if excess == 0 || reason.is_empty() {
                return reply;
            }
            // One byte becomes at most six when it is escaped: so much less never cuts too much.
            let cut = reason.len().saturating_sub(excess.div_ceil(6));
            reason.truncate(reason.floor_char_boundary(cut));
        }
    }

    /// The answer as JSON.
    #[must_use]
    pub fn body(&self) -> String {
        // A struct of strings always is JSON.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// The attributes of a custom resource.
pub(crate) type Data = HashMap<String, String>;

/// What `Fn::GetAtt` can ask of a pool or its verification. An attribute that a template asks for must be there, so absent ids are empty.
pub(crate) fn attributes(receipt: Receipt) -> Data {
    let fields = [
        ("UserPoolId", receipt.user_pool_id),
        ("UserPoolArn", receipt.user_pool_arn),
        ("Issuer", receipt.issuer),
        ("BackendClientId", receipt.backend_client_id),
        ("WebClientId", receipt.web_client_id),
        ("IdentityPoolId", receipt.identity_pool_id),
        ("RoleArn", receipt.role_arn),
        ("PolicyArn", receipt.policy_arn),
        ("CallerArn", receipt.caller_arn),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.unwrap_or_default())).collect()
}

/// What `Fn::GetAtt` can ask of an invitation key. Nothing of it is secret.
pub(crate) fn key_attributes(name: &KeyName, public_key: &PublicKey) -> Data {
    let fields = [("ParameterName", name.to_string()), ("PublicKey", public_key.to_string())];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The answer did not reach CloudFormation. Holds no URL: it is a secret.
#[derive(Debug, Error)]
pub enum ReplyError {
    /// The connection failed, or the answer was not taken.
    #[error("CloudFormation did not get the reply after {attempts} attempts: {last}")]
    NotDelivered {
        /// How often it was tried.
        attempts: u32,
        /// What went wrong last.
        last: String,
    },
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start: {0}")]
    NoClient(String),
}

/// The way back to CloudFormation.
pub trait Replies: Send + Sync {
    /// Delivers an answer. Safe to repeat: it is the same object.
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>>;
}

/// The way back over HTTP.
#[derive(Debug, Clone)]
pub struct HttpReplies {
    client: reqwest::Client,
}

impl HttpReplies {
    /// Makes the HTTP client; sends nothing.
    ///
    /// # Errors
    ///
    /// Without the system's root certificates.
    pub fn new() -> Result<Self, ReplyError> {
        let client = reqwest::Client::builder().timeout(ATTEMPT_TIMEOUT).build();
        Ok(Self { client: client.map_err(|error| ReplyError::NoClient(error.to_string()))? })
    }
}

/// Attempts and their time-out fit into the time that is kept back for the answer.
const ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1600);

impl Replies for HttpReplies {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>> {
        Box::pin(async move {
            let mut last = String::new();
            for _ in 0..ATTEMPTS {
                // An empty content type: the URL was signed without one.
                let request = self.client.put(url).header("content-type", "").body(reply.body());
                match request.send().await.and_then(reqwest::Response::error_for_status) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error.without_url().to_string(),
                }
            }
            Err(ReplyError::NotDelivered { attempts: ATTEMPTS, last })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> Addressee {
        Addressee {
            stack_id: "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1".to_owned(),
            request_id: "request-1".to_owned(),
            logical_resource_id: "Pool".to_owned(),
        }
    }

    #[test]
    fn a_reply_never_exceeds_what_cloud_formation_takes() {
        for character in ["x", "\"", "\n", "日", "\u{1}"] {
            let reply = Reply::failure(to(), "pool".to_owned(), &character.repeat(9000));
            let body = reply.body();
            assert!(body.len() <= MAX_BYTES && body.len() > MAX_BYTES - 64, "{character:?}: {}", body.len());
            let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(parsed["Status"], "FAILED");
            assert_eq!(parsed["RequestId"], "request-1");
        }
    }

    #[test]
    fn a_short_reason_goes_out_whole() {
        let reply = Reply::success(to(), "pool".to_owned(), "as it should be", Data::new());
        let parsed: serde_json::Value = serde_json::from_str(&reply.body()).unwrap();
        assert_eq!((&parsed["Status"], &parsed["Reason"]), (&"SUCCESS".into(), &"as it should be".into()));
        assert_eq!(parsed["PhysicalResourceId"], "pool");
    }
}
