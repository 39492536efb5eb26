//! The caller, read only from the request context that API Gateway's authorizer provides.
//!
//! **Fails closed:** missing, incomplete or ambiguous data results in no caller, or no group.

use std::collections::{BTreeSet, HashMap};

use domain::roles::Roles;
use domain::user_pool::user::Username;
use lambda_http::request::RequestContext;
use serde_json::Value;
use time::OffsetDateTime;

use crate::http::error::Unauthenticated;
use crate::settings::AdminMfa;

/// A caller that API Gateway has authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A user of the pool, with an access token that has not expired.
    User {
        /// The user name, never an alias.
        username: Username,
        /// The user's `sub`. It distinguishes a user from a later user of the same name.
        sub: String,
        /// The groups in the token.
        groups: BTreeSet<String>,
        /// The scopes in the token.
        scopes: BTreeSet<String>,
        /// What revocations apply to.
        issue: Issue,
    },
    /// An AWS principal that signed the request. It is in no group.
    Iam {
        /// Its ARN.
        arn: String,
    },
}

/// The session and the times of a token; `None` if the claim is absent or has another form. A REST API passes `iat` as
/// formatted text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Issue {
    /// The claim `origin_jti`.
    pub(crate) session: Option<String>,
    /// When the user signed in, in seconds since 1970.
    pub(crate) signed_in_at: Option<u64>,
    /// When the token was issued, in seconds since 1970.
    pub(crate) issued_at: Option<u64>,
}

/// The accepted tokens, and the permissions of groups.
pub(crate) struct Trust {
    /// The issuer of the pool's tokens.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) roles: Roles,
    /// Whether callers with permissions must have a second factor.
    pub(crate) admin_mfa: AdminMfa,
}

impl Caller {
    /// The caller of a request.
    pub(crate) fn of(
        context: Option<&RequestContext>,
        trust: &Trust,
        now: OffsetDateTime,
    ) -> Result<Self, Unauthenticated> {
        let caller = match context {
            Some(RequestContext::ApiGatewayV2(context)) => {
                let authorizer = context.authorizer.as_ref();
                let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref());
                let iam = authorizer.and_then(|authorizer| authorizer.iam.as_ref());
                match (jwt, iam) {
                    (Some(jwt), _) => Some(user(&HttpApiClaims(&jwt.claims), trust, now)?),
                    (None, Some(iam)) => iam.user_arn.clone().map(|arn| Self::Iam { arn }),
                    (None, None) => None,
                }
            }
            Some(RequestContext::ApiGatewayV1(context)) => match context.authorizer.fields.get("claims") {
                Some(claims) => Some(user(&RestApiClaims(claims), trust, now)?),
                None => context.identity.user_arn.clone().map(|arn| Self::Iam { arn }),
            },
            _ => None,
        };
        caller.ok_or(Unauthenticated::NoAuthorizer)
    }

    /// The groups in the token; none for an IAM caller.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        let groups = match self {
            Self::User { groups, .. } => Some(groups),
            Self::Iam { .. } => None,
        };
        groups.into_iter().flatten().map(String::as_str)
    }

    /// The caller's name in audit records.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User { username, .. } => username.as_str(),
            Self::Iam { arn } => arn,
        }
    }
}

/// Token claims in the event format of an HTTP API or a REST API.
trait Claims {
    fn text(&self, name: &str) -> Option<&str>;
    fn groups(&self) -> BTreeSet<String>;

    /// The scopes. In the claim, spaces separate them (RFC 6749).
    fn scopes(&self) -> BTreeSet<String> {
        let scopes = self.text("scope").into_iter().flat_map(|scopes| scopes.split(' '));
        scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }
}

/// The claims from an HTTP API. Every claim is a string; groups are in brackets and separated by spaces (`[a b]`).
struct HttpApiClaims<'a>(&'a HashMap<String, String>);

/// The claims from a REST API. Every claim is a string; groups are comma-separated (`a,b`). Some emulators of
/// API Gateway pass the groups as an array.
struct RestApiClaims<'a>(&'a Value);

const GROUPS: &str = "cognito:groups";

