//! Checks of app clients.

use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observed::{ObservedClient, ObservedUserPool};

/// Cognito's default. Services that verify tokens without Cognito accept a token until it expires.
const TOKEN_MINUTES: u32 = 60;

/// Three times Cognito's default.
const REFRESH_TOKEN_DAYS: u32 = 90;

pub(super) fn findings(pool: &ObservedUserPool, clients: &[ObservedClient], fixes: &Fixes<'_>) -> Vec<Finding> {
    clients.iter().flat_map(|client| of_client(pool, client, fixes)).collect()
}

fn of_client(pool: &ObservedUserPool, observed: &ObservedClient, fixes: &Fixes<'_>) -> Vec<Finding> {
    let (id, state) = (&observed.client.id, &observed.client.state);
    let mut findings = Vec::new();
    let mut found = |check, reason: &str, filter: &str| {
        let subject = format!("app client {} ({id})", observed.name);
        findings.push(Finding::new(check, subject, reason, fixes.client(id, filter)));
    };
    if !state.prevent_user_existence_errors {
        found(
            Check::UserExistenceErrors,
            "errors of sign-in and password reset reveal whether a user exists",
            ".PreventUserExistenceErrors = \"ENABLED\"",
        );
    }
    if !state.token_revocation {
        found(
            Check::TokenRevocation,
            "Cognito rejects RevokeToken, and the tokens have no `origin_jti`, by which services find ended sessions",
            ".EnableTokenRevocation = true",
        );
    }
    let allows = |flow: &str| observed.auth_flows.iter().any(|name| name.trim_start_matches("ALLOW_") == flow);
    if !observed.client.has_secret && allows("USER_PASSWORD_AUTH") {
        let reason = if pool.pool.state.user_migration_function_arn.is_some() {
            "a public client sends passwords to Cognito, which the user migration trigger needs until the users have moved"
        } else {
            "a public client sends passwords to Cognito instead of proving them with SRP"
        };
        found(
            Check::PasswordFlow,
            reason,
            ".ExplicitAuthFlows -= [\"ALLOW_USER_PASSWORD_AUTH\", \"USER_PASSWORD_AUTH\"]",
        );
    }
    if !observed.client.has_secret && (allows("ADMIN_USER_PASSWORD_AUTH") || allows("ADMIN_NO_SRP_AUTH")) {
        found(
            Check::AdminFlowOnPublicClient,
            "a client without a secret allows the sign-in flow of back ends",
            ".ExplicitAuthFlows -= [\"ALLOW_ADMIN_USER_PASSWORD_AUTH\", \"ADMIN_NO_SRP_AUTH\"]",
        );
    }
    if state.write_attributes.is_empty() && !pool.pool.custom_attributes.is_empty() {
        found(
            Check::UnrestrictedAttributes,
            "the client has no list of writable attributes, so users can write custom attributes such as a tenant",
            ".WriteAttributes = [\"ATTRIBUTE\"]",
        );
    }
    if observed.uses_oauth && observed.oauth_flows.contains("implicit") {
        found(
            Check::ImplicitGrant,
            "the implicit grant puts tokens into URLs; use the code grant with PKCE",
            ".AllowedOAuthFlows = ([\"code\"] + .AllowedOAuthFlows - [\"implicit\"] | unique)",
        );
    }
    let insecure: Vec<&str> = observed.callback_urls.iter().map(String::as_str).filter(|url| is_http(url)).collect();
    if !insecure.is_empty() {
        let reason = format!(
            "a program on the user's device can receive the codes for {}; use such URLs for development only",
            insecure.join(", ")
        );
        found(
            Check::InsecureCallback,
            &reason,
            ".CallbackURLs |= map(select(ascii_downcase | startswith(\"http://\") | not))",
        );
    }
    for (check, token, minutes, field, unit) in [
        (Check::LongAccessTokens, "access", state.access_token_minutes, "AccessTokenValidity", "AccessToken"),
        (Check::LongIdTokens, "ID", state.id_token_minutes, "IdTokenValidity", "IdToken"),
    ] {
        if minutes > TOKEN_MINUTES {
            let reason = format!(
                "{token} tokens are valid for {minutes} minutes, also after a sign-out; the maximum should be {TOKEN_MINUTES}"
            );
            found(check, &reason, &format!(".{field} = 60 | .TokenValidityUnits.{unit} = \"minutes\""));
        }
    }
    if state.refresh_token_days > REFRESH_TOKEN_DAYS {
        let reason = format!(
            "a stolen refresh token is valid for {} days; the maximum should be {REFRESH_TOKEN_DAYS}",
            state.refresh_token_days
        );
        found(
            Check::LongRefreshTokens,
            &reason,
            ".RefreshTokenValidity = 30 | .TokenValidityUnits.RefreshToken = \"days\"",
        );
    }
    findings
}

fn is_http(url: &str) -> bool {
    url.get(.."http://".len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}
