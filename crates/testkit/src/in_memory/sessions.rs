//! [`Sessions`] on the in-memory pool.

use async_trait::async_trait;
use domain::secret::Secret;
use domain::user_pool::cursor_key::CursorKey;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::{
    ChallengeAnswer, ClientContext, Credentials, Registered, Registration, Sessions, SignIn, Tokens,
};
use domain::user_pool::user::{UserStatus, Username};
use domain::user_pool::write_attributes::WriteAttributes;

use super::state::Switch;
use super::tokens::TokenKind;
use super::{InMemoryPool, password_policy};

/// The key that seals cursors.
pub const CURSOR_KEY: &str = "the cursor key of the pool in memory";

/// The ports of sign-up, sign-in and self-service on an [`InMemoryPool`].
#[derive(Debug, Clone)]
pub struct InMemorySessions {
    pool: InMemoryPool,
}

impl InMemorySessions {
    pub(super) fn of(pool: InMemoryPool) -> Self {
        Self { pool }
    }

    pub(super) fn pool(&self) -> &InMemoryPool {
        &self.pool
    }
}

impl InMemoryPool {
    /// The client context of the last call with one.
    #[must_use]
    pub fn last_context(&self) -> Option<ClientContext> {
        self.state().last_context.clone()
    }

    /// Removes the secret of the app client.
    pub fn without_client_secret(&self) {
        self.state().switch(Switch::NoClientSecret, true);
    }

    /// Sets the write attributes of the app client. In a new pool, users can set any attribute.
    pub fn limit_write_attributes(&self, names: &[&str]) {
        self.state().write_attributes = Some(names.iter().map(|name| (*name).to_owned()).collect());
    }

    /// Makes a refresh return a new refresh token and revoke the old one.
    pub fn rotate_refresh_tokens(&self) {
        self.state().switch(Switch::RotateRefreshTokens, true);
    }
}

#[async_trait]
impl Sessions for InMemorySessions {
    async fn write_attributes(&self) -> Result<WriteAttributes, UserPoolError> {
        let state = self.pool.call("write_attributes")?;
        Ok(state.write_attributes.clone().map_or(WriteAttributes::Standard, WriteAttributes::Listed))
    }

    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError> {
        let mut state = self.pool.call_from(&registration.context, "sign_up")?;
        let refuse = |reason| Err(UserPoolError::new("sign_up", reason));
        if state.is(Switch::RefuseSignUps) || !state.may_write(&registration.attributes) {
            return refuse(Reason::SignUpRefused);
        }
        if state.name_is_taken(registration.username.as_str()) {
            return refuse(Reason::UserExists);
        }
        if !password_policy::accepts(&registration.password) {
            return refuse(Reason::InvalidPassword);
        }
        let confirmed = state.is(Switch::AutoConfirm);
        let status = if confirmed { UserStatus::Confirmed } else { UserStatus::Unconfirmed };
        let record = state.insert(&registration.username, status, registration.attributes.clone());
        record.password = Some(registration.password.expose().to_owned());
        let contact = record.contact().filter(|_| !confirmed);
        let code_sent_to = contact.and_then(|attribute| record.delivery_to(attribute));
        Ok(Registered { sub: record.sub.clone(), confirmed, code_sent_to })
    }

    async fn sign_in(&self, credentials: &Credentials) -> Result<SignIn, UserPoolError> {
        let mut state = self.pool.call_from(&credentials.context, "sign_in")?;
        let refuse = |reason| Err(UserPoolError::new("sign_in", reason));
        let Some(record) = state.find(credentials.username.as_str()).cloned() else {
            return refuse(Reason::InvalidCredentials);
        };
        if !record.enabled || record.password.as_deref() != Some(credentials.password.expose()) {
            return refuse(Reason::InvalidCredentials);
        }
        match record.status {
            UserStatus::Confirmed => Ok(state.second_step(&record)),
            UserStatus::ForceChangePassword => Ok(state.first_step(&record)),
            UserStatus::Unconfirmed => refuse(Reason::UserNotConfirmed),
            UserStatus::ResetRequired => refuse(Reason::PasswordResetRequired),
            UserStatus::ExternalProvider | UserStatus::Unknown | UserStatus::Other(_) => {
                refuse(Reason::InvalidCredentials)
            }
        }
    }

