//! What the pool in memory holds, and finding users in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::user::{Attributes, User, UserStatus, Username};
use domain::user_pool_error::{Reason, UserPoolError};
use time::{Duration, OffsetDateTime};

use super::faults::Faults;

/// Attributes under which a user can be found once they are verified; `preferred_username` needs no verification.
const ALIASES: [(&str, Option<&str>); 3] =
    [("email", Some("email_verified")), ("phone_number", Some("phone_number_verified")), ("preferred_username", None)];

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<String, Record>,
    pub(super) groups: BTreeSet<String>,
    /// Living access and refresh tokens.
    pub(super) tokens: BTreeMap<String, Token>,
    /// Open challenges: session to real user name.
    pub(super) challenges: BTreeMap<String, String>,
    pub(super) auto_confirm: bool,
    pub(super) refuse_sign_ups: bool,
    pub(super) required_attributes: BTreeSet<String>,
    pub(super) faults: Faults,
    /// Counts writes: it is the clock, and what makes tokens, sessions and `sub` unique.
    ticks: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) username: Username,
    pub(super) sub: String,
    pub(super) status: UserStatus,
    pub(super) enabled: bool,
    pub(super) attributes: Attributes,
    pub(super) password: Option<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) invited: bool,
    created_at: OffsetDateTime,
    modified_at: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) username: String,
    pub(super) kind: TokenKind,
    /// Tokens of one sign-in share it: revoking a refresh token kills those that came from it.
    pub(super) origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Refresh,
}

impl Record {
    pub(super) fn user(&self) -> User {
        let mut attributes = self.attributes.clone();
        attributes.insert("sub".to_owned(), self.sub.clone());
        User {
            username: self.username.clone(),
            status: self.status.clone(),
            enabled: self.enabled,
            attributes,
            created_at: self.created_at,
            modified_at: self.modified_at,
        }
    }

    fn goes_by(&self, name: &str) -> bool {
        self.username.as_str() == name || self.sub == name || self.aliases().any(|alias| alias == name)
    }

    fn aliases(&self) -> impl Iterator<Item = &str> {
        aliases(&self.attributes)
    }
}

/// The aliases that these attributes make.
fn aliases(attributes: &Attributes) -> impl Iterator<Item = &str> {
    ALIASES.iter().filter_map(|(name, verified)| {
        let counts =
            verified.is_none_or(|verified| attributes.get(verified).is_some_and(|value| value.as_str() == "true"));
        attributes.get(*name).filter(|_| counts).map(String::as_str)
    })
}

impl State {
    pub(super) fn tick(&mut self) -> i64 {
        self.ticks += 1;
        self.ticks
    }

    pub(super) fn find(&self, name: &str) -> Option<&Record> {
        self.users.get(name).or_else(|| self.users.values().find(|record| record.goes_by(name)))
    }

    /// The user to be changed. The change counts as made: it moves `modified_at`.
    pub(super) fn find_mut(&mut self, operation: &'static str, name: &Username) -> Result<&mut Record, UserPoolError> {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::seconds(self.tick());
        let not_found = || UserPoolError::new(operation, Reason::UserNotFound);
        let real_name = self.find(name.as_str()).ok_or_else(not_found)?.username.as_str().to_owned();
        let record = self.users.get_mut(&real_name).ok_or_else(not_found)?;
        record.modified_at = now;
        Ok(record)
    }

    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.users.get_mut(name) {
            change(record);
        }
    }

    /// Whether one of these attributes would be an alias that another user holds.
    pub(super) fn alias_is_taken(&self, attributes: &Attributes, by_others_than: &str) -> bool {
        let others = || self.users.values().filter(|record| record.username.as_str() != by_others_than);
        aliases(attributes).any(|alias| others().any(|record| record.goes_by(alias)))
    }

    pub(super) fn insert(&mut self, username: &Username, status: UserStatus, attributes: Attributes) -> &mut Record {
        let tick = self.tick();
        let now = OffsetDateTime::UNIX_EPOCH + Duration::seconds(tick);
        let record = Record {
            username: username.clone(),
            sub: format!("00000000-0000-4000-8000-{tick:012}"),
            status,
            enabled: true,
            attributes,
            password: None,
            groups: BTreeSet::new(),
            invited: false,
            created_at: now,
            modified_at: now,
        };
        self.users.entry(username.as_str().to_owned()).insert_entry(record).into_mut()
    }

    pub(super) fn add_user(&mut self, username: &str, password: &str, groups: &[&str], attributes: &[(&str, &str)]) {
        let Ok(username) = username.parse::<Username>() else { return };
        self.groups.extend(groups.iter().map(|group| (*group).to_owned()));
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let record = self.insert(&username, UserStatus::Confirmed, attributes);
        record.password = Some(password.to_owned());
        record.groups = groups.iter().map(|group| (*group).to_owned()).collect();
    }

    pub(super) fn give_tokens(&mut self, username: &str, access_token: &str, refresh_token: &str) {
        let origin = format!("origin-{}", self.tick());
        for (text, kind) in [(access_token, TokenKind::Access), (refresh_token, TokenKind::Refresh)] {
            let token = Token { username: username.to_owned(), kind, origin: origin.clone() };
            self.tokens.insert(text.to_owned(), token);
        }
    }

    /// Kills every token of a user.
    pub(super) fn sign_out(&mut self, username: &str) {
        self.tokens.retain(|_, token| token.username != username);
    }
}
