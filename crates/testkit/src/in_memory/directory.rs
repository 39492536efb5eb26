//! [`Directory`] on the pool in memory.

use async_trait::async_trait;
use domain::directory::{AttributeChanges, Directory, Invitation, NewUser, Page, PageRequest};
use domain::secret::Secret;
use domain::user::{User, UserStatus, Username};
use domain::user_pool_error::{Reason, UserPoolError};

use super::{InMemoryPool, password_policy};

/// The users of an [`InMemoryPool`].
#[derive(Debug, Clone)]
pub struct InMemoryDirectory {
    pool: InMemoryPool,
}

impl InMemoryDirectory {
    pub(super) fn of(pool: InMemoryPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Directory for InMemoryDirectory {
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError> {
        let mut state = self.pool.call("create")?;
        let refuse = |reason| Err(UserPoolError::new("create", reason));
        if state.users.contains_key(user.username.as_str()) {
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
        record.invited = user.invitation == Invitation::Send;
        Ok(record.user())
    }

    async fn get(&self, username: &Username) -> Result<User, UserPoolError> {
        let state = self.pool.call("get")?;
        let found = state.find(username.as_str()).map(super::state::Record::user);
        found.ok_or_else(|| UserPoolError::new("get", Reason::UserNotFound))
    }

    async fn list(&self, page: &PageRequest) -> Result<Page, UserPoolError> {
        let state = self.pool.call("list")?;
        let after = page.after.as_deref().unwrap_or_default();
        if page.after.is_some() && !state.users.contains_key(after) {
            return Err(UserPoolError::new("list", Reason::InvalidRequest));
        }
        let mut rest = state.users.iter().filter(|(name, _)| name.as_str() > after).map(|(_, record)| record.user());
        let users: Vec<User> = rest.by_ref().take(page.limit.into()).collect();
        let next = rest.next().and(users.last()).map(|last| last.username.as_str().to_owned());
        Ok(Page { users, next })
    }

    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError> {
        let state = self.pool.call("with_email_prefix")?;
        let has_it = |user: &User| user.attributes.get("email").is_some_and(|address| address.starts_with(prefix));
        Ok(state.users.values().map(super::state::Record::user).filter(has_it).collect())
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
        state.users.remove(&real_name);
        state.sign_out(&real_name);
        Ok(())
    }

    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("set_password")?;
        let record = state.find_mut("set_password", username)?;
        if !password_policy::accepts(password) {
            return Err(UserPoolError::new("set_password", Reason::InvalidPassword));
        }
        record.password = Some(password.expose().to_owned());
        record.status = if permanent { UserStatus::Confirmed } else { UserStatus::ForceChangePassword };
        Ok(())
    }

    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("confirm")?;
        let record = state.find_mut("confirm", username)?;
        if record.status != UserStatus::Unconfirmed {
            return Err(UserPoolError::new("confirm", Reason::WrongState));
        }
        record.status = UserStatus::Confirmed;
        Ok(())
    }

    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("sign_out")?;
        let real_name = state.find_mut("sign_out", username)?.username.as_str().to_owned();
        state.sign_out(&real_name);
        Ok(())
    }

    async fn groups(&self, username: &Username) -> Result<Vec<String>, UserPoolError> {
        let state = self.pool.call("groups")?;
        let found = state.find(username.as_str()).map(|record| record.groups.iter().cloned().collect());
        found.ok_or_else(|| UserPoolError::new("groups", Reason::UserNotFound))
    }

    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("add_to_group")?;
        let group_exists = state.groups.contains(group);
        let record = state.find_mut("add_to_group", username)?;
        if !group_exists {
            return Err(UserPoolError::new("add_to_group", Reason::GroupNotFound));
        }
        record.groups.insert(group.to_owned());
        Ok(())
    }
}
