//! `POST /v1/users/{username}/sign-out`: everywhere. The answer says what that does not reach.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use crate::app::App;
use crate::authz::target_user::TargetUser;
use crate::http::error::ApiError;
use crate::routes::auth::SignedOut;

/// Sign a user out
///
/// Everywhere. The answer lists which tokens died, and which live until when.
#[utoipa::path(
    post, path = "/v1/users/{username}/sign-out", tag = "users", operation_id = "sign_out_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user is signed out.", body = SignedOut)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(State(app): State<App>, TargetUser(user): TargetUser) -> Result<Json<SignedOut>, ApiError> {
    app.pool.sign_out(&user.id()).await?;
    Ok(Json(SignedOut::everywhere()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/sign-out";

    #[tokio::test]
    async fn every_token_dies_and_the_answer_tells_which_do_not() {
        let api = Api::new();
        let [first, second] = [api.sign_in("mia").await, api.sign_in("mia").await];
        let of_somebody_else = api.sign_in("ray").await;
        for time in ["once", "twice"] {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!(answer.status, 200, "{time}");
            let dead = json!([
                {"token": "refresh_token", "where": "everywhere"},
                {"token": "access_token", "where": "at the user pool's own API"}
            ]);
            assert_eq!(answer.body["died"], dead, "{time}");
            let alive = &answer.body["lives"];
            assert_eq!((&alive[0]["token"], &alive[0]["until"]), (&json!("id_token"), &json!("its `exp`")), "{time}");
            assert_eq!(alive[1]["token"], "access_token", "{time}");
        }
        for token in [&first.access, &first.refresh, &second.access, &second.refresh] {
            assert!(!api.pool.takes_token(token), "{token}");
        }
        assert!(api.pool.takes_token(&of_somebody_else.refresh));
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::post("/v1/users/nobody/sign-out", None)).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn who_may_only_read_signs_nobody_out() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let answer = api.call(Call::post(PATH, None).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert!(api.pool.takes_token(&tokens.refresh));
    }
}
