//! The reply to CloudFormation: a PUT of at most 4,096 bytes to a presigned URL.

use std::collections::HashMap;
use std::time::Duration;

use aws::HttpRequests;
use aws_lambda_events::cloudformation::{
    CloudFormationCustomResourceResponse, CloudFormationCustomResourceResponseStatus as Status,
};
use domain::invitation::{KeyName, PublicKey};
use domain::provision::Receipt;
use http::Uri;
use thiserror::Error;

/// The maximum length of a reply.
const MAX_BYTES: usize = 4096;

/// A reply to CloudFormation.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply(CloudFormationCustomResourceResponse);

/// The ids of a request, which CloudFormation expects in the reply.
#[expect(clippy::struct_field_names, reason = "CloudFormation's names")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestIds {
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_resource_id: String,
}

impl Reply {
    /// Creates a reply for a success.
    pub(crate) fn success(ids: RequestIds, physical_resource_id: String, reason: &str, data: Data) -> Self {
        Self::new(Status::Success, ids, physical_resource_id, reason, data)
    }

    /// Creates a reply for a failure. A long reason is truncated.
    pub(crate) fn failure(ids: RequestIds, physical_resource_id: String, reason: &str) -> Self {
        Self::new(Status::Failed, ids, physical_resource_id, reason, Data::new())
    }

    fn new(status: Status, ids: RequestIds, physical_resource_id: String, reason: &str, data: Data) -> Self {
        let mut response = CloudFormationCustomResourceResponse::default();
        response.status = status;
        response.physical_resource_id = physical_resource_id;
        response.stack_id = ids.stack_id;
        response.request_id = ids.request_id;
        response.logical_resource_id = ids.logical_resource_id;
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
            // JSON escapes one byte as at most six, so this never truncates too much.
            let cut = reason.len().saturating_sub(excess.div_ceil(6));
            reason.truncate(reason.floor_char_boundary(cut));
        }
    }

    /// The reply as JSON.
    #[must_use]
    pub fn body(&self) -> String {
        // Serializing a struct of strings cannot fail.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// The attributes of a custom resource.
pub(crate) type Data = HashMap<String, String>;

/// The attribute with the public keys.
pub(crate) const JWKS: &str = "Jwks";

/// The attribute with the issuer.
pub(crate) const ISSUER: &str = "Issuer";

/// The attributes of a pool or its verification for `Fn::GetAtt`. Missing values are empty, because `Fn::GetAtt` fails
/// on missing attributes.
pub(crate) fn attributes(receipt: Receipt) -> Data {
    let fields = [
        ("UserPoolId", receipt.user_pool_id),
        ("UserPoolArn", receipt.user_pool_arn),
        (ISSUER, receipt.issuer),
        ("BackendClientId", receipt.backend_client_id),
        ("WebClientId", receipt.web_client_id),
        ("IdentityPoolId", receipt.identity_pool_id),
        ("RoleArn", receipt.role_arn),
        ("PolicyArn", receipt.policy_arn),
        ("CallerArn", receipt.caller_arn),
        (JWKS, None),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.unwrap_or_default())).collect()
}

/// The attributes of an invitation signing key for `Fn::GetAtt`. Contains no secrets.
pub(crate) fn key_attributes(name: &KeyName, public_key: &PublicKey) -> Data {
    let fields = [("ParameterName", name.to_string()), ("PublicKey", public_key.to_string())];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The reply was not delivered. Contains no URL, because the URL is secret.
#[derive(Debug, Error)]
pub enum ReplyError {
    /// The URL does not belong to CloudFormation. Nothing was changed.
    #[error("ResponseURL must be an https URL of CloudFormation's bucket for custom-resource responses in this Region")]
    Untrusted,
    /// The connection failed, or the reply was rejected.
    #[error("cannot deliver the reply to CloudFormation after {attempts} attempts: {last}")]
    NotDelivered {
        /// The number of attempts.
        attempts: u32,
        /// The last error.
        last: String,
    },
}

/// Delivers replies to CloudFormation.
pub trait Replies: Send + Sync {
    /// Checks that a URL belongs to CloudFormation.
    ///
    /// # Errors
    ///
    /// Returns [`ReplyError::Untrusted`] if the URL does not belong to CloudFormation.
    fn check(&self, url: &str) -> Result<(), ReplyError>;

    /// Delivers a reply. Safe to repeat, because each attempt writes the same object.
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>>;
}

/// Delivers replies over HTTP.
#[derive(Debug, Clone)]
pub struct HttpReplies {
    requests: HttpRequests,
    region: String,
    local_host: Option<String>,
}

impl HttpReplies {
    /// Replies to CloudFormation in `region`, and over HTTP to `local_host`, the host of an emulator.
    #[must_use]
    pub fn new(region: &str, requests: HttpRequests, local_host: Option<&str>) -> Self {
        Self { requests, region: region.to_owned(), local_host: local_host.map(str::to_owned) }
    }
}

/// Whether a host is CloudFormation's bucket in this Region, in a form that AWS documents. Compares the whole name,
/// because anyone can create a bucket with the same prefix.
fn is_reply_bucket(host: &str, region: &str) -> bool {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let bucket = format!("cloudformation-custom-resource-response-{}", region.replace('-', ""));
    [format!("s3.{region}"), format!("s3-{region}"), "s3".to_owned()]
        .iter()
        .any(|service| host == format!("{bucket}.{service}.{domain}"))
}

/// All attempts with their timeouts fit into the time that `run.rs` reserves for the reply.
const ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1600);

