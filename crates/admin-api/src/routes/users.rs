//! Users of the pool, as an administrator handles them.

mod auth_events;
mod confirm;
mod create;
mod delete;
mod devices;
mod disable;
mod enable;
mod get;
mod groups;
mod identities;
mod list;
mod mfa;
mod password;
mod resend_invitation;
mod reset_password;
mod sign_out;
mod update;
mod view;

use axum::extract::FromRequestParts;
use domain::user::Username;
use http::request::Parts;
use utoipa::OpenApi;

use crate::error::ApiError;
use crate::path;
use crate::router::{Endpoint, Method};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::Post, "/v1/users", create::handle),
        Endpoint::new(Method::Get, "/v1/users", list::handle),
        Endpoint::new(Method::Get, "/v1/users/{username}", get::handle),
        Endpoint::new(Method::Patch, "/v1/users/{username}", update::handle),
        Endpoint::new(Method::Delete, "/v1/users/{username}", delete::handle),
        Endpoint::new(Method::Put, "/v1/users/{username}/password", password::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/reset-password", reset_password::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/confirm", confirm::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/enable", enable::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/disable", disable::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/resend-invitation", resend_invitation::handle),
        Endpoint::new(Method::Post, "/v1/users/{username}/sign-out", sign_out::handle),
        Endpoint::new(Method::Get, "/v1/users/{username}/mfa", mfa::get::handle),
        Endpoint::new(Method::Put, "/v1/users/{username}/mfa", mfa::set::handle),
        Endpoint::new(Method::Get, "/v1/users/{username}/devices", devices::list::handle),
        Endpoint::new(Method::Delete, DEVICE, devices::forget::handle),
        Endpoint::new(Method::Get, "/v1/users/{username}/auth-events", auth_events::handle),
        Endpoint::new(Method::Put, IDENTITY, identities::link::handle),
        Endpoint::new(Method::Delete, IDENTITY, identities::unlink::handle),
        Endpoint::new(Method::Get, "/v1/users/{username}/groups", groups::list::handle),
        Endpoint::new(Method::Put, "/v1/users/{username}/groups/{group}", groups::add::handle),
        Endpoint::new(Method::Delete, "/v1/users/{username}/groups/{group}", groups::remove::handle),
    ]
}

const DEVICE: &str = "/v1/users/{username}/devices/{key}";
const IDENTITY: &str = "/v1/users/{username}/identities/{provider}";

/// What the annotations of these routes say.
#[derive(OpenApi)]
#[openapi(paths(
    create::handle,
    list::handle,
    get::handle,
    update::handle,
    delete::handle,
    password::handle,
    reset_password::handle,
    confirm::handle,
    sign_out::handle,
    mfa::get::handle,
    mfa::set::handle,
    devices::list::handle,
    devices::forget::handle,
    auth_events::handle,
    identities::link::handle,
    identities::unlink::handle,
    enable::handle,
    disable::handle,
    resend_invitation::handle,
    groups::list::handle,
    groups::add::handle,
    groups::remove::handle,
))]
pub(super) struct Documented;

pub(in crate::routes) use view::UserView;

/// The user in the path: by name, alias or `sub`.
struct Target(Username);

impl<S: Sync> FromRequestParts<S> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "username").await.map(Self)
    }
}

#[cfg(test)]
mod tests;
