//! The emulator `cognito-local`, which supports features that ministack lacks: the `ClientMetadata` of a sign-up,
//! verification codes, and the user migration trigger.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::front_end::{self, Answer};
use crate::local_aws::process::{Process, Server, on_a_free_port};
use crate::local_aws::{LocalAws, LocalAwsError, Tools};

/// The timeout of a request, longer than that of the trigger.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// A running cognito-local. It stops when it is dropped or when this process ends.
///
/// It emulates only user pools; its triggers are functions on ministack. It listens on the loopback interface only and
/// writes into one temporary directory. It lacks `ValidationData`, aliases, signatures, and checks of a user's status
/// at sign-in.
pub struct CognitoLocal {
    process: Process,
    http: reqwest::Client,
    url: String,
}

/// A user pool without users, with one app client without a secret. The caller chooses the ids, so that the pool can
/// have the id of a user pool of ministack.
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

    /// Starts cognito-local with these pools and the functions of these triggers on `aws`, and waits until it responds. The
    /// names of the triggers are those of `LambdaConfig`.
    ///
    /// # Errors
    /// Returns an error if `make cognito-local` was not run or the process does not start.
    pub async fn start(aws: &LocalAws, triggers: &[(&str, &str)], pools: &[Pool<'_>]) -> Result<Self, LocalAwsError> {
        on_a_free_port(async |port| Self::start_on(port, aws.endpoint_url(), triggers, pools).await).await
    }

    async fn start_on(
        port: u16,
        lambda_url: &str,
        triggers: &[(&str, &str)],
        pools: &[Pool<'_>],
    ) -> Result<Self, LocalAwsError> {
        let tools = Tools::find()?;
        let script = tools.cognito_local()?;
        let folder = tempfile::Builder::new().prefix("poolkeeper-").tempdir().map_err(LocalAwsError::Folder)?;
        write_state(folder.path(), lambda_url, triggers, pools).map_err(LocalAwsError::Folder)?;
        let server = Server {
            name: "cognito-local",
            program: "node",
            arguments: vec![script.into()],
            environment: BTreeMap::from([
                ("HOME", folder.path().display().to_string()),
                ("HOST", "127.0.0.1".to_owned()),
                ("PORT", port.to_string()),
                ("CODE", Self::CODE.to_owned()),
                // Silences the deprecation warnings of its SDK.
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

    /// The URL, e.g. `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls an operation without a signature, which cognito-local accepts for administrators' operations as well.
    ///
    /// # Errors
    /// Returns an error if the response is missing or malformed. An error status is a response.
    pub async fn call(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        self.process.check_running()?;
        front_end::call(&self.http, &self.url, operation, body).await
    }
}

/// Writes the files that cognito-local reads at startup: settings, clients, and one file per pool.
fn write_state(
    folder: &Path,
    lambda_url: &str,
    triggers: &[(&str, &str)],
    pools: &[Pool<'_>],
) -> Result<(), std::io::Error> {
    let database = folder.join(".cognito/db");
    fs::create_dir_all(&database)?;
    let triggers: BTreeMap<&str, &str> = triggers.iter().copied().collect();
    let settings = json!({
        "LambdaClient": {
            "endpoint": lambda_url,
            "region": LocalAws::REGION,
            "credentials": {"accessKeyId": LocalAws::ACCESS_KEY, "secretAccessKey": LocalAws::SECRET_KEY},
        },
        "TriggerFunctions": triggers,
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
