//! The access that a route requires, and the rules for the users and groups that an authorized caller changes.
//!
//! A caller without the permission receives the same response whether or not the target exists. A caller with the
//! permission cannot change a user or group with grants that the caller lacks.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use domain::permission::Permission;
use domain::roles::{Grants, Roles};
use domain::user_pool::creation_name::is_named;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::Membership;
use domain::user_pool::user::{User, Username};
use http::request::Parts;

use crate::authz::caller::Caller;
use crate::http::error::{ApiError, Forbidden};

/// The access that a route requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// No caller: sign-up and sign-in, with credentials in the body.
    Public,
    /// The user's own access token, which the user pool verifies in the call that contains it.
    OwnToken,
    /// Any caller.
    AnyCaller,
    /// A caller whose token grants the permission.
    Read(Permission),
    /// Like [`Self::Read`], for list and search requests, which have an audit record.
    List(Permission),
    /// Like [`Self::List`]. In addition, the user pool confirms the grants, because groups can change after a token is
    /// issued.
    Write(Permission),
}

/// A caller with the access that the route requires.
#[derive(Debug, Clone)]
pub(crate) struct Authorized {
    /// The caller.
    pub(crate) caller: Caller,
    /// The grants of the groups in the token. For a write, groups count only if the user pool confirms them.
    pub(crate) grants: Grants,
    /// The groups in the token; for a write, also those in the user pool.
    pub(super) groups: BTreeSet<String>,
    /// Whether the caller has a second factor; `None` if the caller needs none.
    pub(crate) second_factor: Option<SecondFactor>,
}

/// Whether a caller has the required second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    Present,
    Missing,
}

impl Authorized {
    /// Requires a permission in addition to that of the route.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        if self.grants.allows(permission) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::NoPermission(permission)))
        }
    }

    /// Rejects a caller without every permission. An import sets the groups and passwords of any user, so any other
    /// caller could gain permissions with it. An export contains everything that all read permissions return.
    pub(crate) fn ensure_unlimited(&self) -> Result<(), ApiError> {
        if self.grants.covers(&Grants::all()) { Ok(()) } else { Err(ApiError::Forbidden(Forbidden::NotUnlimited)) }
    }

    /// Rejects a caller without the required second factor.
    pub(super) fn require_second_factor(&self) -> Result<(), ApiError> {
        if self.second_factor == Some(SecondFactor::Missing) { Err(ApiError::MfaRequired) } else { Ok(()) }
    }

    /// Rejects a change of the caller's own account.
    pub(crate) fn ensure_not_self(&self, user: &User) -> Result<(), ApiError> {
        if self.is(user) { Err(ApiError::Forbidden(Forbidden::OwnAccount)) } else { Ok(()) }
    }

    /// Rejects an alias with the error for an unknown user if the caller lacks `users:read`, because another error
    /// would confirm a guessed address.
    pub(super) fn ensure_findable(&self, user: &User, typed: &Username) -> Result<(), ApiError> {
        let is_named = is_named(user, typed) || user.attributes.get("sub").is_some_and(|sub| sub == typed.as_str());
        if is_named || self.grants.allows(Permission::UsersRead) {
            Ok(())
        } else {
            Err(UserPoolError::new("AdminGetUser", Reason::UserNotFound).into())
        }
    }

    /// Rejects a group that the caller is in.
    pub(crate) fn ensure_not_own_group(&self, group: &str) -> Result<(), ApiError> {
        if self.groups.contains(group) { Err(ApiError::Forbidden(Forbidden::OwnGroup)) } else { Ok(()) }
    }

    /// Rejects groups with grants that the caller lacks. Does not check IAM roles, which require a read of the group.
    pub(crate) fn ensure_no_escalation<'a>(
        &self,
        roles: &Roles,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), ApiError> {
        if self.grants.covers(&roles.grants_of(groups)) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::PrivilegeEscalation))
        }
    }

    /// Rejects a user in groups with grants that the caller lacks. Otherwise the caller could act as that user.
    pub(crate) fn ensure_no_escalation_in(&self, roles: &Roles, memberships: &[Membership]) -> Result<(), ApiError> {
        self.ensure_no_escalation(roles, Membership::names(memberships))?;
        memberships.iter().try_for_each(|membership| self.ensure_role_permitted(membership.role_arn.as_deref()))
    }

    /// Rejects a group that the caller cannot add users to or remove users from.
    pub(crate) fn ensure_assignable(&self, group: &str) -> Result<(), ApiError> {
        self.require(Permission::UsersGroups)?;
        if self.grants.may_assign(group) { Ok(()) } else { Err(ApiError::Forbidden(Forbidden::NotAssignable)) }
    }

    /// Rejects a group with an IAM role if the caller lacks the permission for such groups.
    pub(crate) fn ensure_role_permitted(&self, role_arn: Option<&str>) -> Result<(), ApiError> {
        if role_arn.is_none() || self.grants.allows(Permission::GroupsRoles) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::GroupWithRole))
        }
    }

    /// Whether this user is the caller.
    fn is(&self, user: &User) -> bool {
        match &self.caller {
            // In a case-insensitive pool, the user name can differ in case from the name in the token.
            Caller::User { sub, .. } => user.attributes.get("sub").is_none_or(|found| found == sub),
            Caller::Iam { .. } => false,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Internal("the route has no caller"))
    }
}

/// A caller with every permission, who can assign every group.
pub(crate) struct Unlimited(pub(crate) Authorized);

impl<S: Sync> FromRequestParts<S> for Unlimited {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let authorized = Authorized::from_request_parts(parts, state).await?;
        authorized.ensure_unlimited()?;
        Ok(Self(authorized))
    }
}

#[cfg(test)]
mod tests;
