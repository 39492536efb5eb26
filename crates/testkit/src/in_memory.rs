//! An in-memory user pool behind the same ports as Cognito.
//!
//! It emulates statuses, challenges, revoked tokens, aliases and second factors, and returns one reason per rejection.
//! It has no lockout, quotas or messages.

mod challenges;
mod deliveries;
mod directory;
mod faults;
mod filter;
mod groups;
mod identities;
mod import_jobs;
mod interruption;
mod invitation_key;
mod paging;
mod password_policy;
mod pool_settings;
mod record;
mod self_service;
mod sessions;
mod sign_in_security;
mod snapshot;
mod state;
#[cfg(test)]
mod testing;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::ClientContext;
use domain::user_pool::user::{Attributes, User, UserStatus};
use time::OffsetDateTime;

pub use challenges::{AUTHENTICATOR_SECRET, FACTOR_CODE};
pub use directory::InMemoryDirectory;
pub use import_jobs::JobBehavior;
pub use invitation_key::InMemoryInvitationKey;
pub use pool_settings::{CLIENT_ID, POOL_ID, POOL_NAME};
pub use self_service::{CODE, EXPIRED_CODE, RESET_CODE};
pub use sessions::{CURSOR_KEY, InMemorySessions};
pub use snapshot::{GroupSnapshot, Snapshot, UserSnapshot};

use record::Record;
use state::{State, Switch};

/// A user pool with one app client. Codes are constants. The clock advances by one second with every write. Clones
/// share the state.
#[derive(Debug, Clone, Default)]
pub struct InMemoryPool {
    state: Arc<Mutex<State>>,
}

impl InMemoryPool {
    /// An empty pool without groups and users, in which sign-ups require confirmation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The ports of administrators.
    #[must_use]
    pub fn directory(&self) -> InMemoryDirectory {
        InMemoryDirectory::of(self.clone())
    }

    /// The ports of sign-up, sign-in and self-service.
    #[must_use]
    pub fn sessions(&self) -> InMemorySessions {
        InMemorySessions::of(self.clone())
    }

    /// Adds a group.
    pub fn add_group(&self, group: &str) {
        self.state().add_group(group);
    }

    /// Adds a confirmed user with these groups and attributes, without checking rules. Creates missing groups.
    pub fn add_user(&self, username: &str, password: &str, groups: &[&str], attributes: &[(&str, &str)]) {
        self.state().add_user(username, password, groups, attributes);
    }

    /// Sets the status of a user without checking rules.
    pub fn set_status(&self, username: &str, status: UserStatus) {
        self.state().change(username, |user| user.status = status);
    }

    /// Disables a user.
    pub fn disable(&self, username: &str) {
        self.state().change(username, |user| user.enabled = false);
    }

    /// Signs a user out everywhere.
    pub fn sign_out(&self, username: &str) {
        self.state().sign_out(username);
    }

    /// Removes a user from a group.
    pub fn remove_from_group(&self, username: &str, group: &str) {
        self.state().change(username, |user| {
            user.groups.remove(group);
        });
    }

    /// Deletes a user as Cognito does for the owner of a token.
    pub fn delete_user(&self, username: &str) {
        let mut state = self.state();
        state.users.remove(username);
        state.sign_out(username);
        state.drop_challenges(username);
    }

    /// Sets attributes of a user without checking rules, except that an alias of another user is not changed.
    pub fn set_attributes(&self, username: &str, attributes: &[(&str, &str)]) {
        let mut state = self.state();
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if !state.alias_is_taken(&attributes, username) {
            state.change(username, |record| record.attributes.extend(attributes));
        }
    }

    /// Deletes a user without checking rules.
    pub fn remove_user(&self, username: &str) {
        self.state().users.remove(username);
    }

    /// Sets whether a sign-up confirms its user, as a pre-sign-up trigger can. Disabled in a new pool.
    pub fn auto_confirm(&self, on: bool) {
        self.state().switch(Switch::AutoConfirm, on);
    }

