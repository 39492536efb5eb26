//! Tests `make deploy` before, during and after the deployment, with fake responses of AWS and fake `sam` and `make`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod account;
mod changes;
mod input;
mod next_steps;
mod questions;
mod refusals;

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn python() -> PathBuf {
    root().join(".venv/bin/python")
}

/// Standard output, or the error on standard error.
fn run(command: &mut Command) -> Result<String, String> {
    let run = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if run.status.success() { Ok(text(run.stdout)) } else { Err(text(run.stderr)) }
}

fn script(arguments: &[&str], parameters: &str) -> Result<String, String> {
    let mut script = Command::new(python());
    script.arg(root().join("crates/local/src/deploy.py")).args(arguments);
    run(script.env("POOLKEEPER_PARAMETERS", parameters))
}

/// Runs Python code that imports the modules of the script, with this input as JSON in `given`.
fn evaluate(code: &str, given: &serde_json::Value) -> serde_json::Value {
    let code = format!("import json, sys\ngiven = json.loads(sys.argv[1])\n{code}");
    let mut python = Command::new(python());
    python.args(["-B", "-c", &code, &given.to_string()]).env("PYTHONPATH", root().join("crates/local/src"));
    serde_json::from_str(&run(&mut python).unwrap()).unwrap()
}

/// Checks PARAMETERS for a new stack.
fn check(parameters: &str) -> Result<String, String> {
    script(&["parameters", "arm64"], parameters)
}

fn refuses<T: std::fmt::Debug>(refused: Result<T, String>, expected: &str) {
    let error = refused.unwrap_err();
    assert!(error.starts_with(&format!("make: {expected}")), "{error}");
}
