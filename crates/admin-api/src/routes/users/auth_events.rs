//! `GET /v1/users/{username}/auth-events?limit=&cursor=`: lists authentication events in pages.

use axum::Json;
use axum::extract::State;
use domain::user_pool::sign_in_security::AuthEvent;
use domain::user_pool::user::Username;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::http::pages::{EXAMPLE_CURSOR, PageParameters, next_cursor, page_request};
use crate::http::query::Query;
use crate::routes::target::Target;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthEvents, example = json!({
    "events": [{
        "id": "5d2c6f0e-6a39-4c1b-9d0f-2f0d1c3b4a59", "kind": "SignIn", "at": "2026-01-08T14:05:31.456Z", "outcome": "Pass",
        "risk_decision": "NoRisk", "risk_level": "Low", "ip_address": "203.0.113.7", "city": "Berlin", "country": "Germany",
        "device_name": "Firefox, Linux",
    }],
    "next_cursor": EXAMPLE_CURSOR,
}))]
pub(crate) struct Answer {
    /// Newest first.
    events: Vec<EventView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A sign-in, a sign-up, or a change or reset of a password. The values are Cognito's; AWS can add new ones.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthEvent)]
struct EventView {
    id: String,
    /// `SignIn`, `SignUp`, `ForgotPassword`, `PasswordChange` or `ResendCode`.
    #[schema(required = true)]
    kind: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    at: Option<OffsetDateTime>,
    /// `Pass`, `Fail` or `InProgress`.
    #[schema(required = true)]
    outcome: Option<String>,
    /// `NoRisk`, `AccountTakeover` or `Block`.
    #[schema(required = true)]
    risk_decision: Option<String>,
    /// `Low`, `Medium` or `High`.
    #[schema(required = true)]
    risk_level: Option<String>,
    #[schema(required = true)]
    ip_address: Option<String>,
    #[schema(required = true)]
    city: Option<String>,
    #[schema(required = true)]
    country: Option<String>,
    /// The device, as its browser reports it.
    #[schema(required = true)]
    device_name: Option<String>,
}

impl From<AuthEvent> for EventView {
    fn from(event: AuthEvent) -> Self {
        let AuthEvent { id, kind, at, outcome, risk_decision, risk_level, ip_address, city, country, device_name } =
            event;
        Self { id, kind, at, outcome, risk_decision, risk_level, ip_address, city, country, device_name }
    }
}

/// List a user's authentication events
///
/// Returns the newest events first, or `wrong-state` if threat protection is not enabled on this pool.
#[utoipa::path(
    get, path = "/v1/users/{username}/auth-events", tag = "users", operation_id = "list_user_auth_events",
    params(("username" = Username, Path), PageParameters),
    responses((status = 200, description = "A page of events.", body = Answer)),
    extensions(("x-problems" = json!(["user-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Target(username): Target,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    let list = format!("users/{username}/auth-events");
    let request = page_request(&app.cursors, &list, parameters).await?;
    let page = app.pool.auth_events(&username, &request).await?;
    audit.results(page.entries.len());
    let next_cursor = next_cursor(&app.cursors, &list, &request, page.next).await?;
    Ok(Json(Answer { events: page.entries.into_iter().map(Into::into).collect(), next_cursor }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::pages::{assert_refuses_cursor, cursor_of, walk};
    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/auth-events";

    /// Five events of `mia`, two of `ray`.
    fn with_events() -> Api {
        let api = Api::new();
        for (username, count) in [("mia", 5), ("ray", 2)] {
            for number in 0..count {
                api.pool.add_auth_event(username, &format!("{username}-{number}"), "SignIn");
            }
        }
        api
    }

    #[tokio::test]
    async fn every_event_is_on_exactly_one_page_newest_first() {
        let events = walk(&with_events(), PATH, "events").await;
        let ids: Vec<_> = events.iter().map(|event| &event["id"]).collect();
        assert_eq!(ids, ["mia-4", "mia-3", "mia-2", "mia-1", "mia-0"]);
    }

    #[tokio::test]
    async fn returns_all_fields_of_an_event() {
        let answer =
            with_events().call(Call::get("/v1/users/mia/auth-events?limit=1").by(token("ray", "[readers]"))).await;
        let at = &answer.body["events"][0]["at"];
        assert!(at.as_str().unwrap().starts_with("1970-01-01T00:00:"), "{at}");
        let expected = json!([{
            "id": "mia-4", "kind": "SignIn", "at": at, "outcome": "Pass", "risk_decision": "NoRisk", "risk_level": "Low",
            "ip_address": "192.0.2.1", "city": "Berlin", "country": "Germany", "device_name": "Firefox, Linux",
        }]);
        assert_eq!((answer.status, &answer.body["events"]), (200, &expected));
    }

    #[tokio::test]
    async fn disabled_threat_protection_is_a_wrong_state() {
        let api = with_events();
        api.pool.record_no_auth_events();
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn no_events_is_an_empty_list_and_an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.body), (200, json!({"events": [], "next_cursor": null})));
        let answer = Api::new().call(Call::get("/v1/users/nobody/auth-events")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn rejects_a_cursor_of_another_list_or_user() {
        let api = with_events();
        for number in 0..2 {
            api.pool.add_device("mia", &format!("eu-central-1_{number}"));
        }
        for other in ["/v1/users", "/v1/users/mia/devices", "/v1/users/ray/auth-events"] {
            assert_refuses_cursor(&api, PATH, &cursor_of(&api, other).await).await;
        }
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected_with_the_field() {
        for (path, field) in [
            ("/v1/users/two%20words/auth-events", "username"),
            ("/v1/users/mia/auth-events?limit=", "limit"),
            ("/v1/users/mia/auth-events?kind=SignIn", "kind"),
        ] {
            let answer = Api::new().call(Call::get(path)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{path}");
            assert_eq!(answer.body["field"], field, "{path}");
        }
    }

    #[tokio::test]
    async fn throttled_calls_set_retry_after() {
        let api = Api::new();
        api.pool.fail("auth_events", 1, Reason::Throttled);
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn rejects_callers_without_users_read() {
        let answer = with_events().call(Call::get(PATH).by(token("vic", "[visitors]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(answer.body["events"], Value::Null);
    }
}
