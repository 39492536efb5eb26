//! Users of the pool, as an administrator handles them.

mod confirm;
mod create;
mod delete;
mod get;
mod list;
mod password;
mod sign_out;
mod update;

use axum::extract::{FromRequestParts, Path};
use domain::user::{Attributes, LifeCycle, NotAUsername, User, UserStatus, Username};
use http::request::Parts;
use serde::Serialize;
use time::OffsetDateTime;

use crate::error::ApiError;
use crate::permission::Permission;
use crate::router::{Method, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::write(Method::Post, "/v1/users", Permission::UsersCreate, create::handle),
        Route::read("/v1/users", Permission::UsersRead, list::handle),
        Route::read("/v1/users/{username}", Permission::UsersRead, get::handle),
        Route::write(Method::Patch, "/v1/users/{username}", Permission::UsersUpdate, update::handle),
        Route::write(Method::Delete, "/v1/users/{username}", Permission::UsersDelete, delete::handle),
        Route::write(Method::Put, "/v1/users/{username}/password", Permission::UsersPassword, password::handle),
        Route::write(Method::Post, "/v1/users/{username}/confirm", Permission::UsersState, confirm::handle),
        Route::write(Method::Post, "/v1/users/{username}/sign-out", Permission::UsersSessions, sign_out::handle),
    ]
}

/// A user in an answer.
#[derive(Debug, Serialize)]
struct UserView {
    username: Username,
    sub: Option<String>,
    status: UserStatus,
    enabled: bool,
    life_cycle: LifeCycle,
    /// All but `sub`, which stands for itself.
    attributes: Attributes,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let life_cycle = user.life_cycle();
        let User { username, status, enabled, mut attributes, created_at, modified_at } = user;
        let sub = attributes.remove("sub");
        Self { username, sub, status, enabled, life_cycle, attributes, created_at, modified_at }
    }
}

/// The user in the path: by name, alias or `sub`.
struct Target(Username);

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let refuse = || ApiError::invalid("username", format!("Expected that {NotAUsername}."));
        let Path(name) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| refuse())?;
        name.try_into().map(Self).map_err(|_: NotAUsername| refuse())
    }
}
