//! Maps AWS's error codes to their meaning for provisioning ([`class`]) and for callers of a user pool ([`reason`]). A
//! new code needs a row here and in `tests/modelled_errors/meanings.rs`; tests compare both with the SDK's model.

use domain::retry::ErrorClass;
use domain::user_pool::error::{Reason, UserPoolError};

use crate::failure::{Failure, Kind};

/// Returns the meaning of a failure for provisioning.
pub(crate) fn class(failure: &Failure) -> ErrorClass {
    match &failure.kind {
        Kind::Service { code, message, status } => explicit_class(code, message).unwrap_or(match status {
            500.. => ErrorClass::OutcomeUnknown,
            _ => ErrorClass::Invalid,
        }),
        // A truncated or incomplete response does not tell whether the call took effect.
        Kind::Unreachable(_) | Kind::TimedOut | Kind::Unreadable(_) => ErrorClass::OutcomeUnknown,
        Kind::NotSent(_) => ErrorClass::Unexpected,
    }
}

/// Maps the errors of pools, clients, groups, policies, roles, identities and parameters. Returns `None` for an unknown
/// error.
pub(crate) fn explicit_class(code: &str, message: &str) -> Option<ErrorClass> {
    let class = match code {
        _ if throttles(code) => ErrorClass::Throttled,
        _ if service_failed(code) => ErrorClass::OutcomeUnknown,
        _ if permission_missing(code) => ErrorClass::Forbidden,
        // The SDK treats these as throttling; see `clients.rs`.
        "LimitExceededException" | "LimitExceeded" | "ServiceQuotaExceededException" | "ParameterLimitExceeded" => {
            ErrorClass::QuotaExceeded
        }
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "TooManyUpdates"
        // A user import locks the pool.
        | "UserImportInProgressException" => ErrorClass::ConcurrentModification,
        // Only this message is caused by IAM propagation.
        "MalformedPolicyDocument" if message.contains("Invalid principal in policy") => {
            ErrorClass::PrincipalNotVisibleYet
        }
        // Cognito checks the SMS role immediately, but a new role can still be invisible to it.
        "InvalidSmsRoleTrustRelationshipException" | "InvalidSmsRoleAccessPolicyException" => {
            ErrorClass::PrincipalNotVisibleYet
        }
        "InvalidIdentityPoolConfigurationException" => ErrorClass::RoleNotAssumable,
        "ExternalServiceException" => ErrorClass::ExternalService,
        "ResourceConflictException" | "DeleteConflict" => ErrorClass::Conflict,
        "ResourceNotFoundException" | "NoSuchEntity" | "ParameterNotFound" | "InvalidResourceId" => ErrorClass::NotFound,
        "EntityAlreadyExists" | "GroupExistsException" | "ParameterAlreadyExists" => ErrorClass::AlreadyExists,
        // The spec or the state of the target does not allow the call, so a retry cannot succeed.
        "InvalidParameterException"
        | "InvalidParameterValueException"
        | "InvalidInput"
        | "MalformedPolicyDocument"
        | "NotAuthorizedException"
        | "InvalidEmailRoleAccessPolicyException"
        | "InvalidOAuthFlowException"
        | "ScopeDoesNotExistException"
        | "UserPoolTaggingException"
        | "PolicyNotAttachable"
        | "UnmodifiableEntity"
        // The KMS key of parameters is disabled or pending deletion.
        | "InvalidKeyId"
        // Poolkeeper's parameters have no requested version, no pattern, no policies and no long path.
        | "ParameterVersionNotFound"
        | "ParameterMaxVersionLimitExceeded"
        | "ParameterPatternMismatchException"
        | "InvalidAllowedPatternException"
        | "IncompatiblePolicyException"
        | "InvalidPolicyAttributeException"
        | "InvalidPolicyTypeException"
        | "PoliciesLimitExceededException"
        | "HierarchyLevelLimitExceededException"
        | "HierarchyTypeMismatchException"
        | "UnsupportedParameterType"
        // AWS returns this code only for other types of resources than `Parameter`.
        | "InvalidResourceType"
        // Not available in the pool's feature plan or region.
        | "FeatureUnavailableInTierException"
        | "TierChangeNotAllowedException"
        | "OperationNotEnabledException" => ErrorClass::Invalid,
        _ => return None,
    };
    Some(class)
}

/// Whether the code means throttling: the call had no effect and can succeed later.
pub(crate) fn throttles(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
    )
}

