//! Fakes of AWS that replace only the SDK's HTTP client.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use domain::platform::TAG_KEY;
use serde_json::{Value, json};

use super::response;
use crate::Aws;

pub(super) type Answer = Result<HttpResponse, ConnectorError>;

/// Responds to every request and records it. Clones share the records.
#[derive(Clone)]
pub(super) struct FakeAws {
    answer: Arc<dyn Fn(&str) -> Answer + Send + Sync>,
    /// Operation and body of each request.
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl FakeAws {
    /// `answer` maps an operation to its response.
    pub(super) fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), requests: Arc::default() }
    }

    /// Responds to these operations with these bodies, and to all others with an empty object.
    pub(super) fn answering<const N: usize>(answers: [(&'static str, Value); N]) -> Self {
        Self::new(move |operation| {
            let answer = answers.iter().find(|(name, _)| *name == operation);
            let json = answer.map_or_else(|| json!({}), |(_, json)| json.clone());
            Ok(response(200, json.to_string()))
        })
    }

    /// Rejects one operation, and responds to all others with an empty object.
    pub(super) fn rejecting(rejected: &'static str, code: &'static str, message: &'static str) -> Self {
        Self::new(move |operation| {
            let error = json!({ "__type": code, "message": message });
            let (status, json) = if operation == rejected { (400, error) } else { (200, json!({})) };
            Ok(response(status, json.to_string()))
        })
    }

    /// Returns how often the operation was called.
    pub(super) fn calls(&self, operation: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|(called, _)| called == operation).count()
    }

    /// Returns the operation and the body of each request to a JSON service.
    pub(super) fn requests(&self) -> Vec<(String, Value)> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(operation, body)| (operation.clone(), serde_json::from_str(body).unwrap())).collect()
    }

    /// Returns the last request body of an operation of a JSON service.
    pub(super) fn sent(&self, operation: &str) -> Value {
        let requests = self.requests.lock().unwrap();
        let (_, body) = requests.iter().rfind(|(called, _)| called == operation).unwrap();
        serde_json::from_str(body).unwrap()
    }
}

/// Returns a configuration without a server. Add a fake with `with_http_client`.
pub(super) async fn offline_aws() -> Aws {
    Aws::local("http://aws.invalid", "eu-west-1", "key-1", "secret-1").await
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FakeAws")
    }
}

impl HttpClient for FakeAws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let operation = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next(),
            None if body.is_empty() => lambda_operation(request.uri()),
            None => body.strip_prefix("Action=").and_then(|rest| rest.split('&').next()),
        };
        let operation = operation.unwrap().to_owned();
        let answer = (self.answer)(&operation);
        self.requests.lock().unwrap().push((operation, body));
        HttpConnectorFuture::ready(answer)
    }
}

/// Returns the operation of a request to Lambda, which has neither a header nor a body with the name.
fn lambda_operation(uri: &str) -> Option<&'static str> {
    match uri.rsplit('/').next() {
        Some("configuration") => Some("GetFunctionConfiguration"),
        Some("concurrency") => Some("GetFunctionConcurrency"),
        Some("policy") => Some("GetPolicy"),
        _ => None,
    }
}

/// Accepts every request and never responds.
#[derive(Debug, Clone)]
pub(super) struct SilentAws;

impl HttpClient for SilentAws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SilentAws {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

/// Returns the minimal successful response that lets the adapter make its next call.
pub(super) fn success(operation: &str) -> HttpResponse {
    let tags = json!({ TAG_KEY: "shop" });
    let json = match operation {
        "AdminGetUser" => json!({"Username": "mia"}),
        "ListUserPools" => json!({"UserPools": [{"Id": "pool-1", "Name": "shop"}]}),
        "DescribeUserPool" => json!({"UserPool": {
            "Id": "pool-1",
            "Arn": "arn:pool-1",
            "Name": "shop",
            "UserPoolTags": tags,
            "Policies": {"PasswordPolicy": {}},
        }}),
        "ListIdentityProviders" => json!({"Providers": [{"ProviderName": "Google"}]}),
        "ListUserPoolClients" => json!({"UserPoolClients": [{"ClientId": "client-1", "ClientName": "shop-web"}]}),
        "DescribeUserPoolClient" => json!({"UserPoolClient": {
            "ClientId": "client-1",
            "RefreshTokenRotation": {"Feature": "ENABLED"},
        }}),
        "GetGroup" => json!({"Group": {"GroupName": "admins", "CreationDate": 1, "LastModifiedDate": 1}}),
        "ListIdentityPools" => json!({"IdentityPools": [{"IdentityPoolId": "id-1", "IdentityPoolName": "shop"}]}),
        "DescribeIdentityPool" | "UpdateIdentityPool" => json!({
            "IdentityPoolId": "id-1",
            "IdentityPoolName": "shop",
            "AllowUnauthenticatedIdentities": false,
            "IdentityPoolTags": tags,
        }),
        "GetPolicy" => return xml(operation, "<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>"),
        "ListPolicyVersions" => {
            let version = "<VersionId>v1</VersionId><IsDefaultVersion>false</IsDefaultVersion>";
            return xml(operation, &format!("<Versions><member>{version}</member></Versions>"));
        }
        "DeletePolicyVersion" | "DeletePolicy" => return xml(operation, ""),
        _ => json!({}),
    };
    response(200, json.to_string())
}

fn xml(operation: &str, result: &str) -> HttpResponse {
    response(200, format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"))
}
