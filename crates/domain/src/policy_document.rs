//! The two IAM documents of the role of signed-in people: who may take it (trust), and what it allows.

use serde_json::{Value, json};
use thiserror::Error;

use crate::spec::Statement;

/// Who vouches for the people that take the role.
const PRINCIPAL: &str = "cognito-identity.amazonaws.com";

const AUDIENCE: &str = "cognito-identity.amazonaws.com:aud";

const METHOD: &str = "cognito-identity.amazonaws.com:amr";

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// The trust policy of the role: only people who signed in to this one identity pool.
///
/// Without the audience, an identity pool of any AWS account could hand out the role (CVE-2024-28056).
#[must_use]
pub fn trust_policy(identity_pool_id: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": PRINCIPAL},
            "Action": ACTION,
            "Condition": {
                "StringEquals": {AUDIENCE: identity_pool_id},
                "ForAnyValue:StringLike": {METHOD: "authenticated"},
            },
        }],
    })
}

/// The field of a trust policy that keeps the identity pool from handing out the role, or that lets others have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TrustFault {
    /// Not exactly one statement, or one that we did not write.
    #[error("expected exactly one statement")]
    Statement,
    /// `Effect`.
    #[error("`Effect` is not `Allow`")]
    Effect,
    /// `Principal.Federated`.
    #[error("`Principal.Federated` is not `cognito-identity.amazonaws.com`")]
    Principal,
    /// `Action`.
    #[error("`Action` is not `sts:AssumeRoleWithWebIdentity`")]
    Action,
    /// The condition on the audience.
    #[error("the condition `StringEquals` on `cognito-identity.amazonaws.com:aud` is not the identity pool")]
    Audience,
    /// The condition on the method.
    #[error("the condition `ForAnyValue:StringLike` on `cognito-identity.amazonaws.com:amr` is not `authenticated`")]
    Method,
    /// A condition that we did not write.
    #[error("there are conditions beside those on `aud` and `amr`")]
    OtherCondition,
}

/// Checks that exactly the people who signed in to this identity pool can take the role.
///
/// # Errors
///
/// The first field that is wrong.
pub fn check_trust(document: &Value, identity_pool_id: &str) -> Result<(), TrustFault> {
    let Some([statement]) = document.get("Statement").and_then(Value::as_array).map(Vec::as_slice) else {
        return Err(TrustFault::Statement);
    };
    let checks = [
        ("/Effect", json!("Allow"), TrustFault::Effect),
        ("/Principal", json!({"Federated": PRINCIPAL}), TrustFault::Principal),
        ("/Action", json!(ACTION), TrustFault::Action),
        ("/Condition/StringEquals", json!({AUDIENCE: identity_pool_id}), TrustFault::Audience),
        ("/Condition/ForAnyValue:StringLike", json!({METHOD: "authenticated"}), TrustFault::Method),
    ];
    for (path, expected, fault) in checks {
        if statement.pointer(path).map(unwrapped) != Some(unwrapped(&expected)) {
            return Err(fault);
        }
    }
    match statement.get("Condition").and_then(Value::as_object).map(serde_json::Map::len) {
        Some(2) => {}
        _ => return Err(TrustFault::OtherCondition),
    }
    let known = ["Sid", "Effect", "Principal", "Action", "Condition"];
    let others = statement.as_object().is_some_and(|fields| fields.keys().any(|key| !known.contains(&key.as_str())));
    if others { Err(TrustFault::Statement) } else { Ok(()) }
}

/// IAM takes `"x"` and `["x"]` for the same, at any depth.
fn unwrapped(value: &Value) -> Value {
    match value {
        Value::Array(elements) => match elements.as_slice() {
            [only] => unwrapped(only),
            _ => value.clone(),
        },
        Value::Object(fields) => fields.iter().map(|(key, field)| (key.clone(), unwrapped(field))).collect(),
        _ => value.clone(),
    }
}

