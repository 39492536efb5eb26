//! Makes the port call that sends an operation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use domain::backup::PoolSource;
use domain::doctor::Inspector as _;
use domain::invitation::{InvitationKey, InvitationKeys, KeyName, OwningStack, SigningKey};
use domain::migration::{LookupError, OldDirectory as _};
use domain::platform::{ClientState, IdentityPoolState, Platform, PlatformError, UserPoolState};
use domain::retry::{Classified, ErrorClass};
use domain::secret::Secret;
use domain::spec::{AttributeKind, ClientKind, ClientSpec, CustomAttribute, MfaMode, PoolAttributes, PoolName, Spec};
use domain::user_pool::directory::{AttributeChanges, Directory, NewUser, WelcomeMessage};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{GroupDetails, GroupName, Groups};
use domain::user_pool::identities::{ExternalIdentity, Identities};
use domain::user_pool::import_jobs::{ImportJobs as _, NewImportJob};
use domain::user_pool::page::PageRequest;
use domain::user_pool::quota::{Category, RequestQuotas as _};
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::{
    ChallengeAnswer, ChallengeResponse, ClientContext, Credentials, Factor, Registration, Sessions, SignIn,
};
use domain::user_pool::settings::PoolSettings;
use domain::user_pool::sign_in_security::{Mfa, SignInSecurity};
use domain::user_pool::user::{Attributes, Username};
use serde_json::json;

use super::calls::Call;
use crate::tests::access_token;
use crate::{
    Aws, AwsPlatform, CognitoAppClient, CognitoDirectory, CognitoImportJobs, OldUserPool, SecretParameter,
    SsmInvitationKey, SsmInvitationKeys,
};

/// An error of a port.
#[derive(Debug)]
pub(super) struct PortError {
    pub(super) operation: &'static str,
    pub(super) class: ErrorClass,
    /// Only for [`Port::Users`](super::calls::Port::Users).
    pub(super) reason: Option<Reason>,
}

impl Classified for PortError {
    fn class(&self) -> ErrorClass {
        self.class
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} failed", self.operation)
    }
}

impl std::error::Error for PortError {}

impl From<PlatformError> for PortError {
    fn from(error: PlatformError) -> Self {
        Self { operation: error.operation, class: error.class, reason: None }
    }
}

impl From<UserPoolError> for PortError {
    fn from(error: UserPoolError) -> Self {
        Self { operation: error.operation, class: error.class(), reason: Some(error.reason) }
    }
}

fn done<T, E: Into<PortError>>(result: Result<T, E>) -> Result<(), PortError> {
    result.map(drop).map_err(Into::into)
}

/// The error of the user pool in an error of the old directory.
fn cause(error: LookupError) -> PortError {
    let LookupError::Unavailable(cause) = error else { unreachable!("{error}") };
    (*cause.downcast::<UserPoolError>().unwrap()).into()
}

/// All ports of one AWS configuration.
pub(super) struct Ports {
    platform: AwsPlatform,
    directory: CognitoDirectory,
    client: Arc<CognitoAppClient>,
    import_jobs: CognitoImportJobs,
    invitation_key: SsmInvitationKey,
    old_user_pool: OldUserPool,
    secret_parameter: SecretParameter,
    invitation_keys: SsmInvitationKeys,
    spec: Spec,
    mia: Username,
    no_context: ClientContext,
}

const POOL: &str = "pool-1";
const CLIENT: &str = "client-1";
const FIRST_PAGE: PageRequest = PageRequest { limit: 60, after: None };
const IDENTITY_POOL: &str = "id-1";
const ROLE: &str = "shop";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:shop";
const POLICY: &str = "arn:aws:iam::111122223333:policy/shop";

