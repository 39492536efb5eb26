//! Checks of identity pools, and of the trust policies of their roles.

use serde_json::{Value, json};

use super::policies::{allowing, conditions, texts};
use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observe::role_name;
use crate::doctor::observed::{AssignedRole, ObservedIdentityPool, ObservedUserPool};
use crate::policy_document::{AUDIENCE, METHOD, PRINCIPAL, trust_policy};

/// The policies of AWS with which a user can change the account.
const ADMINISTRATOR_POLICIES: [&str; 3] = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"];

pub(super) fn findings(
    user_pool: &ObservedUserPool,
    pools: &[ObservedIdentityPool],
    fixes: &Fixes<'_>,
) -> Vec<Finding> {
    pools.iter().flat_map(|pool| of_pool(&user_pool.pool.id, pool, fixes)).collect()
}

fn of_pool(user_pool_id: &str, observed: &ObservedIdentityPool, fixes: &Fixes<'_>) -> Vec<Finding> {
    let (id, state) = (&observed.pool.id, &observed.pool.state);
    let subject = format!("identity pool {} ({id})", observed.name);
    let mut findings = Vec::new();
    let mut found =
        |check, reason: String, fix: String| findings.push(Finding::new(check, subject.clone(), reason, fix));
    if state.guests {
        found(
            Check::Guests,
            "everyone receives an identity without signing in".to_owned(),
            fixes.identity_pool(
                id,
                "\"identity_pool\": {\"guests\": false}",
                ".AllowUnauthenticatedIdentities = false",
            ),
        );
    }
    if state.classic_flow {
        found(
            Check::ClassicFlow,
            "in the classic flow, the client chooses the role, and no scope-down policy limits it".to_owned(),
            fixes.identity_pool(id, "\"identity_pool\": {\"classic_flow\": false}", ".AllowClassicFlow = false"),
        );
    }
    let of_user_pool = state.providers.iter().filter(|provider| provider.user_pool_id == user_pool_id);
    for provider in of_user_pool.filter(|provider| !provider.server_side_token_check) {
        found(
            Check::TokenCheck,
            format!("signed-out and disabled users of the app client {} receive AWS credentials", provider.client_id),
            fixes.identity_pool(
                id,
                "\"identity_pool\": {\"server_side_token_check\": true}",
                ".CognitoIdentityProviders |= map(.ServerSideTokenCheck = true)",
            ),
        );
    }
    if observed.authenticated_role_arn.is_none() {
        let reason = "authenticated users receive no AWS credentials, because no role is set".to_owned();
        found(Check::RoleNotSet, reason, fixes.authenticated_role(id));
    }
    for (arn, method) in
        [(&observed.authenticated_role_arn, "authenticated"), (&observed.guest_role_arn, "unauthenticated")]
    {
        if let Some((arn, role)) = arn.as_ref().and_then(|arn| observed.roles.get_key_value(arn)) {
            findings.extend(of_role(id, arn, role, method, fixes));
        }
    }
    findings
}

fn of_role(pool_id: &str, arn: &str, role: &AssignedRole, method: &str, fixes: &Fixes<'_>) -> Vec<Finding> {
    let name = role_name(arn);
    let subject = format!("role {name}");
    let Some(trust) = &role.trust else {
        let command =
            format!("create-role --role-name {name} --assume-role-policy-document '{}'", wanted(pool_id, method));
        let reason = format!("the role of {method} users does not exist, so they receive no AWS credentials");
        return vec![Finding::new(Check::RoleMissing, subject, reason, fixes.aws("iam", &command))];
    };
    let mut findings = Vec::new();
    let command =
        format!("update-assume-role-policy --role-name {name} --policy-document '{}'", wanted(pool_id, method));
    let mut found = |check, reason: String| {
        findings.push(Finding::new(check, subject.clone(), reason, fixes.aws("iam", &command)));
    };
    let statements: Vec<&Value> = allowing(trust).collect();
    let of_cognito: Vec<&&Value> = statements.iter().filter(|statement| names_cognito(statement)).collect();
    if of_cognito.iter().any(|statement| !requires(statement, &["StringEquals"], AUDIENCE, pool_id)) {
        found(
            Check::TrustAudience,
            format!(
                "the trust policy does not require `{AUDIENCE}` = {pool_id}, so other identity pools can assume the role"
            ),
        );
    }
    let operators = ["ForAnyValue:StringLike", "ForAnyValue:StringEquals", "StringLike", "StringEquals"];
    if of_cognito.iter().any(|statement| !requires(statement, &operators, METHOD, method)) {
        found(
            Check::TrustMethod,
            format!("the trust policy does not require `{METHOD}` = {method}, so other users can assume the role"),
        );
    }
    let (open, closed): (Vec<&Value>, Vec<&Value>) =
        statements.iter().copied().partition(|statement| is_open(statement));
    for statement in open {
        let limit = if statement.get("Condition").is_some() { " who meets the statement's conditions" } else { "" };
        found(Check::TrustOpen, format!("everyone with an AWS account{limit} can assume the role"));
    }
    if of_cognito.is_empty() && !statements.iter().any(|statement| allows_all(statement)) {
        found(Check::TrustOther, "the trust policy does not allow identity pools to assume the role".to_owned());
    }
    if closed.iter().any(|statement| statement.get("Principal") != Some(&json!({"Federated": PRINCIPAL}))) {
        found(Check::TrustOther, format!("the trust policy allows principals other than `{PRINCIPAL}`"));
    }
    for policy in role.policies.iter().filter(|policy| ADMINISTRATOR_POLICIES.contains(&role_name(policy))) {
        let command = format!("detach-role-policy --role-name {name} --policy-arn {policy}");
        let reason = format!("{method} users have the permissions of {}", role_name(policy));
        findings.push(Finding::new(Check::AdministratorRole, subject.clone(), reason, fixes.aws("iam", &command)));
    }
    findings
}

/// The trust policy for users of this method.
fn wanted(pool_id: &str, method: &str) -> Value {
    let mut document = trust_policy(pool_id);
    document["Statement"][0]["Condition"]["ForAnyValue:StringLike"][METHOD] = method.into();
    document
}

fn names_cognito(statement: &Value) -> bool {
    let federated = statement.get("Principal").and_then(|principal| principal.get("Federated"));
    texts(federated).iter().any(|name| [PRINCIPAL, "*"].contains(name))
}

/// Whether principals of every account can assume the role.
fn is_open(statement: &Value) -> bool {
    let accounts = statement.get("Principal").and_then(|principal| principal.get("AWS"));
    allows_all(statement) || texts(accounts).contains(&"*")
}

/// Whether the statement does not limit the kind of principal.
fn allows_all(statement: &Value) -> bool {
    statement.get("NotPrincipal").is_some() || texts(statement.get("Principal")).contains(&"*")
}

/// Whether a condition with one of the operators accepts only this value.
fn requires(statement: &Value, operators: &[&str], key: &str, value: &str) -> bool {
    conditions(statement, |operator| operators.contains(&operator), key).contains(&vec![value])
}
