//! [`Sessions`] on the pool in memory.

use async_trait::async_trait;
use domain::secret::Secret;
use domain::sessions::{Challenge, NewPassword, Registered, Registration, Sessions, SignIn, Tokens};
use domain::user::{Attributes, UserStatus, Username};
use domain::user_pool_error::{Reason, UserPoolError};

use super::state::{Record, State, Token, TokenKind};
use super::{InMemoryPool, password_policy};

/// Sign-up and sign-in at an [`InMemoryPool`].
#[derive(Debug, Clone)]
pub struct InMemorySessions {
    pool: InMemoryPool,
}

impl InMemorySessions {
    pub(super) fn of(pool: InMemoryPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Sessions for InMemorySessions {
    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError> {
        let mut state = self.pool.call("sign_up")?;
        let refuse = |reason| Err(UserPoolError::new("sign_up", reason));
        if state.refuse_sign_ups {
            return refuse(Reason::SignUpRefused);
        }
        if state.users.contains_key(registration.username.as_str()) {
            return refuse(Reason::UserExists);
        }
        if !password_policy::accepts(&registration.password) {
            return refuse(Reason::InvalidPassword);
        }
        let confirmed = state.auto_confirm;
        let status = if confirmed { UserStatus::Confirmed } else { UserStatus::Unconfirmed };
        let record = state.insert(&registration.username, status, registration.attributes.clone());
        record.password = Some(registration.password.expose().to_owned());
        let code_sent_to = record.attributes.contains_key("email").then(|| "m***@e***".to_owned());
        Ok(Registered { sub: record.sub.clone(), confirmed, code_sent_to: code_sent_to.filter(|_| !confirmed) })
    }

    async fn sign_in(&self, username: &Username, password: &Secret) -> Result<SignIn, UserPoolError> {
        let mut state = self.pool.call("sign_in")?;
        let refuse = |reason| Err(UserPoolError::new("sign_in", reason));
        let Some(record) = state.find(username.as_str()).cloned() else { return refuse(Reason::InvalidCredentials) };
        if !record.enabled || record.password.as_deref() != Some(password.expose()) {
            return refuse(Reason::InvalidCredentials);
        }
        match record.status {
            UserStatus::Confirmed => Ok(SignIn::Tokens(issue(&mut state, &record))),
            UserStatus::ForceChangePassword => Ok(SignIn::Challenge(challenge(&mut state, &record))),
            UserStatus::Unconfirmed => refuse(Reason::UserNotConfirmed),
            UserStatus::ResetRequired => refuse(Reason::PasswordResetRequired),
            UserStatus::ExternalProvider | UserStatus::Unknown | UserStatus::Other(_) => {
                refuse(Reason::InvalidCredentials)
            }
        }
    }

    async fn set_new_password(&self, answer: &NewPassword) -> Result<SignIn, UserPoolError> {
        let mut state = self.pool.call("set_new_password")?;
        let refuse = |reason| Err(UserPoolError::new("set_new_password", reason));
        let open = state.challenges.get(answer.session.expose());
        if open.is_none_or(|username| username != answer.username.as_str()) {
            return refuse(Reason::InvalidCredentials);
        }
        if !password_policy::accepts(&answer.new_password) {
            return refuse(Reason::InvalidPassword);
        }
        let Some(mut record) = state.find(answer.username.as_str()).cloned() else {
            return refuse(Reason::InvalidCredentials);
        };
        record.attributes.extend(answer.attributes.clone());
        if !missing_attributes(&state, &record).is_empty() {
            return refuse(Reason::InvalidRequest);
        }
        record.password = Some(answer.new_password.expose().to_owned());
        record.status = UserStatus::Confirmed;
        state.challenges.remove(answer.session.expose());
        state.users.insert(record.username.as_str().to_owned(), record.clone());
        Ok(SignIn::Tokens(issue(&mut state, &record)))
    }

    async fn refresh(&self, username: &Username, refresh_token: &Secret) -> Result<Tokens, UserPoolError> {
        let mut state = self.pool.call("refresh")?;
        let refuse = || UserPoolError::new("refresh", Reason::InvalidCredentials);
        let token = state.tokens.get(refresh_token.expose()).cloned().ok_or_else(refuse)?;
        // The hash of an alias is refused, so the name must be the real one.
        if token.kind != TokenKind::Refresh || token.username != username.as_str() {
            return Err(refuse());
        }
        let record = state.users.get(&token.username).filter(|record| record.enabled).cloned().ok_or_else(refuse)?;
        Ok(issue_access(&mut state, &record, &token.origin))
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
        let token = state.tokens.get(access_token.expose()).filter(|token| token.kind == TokenKind::Access);
        let refuse = || UserPoolError::new("sign_out_everywhere", Reason::InvalidCredentials);
        let username = token.ok_or_else(refuse)?.username.clone();
        state.sign_out(&username);
        Ok(())
    }
}

/// Tokens of a fresh sign-in.
fn issue(state: &mut State, record: &Record) -> Tokens {
    let origin = format!("origin-{}", state.tick());
    let refresh_token = register(state, record, TokenKind::Refresh, &origin);
    Tokens { refresh_token: Some(refresh_token), ..issue_access(state, record, &origin) }
}

/// Access and ID token without a new refresh token.
fn issue_access(state: &mut State, record: &Record, origin: &str) -> Tokens {
    Tokens {
        access_token: register(state, record, TokenKind::Access, origin),
        id_token: Secret::new(format!("id-token-{}", state.tick())),
        refresh_token: None,
        expires_in_seconds: 3600,
        username: record.username.clone(),
    }
}

fn register(state: &mut State, record: &Record, kind: TokenKind, origin: &str) -> Secret {
    let prefix = match kind {
        TokenKind::Access => "access-token",
        TokenKind::Refresh => "refresh-token",
    };
    let text = format!("{prefix}-{}", state.tick());
    let token = Token { username: record.username.as_str().to_owned(), kind, origin: origin.to_owned() };
    state.tokens.insert(text.clone(), token);
    Secret::new(text)
}

fn challenge(state: &mut State, record: &Record) -> Challenge {
    let session = format!("session-{}", state.tick());
    state.challenges.insert(session.clone(), record.username.as_str().to_owned());
    Challenge {
        name: "NEW_PASSWORD_REQUIRED".to_owned(),
        session: Some(Secret::new(session)),
        username: record.username.clone(),
        missing_attributes: missing_attributes(state, record),
        parameters: Attributes::new(),
    }
}

fn missing_attributes(state: &State, record: &Record) -> Vec<String> {
    state.required_attributes.iter().filter(|name| !record.attributes.contains_key(*name)).cloned().collect()
}
