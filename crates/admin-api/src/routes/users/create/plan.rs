//! The calls that a request body leads to.

use std::collections::BTreeSet;

use domain::secret::Secret;
use domain::user_pool::directory::{NewUser, WelcomeMessage, temporary_password_before};
use domain::user_pool::groups::GroupName;

use super::request::{Body, WelcomeMessageBody};
use crate::fields::attributes::attributes;
use crate::http::error::ApiError;

/// The requested user, password and groups, in the order of the calls.
pub(super) struct Plan {
    pub(super) new_user: NewUser,
    pub(super) permanent_password: Option<Secret>,
    pub(super) groups: BTreeSet<GroupName>,
}

/// A password to set.
pub(super) struct NewPassword<'a> {
    pub(super) value: &'a Secret,
    pub(super) permanent: bool,
}

/// The part of a plan that follows the creation of the user.
pub(super) struct Rest<'a> {
    pub(super) password: Option<NewPassword<'a>>,
    /// Whether all sessions of the user end after the password is set and before groups are added.
    pub(super) ends_sessions: bool,
    pub(super) groups: Vec<&'a GroupName>,
}

impl TryFrom<Body> for Plan {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        let (temporary_password, permanent_password) = match (body.password.map(Secret::from), body.permanent) {
            (password, false) => (password, None),
            (Some(password), true) => (Some(temporary_password_before(&password)), Some(password)),
            (None, true) => return Err(ApiError::invalid("permanent", "Requires `password`.")),
        };
        let welcome_message = match body.welcome_message {
            // The welcome message would contain a password, which the request replaces immediately.
            Some(WelcomeMessageBody::Send) if permanent_password.is_some() => {
                let detail = "Must be `suppress` with a permanent password.";
                return Err(ApiError::invalid("welcome_message", detail));
            }
            Some(WelcomeMessageBody::Suppress) => WelcomeMessage::Suppress,
            None if temporary_password.is_some() || permanent_password.is_some() => WelcomeMessage::Suppress,
            Some(WelcomeMessageBody::Send) | None => WelcomeMessage::Send,
        };
        let new_user = NewUser {
            username: body.username,
            attributes: attributes(body.attributes),
            temporary_password,
            welcome_message,
        };
        Ok(Self { new_user, permanent_password, groups: body.groups.0 })
    }
}

impl Plan {
    /// The field names for the audit record.
    pub(super) fn fields(&self) -> Vec<String> {
        let attributes = self.new_user.attributes.keys().cloned();
        let password = match (&self.permanent_password, &self.new_user.temporary_password) {
            (Some(_), _) => Some("permanent_password".to_owned()),
            (None, Some(_)) => Some("temporary_password".to_owned()),
            (None, None) => None,
        };
        let groups = self.groups.iter().map(|group| format!("group:{group}"));
        attributes.chain(password).chain(groups).collect()
    }

    /// The calls for a user that this request created.
    pub(super) fn rest(&self) -> Rest<'_> {
        let permanent = self.permanent_password.as_ref();
        let password = permanent.map(|value| NewPassword { value, permanent: true });
        // A caller who can set the password of the new user can do so at any time, so ending sessions here has no effect.
        Rest { password, ends_sessions: false, groups: self.groups.iter().collect() }
    }
}
