//! The reads of a backup, in addition to those of provisioning.

use async_trait::async_trait;

use crate::platform::{AppClient, Platform, PlatformError, UserPool};

/// A user pool with the settings that a spec does not have.
#[derive(Debug, Clone)]
pub struct DescribedUserPool {
    /// The name.
    pub name: String,
    /// The fields that provisioning reads as well.
    pub pool: UserPool,
    /// The names of the settings that differ from those of a new pool of Poolkeeper and have no field in a spec, as in
    /// the API of Cognito.
    pub other_settings: Vec<String>,
}

/// An app client with the settings that a spec does not have.
#[derive(Debug, Clone)]
pub struct DescribedClient {
    /// The name.
    pub name: String,
    /// The fields that provisioning reads as well.
    pub client: AppClient,
    /// The names of the settings that differ from those of a new client of Poolkeeper and have no field in a spec, as in
    /// the API of Cognito.
    pub other_settings: Vec<String>,
}

/// The reads of a backup, in addition to those of provisioning. All are safe to repeat.
#[async_trait]
pub trait PoolSource: Platform {
    /// A user pool by id.
    async fn described_user_pool(&self, id: &str) -> Result<Option<DescribedUserPool>, PlatformError>;

    /// All app clients of a pool, without their secrets.
    async fn described_clients(&self, user_pool_id: &str) -> Result<Vec<DescribedClient>, PlatformError>;

    /// The names of the settings of an identity pool that have no field in a spec.
    async fn other_identity_pool_settings(&self, id: &str) -> Result<Vec<String>, PlatformError>;

    /// The names of the inline policies of a role.
    async fn inline_policies(&self, role_name: &str) -> Result<Vec<String>, PlatformError>;
}
