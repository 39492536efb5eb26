//! The request rate quotas of Cognito, and the port for those of an account.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::user_pool::error::UserPoolError;

/// A category of operations that share a request rate quota, across all user pools of an account in a Region.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    VariantArray,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
)]
pub enum Category {
    /// `AdminCreateUser`
    UserCreation,
    /// `AdminSetUserPassword`
    UserAccountRecovery,
    /// `AdminGetUser`
    UserRead,
    /// `AdminUpdateUserAttributes`, `AdminAddUserToGroup`, `AdminDisableUser` and others
    UserUpdate,
    /// `AdminListGroupsForUser`
    UserResourceRead,
    /// `AdminSetUserMFAPreference`
    UserResourceUpdate,
    /// `ListUsers`, `ListUsersInGroup`
    UserList,
    /// `DescribeUserPool`
    UserPoolRead,
    /// `ListGroups`
    UserPoolResourceRead,
    /// `CreateGroup`
    UserPoolResourceUpdate,
}

impl Category {
    /// All categories.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The categories whose quota can be raised.
    pub const ADJUSTABLE: [Self; 3] = [Self::UserCreation, Self::UserRead, Self::UserResourceRead];

    /// The default quota in requests per second, from [Quotas in Amazon Cognito].
    ///
    /// [Quotas in Amazon Cognito]: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
    #[must_use]
    pub const fn default_quota(self) -> u32 {
        match self {
            Self::UserCreation | Self::UserResourceRead => 50,
            Self::UserAccountRecovery | Self::UserList => 30,
            Self::UserRead => 120,
            Self::UserUpdate | Self::UserResourceUpdate => 25,
            Self::UserPoolRead => 15,
            // The categories have 20 and 15. These are the quotas of each operation in one user pool.
            Self::UserPoolResourceRead | Self::UserPoolResourceUpdate => 5,
        }
    }
}

/// The quotas of an account in a Region.
#[async_trait]
pub trait RequestQuotas: Send + Sync {
    /// Returns the quota of a category in requests per second, which can be raised by the owner of the account.
    async fn provisioned(&self, category: Category) -> Result<u32, UserPoolError>;
}
