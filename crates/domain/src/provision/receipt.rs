//! What an action did: the answer of a direct invocation, and what a custom resource's attributes are taken from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is to be done with a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Say what `apply` would do, and change nothing.
    Plan,
    /// Bring everything into the state that the spec describes.
    Apply,
    /// Prove that it works.
    Verify,
    /// Take away what is ours.
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
    /// The policy on the role.
    PolicyAttachment,
    /// The role on the identity pool.
    IdentityPoolRole,
    /// The invitation of the first administrator.
    FirstAdmin,
    /// A throw-away user signs up.
    SignUp,
    /// The throw-away user is confirmed.
    Confirm,
    /// The throw-away user signs in.
    SignIn,
    /// The identity pool knows the throw-away user.
    Identity,
    /// The throw-away user gets AWS credentials.
    Credentials,
    /// AWS says who the throw-away user is.
    CallerIdentity,
    /// The throw-away user and identity are deleted.
    CleanUp,
    /// The tags of the user pool that record its stack and its sign-up policy.
    PoolTags,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Made.
    Created,
    /// Was made by a call whose answer was lost, by a run that was interrupted, or by another one at the same moment.
    Adopted,
    /// Changed.
    Updated,
    /// Was as it should be.
    Unchanged,
    /// Taken away.
    Deleted,
    /// There was nothing to take away.
    Absent,
    /// Left in place on purpose; the detail says why.
    Retained,
    /// Worked.
    Succeeded,
    /// Could not be tried; the detail says why. The action goes on.
    NotProved,
    /// Did not work; the detail says why.
    Failed,
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Which step.
    pub step: Step,
    /// How it ended.
    pub outcome: Outcome,
    /// How often its decisive call was made.
    pub attempts: u32,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What an action did, with the ids of what it met. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Which action.
    pub action: Action,
    /// The user pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_id: Option<String>,
    /// The user pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_arn: Option<String>,
    /// Who issues the pool's tokens, for JWT authorizers.
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
    /// The role of signed-in people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The policy on that role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_arn: Option<String>,
    /// Who `verify` was in AWS's eyes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<String>,
    /// The steps, in their order.
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

/// The name as receipts spell it.
impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// The name as receipts spell it.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}
