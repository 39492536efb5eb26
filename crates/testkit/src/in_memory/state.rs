//! The state of the in-memory pool, and finding users in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::GroupName;
use domain::user_pool::sessions::ClientContext;
use domain::user_pool::user::{Attributes, UserStatus, Username};
use time::{Duration, OffsetDateTime};

use super::challenges::OpenChallenge;
use super::faults::Faults;
use super::groups::GroupRecord;
use super::import_jobs::Jobs;
use super::interruption::Interruption;
use super::record::{Record, aliases};
use super::tokens::Token;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<String, Record>,
    pub(super) groups: BTreeMap<String, GroupRecord>,
    /// Valid access and refresh tokens.
    pub(super) tokens: BTreeMap<String, Token>,
    /// Open challenges by session.
    pub(super) challenges: BTreeMap<String, OpenChallenge>,
    pub(super) switches: BTreeSet<Switch>,
    pub(super) required_attributes: BTreeSet<String>,
    /// The attributes that users can set through the app client; any if the client has no list.
    pub(super) write_attributes: Option<BTreeSet<String>>,
    pub(super) jobs: Jobs,
    pub(super) faults: Faults,
    pub(super) interruption: Option<Interruption>,
    /// The maximum page size.
    pub(super) page_cap: Option<usize>,
    /// An unsupported challenge that every sign-in returns.
    pub(super) asks_for: Option<String>,
    pub(super) temporary_password_validity_days: Option<u32>,
    pub(super) last_context: Option<ClientContext>,
    /// Counts writes, for the clock and for unique tokens, sessions and `sub`s.
    ticks: i64,
    /// The start of the clock.
    epoch: Option<OffsetDateTime>,
}

/// Settings that differ from a new pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Switch {
    /// A sign-up confirms its user.
    AutoConfirm,
    /// Names are case-insensitive.
    IgnoreCase,
    /// Sign-ups are rejected.
    RefuseSignUps,
    /// Sign-ins require a second factor.
    RequireMfa,
    /// Authenticator apps are disabled.
    NoTotp,
    /// A refresh returns a new refresh token.
    RotateRefreshTokens,
    /// Responses reveal whether a user exists.
    TellWhoExists,
    /// The app client has no secret.
    NoClientSecret,
    /// Threat protection is off.
    NoAuthEvents,
    /// The pool has the attribute for creation proofs.
    CreationAttribute,
    /// Users sign in with their e-mail address, and have generated names.
    SignInByEmail,
}

impl State {
    pub(super) fn is(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    pub(super) fn switch(&mut self, switch: Switch, on: bool) {
        if on {
            self.switches.insert(switch);
        } else {
            self.switches.remove(&switch);
        }
    }

    pub(super) fn tick(&mut self) -> i64 {
        self.ticks += 1;
        self.ticks
    }

    /// The time of the next write.
    pub(super) fn next_time(&mut self) -> OffsetDateTime {
        let ticks = self.tick();
        self.epoch.unwrap_or(OffsetDateTime::UNIX_EPOCH) + Duration::seconds(ticks)
    }

    pub(super) fn set_clock(&mut self, now: OffsetDateTime) {
        self.epoch = Some(now - Duration::seconds(self.ticks));
    }

    pub(super) fn find(&self, name: &str) -> Option<&Record> {
        let ignores_case = self.is(Switch::IgnoreCase);
        // As a user name, also an address that is not verified.
        let has_address = |record: &Record| {
            self.is(Switch::SignInByEmail) && record.attributes.get("email").is_some_and(|address| address == name)
        };
        let goes_by = |record: &&Record| record.goes_by(name, ignores_case) || has_address(record);
        self.users.get(name).or_else(|| self.users.values().find(goes_by))
    }

    /// Whether a user has this user name.
    pub(super) fn name_is_taken(&self, name: &str) -> bool {
        if self.is(Switch::SignInByEmail) {
            return self.find(name).is_some();
        }
        let is_same =
            |taken: &String| taken == name || (self.is(Switch::IgnoreCase) && taken.eq_ignore_ascii_case(name));
        self.users.keys().any(is_same)
    }

    /// The user, for reading.
    pub(super) fn known(&self, operation: &'static str, name: &Username) -> Result<&Record, UserPoolError> {
        self.find(name.as_str()).ok_or_else(|| UserPoolError::new(operation, Reason::UserNotFound))
    }

    /// The user to change. Sets `modified_at`.
    pub(super) fn find_mut(&mut self, operation: &'static str, name: &Username) -> Result<&mut Record, UserPoolError> {
        let real_name = self.known(operation, name)?.username.as_str().to_owned();
        let now = self.next_time();
        let record = self.users.get_mut(&real_name);
        let record = record.ok_or_else(|| UserPoolError::new(operation, Reason::UserNotFound))?;
        record.modified_at = now;
        Ok(record)
    }

    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.users.get_mut(name) {
            change(record);
        }
    }

    /// Whether users can set all these attributes through the app client.
    pub(super) fn may_write(&self, attributes: &Attributes) -> bool {
        let Some(allowed) = &self.write_attributes else { return true };
        attributes.keys().all(|name| allowed.contains(name))
    }

    /// Whether one of these attributes would be an alias that another user holds.
    pub(super) fn alias_is_taken(&self, attributes: &Attributes, by_others_than: &str) -> bool {
        let others = || self.users.values().filter(|record| record.username.as_str() != by_others_than);
        let ignores_case = self.is(Switch::IgnoreCase);
        aliases(attributes).any(|alias| others().any(|record| record.goes_by(alias, ignores_case)))
    }

    /// Adds a user. Users who sign in with their address receive a generated name.
    pub(super) fn insert(
        &mut self,
        username: &Username,
        status: UserStatus,
        mut attributes: Attributes,
    ) -> &mut Record {
        let now = self.next_time();
        let sub = format!("00000000-0000-4000-8000-{:012}", self.ticks);
        let generated = sub.parse().ok().filter(|_| self.is(Switch::SignInByEmail));
        if generated.is_some() {
            attributes.insert("email".to_owned(), username.to_string());
        }
        let username = generated.unwrap_or_else(|| username.clone());
        let record = Record::new(&username, sub, status, attributes, now);
        self.users.entry(username.as_str().to_owned()).insert_entry(record).into_mut()
    }

    pub(super) fn add_user(&mut self, username: &str, password: &str, groups: &[&str], attributes: &[(&str, &str)]) {
        let Ok(username) = username.parse::<Username>() else { return };
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let record = self.insert(&username, UserStatus::Confirmed, attributes);
        record.password = Some(password.to_owned());
        record.groups = groups.iter().map(|group| (*group).to_owned()).collect();
        // Groups are added after the user, so that they do not change the `sub` of the first user, which events
        // contain.
        for group in groups {
            self.add_group(group);
        }
    }

    /// Creates a group if it does not exist. Ignores an invalid name.
    pub(super) fn add_group(&mut self, group: &str) {
        let Ok(name) = group.parse::<GroupName>() else { return };
        if !self.groups.contains_key(group) {
            let now = self.next_time();
            self.groups.insert(group.to_owned(), GroupRecord::new(name, now));
        }
    }
}
