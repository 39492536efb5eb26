//! `POST /v1/auth/sign-out`: ends one session by its refresh token, or all sessions by an access token.

use std::borrow::Cow;

use axum::extract::State;
use domain::secret::Secret;
use http::HeaderMap;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access_token;
use crate::fields::text::Token;
use crate::http::error::{ApiError, Unauthenticated};
use crate::http::json::JsonText;

/// The sessions to end.
pub(crate) enum Body {
    One { refresh_token: Secret, access_token: Option<Secret> },
    All(Secret),
}

/// Ends the session of the refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "SignOutByRefreshToken", example = json!({"refresh_token": "eyJjdHkiOiJKV1QifQ.example"}))]
pub(crate) struct ByRefreshToken {
    refresh_token: Token,
    /// An access token of the session. With the session gate, ends the session's access and ID tokens as well, because
    /// a refresh token does not show its session.
    access_token: Option<Token>,
}

/// Ends all sessions of the access token's owner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "SignOutByAccessToken", example = json!({"access_token": "eyJraWQiOiJleGFtcGxlIn0.example"}))]
pub(crate) struct ByAccessToken {
    access_token: Token,
}

/// The fields that determine the form of a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discriminator {
    refresh_token: Option<IgnoredAny>,
    access_token: Option<IgnoredAny>,
}

impl Body {
    /// Reads the body. Without a body, the access token of the request's headers determines the user.
    fn read(text: &JsonText, access_token: Option<Secret>) -> Result<Self, ApiError> {
        if let Some(access_token) = access_token.filter(|_| text.is_empty()) {
            return Ok(Self::All(access_token));
        }
        match text.read()? {
            Discriminator { refresh_token: Some(_), .. } => {
                let ByRefreshToken { refresh_token, access_token } = text.read()?;
                Ok(Self::One { refresh_token: refresh_token.into(), access_token: access_token.map(Into::into) })
            }
            Discriminator { refresh_token: None, access_token: Some(_) } => {
                text.read().map(|ByAccessToken { access_token }| Self::All(access_token.into()))
            }
            Discriminator { refresh_token: None, access_token: None } => {
                let detail = "Must contain `refresh_token` or `access_token`.".to_owned();
                Err(ApiError::InvalidRequest { field: None, detail })
            }
        }
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        let one_token = OneOfBuilder::new().description(Some(
            "A refresh token ends its session. An access token alone ends all sessions of its user.",
        ));
        one_token.item(ByRefreshToken::schema()).item(ByAccessToken::schema()).into()
    }
}

impl ToSchema for Body {
    fn name() -> Cow<'static, str> {
        "SignOut".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ByRefreshToken::schemas(schemas);
        ByAccessToken::schemas(schemas);
    }
}

/// The credentials that a sign-out revoked, and those that are still valid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(Self::everywhere()))]
pub(in crate::routes) struct SignedOut {
    #[schema(value_type = Vec<RevokedCredential>)]
    revoked: &'static [RevokedCredential],
    #[schema(value_type = Vec<ValidCredential>)]
    still_valid: &'static [ValidCredential],
}

/// A revoked credential.
#[derive(Debug, Serialize, ToSchema)]
struct RevokedCredential {
    token: &'static str,
    r#where: &'static str,
}

/// A credential that is still valid.
#[derive(Debug, Serialize, ToSchema)]
struct ValidCredential {
    token: &'static str,
    r#where: &'static str,
    until: &'static str,
}

