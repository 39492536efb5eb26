//! What a route requires of its caller. [`gate`] checks it before the handler runs, and before the body is read.
//!
//! A caller without the permission learns nothing about the target: the answer is the same whether or not it exists. A caller with
//! the permission cannot exceed their own grants with it: users and groups with more than that are refused.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use domain::permission::Permission;
use domain::roles::{Grants, Roles};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::Membership;
use domain::user_pool::user::{User, Username};
use http::request::Parts;

use crate::authz::caller::Caller;
use crate::fields::creation_name::is_named;
use crate::http::error::{ApiError, Forbidden};

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: sign-up and sign-in, where the credentials are in the body.
    Public,
    /// The access token of a person, which the user pool checks at the call it is handed to.
    OwnToken,
    /// A caller, whoever it is.
    AnyCaller,
    /// A caller whose token grants the permission.
    Read(Permission),
    /// The same, and there is an audit record: a list or a search.
    List(Permission),
    /// The same, and the user pool confirms it: a token outlives the grants that it was issued with.
    Write(Permission),
}

/// A caller who has passed the check of the route.
#[derive(Debug, Clone)]
pub(crate) struct Authorized {
    /// Who it is.
    pub(crate) caller: Caller,
    /// What the groups of the token grant; for a write, those of them that the user pool confirms.
    pub(crate) grants: Grants,
    /// The groups of the caller: those in the token, and for a write also those in the user pool.
    pub(super) groups: BTreeSet<String>,
    /// The second factor that the deployment requires of the caller; none if it requires none.
    pub(crate) second_factor: Option<SecondFactor>,
}

/// Whether a caller has the second factor that is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    Present,
    Missing,
}

impl Authorized {
    /// Requires one more permission than the route does.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        if self.grants.allows(permission) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::NoPermission(permission)))
        }
    }

    /// Refuses a caller without the second factor that the deployment requires.
    pub(super) fn require_second_factor(&self) -> Result<(), ApiError> {
        if self.second_factor == Some(SecondFactor::Missing) { Err(ApiError::MfaRequired) } else { Ok(()) }
    }

    /// Refuses what callers cannot do to themselves.
    pub(crate) fn ensure_not_self(&self, user: &User) -> Result<(), ApiError> {
        if self.is(user) { Err(ApiError::Forbidden(Forbidden::Oneself)) } else { Ok(()) }
    }

    /// Without `users:read`, a user is found by the name at creation or the `sub`. An alias is answered like an unknown user, because any
    /// other answer would confirm a guess of an address.
    pub(super) fn ensure_findable(&self, user: &User, typed: &Username) -> Result<(), ApiError> {
        let is_named = is_named(user, typed) || user.attributes.get("sub").is_some_and(|sub| sub == typed.as_str());
        if is_named || self.grants.allows(Permission::UsersRead) {
            Ok(())
        } else {
            Err(UserPoolError::new("AdminGetUser", Reason::UserNotFound).into())
        }
    }

    /// Refuses to delete a group that the caller is in.
    pub(crate) fn ensure_not_own_group(&self, group: &str) -> Result<(), ApiError> {
        if self.groups.contains(group) { Err(ApiError::Forbidden(Forbidden::OwnGroup)) } else { Ok(()) }
    }

    /// Refuses groups whose grants exceed the caller's. Whether they carry an IAM role is not known from their names.
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

    /// Refuses a user in these groups if they grant more than the caller has: the caller could act as that user otherwise.
    pub(crate) fn ensure_no_escalation_in(&self, roles: &Roles, memberships: &[Membership]) -> Result<(), ApiError> {
        self.ensure_no_escalation(roles, Membership::names(memberships))?;
        memberships.iter().try_for_each(|membership| self.ensure_role_permitted(membership.role_arn.as_deref()))
    }

    /// Refuses to assign a group, or to withdraw it, if it is not on the caller's list.
    pub(crate) fn ensure_assignable(&self, group: &str) -> Result<(), ApiError> {
        self.require(Permission::UsersGroups)?;
        if self.grants.may_assign(group) { Ok(()) } else { Err(ApiError::Forbidden(Forbidden::NotAssignable)) }
    }

    /// Refuses a group that carries an IAM role, unless the caller has the permission for it.
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
            // A user pool that ignores case could spell the user name in another way than the token.
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

#[cfg(test)]
mod tests;