impl Ports {
    pub(super) fn of(aws: &Aws) -> Self {
        let platform = aws.platform();
        Self {
            directory: aws.directory(POOL),
            client: aws.app_client(POOL, CLIENT),
            // With the SDK's retries, like the other ports.
            import_jobs: CognitoImportJobs::new(
                aws.user_pool_client(),
                aws_sdk_cloudwatchlogs::Client::new(&aws.config),
                POOL,
            ),
            invitation_key: aws.invitation_key("/key"),
            old_user_pool: aws.old_user_pool(POOL, CLIENT),
            secret_parameter: aws.secret_parameter("/secret"),
            invitation_keys: aws.invitation_keys(),
            platform,
            spec: serde_json::from_value(json!({"name": "shop"})).unwrap(),
            mia: "mia".parse().unwrap(),
            no_context: ClientContext::default(),
        }
    }

    /// Makes the port call that sends the operation.
    pub(super) async fn call(&self, call: &Call) -> Result<(), PortError> {
        match call.file {
            "directory" => self.call_directory(call.operation).await,
            "groups" => self.call_groups(call.operation).await,
            "import_jobs" => self.call_import_jobs(call.operation).await,
            "identities" | "pool_settings" => self.call_pool(call.operation).await,
            "sign_in_security" => self.call_sign_in_security(call.operation).await,
            "app_client" | "sessions" => self.call_sessions(call.operation).await,
            "self_service" => self.call_self_service(call.operation).await,
            "identity_providers" | "mfa" | "user_pools" => self.call_user_pools(call.operation).await,
            "identity_pools" => self.call_identity_pools(call.operation).await,
            "functions" => done(self.platform.function(FUNCTION).await),
            "iam" => self.call_iam(call.operation).await,
            "quotas" => done(self.directory.provisioned(Category::UserCreation).await),
            "invitation_key" => done(self.invitation_key.invitation_key().await),
            "old_user_pool" => done(self.old_user_pool.find(&self.mia).await.map_err(cause)),
            "secret_parameter" => done(self.secret_parameter.secret().await.map_err(PortError::from)),
            "invitation_keys" => self.call_invitation_keys(call.operation).await,
            _ => done(self.platform.account_id().await),
        }
    }

    async fn call_directory(&self, operation: &str) -> Result<(), PortError> {
        let (directory, mia) = (&self.directory, &self.mia);
        match operation {
            "AdminAddUserToGroup" => done(directory.add_to_group(mia, "admins").await),
            "AdminConfirmSignUp" => done(directory.confirm(mia).await),
            "AdminCreateUser" => {
                let welcome_message = WelcomeMessage::Suppress;
                let (username, attributes) = (mia.clone(), Attributes::new());
                let user = NewUser { username, attributes, temporary_password: None, welcome_message };
                done(directory.create(&user).await)
            }
            "AdminDeleteUser" => done(directory.delete(mia).await),
            "AdminDisableUser" => done(directory.disable(mia).await),
            "AdminEnableUser" => done(directory.enable(mia).await),
            "AdminRemoveUserFromGroup" => done(directory.remove_from_group(mia, "admins").await),
            "AdminResetUserPassword" => done(directory.reset_password(mia).await),
            "AdminDeleteUserAttributes" | "AdminUpdateUserAttributes" => {
                let set = Attributes::from([("name".to_owned(), "Mia".to_owned())]);
                let changes = AttributeChanges { set, remove: vec!["nickname".to_owned()] };
                done(directory.change_attributes(mia, &changes).await)
            }
            "AdminGetUser" => done(directory.get(mia).await),
            "AdminListGroupsForUser" => done(directory.groups(mia).await),
            "AdminSetUserPassword" => done(directory.set_password(mia, &Secret::new("x"), true).await),
            "AdminUserGlobalSignOut" => done(directory.sign_out(mia).await),
            "ListUsers" => done(directory.list(None, &FIRST_PAGE).await),
            _ => unreachable!("no call of the directory for {operation}"),
        }
    }

