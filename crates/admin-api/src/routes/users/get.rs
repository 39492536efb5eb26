//! `GET /v1/users/{username}?include=groups`: returns a user.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::groups::list::names;
use crate::app::App;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::routes::target::Target;
use crate::routes::user_view::UserView;

/// A user, with groups if requested.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserWithGroups, example = Self::example)]
pub(crate) struct Answer {
    #[serde(flatten)]
    user: UserView,
    /// The names of all groups of the user. Present with `include=groups`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    groups: Option<Vec<String>>,
}

impl Answer {
    /// Example for the OpenAPI document.
    fn example() -> Value {
        let mut user = UserView::example();
        user["groups"] = json!(["support"]);
        user
    }
}

/// The query parameters.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Additional data to include in the response.
    #[param(inline)]
    include: Option<Include>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    Groups,
}

/// Get a user
///
/// The path takes the user name, the `sub`, or an alias if the pool allows aliases.
#[utoipa::path(
    get, path = "/v1/users/{username}", tag = "users", operation_id = "get_user",
    params(("username" = Username, Path), Parameters),
    responses((status = 200, description = "The user.", body = Answer)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    Target(username): Target,
    Query(Parameters { include }): Query<Parameters>,
) -> Result<Json<Answer>, ApiError> {
    let user = app.pool.get(&username).await?;
    let groups = match include {
        Some(Include::Groups) => Some(names(app.pool.groups(&user.username).await?)),
        None => None,
    };
    Ok(Json(Answer { user: app.view(user, &authorized).await, groups }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use time::format_description::well_known::Rfc3339;
    use time::{Duration, OffsetDateTime};

    use crate::testing::{Api, Call, token};

    #[tokio::test]
    async fn returns_a_user_with_the_life_cycle() {
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
                "temporary_password_expires_at": days_after(&answer.body["modified_at"], 7),
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
    async fn finds_a_user_by_alias_and_sub() {
        let api = Api::new();
        for name in ["mia@example.com", "mia%40example.com", &api.sub_of("mia")] {
            let answer = api.call(Call::get(&format!("/v1/users/{name}"))).await;
            assert_eq!((answer.status, &answer.body["username"]), (200, &json!("mia")), "{name}");
        }
    }

    #[tokio::test]
    async fn returns_groups_only_if_requested() {
        let api = Api::new();
        for (path, groups) in [
            ("/v1/users/root?include=groups", json!(["admins"])),
            ("/v1/users/root@example.com?include=groups", json!(["admins"])),
            ("/v1/users/mia?include=groups", json!([])),
        ] {
            let answer = api.call(Call::get(path).by(token("ray", "[readers]"))).await;
            assert_eq!((answer.status, &answer.body["groups"]), (200, &groups), "{path}");
            assert!(answer.body["username"].is_string(), "{path}");
        }
        let answer = api.call(Call::get("/v1/users/root")).await;
        assert_eq!((answer.status, answer.body.get("groups")), (200, None));
        assert_eq!(api.pool.calls(), ["get", "groups", "get", "groups", "get", "groups", "get"]);
    }

    #[tokio::test]
    async fn failing_to_read_the_groups_is_an_error() {
        let api = Api::new();
        api.pool.fail("groups", 1, Reason::Unavailable);
        let answer = api.call(Call::get("/v1/users/mia?include=groups")).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected_with_the_field() {
        let api = Api::new();
        for (query, field) in [
            ("include=", "include"),
            ("include=devices", "include"),
            ("include=Groups", "include"),
            ("include=groups,devices", "include"),
            ("include=groups&include=groups", "include"),
            ("expand=groups", "expand"),
        ] {
            let answer = api.call(Call::get(&format!("/v1/users/mia?{query}"))).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{query}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    fn days_after(timestamp: &Value, days: i64) -> String {
        let timestamp = OffsetDateTime::parse(timestamp.as_str().unwrap(), &Rfc3339).unwrap();
        (timestamp + Duration::days(days)).format(&Rfc3339).unwrap()
    }

    async fn mia(api: &Api) -> Value {
        let answer = api.call(Call::get("/v1/users/mia")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    #[tokio::test]
    async fn a_temporary_password_expires_after_the_validity_of_the_pool() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        api.pool.temporary_passwords_live_for(2);
        // `mia` was created some seconds after the epoch, so the password is still valid after exactly two days.
        for (days_later, state) in [(0, "invited"), (2, "invited"), (1, "invitation-expired")] {
            api.days_pass(days_later).await;
            let user = mia(&api).await;
            let life_cycle = &user["life_cycle"];
            assert_eq!(life_cycle["temporary_password_expires_at"], days_after(&user["modified_at"], 2));
            assert_eq!((&life_cycle["state"], &life_cycle["can_sign_in"]), (&json!(state), &json!(state == "invited")));
        }
        assert_eq!(mia(&api).await["life_cycle"]["next_actions"], json!(["resend-invitation", "password"]));
        // The API reads the validity once.
        assert_eq!(api.pool.calls().into_iter().filter(|call| *call == "describe").count(), 1);
    }

    #[tokio::test]
    async fn returns_a_user_if_the_password_validity_is_unknown() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        api.days_pass(700).await;
        api.pool.fail("describe", 1, Reason::Unavailable);
        let life_cycle = &mia(&api).await["life_cycle"];
        assert_eq!(life_cycle["state"], "invited");
        assert_eq!(life_cycle["temporary_password_expires_at"], Value::Null);
        // The failure is not cached.
        let life_cycle = &mia(&api).await["life_cycle"];
        assert_eq!(life_cycle["state"], "invitation-expired");
        assert!(life_cycle["temporary_password_expires_at"].is_string());
    }

    #[tokio::test]
    async fn users_without_a_temporary_password_have_no_expiry() {
        let api = Api::new();
        let life_cycle = &mia(&api).await["life_cycle"];
        assert_eq!(life_cycle["state"], "active");
        assert_eq!(life_cycle["temporary_password_expires_at"], Value::Null);
        assert_eq!(api.pool.calls(), ["get"]);
    }

    #[tokio::test]
    async fn a_number_sign_is_part_of_the_name() {
        let answer = Api::new().call(Call::get("/v1/users/mia#x")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn each_user_pool_failure_has_its_status_and_code() {
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
            let seconds = if reason == Reason::LimitReached { "900" } else { "1" };
            assert_eq!(answer.header("retry-after"), (status == 429).then_some(seconds), "{code}");
        }
    }
}
