//! The real program, started as Lambda starts it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod fake_runtime_api;

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_runtime_api::Answer;

/// Long enough for any machine; only a program that hangs waits for so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program, ended with the test.
struct Program(Child);

impl Program {
    fn start(runtime_api: SocketAddr, settings: &[(&str, &str)]) -> Self {
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", "pre-sign-up"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_RUNTIME_API", &runtime_api.to_string()),
        ];
        Self(command().envs(lambda).envs(settings.iter().copied()).spawn().unwrap())
    }

    /// Ends the program and gives what it wrote, log lines first, then what went to standard error.
    fn end(mut self) -> (Vec<Value>, String) {
        assert_eq!(self.0.try_wait().unwrap(), None, "the program still serves");
        self.0.kill().unwrap();
        written(&mut self.0)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pre-sign-up"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn written(child: &mut Child) -> (Vec<Value>, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), stderr)
}

/// Sends the events to one program, and gives its answers and what it wrote.
fn exchange(settings: &[(&str, &str)], events: &[&[u8]]) -> (Vec<Answer>, Vec<Value>) {
    let (address, answers) = fake_runtime_api::start(events);
    let program = Program::start(address, settings);
    let answers = events.iter().map(|_| answers.recv_timeout(PATIENCE).unwrap()).collect();
    let (logs, stderr) = program.end();
    assert_eq!(stderr, "");
    (answers, logs)
}

fn sign_up() -> String {
    testkit::events::all("pre-sign-up").into_iter().find(|(case, _)| case == "sign-up").unwrap().1
}

fn flag(answer: &Answer) -> &Value {
    assert_eq!(answer.kind, "response", "{answer:?}");
    &answer.body["response"]["autoConfirmUser"]
}

#[test]
fn junk_is_answered_with_one_public_sentence_and_the_same_process_serves_the_next_event() {
    let event = sign_up();
    let truncated = &event.as_bytes()[..event.len() / 2];
    let trailing = format!("{event} mia@example.com");
    let deep = "[".repeat(100_000);
    let junk: [&[u8]; 9] = [
        b"not json",
        b"[]",
        b"null",
        b"",
        b"\"mia@example.com\"",
        b"{\"a\xff\":1}",
        truncated,
        trailing.as_bytes(),
        deep.as_bytes(),
    ];
    let mut events = vec![event.as_bytes()];
    for junk in junk {
        events.extend([junk, event.as_bytes()]);
    }

    let (answers, logs) = exchange(&[], &events);

    let public = json!({"errorType": "UnreadableEvent", "errorMessage": "The sign-up request could not be read"});
    for (answer, event) in answers.iter().zip(&events) {
        if *event == events[0] {
            assert_eq!(flag(answer), true);
        } else {
            assert_eq!((answer.kind.as_str(), &answer.body), ("error", &public), "{}", String::from_utf8_lossy(event));
        }
    }
    let logs = Value::from(logs).to_string();
    assert!(logs.contains("UnreadableEvent"), "{logs}");
    for private in ["mia", "example.com", "4f1f2a50"] {
        assert!(!logs.contains(private), "{logs}");
    }
}

#[test]
fn a_decision_is_one_log_line_with_the_request_it_belongs_to() {
    let (_, logs) = exchange(&[], &[sign_up().as_bytes()]);
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert_eq!(logs[0]["level"], "INFO");
    assert_eq!(logs[0]["message"], "sign-up decided");
    assert_eq!((&logs[0]["source"], &logs[0]["decision"]), (&json!("SelfSignUp"), &json!("Admit")));
    assert_eq!((&logs[0]["confirm"], &logs[0]["verify_email"]), (&json!(true), &json!(false)));
    assert_eq!(logs[0]["requestId"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
}

#[test]
fn logs_are_silent_above_the_level_that_lambda_sets() {
    let (answers, logs) = exchange(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")], &[sign_up().as_bytes()]);
    assert_eq!(flag(&answers[0]), true);
    assert_eq!(logs, Vec::<Value>::new());
}

#[test]
fn nobody_is_confirmed_where_the_setting_says_so() {
    let event = sign_up();
    let (answers, _) = exchange(&[("AUTO_CONFIRM", "nobody")], &[event.as_bytes()]);
    assert_eq!(answers[0].body, serde_json::from_str::<Value>(&event).unwrap());
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    let (address, _answers) = fake_runtime_api::start(&[]);
    let mut program = Program::start(address, &[("AUTO_CONFIRM", "sometimes")]);
    let status = program.0.wait().unwrap();
    let (logs, stderr) = written(&mut program.0);

    assert_eq!((status.code(), stderr.as_str()), (Some(1), ""));
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert_eq!(logs[0]["level"], "ERROR");
    assert_eq!(
        logs[0]["error"],
        "the setting AUTO_CONFIRM has a wrong value: expected `everyone`, `trusted-domains`, `invited` or `nobody`"
    );
}

#[test]
fn started_by_hand_it_says_that_lambda_is_missing() {
    let mut child = command().spawn().unwrap();
    let status = child.wait().unwrap();
    let (logs, stderr) = written(&mut child);

    assert_eq!((status.code(), stderr.as_str()), (Some(1), ""));
    let error = logs[0]["error"].as_str().unwrap();
    assert!(error.starts_with("the setting AWS_LAMBDA_RUNTIME_API is not set"), "{error}");
}
