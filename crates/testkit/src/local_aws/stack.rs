//! The stack of `template.yaml` on the emulator or on AWS, deployed by `sam deploy`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::error::LocalAwsError;
use super::tooling::Tooling;

/// Stack operations that `sam` lacks, or performs slowly or without machine-readable output.
const STACK_SCRIPT: &str = include_str!("stack.py");

/// A deployed stack.
#[derive(Debug, Clone)]
pub struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Deploys a built template with these parameters.
    ///
    /// # Errors
    /// Returns an error with the reason of each failed resource, or an error of the emulator.
    pub async fn deploy(
        aws: &impl Tooling,
        name: &str,
        template: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, LocalAwsError> {
        // Failed resources stay for inspection, until the emulator stops.
        Self::deploy_with(aws, name, template, parameters, &["--disable-rollback"]).await
    }

    /// Deploys like [`Self::deploy`], but rolls back a failed deployment.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn deploy_or_roll_back(
        aws: &impl Tooling,
        name: &str,
        template: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, LocalAwsError> {
        Self::deploy_with(aws, name, template, parameters, &[]).await
    }

    async fn deploy_with(
        aws: &impl Tooling,
        name: &str,
        template: &Path,
        parameters: &BTreeMap<String, String>,
        options: &[&str],
    ) -> Result<Self, LocalAwsError> {
        let template = template.display().to_string();
        let mut arguments = vec!["deploy", "--template-file", &template, "--stack-name", name];
        // The stack's name is the prefix by which uploads can be found and deleted.
        arguments.extend([
            "--resolve-s3",
            "--s3-prefix",
            name,
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        ]);
        arguments.extend(["--no-progressbar", "--region", aws.region()]);
        arguments.extend(options);
        let parameters: Vec<String> = parameters.iter().map(|(name, value)| override_of(name, value)).collect();
        if !parameters.is_empty() {
            arguments.push("--parameter-overrides");
            arguments.extend(parameters.iter().map(String::as_str));
        }
        let deployed = aws.run("sam", &arguments, None).await?;
        if !deployed.succeeded {
            let reasons = aws.run("python", &["-c", STACK_SCRIPT, "failures", name], None).await?;
            let known = reasons.succeeded && !reasons.stdout.trim().is_empty();
            return Err(LocalAwsError::DeploymentFailed(if known { reasons.stdout } else { deployed.last_lines() }));
        }
        Ok(Self { name: name.to_owned(), outputs: read_outputs(aws, name).await? })
    }

    /// The name of the stack.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An output of the template.
    ///
    /// # Errors
    /// Returns an error if the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str, LocalAwsError> {
        let missing = || LocalAwsError::Unreadable(format!("the stack has no output {name}"));
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }

    /// Invokes one of the stack's functions and returns its result.
    ///
    /// # Errors
    /// Returns [`LocalAwsError::FunctionFailed`] if the function returns an error.
    pub async fn invoke(&self, aws: &impl Tooling, function_arn: &str, event: &Value) -> Result<Value, LocalAwsError> {
        let invoked = self.send(aws, function_arn, &event.to_string()).await?;
        let answer: Value = serde_json::from_str(&invoked.answer).map_err(|_| unreadable("invoke"))?;
        if invoked.is_error {
            let text = answer["errorMessage"].as_str().unwrap_or("no error message");
            return Err(LocalAwsError::FunctionFailed(text.to_owned()));
        }
        Ok(answer)
    }

    /// Invokes one of the stack's functions with an unchanged event. An error of the function is a result.
    ///
    /// # Errors
    /// Returns an error if the invocation fails.
    pub async fn send(&self, aws: &impl Tooling, function_arn: &str, event: &str) -> Result<Invoked, LocalAwsError> {
        let done = aws.run("python", &["-c", STACK_SCRIPT, "invoke", function_arn], Some(event)).await?;
        if !done.succeeded {
            return Err(LocalAwsError::Unreadable(done.last_lines()));
        }
        let output: Value = serde_json::from_str(&done.stdout).map_err(|_| unreadable("invoke"))?;
        let text = |name: &str| output[name].as_str().map(str::to_owned).ok_or_else(|| unreadable("invoke"));
        Ok(Invoked { answer: text("answer")?, is_error: output["is_error"] == true, log: text("log")? })
    }

    /// Overrides settings of one of the stack's functions.
    ///
    /// # Errors
    /// Returns an error if the function does not exist.
    pub async fn set(
        &self,
        aws: &impl Tooling,
        function_arn: &str,
        settings: &[(String, String)],
    ) -> Result<(), LocalAwsError> {
        let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut arguments = vec!["-c", STACK_SCRIPT, "set", function_arn];
        arguments.extend(settings.iter().map(String::as_str));
        let done = aws.run("python", &arguments, None).await?;
        if done.succeeded { Ok(()) } else { Err(LocalAwsError::Unreadable(done.last_lines())) }
    }

    /// The log of one of the stack's functions. `function` is its name in the template's log groups.
    ///
    /// # Errors
    /// Returns an error if it has no log.
    pub async fn log(&self, aws: &impl Tooling, function: &str) -> Result<String, LocalAwsError> {
        let done = aws.run("python", &["-c", STACK_SCRIPT, "log", &self.name, function], None).await?;
        if done.succeeded { Ok(done.stdout) } else { Err(LocalAwsError::Unreadable(done.last_lines())) }
    }

    /// The logged errors of the stack's functions, one per line. Empty if the logs cannot be read.
    pub async fn logged_errors(&self, aws: &impl Tooling) -> String {
        match aws.run("python", &["-c", STACK_SCRIPT, "errors", &self.name], None).await {
            Ok(errors) if errors.succeeded => errors.stdout,
            _ => String::new(),
        }
    }

    /// The stack's id, which ends with a unique segment.
    ///
    /// # Errors
    /// Returns an error if the stack does not exist.
    pub async fn id(&self, aws: &impl Tooling) -> Result<String, LocalAwsError> {
        let output = aws.run("python", &["-c", STACK_SCRIPT, "id", &self.name], None).await?;
        if output.succeeded {
            Ok(output.stdout.trim().to_owned())
        } else {
            Err(LocalAwsError::Unreadable(format!("the stack's id: {}", output.last_lines())))
        }
    }

    /// Deletes the stack and waits for the deletion.
    ///
    /// # Errors
    /// Returns an error if a resource cannot be deleted.
    pub async fn delete(self, aws: &impl Tooling) -> Result<(), LocalAwsError> {
        let deleted = aws.run("python", &["-c", STACK_SCRIPT, "delete", &self.name], None).await?;
        if deleted.succeeded { Ok(()) } else { Err(LocalAwsError::DeploymentFailed(deleted.last_lines())) }
    }
}

