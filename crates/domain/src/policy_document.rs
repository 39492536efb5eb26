//! The IAM documents of the role of authenticated users: the trust policy and the access policy.

use serde_json::{Value, json};
use thiserror::Error;

use crate::spec::Statement;

/// The identity provider of the trust policy.
pub(crate) const PRINCIPAL: &str = "cognito-identity.amazonaws.com";

/// The condition key for the identity pool.
pub(crate) const AUDIENCE: &str = "cognito-identity.amazonaws.com:aud";

/// The condition key for the authentication method.
pub(crate) const METHOD: &str = "cognito-identity.amazonaws.com:amr";

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// The trust policy of the role: only authenticated users of this identity pool can assume it.
///
/// Without the audience condition, an identity pool of any AWS account could assume the role (CVE-2024-28056).
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

/// The wrong field of a trust policy, which excludes the identity pool or admits other principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TrustPolicyError {
    /// Not exactly one statement, or a statement with unexpected fields.
    #[error("must contain exactly one statement")]
    Statement,
    /// `Effect` is wrong.
    #[error("`Effect` is not `Allow`")]
    Effect,
    /// `Principal.Federated` is wrong.
    #[error("`Principal.Federated` is not `cognito-identity.amazonaws.com`")]
    Principal,
    /// `Action` is wrong.
    #[error("`Action` is not `sts:AssumeRoleWithWebIdentity`")]
    Action,
    /// The condition on the audience is wrong.
    #[error("the condition `StringEquals` on `cognito-identity.amazonaws.com:aud` is not the id of the identity pool")]
    Audience,
    /// The condition on the authentication method is wrong.
    #[error("the condition `ForAnyValue:StringLike` on `cognito-identity.amazonaws.com:amr` is not `authenticated`")]
    Method,
    /// An unexpected condition.
    #[error("unexpected conditions besides those on `aud` and `amr`")]
    OtherCondition,
}

/// Checks that exactly the authenticated users of this identity pool can assume the role.
///
/// # Errors
///
/// Returns the first field that is wrong.
pub fn check_trust(document: &Value, identity_pool_id: &str) -> Result<(), TrustPolicyError> {
    let Some([statement]) = document.get("Statement").and_then(Value::as_array).map(Vec::as_slice) else {
        return Err(TrustPolicyError::Statement);
    };
    let checks = [
        ("/Effect", json!("Allow"), TrustPolicyError::Effect),
        ("/Principal", json!({"Federated": PRINCIPAL}), TrustPolicyError::Principal),
        ("/Action", json!(ACTION), TrustPolicyError::Action),
        ("/Condition/StringEquals", json!({AUDIENCE: identity_pool_id}), TrustPolicyError::Audience),
        ("/Condition/ForAnyValue:StringLike", json!({METHOD: "authenticated"}), TrustPolicyError::Method),
    ];
    for (path, expected, fault) in checks {
        if statement.pointer(path).map(unwrapped) != Some(unwrapped(&expected)) {
            return Err(fault);
        }
    }
    match statement.get("Condition").and_then(Value::as_object).map(serde_json::Map::len) {
        Some(2) => {}
        _ => return Err(TrustPolicyError::OtherCondition),
    }
    let known = ["Sid", "Effect", "Principal", "Action", "Condition"];
    let others = statement.as_object().is_some_and(|fields| fields.keys().any(|key| !known.contains(&key.as_str())));
    if others { Err(TrustPolicyError::Statement) } else { Ok(()) }
}

/// Unwraps arrays of one element at any depth, because IAM treats `"x"` and `["x"]` as equal.
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

/// The access policy of the role.
///
/// IAM requires at least one statement. The default statement allows `GetCredentialsForIdentity`, which needs no
/// permission.
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
    fn generated_trust_policy_passes_the_check_in_both_iam_spellings() {
        let mut document = trust_policy(POOL);
        assert_eq!(check_trust(&document, POOL), Ok(()));
        document["Statement"][0]["Action"] = json!([ACTION]);
        document["Statement"][0]["Condition"]["StringEquals"][AUDIENCE] = json!([POOL]);
        assert_eq!(check_trust(&document, POOL), Ok(()));
    }

    #[test]
    fn rejects_every_changed_trust_policy_and_names_the_field() {
        let other_pool = "eu-west-1:ffffffff-7a3e-4f0e-8b1e-0a7f3f2c9d11";
        let table: [(&str, Value, TrustPolicyError); 14] = [
            ("/Statement", json!([]), TrustPolicyError::Statement),
            ("/Statement/0/Effect", json!("Deny"), TrustPolicyError::Effect),
            ("/Statement/0/Principal", json!("*"), TrustPolicyError::Principal),
            ("/Statement/0/Principal/Federated", json!("accounts.google.com"), TrustPolicyError::Principal),
            (
                "/Statement/0/Principal/Federated",
                json!([PRINCIPAL, "accounts.google.com"]),
                TrustPolicyError::Principal,
            ),
            ("/Statement/0/Action", json!("sts:AssumeRole"), TrustPolicyError::Action),
            ("/Statement/0/Action", json!([ACTION, "sts:TagSession"]), TrustPolicyError::Action),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!(other_pool),
                TrustPolicyError::Audience,
            ),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!("*"),
                TrustPolicyError::Audience,
            ),
            (
                "/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud",
                json!([POOL, other_pool]),
                TrustPolicyError::Audience,
            ),
            ("/Statement/0/Condition/StringEquals", json!({}), TrustPolicyError::Audience),
            (
                "/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr",
                json!("unauthenticated"),
                TrustPolicyError::Method,
            ),
            (
                "/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr",
                json!("*"),
                TrustPolicyError::Method,
            ),
            ("/Statement/0/Condition", json!({}), TrustPolicyError::Audience),
        ];
        for (path, value, expected) in table {
            let mut document = trust_policy(POOL);
            *document.pointer_mut(path).unwrap() = value.clone();
            assert_eq!(check_trust(&document, POOL), Err(expected), "{path} = {value}");
        }
    }

    #[test]
    fn rejects_additions_to_the_trust_policy() {
        let mut second_statement = trust_policy(POOL);
        let statement = second_statement["Statement"][0].clone();
        second_statement["Statement"].as_array_mut().unwrap().push(statement);
        assert_eq!(check_trust(&second_statement, POOL), Err(TrustPolicyError::Statement));

        let mut condition = trust_policy(POOL);
        condition["Statement"][0]["Condition"]["IpAddress"] = json!({"aws:SourceIp": "192.0.2.1"});
        assert_eq!(check_trust(&condition, POOL), Err(TrustPolicyError::OtherCondition));

        let mut field = trust_policy(POOL);
        field["Statement"][0]["NotPrincipal"] = json!("*");
        assert_eq!(check_trust(&field, POOL), Err(TrustPolicyError::Statement));

        assert_eq!(check_trust(&json!("nonsense"), POOL), Err(TrustPolicyError::Statement));
    }

    #[test]
    fn default_access_policy_has_no_wildcards() {
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
