//! The events of the measured operations, made from the files in `events/`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::error::BenchError;
use crate::pool::{ADMIN, ADMIN_SUB, CLIENT_ID, ISSUER};

const SIGN_UP: &str = include_str!("../../../events/pre-sign-up/sign-up.json");
const PLAN: &str = include_str!("../../../events/pool-bootstrap/direct-plan.json");
const GET_USER: &str = include_str!("../../../events/admin-api/users-get.json");
const LIST_USERS: &str = include_str!("../../../events/admin-api/users-list.json");
const CREATE_USER: &str = include_str!("../../../events/admin-api/users-create.json");
const DISABLE_USER: &str = include_str!("../../../events/admin-api/users-disable.json");
const REST: &str = include_str!("../../../events/admin-api/rest-users-list.json");

const AUTHORIZATION: &str = include_str!("../../../events/authorizer/http-api.json");
const ACCESS_TOKEN: &str = include_str!("tokens/access-token.txt");

/// 2100-01-01, because `admin-api` rejects expired claims.
const EXPIRY: &str = "4102444800";

/// The event of a sign-up.
pub(crate) fn sign_up() -> Bytes {
    SIGN_UP.into()
}

/// The request to a Lambda authorizer of an HTTP API, with a token that expires in 2100. Its signing key was not kept.
pub(crate) fn authorization() -> Result<Bytes, BenchError> {
    let mut event = parse(AUTHORIZATION)?;
    set(&mut event, "/headers/authorization", json!(format!("Bearer {ACCESS_TOKEN}")))?;
    Ok(event.to_string().into())
}

/// The event that plans the changes of an existing pool.
pub(crate) fn plan() -> Bytes {
    PLAN.into()
}

/// An operation of the admin API.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    GetUser,
    ListUsers,
    CreateUser,
    DisableUser,
}

impl Operation {
    /// The event of an HTTP API with payload 2.0 and a JWT authorizer.
    pub(crate) fn http_api(self) -> Result<Bytes, BenchError> {
        Ok(self.http_api_by(ADMIN, ADMIN_SUB)?.to_string().into())
    }

    /// The event with this administrator as the caller.
    pub(crate) fn http_api_by(self, administrator: &str, sub: &str) -> Result<Value, BenchError> {
        let file = match self {
            Self::GetUser => GET_USER,
            Self::ListUsers => LIST_USERS,
            Self::CreateUser => CREATE_USER,
            Self::DisableUser => DISABLE_USER,
        };
        let mut event = parse(file)?;
        set(&mut event, "/requestContext/authorizer/jwt/claims/exp", json!(EXPIRY))?;
        set(&mut event, "/requestContext/authorizer/jwt/claims/username", json!(administrator))?;
        set(&mut event, "/requestContext/authorizer/jwt/claims/sub", json!(sub))?;
        set(&mut event, "/headers/authorization", json!(format!("Bearer {}", access_token(administrator))))?;
        if matches!(self, Self::ListUsers) {
            set_query(&mut event, &[("limit", "60")])?;
        }
        Ok(event)
    }

    /// The event of a REST API with a Cognito authorizer and the routes of Amplify's `AdminQueries`, which cannot create
    /// users.
    pub(crate) fn admin_queries(self) -> Result<Option<Bytes>, BenchError> {
        let (method, path, query, body) = match self {
            Self::GetUser => ("GET", "/getUser", json!({"username": "mia"}), None),
            Self::ListUsers => ("GET", "/listUsers", json!({"limit": "60"}), None),
            Self::DisableUser => ("POST", "/disableUser", Value::Null, Some(json!({"username": "mia"}).to_string())),
            Self::CreateUser => return Ok(None),
        };
        let mut event = parse(REST)?;
        let changes = [
            ("/httpMethod", json!(method)),
            ("/path", json!(path)),
            ("/pathParameters", json!({"proxy": path.trim_start_matches('/')})),
            ("/queryStringParameters", query),
            ("/multiValueQueryStringParameters", Value::Null),
            ("/requestContext/httpMethod", json!(method)),
            ("/requestContext/path", json!(format!("/prod{path}"))),
            ("/requestContext/authorizer/claims/exp", json!(EXPIRY)),
            ("/body", json!(body)),
        ];
        for (pointer, value) in changes {
            set(&mut event, pointer, value)?;
        }
        event["headers"]["Content-Type"] = json!("application/json");
        Ok(Some(event.to_string().into()))
    }
}

/// The event of a list or search with these query parameters, whose values need no percent-encoding.
pub(crate) fn list_users(parameters: &[(&str, &str)]) -> Result<Bytes, BenchError> {
    let event = Operation::ListUsers.http_api()?;
    let mut event = serde_json::from_slice(&event).map_err(|_| BenchError::Event("file"))?;
    set_query(&mut event, parameters)?;
    Ok(event.to_string().into())
}

fn set_query(event: &mut Value, parameters: &[(&str, &str)]) -> Result<(), BenchError> {
    let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    set(event, "/rawQueryString", json!(query.join("&")))?;
    set(event, "/queryStringParameters", parameters.iter().map(|(name, value)| (*name, *value)).collect())
}

fn parse(file: &'static str) -> Result<Value, BenchError> {
    serde_json::from_str(file).map_err(|_| BenchError::Event("file"))
}

/// Replaces the value at a pointer, which the event must contain.
pub(crate) fn set(event: &mut Value, pointer: &'static str, value: Value) -> Result<(), BenchError> {
    *event.pointer_mut(pointer).ok_or(BenchError::Event(pointer))? = value;
    Ok(())
}

/// An access token of the administrator, without a valid signature, which only Cognito checks.
fn access_token(username: &str) -> String {
    let claims = json!({"iss": ISSUER, "token_use": "access", "client_id": CLIENT_ID, "username": username});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(&json!({"alg": "RS256"})), encode(&claims), URL_SAFE_NO_PAD.encode("signature"))
}

/// The user name in an access token.
pub(crate) fn token_owner(access_token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(access_token.split('.').nth(1)?).ok()?;
    Some(serde_json::from_slice::<Value>(&claims).ok()?.get("username")?.as_str()?.to_owned())
}

/// Whether the response confirms the user.
pub(crate) fn is_confirmed(response: &Value) -> bool {
    response["response"]["autoConfirmUser"] == json!(true)
}

/// Whether the response is an HTTP response with a 2xx status.
pub(crate) fn is_success(response: &Value) -> bool {
    response["statusCode"].as_u64().is_some_and(|status| (200..300).contains(&status))
}

/// Whether the response accepts the request.
pub(crate) fn is_authorized(response: &Value) -> bool {
    response["isAuthorized"] == json!(true)
}

/// Whether the response is a plan without changes.
pub(crate) fn is_up_to_date(response: &Value) -> bool {
    response["changes"] == json!(0)
}

/// Whether there is any response.
pub(crate) fn is_any(_: &Value) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_event_with_unexpired_claims() {
        let operations = [Operation::GetUser, Operation::ListUsers, Operation::CreateUser, Operation::DisableUser];
        for operation in operations {
            let event: Value = serde_json::from_slice(&operation.http_api().unwrap()).unwrap();
            assert_eq!(event["requestContext"]["authorizer"]["jwt"]["claims"]["exp"], EXPIRY, "{operation:?}");
            let creates = matches!(operation, Operation::CreateUser);
            assert_eq!(operation.admin_queries().unwrap().is_none(), creates, "{operation:?}");
        }
    }
}
