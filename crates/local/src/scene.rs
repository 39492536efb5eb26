//! A local AWS with the stack deployed on it: where the flows play.

use std::collections::BTreeMap;
use std::path::Path;

use cognito_aws::Aws;
use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::{LocalAws, LocalAwsError, Stack, Tools, host_architecture};

use crate::api::Api;
use crate::arguments::Options;
use crate::failure::Failure;

/// The name of the pool, and of the stack.
pub const POOL: &str = "demo";

/// Who is invited as the first administrator.
pub const FIRST_ADMIN_EMAIL: &str = "ops@example.com";

/// The user name of the first administrator, in a pool with user names.
pub const FIRST_ADMIN: &str = "admin";

/// Whose addresses may not sign up.
pub const DENIED_DOMAIN: &str = "mailinator.example";

/// A local AWS with the stack on it.
pub struct Scene {
    /// The local AWS.
    pub aws: LocalAws,
    /// The deployed stack.
    pub stack: Stack,
    /// Its API.
    pub api: Api,
    /// Cognito by the SDK, as a front end uses it.
    pub cognito: Aws,
}

impl Scene {
    /// Deploys the built template.
    ///
    /// # Errors
    /// Where it has not been built or cannot be deployed.
    pub async fn deploy(aws: LocalAws, options: &Options) -> Result<Self, Failure> {
        let template = Tools::find()?.built_template()?;
        Self::deploy_template(aws, &template, options).await
    }

    /// Deploys a template in place of the built one.
    ///
    /// # Errors
    /// Where it cannot be deployed.
    pub async fn deploy_template(aws: LocalAws, template: &Path, options: &Options) -> Result<Self, Failure> {
        let stack = Stack::deploy(&aws, POOL, template, &parameters(options)).await?;
        let api = Api::new(aws.api_url(stack.output("ApiId")?))?;
        let cognito = Aws::local(aws.endpoint_url(), LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY);
        // On the heap: the SDK's set-up is a large future.
        let cognito = Box::pin(cognito).await;
        Ok(Self { aws, stack, api, cognito })
    }

    /// The temporary password in the mail that invited `address`.
    ///
    /// # Errors
    /// Where no such mail was sent.
    pub async fn temporary_password_of(&self, address: &str) -> Result<Secret, Failure> {
        let mails = self.aws.mails().await?;
        let mut to_address = mails.iter().rev().filter(|mail| mail.to.iter().any(|to| to == address));
        let password = to_address.find_map(|mail| mail.temporary_password()).map(Secret::new);
        password
            .ok_or_else(|| Failure::unexpected(format!("an invitation to {address}"), format!("{} mails", mails.len())))
    }

    /// Sends an event to the bootstrap.
    ///
    /// # Errors
    /// Where the bootstrap answers with an error.
    pub async fn bootstrap(&self, action: &str, spec: &Value) -> Result<Value, LocalAwsError> {
        let function = self.stack.output("PoolBootstrapFunctionArn")?;
        self.stack.invoke(&self.aws, function, &json!({"action": action, "spec": spec})).await
    }
}

/// The template's parameters: what the flows need, and over that what was asked for.
#[must_use]
pub fn parameters(options: &Options) -> BTreeMap<String, String> {
    let needed = [
        ("PoolName", POOL),
        ("SignIn", "username"),
        ("Aliases", "email,preferred_username"),
        ("CustomAttributes", "team"),
        ("FirstAdminEmail", FIRST_ADMIN_EMAIL),
        ("DeniedEmailDomains", DENIED_DOMAIN),
        ("AutoVerifyEmail", "invited"),
        // Nothing of this is to be kept.
        ("DeletionProtection", "false"),
        ("OnDelete", "delete"),
        ("LimitRights", "false"),
        ("Architecture", host_architecture()),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    needed.into_iter().chain(options.parameters.iter().cloned()).collect()
}
