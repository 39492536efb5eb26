//! `PUT /v1/users/{username}/mfa`: enables exactly the given second factors.

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

/// The second factors to enable.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetMfa, example = json!({"enabled": ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], "preferred": "SOFTWARE_TOKEN_MFA"}))]
pub(crate) struct Body {
    /// The factors to enable, without duplicates. All other factors are disabled.
    #[schema(value_type = BTreeSet<Factor>)]
    enabled: Vec<Factor>,
    /// The preferred factor, one of `enabled`. If absent, a user with several factors chooses a factor at each sign-in.
    preferred: Option<Factor>,
}

impl TryFrom<Body> for Mfa {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        let Body { enabled, preferred } = body;
        let unique: BTreeSet<_> = enabled.iter().copied().collect();
        if unique.len() < enabled.len() {
            return Err(ApiError::invalid("enabled", "The list must not contain duplicates."));
        }
        if preferred.is_some_and(|preferred| !unique.contains(&preferred)) {
            return Err(ApiError::invalid("preferred", "The factor must be one of `enabled`."));
        }
        Ok(Self { enabled: unique.into_iter().collect(), preferred })
    }
}

/// Set a user's second factors
///
/// Enables exactly these factors. Returns `wrong-state` if the user has not set up a factor (no verified phone number,
/// no authenticator app) or the pool does not offer it. Callers cannot change their own account with this route.
#[utoipa::path(
    put, path = "/v1/users/{username}/mfa", tag = "users", operation_id = "set_user_mfa",
    params(("username" = Username, Path)),
    request_body = Body,
    responses((status = 200, description = "The user's second factors.", body = MfaView)),
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
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/users/mia/mfa";

    /// `mia` has set up an authenticator app and e-mail, and has enabled e-mail.
    async fn with_email_enabled() -> Api {
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
    async fn enables_exactly_the_given_factors() {
        let (app, email) = ("SOFTWARE_TOKEN_MFA", "EMAIL_OTP");
        let table = [
            (json!({"enabled": [app], "preferred": app}), json!([[app], app])),
            (json!({"enabled": [email, app], "preferred": email}), json!([[app, email], email])),
            (json!({"enabled": [app, email], "preferred": null}), json!([[app, email], null])),
            (json!({"enabled": [email]}), json!([[email], null])),
            (json!({"enabled": [], "preferred": null}), json!([[], null])),
        ];
        let api = with_email_enabled().await;
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
    async fn a_factor_that_is_not_set_up_is_a_wrong_state() {
        let api = with_email_enabled().await;
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
    async fn malformed_bodies_are_rejected_with_the_field() {
        let table = [
            (json!({"enabled": ["PIGEON"]}), "enabled[0]"),
            (json!({"enabled": ["email_otp"]}), "enabled[0]"),
            (json!({"enabled": ["EMAIL_OTP", "EMAIL_OTP"]}), "enabled"),
            (json!({"enabled": [], "preferred": "EMAIL_OTP"}), "preferred"),
            (json!({"enabled": ["EMAIL_OTP"], "preferred": "SOFTWARE_TOKEN_MFA"}), "preferred"),
        ];
        let api = with_email_enabled().await;
        let before = factors(&api).await;
        for (body, field) in table {
            let answer = set(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            assert_eq!(answer.body["field"], field, "{body}");
            assert_eq!(factors(&api).await, before, "{body}");
        }
    }
}
