//! Invitations to sign up. Nothing is kept of them: the trigger knows one by its signature.

mod create;

use domain::permission::Permission;
use utoipa::OpenApi;

use crate::router::{Method, Route};

pub(super) fn route() -> Route {
    Route::write(Method::Post, "/v1/invitations", Permission::InvitationsCreate, create::handle)
}

/// What the annotation of this route says.
#[derive(OpenApi)]
#[openapi(paths(create::handle))]
pub(super) struct Documented;
