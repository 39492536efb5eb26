//! `POST /v1/auth/sign-out`: one sign-in, by its refresh token; or all of them, by an access token.

use std::borrow::Cow;

use axum::extract::State;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::secret_types::Token;
use crate::http::error::ApiError;
use crate::http::json::JsonText;

/// Which sign-ins end.
pub(crate) enum Body {
    One(OfRefreshToken),
    All(OfOwner),
}

/// The sign-in that the refresh token comes from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "One sign-in", example = json!({"refresh_token": "eyJjdHkiOiJKV1QifQ.example"}))]
pub(crate) struct OfRefreshToken {
    refresh_token: Token,
}

/// Every sign-in of whoever owns the access token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "All sign-ins", example = json!({"access_token": "eyJraWQiOiJleGFtcGxlIn0.example"}))]
pub(crate) struct OfOwner {
    access_token: Token,
}

/// What tells which form a body has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    refresh_token: Option<IgnoredAny>,
    access_token: Option<IgnoredAny>,
}

impl Body {
    fn read(text: &JsonText) -> Result<Self, ApiError> {
        match text.read()? {
            Given { refresh_token: Some(_), access_token: None } => text.read().map(Self::One),
            Given { refresh_token: None, access_token: Some(_) } => text.read().map(Self::All),
            Given { .. } => {
                let detail = "Expected exactly one of `refresh_token` and `access_token`.".to_owned();
                Err(ApiError::InvalidRequest { field: None, detail })
            }
        }
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        let one_token = OneOfBuilder::new().description(Some("One token, which says how much ends."));
        one_token.item(OfRefreshToken::schema()).item(OfOwner::schema()).into()
    }
}

impl ToSchema for Body {
    fn name() -> Cow<'static, str> {
        "SignOut".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        OfRefreshToken::schemas(schemas);
        OfOwner::schemas(schemas);
    }
}

/// What a sign-out reached, and what it did not: what nobody asks the user pool about lives on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(Self::everywhere()))]
pub(in crate::routes) struct SignedOut {
    #[schema(value_type = Vec<Died>)]
    died: &'static [Died],
    #[schema(value_type = Vec<Lives>)]
    lives: &'static [Lives],
}

/// What nobody takes any more.
#[derive(Debug, Serialize, ToSchema)]
struct Died {
    token: &'static str,
    r#where: &'static str,
}

/// What is still taken.
#[derive(Debug, Serialize, ToSchema)]
struct Lives {
    token: &'static str,
    r#where: &'static str,
    until: &'static str,
}

const ACCESS_TOKEN: Lives = Lives {
    token: "access_token",
    r#where: "where it is checked without asking the user pool, as this API's authorizer does",
    until: "its `exp`",
};

const AWS_CREDENTIALS: Lives = Lives {
    token: "aws_credentials",
    r#where: "at AWS, those that an identity pool has given out already",
    until: "their `Expiration`",
};

/// Signs the user in anew without a password.
const MANAGED_LOGIN_COOKIE: Lives = Lives {
    token: "managed_login_cookie",
    r#where: "in browsers in which the user signed in on the user pool's own pages",
    until: "they call `/logout` of the user pool's domain, or an hour has passed since it was last used",
};