/// Whether the code means a failure of the service, after which the effect of the call is unknown.
fn service_failed(code: &str) -> bool {
    matches!(
        code,
        "InternalErrorException"
            | "InternalServerError"
            | "InternalServerException"
            | "InternalFailure"
            | "ServiceException"
            | "ServiceFailure"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}

/// Whether the code means wrong, missing or expired credentials, or a role that does not allow the call.
fn permission_missing(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "OptInRequired"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
    )
}

impl From<Failure> for UserPoolError {
    fn from(failure: Failure) -> Self {
        Self {
            reason: reason(&failure),
            operation: failure.operation,
            request_id: failure.request_id.clone(),
            source: Some(Box::new(failure)),
        }
    }
}

/// Returns the meaning of a failure for the callers of a user pool.
pub(crate) fn reason(failure: &Failure) -> Reason {
    match &failure.kind {
        Kind::Service { code, message, status } => {
            explicit_reason(failure.operation, code, message).unwrap_or(match status {
                500.. => Reason::Unavailable,
                _ => Reason::Internal,
            })
        }
        Kind::Unreachable(_) => Reason::Unavailable,
        Kind::TimedOut => Reason::DeadlineExceeded,
        Kind::Unreadable(_) | Kind::NotSent(_) => Reason::Internal,
    }
}

/// Maps the errors of operations on users. Returns `None` for an unknown error.
pub(crate) fn explicit_reason(operation: &str, code: &str, message: &str) -> Option<Reason> {
    let reason = match code {
        _ if throttles(code) => Reason::Throttled,
        _ if service_failed(code) => Reason::Unavailable,
        _ if permission_missing(code) => Reason::PermissionMissing,
        // A concurrent request sets up the same authenticator app.
        "ConcurrentModificationException" => Reason::Throttled,
        // "Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure
        // your user pool to use your own Amazon SES configuration for sending email."
        "LimitExceededException" if message.contains("daily email limit") => Reason::MailQuotaExceeded,
        // The attempts of one user ("Attempt limit exceeded, please try after some time") or a quota of the pool, such
        // as groups.
        "LimitExceededException" | "TooManyFailedAttemptsException" => Reason::LimitReached,
        "InvalidPasswordException" | "PasswordHistoryPolicyViolationException" => Reason::InvalidPassword,
        "InvalidParameterException" => invalid_parameter(operation, message),
        "NotAuthorizedException" => not_authorized(operation, message),
        "UserNotFoundException" => user_not_found(operation),
        "ResourceNotFoundException" => resource_not_found(operation, message),
        "UserLambdaValidationException" => refused_by_trigger(operation, message),
        "UserNotConfirmedException" if presents_token(operation) => Reason::InvalidCredentials,
        // The target user must act first, not the caller.
        "UserNotConfirmedException" | "PasswordResetRequiredException" if operation == "AdminSetUserMFAPreference" => {
            Reason::WrongState
        }
        "UserNotConfirmedException" => Reason::UserNotConfirmed,
        "PasswordResetRequiredException" => Reason::PasswordResetRequired,
        "UsernameExistsException" => Reason::UserExists,
        "AliasExistsException" => Reason::AliasExists,
        "GroupExistsException" => Reason::GroupExists,
        // `UserPoolAddOnNotEnabledException`: threat protection, which records auth events, is not enabled.
        "UnsupportedUserStateException" | "UserPoolAddOnNotEnabledException" => Reason::WrongState,
        // The pool does not offer authenticator apps.
        "SoftwareTokenMFANotFoundException"
            if matches!(operation, "AssociateSoftwareToken" | "VerifySoftwareToken") =>
        {
            Reason::WrongState
        }
        // Another import job is active, or the file is not uploaded ("No csv file was uploaded for import-…").
        "PreconditionNotMetException" if matches!(operation, "CreateUserImportJob" | "StartUserImportJob") => {
            Reason::WrongState
        }
        // The pool remembers no devices.
        "InvalidUserPoolConfigurationException" if matches!(operation, "AdminListDevices" | "AdminForgetDevice") => {
            Reason::WrongState
        }
        "CodeMismatchException" | "EnableSoftwareTokenMFAException" => Reason::CodeMismatch,
        "ExpiredCodeException" => Reason::CodeExpired,
        "UnsupportedTokenTypeException" | "UnauthorizedException" | "RefreshTokenReuseException" => {
            Reason::InvalidCredentials
        }
        "UnexpectedLambdaException" => Reason::TriggerNotInvoked,
        // Unknown operations: AWS's common errors, which cognito-local also returns. ministack returns `InvalidAction`.
        "InvalidAction" | "UnknownOperationException" | "Unsupported" => Reason::NotSupportedByEndpoint,
        // Faulty triggers and roles, conflicting settings, and AWS WAF. The operator must fix them, not the caller.
        "InvalidLambdaResponseException"
        | "CodeDeliveryFailureException"
        | "InvalidEmailRoleAccessPolicyException"
        | "InvalidSmsRoleAccessPolicyException"
        | "InvalidSmsRoleTrustRelationshipException"
        | "InvalidUserPoolConfigurationException"
        | "MFAMethodNotFoundException"
        | "SoftwareTokenMFANotFoundException"
        | "PreconditionNotMetException"
        | "FeatureUnavailableInTierException"
        | "OperationNotEnabledException"
        | "UnsupportedOperationException"
        | "UserPoolTaggingException"
        | "ForbiddenException"
        // The invitation signing key is not available.
        | "InvalidKeyId"
        | "ParameterNotFound"
        | "ParameterVersionNotFound" => Reason::Internal,
        _ => return None,
    };
    Some(reason)
}

