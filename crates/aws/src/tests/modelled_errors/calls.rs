//! Lists every operation of the adapters, with the port that sends it and its situation in provisioning.

use domain::retry::{Context, Rights, Situation};

/// A call of a port that sends one operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// The source file that sends the operation, without its extension.
    pub(super) file: &'static str,
    pub(super) operation: &'static str,
    pub(super) situation: Situation,
    pub(super) service: &'static str,
    pub(super) port: Port,
}

/// The port that returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Platform,
    /// A user pool, an app client and the invitation signing key.
    Users,
}

impl Call {
    /// In provisioning, only custom resources call the parameter store, right after a change of the function's role.
    pub(super) fn context(&self) -> Context {
        self.situation.with(if self.service == "ssm" { Rights::JustGranted } else { Rights::Settled })
    }
}

const fn of_users(file: &'static str, operation: &'static str, situation: Situation) -> Call {
    Call { file, operation, situation, service: "cognitoidentityprovider", port: Port::Users }
}

const fn of_platform(file: &'static str, service: &'static str, operation: &'static str, situation: Situation) -> Call {
    Call { file, operation, situation, service, port: Port::Platform }
}

const fn directory(operation: &'static str, situation: Situation) -> Call {
    of_users("directory", operation, situation)
}

const fn groups(operation: &'static str, situation: Situation) -> Call {
    of_users("groups", operation, situation)
}

const fn import_jobs(operation: &'static str, situation: Situation) -> Call {
    of_users("import_jobs", operation, situation)
}

const fn sign_in_security(operation: &'static str) -> Call {
    of_users("sign_in_security", operation, Situation::Settled)
}

const fn sessions(operation: &'static str, situation: Situation) -> Call {
    of_users("sessions", operation, situation)
}

const fn self_service(operation: &'static str) -> Call {
    of_users("self_service", operation, Situation::Settled)
}

const fn user_pools(operation: &'static str, situation: Situation) -> Call {
    of_platform("user_pools", "cognitoidentityprovider", operation, situation)
}

const fn identity_providers(operation: &'static str) -> Call {
    of_platform("identity_providers", "cognitoidentityprovider", operation, Situation::Settled)
}

const fn mfa(operation: &'static str) -> Call {
    of_platform("mfa", "cognitoidentityprovider", operation, Situation::Settled)
}

const fn identity_pools(operation: &'static str, situation: Situation) -> Call {
    of_platform("identity_pools", "cognitoidentity", operation, situation)
}

const fn functions(operation: &'static str) -> Call {
    of_platform("functions", "lambda", operation, Situation::Settled)
}

const fn parameters(operation: &'static str, situation: Situation) -> Call {
    of_platform("invitation_keys", "ssm", operation, situation)
}

const fn iam(operation: &'static str, situation: Situation) -> Call {
    of_platform("iam", "iam", operation, situation)
}