impl SignedOut {
    /// All sign-ins of a user ended.
    pub(in crate::routes) fn everywhere() -> Self {
        let died = &[
            Died { token: "refresh_token", r#where: "everywhere" },
            Died { token: "access_token", r#where: "at the user pool's own API" },
        ];
        let lives = &[
            Lives {
                token: "id_token",
                r#where: "everywhere but at an identity pool with `ServerSideTokenCheck`",
                until: "its `exp`",
            },
            ACCESS_TOKEN,
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
        ];
        Self { died, lives }
    }

    /// One sign-in ended.
    fn one() -> Self {
        let died = &[
            Died { token: "refresh_token", r#where: "everywhere, this one only" },
            Died {
                token: "access_token",
                r#where: "at the user pool's own API, those that came from this refresh token",
            },
        ];
        let lives = &[
            // An identity pool asks whether the user was signed out everywhere, and this is one sign-in.
            Lives { token: "id_token", r#where: "everywhere", until: "its `exp`" },
            ACCESS_TOKEN,
            AWS_CREDENTIALS,
            MANAGED_LOGIN_COOKIE,
            Lives {
                token: "refresh_token",
                r#where: "everywhere, those of the user's other sign-ins",
                until: "they expire or are revoked",
            },
        ];
        Self { died, lives }
    }
}

/// Sign out
///
/// One sign-in by its refresh token, or all of them by an access token. The answer lists what died, and what lives until when.
#[utoipa::path(
    post, path = "/v1/auth/sign-out", tag = "auth", operation_id = "sign_out",
    request_body = Body,
    responses((status = 200, description = "Signed out.", body = SignedOut, examples(
        ("one" = (summary = "One sign-in ended", value = json!(SignedOut::one()))),
        ("all" = (summary = "All sign-ins ended", value = json!(SignedOut::everywhere()))),
    ))),
    extensions(("x-problems" = json!(["invalid-credentials", "user-not-confirmed", "password-reset-required"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    text: JsonText,
) -> Result<axum::Json<SignedOut>, ApiError> {
    Ok(axum::Json(match Body::read(&text)? {
        Body::One(OfRefreshToken { refresh_token }) => {
            audit.fields(["refresh_token"]);
            app.sessions.revoke(&refresh_token.into()).await?;
            SignedOut::one()
        }
        Body::All(OfOwner { access_token }) => {
            audit.fields(["access_token"]);
            app.sessions.sign_out_everywhere(&access_token.into()).await?;
            SignedOut::everywhere()
        }
    }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    async fn sign_out(api: &Api, body: &Value) -> Answer {
        api.call(Call::post("/v1/auth/sign-out", Some(body)).by_nobody()).await
    }

    #[tokio::test]
    async fn a_refresh_token_ends_its_own_sign_in_and_no_other() {
        let api = Api::new();
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        for time in ["once", "twice"] {
            let answer = sign_out(&api, &json!({"refresh_token": this.refresh})).await;
            assert_eq!((answer.status, &answer.body["died"][0]["token"]), (200, &json!("refresh_token")), "{time}");
            assert_eq!(answer.body["lives"][0]["token"], "id_token", "{time}");
        }
        assert!(!api.pool.takes_token(&this.refresh) && !api.pool.takes_token(&this.access));
        assert!(api.pool.takes_token(&other.refresh) && api.pool.takes_token(&other.access));
    }

    #[tokio::test]
    async fn an_access_token_ends_every_sign_in_and_itself() {
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
    async fn none_and_both_tokens_are_refused() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let both = json!({"refresh_token": tokens.refresh, "access_token": tokens.access});
        for body in [json!({}), both, json!({"refresh_token": null})] {
            let answer = sign_out(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
            assert!(answer.body["detail"].as_str().unwrap().contains("exactly one"), "{}", answer.body);
        }
        assert!(api.pool.takes_token(&tokens.refresh));
    }

    #[tokio::test]
    async fn the_answer_says_what_each_kind_of_sign_out_leaves_alive() {
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
            assert_eq!(names(body, "died"), ["refresh_token", "access_token"]);
        }
        let everybody = ["id_token", "access_token", "aws_credentials", "managed_login_cookie"];
        assert_eq!(names(&all, "lives"), everybody);
        assert_eq!(names(&one, "lives"), [&everybody[..], &["refresh_token"]].concat());
        // Only a sign-out from everywhere is one that an identity pool asks about.
        let id_token = |body: &Value| body["lives"][0]["where"].as_str().unwrap().contains("ServerSideTokenCheck");
        assert_eq!((id_token(&one), id_token(&all)), (false, true));
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        for (body, field) in [
            (json!({"token": "x"}), "token"),
            (json!({"refresh_token": ""}), "refresh_token"),
            (json!({"refresh_token": 7}), "refresh_token"),
            (json!({"access_token": "two words"}), "access_token"),
            (json!({"access_token": "x", "refresh_token": null}), "refresh_token"),
        ] {
            let answer = sign_out(&Api::new(), &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
    }

    #[tokio::test]
    async fn a_failing_call_says_what_it_failed_of() {
        for (operation, field, reason, status, code) in [
            ("revoke", "refresh_token", Reason::Throttled, 429, "throttled"),
            ("revoke", "refresh_token", Reason::InvalidCredentials, 401, "invalid-credentials"),
            ("sign_out_everywhere", "access_token", Reason::Throttled, 429, "throttled"),
            ("sign_out_everywhere", "access_token", Reason::UserNotConfirmed, 403, "user-not-confirmed"),
            ("sign_out_everywhere", "access_token", Reason::PasswordResetRequired, 403, "password-reset-required"),
        ] {
            let api = Api::new();
            let tokens = api.sign_in("mia").await;
            api.pool.fail(operation, 1, reason);
            let token = if field == "refresh_token" { &tokens.refresh } else { &tokens.access };
            let answer = sign_out(&api, &json!({field: token})).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{operation}");
            assert!(api.pool.takes_token(&tokens.refresh), "{operation}");
        }
    }
}