/// Maps `InvalidParameterException`. Some of its messages are about the state of the user, not about the request.
fn invalid_parameter(operation: &str, message: &str) -> Reason {
    match operation {
        // "Cannot reset password for the user as there is no registered/verified email or phone_number"
        "ForgotPassword" | "AdminResetUserPassword" if message.contains("verified email") => Reason::WrongState,
        // "User is already confirmed."
        "ResendConfirmationCode" if message.contains("already confirmed") => Reason::WrongState,
        // "User has not verified software token mfa", "User does not have delivery config set to turn on SMS_MFA" and
        // others. The adapter creates the other fields of the request, so they are valid.
        "AdminSetUserMFAPreference" | "SetUserMFAPreference" => Reason::WrongState,
        // "SourceUser is already linked to DestinationUser", and "Merging is not currently supported, provide a
        // SourceUser that has not been signed up in order to link": the identity already has its own user.
        "AdminLinkProviderForUser"
            if message.contains("already linked") || message.contains("Merging is not currently supported") =>
        {
            Reason::AliasExists
        }
        _ => Reason::InvalidRequest,
    }
}

/// Maps `NotAuthorizedException`, whose meaning depends on the operation and the message.
fn not_authorized(operation: &str, message: &str) -> Reason {
    // "Unable to verify secret hash for client", "Client is configured with secret but SECRET_HASH was not received"
    let is_client_error = message.contains("secret hash") || message.contains("SECRET_HASH");
    match operation {
        // "Cannot modify an already provided email": the response to `NEW_PASSWORD_REQUIRED` contains an attribute that
        // the user has.
        "AdminRespondToAuthChallenge" if message.contains("Cannot modify an already provided") => {
            Reason::InvalidRequest
        }
        _ if proves_identity(operation) => Reason::InvalidCredentials,
        "SignUp" | "ConfirmSignUp" | "ResendConfirmationCode" | "ForgotPassword" | "ConfirmForgotPassword"
            if is_client_error =>
        {
            Reason::Internal
        }
        // "A client attempted to write unauthorized attribute".
        "SignUp" if message.contains("unauthorized attribute") => Reason::InvalidRequest,
        "SignUp" => Reason::SignUpRefused,
        // The user may be disabled. The caller must not learn that the user exists.
        "ConfirmForgotPassword" => Reason::CodeMismatch,
        // "User cannot be confirmed. Current status is CONFIRMED", "User password cannot be reset in the current
        // state.", "User is disabled."
        "AdminConfirmSignUp"
        | "AdminResetUserPassword"
        | "ConfirmSignUp"
        | "ForgotPassword"
        | "ResendConfirmationCode" => Reason::WrongState,
        _ if message.contains("urrent status is") => Reason::WrongState,
        _ => Reason::Internal,
    }
}

/// Maps `UserNotFoundException`. Callers that sign in or send a code must not learn which users exist.
fn user_not_found(operation: &str) -> Reason {
    match operation {
        _ if proves_identity(operation) => Reason::InvalidCredentials,
        "ConfirmSignUp" | "ConfirmForgotPassword" => Reason::CodeMismatch,
        _ => Reason::UserNotFound,
    }
}