    async fn answer_challenge(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError> {
        let mut state = self.pool.call_from(&answer.context, "answer_challenge")?;
        state.answer(answer).map_err(|reason| UserPoolError::new("answer_challenge", reason))
    }

    async fn refresh(
        &self,
        username: &Username,
        refresh_token: &Secret,
        context: &ClientContext,
    ) -> Result<Tokens, UserPoolError> {
        let mut state = self.pool.call_from(context, "refresh")?;
        let refuse = || UserPoolError::new("refresh", Reason::InvalidCredentials);
        let token = state.tokens.get(refresh_token.expose()).cloned().ok_or_else(refuse)?;
        // The secret hash of an alias is rejected, so the name must be the user name.
        if token.kind != TokenKind::Refresh || token.username != username.as_str() {
            return Err(refuse());
        }
        let record = state.users.get(&token.username).filter(|record| record.enabled).cloned().ok_or_else(refuse)?;
        let tokens = state.issue_access(&record, &token.origin);
        if !state.is(Switch::RotateRefreshTokens) {
            return Ok(tokens);
        }
        state.tokens.remove(refresh_token.expose());
        let refresh_token = state.register(&record, TokenKind::Refresh, &token.origin);
        Ok(Tokens { refresh_token: Some(refresh_token), ..tokens })
    }

    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("revoke")?;
        if let Some(token) = state.tokens.get(refresh_token.expose()).cloned() {
            if token.kind != TokenKind::Refresh {
                return Err(UserPoolError::new("revoke", Reason::InvalidRequest));
            }
            state.tokens.retain(|_, other| other.origin != token.origin);
        }
        Ok(())
    }

    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        let mut state = self.pool.call("sign_out_everywhere")?;
        let username = state.owner("sign_out_everywhere", access_token)?.username.clone();
        state.sign_out(username.as_str());
        Ok(())
    }
}

#[async_trait]
impl CursorKey for InMemorySessions {
    async fn cursor_key(&self) -> Result<Secret, UserPoolError> {
        self.pool.call("cursor_key").map(|_| Secret::new(CURSOR_KEY))
    }

    async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError> {
        let state = self.pool.call("creation_key")?;
        Ok((!state.is(Switch::NoClientSecret)).then(|| Secret::new("the creation key of the pool in memory")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PASSWORD, name, pool, reason_of, sign_in, tokens};
    use super::*;

    #[tokio::test]
    async fn refresh_revokes_the_old_token_only_with_rotation() {
        let pool = pool();
        let sessions = pool.sessions();
        let first = tokens(sign_in(&pool).await).refresh_token.unwrap();
        let nowhere = ClientContext::default();
        assert!(sessions.refresh(&name("mia"), &first, &nowhere).await.unwrap().refresh_token.is_none());
        pool.rotate_refresh_tokens();
        let refreshed = sessions.refresh(&name("mia"), &first, &nowhere).await.unwrap();
        let second = refreshed.refresh_token.unwrap();
        assert_eq!(reason_of(sessions.refresh(&name("mia"), &first, &nowhere).await), Reason::InvalidCredentials);
        sessions.revoke(&second).await.unwrap();
        assert!(!pool.takes_token(refreshed.access_token.expose()));
    }

    #[tokio::test]
    async fn records_the_context_of_rejected_calls_as_well() {
        let pool = pool();
        assert_eq!(pool.last_context(), None);
        let context = ClientContext { ip_address: Some("192.0.2.7".to_owned()), ..ClientContext::default() };
        let password = Secret::new("Wrong-1x");
        let credentials = Credentials { username: name("mia"), password, context: context.clone() };
        assert_eq!(reason_of(pool.sessions().sign_in(&credentials).await), Reason::InvalidCredentials);
        assert_eq!(pool.last_context(), Some(context));
    }

    #[tokio::test]
    async fn sign_up_sends_a_code_unless_it_needs_none() {
        let pool = pool();
        let register = async |username: &str| {
            let registration = Registration {
                username: name(username),
                password: Secret::new(PASSWORD),
                attributes: [("email".to_owned(), "abe@example.org".to_owned())].into(),
                validation_data: [].into(),
                client_metadata: [].into(),
                context: ClientContext::default(),
            };
            pool.sessions().sign_up(&registration).await.unwrap()
        };
        let waiting = register("abe").await;
        let sent_to = waiting.code_sent_to.unwrap();
        assert_eq!((waiting.confirmed, &*sent_to.destination), (false, "a***@e***"));
        assert_eq!(sent_to.attribute.as_deref(), Some("email"));
        pool.auto_confirm(true);
        let confirmed = register("abel").await;
        assert_eq!((confirmed.confirmed, confirmed.code_sent_to), (true, None));
    }

    #[tokio::test]
    async fn sign_up_sets_only_write_attributes() {
        let pool = pool();
        let register = async |username: &str, attribute: &str| {
            let registration = Registration {
                username: name(username),
                password: Secret::new(PASSWORD),
                attributes: [(attribute.to_owned(), "x".to_owned())].into(),
                validation_data: [].into(),
                client_metadata: [].into(),
                context: ClientContext::default(),
            };
            pool.sessions().sign_up(&registration).await
        };
        register("abe", "custom:role").await.unwrap();
        pool.limit_write_attributes(&["name"]);
        assert_eq!(reason_of(register("abel", "custom:role").await), Reason::SignUpRefused);
        register("abel", "name").await.unwrap();
    }

    #[tokio::test]
    async fn cursor_key_is_constant_and_can_fail() {
        let pool = pool();
        assert_eq!(pool.sessions().cursor_key().await.unwrap().expose(), CURSOR_KEY);
        pool.fail("cursor_key", 1, Reason::Unavailable);
        assert_eq!(reason_of(pool.sessions().cursor_key().await), Reason::Unavailable);
    }
}
