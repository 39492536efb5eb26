//! Users of a pool and the meaning of their status.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::user_pool::name::name;

name! {
    /// A user name, or an alias (e-mail address, phone number, preferred user name) if the pool allows aliases.
    ///
    /// 1 to 128 characters without whitespace or control characters (Cognito's limits for `Username`).
    Username
}

impl Username {
    /// Whether the name has the form of a `sub`, a UUID. Users can choose such a name.
    #[must_use]
    pub fn has_form_of_sub(&self) -> bool {
        let lengths = [8, 4, 4, 4, 12];
        let is_hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.0.split('-').map(str::len).eq(lengths) && self.0.split('-').all(is_hexadecimal)
    }
}

/// The reserved attribute with the creation proof of an account.
///
/// It is set only when an account is created. The bootstrap adds it to every pool as an immutable string, and no app
/// client can read or write it.
pub const CREATION_ATTRIBUTE: &str = "custom:poolkeeper_created";

/// Attribute names, such as `email` or `custom:team`, and values. All values are strings in Cognito.
pub type Attributes = BTreeMap<String, String>;

/// Whether an attribute has the requested value. Cognito stores no empty attributes, and treats `True` like `true`.
#[must_use]
pub fn has_value(name: &str, found: Option<&String>, requested: &str) -> bool {
    let found = found.map_or("", String::as_str);
    found == requested || (is_verification(name) && found.eq_ignore_ascii_case(requested))
}

/// Whether an attribute tells that an e-mail address or phone number is verified.
#[must_use]
pub fn is_verification(attribute: &str) -> bool {
    matches!(attribute, "email_verified" | "phone_number_verified")
}

/// The status of a user, as Cognito spells it. Independent of whether the user is enabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// The user signed up and is not confirmed.
    Unconfirmed,
    /// The user is confirmed and can sign in.
    Confirmed,
    /// The user signs in through an external identity provider.
    ExternalProvider,
    /// The user has a temporary password and must change it at the first sign-in.
    ForceChangePassword,
    /// An administrator reset the password.
    ResetRequired,
    /// Cognito reports the status `UNKNOWN`.
    Unknown,
    /// A status that this version does not know, as Cognito spells it.
    #[serde(untagged)]
    Other(String),
}

impl UserStatus {
    /// The status as Cognito spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::Unknown => "UNKNOWN",
            Self::Other(status) => status,
        }
    }
}

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user name, never an alias.
    pub username: Username,
    /// The status.
    pub status: UserStatus,
    /// Whether the user is enabled.
    pub enabled: bool,
    /// All attributes, `sub` included.
    pub attributes: Attributes,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user was last changed.
    pub modified_at: OffsetDateTime,
}

/// An action that brings a user closer to signing in. Each name is the name of a route of the admin API.
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

/// The state that results from `status` and `enabled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LifeCycle {
    /// The state.
    pub state: State,
    /// Whether a sign-in with the correct password, or through the provider for a federated user, results in tokens or
    /// a challenge.
    pub can_sign_in: bool,
    /// The latest time at which the temporary password expires. Null if the user has no temporary password or its
    /// validity is unknown. The time is calculated from the last change of the user, because Cognito does not report
    /// when the password was set.
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub temporary_password_expires_at: Option<OffsetDateTime>,
    /// The actions that allow the user to continue. Empty if no action is required or known.
    pub next_actions: Vec<NextAction>,
}

/// The state of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The user can sign in.
    Active,
    /// An administrator disabled the user.
    Disabled,
    /// The user signed up and is not confirmed.
    AwaitingConfirmation,
    /// The user has a temporary password and has not changed it.
    Invited,
    /// The temporary password has expired. A sign-in with it fails like one with a wrong password.
    InvitationExpired,
    /// The user must set a new password with a code.
    ResetRequired,
    /// The user signs in through an external provider, not with a password.
    Federated,
    /// The status is unknown.
    Unknown,
}

/// The inputs of [`User::life_cycle`] besides the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeCycleContext {
    /// The current time.
    pub now: OffsetDateTime,
    /// The validity of temporary passwords in days, if known.
    pub temporary_password_validity_days: Option<u32>,
}

