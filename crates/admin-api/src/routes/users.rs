//! Administration of users.

pub(crate) mod auth_events;
pub(crate) mod confirm;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod devices;
pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod get;
pub(crate) mod groups;
pub(crate) mod identities;
pub(crate) mod list;
pub(crate) mod mfa;
pub(crate) mod password;
pub(crate) mod resend_invitation;
pub(crate) mod reset_password;
pub(crate) mod sign_out;
pub(crate) mod update;

use domain::user_pool::user::Username;
use serde::Serialize;
use utoipa::ToSchema;

/// The user, and whether this request changed the user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"username": "mia", "changed": true}))]
pub(crate) struct UserChanged {
    /// The user name, never an alias.
    username: Username,
    /// Whether this request changed the user.
    changed: bool,
}
