//! `make invoke`: sends one event to one deployed function.

use std::fs;

use serde_json::Value;
use testkit::local_aws::Invoked;

use crate::arguments::InvokeOptions;
use crate::demo::set_up;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::report::Report;

/// Deploys, sends the event, and prints the response, which can be an error of the function.
///
/// # Errors
/// Returns an error if the function is unknown, the event cannot be read, or the invocation fails.
pub async fn run(options: &InvokeOptions) -> Result<(), Failure> {
    let output = output_of(&options.function)?;
    let event = read(options)?;
    let deployment = set_up(&mut Report::default(), &options.options).await?;
    let invoked = send(&deployment, output, &options.settings, &event).await?;
    println!("\n{}", shown(&invoked));
    Ok(())
}

/// The functions of the template, each with the output that contains its ARN.
pub const FUNCTIONS: [(&str, &str); 9] = [
    ("pre-sign-up", "PreSignUpFunctionArn"),
    ("user-migration", "UserMigrationFunctionArn"),
    ("pool-bootstrap", "PoolBootstrapFunctionArn"),
    ("authorizer", "AuthorizerFunctionArn"),
    ("admin-api", "AdminApiFunctionArn"),
    ("auth-api", "AuthApiFunctionArn"),
    ("jobs-worker", "JobsWorkerFunctionArn"),
    ("jobs-exporter", "JobsExporterFunctionArn"),
    ("jobs-api", "JobsApiFunctionArn"),
];

/// The functions of the stack of `make demo`, which has no old directory to move users from, and no jobs.
pub fn functions_of_the_demo() -> impl Iterator<Item = (&'static str, &'static str)> {
    FUNCTIONS.into_iter().filter(|(function, _)| !function.starts_with("jobs-") && *function != "user-migration")
}

/// The template's output with the ARN of a function.
pub(crate) fn output_of(function: &str) -> Result<&'static str, Failure> {
    let known = FUNCTIONS.iter().find(|(name, _)| *name == function);
    known.map(|(_, output)| *output).ok_or_else(|| {
        let names = FUNCTIONS.map(|(name, _)| name).join(", ");
        Failure::Usage(format!("unknown function `{function}`; expected one of {names}"))
    })
}

/// Reads the event unchanged, with the original numbers and order of fields.
fn read(options: &InvokeOptions) -> Result<String, Failure> {
    let file = options.event.display();
    let event =
        fs::read_to_string(&options.event).map_err(|error| Failure::Usage(format!("cannot read {file}: {error}")))?;
    let parsed: Result<Value, _> = serde_json::from_str(&event);
    parsed.map_err(|error| Failure::Usage(format!("{file} is not JSON: {error}")))?;
    Ok(event)
}

/// Sends an event to the function whose ARN is in this output, after the function's settings are overridden.
///
/// # Errors
/// Returns an error if the settings cannot be changed or the invocation fails.
pub async fn send(
    deployment: &Deployment,
    output: &str,
    settings: &[(String, String)],
    event: &str,
) -> Result<Invoked, Failure> {
    let function = deployment.stack.output(output)?;
    if !settings.is_empty() {
        deployment.stack.set(&deployment.aws, function, settings).await?;
    }
    Ok(deployment.stack.send(&deployment.aws, function, event).await?)
}

fn shown(invoked: &Invoked) -> String {
    let Invoked { answer, is_error, log } = invoked;
    let heading = if *is_error { "Function error:" } else { "Response:" };
    let log = if log.is_empty() { "none" } else { log };
    format!("{heading}\n\n{answer}\n\nLog lines:\n\n{log}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::NamedTempFile;

    use super::*;
    use crate::arguments::Options;

    fn of(event: &str) -> InvokeOptions {
        let options = Options::default();
        InvokeOptions { function: "pre-sign-up".to_owned(), event: event.into(), settings: vec![], options }
    }

    fn usage<T>(refused: Result<T, Failure>) -> String {
        let Some(Failure::Usage(text)) = refused.err() else { unreachable!("not a usage error") };
        text
    }

    #[test]
    fn knows_every_function_of_the_template_and_rejects_other_names() {
        let template = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let lines: Vec<&str> = template.lines().map(str::trim).collect();
        let resources = lines.windows(2).filter(|pair| pair[1] == "Type: AWS::Serverless::Function");
        let outputs: Vec<String> = resources.map(|pair| pair[0].replace(':', "Arn")).collect();
        assert_eq!(outputs, FUNCTIONS.map(|(_, output)| output));
        for (function, output) in FUNCTIONS {
            assert_eq!(output_of(function).unwrap(), output);
        }
        for wrong in ["", "presignup"] {
            let expected = "expected one of pre-sign-up, user-migration, pool-bootstrap, authorizer, admin-api, auth-api, jobs-worker, jobs-exporter, jobs-api";
            assert!(usage(output_of(wrong)).ends_with(expected));
        }
    }

    #[test]
    fn reads_an_event_unchanged() {
        let file = NamedTempFile::new().unwrap();
        let event = "{\"b\": 123456789012345678901234567890, \"a\": 1.10}\n";
        fs::write(file.path(), event).unwrap();
        assert_eq!(read(&of(&file.path().display().to_string())).unwrap(), event);
    }

    #[test]
    fn rejects_an_unreadable_event_before_the_deployment() {
        assert!(usage(read(&of("/no/such/file.json"))).contains("cannot read /no/such/file.json"));
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), "{\"a\": }").unwrap();
        assert!(usage(read(&of(&file.path().display().to_string()))).contains("is not JSON"));
    }

    #[test]
    fn shows_response_or_error_with_the_log_lines() {
        let answer =
            |is_error, log: &str| shown(&Invoked { answer: "{\"a\": 1}".to_owned(), is_error, log: log.to_owned() });
        assert_eq!(answer(false, ""), "Response:\n\n{\"a\": 1}\n\nLog lines:\n\nnone");
        assert_eq!(answer(true, "x"), "Function error:\n\n{\"a\": 1}\n\nLog lines:\n\nx");
    }
}