/// The result of an invocation.
pub struct Invoked {
    /// The result as indented JSON, with the original numbers.
    pub answer: String,
    /// Whether the result is an error.
    pub is_error: bool,
    /// The last log lines of the invocation.
    pub log: String,
}

fn unreadable(action: &str) -> LocalAwsError {
    LocalAwsError::Unreadable(format!("the response to `{action}`"))
}

async fn read_outputs(aws: &impl Tooling, name: &str) -> Result<BTreeMap<String, String>, LocalAwsError> {
    let arguments = ["list", "stack-outputs", "--stack-name", name, "--output", "json", "--region", aws.region()];
    let listed = aws.run("sam", &arguments, None).await?;
    let unreadable = || LocalAwsError::Unreadable(format!("the stack's outputs: {}", listed.last_lines()));
    let outputs: Vec<Value> = serde_json::from_str(&listed.stdout).map_err(|_| unreadable())?;
    let pair =
        |output: &Value| Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].as_str()?.to_owned()));
    outputs.iter().map(pair).collect::<Option<_>>().ok_or_else(unreadable)
}

/// A parameter in quotes for `sam`. Without quotes, `sam` rejects an empty value, and cuts a value at the first space
/// or quote.
fn override_of(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_every_parameter_value() {
        for (value, written) in [
            ("everyone", r#"P="everyone""#),
            ("", r#"P="""#),
            ("example.com, *.example.org", r#"P="example.com, *.example.org""#),
            (r#"{"a":["b"]}"#, r#"P="{\"a\":[\"b\"]}""#),
        ] {
            assert_eq!(override_of("P", value), written);
        }
    }
}
