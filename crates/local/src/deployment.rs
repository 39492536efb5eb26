//! A deployed stack on the emulator or an AWS account, on which the flows run.

use std::collections::BTreeMap;
use std::path::Path;

use aws::Aws;
use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::front_end::Answer;
use testkit::local_aws::{LocalAws, LocalAwsError, Stack, Tooling, Tools, host_architecture};

use crate::api::Api;
use crate::arguments::Options;
use crate::code_emulator::CodeEmulator;
use crate::failure::Failure;

/// The name of the demo's pool and of its stack.
pub const POOL: &str = "demo";

/// The user name of the first administrator if users sign in with user names.
pub const FIRST_ADMIN: &str = "admin";

/// A domain whose addresses cannot sign up.
pub const DENIED_DOMAIN: &str = "mailinator.example";

/// The local part of the first administrator's e-mail address.
pub const FIRST_ADMIN_MAILBOX: &str = "ops";

/// The environment of the flows: the emulator or an AWS account.
pub trait Target: Tooling {
    /// The URL of a stack's HTTP API, without a trailing slash, from the outputs `ApiId` and `ApiUrl`.
    ///
    /// # Errors
    /// Returns an error if the stack lacks an output.
    fn url_of(&self, stack: &Stack) -> Result<String, LocalAwsError>;

    /// An e-mail address that can receive mail.
    fn address(&self, mailbox: &str) -> String;

    /// The source of [`Self::temporary_password`].
    fn password_source(&self) -> &'static str;

    /// The temporary password of a user who was invited at this address.
    ///
    /// # Errors
    /// Returns an error if there is none and none can be set.
    fn temporary_password(
        &self,
        user_pool_id: &str,
        username: &str,
        address: &str,
    ) -> impl Future<Output = Result<Secret, Failure>>;

    /// The password that the first administrator sets.
    fn admin_password(&self) -> Secret;

    /// The code that Cognito sent to reset a password.
    ///
    /// # Errors
    /// Returns the reason why the code is unknown.
    fn reset_code(&self) -> Result<Secret, String>;

    /// An e-mail address for a user who verifies it. Its mailbox is readable if possible.
    fn verified_address(&self, mailbox: &str) -> String {
        self.address(mailbox)
    }

    /// The code that Cognito sent to verify the address of [`Self::verified_address`], or the reason why the code is
    /// unknown.
    fn verification_code(&self) -> impl Future<Output = Result<Secret, String>>;

    /// The emulator, if it lacks the calls for verification codes.
    fn without_verification(&self) -> Option<&LocalAws> {
        None
    }

    /// Calls a Cognito operation without a signature, as a front end does.
    ///
    /// # Errors
    /// Returns an error if no response arrives. An error status is a response.
    fn call_cognito(&self, operation: &str, body: &Value) -> impl Future<Output = Result<Answer, LocalAwsError>>;

    /// Whether the trigger receives the `ClientMetadata` of a sign-up.
    fn passes_client_metadata(&self) -> bool;

    /// The maximum number of seconds by which a list call can lag behind a write.
    fn list_lag_seconds(&self) -> u32;
}

/// A deployed stack.
pub struct Deployment<A = LocalAws> {
    /// Where the stack is deployed.
    pub aws: A,
    /// The CloudFormation stack.
    pub stack: Stack,
    /// The API of the stack.
    pub api: Api,
    /// The AWS SDK, for calls that a front end makes.
    pub cognito: Aws,
}

impl Deployment {
    /// Deploys the built template.
    ///
    /// # Errors
    /// Returns an error if the template is not built or the deployment fails.
    pub async fn deploy(aws: LocalAws, options: &Options) -> Result<Self, Failure> {
        let template = Tools::find()?.built_template()?;
        Self::deploy_template(aws, &template, options).await
    }

    /// Deploys another template.
    ///
    /// # Errors
    /// Returns an error if the deployment fails.
    pub async fn deploy_template(aws: LocalAws, template: &Path, options: &Options) -> Result<Self, Failure> {
        let stack = Stack::deploy(&aws, POOL, template, &parameters(options)).await?;
        let api = Api::new(aws.url_of(&stack)?)?;
        let cognito = Aws::local(aws.endpoint_url(), LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY);
        // The future is boxed, because the setup of the SDK is large.
        let cognito = Box::pin(cognito).await;
        Ok(Self { aws, stack, api, cognito })
    }
}