/// Maps `ResourceNotFoundException`: a missing pool or client, which the operator must fix, or a missing group, device
/// or user.
fn resource_not_found(operation: &str, message: &str) -> Reason {
    match operation {
        // "User pool eu-west-1_… does not exist."
        _ if message.starts_with("User pool ") => Reason::Internal,
        "AdminAddUserToGroup"
        | "AdminRemoveUserFromGroup"
        | "DeleteGroup"
        | "GetGroup"
        | "ListUsersInGroup"
        | "UpdateGroup" => Reason::GroupNotFound,
        "AdminForgetDevice" => Reason::DeviceNotFound,
        // The model has no `UserNotFoundException` for this operation.
        "AdminListDevices" => Reason::UserNotFound,
        _ => Reason::Internal,
    }
}

/// Maps the rejection of a call by one of the operator's Lambda triggers.
fn refused_by_trigger(operation: &str, message: &str) -> Reason {
    match operation {
        // "UserMigration failed with error …": the trigger received no response from the old directory, so whether the
        // password is right is unknown.
        "AdminInitiateAuth" | "InitiateAuth" | "ForgotPassword" if message.starts_with("UserMigration failed") => {
            Reason::Unavailable
        }
        _ if proves_identity(operation) && !presents_token(operation) => Reason::InvalidCredentials,
        // Triggers that format a message or run after the change are not expected to reject.
        "AdminConfirmSignUp"
        | "AdminResetUserPassword"
        | "AdminUpdateUserAttributes"
        | "ConfirmForgotPassword"
        | "ForgotPassword"
        | "GetUserAttributeVerificationCode" => Reason::Internal,
        _ => Reason::SignUpRefused,
    }
}

/// Whether the caller presents a password, token or session.
fn proves_identity(operation: &str) -> bool {
    let signs_in_or_out = matches!(
        operation,
        "AdminInitiateAuth"
            | "AdminRespondToAuthChallenge"
            | "GetTokensFromRefreshToken"
            | "RevokeToken"
            | "GlobalSignOut"
    );
    signs_in_or_out || presents_token(operation)
}

