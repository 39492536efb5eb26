//! The actors: each has an address, an account at an external provider, a password and what they learned from answers.

use std::fmt;

/// An actor. Every one of them may be hostile: the rules hold against each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Person {
    /// The administrator: has every permission.
    Ada,
    /// Has the permissions of `team1`.
    Hal,
    /// Has the permissions of `team2`.
    Ivy,
    /// Has no account at the start. Knows the password of `vera`.
    Mallory,
    /// Is in `club`, which gives nothing.
    Nina,
    /// Is in `bucket`, which carries an IAM role.
    Otto,
    /// Is in `team2`, and has a second factor.
    Vera,
}

impl Person {
    pub(super) const ALL: [Self; 7] =
        [Self::Ada, Self::Hal, Self::Ivy, Self::Mallory, Self::Nina, Self::Otto, Self::Vera];

    /// The name, which is the user name of the account at the start.
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

    /// The address whose messages the person reads.
    pub(super) fn email(self) -> String {
        format!("{}@example.com", self.name())
    }

    /// The person's id at the external provider.
    pub(super) fn identity(self) -> String {
        format!("google-id-of-{}", self.name())
    }

    /// The password that the person sets wherever they can.
    pub(super) fn password(self) -> String {
        format!("Password-of-{}-1", self.name())
    }

    /// The group of the account at the start.
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

impl fmt::Display for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a person learned from answers.
#[derive(Debug, Default)]
pub(super) struct Wallet {
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

impl Wallet {
    /// The token with this number, counted from the latest.
    pub(super) fn token(&self, number: u8) -> Option<&Token> {
        let count = self.tokens.len();
        self.tokens.get(count.checked_sub(1 + usize::from(number) % count.max(1))?)
    }

    pub(super) fn learn(&mut self, token: Token) {
        self.tokens.push(token);
        // Enough to keep some that the pool no longer accepts.
        if self.tokens.len() > 4 {
            self.tokens.remove(0);
        }
    }
}
