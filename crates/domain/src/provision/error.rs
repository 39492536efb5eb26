//! Errors of provisioning.

use std::fmt;

use thiserror::Error;

use super::field_difference::{Difference, summarize};
use super::receipt::Receipt;
use crate::error_chain::causes;
use crate::platform::PlatformError;
use crate::policy_document::TrustPolicyError;
use crate::retry::GaveUp;
use crate::spec::SpecError;
use crate::user_pool::error::UserPoolError;

/// A kind of provisioned resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A user pool.
    UserPool,
    /// An app client.
    AppClient,
    /// An identity pool.
    IdentityPool,
    /// An IAM policy.
    Policy,
    /// An IAM role.
    Role,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UserPool => "user pool",
            Self::AppClient => "app client",
            Self::IdentityPool => "identity pool",
            Self::Policy => "IAM policy",
            Self::Role => "IAM role",
        })
    }
}

/// Why an action failed. Each message says what to do if that is not obvious.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// The spec is invalid. Nothing was changed.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Several resources have the name and tag of the pool.
    #[error(
        "found {} {resource}s with this pool's name and tag: {}; delete or untag all but one",
        ids.len(),
        ids.join(", ")
    )]
    Duplicates {
        /// The kind of resource.
        resource: Resource,
        /// The ids of the resources.
        ids: Vec<String>,
    },
    /// A resource has the expected name but not this pool's tag.
    #[error("{resource} {id} exists, but its tag `poolkeeper:pool` does not name this pool")]
    NotOwned {
        /// The kind of resource.
        resource: Resource,
        /// The id of the resource.
        id: String,
    },
    /// A field that can only be set at creation differs. Nothing was changed.
    #[error(
        "{resource} {id}: {difference} cannot be changed after creation; keep the current value, or use another pool \
         name"
    )]
    Immutable {
        /// The kind of resource.
        resource: Resource,
        /// The id of the resource.
        id: String,
        /// The field with both values.
        difference: Box<Difference>,
    },
    /// The name in the spec was changed. Nothing was changed in AWS.
    #[error("name: {before:?} -> {after:?} cannot be changed, because a new name would create a new, empty user pool")]
    Renamed {
        /// The previous name.
        before: String,
        /// The new name.
        after: String,
    },
    /// An update would pass a role that the process has no permission to pass. Nothing was changed.
    #[error(
        "user pool {user_pool_id} sends text messages with role {role}, which an update must pass to Cognito; add the \
         ARN of the role to the template parameter `PassableRoleArns`"
    )]
    RoleNotPassable {
        /// The user pool.
        user_pool_id: String,
        /// The ARN of the role.
        role: String,
    },
    /// A stack would adopt a pool with a wider sign-up policy or weaker MFA. Nothing was changed.
    #[error(
        "user pool {user_pool_id} is not tagged with this stack, and the deployment would widen its sign-up policy or \
         weaken its MFA: {}; keep the values, or confirm the change with the template parameter \
         `ConfirmWiderSignUp=true`",
        summarize(changes)
    )]
    WiderSignUp {
        /// The user pool.
        user_pool_id: String,
        /// The settings with both values.
        changes: Vec<Difference>,
    },
    /// A restore would change a pool that it did not create. Nothing was changed.
    #[error(
        "user pool {user_pool_id} has this name and was not created by the restore of this backup; use another name"
    )]
    NotRestored {
        /// The user pool.
        user_pool_id: String,
    },
    /// A restore would adopt a resource of another pool. Nothing was changed.
    #[error(
        "the {resource} of an earlier user pool of this name exists; delete it with `poolkeeper destroy`, or use another name"
    )]
    Leftover {
        /// The kind of resource.
        resource: Resource,
    },
    /// A required resource does not exist.
    #[error("{resource} {name} does not exist; run `apply` first")]
    Missing {
        /// The kind of resource.
        resource: Resource,
        /// The name of the resource.
        name: String,
    },
    /// The trust policy prevents the role from being assumed.
    #[error("invalid trust policy of role {role}: {fault}")]
    Trust {
        /// The role.
        role: String,
        /// The wrong field.
        fault: TrustPolicyError,
    },
    /// The identity pool has another authenticated role, or none.
    #[error(
        "the authenticated role of identity pool {identity_pool_id} must be {expected}, but is {}",
        found.as_deref().unwrap_or("not set")
    )]
    RoleNotSet {
        /// The identity pool.
        identity_pool_id: String,
        /// The current role.
        found: Option<String>,
        /// The expected role.
        expected: String,
    },
    /// The policy is not attached to the role.
    #[error("policy {policy} is not attached to role {role}")]
    NotAttached {
        /// The policy.
        policy: String,
        /// The role.
        role: String,
    },
    /// The role could not be assumed in time, although its configuration is correct.
    #[error(
        "role {role} could not be assumed in time through identity pool {identity_pool_id}, although the \
         configuration of both is correct; IAM may need more time to propagate the role, so retry later"
    )]
    NotAssumable {
        /// The role.
        role: String,
        /// The identity pool.
        identity_pool_id: String,
        /// The last error, the number of attempts and the elapsed time.
        #[source]
        gave_up: Box<GaveUp<PlatformError>>,
    },
    /// Every create call collided with a concurrent run.
    #[error(
        "every attempt to create the {resource} collided with a concurrent run; the duplicates of this run were \
         deleted; retry later"
    )]
    ConcurrentCreates {
        /// The kind of resource.
        resource: Resource,
    },
    /// Poolkeeper did not create the user with the first administrator's name.
    #[error(
        "the first administrator's user name belongs to a user that Poolkeeper did not create; add the \
         intended user to the group `admins`, or delete this user"
    )]
    NotTheFirstAdmin,
    /// The sign-in requires a challenge that the verification does not support.
    #[error(
        "the verification cannot answer the sign-in challenge {0}; set `verify` to false for a pool that requires this \
         challenge"
    )]
    Challenged(String),
    /// The test user's credentials belong to another role.
    #[error("the credentials belong to {found}; the ARN must end with {expected}")]
    WrongCaller {
        /// The ARN of the caller.
        found: String,
        /// The expected end of the ARN.
        expected: String,
    },
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] GaveUp<PlatformError>),
    /// A call to the user pool for a user failed.
    #[error(transparent)]
    Users(#[from] GaveUp<UserPoolError>),
}

impl ProvisionError {
    /// The number of attempts of the failed call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Call(gave_up) => gave_up.attempts,
            Self::Users(gave_up) => gave_up.attempts,
            Self::NotAssumable { gave_up, .. } => gave_up.attempts,
            _ => 1,
        }
    }

    /// The error and its causes, in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        causes(self)
    }
}

/// A failed action, with the receipt of its steps.
#[derive(Debug, Error)]
#[error("{}", error.with_causes())]
pub struct ProvisionFailure {
    /// The error.
    pub error: ProvisionError,
    /// The steps so far. A retry of the action continues from there.
    pub receipt: Box<Receipt>,
}