/// Whether the operation is on the caller's own account, with an access token or the session of a challenge.
fn presents_token(operation: &str) -> bool {
    matches!(
        operation,
        "AssociateSoftwareToken"
            | "ChangePassword"
            | "DeleteUser"
            | "GetUser"
            | "GetUserAttributeVerificationCode"
            | "SetUserMFAPreference"
            | "VerifySoftwareToken"
            | "VerifyUserAttribute"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service_failure(operation: &'static str, code: &str, message: &str, status: u16) -> Failure {
        let kind = Kind::Service { code: code.to_owned(), message: message.to_owned(), status };
        Failure { operation, kind, request_id: None }
    }

    #[test]
    fn classifies_ambiguous_codes_by_message_and_unknown_codes_by_status() {
        let table = [
            (
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\"",
                400,
                ErrorClass::PrincipalNotVisibleYet,
            ),
            ("MalformedPolicyDocument", "Syntax errors in policy.", 400, ErrorClass::Invalid),
            ("RequestLimitExceeded", "", 503, ErrorClass::Throttled),
            ("LimitExceeded", "", 503, ErrorClass::QuotaExceeded),
            ("", "", 503, ErrorClass::OutcomeUnknown),
            ("UnknownCode", "", 502, ErrorClass::OutcomeUnknown),
            ("UnknownCode", "", 400, ErrorClass::Invalid),
        ];
        for (code, message, status, expected) in table {
            assert_eq!(class(&service_failure("Any", code, message, status)), expected, "{code} {message}");
        }
    }

    const MIGRATION_FAILED: &str =
        "UserMigration failed with error The request could not be processed. Try again later.";

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
            (
                "AdminInitiateAuth",
                "UserLambdaValidationException",
                "PreAuthentication failed with error UserMigration failed.",
                Reason::InvalidCredentials,
            ),
            ("AdminInitiateAuth", "UserLambdaValidationException", MIGRATION_FAILED, Reason::Unavailable),
            ("InitiateAuth", "UserLambdaValidationException", MIGRATION_FAILED, Reason::Unavailable),
            ("ForgotPassword", "UserLambdaValidationException", MIGRATION_FAILED, Reason::Unavailable),
            (
                "ForgotPassword",
                "UserLambdaValidationException",
                "CustomMessage failed with error no.",
                Reason::Internal,
            ),
            ("SignUp", "UserLambdaValidationException", MIGRATION_FAILED, Reason::SignUpRefused),
            ("AdminRespondToAuthChallenge", "NotAuthorizedException", "Invalid session", Reason::InvalidCredentials),
            (
                "AdminRespondToAuthChallenge",
                "NotAuthorizedException",
                "Cannot modify an already provided email",
                Reason::InvalidRequest,
            ),
            ("AdminRespondToAuthChallenge", "CodeMismatchException", "", Reason::CodeMismatch),
            ("AdminRespondToAuthChallenge", "ExpiredCodeException", "", Reason::CodeExpired),
            ("RevokeToken", "UnsupportedTokenTypeException", "", Reason::InvalidCredentials),
            ("RevokeToken", "UnauthorizedException", "", Reason::InvalidCredentials),
            ("GlobalSignOut", "NotAuthorizedException", "Access Token has been revoked", Reason::InvalidCredentials),
            ("SignUp", "NotAuthorizedException", "SignUp is not permitted for this user pool", Reason::SignUpRefused),
            ("SignUp", "NotAuthorizedException", "Unable to verify secret hash for client", Reason::Internal),
            (
                "SignUp",
                "NotAuthorizedException",
                "A client attempted to write unauthorized attribute",
                Reason::InvalidRequest,
            ),
            ("SignUp", "UserLambdaValidationException", "PreSignUp failed with error no.", Reason::SignUpRefused),
            ("SignUp", "UsernameExistsException", "", Reason::UserExists),
            ("SignUp", "UnexpectedLambdaException", "", Reason::TriggerNotInvoked),
            ("AdminConfirmSignUp", "NotAuthorizedException", "Current status is CONFIRMED", Reason::WrongState),
            ("AdminResetUserPassword", "NotAuthorizedException", "Current status is UNCONFIRMED", Reason::WrongState),
            ("AdminGetUser", "NotAuthorizedException", "", Reason::Internal),
            ("AdminGetUser", "UserNotFoundException", "", Reason::UserNotFound),
            ("AdminAddUserToGroup", "ResourceNotFoundException", "Group not found.", Reason::GroupNotFound),
            ("AdminGetUser", "ResourceNotFoundException", "User pool does not exist.", Reason::Internal),
            ("AdminUpdateUserAttributes", "AliasExistsException", "", Reason::AliasExists),
            ("AdminCreateUser", "UnsupportedUserStateException", "", Reason::WrongState),
            ("ListUsers", "TooManyRequestsException", "", Reason::Throttled),
            ("AdminInitiateAuth", "LimitExceededException", "Attempt limit exceeded", Reason::LimitReached),
            ("ListUsers", "InternalErrorException", "", Reason::Unavailable),
            ("ListUsers", "AccessDeniedException", "", Reason::PermissionMissing),
            (
                "SignUp",
                "LimitExceededException",
                "Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure your user pool to use your own Amazon SES configuration for sending email.",
                Reason::MailQuotaExceeded,
            ),
            ("ListUsers", "UnknownCode", "", Reason::Internal),
            ("UpdateGroup", "InvalidAction", "Unknown Cognito IDP action", Reason::NotSupportedByEndpoint),
            ("UpdateGroup", "UnknownOperationException", "", Reason::NotSupportedByEndpoint),
            ("UpdateGroup", "UnsupportedOperationException", "", Reason::Internal),
        ];
        for (operation, code, message, expected) in table {
            assert_eq!(
                reason(&service_failure(operation, code, message, 400)),
                expected,
                "{operation}: {code} {message}"
            );
        }
        assert_eq!(reason(&service_failure("ListUsers", "", "", 503)), Reason::Unavailable);
        assert_eq!(reason(&service_failure("GlobalSignOut", "Unsupported", "", 500)), Reason::NotSupportedByEndpoint);
    }

    #[test]
    fn a_call_without_an_answer_is_told_from_one_that_was_refused() {
        let without = |kind| Failure { operation: "ListUsers", kind, request_id: None };
        let table = [
            (Kind::Unreachable(String::new()), ErrorClass::OutcomeUnknown, Reason::Unavailable),
            (Kind::TimedOut, ErrorClass::OutcomeUnknown, Reason::DeadlineExceeded),
            (Kind::Unreadable(String::new()), ErrorClass::OutcomeUnknown, Reason::Internal),
            (Kind::NotSent(String::new()), ErrorClass::Unexpected, Reason::Internal),
        ];
        for (kind, expected_class, expected_reason) in table {
            let failure = without(kind);
            assert_eq!((class(&failure), reason(&failure)), (expected_class, expected_reason), "{failure:?}");
        }
    }
}
