//! The actors. Each has an e-mail address, an identity at an external provider, a password, and tokens from responses.

use std::fmt;

/// An actor. The rules must hold even if any of them is hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actor {
    /// The administrator: has every permission.
    Ada,
    /// Has the permissions of `team1`.
    Hal,
    /// Has the permissions of `team2`.
    Ivy,
    /// Has no account initially. Knows the password of `vera`.
    Mallory,
    /// Is in `club`, which usually has no permissions.
    Nina,
    /// Is in `bucket`, which has an IAM role.
    Otto,
    /// Is in `team2`, and has a second factor.
    Vera,
}

impl Actor {
    pub(super) const ALL: [Self; 7] =
        [Self::Ada, Self::Hal, Self::Ivy, Self::Mallory, Self::Nina, Self::Otto, Self::Vera];

    /// The name, which is the user name of the initial account.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ada => "ada",
            Self::Hal => "hal",
            Self::Ivy => "ivy",
            Self::Mallory => "mallory",
            Self::Nina => "nina",
            Self::Otto => "otto",
            Self::Vera => "vera",
        }
    }

    /// The e-mail address of the actor.
    pub(super) fn email(self) -> String {
        format!("{}@example.com", self.name())
    }

    /// The actor's user id at the external provider.
    pub(super) fn identity(self) -> String {
        format!("google-id-of-{}", self.name())
    }

    /// The password that the actor sets in every request.
    pub(super) fn password(self) -> String {
        format!("Password-of-{}-1", self.name())
    }

    /// The group of the initial account.
    pub(super) fn group(self) -> Option<&'static str> {
        match self {
            Self::Ada => Some("admins"),
            Self::Hal => Some("team1"),
            Self::Ivy | Self::Vera => Some("team2"),
            Self::Mallory => None,
            Self::Nina => Some("club"),
            Self::Otto => Some("bucket"),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The tokens and sessions that an actor received in responses.
#[derive(Debug, Default)]
pub(super) struct TokenStore {
    pub(super) tokens: Vec<Token>,
    pub(super) sessions: Vec<Session>,
}

/// The tokens of one sign-in, with the claims of the access token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) username: String,
    pub(super) sub: String,
    pub(super) groups: Vec<String>,
}

/// An open challenge.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) challenge: String,
    pub(super) token: String,
    pub(super) username: String,
    pub(super) factors: Vec<String>,
}

impl TokenStore {
    /// The token with this number; 0 is the latest.
    pub(super) fn token(&self, number: u8) -> Option<&Token> {
        let count = self.tokens.len();
        self.tokens.get(count.checked_sub(1 + usize::from(number) % count.max(1))?)
    }

    pub(super) fn add(&mut self, token: Token) {
        self.tokens.push(token);
        // Keeps some tokens that the pool no longer accepts.
        if self.tokens.len() > 4 {
            self.tokens.remove(0);
        }
    }
}
