//! Errors of calls to a user pool.

use std::error::Error;

use thiserror::Error;

use crate::retry::{Classified, ErrorClass};

/// Why a call to a user pool failed.
///
/// Callers handle each variant differently. Each maps to one row of docs/errors.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Reason {
    /// Cognito rejected a parameter. Repeating the request unchanged never succeeds.
    #[error("the user pool rejected a request parameter")]
    InvalidRequest,
    /// The user name, password, session or token is wrong. The error reveals neither which value is wrong nor whether
    /// the user exists.
    #[error("the credentials are wrong")]
    InvalidCredentials,
    /// The user signed up and is not confirmed.
    #[error("the user is not confirmed")]
    UserNotConfirmed,
    /// An administrator reset the password, so the user must set a new one.
    #[error("the password must be reset")]
    PasswordResetRequired,
    /// The user does not exist.
    #[error("user not found")]
    UserNotFound,
    /// The group does not exist.
    #[error("group not found")]
    GroupNotFound,
    /// The device does not exist.
    #[error("device not found")]
    DeviceNotFound,
    /// A user with this name already exists.
    #[error("a user with this name already exists")]
    UserExists,
    /// The e-mail address, phone number or preferred user name is an alias of another user.
    #[error("the alias belongs to another user")]
    AliasExists,
    /// A group with this name already exists.
    #[error("a group with this name already exists")]
    GroupExists,
    /// The user's status does not allow the operation, such as confirming a confirmed user.
    #[error("the user's status does not allow the operation")]
    WrongState,
    /// The password does not meet the pool's password policy.
    #[error("the password does not meet the pool's policy")]
    InvalidPassword,
    /// The confirmation code is wrong.
    #[error("the code is wrong")]
    CodeMismatch,
    /// The confirmation code has expired.
    #[error("the code has expired")]
    CodeExpired,
    /// The sign-up policy (the pre-sign-up trigger, or a pool without self sign-up) rejected the sign-up.
    #[error("the sign-up was rejected")]
    SignUpRefused,
    /// Cognito could not call the trigger: its permission is missing or not visible yet, or the function is broken.
    #[error("Cognito could not call the trigger")]
    TriggerNotInvoked,
    /// A limit is exceeded: the number of attempts of one user, which resets with time, or of resources in the pool,
    /// such as groups, which does not. Do not retry soon.
    #[error("limit exceeded")]
    LimitReached,
    /// The pool exceeded its daily quota of e-mail messages. The call may have taken effect, but the message was not
    /// sent.
    #[error(
        "the pool's default sender has used up the daily quota of e-mail messages (50 for an account); to send more, give the pool an \
         Amazon SES configuration"
    )]
    MailQuotaExceeded,
    /// Too many requests. Retry later.
    #[error("too many requests")]
    Throttled,
    /// The service failed or could not be reached.
    #[error("service unavailable")]
    Unavailable,
    /// The table of revocations failed or could not be reached. The user pool is unchanged, unless an earlier step
    /// changed it.
    #[error("the revocations are unavailable")]
    RevocationsUnavailable,
    /// No response arrived before the deadline. The call may have taken effect.
    #[error("timed out")]
    DeadlineExceeded,
    /// The endpoint does not support the operation. Only emulators return this error.
    #[error("the endpoint does not support the operation")]
    NotSupportedByEndpoint,
    /// The credentials are wrong, or their role does not allow the call. The call had no effect.
    #[error("permission denied")]
    PermissionMissing,
    /// An internal error, such as a wrong setting or an unexpected response.
    #[error("unexpected failure")]
    Internal,
}

/// A failed call to a user pool.
///
/// `Display` contains the operation and the reason. [`Error::source`] contains the service's message, which is for logs
/// only.
#[derive(Debug, Error)]
#[error("{operation}: {reason}")]
pub struct UserPoolError {
    /// The reason.
    pub reason: Reason,
    /// The service's name of the failed operation, e.g. `AdminGetUser`.
    pub operation: &'static str,
    /// The service's request id, if it responded.
    pub request_id: Option<String>,
    /// The service's error.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl UserPoolError {
    /// Creates an error without a request id and source.
    #[must_use]
    pub fn new(operation: &'static str, reason: Reason) -> Self {
        Self { reason, operation, request_id: None, source: None }
    }
}

impl Classified for UserPoolError {
    fn class(&self) -> ErrorClass {
        match self.reason {
            Reason::Throttled => ErrorClass::Throttled,
            Reason::LimitReached | Reason::MailQuotaExceeded => ErrorClass::QuotaExceeded,
            Reason::PermissionMissing => ErrorClass::Forbidden,
            Reason::TriggerNotInvoked => ErrorClass::TriggerNotInvoked,
            Reason::Unavailable | Reason::RevocationsUnavailable | Reason::DeadlineExceeded => {
                ErrorClass::OutcomeUnknown
            }
            Reason::UserNotFound | Reason::GroupNotFound | Reason::DeviceNotFound => ErrorClass::NotFound,
            Reason::UserExists | Reason::AliasExists | Reason::GroupExists => ErrorClass::AlreadyExists,
            Reason::SignUpRefused => ErrorClass::SignUpRefused,
            Reason::Internal => ErrorClass::Unexpected,
            Reason::InvalidRequest
            | Reason::InvalidCredentials
            | Reason::UserNotConfirmed
            | Reason::PasswordResetRequired
            | Reason::WrongState
            | Reason::NotSupportedByEndpoint
            | Reason::InvalidPassword
            | Reason::CodeMismatch
            | Reason::CodeExpired => ErrorClass::Invalid,
        }
    }
}
