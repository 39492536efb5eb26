//! The expected meaning of each error, independent of the tables in `classify.rs`.

use std::collections::BTreeSet;

use domain::retry::ErrorClass;
use domain::user_pool::error::Reason;

use super::calls::{CALLS, Call, Port};
use super::{Fault, common_faults, modelled_faults};
use crate::tests::sdk_source::Sdk;

/// The errors of pools, clients, groups, policies, roles, identities and parameters.
const CLASSES: [(ErrorClass, &[&str]); 12] = [
    (ErrorClass::Throttled, &["TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"]),
    (
        ErrorClass::OutcomeUnknown,
        &["InternalErrorException", "InternalServerError", "ServiceException", "ServiceFailure", "ServiceUnavailable"],
    ),
    (
        ErrorClass::ConcurrentModification,
        &[
            "ConcurrentModificationException",
            "ConcurrentModification",
            "TooManyUpdates",
            "UserImportInProgressException",
        ],
    ),
    (
        ErrorClass::PrincipalNotVisibleYet,
        &["InvalidSmsRoleAccessPolicyException", "InvalidSmsRoleTrustRelationshipException"],
    ),
    (ErrorClass::RoleNotAssumable, &["InvalidIdentityPoolConfigurationException"]),
    (ErrorClass::ExternalService, &["ExternalServiceException"]),
    (ErrorClass::Conflict, &["ResourceConflictException", "DeleteConflict"]),
    (ErrorClass::NotFound, &["ResourceNotFoundException", "NoSuchEntity", "ParameterNotFound", "InvalidResourceId"]),
    (ErrorClass::AlreadyExists, &["EntityAlreadyExists", "GroupExistsException", "ParameterAlreadyExists"]),
    (ErrorClass::QuotaExceeded, &["LimitExceededException", "LimitExceeded", "ParameterLimitExceeded"]),
    (ErrorClass::Forbidden, &["AccessDenied", "AccessDeniedException", "UnrecognizedClientException"]),
    (
        ErrorClass::Invalid,
        &[
            "InvalidParameterException",
            "InvalidParameterValueException",
            "InvalidInput",
            "MalformedPolicyDocument",
            "NotAuthorizedException",
            "InvalidEmailRoleAccessPolicyException",
            "InvalidOAuthFlowException",
            "ScopeDoesNotExistException",
            "UserPoolTaggingException",
            "PolicyNotAttachable",
            "UnmodifiableEntity",
            "InvalidKeyId",
            "ParameterVersionNotFound",
            "ParameterMaxVersionLimitExceeded",
            "ParameterPatternMismatchException",
            "InvalidAllowedPatternException",
            "IncompatiblePolicyException",
            "InvalidPolicyAttributeException",
            "InvalidPolicyTypeException",
            "PoliciesLimitExceededException",
            "HierarchyLevelLimitExceededException",
            "HierarchyTypeMismatchException",
            "UnsupportedParameterType",
            "InvalidResourceType",
            "FeatureUnavailableInTierException",
            "TierChangeNotAllowedException",
            "OperationNotEnabledException",
        ],
    ),
];

