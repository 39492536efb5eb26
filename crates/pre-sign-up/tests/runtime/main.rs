//! Runs the program against a fake of Lambda's runtime API.
#![expect(clippy::unwrap_used, reason = "tests")]

mod fake_runtime_api;

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::sign_up::Policy;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::fake_runtime_api::Answer;

/// How long a test waits for a response before it fails.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Environment variable that makes the helper test run as the process that panics.
const PANICS: &str = "PRE_SIGN_UP_PANICS";

/// The running program, which ends with the test.
struct Program(Child);

impl Program {
    fn start(mut command: Command, runtime_api: SocketAddr, settings: &[(&str, &str)]) -> Self {
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", "pre-sign-up"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_RUNTIME_API", &runtime_api.to_string()),
        ];
        Self(command.envs(lambda).envs(settings.iter().copied()).spawn().unwrap())
    }

    /// Ends the program and returns its log lines and its standard error.
    fn end(mut self) -> (Vec<Value>, String) {
        assert_eq!(self.0.try_wait().unwrap(), None, "the program must still run");
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
    bare(Command::new(env!("CARGO_BIN_EXE_pre-sign-up")))
}

/// Clears the environment and captures the output.
fn bare(mut command: Command) -> Command {
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn written(child: &mut Child) -> (Vec<Value>, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), stderr)
}