    /// Makes user names and aliases case-insensitive, as in the pools that the bootstrap creates. A new pool is
    /// case-sensitive.
    pub fn ignore_case(&self) {
        self.state().switch(Switch::IgnoreCase, true);
    }

    /// Rejects all sign-ups from now on, as a pre-sign-up trigger can.
    pub fn refuse_sign_ups(&self) {
        self.state().switch(Switch::RefuseSignUps, true);
    }

    /// Makes an attribute required in the challenge `NEW_PASSWORD_REQUIRED`.
    pub fn require_attribute(&self, name: &str) {
        self.state().required_attributes.insert(name.to_owned());
    }

    /// Adds an access and a refresh token of one sign-in with these values to a user.
    pub fn give_tokens(&self, username: &str, access_token: &str, refresh_token: &str) {
        self.state().give_tokens(username, access_token, refresh_token);
    }

    /// Sets the clock, which starts in 1970 and advances by a second with every write.
    pub fn set_clock(&self, now: OffsetDateTime) {
        self.state().set_clock(now);
    }

    /// Makes the `nth` call (from 1, counted from now) of an operation fail without an effect. Operations have the
    /// names of the ports' methods, such as `create` or `sign_in`.
    pub fn fail(&self, operation: &'static str, nth: usize, reason: Reason) {
        self.state().faults.plan(operation, nth, reason);
    }

    /// The operations called so far, in order, failed ones included.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.state().faults.calls()
    }

    /// The user with this name, alias or `sub`.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<User> {
        self.state().find(name).map(Record::user)
    }

    /// The user's groups, empty for an unknown user.
    #[must_use]
    pub fn groups_of(&self, name: &str) -> Vec<String> {
        self.state().find(name).map(|record| record.groups.iter().cloned().collect()).unwrap_or_default()
    }

    /// The user's attributes without `sub`, empty for an unknown user.
    #[must_use]
    pub fn attributes_of(&self, name: &str) -> Attributes {
        self.state().find(name).map(|record| record.attributes.clone()).unwrap_or_default()
    }

    /// Whether this is the user's password.
    #[must_use]
    pub fn has_password(&self, name: &str, password: &str) -> bool {
        self.state().find(name).is_some_and(|record| record.password.as_deref() == Some(password))
    }

    /// Whether a welcome message was sent to the user.
    #[must_use]
    pub fn was_invited(&self, name: &str) -> bool {
        self.state().find(name).is_some_and(|record| record.invitations > 0)
    }

    /// Whether the pool accepts this access or refresh token.
    #[must_use]
    pub fn takes_token(&self, token: &str) -> bool {
        self.state().tokens.contains_key(token)
    }

    /// The session of a token, its `origin_jti`.
    #[must_use]
    pub fn session_of(&self, token: &str) -> Option<String> {
        self.state().session(&Secret::new(token))
    }

    /// Users, groups, tokens and passwords as text. If two texts are equal, no call changed the pool in between.
    #[must_use]
    pub fn contents(&self) -> String {
        let state = self.state();
        format!("{:?} {:?} {:?}", state.users, state.groups, state.tokens)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // If the lock is poisoned, another test thread has already failed, and its failure is reported.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the call and returns the state, or the planned fault.
    fn call(&self, operation: &'static str) -> Result<MutexGuard<'_, State>, UserPoolError> {
        let interrupted = self.interrupt();
        let mut state = self.state();
        match state.faults.count(operation).or(interrupted) {
            Some(reason) => Err(UserPoolError::new(operation, reason)),
            None => Ok(state),
        }
    }

    /// Counts a call with a client context and returns the state, or the planned fault.
    fn call_from(
        &self,
        context: &ClientContext,
        operation: &'static str,
    ) -> Result<MutexGuard<'_, State>, UserPoolError> {
        self.state().last_context = Some(context.clone());
        self.call(operation)
    }
}

#[cfg(test)]
mod tests {
    use domain::secret::Secret;
    use domain::user_pool::directory::{AttributeChanges, Directory, NewUser, WelcomeMessage};
    use domain::user_pool::sessions::Sessions;

