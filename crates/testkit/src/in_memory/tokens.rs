//! Issuing and revoking tokens of the in-memory pool.

use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::Tokens;

use super::record::Record;
use super::state::State;

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) username: String,
    pub(super) kind: TokenKind,
    /// The session of the token. Revoking a refresh token revokes all tokens of its session.
    pub(super) origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Refresh,
}

impl State {
    /// Issues the tokens of a sign-in.
    pub(super) fn issue(&mut self, record: &Record) -> Tokens {
        let origin = format!("origin-{}", self.tick());
        let refresh_token = self.register(record, TokenKind::Refresh, &origin);
        Tokens { refresh_token: Some(refresh_token), ..self.issue_access(record, &origin) }
    }

    /// Issues an access and an ID token without a new refresh token.
    pub(super) fn issue_access(&mut self, record: &Record, origin: &str) -> Tokens {
        Tokens {
            access_token: self.register(record, TokenKind::Access, origin),
            id_token: Secret::new(format!("id-token-{}", self.tick())),
            refresh_token: None,
            expires_in_seconds: 3600,
            username: record.username.clone(),
        }
    }

    pub(super) fn register(&mut self, record: &Record, kind: TokenKind, origin: &str) -> Secret {
        let prefix = match kind {
            TokenKind::Access => "access-token",
            TokenKind::Refresh => "refresh-token",
        };
        let text = format!("{prefix}-{}", self.tick());
        let token = Token { username: record.username.as_str().to_owned(), kind, origin: origin.to_owned() };
        self.tokens.insert(text.clone(), token);
        Secret::new(text)
    }

    pub(super) fn give_tokens(&mut self, username: &str, access_token: &str, refresh_token: &str) {
        let origin = format!("origin-{}", self.tick());
        for (text, kind) in [(access_token, TokenKind::Access), (refresh_token, TokenKind::Refresh)] {
            let token = Token { username: username.to_owned(), kind, origin: origin.clone() };
            self.tokens.insert(text.to_owned(), token);
        }
    }

    /// The owner of an access token.
    pub(super) fn owner(&self, operation: &'static str, access_token: &Secret) -> Result<&Record, UserPoolError> {
        let token = self.tokens.get(access_token.expose()).filter(|token| token.kind == TokenKind::Access);
        let owner = token.and_then(|token| self.users.get(&token.username)).filter(|record| record.enabled);
        owner.ok_or_else(|| UserPoolError::new(operation, Reason::InvalidCredentials))
    }

    /// The session of a token.
    pub(super) fn session(&self, token: &Secret) -> Option<String> {
        self.tokens.get(token.expose()).map(|token| token.origin.clone())
    }

    /// Deletes a user with their tokens and open challenges.
    pub(super) fn delete(&mut self, username: &str) {
        self.users.remove(username);
        self.sign_out(username);
        self.drop_challenges(username);
    }

    /// Revokes every token of a user.
    pub(super) fn sign_out(&mut self, username: &str) {
        self.tokens.retain(|_, token| token.username != username);
    }
}
