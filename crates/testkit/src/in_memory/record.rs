//! A user of the in-memory pool.

use std::collections::{BTreeMap, BTreeSet};

use domain::user_pool::sign_in_security::{AuthEvent, Device, Mfa};
use domain::user_pool::user::{Attributes, User, UserStatus, Username};
use time::OffsetDateTime;

/// The alias attributes. All but `preferred_username` must be verified.
const ALIASES: [(&str, Option<&str>); 3] =
    [("email", Some("email_verified")), ("phone_number", Some("phone_number_verified")), ("preferred_username", None)];

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a user")]
pub(super) struct Record {
    pub(super) username: Username,
    pub(super) sub: String,
    pub(super) status: UserStatus,
    pub(super) enabled: bool,
    pub(super) attributes: Attributes,
    pub(super) password: Option<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) invitations: usize,
    /// Whether a password reset code was sent.
    pub(super) reset_is_open: bool,
    pub(super) mfa: Mfa,
    /// Whether the user has an authenticator app, enabled or not.
    pub(super) has_authenticator: bool,
    /// Whether the secret of a new authenticator app was returned but not verified yet.
    pub(super) totp_is_pending: bool,
    pub(super) devices: BTreeMap<String, Device>,
    /// The events, oldest first.
    pub(super) auth_events: Vec<AuthEvent>,
    pub(super) created_at: OffsetDateTime,
    pub(super) modified_at: OffsetDateTime,
}

impl Record {
    pub(super) fn new(
        username: &Username,
        sub: String,
        status: UserStatus,
        attributes: Attributes,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            username: username.clone(),
            sub,
            status,
            enabled: true,
            attributes,
            password: None,
            groups: BTreeSet::new(),
            invitations: 0,
            reset_is_open: false,
            mfa: Mfa::default(),
            has_authenticator: false,
            totp_is_pending: false,
            devices: BTreeMap::new(),
            auth_events: vec![],
            created_at: now,
            modified_at: now,
        }
    }

    pub(super) fn user(&self) -> User {
        User {
            username: self.username.clone(),
            status: self.status.clone(),
            enabled: self.enabled,
            attributes: self.all_attributes(),
            created_at: self.created_at,
            modified_at: self.modified_at,
        }
    }

    /// The attributes with `sub`.
    pub(super) fn all_attributes(&self) -> Attributes {
        let mut attributes = self.attributes.clone();
        attributes.insert("sub".to_owned(), self.sub.clone());
        attributes
    }

    pub(super) fn has(&self, attribute: &str) -> bool {
        self.attributes.contains_key(attribute)
    }

    /// Whether a password reset code can be sent.
    pub(super) fn can_reset_password(&self) -> bool {
        let status_allows = matches!(self.status, UserStatus::Confirmed | UserStatus::ResetRequired);
        status_allows && self.verified_contact().is_some()
    }

    pub(super) fn goes_by(&self, name: &str, ignores_case: bool) -> bool {
        let is = |text: &str| text == name || (ignores_case && text.eq_ignore_ascii_case(name));
        is(self.username.as_str()) || self.sub == name || aliases(&self.attributes).any(is)
    }
}

/// The aliases in these attributes.
pub(super) fn aliases(attributes: &Attributes) -> impl Iterator<Item = &str> {
    ALIASES.iter().filter_map(|(name, verified)| {
        let counts =
            verified.is_none_or(|verified| attributes.get(verified).is_some_and(|value| value.as_str() == "true"));
        attributes.get(*name).filter(|_| counts).map(String::as_str)
    })
}