    async fn call_groups(&self, operation: &str) -> Result<(), PortError> {
        let (groups, details): (&dyn Groups, _) = (&self.directory, GroupDetails::default());
        let name: GroupName = "admins".parse().unwrap();
        match operation {
            "CreateGroup" => done(groups.create_group(&name, &details).await),
            "DeleteGroup" => done(groups.delete_group(&name).await),
            "GetGroup" => done(groups.group(&name).await),
            "ListGroups" => done(groups.list_groups(&FIRST_PAGE).await),
            "ListUsersInGroup" => done(groups.members(&name, &FIRST_PAGE).await),
            "UpdateGroup" => done(groups.update_group(&name, &details).await),
            _ => unreachable!("no call of the groups for {operation}"),
        }
    }

    async fn call_import_jobs(&self, operation: &str) -> Result<(), PortError> {
        let jobs = &self.import_jobs;
        match operation {
            "CreateUserImportJob" => {
                let role_arn = "arn:aws:iam::111122223333:role/import-logs".to_owned();
                done(jobs.create_job(&NewImportJob { name: "job".to_owned(), role_arn, algorithm: None }).await)
            }
            "DescribeUserImportJob" => done(jobs.job("import-1").await),
            "GetCSVHeader" => done(jobs.csv_header().await),
            "GetLogEvents" => done(jobs.log("group", "stream", None).await),
            "ListUserImportJobs" => done(jobs.jobs(None).await),
            "StartUserImportJob" => done(jobs.start_job("import-1").await),
            _ => unreachable!("no call of the import jobs for {operation}"),
        }
    }

    async fn call_pool(&self, operation: &str) -> Result<(), PortError> {
        let identity = ExternalIdentity { provider: "Google".to_owned(), user_id: "1".to_owned() };
        match operation {
            "AdminDisableProviderForUser" => done(self.directory.unlink(&identity).await),
            "AdminLinkProviderForUser" => done(self.directory.link(&self.mia, &identity).await),
            "DescribeUserPool" => done(self.directory.describe().await),
            "DescribeUserPoolClient" => {
                // For this call, the only error with this reason is a result.
                let found = self.directory.has_client("client-1").await;
                let missing = || UserPoolError::new("DescribeUserPoolClient", Reason::Internal);
                done(found.and_then(|found| if found { Ok(()) } else { Err(missing()) }))
            }
            _ => unreachable!("no call of the pool for {operation}"),
        }
    }

    async fn call_sign_in_security(&self, operation: &str) -> Result<(), PortError> {
        let (security, mia): (&dyn SignInSecurity, _) = (&self.directory, &self.mia);
        match operation {
            "AdminForgetDevice" => done(security.forget_device(mia, "device-1").await),
            "AdminListDevices" => done(security.devices(mia, &FIRST_PAGE).await),
            "AdminListUserAuthEvents" => done(security.auth_events(mia, &FIRST_PAGE).await),
            "AdminSetUserMFAPreference" => {
                let mfa = Mfa { enabled: vec![Factor::SmsMfa], preferred: None };
                done(security.set_mfa(mia, &mfa).await)
            }
            _ => unreachable!("no call of the sign-in security for {operation}"),
        }
    }

    async fn call_sessions(&self, operation: &str) -> Result<(), PortError> {
        let (sessions, mia, secret): (&dyn Sessions, _, _) = (&*self.client, &self.mia, Secret::new("x"));
        let (username, context) = (mia.clone(), self.no_context.clone());
        match operation {
            "AdminInitiateAuth" | "DescribeUserPoolClient" => {
                done(sessions.sign_in(&Credentials { username, password: secret, context }).await)
            }
            "AdminRespondToAuthChallenge" => done(self.answer(ChallengeResponse::SelectFactor(Factor::SmsMfa)).await),
            "AssociateSoftwareToken" => done(self.answer(ChallengeResponse::BeginSetup).await),
            "GetTokensFromRefreshToken" => done(sessions.refresh(mia, &secret, &context).await),
            "GlobalSignOut" => done(sessions.sign_out_everywhere(&access_token(POOL, CLIENT)).await),
            "RevokeToken" => done(sessions.revoke(&secret).await),
            "SignUp" => {
                let registration = Registration {
                    username,
                    password: secret,
                    attributes: Attributes::new(),
                    validation_data: Attributes::new(),
                    client_metadata: Attributes::new(),
                    context,
                };
                done(sessions.sign_up(&registration).await)
            }
            "VerifySoftwareToken" => {
                done(self.answer(ChallengeResponse::FinishSetup { code: secret, device_name: None }).await)
            }
            _ => unreachable!("no call of the sessions for {operation}"),
        }
    }

