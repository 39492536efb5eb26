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
mod naming;
mod password;
mod resend_invitation;
mod reset_password;
mod sign_out;
mod update;
mod view;

use axum::extract::FromRequestParts;
use domain::permission::Permission;
use domain::user::Username;
use http::request::Parts;
use utoipa::OpenApi;

use crate::error::ApiError;
use crate::path;
use crate::router::{Method, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::write(Method::Post, "/v1/users", Permission::UsersCreate, create::handle),
        Route::list("/v1/users", Permission::UsersRead, list::handle),
        Route::read("/v1/users/{username}", Permission::UsersRead, get::handle),
        Route::write(Method::Patch, "/v1/users/{username}", Permission::UsersUpdate, update::handle),
        Route::write(Method::Delete, "/v1/users/{username}", Permission::UsersDelete, delete::handle),
        Route::write(Method::Put, "/v1/users/{username}/password", Permission::UsersPassword, password::handle),
        Route::write(
            Method::Post,
            "/v1/users/{username}/reset-password",
            Permission::UsersPassword,
            reset_password::handle,
        ),
        Route::write(Method::Post, "/v1/users/{username}/confirm", Permission::UsersState, confirm::handle),
        Route::write(Method::Post, "/v1/users/{username}/enable", Permission::UsersState, enable::handle),
        Route::write(Method::Post, "/v1/users/{username}/disable", Permission::UsersState, disable::handle),
        Route::write(
            Method::Post,
            "/v1/users/{username}/resend-invitation",
            Permission::UsersCreate,
            resend_invitation::handle,
        ),
        Route::write(Method::Post, "/v1/users/{username}/sign-out", Permission::UsersSessions, sign_out::handle),
        Route::read("/v1/users/{username}/mfa", Permission::UsersMfa, mfa::get::handle),
        Route::write(Method::Put, "/v1/users/{username}/mfa", Permission::UsersMfa, mfa::set::handle),
        Route::list("/v1/users/{username}/devices", Permission::UsersSessions, devices::list::handle),
        Route::write(Method::Delete, DEVICE, Permission::UsersSessions, devices::forget::handle),
        Route::list("/v1/users/{username}/auth-events", Permission::UsersRead, auth_events::handle),
        Route::write(Method::Put, IDENTITY, Permission::UsersUpdate, identities::link::handle),
        Route::write(Method::Delete, IDENTITY, Permission::UsersUpdate, identities::unlink::handle),
        Route::list("/v1/users/{username}/groups", Permission::UsersGroups, groups::list::handle),
        Route::write(Method::Put, "/v1/users/{username}/groups/{group}", Permission::UsersGroups, groups::add::handle),
        Route::write(
            Method::Delete,
            "/v1/users/{username}/groups/{group}",
            Permission::UsersGroups,
            groups::remove::handle,
        ),
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