impl<A: Target> Deployment<A> {
    /// The name of the pool and of the stack.
    #[must_use]
    pub fn pool(&self) -> &str {
        self.stack.name()
    }

    /// Invokes the bootstrap.
    ///
    /// # Errors
    /// Returns an error if the bootstrap returns an error.
    pub async fn bootstrap(&self, action: &str, spec: &Value) -> Result<Value, LocalAwsError> {
        let function = self.stack.output("PoolBootstrapFunctionArn")?;
        self.stack.invoke(&self.aws, function, &json!({"action": action, "spec": spec})).await
    }
}

impl Target for LocalAws {
    fn url_of(&self, stack: &Stack) -> Result<String, LocalAwsError> {
        Ok(self.api_url(stack.output("ApiId")?))
    }

    fn address(&self, mailbox: &str) -> String {
        format!("{mailbox}@example.com")
    }

    fn password_source(&self) -> &'static str {
        "mails"
    }

    async fn temporary_password(&self, _: &str, _: &str, address: &str) -> Result<Secret, Failure> {
        let mails = self.mails().await?;
        let mut to_address = mails.iter().rev().filter(|mail| mail.to.iter().any(|to| to == address));
        let password = to_address.find_map(|mail| mail.temporary_password()).map(Secret::new);
        password.ok_or_else(|| {
            Failure::unexpected(format!("a welcome message to {address}"), format!("{} mails", mails.len()))
        })
    }

    fn admin_password(&self) -> Secret {
        Secret::new("First-Admin-1!")
    }

    /// The emulator uses the same code for every reset.
    fn reset_code(&self) -> Result<Secret, String> {
        Ok(Secret::new("654321"))
    }

    async fn verification_code(&self) -> Result<Secret, String> {
        Ok(CodeEmulator::code())
    }

    fn without_verification(&self) -> Option<&LocalAws> {
        Some(self)
    }

    async fn call_cognito(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        LocalAws::call_cognito(self, operation, body).await
    }

    fn passes_client_metadata(&self) -> bool {
        false
    }

    fn list_lag_seconds(&self) -> u32 {
        0
    }
}

/// The template's parameters: those that the flows need, overridden by the options.
#[must_use]
pub fn parameters(options: &Options) -> BTreeMap<String, String> {
    let needed = pairs(&[
        ("PoolName", POOL),
        ("FirstAdminEmail", "ops@example.com"),
        ("Mfa", "optional"),
        ("LimitRights", "false"),
        ("LocalReplyHost", "127.0.0.1"),
        ("Architecture", host_architecture()),
    ]);
    let mut parameters: BTreeMap<_, _> = for_flows().chain(needed).chain(options.parameters.iter().cloned()).collect();
    let is_given = |parameter: &str| options.parameters.iter().any(|(name, _)| name == parameter);
    // The template rejects verification without confirmation.
    if !is_given("AutoVerifyEmail") && parameters.get("AutoConfirm").is_some_and(|who| who == "nobody") {
        parameters.remove("AutoVerifyEmail");
    }
    // With e-mail sign-in, a pool cannot have aliases.
    if !is_given("Aliases") && parameters.get("SignIn").is_some_and(|name| name == "email") {
        parameters.remove("Aliases");
    }
    parameters
}

/// The parameters that the flows need on the emulator and on AWS.
pub fn for_flows() -> impl Iterator<Item = (String, String)> {
    pairs(&[
        ("AutoConfirm", "everyone"),
        ("SignIn", "username"),
        ("Aliases", "email,preferred_username"),
        ("CustomAttributes", "team"),
        ("DeniedEmailDomains", DENIED_DOMAIN),
        ("AutoVerifyEmail", "invited"),
        // Everything is deleted after the run.
        ("DeletionProtection", "false"),
        ("OnDelete", "delete"),
    ])
}

/// Converts names and values to owned strings.
pub fn pairs<'a>(pairs: &[(&'a str, &'a str)]) -> impl Iterator<Item = (String, String)> + use<'a> {
    let owned: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    owned.into_iter()
}