impl Replies for HttpReplies {
    fn check(&self, url: &str) -> Result<(), ReplyError> {
        let url: Uri = url.parse().map_err(|_| ReplyError::Untrusted)?;
        let authority = url.authority().ok_or(ReplyError::Untrusted)?;
        let is_trusted = match url.scheme_str() {
            // The whole authority, so that there is no user name, password or port.
            Some("https") => is_reply_bucket(authority.as_str(), &self.region),
            Some("http") => self.local_host.as_deref() == Some(authority.host()) && !authority.as_str().contains('@'),
            _ => false,
        };
        if is_trusted { Ok(()) } else { Err(ReplyError::Untrusted) }
    }

    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>> {
        Box::pin(async move {
            self.check(url)?;
            let mut last = String::new();
            for _ in 0..ATTEMPTS {
                // The URL is signed for an empty content type.
                match self.requests.put(url, reply.body(), ATTEMPT_TIMEOUT).await {
                    Ok(200..=299) => return Ok(()),
                    // Redirects are not followed.
                    Ok(status) => last = format!("HTTP status {status}"),
                    Err(error) => last = startup::causes(&error),
                }
            }
            Err(ReplyError::NotDelivered { attempts: ATTEMPTS, last })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> RequestIds {
        RequestIds {
            stack_id: "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1".to_owned(),
            request_id: "request-1".to_owned(),
            logical_resource_id: "Pool".to_owned(),
        }
    }

    fn replies_in(region: &str, local_host: Option<&str>) -> HttpReplies {
        HttpReplies::new(region, HttpRequests::new(region, |_| None), local_host)
    }

    #[test]
    fn limits_the_length_of_a_reply() {
        for character in ["x", "\"", "\n", "日", "\u{1}"] {
            let reply = Reply::failure(ids(), "pool".to_owned(), &character.repeat(9000));
            let body = reply.body();
            assert!(body.len() <= MAX_BYTES && body.len() > MAX_BYTES - 64, "{character:?}: {}", body.len());
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{body}");
        }
    }

    #[test]
    fn accepts_only_the_cloudformation_bucket_of_its_region() {
        let replies = replies_in("eu-west-1", None);
        let bucket = "cloudformation-custom-resource-response-euwest1";
        for host in ["s3.eu-west-1.amazonaws.com", "s3-eu-west-1.amazonaws.com", "s3.amazonaws.com"] {
            let url = format!("https://{bucket}.{host}/arn%3Aaws?X-Amz-Signature=1");
            assert!(replies.check(&url).is_ok(), "{url}");
        }
        for url in [
            "https://example.com/",
            "http://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
            "ftp://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com:8443/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com:99999/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com:/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com./x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com%2eexample.com/x",
            r"https://example.com\@cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
            "https://[::1]/x",
            "https://a@cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com.example.com/x",
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com.cn/x",
            "https://cloudformation-custom-resource-response-evil.s3.eu-west-1.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com/x",
            "https://s3.eu-west-1.amazonaws.com/cloudformation-custom-resource-response-euwest1/x",
            "https://example.com/?cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com",
            "http://127.0.0.1:4566/x",
            "http://169.254.169.254/latest",
            "not a url",
            "",
        ] {
            assert!(matches!(replies.check(url), Err(ReplyError::Untrusted)), "{url}");
        }
        let in_china = replies_in("cn-north-1", None);
        let url = "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x";
        assert!(in_china.check(url).is_ok());
    }

    #[test]
    fn accepts_an_emulator_only_if_a_setting_names_its_host() {
        let local = replies_in("eu-west-1", Some("127.0.0.1"));
        assert!(local.check("http://127.0.0.1:4566/_ministack/cfn-response/1").is_ok());
        for url in ["http://127.0.0.2:4566/", "https://127.0.0.1/", "http://user@127.0.0.1/", "http://example.com/"] {
            assert!(local.check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn replies_have_the_fields_that_cloudformation_expects() {
        let data = Data::from([("UserPoolId".to_owned(), "eu-west-1_AbCdEfGhI".to_owned())]);
        let success = Reply::success(ids(), "pool".to_owned(), "up to date", data);
        let failure = Reply::failure(ids(), "pool".to_owned(), "CreateRole failed: access denied");
        insta::assert_snapshot!([success, failure].map(|reply| reply.body()).join("\n"));
    }
}
