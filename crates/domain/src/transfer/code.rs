//! The stable codes of skipped and failed rows.

use serde::{Deserialize, Serialize};

use crate::user_pool::error::Reason;

/// Why a row was skipped or failed. Codes that the admin API uses as well have the same meaning in both.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::VariantArray, strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RowCode {
    /// The row, or a value in it, is not valid.
    InvalidRequest,
    /// The user exists and differs from the row.
    UserExists,
    /// Another user has the name, address, number or preferred user name as an alias.
    AliasExists,
    /// The user does not exist any more.
    UserNotFound,
    /// A group does not exist.
    GroupNotFound,
    /// The password does not meet the pool's policy.
    InvalidPassword,
    /// A trigger of the pool rejected the user.
    SignUpRefused,
    /// The status of the user, or the configuration of the pool, does not allow the change.
    WrongState,
    /// A limit of the user or the pool is exceeded.
    Throttled,
    /// The invitation was not sent, because the daily e-mail quota of the pool is used up.
    MailQuotaExceeded,
    /// AWS returned an unexpected error.
    Internal,
    /// The endpoint is an emulator that lacks an operation.
    NotSupportedByEndpoint,
    /// An earlier row of the file is about the same user.
    DuplicateRow,
    /// The user signs in through an external provider, and is created at the first sign-in.
    FederatedUser,
    /// The user never confirmed the sign-up, and must sign up again.
    UnconfirmedUser,
    /// A password hash requires an import job of Cognito.
    HashRequiresImportJob,
    /// The import job did not create the user.
    ImportJobFailed,
    /// An earlier import created the user and did not complete it.
    IncompleteUser,
    /// The user was created during this import, and nothing proves that this import created it.
    CreationUnproven,
}

impl From<Reason> for RowCode {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::InvalidRequest => Self::InvalidRequest,
            Reason::UserExists => Self::UserExists,
            Reason::AliasExists => Self::AliasExists,
            Reason::UserNotFound => Self::UserNotFound,
            Reason::GroupNotFound => Self::GroupNotFound,
            Reason::InvalidPassword => Self::InvalidPassword,
            Reason::SignUpRefused => Self::SignUpRefused,
            Reason::WrongState => Self::WrongState,
            Reason::Throttled | Reason::LimitReached => Self::Throttled,
            Reason::MailQuotaExceeded => Self::MailQuotaExceeded,
            Reason::NotSupportedByEndpoint => Self::NotSupportedByEndpoint,
            // Reasons that stop an import, and reasons of operations that an import does not call.
            Reason::InvalidCredentials
            | Reason::UserNotConfirmed
            | Reason::PasswordResetRequired
            | Reason::DeviceNotFound
            | Reason::GroupExists
            | Reason::CodeMismatch
            | Reason::CodeExpired
            | Reason::TriggerNotInvoked
            | Reason::Unavailable
            | Reason::RevocationsUnavailable
            | Reason::DeadlineExceeded
            | Reason::PermissionMissing
            | Reason::Internal => Self::Internal,
        }
    }
}
