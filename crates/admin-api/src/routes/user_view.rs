//! A user in responses.

use domain::permission::Permission;
use domain::user_pool::user::{
    Attributes, CREATION_ATTRIBUTE, LifeCycle, LifeCycleContext, User, UserStatus, Username,
};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::authz::access::Authorized;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User, example = Self::example)]
pub(in crate::routes) struct UserView {
    /// The user name, never an alias.
    username: Username,
    /// The immutable id, which is never reused.
    #[schema(required = true)]
    sub: Option<String>,
    status: UserStatus,
    /// Whether the user is enabled. Disabled users cannot sign in.
    enabled: bool,
    life_cycle: LifeCycle,
    /// The attributes except `sub`. Empty if the caller lacks the permission `users:read`.
    #[schema(value_type = BTreeMap<String, String>)]
    attributes: Attributes,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl UserView {
    /// Includes the attributes only if the caller has `users:read`.
    fn of(user: User, caller: &Authorized, circumstances: &LifeCycleContext) -> Self {
        let life_cycle = user.life_cycle(circumstances);
        let User { username, status, enabled, mut attributes, created_at, modified_at } = user;
        let sub = attributes.remove("sub");
        attributes.remove(CREATION_ATTRIBUTE);
        if !caller.grants.allows(Permission::UsersRead) {
            attributes.clear();
        }
        Self { username, sub, status, enabled, life_cycle, attributes, created_at, modified_at }
    }

    /// Example for the OpenAPI document.
    pub(in crate::routes) fn example() -> Value {
        json!({
            "username": "mia",
            "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7",
            "status": "CONFIRMED",
            "enabled": true,
            "life_cycle": {
                "state": "active", "can_sign_in": true, "temporary_password_expires_at": null, "next_actions": []
            },
            "attributes": {"email": "mia@example.com", "email_verified": "true", "name": "Mia"},
            "created_at": "2026-01-07T09:30:00.123Z",
            "modified_at": "2026-01-08T14:05:31.456Z",
        })
    }

    /// The example user before the first sign-in.
    pub(in crate::routes) fn example_of_an_invited_user() -> Value {
        json!({
            "username": "mia",
            "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7",
            "status": "FORCE_CHANGE_PASSWORD",
            "enabled": true,
            "life_cycle": {
                "state": "invited",
                "can_sign_in": true,
                "temporary_password_expires_at": "2026-01-14T09:30:00.123Z",
                "next_actions": ["answer-challenge", "password", "resend-invitation"],
            },
            "attributes": {"email": "mia@example.com"},
            "created_at": "2026-01-07T09:30:00.123Z",
            "modified_at": "2026-01-07T09:30:00.123Z",
        })
    }
}

impl App {
    pub(in crate::routes) async fn view(&self, user: User, caller: &Authorized) -> UserView {
        let circumstances = self.circumstances([&user]).await;
        UserView::of(user, caller, &circumstances)
    }

    pub(in crate::routes) async fn views(&self, users: Vec<User>, caller: &Authorized) -> Vec<UserView> {
        let circumstances = self.circumstances(&users).await;
        users.into_iter().map(|user| UserView::of(user, caller, &circumstances)).collect()
    }

    /// Reads the validity of temporary passwords only if a user has one.
    async fn circumstances(&self, users: impl IntoIterator<Item = &User>) -> LifeCycleContext {
        let is_invited = |user: &User| user.status == UserStatus::ForceChangePassword;
        let temporary_password_validity_days =
            if users.into_iter().any(is_invited) { self.temporary_password_validity_days().await } else { None };
        LifeCycleContext { now: self.now(), temporary_password_validity_days }
    }
}
