//! Users of a pool, as an administrator sees them, and what their status means.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

/// A user name as the pool takes it: the name itself, or, where the pool allows, an alias (e-mail, phone, preferred name).
///
/// 1 to 128 characters, no control characters and no blanks (Cognito's own limits for `Username`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// The text is not a user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a user name has 1 to 128 characters, without blanks and control characters")]
pub struct NotAUsername;

impl Username {
    /// The longest user name in characters.
    pub const MAX_CHARS: usize = 128;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name has the form of a `sub`, a UUID. Users who choose their names can choose such a name too.
    #[must_use]
    pub fn has_form_of_sub(&self) -> bool {
        let lengths = [8, 4, 4, 4, 12];
        let is_hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.0.split('-').map(str::len).eq(lengths) && self.0.split('-').all(is_hexadecimal)
    }
}

impl TryFrom<String> for Username {
    type Error = NotAUsername;

    fn try_from(text: String) -> Result<Self, NotAUsername> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        if fits && clean { Ok(Self(text)) } else { Err(NotAUsername) }
    }
}

impl std::str::FromStr for Username {
    type Err = NotAUsername;

    fn from_str(text: &str) -> Result<Self, NotAUsername> {
        Self::try_from(text.to_owned())
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The reserved attribute that holds the creation proof of an account.
///
/// Only the creator of an account sets it, at creation. The bootstrap adds it to every pool as immutable text, and no app client
/// reads or writes it.
pub const CREATION_ATTRIBUTE: &str = "custom:poolkeeper_created";

/// Attribute names and values, e.g. `email` or `custom:team`. All values are text in Cognito.
pub type Attributes = BTreeMap<String, String>;

/// The status of a user, in Cognito's own words. Whether the user is enabled is a separate matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// Signed up, not confirmed.
    Unconfirmed,
    /// Confirmed: may sign in.
    Confirmed,
    /// Comes from an external identity provider.
    ExternalProvider,
    /// Holds a temporary password, to be changed at the first sign-in.
    ForceChangePassword,
    /// An administrator reset the password.
    ResetRequired,
    /// Cognito does not know.
    Unknown,
    /// A status that this version does not know, as Cognito spells it.
    #[serde(untagged)]
    Other(String),
}

impl UserStatus {
    /// Cognito's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::Unknown => "UNKNOWN",
            Self::Other(word) => word,
        }
    }
}

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The real user name, never an alias.
    pub username: Username,
    /// The status.
    pub status: UserStatus,
    /// Whether an administrator lets the user sign in at all.
    pub enabled: bool,
    /// All attributes, `sub` included.
    pub attributes: Attributes,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user was last changed.
    pub modified_at: OffsetDateTime,
}

/// What an administrator can call to get a user on; the names are those of the admin API's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NextAction {
    /// `POST …/confirm`
    Confirm,
    /// `POST …/enable`
    Enable,
    /// `PUT …/password`
    Password,
    /// `POST …/resend-invitation`
    ResendInvitation,
    /// The user signs in and answers the challenge `NEW_PASSWORD_REQUIRED`.
    AnswerChallenge,
    /// The user sets a new password with the code that was sent (`POST /v1/auth/reset-password`).
    ResetPassword,
}

/// What status and enabled mean together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LifeCycle {
    /// One word for where the user stands.
    pub state: State,
    /// Whether a sign-in gets anywhere (tokens, or a challenge): with the right password or, where the user is federated, through
    /// the provider.
    pub can_sign_in: bool,
    /// When the temporary password ends at the latest; none where there is none, or where nobody knows how long it lives. Cognito does
    /// not tell when it was set: this is counted from the last change of the user.
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub temporary_password_expires_at: Option<OffsetDateTime>,
    /// What would get the user on; empty where nothing is in the way.
    pub next_actions: Vec<NextAction>,
}

/// Where a user stands in life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// May sign in.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// Signed up, waits for confirmation.
    AwaitingConfirmation,
    /// Invited with a temporary password, has not set an own one.
    Invited,
    /// Invited with a temporary password that has expired: a sign-in with it is refused like one with a wrong password.
    InvitationExpired,
    /// Must set a new password with a code.
    ResetRequired,
    /// Signs in through an external provider, not with a password.
    Federated,
    /// A status that nothing can be said about.
    Unknown,
}

/// What the state of a user depends on beside the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The time.
    pub now: OffsetDateTime,
    /// How many days a temporary password lives in the pool, where that is known.
    pub temporary_password_validity_days: Option<u32>,
}

impl User {
    /// The name for calls that must reach this account and no other: the `sub`, which no later account with the same user name has.
    /// Cognito takes it for local users; a user of an external provider has the user name.
    #[must_use]
    pub fn id(&self) -> Username {
        let sub = self.attributes.get("sub").filter(|_| self.status != UserStatus::ExternalProvider);
        sub.and_then(|sub| sub.parse().ok()).unwrap_or_else(|| self.username.clone())
    }

    /// Whether the user name has the form of a `sub` and is not the user's own. It can be the `sub` of another user.
    #[must_use]
    pub fn could_be_another_sub(&self) -> bool {
        self.username.has_form_of_sub() && self.status != UserStatus::ExternalProvider && self.id() != self.username
    }

