//! `GET /v1/users/{username}/devices?limit=&cursor=`: lists devices in pages.

use axum::Json;
use axum::extract::State;
use domain::user_pool::sign_in_security::Device;
use domain::user_pool::user::{Attributes, Username};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::http::pages::{PageParameters, next_cursor, page_request};
use crate::http::query::Query;
use crate::routes::target::Target;

/// A page of devices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Devices, example = json!({
    "devices": [{
        "key": "eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2",
        "attributes": {"device_name": "Firefox, Linux", "device_status": "valid", "last_ip_used": "203.0.113.7"},
        "created_at": "2026-01-08T14:05:31.456Z",
        "last_signed_in_at": "2026-01-08T14:05:31.456Z",
    }],
    "next_cursor": null,
}))]
pub(crate) struct Answer {
    devices: Vec<DeviceView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
struct DeviceView {
    key: String,
    /// The attributes, e.g. `device_name`, `last_ip_used`.
    #[schema(value_type = BTreeMap<String, String>)]
    attributes: Attributes,
    /// When Cognito first recorded the device.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    created_at: Option<OffsetDateTime>,
    /// When the user last signed in with the device.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    last_signed_in_at: Option<OffsetDateTime>,
}

impl From<Device> for DeviceView {
    fn from(device: Device) -> Self {
        let Device { key, attributes, created_at, last_signed_in_at } = device;
        Self { key, attributes, created_at, last_signed_in_at }
    }
}

/// List a user's devices
///
/// Returns the devices that Cognito remembers, or `wrong-state` if the pool does not remember devices.
#[utoipa::path(
    get, path = "/v1/users/{username}/devices", tag = "users", operation_id = "list_user_devices",
    params(("username" = Username, Path), PageParameters),
    responses((status = 200, description = "A page of devices.", body = Answer)),
    extensions(("x-problems" = json!(["user-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Target(username): Target,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    let list = format!("users/{username}/devices");
    let request = page_request(&app.cursors, &list, parameters).await?;
    let page = app.pool.devices(&username, &request).await?;
    audit.results(page.entries.len());
    let next_cursor = next_cursor(&app.cursors, &list, &request, page.next).await?;
    Ok(Json(Answer { devices: page.entries.into_iter().map(Into::into).collect(), next_cursor }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::pages::{assert_refuses_cursor, cursor_of, walk};
    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/devices";

    /// Five devices of `mia`, two of `ray`.
    fn with_devices() -> Api {
        let api = Api::new();
        for (username, count) in [("mia", 5), ("ray", 2)] {
            for number in 0..count {
                api.pool.add_device(username, &format!("eu-central-1_{username}-{number}"));
            }
        }
        api
    }

    #[tokio::test]
    async fn lists_every_device_of_the_user_exactly_once() {
        let devices = walk(&with_devices(), PATH, "devices").await;
        let keys: Vec<_> = devices.iter().map(|device| device["key"].as_str().unwrap()).collect();
        assert_eq!(keys, [0, 1, 2, 3, 4].map(|number| format!("eu-central-1_mia-{number}")));
    }

    #[tokio::test]
    async fn returns_all_fields_of_a_device() {
        let answer = with_devices().call(Call::get("/v1/users/mia@example.com/devices?limit=1")).await;
        let first_seen = &answer.body["devices"][0]["created_at"];
        assert!(first_seen.as_str().unwrap().starts_with("1970-01-01T00:00:"), "{first_seen}");
        let expected = json!([{
            "key": "eu-central-1_mia-0", "attributes": {"device_name": "device of mia"}, "created_at": first_seen,
            "last_signed_in_at": first_seen,
        }]);
        assert_eq!((answer.status, &answer.body["devices"]), (200, &expected));
    }

    #[tokio::test]
    async fn no_devices_is_an_empty_list_and_an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.body), (200, json!({"devices": [], "next_cursor": null})));
        let answer = Api::new().call(Call::get("/v1/users/nobody/devices")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn rejects_a_cursor_of_another_list_or_user() {
        let api = with_devices();
        for other in ["/v1/users", "/v1/groups", "/v1/users/ray/devices"] {
            assert_refuses_cursor(&api, PATH, &cursor_of(&api, other).await).await;
        }
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected_with_the_field() {
        for (path, field) in [
            ("/v1/users/two%20words/devices", "username"),
            ("/v1/users/mia/devices?limit=61", "limit"),
            ("/v1/users/mia/devices?key=a_0", "key"),
        ] {
            let answer = Api::new().call(Call::get(path)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{path}");
            assert_eq!(answer.body["field"], field, "{path}");
        }
    }

    #[tokio::test]
    async fn throttled_calls_set_retry_after() {
        let api = Api::new();
        api.pool.fail("devices", 1, Reason::Throttled);
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn rejects_callers_with_users_read_only() {
        let answer = with_devices().call(Call::get(PATH).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(answer.body["devices"], Value::Null);
    }
}
