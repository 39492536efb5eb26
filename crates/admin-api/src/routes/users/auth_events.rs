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

/// A sign-in, a sign-up, or a change or reset of a password. The values come from Cognito, and AWS can add new values.
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
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/auth-events";

    #[tokio::test]
    async fn returns_all_fields_of_an_event() {
        let api = Api::new();
        api.pool.add_auth_event("mia", "event-1", "SignIn");
        let answer = api.call(Call::get(PATH)).await;
        let at = &answer.body["events"][0]["at"];
        assert!(at.as_str().unwrap().starts_with("1970-01-01T00:00:"), "{at}");
        let expected = json!([{
            "id": "event-1", "kind": "SignIn", "at": at, "outcome": "Pass", "risk_decision": "NoRisk", "risk_level": "Low",
            "ip_address": "192.0.2.1", "city": "Berlin", "country": "Germany", "device_name": "Firefox, Linux",
        }]);
        assert_eq!((answer.status, &answer.body["events"]), (200, &expected));
    }

    #[tokio::test]
    async fn disabled_threat_protection_is_a_wrong_state() {
        let api = Api::new();
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
}
