//! A repeat: the user exists. Did the same request create the user, and what is left to do?

use domain::permission::Permission;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{GroupName, Membership};
use domain::user_pool::user::{User, UserStatus};

use super::plan::{NewPassword, Plan, Rest};
use super::proof::Creation;
use super::{CREATE_USER, READ_GROUPS, add_to_group, complete};
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access::Authorized;
use crate::fields::creation_name::is_named;
use crate::http::error::ApiError;

/// A request that finds its user.
pub(super) struct Repeat<'a> {
    pub(super) app: &'a App,
    pub(super) authorized: &'a Authorized,
    pub(super) audit: &'a Audit,
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a Progress,
}

impl Repeat<'_> {
    /// Goes on where an earlier request ended. `taken` is Cognito's answer to the second create.
    pub(super) async fn go_on(
        &self,
        creation: &Creation<'_>,
        key: Option<&Secret>,
        taken: UserPoolError,
    ) -> Result<User, ApiError> {
        let Self { app, authorized, plan, progress, .. } = self;
        let user = match app.pool.get(&plan.new_user.username).await {
            Ok(user) => user,
            // Another user holds an alias of the new one; or the user is deleted by now.
            Err(error) if error.reason == Reason::UserNotFound => return Err(taken.into()),
            Err(error) => return Err(error.into()),
        };
        self.audit.on(&user.username);
        // The proof names the caller by `sub`, so callers are never the user whom they have created.
        let is_own = match key {
            Some(key) => creation.created(key, &user, app.now())?,
            None => false,
        };
        let differing = plan.differing(&user, is_own);
        if !differing.is_empty() {
            return Err(self.conflict(differing));
        }

        app.ensure_unambiguous(&plan.new_user.username, &user).await?;
        progress.found(CREATE_USER);
        // From here on the `sub` names the account: a later one with the same user name is out of reach.
        let has = progress.looking(READ_GROUPS, app.pool.groups(&user.id())).await?;
        let is_in = |group: &&GroupName| Membership::names(&has).any(|name| name == group.as_str());
        let (present, groups): (Vec<_>, Vec<_>) = plan.groups.iter().partition(is_in);
        for group in present {
            progress.found(add_to_group(group));
        }
        let is_complete = user.status == UserStatus::Confirmed && groups.is_empty();
        // No group is added to an account whose password another administrator may have set since, if the request has one.
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
        // Setting a password ends no session: one can exist if another administrator has set a password since.
        let ends_sessions = password.is_some() && !groups.is_empty();
        complete(app, user, Rest { password, ends_sessions, groups }, progress).await
    }

    /// What differs is for callers who can read users: others could guess attributes with it.
    fn conflict(&self, differing: Vec<String>) -> ApiError {
        if self.authorized.grants.allows(Permission::UsersRead) {
            ApiError::UserDiffers(differing)
        } else {
            UserPoolError::new("AdminCreateUser", Reason::UserExists).into()
        }
    }
}

impl Plan {
    /// What the user differs in from the one whom the request describes and has created, by name.
    fn differing(&self, user: &User, is_own: bool) -> Vec<String> {
        if !is_named(user, &self.new_user.username) {
            // Another user, who is not compared.
            return vec!["username".to_owned()];
        }
        let differs = |(name, value): &(&String, &String)| !is_said(name, user.attributes.get(*name), value);
        let attributes = self.new_user.attributes.iter().filter(differs).map(|(name, _)| format!("attributes.{name}"));
        let is_as_far = match user.status {
            UserStatus::ForceChangePassword => true,
            UserStatus::Confirmed => self.permanent_password.is_some(),
            _ => false,
        };
        let others = [(is_as_far, "status"), (user.enabled, "enabled"), (is_own, "creation")];
        let others = others.into_iter().filter(|(is_same, _)| !is_same).map(|(_, name)| name.to_owned());
        attributes.chain(others).collect()
    }
}

/// Whether an attribute says what it was asked to. Cognito does not keep empty ones, and takes `True` for `true`.
fn is_said(name: &str, found: Option<&String>, asked: &str) -> bool {
    let found = found.map_or("", String::as_str);
    found == asked || (name.ends_with("_verified") && found.eq_ignore_ascii_case(asked))
}

#[cfg(test)]
mod tests;
