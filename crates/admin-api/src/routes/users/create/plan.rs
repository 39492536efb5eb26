//! What a body asks for.

use std::collections::BTreeSet;

use domain::secret::Secret;
use domain::user_pool::directory::{Invitation, NewUser};
use domain::user_pool::groups::GroupName;

use super::request::{Body, InvitationBody, PasswordBody};
use crate::fields::attributes::attributes;
use crate::http::error::ApiError;
use crate::http::json::Object;

/// What is asked for, in the order in which it is done.
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

/// What is left of a plan once the user is there.
pub(super) struct Rest<'a> {
    pub(super) password: Option<NewPassword<'a>>,
    /// Ends all sessions of the user between password and groups.
    pub(super) ends_sessions: bool,
    pub(super) groups: Vec<&'a GroupName>,
}

impl TryFrom<Body> for Plan {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        let (temporary_password, permanent_password) = match body.password {
            Some(Object(PasswordBody { value, permanent: false })) => (Some(value.into()), None),
            Some(Object(PasswordBody { value, permanent: true })) => (None, Some(value.into())),
            None => (None, None),
        };
        let invitation = match body.invitation {
            // Cognito would send a temporary password that is replaced before it arrives.
            Some(InvitationBody::Send) if permanent_password.is_some() => {
                let detail = "An invitation carries a temporary password: expected `suppress` with a permanent one.";
                return Err(ApiError::invalid("invitation", detail));
            }
            Some(InvitationBody::Suppress) => Invitation::Suppress,
            None if temporary_password.is_some() || permanent_password.is_some() => Invitation::Suppress,
            Some(InvitationBody::Send) | None => Invitation::Send,
        };
        let new_user = NewUser {
            username: body.username,
            attributes: attributes(body.attributes),
            temporary_password,
            invitation,
        };
        Ok(Self { new_user, permanent_password, groups: body.groups.0 })
    }
}

impl Plan {
    /// What the audit may know.
    pub(super) fn fields(&self) -> Vec<String> {
        let attributes = self.new_user.attributes.keys().cloned();
        let temporary = self.new_user.temporary_password.as_ref().map(|_| "temporary_password".to_owned());
        let permanent = self.permanent_password.as_ref().map(|_| "permanent_password".to_owned());
        let groups = self.groups.iter().map(|group| format!("group:{group}"));
        attributes.chain(temporary).chain(permanent).chain(groups).collect()
    }

    /// What is done with a user who has just been created.
    pub(super) fn rest(&self) -> Rest<'_> {
        let permanent = self.permanent_password.as_ref();
        let password = permanent.map(|value| NewPassword { value, permanent: true });
        // An account that has just been created has no sessions.
        Rest { password, ends_sessions: false, groups: self.groups.iter().collect() }
    }
}
