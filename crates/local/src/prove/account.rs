//! The operator's AWS account, or an emulator at `AWS_ENDPOINT_URL` in its place.

use std::sync::Arc;
use std::time::Duration;

use aws::Aws;
use domain::secret::Secret;
use domain::user_pool::directory::Directory as _;
use serde_json::Value;
use tempfile::TempDir;
use testkit::front_end::{self, Answer};
use testkit::local_aws::{LocalAwsError, Output, Stack, Tooling, Tools, output_of};
use tokio::time::timeout;

use super::error::ProveError;
use super::prompt;
use crate::arguments::ProveOptions;
use crate::deployment::Target;
use crate::failure::Failure;

/// The calls that `sam` does not make.
const SCRIPT: &str = include_str!("account.py");

/// The timeout of a tool. CloudFormation waits up to an hour for a custom resource that does not respond.
const TOOL_LIMIT: Duration = Duration::from_mins(75);

/// The timeout of a call to Cognito, which waits five seconds for a trigger.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Amazon's mailbox simulator, which accepts mail to any label. The mail counts neither as a bounce nor towards quotas.
const SIMULATOR: &str = "simulator.amazonses.com";

/// Variables that take precedence over a profile in the Python SDK, but not in the Rust SDK.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// An account with the operator's credentials. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Account {
    tools: Tools,
    folder: Arc<TempDir>,
    profile: Option<String>,
    endpoint_url: Option<String>,
    mailbox: Option<String>,
    http: reqwest::Client,
    admin_password: Secret,
    /// The AWS SDK.
    pub(crate) cognito: Aws,
    /// The account's id.
    pub(crate) id: String,
    /// The ARN of the operator.
    pub(crate) operator: String,
}

impl Account {
    /// Loads credentials and reads their owner from AWS. Changes nothing.
    ///
    /// # Errors
    /// Returns [`ProveError::Access`] if there are no credentials or AWS does not accept them.
    pub(crate) async fn connect(options: &ProveOptions) -> Result<Self, ProveError> {
        let (profile, region) = (options.profile.as_deref(), options.region.as_deref());
        let cognito = Box::pin(Aws::from_profile(profile, region)).await;
        let mut account = Self {
            tools: Tools::find().map_err(Failure::from)?,
            folder: Arc::new(tempfile::Builder::new().prefix("poolkeeper-").tempdir()?),
            profile: options.profile.clone(),
            endpoint_url: endpoint_url(),
            mailbox: options.mailbox.clone(),
            http: reqwest::Client::builder().timeout(ANSWER_LIMIT).build().map_err(Failure::NoAnswer)?,
            admin_password: Secret::new(format!("Prove-1-{}", random(24)?)),
            cognito: cognito.map_err(|error| ProveError::Access(domain::error_chain::causes(&error)))?,
            id: String::new(),
            operator: String::new(),
        };
        let identity =
            account.script(&["whoami"], None).await.map_err(|error| ProveError::Access(error.to_string()))?;
        account.id = text(&identity["account"]);
        account.operator = text(&identity["arn"]);
        Ok(account)
    }

    /// The host of the emulator, empty on AWS.
    pub(crate) fn emulator_host(&self) -> &str {
        self.endpoint_url.as_deref().and_then(host_of).unwrap_or_default()
    }

    /// Whether the account is emulated.
    pub(crate) fn is_emulator(&self) -> bool {
        self.endpoint_url.is_some()
    }

    /// The operator's own mailbox, if given.
    pub(crate) fn mailbox(&self) -> Option<&str> {
        self.mailbox.as_deref()
    }

    /// The profile that the operator chose.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The tools of `.venv`.
    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Runs an action of `account.py` and returns the document that it prints.
    ///
    /// # Errors
    /// Returns an error if AWS rejects the action.
    pub(crate) async fn script(&self, arguments: &[&str], input: Option<&str>) -> Result<Value, Failure> {
        let done = self.run("python", &[&["-c", SCRIPT], arguments].concat(), input).await?;
        if !done.succeeded {
            let last = done.stderr.lines().last().unwrap_or_default();
            return Err(Failure::Account(last.to_owned()));
        }
        serde_json::from_str(&done.stdout)
            .map_err(|error| Failure::Account(format!("{}: {error}", arguments.join(" "))))
    }
}

