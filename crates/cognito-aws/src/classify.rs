//! The only place that knows AWS's error codes: what each one means for provisioning ([`class`]) and for the callers of a user
//! pool ([`reason`]).
//!
//! To add an AWS error: one row in the table that meets it, one row in that table's test.

use domain::retry::ErrorClass;
use domain::user_pool_error::{Reason, UserPoolError};

use crate::failure::{Failure, Kind};

/// What a failure means for provisioning.
pub(crate) fn class(failure: &Failure) -> ErrorClass {
    match &failure.kind {
        Kind::Service { code, message, status } => class_of_code(code, message, *status),
        Kind::Unreachable(_) | Kind::TimedOut => ErrorClass::OutcomeUnknown,
        Kind::Unreadable(_) | Kind::NotSent(_) => ErrorClass::Unexpected,
    }
}

fn class_of_code(code: &str, message: &str, status: u16) -> ErrorClass {
    match code {
        "TooManyRequestsException" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            ErrorClass::Throttled
        }
        "InternalErrorException"
        | "InternalServerException"
        | "ServiceFailure"
        | "ServiceFailureException"
        | "ServiceUnavailable" => ErrorClass::OutcomeUnknown,
        // The SDK would count these as throttling; see `clients.rs`.
        "LimitExceededException" | "LimitExceeded" | "ServiceQuotaExceededException" => ErrorClass::QuotaExceeded,
        "ConcurrentModificationException" | "ConcurrentModification" => ErrorClass::ConcurrentModification,
        // Only this text is propagation. Any other malformed policy stays malformed.
        "MalformedPolicyDocument" if message.contains("Invalid principal in policy") => {
            ErrorClass::PrincipalNotVisibleYet
        }
        "InvalidIdentityPoolConfigurationException" => ErrorClass::RoleNotAssumable,
        "ExternalServiceException" => ErrorClass::ExternalService,
        "ResourceConflictException" | "DeleteConflict" => ErrorClass::Conflict,
        "ResourceNotFoundException" | "UserNotFoundException" | "NoSuchEntity" => ErrorClass::NotFound,
        "EntityAlreadyExists" | "GroupExistsException" | "UsernameExistsException" | "AliasExistsException" => {
            ErrorClass::AlreadyExists
        }
        "AccessDenied"
        | "AccessDeniedException"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch" => ErrorClass::Forbidden,
        "UserLambdaValidationException" => ErrorClass::SignUpRefused,
        // "SignUp is not permitted for this user pool": there is no code of its own for a pool without self sign-up.
        "NotAuthorizedException" if message.contains("SignUp is not permitted") => ErrorClass::SignUpRefused,
        _ if status >= 500 => ErrorClass::OutcomeUnknown,
        _ => ErrorClass::Invalid,
    }
}

/// Turns a failure into the error that the callers of a user pool understand.
pub(crate) fn user_pool_error(failure: Failure) -> UserPoolError {
    UserPoolError {
        reason: reason(&failure),
        operation: failure.operation,
        request_id: failure.request_id.clone(),
        source: Some(Box::new(failure)),
    }
}

/// What a failure means for the callers of a user pool.
pub(crate) fn reason(failure: &Failure) -> Reason {
    match &failure.kind {
        Kind::Service { code, message, status } => reason_of_code(failure.operation, code, message, *status),
        Kind::Unreachable(_) => Reason::Unavailable,
        Kind::TimedOut => Reason::DeadlineExceeded,
        Kind::Unreadable(_) | Kind::NotSent(_) => Reason::Internal,
    }
}

fn reason_of_code(operation: &str, code: &str, message: &str, status: u16) -> Reason {
    match code {
        "InvalidParameterException" => Reason::InvalidRequest,
        "InvalidPasswordException" | "PasswordHistoryPolicyViolationException" => Reason::InvalidPassword,
        "NotAuthorizedException" => not_authorized(operation, message),
        // Whoever signs in must not learn from the answer which users exist.
        "UserNotFoundException" | "UserLambdaValidationException" if proves_identity(operation) => {
            Reason::InvalidCredentials
        }
        "UserNotFoundException" => Reason::UserNotFound,
        "ResourceNotFoundException" if operation == "AdminAddUserToGroup" => Reason::GroupNotFound,
        "UsernameExistsException" => Reason::UserExists,
        "AliasExistsException" => Reason::AliasExists,
        "UserNotConfirmedException" => Reason::UserNotConfirmed,
        "PasswordResetRequiredException" => Reason::PasswordResetRequired,
        "UnsupportedUserStateException" => Reason::WrongState,
        "CodeMismatchException" => Reason::CodeMismatch,
        "ExpiredCodeException" => Reason::CodeExpired,
        "UserLambdaValidationException" => Reason::SignUpRefused,
        "UnsupportedTokenTypeException" | "UnauthorizedException" | "RefreshTokenReuseException" => {
            Reason::InvalidCredentials
        }
        // Here `LimitExceededException` is a limit per user ("Attempt limit exceeded, please try after some time").
        "TooManyRequestsException"
        | "TooManyFailedAttemptsException"
        | "Throttling"
        | "ThrottlingException"
        | "LimitExceededException" => Reason::Throttled,
        "InternalErrorException" | "InternalServerException" => Reason::Unavailable,
        _ if status >= 500 => Reason::Unavailable,
        // Missing permissions, missing pools and clients, broken triggers: the operator's to mend, not the caller's.
        _ => Reason::Internal,
    }
}

