//! Groups of the pool. Who is in them is changed at the users.

mod create;
mod delete;
mod details;
mod get;
mod list;
mod update;
mod users;
mod view;

use axum::extract::FromRequestParts;
use domain::group::GroupName;
use domain::permission::Permission;
use http::request::Parts;
use utoipa::OpenApi;

use crate::error::ApiError;
use crate::path;
use crate::router::{Method, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::write(Method::Post, "/v1/groups", Permission::GroupsWrite, create::handle),
        Route::list("/v1/groups", Permission::GroupsRead, list::handle),
        Route::read("/v1/groups/{group}", Permission::GroupsRead, get::handle),
        Route::write(Method::Patch, "/v1/groups/{group}", Permission::GroupsWrite, update::handle),
        Route::write(Method::Delete, "/v1/groups/{group}", Permission::GroupsWrite, delete::handle),
        Route::list("/v1/groups/{group}/users", Permission::GroupsRead, users::handle),
    ]
}

/// What the annotations of these routes say.
#[derive(OpenApi)]
#[openapi(paths(create::handle, list::handle, get::handle, update::handle, delete::handle, users::handle))]
pub(super) struct Documented;

/// The group in the path.
pub(in crate::routes) struct TargetGroup(pub(in crate::routes) GroupName);

impl<S: Sync> FromRequestParts<S> for TargetGroup {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "group").await.map(Self)
    }
}
