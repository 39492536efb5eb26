//! The receipt of an action: the response to a direct invocation, and the source of the attributes of a custom
//! resource.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An action on the resources of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Return the changes that `apply` would make. Changes nothing.
    Plan,
    /// Bring the resources into the desired state.
    Apply,
    /// Verify that the pool works.
    Verify,
    /// Delete the resources.
    Destroy,
}

/// One step of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The user pool.
    UserPool,
    /// The app client for back ends.
    BackendClient,
    /// The app client for front ends.
    WebClient,
    /// The groups.
    Groups,
    /// The identity pool.
    IdentityPool,
    /// The IAM role.
    Role,
    /// The IAM policy.
    Policy,
    /// The attachment of the policy to the role.
    PolicyAttachment,
    /// The authenticated role of the identity pool.
    IdentityPoolRole,
    /// The invitation of the first administrator.
    FirstAdmin,
    /// The sign-up of the test user of `verify`.
    SignUp,
    /// The confirmation of the test user.
    Confirm,
    /// The sign-in of the test user.
    SignIn,
    /// The identity of the test user in the identity pool.
    Identity,
    /// The AWS credentials of the test user.
    Credentials,
    /// The caller identity of the test user in AWS.
    CallerIdentity,
    /// The deletion of the test user and its identity.
    CleanUp,
    /// The tags that record the stack and the sign-up policy of the user pool.
    PoolTags,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Created.
    Created,
    /// Created by a call whose response was lost, or by an interrupted or concurrent run.
    Adopted,
    /// Updated.
    Updated,
    /// Already up to date.
    Unchanged,
    /// Deleted.
    Deleted,
    /// Nothing to delete.
    Absent,
    /// Kept on purpose. The detail says why.
    Retained,
    /// Succeeded.
    Succeeded,
    /// Could not be tested. The detail says why. The action continues.
    NotProved,
    /// Failed. The detail says why.
    Failed,
}

/// The report of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// The outcome.
    pub outcome: Outcome,
    /// The number of attempts of its main call.
    pub attempts: u32,
    /// The duration in milliseconds.
    pub elapsed_ms: u64,
    /// Further details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The steps of an action and the ids of its resources. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The action.
    pub action: Action,
    /// The id of the user pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_id: Option<String>,
    /// The ARN of the user pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_arn: Option<String>,
    /// The issuer of the pool's tokens, for JWT authorizers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The app client for back ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_client_id: Option<String>,
    /// The app client for front ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_client_id: Option<String>,
    /// The identity pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_pool_id: Option<String>,
    /// The ARN of the role of authenticated users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The ARN of the policy of that role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_arn: Option<String>,
    /// The caller ARN of the test user in AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<String>,
    /// The steps in order.
    pub steps: Vec<StepReport>,
}

impl Receipt {
    pub(super) fn new(action: Action) -> Self {
        Self {
            action,
            user_pool_id: None,
            user_pool_arn: None,
            issuer: None,
            backend_client_id: None,
            web_client_id: None,
            identity_pool_id: None,
            role_arn: None,
            policy_arn: None,
            caller_arn: None,
            steps: Vec::new(),
        }
    }
}

/// The name in receipts.
impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// The name in receipts.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}
