//! [`Directory`] on the in-memory pool.

use async_trait::async_trait;
use domain::secret::Secret;
use domain::user_pool::directory::{AttributeChanges, Directory, Filter, NewUser, WelcomeMessage};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::Membership;
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::user::{Attributes, User, UserStatus, Username};

use super::record::Record;
use super::state::Switch;
use super::{InMemoryPool, filter, paging, password_policy};

/// The maximum number of users that a search by e-mail address returns.
const MOST_FOUND: usize = 60;

/// All ports of [`domain::user_pool::UserPool`] on an [`InMemoryPool`].
#[derive(Debug, Clone)]
pub struct InMemoryDirectory {
    pool: InMemoryPool,
}

impl InMemoryDirectory {
    pub(super) fn of(pool: InMemoryPool) -> Self {
        Self { pool }
    }

    pub(super) fn pool(&self) -> &InMemoryPool {
        &self.pool
    }
}

impl InMemoryPool {
    /// Limits the page size of all lists. Excluded entries count toward the limit, so pages can be short or empty
    /// although there is a next page.
    pub fn list_in_pages_of(&self, entries: usize) {
        self.state().page_cap = Some(entries.max(1));
    }

    /// The number of welcome messages that were sent to the user.
    #[must_use]
    pub fn welcome_messages_of(&self, name: &str) -> usize {
        self.state().find(name).map_or(0, |record| record.invitations)
    }
}

#[async_trait]
impl Directory for InMemoryDirectory {
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError> {
        let mut state = self.pool.call("create")?;
        let refuse = |reason| Err(UserPoolError::new("create", reason));
        if state.is(Switch::SignInByEmail) && !user.username.as_str().contains('@') {
            return refuse(Reason::InvalidRequest);
        }
        if state.name_is_taken(user.username.as_str()) {
            return refuse(Reason::UserExists);
        }
        if state.alias_is_taken(&user.attributes, user.username.as_str()) {
            return refuse(Reason::AliasExists);
        }
        if user.temporary_password.as_ref().is_some_and(|password| !password_policy::accepts(password)) {
            return refuse(Reason::InvalidPassword);
        }
        let record = state.insert(&user.username, UserStatus::ForceChangePassword, user.attributes.clone());
        record.password = user.temporary_password.as_ref().map(|password| password.expose().to_owned());
        record.invitations = usize::from(user.welcome_message == WelcomeMessage::Send);
        Ok(record.user())
    }

    async fn get(&self, username: &Username) -> Result<User, UserPoolError> {
        Ok(self.pool.call("get")?.known("get", username)?.user())
    }

