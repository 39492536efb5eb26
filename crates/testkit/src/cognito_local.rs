//! A second local Cognito, `cognito-local`, for what the local AWS leaves out: it hands the `ClientMetadata` of a sign-up to the
//! trigger, and it plays the codes that verify an attribute. It plays user pools and nothing else; its trigger is a function on the local
//! AWS, invoked by Lambda's own API.
//!
//! Pools and clients carry the ids that they are told, so that a user pool of the local AWS can be played on, under its id, where the
//! local AWS cannot. Like the local AWS it listens on the loopback interface only, writes into one temporary folder, and is told
//! nothing of the user's own AWS.
//!
//! What it does not do either: `ValidationData`, aliases, signatures, the state of a user at sign-in. `make cognito-local` installs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::front_end::{self, Answer};
use crate::local_aws::process::{Process, Server, on_a_free_port};
use crate::local_aws::{LocalAws, LocalAwsError, Tools};

/// How long one answer may take: longer than the trigger may run.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// A running cognito-local. Stops when it is dropped, and when this process ends in any way.
pub struct CognitoLocal {
    process: Process,
    http: reqwest::Client,
    url: String,
}

/// A user pool without users, and its one app client, which has no secret.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// The id of the pool.
    pub id: &'a str,
    /// The id of the client.
    pub client_id: &'a str,
}

impl CognitoLocal {
    /// The code of every sign-up and every verification.
    pub const CODE: &str = "123456";

    /// Starts one with these pools, whose sign-ups ask the function with this ARN on `aws`, and waits until it answers.
    ///
    /// # Errors
    /// Where `make cognito-local` has not been run, or the process does not come up; the text says what to do.
    pub async fn start(aws: &LocalAws, pre_sign_up_arn: &str, pools: &[Pool<'_>]) -> Result<Self, LocalAwsError> {
        on_a_free_port(async |port| Self::start_on(port, aws.endpoint_url(), pre_sign_up_arn, pools).await).await
    }

    async fn start_on(
        port: u16,
        lambda_url: &str,
        pre_sign_up_arn: &str,
        pools: &[Pool<'_>],
    ) -> Result<Self, LocalAwsError> {
        let tools = Tools::find()?;
        let script = tools.cognito_local()?;
        let folder = tempfile::Builder::new().prefix("poolkeeper-").tempdir().map_err(LocalAwsError::Folder)?;
        write_state(folder.path(), lambda_url, pre_sign_up_arn, pools).map_err(LocalAwsError::Folder)?;
        let server = Server {
            name: "cognito-local",
            program: "node",
            arguments: vec![script.into()],
            environment: BTreeMap::from([
                ("HOME", folder.path().display().to_string()),
                ("HOST", "127.0.0.1".to_owned()),
                ("PORT", port.to_string()),
                ("CODE", Self::CODE.to_owned()),
                // Its SDK would fill the log with advice to take another one.
                ("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1".to_owned()),
            ]),
        };
        let process = Process::start(&tools, server, folder)?;
        let http =
            reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().map_err(LocalAwsError::NoAnswer)?;
        let url = format!("http://127.0.0.1:{port}");
        process.wait_until_healthy(&http, &format!("{url}/health")).await?;
        Ok(Self { process, http, url })
    }

    /// Its address, e.g. `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends an operation, as a front end does. It takes everything without a signature, an administrator's operations as well.
    ///
    /// # Errors
    /// Where it has stopped or answers nonsense. An answer that refuses is an answer.
    pub async fn call(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        self.process.check_running()?;
        front_end::call(&self.http, &self.url, operation, body).await
    }
}

/// Writes what it reads at its start: one file of settings, one of clients, and one per pool, which it fills with its defaults.
fn write_state(
    folder: &Path,
    lambda_url: &str,
    pre_sign_up_arn: &str,
    pools: &[Pool<'_>],
) -> Result<(), std::io::Error> {
    let database = folder.join(".cognito/db");
    fs::create_dir_all(&database)?;
    let settings = json!({
        "LambdaClient": {
            "endpoint": lambda_url,
            "region": LocalAws::REGION,
            "credentials": {"accessKeyId": LocalAws::ACCESS_KEY, "secretAccessKey": LocalAws::SECRET_KEY},
        },
        "TriggerFunctions": {"PreSignUp": pre_sign_up_arn},
        "UserPoolDefaults": {"UsernameAttributes": [], "AutoVerifiedAttributes": ["email"]},
    });
    fs::write(folder.join(".cognito/config.json"), settings.to_string())?;
    let clients: BTreeMap<&str, Value> =
        pools.iter().map(|pool| (pool.client_id, json!({"ClientId": pool.client_id, "UserPoolId": pool.id}))).collect();
    fs::write(database.join("clients.json"), json!({"Clients": clients}).to_string())?;
    pools.iter().try_for_each(|pool| fs::write(database.join(pool.id).with_extension("json"), "{}"))
}

#[cfg(test)]
mod tests;