impl User {
    /// The name for calls that must affect only this account: the `sub`, because a later account can have the same user
    /// name. For users of external providers it is the user name, because Cognito accepts the `sub` for local users
    /// only.
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

    /// Derives the state from `status` and `enabled`, and the next actions.
    #[must_use]
    pub fn life_cycle(&self, context: &LifeCycleContext) -> LifeCycle {
        let expires_at = self.temporary_password_expires_at(context);
        let (state, can_sign_in, next_actions) = match &self.status {
            UserStatus::Confirmed => (State::Active, true, vec![]),
            UserStatus::Unconfirmed => (State::AwaitingConfirmation, false, vec![NextAction::Confirm]),
            UserStatus::ForceChangePassword if expires_at.is_some_and(|end| end <= context.now) => {
                (State::InvitationExpired, false, vec![NextAction::ResendInvitation, NextAction::Password])
            }
            UserStatus::ForceChangePassword => {
                let actions = vec![NextAction::AnswerChallenge, NextAction::Password, NextAction::ResendInvitation];
                (State::Invited, true, actions)
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

    /// The latest expiry of the temporary password, because the password was set no later than the user's last change.
    fn temporary_password_expires_at(&self, context: &LifeCycleContext) -> Option<OffsetDateTime> {
        let days = context.temporary_password_validity_days?;
        (self.status == UserStatus::ForceChangePassword).then(|| self.modified_at + Duration::days(days.into()))
    }
}

impl LifeCycle {
    /// Adds `Enable` before the actions that the status requires.
    fn disabled(self) -> Self {
        let next_actions = std::iter::once(NextAction::Enable).chain(self.next_actions).collect();
        Self { state: State::Disabled, can_sign_in: false, next_actions, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_pool::name::InvalidName;

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
    fn each_status_has_a_state_and_next_actions() {
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
            let context = LifeCycleContext { now: OffsetDateTime::UNIX_EPOCH, temporary_password_validity_days: None };
            let enabled = user(status.clone(), true).life_cycle(&context);
            let expected = LifeCycle {
                state,
                can_sign_in,
                temporary_password_expires_at: None,
                next_actions: next_actions.clone(),
            };
            assert_eq!(enabled, expected, "{status:?}");

            let disabled = user(status.clone(), false).life_cycle(&context);
            assert_eq!((disabled.state, disabled.can_sign_in), (State::Disabled, false), "{status:?}");
            assert_eq!(disabled.next_actions[0], NextAction::Enable, "{status:?}");
            assert_eq!(disabled.next_actions[1..], next_actions, "{status:?}");
        }
    }

    #[test]
    fn only_temporary_passwords_expire() {
        let changed_at = OffsetDateTime::UNIX_EPOCH;
        let after = |days, days_later: i64| LifeCycleContext {
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
        for (status, context, state, expires_at) in table {
            let life_cycle = user(status.clone(), true).life_cycle(&context);
            assert_eq!((life_cycle.state, life_cycle.temporary_password_expires_at), (state, expires_at), "{status:?}");
            assert_eq!(life_cycle.can_sign_in, matches!(state, State::Invited | State::Active), "{status:?}");
        }
    }

    #[test]
    fn status_has_cognitos_spelling() {
        let spelt = serde_json::to_string(&UserStatus::ForceChangePassword).unwrap();
        assert_eq!(spelt, r#""FORCE_CHANGE_PASSWORD""#);
        let unknown: UserStatus = serde_json::from_str(r#""NEW_ONE""#).unwrap();
        assert_eq!(unknown, UserStatus::Other("NEW_ONE".to_owned()));
    }

    #[test]
    fn user_names_are_limited_and_have_no_whitespace() {
        for good in ["m", "mia@example.com", "+15550100", "日本語", &"x".repeat(128)] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", " ", "mia b", "mia\n", "mia\u{0}", "mia\u{a0}b", &"x".repeat(129)] {
            assert_eq!(bad.parse::<Username>(), Err(InvalidName), "{bad:?}");
        }
    }
}
