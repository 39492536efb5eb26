//! What each error means: the tables that the adapter's are compared with.

use std::collections::BTreeSet;

use domain::retry::ErrorClass;
use domain::user_pool::error::Reason;

use super::calls::{CALLS, Call, Port};
use super::{Fault, common, modelled};
use crate::tests::sdk_source::Sdk;

/// What the errors of pools, clients, groups, policies, roles, identities and parameters mean.
const CLASSES: [(ErrorClass, &[&str]); 12] = [
    (ErrorClass::Throttled, &["TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"]),
    (
        ErrorClass::OutcomeUnknown,
        &["InternalErrorException", "InternalServerError", "ServiceFailure", "ServiceUnavailable"],
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

/// What the errors of users mean, to the admin API and to provisioning.
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
        &["InternalErrorException", "InternalServerError", "ServiceUnavailable"],
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

/// Where an error of users means something else than it does elsewhere: the operations, the codes, the meaning.
const REASONS_OF: [(&[&str], &[&str], Reason, ErrorClass); 16] = [
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

/// The class of an error by its code, and the reason where it is one of users.
pub(super) fn meaning(call: &Call, code: &str, message: &str) -> (ErrorClass, Option<Reason>) {
    match call.port {
        Port::Platform if message.contains("Invalid principal in policy") => (ErrorClass::PrincipalNotVisibleYet, None),
        Port::Platform => {
            let mut rows = CLASSES.iter();
            let row = rows.find(|(_, codes)| codes.contains(&code));
            let (class, _) = row.unwrap_or_else(|| panic!("{}: `{code}` is new: say what it means", call.operation));
            (*class, None)
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
                row.unwrap_or_else(|| panic!("{}: `{code}` is new: say what it means", call.operation));
            (*class, Some(*reason))
        }
    }
}

#[test]
fn the_tables_here_hold_nothing_that_cannot_happen() {
    let mut met = BTreeSet::new();
    for call in CALLS {
        for fault in modelled(&call).into_iter().chain(common()) {
            if let Fault::Code { code, .. } = fault {
                met.insert((call.port == Port::Users, code));
            }
        }
    }
    let platform = CLASSES.iter().flat_map(|(_, codes)| *codes).map(|code| (false, *code));
    let users = REASONS.iter().flat_map(|(.., codes)| *codes).map(|code| (true, *code));
    let unmet: Vec<_> =
        platform.chain(users).filter(|(port, code)| !met.contains(&(*port, (*code).to_owned()))).collect();
    assert_eq!(unmet, []);

    let pairs = REASONS_OF.iter().flat_map(|(operations, codes, ..)| {
        operations.iter().flat_map(move |operation| codes.iter().map(move |code| (*operation, (*code).to_owned())))
    });
    let unmet: Vec<_> = pairs.filter(|(operation, code)| !of_users(operation).contains(code)).collect();
    assert_eq!(unmet, []);
}

/// The codes that the model gives an operation of the users' port.
fn of_users(operation: &str) -> Vec<String> {
    Sdk::of("cognitoidentityprovider").error_codes(operation)
}
