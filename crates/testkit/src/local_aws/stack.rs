//! The stack of `template.yaml` on a local AWS, deployed with the same `sam deploy` that deploys to the real one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::error::LocalAwsError;
use super::{LocalAws, Output};

/// Prints why resources of a stack failed, or what its functions logged, or its id, or deletes the stack: what `sam` tells in a form for people only, or waits half a minute
/// for.
const STACK_SCRIPT: &str = include_str!("stack.py");

/// How many lines of a tool's output an error shows.
const SHOWN_LINES: usize = 25;

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Deploys a built template under a name, with parameters over the template's own.
    ///
    /// # Errors
    /// Where a resource cannot be made (with the reason of each that failed), or the local AWS stops.
    pub async fn deploy(
        aws: &LocalAws,
        name: &str,
        template: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, LocalAwsError> {
        let template = template.display().to_string();
        let mut arguments = vec!["deploy", "--template-file", &template, "--stack-name", name];
        arguments.extend(["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]);
        // What failed stays to be looked at; it goes with the local AWS anyway.
        arguments.extend(["--disable-rollback", "--no-progressbar", "--region", LocalAws::REGION]);
        let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !parameters.is_empty() {
            arguments.push("--parameter-overrides");
            arguments.extend(parameters.iter().map(String::as_str));
        }
        let deployed = aws.run("sam", &arguments, None).await?;
        if !deployed.succeeded {
            let reasons = aws.run("python", &["-c", STACK_SCRIPT, "failures", name], None).await?;
            let known = reasons.succeeded && !reasons.stdout.trim().is_empty();
            return Err(LocalAwsError::DeploymentFailed(if known { reasons.stdout } else { last_lines(&deployed) }));
        }
        Ok(Self { name: name.to_owned(), outputs: read_outputs(aws, name).await? })
    }

    /// An output of the template.
    ///
    /// # Errors
    /// Where the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str, LocalAwsError> {
        let missing = || LocalAwsError::Unreadable(format!("the stack has no output {name}"));
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }

    /// Sends an event to one of the stack's functions and gives its answer.
    ///
    /// # Errors
    /// [`LocalAwsError::FunctionFailed`] where the function answered with an error.
    pub async fn invoke(&self, aws: &LocalAws, function_arn: &str, event: &Value) -> Result<Value, LocalAwsError> {
        let arguments =
            ["remote", "invoke", function_arn, "--event-file", "-", "--output", "json", "--region", LocalAws::REGION];
        let invoked = aws.run("sam", &arguments, Some(&event.to_string())).await?;
        if !invoked.succeeded {
            return Err(LocalAwsError::FunctionFailed(last_lines(&invoked)));
        }
        let unreadable = || LocalAwsError::Unreadable("the answer of `sam remote invoke`".to_owned());
        let answer: Value = serde_json::from_str(&invoked.stdout).map_err(|_| unreadable())?;
        let payload = match &answer["Payload"] {
            Value::String(text) => serde_json::from_str(text).map_err(|_| unreadable())?,
            payload => payload.clone(),
        };
        if answer["FunctionError"].is_string() {
            let text = payload["errorMessage"].as_str().unwrap_or("without saying why");
            return Err(LocalAwsError::FunctionFailed(text.to_owned()));
        }
        Ok(payload)
    }

    /// What the stack's functions have logged as errors, a line each. Empty where that cannot be told.
    pub async fn logged_errors(&self, aws: &LocalAws) -> String {
        match aws.run("python", &["-c", STACK_SCRIPT, "errors", &self.name], None).await {
            Ok(errors) if errors.succeeded => errors.stdout,
            _ => String::new(),
        }
    }

    /// The stack's id, which ends with what no other stack has.
    ///
    /// # Errors
    /// Where there is no such stack any more.
    pub async fn id(&self, aws: &LocalAws) -> Result<String, LocalAwsError> {
        let told = aws.run("python", &["-c", STACK_SCRIPT, "id", &self.name], None).await?;
        if told.succeeded {
            Ok(told.stdout.trim().to_owned())
        } else {
            Err(LocalAwsError::Unreadable(format!("the stack's id: {}", last_lines(&told))))
        }
    }

    /// Deletes the stack, and waits until it is gone.
    ///
    /// # Errors
    /// Where a resource cannot be deleted.
    pub async fn delete(self, aws: &LocalAws) -> Result<(), LocalAwsError> {
        let deleted = aws.run("python", &["-c", STACK_SCRIPT, "delete", &self.name], None).await?;
        if deleted.succeeded { Ok(()) } else { Err(LocalAwsError::DeploymentFailed(last_lines(&deleted))) }
    }
}

async fn read_outputs(aws: &LocalAws, name: &str) -> Result<BTreeMap<String, String>, LocalAwsError> {
    let arguments = ["list", "stack-outputs", "--stack-name", name, "--output", "json", "--region", LocalAws::REGION];
    let listed = aws.run("sam", &arguments, None).await?;
    let unreadable = || LocalAwsError::Unreadable(format!("the stack's outputs: {}", last_lines(&listed)));
    let outputs: Vec<Value> = serde_json::from_str(&listed.stdout).map_err(|_| unreadable())?;
    let pair =
        |output: &Value| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].as_str()?.to_owned()));
    outputs.iter().map(pair).collect::<Option<_>>().ok_or_else(unreadable)
}

fn last_lines(output: &Output) -> String {
    let all = format!("{}\n{}", output.stdout, output.stderr);
    let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
