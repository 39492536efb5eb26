//! `GET /v1/users/{username}`

use axum::Json;
use axum::extract::State;
use domain::user::Username;

use super::{Target, UserView};
use crate::app::App;
use crate::error::ApiError;

/// Get a user
///
/// By user name, `sub`, or where the pool allows it an alias.
#[utoipa::path(
    get, path = "/v1/users/{username}", tag = "users", operation_id = "get_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user.", body = UserView)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(super) async fn handle(State(app): State<App>, Target(username): Target) -> Result<Json<UserView>, ApiError> {
    let user = app.pool.get(&username).await?;
    Ok(Json(app.view(user).await))
}

#[cfg(test)]
mod tests {
    use domain::user::UserStatus;
    use domain::user_pool_error::Reason;
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    #[tokio::test]
    async fn a_user_is_shown_with_what_the_status_means() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let answer = api.call(Call::get("/v1/users/mia")).await;
        assert_eq!(answer.status, 200);
        let expected = json!({
            "username": "mia",
            "sub": api.sub_of("mia"),
            "status": "FORCE_CHANGE_PASSWORD",
            "enabled": true,
            "life_cycle": {
                "state": "invited", "can_sign_in": true,
                "next_actions": ["answer-challenge", "password", "resend-invitation"]
            },
            "attributes": {"email": "mia@example.com", "email_verified": "true"},
            "created_at": answer.body["created_at"],
            "modified_at": answer.body["modified_at"],
        });
        assert_eq!(answer.body, expected);
        assert!(answer.body["created_at"].as_str().unwrap().starts_with("1970-01-01T00:00:"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }

    #[tokio::test]
    async fn a_user_is_found_by_alias_and_sub_too() {
        let api = Api::new();
        for name in ["mia@example.com", "mia%40example.com", &api.sub_of("mia")] {
            let answer = api.call(Call::get(&format!("/v1/users/{name}"))).await;
            assert_eq!((answer.status, &answer.body["username"]), (200, &json!("mia")), "{name}");
        }
    }

    #[tokio::test]
    async fn a_name_with_a_number_sign_is_not_cut_short() {
        let answer = Api::new().call(Call::get("/v1/users/mia#x")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::get("/v1/users/nobody")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn what_cannot_be_a_name_is_refused() {
        for path in
            ["/v1/users/two%20words".to_owned(), "/v1/users/%FF".to_owned(), format!("/v1/users/{}", "x".repeat(129))]
        {
            let answer = Api::new().call(Call::get(&path)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{path}");
            assert_eq!(answer.body["field"], "username", "{path}");
        }
    }

    #[tokio::test]
    async fn who_may_not_read_learns_nothing() {
        let api = Api::new();
        for path in ["/v1/users/mia", "/v1/users/nobody", "/v1/users/two%20words"] {
            let answer = api.call(Call::get(path).by(token("vic", "[visitors]"))).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_user_pool_that_fails_is_told_apart() {
        let table = [
            (Reason::Throttled, 429, "throttled"),
            (Reason::LimitReached, 429, "throttled"),
            (Reason::Unavailable, 502, "upstream-unavailable"),
            (Reason::DeadlineExceeded, 504, "deadline-exceeded"),
            (Reason::TriggerNotInvoked, 500, "internal"),
            (Reason::Internal, 500, "internal"),
        ];
        for (reason, status, code) in table {
            let api = Api::new();
            api.pool.fail("get", 1, reason);
            let answer = api.call(Call::get("/v1/users/mia")).await;
            assert_eq!((answer.status, answer.code()), (status, code));
            assert_eq!(answer.header("retry-after"), (status == 429).then_some("1"), "{code}");
        }
    }
}