const REFRESH_TOKENS: RevokedCredential = RevokedCredential { token: "refresh_token", r#where: "everywhere" };

const ACCESS_TOKENS_AT_COGNITO: RevokedCredential =
    RevokedCredential { token: "access_token", r#where: "at the Cognito user pools API" };

const THIS_REFRESH_TOKEN: RevokedCredential =
    RevokedCredential { token: "refresh_token", r#where: "everywhere (only this token)" };

const ITS_ACCESS_TOKENS: RevokedCredential = RevokedCredential {
    token: "access_token",
    r#where: "at the Cognito user pools API (only tokens issued with this refresh token)",
};

const OTHER_REFRESH_TOKENS: ValidCredential = ValidCredential {
    token: "refresh_token",
    r#where: "everywhere (only tokens of the user's other sign-ins)",
    until: "the token expires or is revoked",
};

const CHECKING_SERVICES: &str = "at services that check revocations, such as the admin routes of this API";

const OTHER_SERVICES: &str = "at services that check neither revocations nor the user pool";

const ACCESS_TOKEN: ValidCredential = ValidCredential {
    token: "access_token",
    r#where: "at services that verify the token without a call to the user pool, such as this API's authorizer",
    until: "its `exp`",
};

const AWS_CREDENTIALS: ValidCredential = ValidCredential {
    token: "aws_credentials",
    r#where: "at AWS, if an identity pool issued them before the sign-out",
    until: "their `Expiration`",
};

/// The cookie of managed login, which signs the user in again without a password.
const MANAGED_LOGIN_COOKIE: ValidCredential = ValidCredential {
    token: "managed_login_cookie",
    r#where: "in browsers in which the user signed in through managed login",
    until: "the browser calls `/logout` of the user pool's domain, or one hour after the last use of the cookie",
};

impl SignedOut {
    /// The result if the request ends all sign-ins of a user.
    pub(in crate::routes) fn everywhere() -> Self {
        let revoked = &[REFRESH_TOKENS, ACCESS_TOKENS_AT_COGNITO];
        let still_valid = &[
            ValidCredential {
                token: "id_token",
                r#where: "everywhere except at an identity pool with `ServerSideTokenCheck`",
                until: "its `exp`",
            },
            ACCESS_TOKEN,
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
        ];
        Self { revoked, still_valid }
    }

    /// The result if the request also revoked all tokens of the user at services that check revocations.
    pub(in crate::routes) fn everywhere_at_once() -> Self {
        let revoked = &[
            REFRESH_TOKENS,
            ACCESS_TOKENS_AT_COGNITO,
            RevokedCredential { token: "access_token", r#where: CHECKING_SERVICES },
            RevokedCredential { token: "id_token", r#where: CHECKING_SERVICES },
        ];
        let still_valid = &[
            ValidCredential { token: "access_token", r#where: OTHER_SERVICES, until: "its `exp`" },
            ValidCredential { token: "id_token", r#where: OTHER_SERVICES, until: "its `exp`" },
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
        ];
        Self { revoked, still_valid }
    }

    /// The result if the request ends one session, and also revoked its tokens at services that check revocations.
    fn one_at_once() -> Self {
        let revoked = &[
            THIS_REFRESH_TOKEN,
            ITS_ACCESS_TOKENS,
            RevokedCredential { token: "access_token", r#where: CHECKING_SERVICES },
            RevokedCredential { token: "id_token", r#where: CHECKING_SERVICES },
        ];
        let still_valid = &[
            ValidCredential { token: "access_token", r#where: OTHER_SERVICES, until: "its `exp`" },
            ValidCredential { token: "id_token", r#where: OTHER_SERVICES, until: "its `exp`" },
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
            OTHER_REFRESH_TOKENS,
        ];
        Self { revoked, still_valid }
    }

    /// The result if the request ends one session.
    fn one() -> Self {
        let revoked = &[THIS_REFRESH_TOKEN, ITS_ACCESS_TOKENS];
        let still_valid = &[
            // `ServerSideTokenCheck` detects only a global sign-out.
            ValidCredential { token: "id_token", r#where: "everywhere", until: "its `exp`" },
            ACCESS_TOKEN,
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
            OTHER_REFRESH_TOKENS,
        ];
        Self { revoked, still_valid }
    }
}

/// Sign out
///
/// Ends one session by its refresh token, or all sessions by an access token. The access token can be in the header
/// `Authorization: Bearer` or `X-Access-Token` instead of a body. With the session gate, the tokens end immediately at
/// services that check revocations. To end one session there, send an access token of the session beside its refresh
/// token; if the access token has expired, refresh it first. If an access token alone ends all sessions, a sign-in in
/// the same second ends as well. Refresh tokens must be of the backend client. Access tokens can be of any client, with
/// the scope `aws.cognito.signin.user.admin`. Returns the revoked credentials and those that are still valid.
#[utoipa::path(
    post, path = "/v1/auth/sign-out", tag = "auth", operation_id = "sign_out",
    request_body(content = Option<Body>),
    responses((status = 200, description = "Signed out.", body = SignedOut, examples(
        ("one" = (summary = "One session ended", value = json!(SignedOut::one()))),
        ("one_at_once" = (
            summary = "One session ended, with the session gate and an access token",
            value = json!(SignedOut::one_at_once())
        )),
        ("all" = (summary = "All sessions ended", value = json!(super::SignedOut::everywhere()))),
        ("all_at_once" = (
            summary = "All sessions ended, with the session gate",
            value = json!(super::SignedOut::everywhere_at_once())
        )),
    ))),
    extensions(("x-problems" = json!([
        "invalid-credentials", "user-not-confirmed", "password-reset-required", "revocations-unavailable"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    headers: HeaderMap,
    text: JsonText,
) -> Result<axum::Json<SignedOut>, ApiError> {
    let has_gate = app.revocations.is_some();
    Ok(axum::Json(match Body::read(&text, access_token::owner_token(&headers))? {
        Body::One { refresh_token, access_token } => {
            audit.fields(["refresh_token"]);
            let access_token = access_token.filter(|_| has_gate);
            if let Some(access_token) = &access_token {
                audit.fields(["access_token"]);
                let owner = app.self_service.session_owner(access_token).await?;
                audit.on(&owner.username);
                let session = owner.session.ok_or(ApiError::Unauthenticated(Unauthenticated::NoSession))?;
                app.revoke_session(&progress, session).await?;
            }
            progress.then("sign-out", app.sessions.revoke(&refresh_token)).await?;
            if access_token.is_some() { SignedOut::one_at_once() } else { SignedOut::one() }
        }
        Body::All(access_token) => {
            audit.fields(["access_token"]);
            if has_gate {
                // Cognito verifies the token, so the caller cannot sign out another user.
                let owner = app.self_service.session_owner(&access_token).await?;
                audit.on(&owner.username);
                app.sign_out_owner(&progress, &owner, &access_token).await?;
                SignedOut::everywhere_at_once()
            } else {
                app.sessions.sign_out_everywhere(&access_token).await?;
                SignedOut::everywhere()
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::revocation::{Revocation, Scope};
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

    use crate::testing::{Answer, Api, Call, SignedIn};

    async fn sign_out(api: &Api, body: &Value) -> Answer {
        api.call(Call::post("/v1/auth/sign-out", Some(body)).anonymous()).await
    }

    #[tokio::test]
    async fn a_refresh_token_ends_only_its_own_sign_in() {
        let api = Api::new();
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        for time in ["once", "twice"] {
            let answer = sign_out(&api, &json!({"refresh_token": this.refresh})).await;
            assert_eq!((answer.status, &answer.body["revoked"][0]["token"]), (200, &json!("refresh_token")), "{time}");
            assert_eq!(answer.body["still_valid"][0]["token"], "id_token", "{time}");
        }
        assert!(!api.pool.takes_token(&this.refresh) && !api.pool.takes_token(&this.access));
        assert!(api.pool.takes_token(&other.refresh) && api.pool.takes_token(&other.access));
    }

    #[tokio::test]
    async fn an_access_token_ends_all_sign_ins() {
        let api = Api::new();
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        let body = json!({"access_token": this.access});
        assert_eq!(sign_out(&api, &body).await.status, 200);
        for token in [&this.access, &this.refresh, &other.access, &other.refresh] {
            assert!(!api.pool.takes_token(token), "{token}");
        }
        let again = sign_out(&api, &body).await;
        assert_eq!((again.status, again.code()), (401, "invalid-credentials"));
    }

    #[tokio::test]
    async fn the_header_replaces_the_body() {
        let api = Api::new();
        for name in ["authorization", "x-access-token"] {
            let tokens = api.sign_in("mia").await;
            let value =
                if name == "authorization" { format!("Bearer {}", tokens.access) } else { tokens.access.clone() };
            let answer = api.call(Call::post("/v1/auth/sign-out", None).anonymous().header(name, &value)).await;
            assert_eq!((answer.status, &answer.body), (200, &json!(super::SignedOut::everywhere())), "{name}");
            assert!(!api.pool.takes_token(&tokens.access) && !api.pool.takes_token(&tokens.refresh), "{name}");
        }
    }

    #[tokio::test]
    async fn the_body_has_precedence_over_the_header() {
        let api = Api::new();
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        let body = json!({"refresh_token": this.refresh});
        let call = Call::post("/v1/auth/sign-out", Some(&body))
            .anonymous()
            .header("authorization", &format!("Bearer {}", other.access));
        assert_eq!(api.call(call).await.status, 200);
        assert!(!api.pool.takes_token(&this.refresh) && api.pool.takes_token(&other.access));
    }

    #[tokio::test]
    async fn rejects_no_body_without_a_token() {
        let answer = Api::new().call(Call::post("/v1/auth/sign-out", None).anonymous()).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
    }

    #[tokio::test]
    async fn rejects_body_without_a_token() {
        for body in [json!({}), json!({"refresh_token": null})] {
            let answer = sign_out(&Api::new(), &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
            let expected = "Must contain `refresh_token` or `access_token`.";
            assert_eq!(answer.body["detail"], expected);
        }
    }

    #[tokio::test]
    async fn without_gate_ignores_access_token_beside_refresh_token() {
        let api = Api::new();
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        let answer = sign_out(&api, &json!({"refresh_token": this.refresh, "access_token": other.access})).await;
        assert_eq!((answer.status, answer.body), (200, json!(super::SignedOut::one())));
        assert!(!api.pool.takes_token(&this.refresh) && api.pool.takes_token(&other.access));
    }

    /// An API with the session gate, its revocations, and two sessions of `mia`.
    async fn with_gate() -> (Api, Arc<InMemoryRevocations>, [SignedIn; 2]) {
        let revocations = Arc::default();
        let api = Api::with_revocations(&revocations);
        let sessions = [api.sign_in("mia").await, api.sign_in("mia").await];
        (api, revocations, sessions)
    }

    #[tokio::test]
    async fn with_gate_ends_all_sessions_of_the_user_at_once() {
        let (api, revocations, [this, other]) = with_gate().await;
        let answer = sign_out(&api, &json!({"access_token": this.access})).await;
        assert_eq!((answer.status, answer.body), (200, json!(super::SignedOut::everywhere_at_once())));
        let user = Scope::User(api.sub_of("mia"));
        assert_eq!(revocations.all(), [(user, Revocation::of_sign_ins_until(0))].into());
        assert!(!api.pool.takes_token(&other.refresh));
    }

    #[tokio::test]
    async fn with_gate_ends_only_the_session_of_the_access_token_at_once() {
        let (api, revocations, [this, other]) = with_gate().await;
        let session = api.pool.session_of(&this.access).unwrap();
        let answer = sign_out(&api, &json!({"refresh_token": this.refresh, "access_token": this.access})).await;
        assert_eq!((answer.status, answer.body), (200, json!(super::SignedOut::one_at_once())));
        assert_eq!(revocations.all(), [(Scope::Session(session), Revocation::ALL)].into());
        assert!(!api.pool.takes_token(&this.access) && api.pool.takes_token(&other.access));

        let alone = sign_out(&api, &json!({"refresh_token": other.refresh})).await;
        assert_eq!((alone.status, alone.body), (200, json!(super::SignedOut::one())));
    }

    #[tokio::test]
    async fn with_gate_ends_no_session_by_an_invalid_access_token() {
        let (api, revocations, [this, _]) = with_gate().await;
        for body in [
            json!({"access_token": "forged"}),
            json!({"access_token": this.refresh}),
            json!({"access_token": "forged", "refresh_token": this.refresh}),
        ] {
            let answer = sign_out(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{body}");
            assert!(revocations.all().is_empty() && api.pool.takes_token(&this.refresh), "{body}");
        }
    }

    #[tokio::test]
    async fn with_gate_signs_no_user_out_without_a_revocation() {
        let (api, revocations, [this, _]) = with_gate().await;
        revocations.set_fault(Some(Fault::Unavailable));
        for body in
            [json!({"access_token": this.access}), json!({"refresh_token": this.refresh, "access_token": this.access})]
        {
            let answer = sign_out(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (503, "revocations-unavailable"), "{body}");
            assert!(api.pool.takes_token(&this.access) && api.pool.takes_token(&this.refresh), "{body}");
        }
    }

    #[tokio::test]
    async fn with_gate_names_the_completed_steps_of_a_failed_sign_out() {
        let both = json!(["revoke-tokens", "sign-out"]);
        for (fault, operation, tokens, status, completed, failed) in [
            (None, "sign_out_everywhere", "access", 502, json!(["revoke-tokens"]), "sign-out"),
            (None, "revoke", "both", 502, json!(["revoke-tokens"]), "sign-out"),
            (Some(Fault::Write(2)), "", "access", 503, both, "revoke-tokens"),
        ] {
            let (api, revocations, [this, _]) = with_gate().await;
            revocations.set_fault(fault);
            if fault.is_none() {
                api.pool.fail(operation, 1, Reason::Unavailable);
            }
            let mut body = json!({"access_token": this.access});
            if tokens == "both" {
                body["refresh_token"] = json!(this.refresh);
            }
            let answer = sign_out(&api, &body).await;
            assert_eq!(answer.status, status, "{operation}");
            assert_eq!((&answer.body["completed"], &answer.body["failed"]), (&completed, &json!(failed)));
        }
    }

    #[tokio::test]
    async fn the_answer_lists_what_is_still_valid() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let one = sign_out(&api, &json!({"refresh_token": tokens.refresh})).await.body;
        let tokens = api.sign_in("mia").await;
        let all = sign_out(&api, &json!({"access_token": tokens.access})).await.body;
        let names = |body: &Value, list: &str| -> Vec<String> {
            let rows = body[list].as_array().unwrap().iter();
            rows.map(|row| row["token"].as_str().unwrap().to_owned()).collect()
        };
        for body in [&one, &all] {
            assert_eq!(names(body, "revoked"), ["refresh_token", "access_token"]);
        }
        let both = ["id_token", "access_token", "aws_credentials", "managed_login_cookie"];
        assert_eq!(names(&all, "still_valid"), both);
        assert_eq!(names(&one, "still_valid"), [&both[..], &["refresh_token"]].concat());
        // An identity pool detects only a global sign-out.
        let id_token =
            |body: &Value| body["still_valid"][0]["where"].as_str().unwrap().contains("ServerSideTokenCheck");
        assert_eq!((id_token(&one), id_token(&all)), (false, true));
    }

    #[tokio::test]
    async fn malformed_bodies_are_rejected_with_the_field() {
        for (body, field) in
            [(json!({"token": "x"}), "token"), (json!({"access_token": "x", "refresh_token": null}), "refresh_token")]
        {
            let answer = sign_out(&Api::new(), &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
    }
}
