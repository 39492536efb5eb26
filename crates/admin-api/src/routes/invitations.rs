//! Invitations to sign up. Nothing is kept of them: the trigger knows one by its signature.

mod create;

use utoipa::OpenApi;

use crate::router::{Endpoint, Method};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(Method::Post, "/v1/invitations", create::handle)
}

/// What the annotation of this route says.
#[derive(OpenApi)]
#[openapi(paths(create::handle))]
pub(super) struct Documented;