/// Operations that provisioning never calls are included, so that all are tested alike.
pub(super) const CALLS: [Call; 113] = [
    of_users("app_client", "DescribeUserPoolClient", Situation::Settled),
    directory("AdminAddUserToGroup", Situation::Settled),
    directory("AdminConfirmSignUp", Situation::Settled),
    directory("AdminCreateUser", Situation::Creating),
    directory("AdminDeleteUser", Situation::Settled),
    directory("AdminDeleteUserAttributes", Situation::Settled),
    directory("AdminDisableUser", Situation::Settled),
    directory("AdminEnableUser", Situation::Settled),
    directory("AdminGetUser", Situation::Settled),
    directory("AdminListGroupsForUser", Situation::Settled),
    directory("AdminRemoveUserFromGroup", Situation::Settled),
    directory("AdminResetUserPassword", Situation::Settled),
    directory("AdminSetUserPassword", Situation::Settled),
    directory("AdminUpdateUserAttributes", Situation::Settled),
    directory("AdminUserGlobalSignOut", Situation::Settled),
    directory("ListUsers", Situation::Settled),
    groups("CreateGroup", Situation::Creating),
    groups("DeleteGroup", Situation::Settled),
    groups("GetGroup", Situation::Settled),
    groups("ListGroups", Situation::Settled),
    groups("ListUsersInGroup", Situation::Settled),
    groups("UpdateGroup", Situation::Settled),
    of_users("identities", "AdminDisableProviderForUser", Situation::Settled),
    of_users("identities", "AdminLinkProviderForUser", Situation::Settled),
    import_jobs("CreateUserImportJob", Situation::Creating),
    import_jobs("DescribeUserImportJob", Situation::Settled),
    import_jobs("GetCSVHeader", Situation::Settled),
    Call { service: "cloudwatchlogs", ..import_jobs("GetLogEvents", Situation::Settled) },
    import_jobs("ListUserImportJobs", Situation::Settled),
    import_jobs("StartUserImportJob", Situation::Settled),
    Call { service: "ssm", ..of_users("invitation_key", "GetParameter", Situation::Settled) },
    of_users("old_user_pool", "GetUserPoolMfaConfig", Situation::Settled),
    Call { service: "ssm", ..of_users("secret_parameter", "GetParameter", Situation::Settled) },
    of_users("pool_settings", "DescribeUserPool", Situation::Settled),
    of_users("pool_settings", "DescribeUserPoolClient", Situation::Settled),
    of_users("quotas", "GetProvisionedLimit", Situation::Settled),
    sign_in_security("AdminForgetDevice"),
    sign_in_security("AdminListDevices"),
    sign_in_security("AdminListUserAuthEvents"),
    sign_in_security("AdminSetUserMFAPreference"),
    sessions("AdminInitiateAuth", Situation::Settled),
    sessions("AdminRespondToAuthChallenge", Situation::Settled),
    sessions("AssociateSoftwareToken", Situation::Settled),
    sessions("GetTokensFromRefreshToken", Situation::Settled),
    sessions("GlobalSignOut", Situation::Settled),
    sessions("RevokeToken", Situation::Settled),
    sessions("SignUp", Situation::Creating),
    sessions("VerifySoftwareToken", Situation::Settled),
    self_service("AssociateSoftwareToken"),
    self_service("ChangePassword"),
    self_service("ConfirmForgotPassword"),
    self_service("ConfirmSignUp"),
    self_service("DeleteUser"),
    self_service("ForgotPassword"),
    self_service("GetUser"),
    self_service("GetUserAttributeVerificationCode"),
    self_service("ResendConfirmationCode"),
    self_service("SetUserMFAPreference"),
    self_service("VerifySoftwareToken"),
    self_service("VerifyUserAttribute"),
    user_pools("AddCustomAttributes", Situation::Settled),
    // Safe to repeat, because Cognito rejects a duplicate group name.
    user_pools("CreateGroup", Situation::Settled),
    user_pools("CreateUserPool", Situation::Creating),
    user_pools("CreateUserPoolClient", Situation::Creating),
    user_pools("DeleteUserPool", Situation::Settled),
    user_pools("DeleteUserPoolClient", Situation::Settled),
    user_pools("DescribeUserPool", Situation::Settled),
    user_pools("DescribeUserPoolClient", Situation::Settled),
    user_pools("ListGroups", Situation::Settled),
    user_pools("ListUserPoolClients", Situation::Settled),
    user_pools("ListUsersInGroup", Situation::Settled),
    user_pools("ListUserPools", Situation::Settled),
    user_pools("TagResource", Situation::Settled),
    user_pools("UpdateUserPool", Situation::Settled),
    user_pools("UpdateUserPoolClient", Situation::Settled),
    identity_providers("DescribeIdentityProvider"),
    identity_providers("ListIdentityProviders"),
    mfa("GetUserPoolMfaConfig"),
    mfa("SetUserPoolMfaConfig"),
    identity_pools("CreateIdentityPool", Situation::Creating),
    identity_pools("DeleteIdentities", Situation::Settled),
    identity_pools("DeleteIdentityPool", Situation::Settled),
    identity_pools("DescribeIdentityPool", Situation::Settled),
    identity_pools("GetCredentialsForIdentity", Situation::AwaitingPropagation),
    identity_pools("GetId", Situation::Settled),
    identity_pools("GetIdentityPoolRoles", Situation::Settled),
    identity_pools("ListIdentityPools", Situation::Settled),
    identity_pools("SetIdentityPoolRoles", Situation::JustCreated),
    identity_pools("UpdateIdentityPool", Situation::Settled),
    functions("GetFunctionConcurrency"),
    functions("GetFunctionConfiguration"),
    functions("GetPolicy"),
    iam("AttachRolePolicy", Situation::JustCreated),
    iam("CreatePolicy", Situation::Creating),
    iam("CreatePolicyVersion", Situation::Creating),
    iam("CreateRole", Situation::Creating),
    iam("DeletePolicy", Situation::JustDetached),
    iam("DeletePolicyVersion", Situation::JustDetached),
    iam("DeleteRole", Situation::JustDetached),
    iam("DetachRolePolicy", Situation::Settled),
    iam("GetPolicy", Situation::Settled),
    iam("GetPolicyVersion", Situation::Settled),
    iam("GetRole", Situation::Settled),
    iam("ListAttachedRolePolicies", Situation::Settled),
    iam("ListPolicyVersions", Situation::JustDetached),
    iam("ListRolePolicies", Situation::Settled),
    iam("PutRolePermissionsBoundary", Situation::JustCreated),
    iam("UpdateAssumeRolePolicy", Situation::JustCreated),
    parameters("DeleteParameter", Situation::Settled),
    parameters("GetParameter", Situation::Settled),
    parameters("ListTagsForResource", Situation::Settled),
    parameters("PutParameter", Situation::Creating),
    of_platform("sts", "sts", "GetCallerIdentity", Situation::Settled),
];
