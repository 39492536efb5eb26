//! `POST /v1/auth/sign-out`: one sign-in, by its refresh token; or all of them, by an access token.

use axum::extract::State;
use domain::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::Audit;
use crate::error::ApiError;
use crate::json::Json;

/// One token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignOut)]
pub(super) struct Body {
    refresh_token: Option<Secret>,
    access_token: Option<Secret>,
}

/// Which sign-ins end.
enum Scope {
    /// The one that the refresh token comes from.
    One(Secret),
    /// All of the owner of the access token.
    Everywhere(Secret),
}

impl TryFrom<Body> for Scope {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        match (body.refresh_token, body.access_token) {
            (Some(refresh_token), None) => Ok(Self::One(refresh_token)),
            (None, Some(access_token)) => Ok(Self::Everywhere(access_token)),
            (None, None) | (Some(_), Some(_)) => {
                let detail = "Expected exactly one of `refresh_token` and `access_token`.".to_owned();
                Err(ApiError::InvalidRequest { field: None, detail })
            }
        }
    }
}

/// What a sign-out reached, and what it did not: tokens that nobody asks the user pool about live on.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct SignedOut {
    #[schema(value_type = Vec<Died>)]
    died: &'static [Died],
    #[schema(value_type = Vec<Lives>)]
    lives: &'static [Lives],
}

/// A token that nobody takes any more.
#[derive(Debug, Serialize, ToSchema)]
struct Died {
    token: &'static str,
    r#where: &'static str,
}

/// A token that is still taken.
#[derive(Debug, Serialize, ToSchema)]
struct Lives {
    token: &'static str,
    r#where: &'static str,
    until: &'static str,
}

const LIVES: &[Lives] = &[
    Lives { token: "id_token", r#where: "everywhere", until: "its `exp`" },
    Lives {
        token: "access_token",
        r#where: "where it is checked without asking the user pool, as this API's authorizer does",
        until: "its `exp`",
    },
];

impl SignedOut {
    /// All sign-ins of a user ended.
    pub(in crate::routes) fn everywhere() -> Self {
        let died = &[
            Died { token: "refresh_token", r#where: "everywhere" },
            Died { token: "access_token", r#where: "at the user pool's own API" },
        ];
        Self { died, lives: LIVES }
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
        Self { died, lives: LIVES }
    }
}

/// Sign out
///
/// One sign-in by its refresh token, or all of them by an access token. The answer lists which tokens died, and which live until when.
#[utoipa::path(
    post, path = "/v1/auth/sign-out", tag = "auth", operation_id = "sign_out",
    request_body = Body,
    responses((status = 200, description = "Signed out.", body = SignedOut)),
    extensions(("x-problems" = json!(["invalid-credentials"])))
)]
pub(super) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Json(body): Json<Body>,
) -> Result<axum::Json<SignedOut>, ApiError> {
    let scope = Scope::try_from(body)?;
    Ok(axum::Json(match scope {
        Scope::One(refresh_token) => {
            audit.fields(["refresh_token"]);
            app.sessions.revoke(&refresh_token).await?;
            SignedOut::one()
        }
        Scope::Everywhere(access_token) => {
            audit.fields(["access_token"]);
            app.sessions.sign_out_everywhere(&access_token).await?;
            SignedOut::everywhere()
        }
    }))
}

#[cfg(test)]
mod tests {
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
    async fn an_unknown_field_is_named() {
        let answer = sign_out(&Api::new(), &json!({"token": "x"})).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("token")));
    }
}
