//! `DELETE /v1/users/{username}/devices/{key}`: forgets a device.

use axum::extract::State;
use domain::user_pool::user::Username;
use http::StatusCode;

use super::TargetDevice;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::target_user::TargetUser;
use crate::fields::text::DeviceKey;
use crate::http::error::ApiError;

/// Forget a user's device
///
/// Cognito treats the next sign-in with the device as the first one. Returns `wrong-state` if the pool does not
/// remember devices.
#[utoipa::path(
    delete, path = "/v1/users/{username}/devices/{key}", tag = "users", operation_id = "forget_user_device",
    params(("username" = Username, Path), ("key" = inline(DeviceKey), Path)),
    responses((status = 204, description = "The device is forgotten.")),
    extensions(("x-problems" = json!(["user-not-found", "device-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    TargetUser(user): TargetUser,
    TargetDevice(key): TargetDevice,
) -> Result<StatusCode, ApiError> {
    audit.fields([format!("device:{key}")]);
    app.pool.forget_device(&user.id(), &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {

    use crate::testing::pages::walk;
    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/devices/eu-central-1_1";

    /// Two devices of `mia`; `ray` has one with the same key.
    fn with_devices() -> Api {
        let api = Api::new();
        for (username, number) in [("mia", 1), ("mia", 2), ("ray", 1)] {
            api.pool.add_device(username, &format!("eu-central-1_{number}"));
        }
        api
    }

    async fn keys(api: &Api, username: &str) -> Vec<String> {
        let devices = walk(api, &format!("/v1/users/{username}/devices"), "devices").await;
        devices.iter().map(|device| device["key"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn forgets_a_device_which_is_then_not_found() {
        let api = with_devices();
        assert_eq!(api.call(Call::delete(PATH)).await.status, 204);
        assert_eq!((keys(&api, "mia").await, keys(&api, "ray").await.len()), (vec!["eu-central-1_2".to_owned()], 1));
        let again = api.call(Call::delete(PATH)).await;
        assert_eq!((again.status, again.code()), (404, "device-not-found"));
    }
}