    async fn list(&self, filter: Option<&Filter>, page: &PageRequest) -> Result<Page<User>, UserPoolError> {
        let mut state = self.pool.call("list")?;
        let unlisted = state.begin_list();
        let shown = |record: &Record| {
            let is_listed = !unlisted.contains(record.username.as_str());
            (is_listed && filter.is_none_or(|filter| filter::meets(filter, record))).then(|| record.user())
        };
        let page = paging::by_name(&state.users, page, state.page_cap, shown);
        page.map_err(|reason| UserPoolError::new("list", reason))
    }

    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError> {
        let state = self.pool.call("with_email_prefix")?;
        let has_it =
            |record: &&Record| record.attributes.get("email").is_some_and(|address| address.starts_with(prefix));
        Ok(state.users.values().filter(has_it).take(MOST_FOUND).map(Record::user).collect())
    }

    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("change_attributes")?;
        let record = state.find_mut("change_attributes", username)?;
        let mut attributes = record.attributes.clone();
        attributes.extend(changes.set.clone());
        attributes.retain(|name, _| !changes.remove.contains(name));
        let real_name = record.username.as_str().to_owned();
        if state.alias_is_taken(&attributes, &real_name) {
            return Err(UserPoolError::new("change_attributes", Reason::AliasExists));
        }
        state.change(&real_name, |record| record.attributes = attributes);
        Ok(())
    }

    async fn delete(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("delete")?;
        let real_name = state.find_mut("delete", username)?.username.as_str().to_owned();
        state.delete(&real_name);
        Ok(())
    }

    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("set_password")?;
        state.known("set_password", username)?;
        if !password_policy::accepts(password) {
            return Err(UserPoolError::new("set_password", Reason::InvalidPassword));
        }
        let record = state.find_mut("set_password", username)?;
        record.password = Some(password.expose().to_owned());
        record.status = if permanent { UserStatus::Confirmed } else { UserStatus::ForceChangePassword };
        record.reset_is_open = false;
        let real_name = record.username.as_str().to_owned();
        state.drop_challenges(&real_name);
        Ok(())
    }

    async fn reset_password(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("reset_password")?;
        if !state.known("reset_password", username)?.can_reset_password() {
            return Err(UserPoolError::new("reset_password", Reason::WrongState));
        }
        let record = state.find_mut("reset_password", username)?;
        record.status = UserStatus::ResetRequired;
        record.reset_is_open = true;
        Ok(())
    }

    async fn resend_invitation(&self, username: &Username, _: &Attributes) -> Result<User, UserPoolError> {
        let mut state = self.pool.call("resend_invitation")?;
        if state.known("resend_invitation", username)?.status != UserStatus::ForceChangePassword {
            return Err(UserPoolError::new("resend_invitation", Reason::WrongState));
        }
        let record = state.find_mut("resend_invitation", username)?;
        // Only the message contains the new temporary password.
        record.password = None;
        record.invitations += 1;
        Ok(record.user())
    }

    async fn enable(&self, username: &Username) -> Result<(), UserPoolError> {
        self.pool.call("enable")?.find_mut("enable", username)?.enabled = true;
        Ok(())
    }

    async fn disable(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("disable")?;
        let record = state.find_mut("disable", username)?;
        record.enabled = false;
        let real_name = record.username.as_str().to_owned();
        state.sign_out(&real_name);
        Ok(())
    }

    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("confirm")?;
        if state.known("confirm", username)?.status != UserStatus::Unconfirmed {
            return Err(UserPoolError::new("confirm", Reason::WrongState));
        }
        state.find_mut("confirm", username)?.status = UserStatus::Confirmed;
        Ok(())
    }

    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("sign_out")?;
        let real_name = state.find_mut("sign_out", username)?.username.as_str().to_owned();
        state.sign_out(&real_name);
        Ok(())
    }

    async fn groups(&self, username: &Username) -> Result<Vec<Membership>, UserPoolError> {
        let state = self.pool.call("groups")?;
        let groups = state.known("groups", username)?.groups.iter();
        let role_arn = |group: &String| state.groups.get(group).and_then(|record| record.role_arn.clone());
        Ok(groups.map(|group| Membership { group: group.clone(), role_arn: role_arn(group) }).collect())
    }

    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("add_to_group")?;
        state.known("add_to_group", username)?;
        if !state.groups.contains_key(group) {
            return Err(UserPoolError::new("add_to_group", Reason::GroupNotFound));
        }
        state.find_mut("add_to_group", username)?.groups.insert(group.to_owned());
        Ok(())
    }

    async fn remove_from_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("remove_from_group")?;
        state.known("remove_from_group", username)?;
        if !state.groups.contains_key(group) {
            return Err(UserPoolError::new("remove_from_group", Reason::GroupNotFound));
        }
        state.find_mut("remove_from_group", username)?.groups.remove(group);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::directory::{Comparison, FilterBy};
    use domain::user_pool::sessions::{ChallengeResponse, ClientContext, Sessions};

    use super::super::testing::{PASSWORD, challenge, enter, name, pool, reason_of, respond, sign_in, tokens, walk};
    use super::*;

    #[tokio::test]
    async fn small_pages_contain_every_matching_user() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[]);
        pool.add_user("zoe", PASSWORD, &[], &[("email", "mia-zoe@example.com")]);
        pool.list_in_pages_of(1);
        let filter = Filter { by: FilterBy::Email, comparison: Comparison::BeginsWith, value: "mia".to_owned() };
        let directory = pool.directory();
        let pages = walk(60, async |page| directory.list(Some(&filter), &page).await).await;
        let names: Vec<Vec<String>> =
            pages.iter().map(|page| page.iter().map(|user| user.username.to_string()).collect()).collect();
        assert_eq!(names, [vec![], vec!["mia"], vec!["zoe"]]);
    }

    #[tokio::test]
    async fn new_password_and_deletion_end_open_challenges() {
        for deletes in [false, true] {
            let pool = pool();
            pool.set_status("mia", UserStatus::ForceChangePassword);
            let open = challenge(sign_in(&pool).await);
            if deletes {
                pool.directory().delete(&name("mia")).await.unwrap();
                pool.add_user("mia", PASSWORD, &[], &[]);
            } else {
                pool.directory().set_password(&name("mia"), &Secret::new("Correct-3"), false).await.unwrap();
            }
            let response = ChallengeResponse::NewPassword {
                new_password: Secret::new("Correct-2"),
                attributes: Attributes::new(),
            };
            assert_eq!(reason_of(respond(&pool, &open, response).await), Reason::InvalidCredentials);
        }
    }

    #[tokio::test]
    async fn reset_needs_verified_contact_and_allowed_status() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[("email", "abe@example.com")]);
        let directory = pool.directory();
        assert_eq!(reason_of(directory.reset_password(&name("abe")).await), Reason::WrongState);
        for _ in 0..2 {
            directory.reset_password(&name("mia")).await.unwrap();
            assert_eq!(pool.user("mia").unwrap().status, UserStatus::ResetRequired);
        }
        assert_eq!(reason_of(enter(&pool, "mia", PASSWORD).await), Reason::PasswordResetRequired);
        assert_eq!(reason_of(enter(&pool, "mia", "Correct-2").await), Reason::InvalidCredentials);
        pool.set_status("mia", UserStatus::ForceChangePassword);
        assert_eq!(reason_of(directory.reset_password(&name("mia")).await), Reason::WrongState);
    }

    #[tokio::test]
    async fn resent_invitation_has_a_new_password() {
        let pool = pool();
        let directory = pool.directory();
        assert_eq!(reason_of(directory.resend_invitation(&name("mia"), &Attributes::new()).await), Reason::WrongState);
        let invited = NewUser {
            username: name("abe"),
            attributes: domain::user_pool::user::Attributes::new(),
            temporary_password: Some(Secret::new(PASSWORD)),
            welcome_message: WelcomeMessage::Send,
        };
        let before = directory.create(&invited).await.unwrap();
        let after = directory.resend_invitation(&name("abe"), &Attributes::new()).await.unwrap();
        assert!(after.modified_at > before.modified_at);
        assert_eq!(pool.welcome_messages_of("abe"), 2);
        assert!(pool.was_invited("abe") && !pool.has_password("abe", PASSWORD));
    }

    #[tokio::test]
    async fn disabled_user_has_no_tokens_and_cannot_sign_in() {
        let pool = pool();
        let directory = pool.directory();
        let before = tokens(sign_in(&pool).await);
        for _ in 0..2 {
            directory.disable(&name("mia")).await.unwrap();
        }
        assert!(!pool.takes_token(before.access_token.expose()));
        let refresh_token = before.refresh_token.unwrap();
        let refreshed = pool.sessions().refresh(&name("mia"), &refresh_token, &ClientContext::default()).await;
        assert_eq!(reason_of(refreshed), Reason::InvalidCredentials);
        assert_eq!(reason_of(enter(&pool, "mia", PASSWORD).await), Reason::InvalidCredentials);
        for _ in 0..2 {
            directory.enable(&name("mia")).await.unwrap();
        }
        tokens(sign_in(&pool).await);
    }

    #[tokio::test]
    async fn removal_from_group_is_repeatable_but_needs_known_names() {
        let pool = pool();
        let directory = pool.directory();
        for _ in 0..2 {
            directory.remove_from_group(&name("mia"), "readers").await.unwrap();
            assert!(pool.groups_of("mia").is_empty());
        }
        assert_eq!(reason_of(directory.remove_from_group(&name("mia"), "none").await), Reason::GroupNotFound);
        assert_eq!(reason_of(directory.remove_from_group(&name("abe"), "readers").await), Reason::UserNotFound);
    }

    #[tokio::test]
    async fn planned_faults_use_the_names_of_methods() {
        let pool = pool();
        pool.fail("enable", 1, Reason::Throttled);
        assert_eq!(reason_of(pool.directory().enable(&name("mia")).await), Reason::Throttled);
        assert_eq!(pool.calls(), ["enable"]);
    }
}