impl Tooling for Account {
    fn region(&self) -> &str {
        self.cognito.region()
    }

    async fn run(&self, program: &str, arguments: &[&str], input: Option<&str>) -> Result<Output, LocalAwsError> {
        let mut command = self.tools.command(program)?;
        command.args(arguments).current_dir(self.folder.path());
        command.envs(["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, self.region())));
        if let Some(profile) = &self.profile {
            for name in KEYS {
                command.env_remove(name);
            }
            command.env("AWS_PROFILE", profile);
        }
        if self.is_emulator() {
            // The default of five seconds suits AWS, not the emulator.
            command.env("SAM_CLI_POLL_DELAY", "0.5");
        }
        let endless = |_| LocalAwsError::Endless { program: program.to_owned(), limit: TOOL_LIMIT };
        timeout(TOOL_LIMIT, output_of(command, program, input)).await.map_err(endless)?
    }
}

impl Target for Account {
    /// The emulator serves all APIs at its own address.
    fn url_of(&self, stack: &Stack) -> Result<String, LocalAwsError> {
        Ok(match &self.endpoint_url {
            Some(endpoint_url) => format!("{endpoint_url}/_aws/execute-api/{}", stack.output("ApiId")?),
            None => stack.output("ApiUrl")?.to_owned(),
        })
    }

    fn address(&self, mailbox: &str) -> String {
        format!("success+{mailbox}@{SIMULATOR}")
    }

    fn password_source(&self) -> &'static str {
        "AdminSetUserPassword with the operator's credentials"
    }

    async fn temporary_password(&self, user_pool_id: &str, username: &str, _: &str) -> Result<Secret, Failure> {
        let username = username.parse().map_err(|error| Failure::Usage(format!("{username}: {error}")))?;
        let password = Secret::new(format!("Prove-0-{}", random(24)?));
        self.cognito.directory(user_pool_id).set_password(&username, &password, false).await?;
        Ok(password)
    }

    fn admin_password(&self) -> Secret {
        self.admin_password.clone()
    }

    fn reset_code(&self) -> Result<Secret, String> {
        Err("not proved: the code went to Amazon's mailbox simulator".to_owned())
    }

    fn verified_address(&self, mailbox: &str) -> String {
        self.mailbox.clone().unwrap_or_else(|| self.address(mailbox))
    }

    /// Asks the operator for the code.
    async fn verification_code(&self) -> Result<Secret, String> {
        let Some(mailbox) = &self.mailbox else {
            return Err("not proved: no mailbox was given (--mailbox you@example.com)".to_owned());
        };
        let code = prompt::ask(&format!("Verification code sent to {mailbox} (Enter to skip): ")).await;
        if code.is_empty() { Err("not proved: no code was entered".to_owned()) } else { Ok(Secret::new(code)) }
    }

    async fn call_cognito(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        let of_aws = || format!("https://cognito-idp.{}.amazonaws.com/", self.region());
        let url = self.endpoint_url.clone().unwrap_or_else(of_aws);
        front_end::call(&self.http, &url, operation, body).await
    }

    fn passes_client_metadata(&self) -> bool {
        !self.is_emulator()
    }

    fn list_lag_seconds(&self) -> u32 {
        if self.is_emulator() { 0 } else { 20 }
    }
}

/// The host of a URL, without its port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
}

/// The URL of an emulator, if one is used instead of AWS.
#[expect(clippy::disallowed_methods, reason = "a development tool that reads the same variable as the AWS SDK")]
fn endpoint_url() -> Option<String> {
    std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty())
}

/// A string of random letters and digits from the operating system's random source.
///
/// # Errors
/// Returns an error if the source cannot be read.
pub(crate) fn random(length: usize) -> std::io::Result<String> {
    use std::io::Read as _;
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; length];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// The string in a JSON value, empty if it is not a string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