/// What the role allows.
///
/// IAM wants at least one statement. The default one grants what every caller can do without any permission: to fetch
/// credentials from the identity pool, for a token that proves the sign-in.
#[must_use]
pub fn access_policy(statements: &[Statement], identity_pool_arn: &str) -> Value {
    let default = Statement {
        actions: vec!["cognito-identity:GetCredentialsForIdentity".to_owned()],
        resources: vec![identity_pool_arn.to_owned()],
    };
    let statements = if statements.is_empty() { std::slice::from_ref(&default) } else { statements };
    let statements: Vec<Value> = statements
        .iter()
        .map(|statement| json!({"Effect": "Allow", "Action": statement.actions, "Resource": statement.resources}))
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "eu-west-1:0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11";

    #[test]
    fn the_generated_trust_policy_passes_its_own_check_in_both_of_iams_spellings() {
        let mut document = trust_policy(POOL);
        assert_eq!(check_trust(&document, POOL), Ok(()));
        document["Statement"][0]["Action"] = json!([ACTION]);
        document["Statement"][0]["Condition"]["StringEquals"][AUDIENCE] = json!([POOL]);
        assert_eq!(check_trust(&document, POOL), Ok(()));
    }

    #[test]
    fn every_mutation_of_the_trust_policy_is_caught_and_its_field_named() {
        let other_pool = "eu-west-1:ffffffff-7a3e-4f0e-8b1e-0a7f3f2c9d11";
        let table: [(&str, Value, TrustFault); 14] = [
            ("/Statement", json!([]), TrustFault::Statement),
            ("/Statement/0/Effect", json!("Deny"), TrustFault::Effect),
            ("/Statement/0/Principal", json!("*"), TrustFault::Principal),
            ("/Statement/0/Principal/Federated", json!("accounts.google.com"), TrustFault::Principal),
            ("/Statement/0/Principal/Federated", json!([PRINCIPAL, "accounts.google.com"]), TrustFault::Principal),
            ("/Statement/0/Action", json!("sts:AssumeRole"), TrustFault::Action),
            ("/Statement/0/Action", json!([ACTION, "sts:TagSession"]), TrustFault::Action),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!(other_pool),
                TrustFault::Audience,
            ),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!("*"),
                TrustFault::Audience,
            ),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!([POOL, other_pool]),
                TrustFault::Audience,
            ),
            ("/Statement/0/Condition/StringEquals", json!({}), TrustFault::Audience),
            (
                "/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr",
                json!("unauthenticated"),
                TrustFault::Method,
            ),
            (
                "/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr",
                json!("*"),
                TrustFault::Method,
            ),
            ("/Statement/0/Condition", json!({}), TrustFault::Audience),
        ];
        for (path, value, expected) in table {
            let mut document = trust_policy(POOL);
            *document.pointer_mut(path).unwrap() = value.clone();
            assert_eq!(check_trust(&document, POOL), Err(expected), "{path} = {value}");
        }
    }

    #[test]
    fn whatever_is_added_to_the_trust_policy_is_caught() {
        let mut second_statement = trust_policy(POOL);
        let statement = second_statement["Statement"][0].clone();
        second_statement["Statement"].as_array_mut().unwrap().push(statement);
        assert_eq!(check_trust(&second_statement, POOL), Err(TrustFault::Statement));

        let mut condition = trust_policy(POOL);
        condition["Statement"][0]["Condition"]["IpAddress"] = json!({"aws:SourceIp": "192.0.2.1"});
        assert_eq!(check_trust(&condition, POOL), Err(TrustFault::OtherCondition));

        let mut field = trust_policy(POOL);
        field["Statement"][0]["NotPrincipal"] = json!("*");
        assert_eq!(check_trust(&field, POOL), Err(TrustFault::Statement));

        assert_eq!(check_trust(&json!("nonsense"), POOL), Err(TrustFault::Statement));
    }

    #[test]
    fn a_role_without_statements_of_its_own_grants_nothing_wide() {
        let arn = "arn:aws:cognito-identity:eu-west-1:123456789012:identitypool/x";
        let default = access_policy(&[], arn);
        assert_eq!(default["Statement"][0]["Resource"], json!([arn]));
        assert!(!default.to_string().contains('*'));

        let own =
            Statement { actions: vec!["s3:GetObject".to_owned()], resources: vec!["arn:aws:s3:::shop/*".to_owned()] };
        let document = access_policy(&[own], arn);
        assert_eq!(document["Statement"].as_array().unwrap().len(), 1);
        assert_eq!(document["Statement"][0]["Action"], json!(["s3:GetObject"]));
    }
}
