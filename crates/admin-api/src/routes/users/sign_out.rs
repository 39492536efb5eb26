//! `POST /v1/users/{username}/sign-out`: ends all sign-ins of a user.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::target_user::TargetUser;
use crate::http::error::ApiError;
use crate::routes::auth::SignedOut;

/// Sign a user out
///
/// Ends all sign-ins of the user. With the session gate, the tokens end immediately at services that check revocations,
/// and a sign-in in the same second ends as well. The response lists the revoked credentials, and those that are still
/// valid.
#[utoipa::path(
    post, path = "/v1/users/{username}/sign-out", tag = "users", operation_id = "sign_out_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user is signed out.", body = SignedOut)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    progress: Progress,
    TargetUser(user): TargetUser,
) -> Result<Json<SignedOut>, ApiError> {
    app.sign_out(&progress, &user).await?;
    Ok(Json(match app.revocations {
        Some(_) => SignedOut::everywhere_at_once(),
        None => SignedOut::everywhere(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/sign-out";

    #[tokio::test]
    async fn revokes_all_sign_ins_and_lists_credentials_that_are_still_valid() {
        let api = Api::new();
        let [first, second] = [api.sign_in("mia").await, api.sign_in("mia").await];
        let of_another_user = api.sign_in("ray").await;
        for time in ["once", "twice"] {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!(answer.status, 200, "{time}");
            let revoked = json!([
                {"token": "refresh_token", "where": "everywhere"},
                {"token": "access_token", "where": "at the Cognito user pools API"}
            ]);
            assert_eq!(answer.body["revoked"], revoked, "{time}");
            let still_valid = &answer.body["still_valid"];
            assert_eq!(
                (&still_valid[0]["token"], &still_valid[0]["until"]),
                (&json!("id_token"), &json!("its `exp`")),
                "{time}"
            );
            assert_eq!(still_valid[1]["token"], "access_token", "{time}");
        }
        for token in [&first.access, &first.refresh, &second.access, &second.refresh] {
            assert!(!api.pool.takes_token(token), "{token}");
        }
        assert!(api.pool.takes_token(&of_another_user.refresh));
    }
}