/// The errors of [`Port::Users`], for the admin API and for provisioning.
const REASONS: [(Reason, ErrorClass, &[&str]); 19] = [
    (
        Reason::Throttled,
        ErrorClass::Throttled,
        &[
            "TooManyRequestsException",
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "ConcurrentModificationException",
        ],
    ),
    (
        Reason::Unavailable,
        ErrorClass::OutcomeUnknown,
        &["InternalErrorException", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException"],
    ),
    (
        Reason::PermissionMissing,
        ErrorClass::Forbidden,
        &["AccessDenied", "AccessDeniedException", "UnrecognizedClientException"],
    ),
    (Reason::LimitReached, ErrorClass::QuotaExceeded, &["LimitExceededException", "TooManyFailedAttemptsException"]),
    (Reason::TriggerNotInvoked, ErrorClass::TriggerNotInvoked, &["UnexpectedLambdaException"]),
    (Reason::SignUpRefused, ErrorClass::SignUpRefused, &["UserLambdaValidationException"]),
    (Reason::UserNotFound, ErrorClass::NotFound, &["UserNotFoundException"]),
    (Reason::UserExists, ErrorClass::AlreadyExists, &["UsernameExistsException"]),
    (Reason::AliasExists, ErrorClass::AlreadyExists, &["AliasExistsException"]),
    (Reason::GroupExists, ErrorClass::AlreadyExists, &["GroupExistsException"]),
    (Reason::InvalidRequest, ErrorClass::Invalid, &["InvalidParameterException"]),
    (
        Reason::InvalidPassword,
        ErrorClass::Invalid,
        &["InvalidPasswordException", "PasswordHistoryPolicyViolationException"],
    ),
    (Reason::UserNotConfirmed, ErrorClass::Invalid, &["UserNotConfirmedException"]),
    (Reason::PasswordResetRequired, ErrorClass::Invalid, &["PasswordResetRequiredException"]),
    (Reason::WrongState, ErrorClass::Invalid, &["UnsupportedUserStateException", "UserPoolAddOnNotEnabledException"]),
    (Reason::CodeMismatch, ErrorClass::Invalid, &["CodeMismatchException", "EnableSoftwareTokenMFAException"]),
    (Reason::CodeExpired, ErrorClass::Invalid, &["ExpiredCodeException"]),
    (
        Reason::InvalidCredentials,
        ErrorClass::Invalid,
        &["UnsupportedTokenTypeException", "UnauthorizedException", "RefreshTokenReuseException"],
    ),
    (
        Reason::Internal,
        ErrorClass::Unexpected,
        &[
            "NotAuthorizedException",
            "ResourceNotFoundException",
            "ForbiddenException",
            "InvalidLambdaResponseException",
            "CodeDeliveryFailureException",
            "InvalidEmailRoleAccessPolicyException",
            "InvalidSmsRoleAccessPolicyException",
            "InvalidSmsRoleTrustRelationshipException",
            "InvalidUserPoolConfigurationException",
            "MFAMethodNotFoundException",
            "SoftwareTokenMFANotFoundException",
            "PreconditionNotMetException",
            "FeatureUnavailableInTierException",
            "OperationNotEnabledException",
            "UnsupportedOperationException",
            "UserPoolTaggingException",
            "InvalidKeyId",
            "ParameterNotFound",
            "ParameterVersionNotFound",
        ],
    ),
];

/// Exceptions to [`REASONS`]: operations, codes and their meaning.
const REASONS_OF: [(&[&str], &[&str], Reason, ErrorClass); 17] = [
    (
        &[
            "AdminAddUserToGroup",
            "AdminRemoveUserFromGroup",
            "DeleteGroup",
            "GetGroup",
            "ListUsersInGroup",
            "UpdateGroup",
        ],
        &["ResourceNotFoundException"],
        Reason::GroupNotFound,
        ErrorClass::NotFound,
    ),
    (&["AdminForgetDevice"], &["ResourceNotFoundException"], Reason::DeviceNotFound, ErrorClass::NotFound),
    (&["AdminListDevices"], &["ResourceNotFoundException"], Reason::UserNotFound, ErrorClass::NotFound),
    (
        &["CreateUserImportJob", "StartUserImportJob"],
        &["PreconditionNotMetException"],
        Reason::WrongState,
        ErrorClass::Invalid,
    ),
    (
        &["AdminForgetDevice", "AdminListDevices"],
        &["InvalidUserPoolConfigurationException"],
        Reason::WrongState,
        ErrorClass::Invalid,
    ),
    (
        &["AdminConfirmSignUp", "AdminResetUserPassword", "ConfirmSignUp", "ForgotPassword", "ResendConfirmationCode"],
        &["NotAuthorizedException"],
        Reason::WrongState,
        ErrorClass::Invalid,
    ),
    (
        &["AdminSetUserMFAPreference"],
        &["InvalidParameterException", "PasswordResetRequiredException", "UserNotConfirmedException"],
        Reason::WrongState,
        ErrorClass::Invalid,
    ),
    (&["SetUserMFAPreference"], &["InvalidParameterException"], Reason::WrongState, ErrorClass::Invalid),
    (
        &["AssociateSoftwareToken", "VerifySoftwareToken"],
        &["SoftwareTokenMFANotFoundException"],
        Reason::WrongState,
        ErrorClass::Invalid,
    ),
    (&["SignUp"], &["NotAuthorizedException"], Reason::SignUpRefused, ErrorClass::SignUpRefused),
    (&["ConfirmSignUp"], &["UserNotFoundException"], Reason::CodeMismatch, ErrorClass::Invalid),
    (
        &["ConfirmForgotPassword"],
        &["NotAuthorizedException", "UserNotFoundException"],
        Reason::CodeMismatch,
        ErrorClass::Invalid,
    ),
    (
        &[
            "AdminConfirmSignUp",
            "AdminResetUserPassword",
            "AdminUpdateUserAttributes",
            "ConfirmForgotPassword",
            "ForgotPassword",
            "GetUserAttributeVerificationCode",
        ],
        &["UserLambdaValidationException"],
        Reason::Internal,
        ErrorClass::Unexpected,
    ),
    (&["GlobalSignOut"], &["NotAuthorizedException"], Reason::InvalidCredentials, ErrorClass::Invalid),
    (
        &["AdminInitiateAuth", "AdminRespondToAuthChallenge", "GetTokensFromRefreshToken"],
        &["NotAuthorizedException", "UserNotFoundException", "UserLambdaValidationException"],
        Reason::InvalidCredentials,
        ErrorClass::Invalid,
    ),
    (&["AssociateSoftwareToken"], &["NotAuthorizedException"], Reason::InvalidCredentials, ErrorClass::Invalid),
    (
        &[
            "ChangePassword",
            "DeleteUser",
            "GetUser",
            "GetUserAttributeVerificationCode",
            "SetUserMFAPreference",
            "VerifySoftwareToken",
            "VerifyUserAttribute",
        ],
        &["NotAuthorizedException", "UserNotConfirmedException", "UserNotFoundException"],
        Reason::InvalidCredentials,
        ErrorClass::Invalid,
    ),
];

/// Returns the class of an error, and its reason for [`Port::Users`].
pub(super) fn meaning(call: &Call, code: &str, message: &str) -> (ErrorClass, Option<Reason>) {
    match call.port {
        Port::Platform if message.contains("Invalid principal in policy") => (ErrorClass::PrincipalNotVisibleYet, None),
        Port::Platform => {
            let mut rows = CLASSES.iter();
            let row = rows.find(|(_, codes)| codes.contains(&code));
            let (class, _) = row.unwrap_or_else(|| panic!("{}: no meaning of `{code}`: add a row", call.operation));
            (*class, None)
        }
        Port::Users
            if message.starts_with("UserMigration failed")
                && matches!(call.operation, "AdminInitiateAuth" | "ForgotPassword") =>
        {
            (ErrorClass::OutcomeUnknown, Some(Reason::Unavailable))
        }
        Port::Users => {
            let special = REASONS_OF
                .iter()
                .find(|(operations, codes, ..)| operations.contains(&call.operation) && codes.contains(&code));
            if let Some((.., reason, class)) = special {
                return (*class, Some(*reason));
            }
            let row = REASONS.iter().find(|(.., codes)| codes.contains(&code));
            let (reason, class, _) =
                row.unwrap_or_else(|| panic!("{}: no meaning of `{code}`: add a row", call.operation));
            (*class, Some(*reason))
        }
    }
}

#[test]
fn tables_contain_only_possible_errors() {
    let mut possible = BTreeSet::new();
    for call in CALLS {
        for fault in modelled_faults(&call).into_iter().chain(common_faults()) {
            if let Fault::Code { code, .. } = fault {
                possible.insert((call.port == Port::Users, code));
            }
        }
    }
    let platform = CLASSES.iter().flat_map(|(_, codes)| *codes).map(|code| (false, *code));
    let users = REASONS.iter().flat_map(|(.., codes)| *codes).map(|code| (true, *code));
    let impossible: Vec<_> =
        platform.chain(users).filter(|(port, code)| !possible.contains(&(*port, (*code).to_owned()))).collect();
    assert_eq!(impossible, []);

    let pairs = REASONS_OF.iter().flat_map(|(operations, codes, ..)| {
        operations.iter().flat_map(move |operation| codes.iter().map(move |code| (*operation, (*code).to_owned())))
    });
    let impossible: Vec<_> = pairs.filter(|(operation, code)| !modelled_codes(operation).contains(code)).collect();
    assert_eq!(impossible, []);
}

/// Returns the error codes of an operation of [`Port::Users`] in the service model.
fn modelled_codes(operation: &str) -> Vec<String> {
    Sdk::of("cognitoidentityprovider").error_codes(operation)
}