impl Claims for HttpApiClaims<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A group name contains no whitespace but can contain brackets, so exactly one outer pair is removed.
    fn groups(&self) -> BTreeSet<String> {
        let inner = self.text(GROUPS).and_then(|text| text.strip_prefix('[')).and_then(|text| text.strip_suffix(']'));
        inner
            .into_iter()
            .flat_map(|inner| inner.split(' '))
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

impl Claims for RestApiClaims<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A group name can contain commas and brackets, so text with commas, brackets or spaces is ambiguous. It results
    /// in no group.
    fn groups(&self) -> BTreeSet<String> {
        match self.0.get(GROUPS) {
            Some(Value::String(name)) if !name.is_empty() && !name.contains([',', '[', ']', ' ']) => {
                BTreeSet::from([name.clone()])
            }
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// The user in the claims. The authorizer has verified the signature and expiry; the other claims are verified here.
fn user(claims: &impl Claims, trust: &Trust, now: OffsetDateTime) -> Result<Caller, Unauthenticated> {
    // API Gateway also accepts ID tokens.
    if claims.text("token_use") != Some("access") {
        return Err(Unauthenticated::NotAnAccessToken);
    }
    if claims.text("client_id") != Some(trust.client_id.as_str()) {
        return Err(Unauthenticated::OtherClient);
    }
    if claims.text("iss") != Some(trust.issuer.as_str()) {
        return Err(Unauthenticated::OtherPool);
    }
    // The authorizer has rejected expired tokens. A numeric `exp` is checked again. A REST API passes `exp` as
    // formatted text, which is not checked.
    let expires_at = claims.text("exp").and_then(|text| text.parse::<i64>().ok());
    if expires_at.is_some_and(|timestamp| timestamp <= now.unix_timestamp()) {
        return Err(Unauthenticated::Expired);
    }
    let username = claims.text("username").and_then(|name| name.parse().ok());
    let sub = claims.text("sub").filter(|sub| !sub.is_empty()).map(str::to_owned);
    match (username, sub) {
        (Some(username), Some(sub)) => {
            let second = |name| claims.text(name).and_then(|text| text.parse().ok());
            let issue = Issue {
                session: claims.text("origin_jti").map(str::to_owned),
                signed_in_at: second("auth_time"),
                issued_at: second("iat"),
            };
            Ok(Caller::User { username, sub, groups: claims.groups(), scopes: claims.scopes(), issue })
        }
        _ => Err(Unauthenticated::NoUser),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use domain::roles::Roles;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn trust() -> Trust {
        Trust {
            issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E".to_owned(),
            client_id: "backend".to_owned(),
            roles: Roles::default(),
            admin_mfa: crate::settings::AdminMfa::Optional,
        }
    }

    fn claims() -> Value {
        json!({
            "sub": "sub-of-root", "username": "root", "token_use": "access", "client_id": "backend",
            "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E", "cognito:groups": "[admins]",
            "scope": "aws.cognito.signin.user.admin openid", "origin_jti": "session-1", "auth_time": "17",
            "iat": "Sun Nov 29 22:00:00 UTC 2026"
        })
    }

    fn claims_with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn http_api(authorizer: &Value) -> RequestContext {
        let context = json!({"http": {"method": "GET"}, "authorizer": authorizer});
        RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap())
    }

    fn rest_api(authorizer: &Value, user_arn: Option<&str>) -> RequestContext {
        let context = json!({"httpMethod": "GET", "authorizer": authorizer, "identity": {"userArn": user_arn}});
        RequestContext::ApiGatewayV1(serde_json::from_value(context).unwrap())
    }

    fn http_api_user(claims: Value) -> Result<Caller, Unauthenticated> {
        // API Gateway omits absent claims and never sets them to null.
        let Value::Object(mut claims) = claims else { panic!("claims are an object") };
        claims.retain(|_, value| !value.is_null());
        Caller::of(Some(&http_api(&json!({"jwt": {"claims": claims}}))), &trust(), NOW)
    }

    fn groups(caller: &Caller) -> Vec<&str> {
        caller.groups().collect()
    }

    #[test]
    fn reads_the_user_from_the_claims_of_an_http_api() {
        let caller = http_api_user(claims()).unwrap();
        let expected = Caller::User {
            username: "root".parse().unwrap(),
            sub: "sub-of-root".to_owned(),
            groups: BTreeSet::from(["admins".to_owned()]),
            scopes: ["aws.cognito.signin.user.admin", "openid"].map(str::to_owned).into(),
            issue: Issue { session: Some("session-1".to_owned()), signed_in_at: Some(17), issued_at: None },
        };
        assert_eq!(caller, expected);
    }

    #[test]
    fn rejects_requests_without_context_or_authorizer() {
        let contexts = [
            None,
            Some(http_api(&Value::Null)),
            Some(http_api(&json!({}))),
            Some(http_api(&json!({"lambda": {"claims": claims(), "principalId": "root"}}))),
            Some(http_api(&json!({"iam": {"accountId": "123456789012"}}))),
            Some(rest_api(&Value::Null, None)),
            Some(rest_api(&json!({"principalId": "root", "cognito:groups": "admins"}), None)),
        ];
        for context in contexts {
            assert_eq!(Caller::of(context.as_ref(), &trust(), NOW), Err(Unauthenticated::NoAuthorizer), "{context:?}");
        }
    }

    #[test]
    fn rejects_id_tokens_and_tokens_of_other_clients_or_pools() {
        let table = [
            ("token_use", json!("id"), Unauthenticated::NotAnAccessToken),
            ("token_use", json!("Access"), Unauthenticated::NotAnAccessToken),
            ("token_use", Value::Null, Unauthenticated::NotAnAccessToken),
            ("client_id", json!("web"), Unauthenticated::OtherClient),
            ("client_id", Value::Null, Unauthenticated::OtherClient),
            ("client_id", json!(""), Unauthenticated::OtherClient),
            (
                "iss",
                json!("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other"),
                Unauthenticated::OtherPool,
            ),
            ("iss", json!("eu-central-1_Ab12Cd34E"), Unauthenticated::OtherPool),
            ("iss", json!("https://login.example.com/eu-central-1_Ab12Cd34E"), Unauthenticated::OtherPool),
            ("iss", Value::Null, Unauthenticated::OtherPool),
            ("exp", json!("0"), Unauthenticated::Expired),
            ("exp", json!("-1"), Unauthenticated::Expired),
            ("username", Value::Null, Unauthenticated::NoUser),
            ("username", json!("two words"), Unauthenticated::NoUser),
            ("sub", Value::Null, Unauthenticated::NoUser),
            ("sub", json!(""), Unauthenticated::NoUser),
        ];
        for (claim, value, expected) in table {
            let claims = claims_with(claim, value);
            assert_eq!(http_api_user(claims.clone()), Err(expected), "{claims}");
            assert_eq!(
                Caller::of(Some(&rest_api(&json!({"claims": claims}), None)), &trust(), NOW),
                Err(expected),
                "{claims}"
            );
        }
    }

    #[test]
    fn splits_groups_of_an_http_api_on_spaces_inside_brackets() {
        let table: [(Value, &[&str]); 14] = [
            (json!("[admins]"), &["admins"]),
            (json!("[admins users]"), &["admins", "users"]),
            (json!("[admins-x]"), &["admins-x"]),
            (json!("[x,admins]"), &["x,admins"]),
            (json!("[[admins]]"), &["[admins]"]),
            (json!("[[admins] users]"), &["[admins]", "users"]),
            (json!("[Admins]"), &["Admins"]),
            (json!("[\u{430}dmins]"), &["\u{430}dmins"]),
            (json!("admins"), &[]),
            (json!("admins users"), &[]),
            (json!("[admins"), &[]),
            (json!("admins]"), &[]),
            (json!("[]"), &[]),
            (Value::Null, &[]),
        ];
        for (claim, expected) in table {
            let caller = http_api_user(claims_with(GROUPS, claim.clone())).unwrap();
            assert_eq!(groups(&caller), expected, "{claim}");
        }
    }

    #[test]
    fn ignores_ambiguous_groups_of_a_rest_api() {
        let table: [(Value, &[&str]); 12] = [
            (json!("admins"), &["admins"]),
            (json!("admins-x"), &["admins-x"]),
            (json!(["admins", "users"]), &["admins", "users"]),
            (json!(["x,admins"]), &["x,admins"]),
            (json!([["admins"], 1, null]), &[]),
            (json!("admins,users"), &[]),
            (json!("x,admins"), &[]),
            (json!("[admins]"), &[]),
            (json!("[admins users]"), &[]),
            (json!(""), &[]),
            (json!({"admins": true}), &[]),
            (Value::Null, &[]),
        ];
        for (claim, expected) in table {
            let context = rest_api(&json!({"claims": claims_with(GROUPS, claim.clone())}), None);
            let caller = Caller::of(Some(&context), &trust(), NOW).unwrap();
            assert_eq!(groups(&caller), expected, "{claim}");
        }
    }

    #[test]
    fn both_kinds_of_api_pass_the_scopes_separated_by_spaces() {
        let table = [
            (json!("openid aws.cognito.signin.user.admin"), true),
            (json!("openid"), false),
            (json!("aws.cognito.signin.user.admin2"), false),
            (json!("x,aws.cognito.signin.user.admin"), false),
            (Value::Null, false),
        ];
        for (claim, expected) in table {
            let claims = claims_with("scope", claim);
            let rest = Caller::of(Some(&rest_api(&json!({"claims": claims}), None)), &trust(), NOW);
            for caller in [http_api_user(claims.clone()).unwrap(), rest.unwrap()] {
                let Caller::User { scopes, .. } = caller else { panic!("{caller:?}") };
                assert_eq!(scopes.contains("aws.cognito.signin.user.admin"), expected, "{claims}");
            }
        }
    }

    #[test]
    fn an_iam_caller_has_a_name_and_no_groups() {
        let arn = "arn:aws:sts::123456789012:assumed-role/support/session";
        let contexts = [http_api(&json!({"iam": {"userArn": arn}})), rest_api(&Value::Null, Some(arn))];
        for context in contexts {
            let caller = Caller::of(Some(&context), &trust(), NOW).unwrap();
            assert_eq!((caller.name(), groups(&caller)), (arn, vec![]));
        }
    }
}
