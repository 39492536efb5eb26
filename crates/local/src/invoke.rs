//! `make invoke`: one event to one deployed function.

use std::fs;

use serde_json::Value;
use testkit::local_aws::Invoked;

use crate::arguments::InvokeOptions;
use crate::demo::set_up;
use crate::deployment::Scene;
use crate::failure::Failure;
use crate::report::Report;

/// Deploys, sends the event, and prints what came back. An error of the function is what came back, too.
///
/// # Errors
/// Where there is no such function or event, or the function cannot be asked.
pub async fn run(options: &InvokeOptions) -> Result<(), Failure> {
    let output = output_of(&options.function)?;
    let event = read(options)?;
    let scene = set_up(&mut Report::default(), &options.options).await?;
    let invoked = send(&scene, output, &options.settings, &event).await?;
    println!("\n{}", shown(&invoked));
    Ok(())
}

/// The output of the template that holds the ARN of a function.
fn output_of(function: &str) -> Result<&'static str, Failure> {
    match function {
        "pre-sign-up" => Ok("PreSignUpFunctionArn"),
        "pool-bootstrap" => Ok("PoolBootstrapFunctionArn"),
        "admin-api" => Ok("AdminApiFunctionArn"),
        "auth-api" => Ok("AuthApiFunctionArn"),
        other => {
            let known = "pre-sign-up, pool-bootstrap, admin-api or auth-api";
            Err(Failure::Usage(format!("there is no function `{other}`; expected FUNCTION={known}")))
        }
    }
}

/// The event as it stands in the file: numbers and the order of members are part of it.
fn read(options: &InvokeOptions) -> Result<String, Failure> {
    let file = options.event.display();
    let event =
        fs::read_to_string(&options.event).map_err(|error| Failure::Usage(format!("cannot read {file}: {error}")))?;
    let parsed: Result<Value, _> = serde_json::from_str(&event);
    parsed.map_err(|error| Failure::Usage(format!("{file} is not JSON: {error}")))?;
    Ok(event)
}

/// Sends an event to the function whose ARN is an output of the template, with these settings over the template's.
///
/// # Errors
/// Where the function cannot be asked.
pub async fn send(scene: &Scene, output: &str, settings: &[(String, String)], event: &str) -> Result<Invoked, Failure> {
    let function = scene.stack.output(output)?;
    if !settings.is_empty() {
        scene.stack.set(&scene.aws, function, settings).await?;
    }
    Ok(scene.stack.send(&scene.aws, function, event).await?)
}

fn shown(invoked: &Invoked) -> String {
    let Invoked { answer, is_error, log } = invoked;
    let heading = if *is_error { "The function answers with an error:" } else { "The function answers:" };
    let log = if log.is_empty() { "nothing" } else { log };
    format!("{heading}\n\n{answer}\n\nIt has logged:\n\n{log}")
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
        let Some(Failure::Usage(text)) = refused.err() else { unreachable!("no mistake of the user") };
        text
    }

    #[test]
    fn every_function_of_the_template_has_its_name_and_others_are_refused_with_these() {
        for function in ["pre-sign-up", "pool-bootstrap", "admin-api", "auth-api"] {
            assert!(output_of(function).unwrap().ends_with("FunctionArn"), "{function}");
        }
        for wrong in ["", "presignup"] {
            assert!(usage(output_of(wrong)).contains("FUNCTION=pre-sign-up, "), "{wrong}");
        }
    }

    #[test]
    fn an_event_is_read_as_it_stands_in_its_file() {
        let file = NamedTempFile::new().unwrap();
        let event = "{\"b\": 123456789012345678901234567890, \"a\": 1.10}\n";
        fs::write(file.path(), event).unwrap();
        assert_eq!(read(&of(&file.path().display().to_string())).unwrap(), event);
    }

    #[test]
    fn what_is_no_event_is_refused_before_anything_is_deployed() {
        assert!(usage(read(&of("/no/such/file.json"))).contains("cannot read /no/such/file.json"));
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), "{\"a\": }").unwrap();
        assert!(usage(read(&of(&file.path().display().to_string()))).contains("is not JSON"));
    }

    #[test]
    fn an_error_of_the_function_is_shown_as_its_answer_with_what_it_has_logged() {
        let answer =
            |is_error, log: &str| shown(&Invoked { answer: "{\"a\": 1}".to_owned(), is_error, log: log.to_owned() });
        assert_eq!(answer(false, ""), "The function answers:\n\n{\"a\": 1}\n\nIt has logged:\n\nnothing");
        assert_eq!(answer(true, "x"), "The function answers with an error:\n\n{\"a\": 1}\n\nIt has logged:\n\nx");
    }
}