/// Sends the events to one process and returns its responses and log lines.
fn exchange(settings: &[(&str, &str)], events: &[&[u8]]) -> (Vec<Answer>, Vec<Value>) {
    let (address, answers) = fake_runtime_api::start(events);
    let program = Program::start(command(), address, settings);
    let answers = events.iter().map(|_| answers.recv_timeout(ANSWER_TIMEOUT).unwrap()).collect();
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
fn answers_malformed_events_with_one_sentence_and_keeps_serving() {
    let event = sign_up();
    let truncated = &event.as_bytes()[..event.len() / 2];
    let trailing = format!("{event} mia@example.com");
    let large = "mia@example.com ".repeat(65_536);
    let large_text = format!("\"{large}\"");
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let deep_and_open = "{\"a\":".repeat(100_000);
    let malformed: [&[u8]; 17] = [
        b"not json",
        b"[]",
        b"null",
        b"17",
        b"",
        b" ",
        b"\0",
        b"{\"a\0\":1}",
        b"\"\\u0000\"",
        b"\"\\ud800\"",
        b"\"mia@example.com\"",
        b"{\"a\xff\":1}",
        truncated,
        trailing.as_bytes(),
        large.as_bytes(),
        large_text.as_bytes(),
        deep.as_bytes(),
    ];
    let malformed = malformed.into_iter().chain([deep_and_open.as_bytes()]);
    let mut events = vec![event.as_bytes()];
    for malformed in malformed {
        events.extend([malformed, event.as_bytes()]);
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
fn serves_sign_up_with_any_other_content() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let events = [deep.as_str(), &large, "\"\\u0000\"", "\"\\ud800\"", "1e999"]
        .map(|odd| sign_up().replacen('{', &format!("{{\"odd\":{odd},"), 1));
    let (answers, _) = exchange(&[], &events.each_ref().map(String::as_bytes));
    for answer in answers {
        // Most responses are valid JSON that a `Value` cannot represent.
        let text = answer.body.as_str().map_or_else(|| answer.body.to_string(), str::to_owned);
        assert_eq!(answer.kind, "response");
        assert!(text.contains(r#""autoConfirmUser":true"#), "{text:.200}");
    }
}

/// Helper of the next test, which runs this test as a separate process.
#[test]
fn process_that_panics_on_request() {
    if startup::environment()(PANICS).is_none() {
        return;
    }
    let handler = |event: Box<RawValue>| {
        assert!(!event.get().contains("PANIC"), "{}", event.get());
        pre_sign_up::handler::handle(&Policy::default(), event, OffsetDateTime::UNIX_EPOCH)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    startup::logging::start();
    runtime.block_on(pre_sign_up::handler::serve_with(handler)).unwrap();
}

#[test]
fn answers_panic_with_one_sentence_and_keeps_serving() {
    let event = sign_up();
    let panicking = event.replacen('{', r#"{"PANIC":1,"#, 1);
    let events = [event.as_bytes(), panicking.as_bytes(), event.as_bytes(), panicking.as_bytes(), event.as_bytes()];
    let (address, answers) = fake_runtime_api::start(&events);
    let mut command = bare(Command::new(std::env::current_exe().unwrap()));
    command.args(["--exact", "process_that_panics_on_request", "--nocapture"]).env(PANICS, "1");
    let mut program = Program::start(command, address, &[]);

    let public = json!({
        "errorType": "Internal", "errorMessage": "The sign-up could not be processed. Try again later"
    });
    for event in events {
        let answer = answers.recv_timeout(ANSWER_TIMEOUT).unwrap();
        if event == panicking.as_bytes() {
            assert_eq!((answer.kind.as_str(), &answer.body), ("error", &public));
        } else {
            assert_eq!(flag(&answer), true);
        }
    }
    assert_eq!(program.0.try_wait().unwrap(), None, "the process must still run");
    program.0.kill().unwrap();
    let mut logs = String::new();
    program.0.stdout.take().unwrap().read_to_string(&mut logs).unwrap();
    assert!(logs.contains(r#""message":"panic""#) && logs.contains("Panicked"), "{logs}");
    assert!(!logs.contains('@'), "{logs}");
}

#[test]
fn logs_contain_no_address_and_no_invitation() {
    let files = testkit::events::all("pre-sign-up");
    let events: Vec<&[u8]> = files.iter().map(|(_, event)| event.as_bytes()).collect();
    let key = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    let settings: [&[(&str, &str)]; 4] = [
        &[("AUTO_VERIFY_EMAIL", "everyone"), ("AUTO_VERIFY_PHONE", "everyone"), ("EXTERNAL_PROVIDERS", "refuse")],
        &[("AUTO_CONFIRM", "trusted-domains"), ("TRUSTED_EMAIL_DOMAINS", "example.com")],
        &[("AUTO_CONFIRM", "nobody"), ("ALLOWED_EMAIL_DOMAINS", "*.example.com"), ("EXTERNAL_PROVIDERS", "Google")],
        &[("AUTO_CONFIRM", "invited"), ("AUTO_VERIFY_EMAIL", "invited"), key],
    ];
    let mut decisions = BTreeSet::new();
    for settings in settings {
        let (answers, logs) = exchange(settings, &events);
        for answer in answers.iter().filter(|answer| answer.kind == "error") {
            assert!(!answer.body.to_string().contains('@'), "{answer:?}");
        }
        decisions.extend(logs.iter().map(|line| line["decision"].to_string()));
        let logs = Value::from(logs).to_string();
        for private in ["@", "mia", "kim", "15555550100", "eyJ", "evilexample", "Google_"] {
            assert!(!logs.contains(private), "{private}: {logs}");
        }
    }
    let decided = ["\"Admit\"", "\"Unchanged\"", "\"Refuse\""];
    assert!(decided.iter().all(|decision| decisions.contains(*decision)), "{decisions:?}");
}

#[test]
fn returns_refusal_to_the_user_and_logs_its_reason() {
    let (answers, logs) = exchange(&[("DENIED_EMAIL_DOMAINS", "example.com")], &[sign_up().as_bytes()]);
    let sentence = "E-mail addresses of this domain cannot be used to sign up";
    assert_eq!(answers[0].kind, "error");
    assert_eq!(answers[0].body, json!({"errorType": "SignUpRefused", "errorMessage": sentence}));
    assert_eq!((&logs[0]["level"], &logs[0]["decision"]), (&json!("INFO"), &json!("Refuse")));
    assert_eq!(logs[0]["refusal"], "the domain of the e-mail address is not allowed");
}

#[test]
fn logs_id_of_accepted_invitation() {
    let event = testkit::events::all("pre-sign-up").into_iter().find(|(case, _)| case == "sign-up-invited").unwrap().1;
    let key = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    let (_, logs) = exchange(&[("AUTO_CONFIRM", "invited"), key], &[event.as_bytes(), sign_up().as_bytes()]);
    assert_eq!((&logs[0]["confirm"], &logs[0]["invitation"]), (&json!(true), &json!("bXktZmlyc3QtaW52aXRlZQ")));
    assert_eq!((&logs[1]["confirm"], &logs[1]["invitation"]), (&json!(false), &Value::Null));
}

#[test]
fn warns_about_setting_without_effect() {
    let (_, logs) = exchange(&[("TRUSTED_EMAIL_DOMAINS", "example.com")], &[sign_up().as_bytes()]);
    assert_eq!(logs[0]["level"], "WARN");
    assert_eq!(logs[0]["message"], "TRUSTED_EMAIL_DOMAINS has no effect because AUTO_CONFIRM is not `trusted-domains`");
}

#[test]
fn logs_one_line_per_decision_with_request_id() {
    let (_, logs) = exchange(&[], &[sign_up().as_bytes()]);
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert_eq!(logs[0]["level"], "INFO");
    assert_eq!(logs[0]["message"], "sign-up decided");
    assert_eq!((&logs[0]["source"], &logs[0]["decision"]), (&json!("SelfSignUp"), &json!("Admit")));
    assert_eq!((&logs[0]["confirm"], &logs[0]["verify_email"]), (&json!(true), &json!(false)));
    assert_eq!(logs[0]["requestId"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
}

#[test]
fn logs_nothing_below_the_configured_level() {
    let (answers, logs) = exchange(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")], &[sign_up().as_bytes()]);
    assert_eq!(flag(&answers[0]), true);
    assert_eq!(logs, Vec::<Value>::new());
}

#[test]
fn invalid_setting_fails_startup_with_one_log_line() {
    let (address, _answers) = fake_runtime_api::start(&[]);
    let mut program = Program::start(command(), address, &[("AUTO_CONFIRM", "sometimes")]);
    let status = program.0.wait().unwrap();
    let (logs, stderr) = written(&mut program.0);

    assert_eq!((status.code(), stderr.as_str()), (Some(1), ""));
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert_eq!(logs[0]["level"], "ERROR");
    assert_eq!(
        logs[0]["error"],
        "the setting AUTO_CONFIRM has an invalid value: must be `everyone`, `trusted-domains`, `invited` or `nobody`"
    );
}

#[test]
fn counts_failed_startup_as_failure_of_the_stack() {
    let (address, _answers) = fake_runtime_api::start(&[]);
    let settings = [("AUTO_CONFIRM", "sometimes"), ("METRICS_STACK", "shop")];
    let mut program = Program::start(command(), address, &settings);
    program.0.wait().unwrap();
    let (logs, _) = written(&mut program.0);
    assert_eq!((logs.len(), &logs[1]["Failures"], &logs[1]["stack"]), (2, &json!(1), &json!("shop")), "{logs:?}");
}

#[test]
fn names_missing_variable_when_run_outside_lambda() {
    let mut child = command().spawn().unwrap();
    let status = child.wait().unwrap();
    let (logs, stderr) = written(&mut child);

    assert_eq!((status.code(), stderr.as_str()), (Some(1), ""));
    let error = logs[0]["error"].as_str().unwrap();
    assert!(error.starts_with("the setting AWS_LAMBDA_RUNTIME_API is not set"), "{error}");
}
