//! Responses of the proxy, in the form of the service.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::request::Protocol;

/// A complete response.
pub(super) type Answer = Response<Bytes>;

/// The request id of the proxy's responses, which shows that the emulator did not send them.
const REQUEST_ID: &str = "fault-proxy";

/// An internal error, with code and message of Cognito or IAM. The SDK evaluates the status.
pub(super) fn failed(protocol: Protocol) -> Answer {
    let code = either(protocol, "InternalErrorException", "ServiceFailure");
    error(protocol, StatusCode::INTERNAL_SERVER_ERROR, code, "The service has failed.")
}

/// The service is unavailable.
pub(super) fn unavailable(protocol: Protocol) -> Answer {
    let code = either(protocol, "ServiceUnavailableException", "ServiceUnavailable");
    error(protocol, StatusCode::SERVICE_UNAVAILABLE, code, "The service is unavailable.")
}

/// The call is throttled.
pub(super) fn throttled(protocol: Protocol) -> Answer {
    let code = either(protocol, "TooManyRequestsException", "Throttling");
    error(protocol, StatusCode::BAD_REQUEST, code, "Rate exceeded")
}

/// The start of a successful response.
pub(super) fn start(protocol: Protocol) -> Answer {
    success(protocol, either(protocol, "{", "<"))
}

/// A successful response in no format of AWS.
pub(super) fn malformed(protocol: Protocol) -> Answer {
    success(protocol, "neither JSON nor XML")
}

/// A successful response without fields.
pub(super) fn no_fields(protocol: Protocol, operation: &str) -> Answer {
    let xml = format!("<{operation}Response><{operation}Result/></{operation}Response>");
    success(protocol, either(protocol, "{}", &xml))
}

/// The identity pool cannot assume its role.
pub(super) fn role_cannot_be_taken() -> Answer {
    let text = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
    error(Protocol::Json, StatusCode::BAD_REQUEST, "InvalidIdentityPoolConfigurationException", text)
}

/// The role does not exist in IAM.
pub(super) fn no_such_role(name: &str) -> Answer {
    let text = format!("The role with name {name} cannot be found.");
    error(Protocol::Query, StatusCode::NOT_FOUND, "NoSuchEntity", &text)
}

fn either<'a>(protocol: Protocol, json: &'a str, query: &'a str) -> &'a str {
    match protocol {
        Protocol::Json => json,
        Protocol::Query => query,
    }
}

fn success(protocol: Protocol, body: &str) -> Answer {
    answer(protocol, StatusCode::OK, body.to_owned())
}

fn error(protocol: Protocol, status: StatusCode, code: &str, text: &str) -> Answer {
    let body = match protocol {
        Protocol::Json => json!({ "__type": code, "message": text }).to_string(),
        Protocol::Query => {
            let whose = if status.is_server_error() { "Receiver" } else { "Sender" };
            let error = format!("<Error><Type>{whose}</Type><Code>{code}</Code><Message>{text}</Message></Error>");
            format!("<ErrorResponse>{error}<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>")
        }
    };
    answer(protocol, status, body)
}

fn answer(protocol: Protocol, status: StatusCode, body: String) -> Answer {
    let content_type = either(protocol, "application/x-amz-json-1.1", "text/xml");
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
    answer
}
