//! `PUT /v1/users/{username}/password`: sets a permanent or temporary password.

use axum::extract::State;
use domain::user_pool::user::Username;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::target_user::OtherUser;
use crate::fields::text::Password;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetPassword, example = json!({"password": "Correct-Horse-9", "permanent": true}))]
pub(crate) struct Body {
    password: Password,
    /// Whether the password is permanent. The user must change a temporary password at the next sign-in.
    #[serde(default)]
    #[schema(default = false)]
    permanent: bool,
}

/// Set a user's password
///
/// A permanent password sets the status to `CONFIRMED`, a temporary password to `FORCE_CHANGE_PASSWORD`. With the session
/// gate, all sessions of the user end, even if Cognito rejects the password. A sign-in in the same second ends as well.
/// Callers cannot change their own account with this route.
#[utoipa::path(
    put, path = "/v1/users/{username}/password", tag = "users", operation_id = "set_user_password",
    params(("username" = Username, Path)),
    request_body = Body,
    responses((status = 204, description = "The password is set.")),
    extensions(("x-problems" = json!(["user-not-found", "invalid-password", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    OtherUser(user): OtherUser,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    audit.fields([if body.permanent { "permanent_password" } else { "temporary_password" }]);
    let (id, password) = (user.id(), body.password.into());
    let set_password = app.pool.set_password(&id, &password, body.permanent);
    app.end_sessions_with_password(&progress, &user, "set-password", set_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/password";

    #[tokio::test]
    async fn a_permanent_password_confirms_and_a_temporary_one_must_be_changed() {
        let api = Api::new();
        for (body, status) in [
            (json!({"password": "Temporary-1"}), UserStatus::ForceChangePassword),
            (json!({"password": "Permanent-1", "permanent": true}), UserStatus::Confirmed),
            (json!({"password": "Permanent-1", "permanent": true}), UserStatus::Confirmed),
            (json!({"password": "Temporary-2", "permanent": false}), UserStatus::ForceChangePassword),
        ] {
            let answer = api.call(Call::put(PATH, &body)).await;
            assert_eq!(answer.status, 204, "{body}");
            assert_eq!(api.pool.user("mia").unwrap().status, status, "{body}");
            assert!(api.pool.has_password("mia", body["password"].as_str().unwrap()), "{body}");
        }
    }

    #[tokio::test]
    async fn rejects_a_weak_password_and_keeps_the_old_one() {
        let api = Api::new();
        let answer = api.call(Call::put(PATH, &json!({"password": "weak", "permanent": true}))).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid-password"));
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found() {
        let body = json!({"password": "Correct-1", "permanent": true});
        let answer = Api::new().call(Call::put("/v1/users/nobody/password", &body)).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn malformed_bodies_are_rejected_with_the_field() {
        let api = Api::new();
        for (body, field) in [
            (json!({"permanent": true}), "password"),
            (json!({"password": 12345, "permanent": true}), "password"),
            (json!({"password": "", "permanent": true}), "password"),
            (json!({"password": "Correct-1 ", "permanent": true}), "password"),
            (json!({"password": format!("Correct-1{}", "x".repeat(256)), "permanent": true}), "password"),
            (json!({"password": "Correct-1", "permanent": "yes"}), "permanent"),
            (json!({"password": "Correct-1", "permanent": true, "notify": true}), "notify"),
        ] {
            let answer = api.call(Call::put(PATH, &body)).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
    }

    #[tokio::test]
    async fn rejects_callers_who_can_only_read() {
        let api = Api::new();
        let body = json!({"password": "Correct-1", "permanent": true});
        let answer = api.call(Call::put(PATH, &body).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
    }
}
