//! Token introspection (RFC 7662): requests of back ends that no API Gateway protects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use token_verifier::{Claims, TokenUse};

/// The route of the template, as API Gateway names it.
const ROUTE: &str = "POST /v1/auth/introspect";

/// A request to the route, as an HTTP API sends it to an integration (payload version 2.0).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Introspection {
    route_key: String,
    request_context: Context,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
struct Authorizer {
    #[serde(default)]
    iam: Option<Iam>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iam {
    #[serde(default)]
    user_arn: Option<String>,
}

/// Why a request cannot be answered. The caller receives the error (RFC 6749, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// API Gateway did not verify the signature of an AWS principal.
    NoCaller,
    /// The body is not a form with exactly one token.
    NoToken,
}

impl Introspection {
    /// Whether API Gateway sent the request to the route of the template.
    pub(crate) fn is_of_route(&self) -> bool {
        self.route_key == ROUTE
    }

    /// The principal that signed the request.
    pub(crate) fn caller(&self) -> Result<&str, RequestError> {
        let iam = self.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref());
        iam.and_then(|iam| iam.user_arn.as_deref()).filter(|arn| !arn.is_empty()).ok_or(RequestError::NoCaller)
    }

    /// The token in the body. Other parameters, such as `token_type_hint`, are ignored (RFC 7662, section 2.1).
    pub(crate) fn token(&self) -> Result<String, RequestError> {
        let text = self.body.as_deref().unwrap_or_default();
        let body = if self.is_base64_encoded {
            STANDARD.decode(text).map_err(|_| RequestError::NoToken)?
        } else {
            text.as_bytes().to_vec()
        };
        let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "token").map(|(_, value)| value);
        match (tokens.next(), tokens.next()) {
            (Some(token), None) if !token.is_empty() => Ok(token.into_owned()),
            _ => Err(RequestError::NoToken),
        }
    }
}

/// The response for a valid token.
pub(crate) fn active(claims: &Claims, issuer: &str) -> Value {
    let (token_use, token_type) = match claims.token_use {
        TokenUse::Access => ("access", Some("Bearer")),
        TokenUse::Id => ("id", None),
    };
    let fields = [
        ("active", Some(json!(true))),
        ("iss", Some(json!(issuer))),
        ("sub", Some(json!(claims.sub))),
        ("username", claims.username.as_ref().map(|username| json!(username))),
        ("client_id", Some(json!(claims.client_id))),
        ("scope", (!claims.scopes.is_empty()).then(|| json!(claims.scopes.join(" ")))),
        ("token_type", token_type.map(|token_type| json!(token_type))),
        ("exp", Some(json!(claims.expires_at))),
        ("iat", Some(json!(claims.issued_at))),
        ("nbf", claims.not_before.map(|not_before| json!(not_before))),
        ("aud", (!claims.resources.is_empty()).then(|| json!(claims.resources))),
        ("jti", claims.id.as_ref().map(|id| json!(id))),
        // Not in RFC 7662, which permits further fields.
        ("token_use", Some(json!(token_use))),
        ("auth_time", Some(json!(claims.authenticated_at))),
        ("groups", Some(json!(claims.groups))),
        ("session", claims.session.as_ref().map(|session| json!(session))),
    ];
    let fields: Map<String, Value> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    response(200, &fields.into())
}

/// The response for every other token, which says nothing more (RFC 7662, section 2.2).
pub(crate) fn inactive() -> Value {
    response(200, &json!({"active": false}))
}

/// The response if whether the token is valid is unknown.
pub(crate) fn unavailable() -> Value {
    let mut response = response(503, &json!({"error": "temporarily_unavailable"}));
    response["headers"]["retry-after"] = json!("1");
    response
}

/// The response to a request without a caller or a token.
pub(crate) fn rejected(error: RequestError) -> Value {
    match error {
        RequestError::NoCaller => response(401, &json!({"error": "invalid_client"})),
        RequestError::NoToken => {
            let description = "The body must be a form (application/x-www-form-urlencoded) with one field `token`.";
            response(400, &json!({"error": "invalid_request", "error_description": description}))
        }
    }
}

fn response(status: u16, body: &Value) -> Value {
    json!({
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introspection(body: &Value, is_base64_encoded: bool) -> Introspection {
        let event = json!({
            "routeKey": ROUTE, "requestContext": {}, "body": body, "isBase64Encoded": is_base64_encoded,
        });
        serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn reads_exactly_one_token() {
        for (body, expected) in [
            (json!("token=a.b-c_d"), Some("a.b-c_d")),
            (json!("token_type_hint=access_token&token=a&x=1"), Some("a")),
            (json!("token=a%2Bb+c"), Some("a+b c")),
            (json!("token="), None),
            (json!("token"), None),
            (json!("token=a&token=a"), None),
            (json!("Token=a"), None),
            (json!(r#"{"token":"a"}"#), None),
            (json!(""), None),
            (Value::Null, None),
        ] {
            assert_eq!(introspection(&body, false).token().ok().as_deref(), expected, "{body}");
        }
        assert_eq!(introspection(&json!("dG9rZW49YQ=="), true).token().as_deref(), Ok("a"));
        assert_eq!(introspection(&json!("token=a"), true).token(), Err(RequestError::NoToken));
    }

    #[test]
    fn requires_an_aws_principal() {
        for (context, expected) in [
            (json!({"authorizer": {"iam": {"userArn": "arn:aws:iam::1:role/x"}}}), Some("arn:aws:iam::1:role/x")),
            (json!({"authorizer": {"iam": {"userArn": ""}}}), None),
            (json!({"authorizer": {"iam": {}}}), None),
            (json!({"authorizer": {"jwt": {"claims": {}}}}), None),
            (json!({}), None),
        ] {
            let event = json!({"routeKey": ROUTE, "requestContext": context});
            let found: Introspection = serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"));
            assert_eq!(found.caller().ok(), expected, "{context}");
        }
    }
}
