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
    use serde_json::json;

    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn returns_all_fields_of_a_device() {
        let api = Api::new();
        api.pool.add_device("mia", "eu-central-1_0");
        let answer = api.call(Call::get("/v1/users/mia@example.com/devices")).await;
        let first_seen = &answer.body["devices"][0]["created_at"];
        assert!(first_seen.as_str().unwrap().starts_with("1970-01-01T00:00:"), "{first_seen}");
        let expected = json!([{
            "key": "eu-central-1_0", "attributes": {"device_name": "device of mia"}, "created_at": first_seen,
            "last_signed_in_at": first_seen,
        }]);
        assert_eq!((answer.status, &answer.body["devices"]), (200, &expected));
    }

    #[tokio::test]
    async fn no_devices_is_an_empty_list_and_an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::get("/v1/users/mia/devices")).await;
        assert_eq!((answer.status, answer.body), (200, json!({"devices": [], "next_cursor": null})));
        let answer = Api::new().call(Call::get("/v1/users/nobody/devices")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }
}
