//! The responses to API Gateway.

use serde_json::{Map, Value, json};
use token_verifier::{Claims, TokenUse};

use crate::request::Format;

/// Returns the response that accepts a token. API Gateway passes its context to the API.
pub(crate) fn accepted(format: &Format, claims: &Claims) -> Value {
    match format {
        Format::Simple => json!({"isAuthorized": true, "context": context(claims)}),
        Format::Policy { method_arn } => json!({
            "principalId": claims.sub,
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": stage(method_arn)}],
            },
            "context": context(claims),
        }),
    }
}

/// Returns the response that denies a token of a request in this format. API Gateway responds with 403.
pub(crate) fn denied() -> Value {
    json!({"isAuthorized": false})
}

/// REST APIs reject a context with objects or arrays
/// ([AWS](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html)), so
/// that the groups are a JSON text. No separator is safe, because a pre token generation trigger can set any group name.
fn context(claims: &Claims) -> Map<String, Value> {
    let token_use = match claims.token_use {
        TokenUse::Access => "access",
        TokenUse::Id => "id",
    };
    let scope = (!claims.scopes.is_empty()).then(|| claims.scopes.join(" "));
    [
        ("sub", Some(claims.sub.clone())),
        ("username", claims.username.clone()),
        ("groups", Some(json!(claims.groups).to_string())),
        ("client_id", Some(claims.client_id.clone())),
        ("session", claims.session.clone()),
        ("token_use", Some(token_use.to_owned())),
        ("scope", scope),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
    .collect()
}

/// Returns the ARN of all methods of the stage. API Gateway applies a cached policy to every request with the same token,
/// and the decision does not depend on the method. A path can contain wildcards of policies, and is therefore omitted.
fn stage(method_arn: &str) -> String {
    let parts: Vec<&str> = method_arn.splitn(3, '/').take(2).collect();
    format!("{}/*", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_the_stage_only() {
        for (method_arn, expected) in [
            ("arn:aws:execute-api:eu-west-1:1:abc/prod/GET/orders/*/x", "arn:aws:execute-api:eu-west-1:1:abc/prod/*"),
            ("arn:aws:execute-api:eu-west-1:1:abc/prod/$connect", "arn:aws:execute-api:eu-west-1:1:abc/prod/*"),
            ("arn:aws:execute-api:eu-west-1:1:abc/$default/GET/", "arn:aws:execute-api:eu-west-1:1:abc/$default/*"),
        ] {
            assert_eq!(stage(method_arn), expected);
        }
    }
}
