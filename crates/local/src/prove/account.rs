//! The AWS account of the operator, or an emulator that is reached like one, by `AWS_ENDPOINT_URL`.

use std::sync::Arc;
use std::time::Duration;

use aws::Aws;
use domain::secret::Secret;
use domain::user_pool::directory::Directory as _;
use serde_json::Value;
use tempfile::TempDir;
use testkit::front_end::{self, Answer};
use testkit::local_aws::{LocalAwsError, Output, Tooling, Tools, output_of};
use tokio::time::timeout;

use super::question;
use super::stop::Stop;
use crate::arguments::ProveOptions;
use crate::deployment::Target;
use crate::failure::Failure;

/// The calls that `sam` does not make.
const SCRIPT: &str = include_str!("account.py");

/// How long a tool may take. CloudFormation waits up to an hour for a custom resource that gives no answer.
const TOOL_LIMIT: Duration = Duration::from_mins(75);

/// How long one answer of Cognito may take: it waits five seconds for a trigger.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Amazon's mailbox simulator takes mail to any label of this mailbox and counts it neither as a bounce nor towards SES quotas.
const SIMULATOR: &str = "simulator.amazonses.com";

/// Variables that would win over a profile in Python's SDK, but not in Rust's.
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
    /// The account by the SDK.
    pub(crate) cognito: Aws,
    /// The account's id.
    pub(crate) id: String,
    /// The ARN of the operator.
    pub(crate) operator: String,
}

impl Account {
    /// Finds credentials and asks AWS who they belong to. Changes nothing.
    ///
    /// # Errors
    /// Returns [`Stop::Access`] if there are no credentials or AWS does not accept them.
    pub(crate) async fn connect(options: &ProveOptions) -> Result<Self, Stop> {
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
            cognito: cognito.map_err(|error| Stop::Access(domain::error_chain::causes(&error)))?,
            id: String::new(),
            operator: String::new(),
        };
        let identity = account.script(&["whoami"], None).await.map_err(|error| Stop::Access(error.to_string()))?;
        account.id = text(&identity["account"]);
        account.operator = text(&identity["arn"]);
        Ok(account)
    }

    /// The host of the emulator; empty on AWS.
    pub(crate) fn emulator_host(&self) -> &str {
        self.endpoint_url.as_deref().and_then(host_of).unwrap_or_default()
    }

    /// Whether this is an emulator.
    pub(crate) fn is_emulator(&self) -> bool {
        self.endpoint_url.is_some()
    }

    /// The operator's own mailbox, if given.
    pub(crate) fn mailbox(&self) -> Option<&str> {
        self.mailbox.as_deref()
    }

    /// The profile that the operator named.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The tools of `.venv`.
    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Where an HTTP API is, without the slash before its routes. The emulator serves all APIs at its own address.
    pub(crate) fn api_url(&self, api_id: &str, url: &str) -> String {
        match &self.endpoint_url {
            Some(endpoint_url) => format!("{endpoint_url}/_aws/execute-api/{api_id}"),
            None => url.to_owned(),
        }
    }

    /// Runs an action of `account.py` and returns the document that it prints.
    ///
    /// # Errors
    /// Returns an error if AWS refuses the action.
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
            // Five seconds by default, which suits AWS.
            command.env("SAM_CLI_POLL_DELAY", "0.5");
        }
        let endless = |_| LocalAwsError::Endless { program: program.to_owned(), limit: TOOL_LIMIT };
        timeout(TOOL_LIMIT, output_of(command, program, input)).await.map_err(endless)?
    }
}

impl Target for Account {
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

    /// Asks the operator.
    async fn verification_code(&self) -> Result<Secret, String> {
        let Some(mailbox) = &self.mailbox else {
            return Err("not proved: no mailbox was given (--mailbox you@example.com)".to_owned());
        };
        let code = question::ask(&format!("The code that arrived at {mailbox} (Enter to skip): ")).await;
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

/// Where an emulator is, if one is used instead of AWS: every AWS tool reads this variable.
#[expect(clippy::disallowed_methods, reason = "a development tool: it reads what the AWS SDK reads as well")]
fn endpoint_url() -> Option<String> {
    std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty())
}

/// A text of random letters and digits from the system's source of randomness.
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

/// A text of a document; empty if it is missing.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
