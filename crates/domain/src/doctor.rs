//! Checks an existing user pool and its related resources. Changes nothing.
//!
//! `observe` reads the state, and each file of `checks` compares one kind of resource with rules.

mod checks;
mod finding;
mod fixes;
mod observe;
mod observed;

use std::fmt;

use thiserror::Error;

use crate::platform::PlatformError;
use crate::provision::ProvisionError;
use crate::retry::GaveUp;
use crate::spec::Spec;

pub use checks::findings;
pub use finding::{Check, Finding, Severity};
pub use observe::Doctor;
pub use observed::{
    AssignedRole, Drift, Function, Inspector, MailSender, Observed, ObservedClient, ObservedIdentityPool,
    ObservedUserPool, Recovery, Trigger,
};

/// The user pool to check.
#[derive(Debug, Clone)]
pub enum Target {
    /// The pool with this id.
    UserPool(String),
    /// The pool that the stack with this name owns.
    Stack(String),
    /// The pool of a spec, whose differences from the spec are findings too.
    Spec {
        /// The spec.
        spec: Box<Spec>,
        /// The name of the spec's file, for commands.
        file: String,
    },
}

impl Target {
    /// The common property of several user pools that match.
    fn common_property(&self) -> String {
        match self {
            Self::UserPool(id) => format!("have the id {id}"),
            Self::Stack(name) => format!("belong to the stack {name}"),
            Self::Spec { spec, .. } => format!("have the name {} and the tag `poolkeeper:pool`", spec.name),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserPool(id) => write!(formatter, "user pool {id}"),
            Self::Stack(name) => write!(formatter, "user pool of the stack {name}"),
            Self::Spec { spec, .. } => write!(formatter, "user pool {} with the tag `poolkeeper:pool`", spec.name),
        }
    }
}

/// Why a pool could not be checked.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// The spec is invalid, or the state of its resources could not be read.
    #[error("{}", .0.with_causes())]
    Provision(#[from] ProvisionError),
    /// The target does not exist.
    #[error("{0} does not exist in this account and Region")]
    NoUserPool(Target),
    /// Several user pools match the target.
    #[error("several user pools {}: {}; select one with `--user-pool-id`", target.common_property(), ids.join(", "))]
    SeveralUserPools {
        /// The target.
        target: Target,
        /// The ids.
        ids: Vec<String>,
    },
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] GaveUp<PlatformError>),
}
