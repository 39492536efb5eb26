//! `make invoke`: one event to one deployed function.

use std::fs;

use serde_json::Value;

use crate::arguments::InvokeOptions;
use crate::demo::set_up;
use crate::failure::Failure;
use crate::report::Report;

/// Deploys, sends the event, and prints the answer.
///
/// # Errors
/// Where there is no such function or event, or the function answers with an error.
pub async fn run(options: &InvokeOptions) -> Result<(), Failure> {
    let output = match options.function.as_str() {
        "pre-sign-up" => "PreSignUpFunctionArn",
        "pool-bootstrap" => "PoolBootstrapFunctionArn",
        "admin-api" => "AdminApiFunctionArn",
        "auth-api" => "AuthApiFunctionArn",
        other => {
            let known = "pre-sign-up, pool-bootstrap, admin-api or auth-api";
            return Err(Failure::Usage(format!("there is no function `{other}`; expected {known}")));
        }
    };
    let file = options.event.display();
    let event = fs::read(&options.event).map_err(|error| Failure::Usage(format!("cannot read {file}: {error}")))?;
    let event: Value =
        serde_json::from_slice(&event).map_err(|error| Failure::Usage(format!("{file} is not JSON: {error}")))?;

    let scene = set_up(&mut Report::default(), &options.options).await?;
    let answer = scene.stack.invoke(&scene.aws, scene.stack.output(output)?, &event).await?;
    println!("\n{answer:#}");
    Ok(())
}