    use super::testing::{name, pool, sign_in, tokens};
    use super::*;

    #[tokio::test]
    async fn only_verified_email_is_an_alias() {
        let pool = InMemoryPool::new();
        pool.add_user("mia", "Correct-1", &[], &[("email", "mia@example.com")]);
        let alias = name("mia@example.com");
        assert_eq!(pool.directory().get(&alias).await.unwrap_err().reason, Reason::UserNotFound);
        let verified = Attributes::from([("email_verified".to_owned(), "true".to_owned())]);
        let changes = AttributeChanges { set: verified, remove: vec![] };
        pool.directory().change_attributes(&name("mia"), &changes).await.unwrap();
        assert_eq!(pool.directory().get(&alias).await.unwrap().username, name("mia"));
    }

    #[tokio::test]
    async fn names_are_case_insensitive_only_if_the_pool_is() {
        let pool = pool();
        let directory = pool.directory();
        let mia = [name("Mia"), name("MIA@example.com")];
        for name in &mia {
            assert_eq!(directory.get(name).await.unwrap_err().reason, Reason::UserNotFound);
        }
        pool.ignore_case();
        for name in &mia {
            assert_eq!(directory.get(name).await.unwrap().username.as_str(), "mia");
        }
        let again = NewUser {
            username: name("Mia"),
            attributes: Attributes::new(),
            temporary_password: None,
            welcome_message: WelcomeMessage::Suppress,
        };
        assert_eq!(directory.create(&again).await.unwrap_err().reason, Reason::UserExists);
    }

    #[tokio::test]
    async fn passwords_and_confirmation_change_the_status() {
        let pool = pool();
        let directory = pool.directory();
        let password = Secret::new("Correct-2");
        directory.set_password(&name("mia"), &password, false).await.unwrap();
        assert_eq!(pool.user("mia").unwrap().status, UserStatus::ForceChangePassword);
        assert_eq!(directory.confirm(&name("mia")).await.unwrap_err().reason, Reason::WrongState);
        directory.set_password(&name("mia"), &password, true).await.unwrap();
        assert_eq!(pool.user("mia").unwrap().status, UserStatus::Confirmed);
    }

    #[tokio::test]
    async fn revoking_ends_one_session_and_sign_out_all() {
        let pool = pool();
        let [first, second] = [tokens(sign_in(&pool).await), tokens(sign_in(&pool).await)];
        let refresh_token = first.refresh_token.unwrap();
        pool.sessions().revoke(&refresh_token).await.unwrap();
        assert!(!pool.takes_token(first.access_token.expose()) && !pool.takes_token(refresh_token.expose()));
        assert!(pool.takes_token(second.access_token.expose()));
        pool.directory().sign_out(&name("mia")).await.unwrap();
        assert!(!pool.takes_token(second.access_token.expose()));
    }

    #[tokio::test]
    async fn contents_change_only_with_a_write() {
        let pool = pool();
        let before = pool.contents();
        pool.directory().get(&name("mia")).await.unwrap();
        pool.directory().confirm(&name("mia")).await.unwrap_err();
        assert_eq!(pool.contents(), before);
        pool.directory().sign_out(&name("mia")).await.unwrap();
        pool.directory().disable(&name("mia")).await.unwrap();
        assert_ne!(pool.contents(), before);
    }

    #[test]
    fn clock_continues_from_the_set_time() {
        let pool = pool();
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        pool.set_clock(now);
        pool.add_user("abe", "Correct-1", &[], &[]);
        assert_eq!(pool.user("abe").unwrap().created_at, now + time::Duration::SECOND);
    }

    #[test]
    fn handles_implement_the_ports_of_the_api() {
        fn is_pool(_: &impl domain::user_pool::UserPool) {}
        fn serves_people(
            _: &(impl Sessions + domain::user_pool::self_service::SelfService + domain::user_pool::cursor_key::CursorKey),
        ) {
        }
        is_pool(&pool().directory());
        serves_people(&pool().sessions());
    }
}
