//! Reverts API Gateway's changes to requests, and prevents panics of `lambda_http`.
//!
//! An HTTP API ends a path at a decoded `?` and treats a decoded `/` as a separator. Users with these characters in
//! their names are addressed by `sub`.

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{LambdaEvent, RequestExt};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Characters that a path cannot contain. `%` is kept, because it starts the sequences that are still encoded.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Characters that a query cannot contain. `%` and the separators of parameters are kept.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`');

/// Makes the URL of an event valid, and clears the base64 flag of a body that is not base64. `lambda_http` panics on an
/// invalid URL and on a wrong flag. API Gateway sends no wrong flag, but a principal with `lambda:InvokeFunction` can.
pub(crate) fn normalize_event(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    let encode = |text: &mut Option<String>, set| {
        if let Some(text) = text {
            *text = utf8_percent_encode(text, set).to_string();
        }
    };
    let encode_path = |path: &mut Option<String>| {
        encode(path, NOT_IN_A_PATH);
        // Without the slash, the path would continue the host name.
        if let Some(path) = path.as_mut().filter(|path| !path.starts_with('/')) {
            path.insert(0, '/');
        }
    };
    let is_base64 = |body: &Option<String>| body.as_ref().is_none_or(|body| STANDARD.decode(body).is_ok());
    match &mut event.payload {
        LambdaRequest::ApiGatewayV2(request) => {
            request.is_base64_encoded = request.is_base64_encoded && is_base64(&request.body);
            request.headers.remove(HOST);
            request.request_context.domain_name = None;
            encode_path(&mut request.raw_path);
            encode(&mut request.raw_query_string, NOT_IN_A_QUERY);
        }
        LambdaRequest::ApiGatewayV1(request) => {
            request.is_base64_encoded = request.is_base64_encoded && is_base64(&request.body);
            request.headers.remove(HOST);
            request.request_context.domain_name = None;
            encode_path(&mut request.path);
        }
        _ => {}
    }
    event
}

/// The request id in responses and in the logs of API Gateway and of the function.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self("unknown".to_owned())))
    }
}

/// Restores the original path of the request, and adds the request id.
///
/// An HTTP API decodes the path except `%25`; a REST API does not. `lambda_http` builds a URL from the path, which a
/// decoded `#` would end, so that the request would address another user. Therefore the characters that a path cannot
/// contain are encoded again.
pub(crate) fn restore_request(mut request: lambda_http::Request) -> lambda_http::Request {
    let path = sent_path(request.raw_http_path(), stage(request.request_context_ref()));
    let query = request.uri().query().filter(|query| !query.is_empty());
    let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    // Routes match the path only, and the caller controls the host.
    if let Ok(target) = target.parse::<PathAndQuery>() {
        *request.uri_mut() = target.into();
    }
    if let Some(id) = request_id(request.request_context_ref()) {
        let id = RequestId(id.to_owned());
        request.extensions_mut().insert(id);
    }
    request
}

/// API Gateway's id of the request.
fn request_id(context: Option<&RequestContext>) -> Option<&str> {
    match context {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.as_deref(),
        _ => None,
    }
}

fn stage(context: Option<&RequestContext>) -> Option<&str> {
    match context {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        Some(RequestContext::ApiGatewayV1(context)) => context.stage.as_deref(),
        _ => None,
    }
}

/// Removes the stage, which precedes the path in some kinds of API unless it is `$default`, and encodes the path.
fn sent_path(raw: &str, stage: Option<&str>) -> String {
    // All routes begin with /v1/, so a stage named `v1` is not removed by mistake.
    let without_stage =
        stage.and_then(|stage| raw.strip_prefix('/')?.strip_prefix(stage)).filter(|rest| rest.starts_with("/v1/"));
    utf8_percent_encode(without_stage.unwrap_or(raw), NOT_IN_A_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use lambda_http::Context;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn path_without_slash_is_not_a_host() {
        for path in ["", "[", ":99999", "@example.com/v1/users"] {
            let events = testkit::events::all("admin-api");
            let (_, event) = events.iter().find(|(name, _)| name == "users-get").unwrap();
            let mut event: Value = serde_json::from_str(event).unwrap();
            event["rawPath"] = json!(path);
            let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
            let request = restore_request(lambda_http::Request::from(normalize_event(event).payload));
            assert_eq!(request.uri().authority(), None, "{path}");
            assert_eq!(request.uri().path(), format!("/{path}").replace("//", "/"), "{path}");
        }
    }

    #[test]
    fn ignores_invalid_host() {
        for case in ["users-get", "rest-users-list"] {
            let events = testkit::events::all("admin-api");
            let (_, event) = events.iter().find(|(name, _)| name == case).unwrap();
            for host in ["", "a b", "[", "a:b", "a/../b", "%"] {
                let mut event: Value = serde_json::from_str(event).unwrap();
                event["headers"]["host"] = json!(host);
                event["requestContext"]["domainName"] = json!(host);
                let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
                let request = restore_request(lambda_http::Request::from(normalize_event(event).payload));
                assert_eq!(request.uri().authority(), None, "{case} {host}");
                assert!(request.uri().path().starts_with("/v1/users"), "{case} {host}");
            }
        }
    }

    #[test]
    fn keeps_body_that_is_wrongly_marked_as_base64() {
        for case in ["users-create", "rest-users-list"] {
            let events = testkit::events::all("admin-api");
            let (_, event) = events.iter().find(|(name, _)| name == case).unwrap();
            for (body, expected) in [("e30=", "{}"), ("e30", "e30"), ("{}", "{}"), ("@", "@")] {
                let mut event: Value = serde_json::from_str(event).unwrap();
                (event["body"], event["isBase64Encoded"]) = (json!(body), json!(true));
                let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
                let request = lambda_http::Request::from(normalize_event(event).payload);
                assert_eq!(request.body().as_ref(), expected.as_bytes(), "{case} {body}");
            }
        }
    }

    #[test]
    fn removes_only_the_stage() {
        let table = [
            ("/v1/users", None, "/v1/users"),
            ("/v1/users", Some("$default"), "/v1/users"),
            ("/v1/users", Some("prod"), "/v1/users"),
            ("/prod/v1/users", Some("prod"), "/v1/users"),
            ("/prod/v1/users", Some("$default"), "/prod/v1/users"),
            ("/production/v1/users", Some("prod"), "/production/v1/users"),
            ("/v1/users", Some("v1"), "/v1/users"),
            ("/v1/v1/users", Some("v1"), "/v1/users"),
            ("/prod", Some("prod"), "/prod"),
            ("", Some("prod"), ""),
        ];
        for (raw, stage, expected) in table {
            assert_eq!(sent_path(raw, stage), expected, "{raw} on {stage:?}");
        }
    }

    #[test]
    fn encodes_what_api_gateway_decoded() {
        let table = [
            ("/v1/users/mia@example.com", "/v1/users/mia@example.com"),
            ("/v1/users/mia%40example.com", "/v1/users/mia%40example.com"),
            ("/v1/users/mia+a@example.com", "/v1/users/mia+a@example.com"),
            ("/v1/users/mia#x", "/v1/users/mia%23x"),
            ("/v1/users/mia?x", "/v1/users/mia%3Fx"),
            ("/v1/users/100%2525", "/v1/users/100%2525"),
            ("/v1/users/м", "/v1/users/%D0%BC"),
            ("/v1/users/..", "/v1/users/.."),
        ];
        for (raw, expected) in table {
            assert_eq!(sent_path(raw, Some("$default")), expected, "{raw}");
        }
    }
}
