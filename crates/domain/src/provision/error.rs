//! Why an action stopped.

use std::fmt;

use thiserror::Error;

use super::field_difference::{Difference, in_words};
use super::receipt::Receipt;
use crate::error_chain::causes;
use crate::platform::PlatformError;
use crate::policy_document::TrustFault;
use crate::retry::GaveUp;
use crate::spec::SpecError;
use crate::user_pool::error::UserPoolError;

/// A kind of thing that is provisioned.
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

/// Why an action stopped. Each text says what to do where that is not obvious.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// The spec is wrong. Nothing was touched.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Two things carry our tag and name. Nothing is deleted on a guess.
    #[error("there are {} {resource}s with this name and our tag: {}; delete or untag all but one", ids.len(), ids.join(", "))]
    Several {
        /// What there are several of.
        resource: Resource,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The name is taken by something without our tag.
    #[error("the {resource} {id} exists and is not ours (it has no tag `poolkeeper:pool` with this pool's name)")]
    NotOurs {
        /// What it is.
        resource: Resource,
        /// Its id.
        id: String,
    },
    /// A field that can only be given at creation. Nothing was touched.
    #[error(
        "{resource} {id}: {difference} cannot be changed after creation; take another name, or go back to the value that is"
    )]
    Immutable {
        /// What it is on.
        resource: Resource,
        /// Its id.
        id: String,
        /// The field with both values.
        difference: Box<Difference>,
    },
    /// The spec's name was changed. Nothing was touched.
    #[error("name: {before:?} -> {after:?} cannot be changed: it would be another, empty user pool")]
    Renamed {
        /// The name before.
        before: String,
        /// The name that was asked for.
        after: String,
    },
    /// An update would pass a role that the process may not pass. Nothing was touched.
    #[error(
        "user pool {user_pool_id} sends text messages with role {role}, and an update must pass that role; add the ARN to the \
         template's parameter `PassableRoleArns`"
    )]
    RoleNotPassable {
        /// The user pool.
        user_pool_id: String,
        /// The ARN of the role.
        role: String,
    },
    /// A stack would adopt a pool and let in users whom its last sign-up policy or its MFA kept out. Nothing was touched.
    #[error(
        "no tag says that this stack runs user pool {user_pool_id}, and its sign-up policy would become wider or its MFA weaker: {}; keep \
         the values, or confirm the change with the template's parameter `ConfirmWiderSignUp=true`",
        in_words(changes)
    )]
    WiderSignUp {
        /// The user pool.
        user_pool_id: String,
        /// The settings with both values.
        changes: Vec<Difference>,
    },
    /// What the action needs is not there.
    #[error("there is no {resource} {name}; run `apply` first")]
    Missing {
        /// What is missing.
        resource: Resource,
        /// Its name.
        name: String,
    },
    /// The role can never be taken as it is.
    #[error("the trust policy of role {role} is wrong: {fault}")]
    Trust {
        /// The role.
        role: String,
        /// The field.
        fault: TrustFault,
    },
    /// The identity pool gives signed-in people another role, or none.
    #[error("identity pool {identity_pool_id} gives signed-in people {}, not {wanted}", found.as_deref().unwrap_or("no role"))]
    RoleNotSet {
        /// The identity pool.
        identity_pool_id: String,
        /// The role that it gives.
        found: Option<String>,
        /// The role that it should give.
        wanted: String,
    },
    /// The role has lost its policy.
    #[error("policy {policy} is not attached to role {role}")]
    NotAttached {
        /// The policy.
        policy: String,
        /// The role.
        role: String,
    },
    /// The role could not be taken in time, although everything about it is right.
    #[error(
        "role {role} could not be taken in time through identity pool {identity_pool_id}, although its trust policy, wiring and \
         attachment are right; IAM may need longer, run it again"
    )]
    NotAssumable {
        /// The role.
        role: String,
        /// The identity pool.
        identity_pool_id: String,
        /// What AWS said last, how often it was asked and how long.
        #[source]
        gave_up: Box<GaveUp<PlatformError>>,
    },
    /// Other runs were making the same thing at every attempt.
    #[error("other runs were making the same {resource} at the same moments; nothing was left behind, run it again")]
    NeverAlone {
        /// What was to be made.
        resource: Resource,
    },
    /// The account with the first administrator's name was not created for the invitation.
    #[error(
        "a user with the name of the first administrator exists and was not created for the invitation; add the right user to the \
         group `admins` yourself, or delete this user"
    )]
    NotTheFirstAdmin,
    /// The sign-in to verify asks for more than a password.
    #[error(
        "the sign-in to verify was answered with the challenge {0}; set `verify` to false for a pool that demands it"
    )]
    Challenged(String),
    /// AWS knows the verified person by another name.
    #[error("the credentials belong to {found}, expected an ARN that ends in {wanted}")]
    WrongCaller {
        /// What AWS said.
        found: String,
        /// What the ARN should end in.
        wanted: String,
    },
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] GaveUp<PlatformError>),
    /// A call for a user failed.
    #[error(transparent)]
    Users(#[from] GaveUp<UserPoolError>),
}

impl ProvisionError {
    /// How often the call that failed was made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Call(gave_up) => gave_up.attempts,
            Self::Users(gave_up) => gave_up.attempts,
            Self::NotAssumable { gave_up, .. } => gave_up.attempts,
            _ => 1,
        }
    }

    /// The error with all its causes, in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        causes(self)
    }
}

/// An action that stopped, with what it had done until then.
#[derive(Debug, Error)]
#[error("{}", error.with_causes())]
pub struct ProvisionFailure {
    /// Why.
    pub error: ProvisionError,
    /// What was done. Running the action again goes on from there.
    pub receipt: Box<Receipt>,
}
