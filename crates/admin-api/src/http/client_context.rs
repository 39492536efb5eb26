//! Context data of sign-up and sign-in requests, for Cognito's threat protection.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::user_pool::sessions::ClientContext;
use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use utoipa::IntoParams;

/// The headers that are passed to Cognito. None of them contains credentials.
const CONTEXT_HEADERS: [&str; 4] = ["accept", "accept-encoding", "accept-language", "user-agent"];

/// What Cognito's context data library collected on the user's device.
const DEVICE_DATA: &str = "x-device-data";

/// The header [`DEVICE_DATA`] in the OpenAPI document, for handlers that take [`ClientInfo`].
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document")]
pub(crate) struct DeviceData {
    /// Device data from Cognito's context data library (`EncodedData`), for threat protection.
    #[param(rename = "X-Device-Data", nullable = false)]
    device_data: Option<String>,
}

/// The context data of a request.
pub(crate) struct ClientInfo(pub(crate) ClientContext);

impl<S: Sync> FromRequestParts<S> for ClientInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let context = parts.extensions.request_context_ref();
        let headers = CONTEXT_HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?)));
        Ok(Self(ClientContext {
            ip_address: context.and_then(ip_address),
            server_name: context.and_then(domain_name).or_else(|| header("host")).unwrap_or_default(),
            server_path: parts.uri.path().to_owned(),
            headers: headers.collect(),
            device_data: header(DEVICE_DATA),
        }))
    }
}

/// The source address that API Gateway reports. The caller controls `X-Forwarded-For`.
fn ip_address(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        _ => None,
    }
}

fn domain_name(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.domain_name.clone(),
        RequestContext::ApiGatewayV1(context) => context.domain_name.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::gateway;
    use crate::testing::{Api, By, Call, SOURCE_IP};

    /// Every call that passes context data.
    fn calls() -> [(&'static str, Value); 8] {
        [
            ("/v1/auth/sign-up", json!({"username": "new", "password": "Correct-1"})),
            ("/v1/auth/confirm-sign-up", json!({"username": "mia", "code": "123456"})),
            ("/v1/auth/resend-code", json!({"username": "mia"})),
            ("/v1/auth/sign-in", json!({"username": "mia", "password": "Password-of-mia-1"})),
            (
                "/v1/auth/challenge",
                json!({"challenge": "SMS_MFA", "username": "mia", "session": "made-up", "code": "123456"}),
            ),
            ("/v1/auth/refresh", json!({"username": "mia", "refresh_token": "made-up"})),
            ("/v1/auth/forgot-password", json!({"username": "mia"})),
            ("/v1/auth/reset-password", json!({"username": "mia", "code": "654321", "new_password": "Permanent-1"})),
        ]
    }

    #[tokio::test]
    async fn passes_context_data_without_credentials() {
        let by_rest_api = By::Rest { authorizer: Value::Null, identity: json!({}) };
        for (path, body) in calls() {
            for by in [By::Anonymous, by_rest_api.clone()] {
                let api = Api::new();
                let mut call = Call::post(path, Some(&body)).by(by);
                for (name, value) in [
                    ("user-agent", "Browser/1"),
                    ("accept-language", "de"),
                    ("accept", "*/*"),
                    ("accept-encoding", "br"),
                    ("x-device-data", "collected"),
                    ("authorization", "Bearer canary"),
                    ("cookie", "session=canary"),
                    ("x-access-token", "canary"),
                    ("x-api-key", "canary"),
                    ("x-forwarded-for", "198.51.100.9"),
                    ("forwarded", "for=198.51.100.9"),
                    ("x-real-ip", "198.51.100.9"),
                ] {
                    call = call.header(name, value);
                }
                api.call(call).await;
                let headers = [
                    ("accept", "*/*"),
                    ("accept-encoding", "br"),
                    ("accept-language", "de"),
                    ("user-agent", "Browser/1"),
                ];
                let expected = ClientContext {
                    ip_address: Some(SOURCE_IP.to_owned()),
                    server_name: "api.example.com".to_owned(),
                    server_path: path.to_owned(),
                    headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
                    device_data: Some("collected".to_owned()),
                };
                assert_eq!(api.pool.last_context(), Some(expected), "{path}");
            }
        }
    }

    #[test]
    fn openapi_names_the_header_where_it_is_read() {
        let document = crate::openapi::value();
        let paths = document["paths"].as_object().unwrap().iter();
        let takes_device_data = |item: &Value| {
            let operations = item.as_object().unwrap().values();
            let mut parameters = operations.filter_map(|operation| operation["parameters"].as_array()).flatten();
            parameters.any(|parameter| parameter["in"] == "header" && parameter["name"] == "X-Device-Data")
        };
        let named: BTreeSet<_> =
            paths.filter(|(_, item)| takes_device_data(item)).map(|(path, _)| path.as_str()).collect();
        assert_eq!(named, calls().map(|(path, _)| path).into());
    }

    #[tokio::test]
    async fn omits_missing_context_data() {
        let api = Api::new();
        let (path, body) = &calls()[0];
        api.call(Call::post(path, Some(body)).anonymous().header("x-forwarded-for", "198.51.100.9")).await;
        let context = api.pool.last_context().unwrap();
        assert_eq!((context.headers, context.device_data), (vec![], None));
    }

    /// The context data of an event from API Gateway.
    async fn context_of(event: &str) -> ClientContext {
        let request = gateway::restore_request(lambda_http::request::from_str(event).unwrap());
        let ClientInfo(context) = ClientInfo::from_request_parts(&mut request.into_parts().0, &()).await.unwrap();
        context
    }

    #[tokio::test]
    async fn reads_context_of_http_and_rest_api() {
        let http_api = context_of(include_str!("../../../../events/admin-api/auth-sign-in.json")).await;
        let rest_api = context_of(include_str!("../../../../events/admin-api/rest-auth-sign-in.json")).await;
        for (context, server_name) in [
            (http_api, "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"),
            (rest_api, "f6g7h8i9j0.execute-api.eu-central-1.amazonaws.com"),
        ] {
            assert_eq!(context.ip_address.as_deref(), Some("203.0.113.7"));
            assert_eq!((context.server_name.as_str(), context.server_path.as_str()), (server_name, "/v1/auth/sign-in"));
            let headers = [("accept", "*/*"), ("user-agent", "curl/8.5.0")];
            assert_eq!(context.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }

    #[tokio::test]
    async fn ignores_host_header_of_the_caller() {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../../events/admin-api/auth-sign-in.json")).unwrap();
        event["headers"]["host"] = json!("elsewhere.example.com");
        let context = context_of(&event.to_string()).await;
        assert_eq!(context.server_name, "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com");
    }

    #[tokio::test]
    async fn has_no_address_without_api_gateway() {
        let (mut parts, ()) = http::Request::post("/v1/auth/sign-in")
            .header("x-forwarded-for", "198.51.100.9")
            .body(())
            .unwrap()
            .into_parts();
        let ClientInfo(context) = ClientInfo::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!((context.ip_address, context.server_name.as_str()), (None, ""));
    }
}
