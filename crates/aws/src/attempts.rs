//! Observes the attempts of calls to a user pool: which were throttled, and which repeat an earlier attempt.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::classify::throttles;

/// An attempt of a call to a user pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Cognito throttled the attempt.
    Throttled {
        /// The category of the exceeded request rate quota, e.g. `UserRead`.
        category: &'static str,
    },
    /// The attempt repeats an earlier one that failed.
    Repeated,
}

/// Receives attempts.
pub type AttemptObserver = fn(Attempt);

/// Passes attempts to an observer.
#[derive(Debug)]
pub(crate) struct Attempts(pub(crate) AttemptObserver);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "attempts"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<RequestAttempts>().is_some_and(|attempts| attempts.attempts() > 1) {
            self.0(Attempt::Repeated);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let is_throttled = !response.status().is_success()
            && response.body().bytes().and_then(error_code).is_some_and(|code| throttles(&code));
        if is_throttled {
            let operation = config.load::<Metadata>().map_or("", Metadata::name);
            self.0(Attempt::Throttled { category: quota_category(operation) });
        }
        Ok(())
    }
}

/// The code in the body of an AWS JSON error, without its namespace.
fn error_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = body.get("__type")?.as_str()?;
    Some(code.rsplit('#').next().unwrap_or(code).to_owned())
}

/// The category of the request rate quota of an operation, as in [Quotas in Amazon Cognito]. Operations that Poolkeeper
/// does not call are in the category `Other`.
///
/// [Quotas in Amazon Cognito]: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
pub(crate) fn quota_category(operation: &str) -> &'static str {
    match operation {
        "AdminInitiateAuth"
        | "AdminRespondToAuthChallenge"
        | "InitiateAuth"
        | "RespondToAuthChallenge"
        | "GetTokensFromRefreshToken" => "UserAuthentication",
        "AdminConfirmSignUp" | "AdminCreateUser" | "ConfirmSignUp" | "SignUp" => "UserCreation",
        "AdminResetUserPassword"
        | "AdminSetUserPassword"
        | "ChangePassword"
        | "ConfirmForgotPassword"
        | "ForgotPassword" => "UserAccountRecovery",
        "AdminGetUser" | "GetUser" => "UserRead",
        "AdminAddUserToGroup"
        | "AdminDeleteUser"
        | "AdminDeleteUserAttributes"
        | "AdminDisableProviderForUser"
        | "AdminDisableUser"
        | "AdminEnableUser"
        | "AdminLinkProviderForUser"
        | "AdminRemoveUserFromGroup"
        | "AdminUpdateUserAttributes"
        | "AdminUserGlobalSignOut"
        | "DeleteUser"
        | "GlobalSignOut"
        | "UpdateUserAttributes"
        | "VerifyUserAttribute" => "UserUpdate",
        "RevokeToken" => "UserToken",
        "AdminListDevices"
        | "AdminListGroupsForUser"
        | "AdminListUserAuthEvents"
        | "GetUserAttributeVerificationCode"
        | "ResendConfirmationCode" => "UserResourceRead",
        "AdminForgetDevice"
        | "AdminSetUserMFAPreference"
        | "AssociateSoftwareToken"
        | "SetUserMFAPreference"
        | "VerifySoftwareToken" => "UserResourceUpdate",
        "ListUsers" | "ListUsersInGroup" => "UserList",
        "DescribeUserPool" | "ListUserPools" => "UserPoolRead",
        "CreateUserPool" | "DeleteUserPool" | "UpdateUserPool" => "UserPoolUpdate",
        "DescribeIdentityProvider"
        | "DescribeUserImportJob"
        | "GetCSVHeader"
        | "GetGroup"
        | "GetUserPoolMfaConfig"
        | "ListGroups"
        | "ListIdentityProviders"
        | "ListTagsForResource"
        | "ListUserImportJobs" => "UserPoolResourceRead",
        "AddCustomAttributes"
        | "CreateGroup"
        | "CreateUserImportJob"
        | "DeleteGroup"
        | "SetUserPoolMfaConfig"
        | "StartUserImportJob"
        | "TagResource"
        | "UntagResource"
        | "UpdateGroup" => "UserPoolResourceUpdate",
        "DescribeUserPoolClient" | "ListUserPoolClients" => "UserPoolClientRead",
        "CreateUserPoolClient" | "DeleteUserPoolClient" | "UpdateUserPoolClient" => "UserPoolClientUpdate",
        "GetProvisionedLimit" => "LimitManagement",
        _ => "Other",
    }
}
