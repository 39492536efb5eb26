//! A user in an answer.

use domain::user::{Attributes, Circumstances, LifeCycle, User, UserStatus, Username};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(in crate::routes) struct UserView {
    /// The real user name, never an alias.
    username: Username,
    /// The id that is never used again.
    sub: Option<String>,
    status: UserStatus,
    /// Whether an administrator lets the user sign in at all.
    enabled: bool,
    life_cycle: LifeCycle,
    /// All but `sub`, which stands for itself.
    attributes: Attributes,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl UserView {
    fn of(user: User, circumstances: &Circumstances) -> Self {
        let life_cycle = user.life_cycle(circumstances);
        let User { username, status, enabled, mut attributes, created_at, modified_at } = user;
        let sub = attributes.remove("sub");
        Self { username, sub, status, enabled, life_cycle, attributes, created_at, modified_at }
    }
}

impl App {
    /// How a user is shown.
    pub(in crate::routes) async fn view(&self, user: User) -> UserView {
        let circumstances = self.circumstances([&user]).await;
        UserView::of(user, &circumstances)
    }

    /// How users are shown.
    pub(in crate::routes) async fn views(&self, users: Vec<User>) -> Vec<UserView> {
        let circumstances = self.circumstances(&users).await;
        users.into_iter().map(|user| UserView::of(user, &circumstances)).collect()
    }

    /// How long temporary passwords live is looked up only where there is one.
    async fn circumstances(&self, users: impl IntoIterator<Item = &User>) -> Circumstances {
        let is_invited = |user: &User| user.status == UserStatus::ForceChangePassword;
        let temporary_password_validity_days =
            if users.into_iter().any(is_invited) { self.temporary_password_validity_days().await } else { None };
        Circumstances { now: self.now(), temporary_password_validity_days }
    }
}
