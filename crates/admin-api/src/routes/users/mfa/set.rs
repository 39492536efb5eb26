//! `PUT /v1/users/{username}/mfa`: switches exactly these factors on, and all others off.

use std::collections::BTreeSet;

use axum::extract::State;
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::Mfa;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::MfaView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::target_user::OtherUser;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The second factors that a user is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetMfa, example = json!({"enabled": ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], "preferred": "SOFTWARE_TOKEN_MFA"}))]
pub(crate) struct Body {
    /// All that are to be on, each once.
    #[schema(value_type = BTreeSet<Factor>)]
    enabled: Vec<Factor>,
    /// The one that is asked for, out of those that are on. Without it a user who has several chooses at each sign-in.
    preferred: Option<Factor>,
}

impl TryFrom<Body> for Mfa {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        let Body { enabled, preferred } = body;
        let unique: BTreeSet<_> = enabled.iter().copied().collect();
        if unique.len() < enabled.len() {
            return Err(ApiError::invalid("enabled", "A factor is there twice."));
        }
        if preferred.is_some_and(|preferred| !unique.contains(&preferred)) {
            return Err(ApiError::invalid("preferred", "Expected one of the factors in `enabled`."));
        }
        Ok(Self { enabled: unique.into_iter().collect(), preferred })
    }
}

/// Set a user's second factors
///
/// Exactly these are on afterwards. A factor that the user has not set up (no number, no authenticator app), or that the pool
/// does not have, is `wrong-state`. Callers cannot change their own account here.
#[utoipa::path(
    put, path = "/v1/users/{username}/mfa", tag = "users", operation_id = "set_user_mfa",
    params(("username" = Username, Path)),
    request_body = Body,
    responses((status = 200, description = "The user's second factors as they are now.", body = MfaView)),
    extensions(("x-problems" = json!(["user-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    OtherUser(user): OtherUser,
    Json(body): Json<Body>,
) -> Result<axum::Json<MfaView>, ApiError> {
    let mfa = Mfa::try_from(body)?;
    audit.fields(mfa.enabled.iter().map(|factor| format!("enabled:{}", factor.as_str())));
    audit.fields(mfa.preferred.map(|factor| format!("preferred:{}", factor.as_str())));
    app.pool.set_mfa(&user.id(), &mfa).await?;
    Ok(axum::Json(MfaView::of(user.username, mfa)))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call, token};

    const PATH: &str = "/v1/users/mia/mfa";

    /// `mia` can use an authenticator app and e-mail, and has the latter on.
    async fn with_email_on() -> Api {
        let api = Api::new();
        api.pool.set_up_authenticator("mia");
        assert_eq!(set(&api, &json!({"enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"})).await.status, 200);
        api
    }

    async fn set(api: &Api, body: &Value) -> Answer {
        api.call(Call::put(PATH, body)).await
    }

    async fn factors(api: &Api) -> Value {
        api.call(Call::get(PATH)).await.body
    }

    #[tokio::test]
    async fn exactly_what_is_named_is_on_afterwards() {
        let (app, email) = ("SOFTWARE_TOKEN_MFA", "EMAIL_OTP");
        let table = [
            (json!({"enabled": [app], "preferred": app}), json!([[app], app])),
            (json!({"enabled": [email, app], "preferred": email}), json!([[app, email], email])),
            (json!({"enabled": [app, email], "preferred": null}), json!([[app, email], null])),
            (json!({"enabled": [email]}), json!([[email], null])),
            (json!({"enabled": [], "preferred": null}), json!([[], null])),
        ];
        let api = with_email_on().await;
        for (body, expected) in table {
            let expected = json!({"username": "mia", "enabled": expected[0], "preferred": expected[1]});
            for time in ["once", "twice"] {
                let answer = set(&api, &body).await;
                assert_eq!((answer.status, &answer.body), (200, &expected), "{body} {time}");
                assert_eq!(factors(&api).await, expected, "{body} {time}");
            }
        }
    }

    #[tokio::test]
    async fn a_factor_that_is_not_set_up_is_a_wrong_state_and_nothing_changes() {
        let api = with_email_on().await;
        let before = factors(&api).await;
        for body in
            [json!({"enabled": ["SMS_MFA"]}), json!({"enabled": ["EMAIL_OTP", "SMS_MFA"], "preferred": "SMS_MFA"})]
        {
            let answer = set(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{body}");
            assert_eq!(factors(&api).await, before, "{body}");
        }
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        let table = [
            (json!({}), "enabled"),
            (json!({"enabled": null}), "enabled"),
            (json!({"enabled": "EMAIL_OTP"}), "enabled"),
            (json!({"enabled": ["PIGEON"]}), "enabled[0]"),
            (json!({"enabled": ["email_otp"]}), "enabled[0]"),
            (json!({"enabled": ["EMAIL_OTP", "EMAIL_OTP"]}), "enabled"),
            (json!({"enabled": [], "preferred": "EMAIL_OTP"}), "preferred"),
            (json!({"enabled": ["EMAIL_OTP"], "preferred": "SOFTWARE_TOKEN_MFA"}), "preferred"),
            (json!({"enabled": [], "preferred": ""}), "preferred"),
            (json!({"enabled": [], "sms": true}), "sms"),
        ];
        let api = with_email_on().await;
        let before = factors(&api).await;
        for (body, field) in table {
            let answer = set(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            assert_eq!(answer.body["field"], field, "{body}");
            assert_eq!(factors(&api).await, before, "{body}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::put("/v1/users/nobody/mfa", &json!({"enabled": []}))).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn throttling_says_when_to_come_again() {
        let api = Api::new();
        api.pool.fail("set_mfa", 1, Reason::Throttled);
        let answer = set(&api, &json!({"enabled": []})).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn who_may_only_read_users_changes_nothing() {
        let api = with_email_on().await;
        let before = factors(&api).await;
        let answer = api.call(Call::put(PATH, &json!({"enabled": []})).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(factors(&api).await, before);
    }
}
