//! Handles a repeated request: checks that an earlier request created the user, and makes the remaining calls.

use domain::permission::Permission;
use domain::secret::Secret;
use domain::user_pool::creation_name::is_named;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{GroupName, Membership};
use domain::user_pool::user::{User, UserStatus, has_value};

use super::plan::{NewPassword, Plan, Rest};
use super::proof::Creation;
use super::{CREATE_USER, READ_GROUPS, add_to_group, complete};
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;

/// A request whose user exists.
pub(super) struct Resume<'a> {
    pub(super) app: &'a App,
    pub(super) authorized: &'a Authorized,
    pub(super) audit: &'a Audit,
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a Progress,
}

impl Resume<'_> {
    /// Completes an earlier request. `taken` is Cognito's error for the repeated creation.
    pub(super) async fn run(
        &self,
        creation: &Creation<'_>,
        key: Option<&Secret>,
        taken: UserPoolError,
    ) -> Result<User, ApiError> {
        let Self { app, authorized, plan, progress, .. } = self;
        let user = match app.pool.get(&plan.new_user.username).await {
            Ok(user) => user,
            // Another user has an alias of the new user, or the user was deleted in the meantime.
            Err(error) if error.reason == Reason::UserNotFound => return Err(taken.into()),
            Err(error) => return Err(error.into()),
        };
        self.audit.on_found(&user);
        // The proof contains the `sub` of the creator, and no account creates itself. So the user is never the caller.
        let is_own = match key {
            Some(key) => creation.created(key, &user, app.now())?,
            None => false,
        };
        let differing = plan.differing(&user, is_own);
        if !differing.is_empty() {
            return Err(self.conflict(differing));
        }

        app.ensure_unambiguous(&plan.new_user.username, &user).await?;
        progress.mark_completed(CREATE_USER);
        // From here on, calls use the `sub`, so they cannot change a later account with the same user name.
        let has = progress.read(READ_GROUPS, app.pool.groups(&user.id())).await?;
        let is_in = |group: &&GroupName| Membership::names(&has).any(|name| name == group.as_str());
        let (present, groups): (Vec<_>, Vec<_>) = plan.groups.iter().partition(is_in);
        for group in present {
            progress.mark_completed(add_to_group(group));
        }
        let is_complete = user.status == UserStatus::Confirmed && groups.is_empty();
        // Another administrator may have set a password in the meantime. A request with a password sets its own
        // password again before it adds groups.
        let password = match (&plan.permanent_password, &plan.new_user.temporary_password) {
            (Some(value), _) if !is_complete => Some(NewPassword { value, permanent: true }),
            (None, Some(value)) if !groups.is_empty() => Some(NewPassword { value, permanent: false }),
            _ => None,
        };
        if password.is_some() {
            authorized.require(Permission::UsersPassword)?;
        }
        if password.is_some() || !groups.is_empty() {
            authorized.ensure_no_escalation_in(&app.trust.roles, &has)?;
        }
        // Setting a password does not end a session that was started with another password.
        let ends_sessions = !groups.is_empty();
        complete(app, user, Rest { password, ends_sessions, groups }, progress).await
    }

    /// Lists the differences only for callers with `users:read`, because other callers could confirm guesses of
    /// attributes.
    fn conflict(&self, differing: Vec<String>) -> ApiError {
        if self.authorized.grants.allows(Permission::UsersRead) {
            ApiError::UserDiffers(differing)
        } else {
            UserPoolError::new("AdminCreateUser", Reason::UserExists).into()
        }
    }
}

impl Plan {
    /// The names of the fields in which the user differs from the request.
    fn differing(&self, user: &User, is_own: bool) -> Vec<String> {
        if !is_named(user, &self.new_user.username) {
            // The name belongs to another user, whose attributes a comparison would disclose.
            return vec!["username".to_owned()];
        }
        let differs = |(name, value): &(&String, &String)| !has_value(name, user.attributes.get(*name), value);
        let attributes = self.new_user.attributes.iter().filter(differs).map(|(name, _)| format!("attributes.{name}"));
        let has_expected_status = match user.status {
            UserStatus::ForceChangePassword => true,
            UserStatus::Confirmed => self.permanent_password.is_some(),
            _ => false,
        };
        let others = [(has_expected_status, "status"), (user.enabled, "enabled"), (is_own, "creation")];
        let others = others.into_iter().filter(|(is_same, _)| !is_same).map(|(_, name)| name.to_owned());
        attributes.chain(others).collect()
    }
}

#[cfg(test)]
mod tests;
