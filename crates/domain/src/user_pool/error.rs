//! What can go wrong when a user pool is asked something, seen from the caller's need.

use std::error::Error;

use thiserror::Error;

use crate::retry::{Classified, ErrorClass};

/// Why a call to a user pool did not do what was asked.
///
/// A variant exists because some caller acts differently on it: each maps to one row of docs/ERRORS.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Reason {
    /// Cognito refused a parameter; the request can never work as it is.
    #[error("the user pool refused a parameter of the request")]
    InvalidRequest,
    /// User name or password, session, code secret or token is wrong. Never tells which, nor whether the user exists.
    #[error("the credentials are wrong")]
    InvalidCredentials,
    /// The user signed up and has not been confirmed yet.
    #[error("the user is not confirmed")]
    UserNotConfirmed,
    /// An administrator reset the password; the user must set a new one first.
    #[error("the password must be reset first")]
    PasswordResetRequired,
    /// There is no such user.
    #[error("there is no such user")]
    UserNotFound,
    /// There is no such group.
    #[error("there is no such group")]
    GroupNotFound,
    /// There is no such device.
    #[error("there is no such device")]
    DeviceNotFound,
    /// The user name is taken.
    #[error("a user with this name exists")]
    UserExists,
    /// The e-mail, phone or preferred user name is another user's alias.
    #[error("another user holds this alias")]
    AliasExists,
    /// The group's name is taken.
    #[error("a group with this name exists")]
    GroupExists,
    /// The user's status does not allow the operation (confirming a confirmed user, for instance).
    #[error("the user's status does not allow this")]
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
    /// The sign-up policy (the pre-sign-up trigger, or a pool without self sign-up) refused the sign-up.
    #[error("the sign-up was refused")]
    SignUpRefused,
    /// Cognito could not call the trigger: its permission is missing or not visible yet, or the function is broken.
    #[error("Cognito could not call the trigger")]
    TriggerNotInvoked,
    /// A limit is used up: how often one user may try something, which passes with time, or how much fits into the pool (groups, for
    /// instance), which does not. Not worth repeating soon.
    #[error("a limit is reached")]
    LimitReached,
    /// The pool has used up its daily quota of e-mail messages. Whether the call took effect before the mail is unknown.
    #[error(
        "the pool's default sender has used up the daily quota of e-mail messages (50 for an account); to send more, give the pool an \
         Amazon SES configuration"
    )]
    MailQuotaExceeded,
    /// Too many requests; worth repeating later.
    #[error("too many requests")]
    Throttled,
    /// The service failed, or could not be reached.
    #[error("the service is not available")]
    Unavailable,
    /// No answer came within the time that was left. Whether the call took effect is unknown.
    #[error("no answer in time")]
    DeadlineExceeded,
    /// The endpoint does not know the operation. Cognito knows every operation in use; an emulator may lack some.
    #[error("the endpoint does not support the operation")]
    NotSupportedByEndpoint,
    /// The credentials are wrong, or their role does not allow the call. The call did nothing.
    #[error("permission denied")]
    PermissionMissing,
    /// An internal fault: a wrong setting, an answer that makes no sense.
    #[error("unexpected failure")]
    Internal,
}

/// A failed call to a user pool.
///
/// `Display` names the operation and the reason. What the service said is in [`Error::source`]: for logs, never for callers.
#[derive(Debug, Error)]
#[error("{operation}: {reason}")]
pub struct UserPoolError {
    /// Why.
    pub reason: Reason,
    /// The operation of the service that failed, as the service names it, e.g. `AdminGetUser`.
    pub operation: &'static str,
    /// The service's id of the request, where one arrived.
    pub request_id: Option<String>,
    /// What the service said.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl UserPoolError {
    /// An error without a service's answer behind it.
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
            Reason::Unavailable | Reason::DeadlineExceeded => ErrorClass::OutcomeUnknown,
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