    async fn answer(&self, response: ChallengeResponse) -> Result<SignIn, UserPoolError> {
        let (username, context) = (self.mia.clone(), self.no_context.clone());
        let answer = ChallengeAnswer { username, session: Secret::new("session"), response, context };
        self.client.answer_challenge(&answer).await
    }

    async fn call_self_service(&self, operation: &str) -> Result<(), PortError> {
        let (own, mia, secret): (&dyn SelfService, _, _) = (&*self.client, &self.mia, Secret::new("x"));
        let token = access_token(POOL, CLIENT);
        match operation {
            "AssociateSoftwareToken" => done(own.start_totp(&token).await),
            "ChangePassword" => done(own.change_password(&token, &secret, &secret).await),
            "DeleteUser" => done(own.delete_myself(&token).await),
            "SetUserMFAPreference" => {
                let mfa = Mfa { enabled: vec![Factor::SoftwareTokenMfa], preferred: None };
                done(own.set_own_mfa(&token, &[], &mfa).await)
            }
            "VerifySoftwareToken" => done(own.verify_totp(&token, &secret, None).await),
            "ConfirmForgotPassword" => done(own.reset_password(mia, &secret, &secret, &self.no_context).await),
            "ConfirmSignUp" => done(own.confirm_sign_up(mia, &secret, &self.no_context).await),
            "ForgotPassword" => done(own.forgot_password(mia, &self.no_context).await),
            "GetUser" => done(own.myself(&access_token(POOL, CLIENT)).await),
            "GetUserAttributeVerificationCode" => {
                done(own.send_attribute_code(&access_token(POOL, CLIENT), "email").await)
            }
            "ResendConfirmationCode" => done(own.resend_code(mia, &self.no_context).await),
            "VerifyUserAttribute" => done(own.verify_attribute(&access_token(POOL, CLIENT), "email", &secret).await),
            _ => unreachable!("no call of the self-service for {operation}"),
        }
    }

    async fn call_user_pools(&self, operation: &str) -> Result<(), PortError> {
        let (platform, name) = (&self.platform, &self.spec.name);
        let state = UserPoolState::desired(&self.spec);
        let client = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
        match operation {
            "AddCustomAttributes" => {
                let team = CustomAttribute { name: "team".to_owned(), kind: AttributeKind::String, mutable: true };
                done(platform.add_custom_attributes(POOL, &[team]).await)
            }
            "CreateGroup" => done(platform.create_group(POOL, "admins").await),
            "CreateUserPool" => done(platform.create_user_pool(name, &state, &[], &BTreeMap::new()).await),
            "CreateUserPoolClient" => done(platform.create_client(POOL, "shop-web", false, &client).await),
            "DeleteUserPool" => done(platform.delete_user_pool(POOL).await),
            "DeleteUserPoolClient" => done(platform.delete_client(POOL, CLIENT).await),
            "DescribeUserPool" | "ListUserPools" => done(platform.user_pools(name).await),
            "DescribeUserPoolClient" | "ListUserPoolClients" => done(platform.clients(POOL, "shop-web").await),
            "DescribeIdentityProvider" | "ListIdentityProviders" => done(platform.mapped_attributes(POOL).await),
            "GetUserPoolMfaConfig" | "SetUserPoolMfaConfig" => done(platform.set_mfa(POOL, MfaMode::Required).await),
            "ListGroups" => done(platform.groups(POOL).await),
            "ListUsersInGroup" => done(platform.members(POOL, "admins").await),
            "TagResource" => done(platform.tag_user_pool("arn:aws:cognito-idp:…", name, &BTreeMap::new()).await),
            "UpdateUserPool" => done(platform.update_user_pool(POOL, &state).await),
            "UpdateUserPoolClient" => done(platform.update_client(POOL, CLIENT, &client).await),
            _ => unreachable!("no call of the platform for {operation}"),
        }
    }

