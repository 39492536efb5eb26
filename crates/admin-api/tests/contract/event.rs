//! Emulates API Gateway: an HTTP API, payload version 2.0, without a stage in the path.
//!
//! One accepted token, [`ACCESS_TOKEN`], emulates the JWT authorizer. A request without this token produces an event
//! without claims, so the API rejects the request. On AWS, the authorizer rejects the request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The access token of `root`.
pub(crate) const ACCESS_TOKEN: &str = "contract-access-token";

const DOMAIN: &str = "api.example.com";
const SOURCE_IP: &str = "203.0.113.7";

/// The claims of `root`, the first user in the pool, which determines the `sub`.
fn claims() -> Value {
    json!({
        "client_id": crate::api::CLIENT_ID,
        "cognito:groups": "[admins]",
        "scope": "aws.cognito.signin.user.admin",
        "iss": format!("https://cognito-idp.{}.amazonaws.com/{}", crate::api::REGION, crate::api::USER_POOL_ID),
        "sub": "00000000-0000-4000-8000-000000000001",
        "token_use": "access",
        "username": "root"
    })
}

/// The event for a request.
pub(crate) fn of(head: &Parts, body: &[u8], request_id: &str) -> Value {
    let path = decoded(head.uri.path());
    let bearer = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_root = bearer.and_then(|value| value.strip_prefix("Bearer ")) == Some(ACCESS_TOKEN);
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": headers(&head.headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": DOMAIN,
            "domainPrefix": "api",
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": "contract"
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64
        },
        "isBase64Encoded": is_base64
    });
    let cookies: Vec<_> = head.headers.get_all(COOKIE).iter().map(text_of).collect();
    let object = event.as_object_mut().unwrap();
    // Absent fields are omitted, not null.
    if !cookies.is_empty() {
        object.insert("cookies".to_owned(), json!(cookies));
    }
    if !body.is_empty() {
        object.insert("body".to_owned(), json!(text));
    }
    if is_root {
        event["requestContext"]["authorizer"] = json!({"jwt": {"claims": claims(), "scopes": null}});
    }
    event
}

/// The path as API Gateway decodes it: all percent encodings except `%25`, and cut at an encoded `?`.
fn decoded(path: &str) -> String {
    let kept = path.replace("%25", "%2525");
    let decoded = percent_decode_str(&kept).decode_utf8_lossy().into_owned();
    decoded.split('?').next().unwrap_or_default().to_owned()
}

/// Joins the values of each header with commas. Names are lowercase. Cookies are a separate field of the event.
fn headers(sent: &HeaderMap) -> Map<String, Value> {
    let names = sent.keys().filter(|name| **name != COOKIE);
    let joined = |name: &HeaderName| sent.get_all(name).iter().map(text_of).collect::<Vec<_>>().join(",");
    let mut headers: Map<_, _> = names.map(|name| (name.as_str().to_owned(), json!(joined(name)))).collect();
    // The gateway sets these headers itself.
    let own = [("x-forwarded-for", SOURCE_IP), ("x-forwarded-port", "443"), ("x-forwarded-proto", "https")];
    headers.extend(own.map(|(name, value)| (name.to_owned(), json!(value))));
    headers.insert(HOST.as_str().to_owned(), json!(DOMAIN));
    headers
}

/// Decodes non-ASCII bytes as Latin-1.
fn text_of(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// The response for the function's result.
pub(crate) fn response(answer: &Value) -> Response<Full<Bytes>> {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
    let text = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(text).unwrap(),
        _ => text.as_bytes().to_vec(),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    // The gateway sets the length itself.
    let sent = answer["headers"].as_object().into_iter().flatten().filter(|(name, _)| *name != CONTENT_LENGTH.as_str());
    let headers = sent.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.as_str().unwrap()));
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap())));
    response
}

/// The response if the function fails.
pub(crate) fn function_failed() -> Response<Full<Bytes>> {
    let answer = json!({
        "statusCode": 500,
        "headers": {"content-type": "application/json"},
        "body": r#"{"message":"Internal Server Error"}"#
    });
    response(&answer)
}

#[test]
fn decodes_path_once_and_cuts_it_at_an_encoded_question_mark() {
    let table = [
        ("/v1/users/mia", "/v1/users/mia"),
        ("/v1/users/mia%40example.com", "/v1/users/mia@example.com"),
        ("/v1/users/a%20b%23c", "/v1/users/a b#c"),
        ("/v1/users/%D0%BC", "/v1/users/м"),
        ("/v1/users/100%25", "/v1/users/100%25"),
        ("/v1/users/%2540", "/v1/users/%2540"),
        ("/v1/users/a%2Fb", "/v1/users/a/b"),
        ("/v1/users/mia%3Fx", "/v1/users/mia"),
    ];
    for (sent, raw) in table {
        assert_eq!(decoded(sent), raw, "{sent}");
    }
}

#[test]
fn event_contains_the_request_and_claims_for_the_known_token() {
    let event = |authorization: &str, body: &[u8]| {
        let request =
            http::Request::put("/v1/users/mia/password?a=%20b&a=c").header("Accept", "a").header("accept", "b");
        let request = request.header("Cookie", "c=1").header("Authorization", authorization).body(()).unwrap();
        of(&request.into_parts().0, body, "request-7")
    };
    let root = event("Bearer contract-access-token", br#"{"a": "b"}"#);
    assert_eq!(root["rawPath"], "/v1/users/mia/password");
    assert_eq!(root["rawQueryString"], "a=%20b&a=c");
    assert_eq!((&root["headers"]["accept"], &root["headers"]["cookie"]), (&json!("a,b"), &Value::Null));
    assert_eq!(root["cookies"], json!(["c=1"]));
    assert_eq!((&root["body"], &root["isBase64Encoded"]), (&json!(r#"{"a": "b"}"#), &json!(false)));
    let context = &root["requestContext"];
    assert_eq!((&context["requestId"], &context["http"]["method"]), (&json!("request-7"), &json!("PUT")));
    assert_eq!(context["authorizer"]["jwt"]["claims"]["username"], "root");

    let anonymous = event("Bearer other", &[0xFF, 0xFE]);
    assert_eq!(anonymous["requestContext"]["authorizer"], Value::Null);
    assert_eq!((&anonymous["body"], &anonymous["isBase64Encoded"]), (&json!("//4="), &json!(true)));
}