    /// What the user's status and `enabled` mean together, and what would get the user on.
    #[must_use]
    pub fn life_cycle(&self, circumstances: &Circumstances) -> LifeCycle {
        let expires_at = self.temporary_password_expires_at(circumstances);
        let (state, can_sign_in, next_actions) = match &self.status {
            UserStatus::Confirmed => (State::Active, true, vec![]),
            UserStatus::Unconfirmed => (State::AwaitingConfirmation, false, vec![NextAction::Confirm]),
            UserStatus::ForceChangePassword if expires_at.is_some_and(|end| end <= circumstances.now) => {
                (State::InvitationExpired, false, vec![NextAction::ResendInvitation, NextAction::Password])
            }
            UserStatus::ForceChangePassword => {
                let ways_on = vec![NextAction::AnswerChallenge, NextAction::Password, NextAction::ResendInvitation];
                (State::Invited, true, ways_on)
            }
            UserStatus::ResetRequired => {
                (State::ResetRequired, false, vec![NextAction::ResetPassword, NextAction::Password])
            }
            UserStatus::ExternalProvider => (State::Federated, true, vec![]),
            UserStatus::Unknown | UserStatus::Other(_) => (State::Unknown, false, vec![]),
        };
        let life_cycle = LifeCycle { state, can_sign_in, temporary_password_expires_at: expires_at, next_actions };
        if self.enabled { life_cycle } else { life_cycle.disabled() }
    }

    /// The last change is no earlier than the moment in which the password was set, so the password ends no later than this.
    fn temporary_password_expires_at(&self, circumstances: &Circumstances) -> Option<OffsetDateTime> {
        let days = circumstances.temporary_password_validity_days?;
        (self.status == UserStatus::ForceChangePassword).then(|| self.modified_at + Duration::days(days.into()))
    }
}

impl LifeCycle {
    /// The status underneath stays: what it asks for comes after enabling.
    fn disabled(self) -> Self {
        let next_actions = std::iter::once(NextAction::Enable).chain(self.next_actions).collect();
        Self { state: State::Disabled, can_sign_in: false, next_actions, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(status: UserStatus, enabled: bool) -> User {
        User {
            username: "mia".parse().unwrap(),
            status,
            enabled,
            attributes: Attributes::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn every_status_says_whether_its_user_can_sign_in_and_what_comes_next() {
        let table = [
            (UserStatus::Confirmed, State::Active, true, vec![]),
            (UserStatus::Unconfirmed, State::AwaitingConfirmation, false, vec![NextAction::Confirm]),
            (
                UserStatus::ForceChangePassword,
                State::Invited,
                true,
                vec![NextAction::AnswerChallenge, NextAction::Password, NextAction::ResendInvitation],
            ),
            (
                UserStatus::ResetRequired,
                State::ResetRequired,
                false,
                vec![NextAction::ResetPassword, NextAction::Password],
            ),
            (UserStatus::ExternalProvider, State::Federated, true, vec![]),
            (UserStatus::Other("ARCHIVED".to_owned()), State::Unknown, false, vec![]),
        ];
        for (status, state, can_sign_in, next_actions) in table {
            let circumstances =
                Circumstances { now: OffsetDateTime::UNIX_EPOCH, temporary_password_validity_days: None };
            let enabled = user(status.clone(), true).life_cycle(&circumstances);
            let expected = LifeCycle {
                state,
                can_sign_in,
                temporary_password_expires_at: None,
                next_actions: next_actions.clone(),
            };
            assert_eq!(enabled, expected, "{status:?}");

            let disabled = user(status.clone(), false).life_cycle(&circumstances);
            assert_eq!((disabled.state, disabled.can_sign_in), (State::Disabled, false), "{status:?}");
            assert_eq!(disabled.next_actions[0], NextAction::Enable, "{status:?}");
            assert_eq!(disabled.next_actions[1..], next_actions, "{status:?}");
        }
    }

    #[test]
    fn a_temporary_password_ends_and_nothing_else_does() {
        let changed_at = OffsetDateTime::UNIX_EPOCH;
        let after = |days, days_later: i64| Circumstances {
            now: changed_at + Duration::days(days_later),
            temporary_password_validity_days: days,
        };
        let end = Some(changed_at + Duration::days(7));
        let table = [
            (UserStatus::ForceChangePassword, after(Some(7), 6), State::Invited, end),
            (UserStatus::ForceChangePassword, after(Some(7), 7), State::InvitationExpired, end),
            (UserStatus::ForceChangePassword, after(None, 700), State::Invited, None),
            (UserStatus::Confirmed, after(Some(7), 700), State::Active, None),
            (UserStatus::Unconfirmed, after(Some(7), 700), State::AwaitingConfirmation, None),
        ];
        for (status, circumstances, state, expires_at) in table {
            let life_cycle = user(status.clone(), true).life_cycle(&circumstances);
            assert_eq!((life_cycle.state, life_cycle.temporary_password_expires_at), (state, expires_at), "{status:?}");
            assert_eq!(life_cycle.can_sign_in, matches!(state, State::Invited | State::Active), "{status:?}");
        }
    }

    #[test]
    fn status_is_spelt_as_cognito_spells_it() {
        let spelt = serde_json::to_string(&UserStatus::ForceChangePassword).unwrap();
        assert_eq!(spelt, r#""FORCE_CHANGE_PASSWORD""#);
        let unknown: UserStatus = serde_json::from_str(r#""NEW_ONE""#).unwrap();
        assert_eq!(unknown, UserStatus::Other("NEW_ONE".to_owned()));
    }

    #[test]
    fn user_names_are_bounded_and_hold_no_blanks() {
        for good in ["m", "mia@example.com", "+15550100", "日本語", &"x".repeat(128)] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", " ", "mia b", "mia\n", "mia\u{0}", "mia\u{a0}b", &"x".repeat(129)] {
            assert_eq!(bad.parse::<Username>(), Err(NotAUsername), "{bad:?}");
        }
    }
}