    async fn call_identity_pools(&self, operation: &str) -> Result<(), PortError> {
        let (platform, name, token) = (&self.platform, &self.spec.name, Secret::new("token"));
        let state = IdentityPoolState { guests: false, classic_flow: false, providers: [].into() };
        match operation {
            "CreateIdentityPool" => done(platform.create_identity_pool(name, &state).await),
            "DeleteIdentities" => done(platform.delete_identity("identity-1").await),
            "DeleteIdentityPool" => done(platform.delete_identity_pool(IDENTITY_POOL).await),
            "DescribeIdentityPool" | "ListIdentityPools" => done(platform.identity_pools(name).await),
            "GetCredentialsForIdentity" => done(platform.credentials("identity-1", POOL, &token).await),
            "GetId" => done(platform.identity(IDENTITY_POOL, POOL, &token).await),
            "GetIdentityPoolRoles" => done(platform.authenticated_role(IDENTITY_POOL).await),
            "SetIdentityPoolRoles" => done(platform.set_authenticated_role(IDENTITY_POOL, "arn:role").await),
            "UpdateIdentityPool" => done(platform.update_identity_pool(IDENTITY_POOL, &state).await),
            _ => unreachable!("no call of the platform for {operation}"),
        }
    }

    async fn call_iam(&self, operation: &str) -> Result<(), PortError> {
        let (platform, name, document): (_, &PoolName, _) = (&self.platform, &self.spec.name, json!({}));
        match operation {
            "AttachRolePolicy" => done(platform.attach_policy(ROLE, POLICY).await),
            "CreatePolicy" => done(platform.create_policy("shop", &document, name).await),
            "CreatePolicyVersion" => done(platform.update_policy(POLICY, &document).await),
            "CreateRole" => done(platform.create_role(ROLE, &document, name, None).await),
            "DeletePolicy" | "DeletePolicyVersion" | "ListPolicyVersions" => done(platform.delete_policy(POLICY).await),
            "DeleteRole" => done(platform.delete_role(ROLE).await),
            "DetachRolePolicy" => done(platform.detach_policy(ROLE, POLICY).await),
            "GetPolicy" | "GetPolicyVersion" => done(platform.policy(POLICY).await),
            "GetRole" => done(platform.role(ROLE).await),
            "ListAttachedRolePolicies" => done(platform.attached_policies(ROLE).await),
            "ListRolePolicies" => done(PoolSource::inline_policies(platform, ROLE).await),
            "PutRolePermissionsBoundary" => done(platform.set_boundary(ROLE, POLICY).await),
            "UpdateAssumeRolePolicy" => done(platform.update_trust(ROLE, &document).await),
            _ => unreachable!("no call of the platform for {operation}"),
        }
    }

    async fn call_invitation_keys(&self, operation: &str) -> Result<(), PortError> {
        let keys = &self.invitation_keys;
        let name = KeyName::of(&self.spec.name, &OwningStack::of_id("stack/shop/1").unwrap(), 1);
        match operation {
            "DeleteParameter" => done(keys.delete(&name).await),
            "GetParameter" => done(keys.read(&name).await),
            "ListTagsForResource" => done(keys.tags(&name).await),
            "PutParameter" => done(keys.create(&name, &BTreeMap::new(), &SigningKey::from_seed(&[7; 32])).await),
            _ => unreachable!("no call of the invitation keys for {operation}"),
        }
    }
}