/// One code for four things; the operation, and at sign-up the text, tell them apart.
fn not_authorized(operation: &str, message: &str) -> Reason {
    match operation {
        "SignUp" if message.contains("secret hash") => Reason::Internal,
        "SignUp" => Reason::SignUpRefused,
        _ if proves_identity(operation) => Reason::InvalidCredentials,
        "AdminConfirmSignUp" => Reason::WrongState,
        // "User cannot be confirmed. Current status is CONFIRMED" and its like.
        _ if message.contains("urrent status is") => Reason::WrongState,
        _ => Reason::Internal,
    }
}

/// Operations in which the caller presents a password, token or session.
fn proves_identity(operation: &str) -> bool {
    matches!(operation, "AdminInitiateAuth" | "AdminRespondToAuthChallenge" | "RevokeToken" | "GlobalSignOut")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: &'static str, code: &str, message: &str, status: u16) -> Failure {
        let kind = Kind::Service { code: code.to_owned(), message: message.to_owned(), status };
        Failure { operation, kind, request_id: None }
    }

    #[test]
    fn every_code_has_its_class() {
        let table = [
            ("TooManyRequestsException", "", 400, ErrorClass::Throttled),
            ("Throttling", "Rate exceeded", 400, ErrorClass::Throttled),
            ("ThrottlingException", "", 400, ErrorClass::Throttled),
            ("RequestLimitExceeded", "", 503, ErrorClass::Throttled),
            ("InternalErrorException", "", 500, ErrorClass::OutcomeUnknown),
            ("ServiceFailure", "", 500, ErrorClass::OutcomeUnknown),
            ("", "", 503, ErrorClass::OutcomeUnknown),
            ("NeverHeardOf", "", 502, ErrorClass::OutcomeUnknown),
            ("LimitExceededException", "", 400, ErrorClass::QuotaExceeded),
            ("LimitExceeded", "", 409, ErrorClass::QuotaExceeded),
            ("ConcurrentModificationException", "", 400, ErrorClass::ConcurrentModification),
            ("ConcurrentModification", "", 409, ErrorClass::ConcurrentModification),
            (
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\"",
                400,
                ErrorClass::PrincipalNotVisibleYet,
            ),
            ("MalformedPolicyDocument", "Syntax errors in policy.", 400, ErrorClass::Invalid),
            ("InvalidIdentityPoolConfigurationException", "", 400, ErrorClass::RoleNotAssumable),
            ("ExternalServiceException", "", 400, ErrorClass::ExternalService),
            ("ResourceConflictException", "", 409, ErrorClass::Conflict),
            ("DeleteConflict", "", 409, ErrorClass::Conflict),
            ("ResourceNotFoundException", "", 400, ErrorClass::NotFound),
            ("UserNotFoundException", "", 400, ErrorClass::NotFound),
            ("NoSuchEntity", "", 404, ErrorClass::NotFound),
            ("EntityAlreadyExists", "", 409, ErrorClass::AlreadyExists),
            ("GroupExistsException", "", 400, ErrorClass::AlreadyExists),
            ("UsernameExistsException", "", 400, ErrorClass::AlreadyExists),
            ("AccessDenied", "", 403, ErrorClass::Forbidden),
            ("AccessDeniedException", "", 400, ErrorClass::Forbidden),
            ("UserLambdaValidationException", "", 400, ErrorClass::SignUpRefused),
            ("NotAuthorizedException", "SignUp is not permitted for this user pool", 400, ErrorClass::SignUpRefused),
            ("NotAuthorizedException", "Incorrect username or password.", 400, ErrorClass::Invalid),
            ("InvalidParameterException", "", 400, ErrorClass::Invalid),
            ("InvalidPasswordException", "", 400, ErrorClass::Invalid),
            ("NeverHeardOf", "", 400, ErrorClass::Invalid),
        ];
        for (code, message, status, expected) in table {
            assert_eq!(class(&refused("Any", code, message, status)), expected, "{code} {message}");
        }
    }

    #[test]
    fn every_code_has_its_reason() {
        let table = [
            ("AdminCreateUser", "InvalidParameterException", "", Reason::InvalidRequest),
            ("AdminSetUserPassword", "InvalidPasswordException", "", Reason::InvalidPassword),
            (
                "AdminInitiateAuth",
                "NotAuthorizedException",
                "Incorrect username or password.",
                Reason::InvalidCredentials,
            ),
            ("AdminInitiateAuth", "NotAuthorizedException", "Unable to verify secret hash", Reason::InvalidCredentials),
            ("AdminInitiateAuth", "UserNotFoundException", "User does not exist.", Reason::InvalidCredentials),
            ("AdminInitiateAuth", "UserNotConfirmedException", "", Reason::UserNotConfirmed),
            ("AdminInitiateAuth", "PasswordResetRequiredException", "", Reason::PasswordResetRequired),
            ("AdminInitiateAuth", "UserLambdaValidationException", "", Reason::InvalidCredentials),
            ("AdminRespondToAuthChallenge", "NotAuthorizedException", "Invalid session", Reason::InvalidCredentials),
            ("AdminRespondToAuthChallenge", "CodeMismatchException", "", Reason::CodeMismatch),
            ("AdminRespondToAuthChallenge", "ExpiredCodeException", "", Reason::CodeExpired),
            ("RevokeToken", "UnsupportedTokenTypeException", "", Reason::InvalidCredentials),
            ("RevokeToken", "UnauthorizedException", "", Reason::InvalidCredentials),
            ("GlobalSignOut", "NotAuthorizedException", "Access Token has been revoked", Reason::InvalidCredentials),
            ("SignUp", "NotAuthorizedException", "SignUp is not permitted for this user pool", Reason::SignUpRefused),
            ("SignUp", "NotAuthorizedException", "Unable to verify secret hash for client", Reason::Internal),
            ("SignUp", "UserLambdaValidationException", "PreSignUp failed with error no.", Reason::SignUpRefused),
            ("SignUp", "UsernameExistsException", "", Reason::UserExists),
            ("SignUp", "UnexpectedLambdaException", "", Reason::Internal),
            ("AdminConfirmSignUp", "NotAuthorizedException", "Current status is CONFIRMED", Reason::WrongState),
            ("AdminResetUserPassword", "NotAuthorizedException", "Current status is UNCONFIRMED", Reason::WrongState),
            ("AdminGetUser", "NotAuthorizedException", "", Reason::Internal),
            ("AdminGetUser", "UserNotFoundException", "", Reason::UserNotFound),
            ("AdminAddUserToGroup", "ResourceNotFoundException", "Group not found.", Reason::GroupNotFound),
            ("AdminGetUser", "ResourceNotFoundException", "User pool does not exist.", Reason::Internal),
            ("AdminUpdateUserAttributes", "AliasExistsException", "", Reason::AliasExists),
            ("AdminCreateUser", "UnsupportedUserStateException", "", Reason::WrongState),
            ("ListUsers", "TooManyRequestsException", "", Reason::Throttled),
            ("AdminInitiateAuth", "LimitExceededException", "Attempt limit exceeded", Reason::Throttled),
            ("ListUsers", "InternalErrorException", "", Reason::Unavailable),
            ("ListUsers", "AccessDeniedException", "", Reason::Internal),
            ("ListUsers", "NeverHeardOf", "", Reason::Internal),
        ];
        for (operation, code, message, expected) in table {
            assert_eq!(reason(&refused(operation, code, message, 400)), expected, "{operation}: {code} {message}");
        }
        assert_eq!(reason(&refused("ListUsers", "", "", 503)), Reason::Unavailable);
    }

    #[test]
    fn a_call_without_an_answer_is_told_from_one_that_was_refused() {
        let without = |kind| Failure { operation: "ListUsers", kind, request_id: None };
        let table = [
            (Kind::Unreachable(String::new()), ErrorClass::OutcomeUnknown, Reason::Unavailable),
            (Kind::TimedOut, ErrorClass::OutcomeUnknown, Reason::DeadlineExceeded),
            (Kind::Unreadable(String::new()), ErrorClass::Unexpected, Reason::Internal),
            (Kind::NotSent(String::new()), ErrorClass::Unexpected, Reason::Internal),
        ];
        for (kind, expected_class, expected_reason) in table {
            let failure = without(kind);
            assert_eq!((class(&failure), reason(&failure)), (expected_class, expected_reason), "{failure:?}");
        }
    }
}
