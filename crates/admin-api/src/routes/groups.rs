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
use http::request::Parts;
use utoipa::OpenApi;

use crate::error::ApiError;
use crate::path;
use crate::router::{Endpoint, Method};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::Post, "/v1/groups", create::handle),
        Endpoint::new(Method::Get, "/v1/groups", list::handle),
        Endpoint::new(Method::Get, "/v1/groups/{group}", get::handle),
        Endpoint::new(Method::Patch, "/v1/groups/{group}", update::handle),
        Endpoint::new(Method::Delete, "/v1/groups/{group}", delete::handle),
        Endpoint::new(Method::Get, "/v1/groups/{group}/users", users::handle),
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
