//! The real program, started as Lambda starts it.
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

/// Long enough for any machine; only a program that hangs waits for so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tells the program that panics from the test that starts it.
const PANICS: &str = "PRE_SIGN_UP_PANICS";

/// The program, ended with the test.
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
    bare(Command::new(env!("CARGO_BIN_EXE_pre-sign-up")))
}

/// Without this process's environment, and with its output to be read.
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

/// Sends the events to one program, and gives its answers and what it wrote.
fn exchange(settings: &[(&str, &str)], events: &[&[u8]]) -> (Vec<Answer>, Vec<Value>) {
    let (address, answers) = fake_runtime_api::start(events);
    let program = Program::start(command(), address, settings);
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
    let large = "mia@example.com ".repeat(65_536);
    let large_text = format!("\"{large}\"");
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let deep_and_open = "{\"a\":".repeat(100_000);
    let junk: [&[u8]; 17] = [
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
    let junk = junk.into_iter().chain([deep_and_open.as_bytes()]);
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

/// An event whose every part is as large, as deep or as odd as JSON allows, and still a sign-up.
#[test]
fn whatever_else_is_in_a_sign_up_it_is_served() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let events = [deep.as_str(), &large, "\"\\u0000\"", "\"\\ud800\"", "1e999"]
        .map(|odd| sign_up().replacen('{', &format!("{{\"odd\":{odd},"), 1));
    let (answers, _) = exchange(&[], &events.each_ref().map(String::as_bytes));
    for answer in answers {
        // Most of them can be sent, and not be held in a `Value`.
        let text = answer.body.as_str().map_or_else(|| answer.body.to_string(), str::to_owned);
        assert_eq!(answer.kind, "response");
        assert!(text.contains(r#""autoConfirmUser":true"#), "{text:.200}");
    }
}

/// Not a test: the program of the one below it, which starts this test again as a process of its own.
#[test]
fn a_program_that_panics_where_the_event_says_so() {
    if startup::environment()(PANICS).is_none() {
        return;
    }
    let handler = |event: Box<RawValue>| {
        assert!(!event.get().contains("PANIC"), "{}", event.get());
        pre_sign_up::handler::handle(&Policy::default(), event, OffsetDateTime::UNIX_EPOCH)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    startup::logging::start();
    runtime.block_on(pre_sign_up::handler::serve_by(handler)).unwrap();
}

#[test]
fn a_panic_is_answered_with_one_public_sentence_and_the_same_process_serves_the_next_event() {
    let event = sign_up();
    let panicking = event.replacen('{', r#"{"PANIC":1,"#, 1);
    let events = [event.as_bytes(), panicking.as_bytes(), event.as_bytes(), panicking.as_bytes(), event.as_bytes()];
    let (address, answers) = fake_runtime_api::start(&events);
    let mut command = bare(Command::new(std::env::current_exe().unwrap()));
    command.args(["--exact", "a_program_that_panics_where_the_event_says_so", "--nocapture"]).env(PANICS, "1");
    let mut program = Program::start(command, address, &[]);

    let public = json!({
        "errorType": "Internal", "errorMessage": "The sign-up could not be processed, please try again later"
    });
    for event in events {
        let answer = answers.recv_timeout(PATIENCE).unwrap();
        if event == panicking.as_bytes() {
            assert_eq!((answer.kind.as_str(), &answer.body), ("error", &public));
        } else {
            assert_eq!(flag(&answer), true);
        }
    }
    assert_eq!(program.0.try_wait().unwrap(), None, "the process is the one that was started");
    program.0.kill().unwrap();
    let mut logs = String::new();
    program.0.stdout.take().unwrap().read_to_string(&mut logs).unwrap();
    assert!(logs.contains(r#""message":"panic""#) && logs.contains("Panicked"), "{logs}");
    assert!(!logs.contains('@'), "{logs}");
}

#[test]
fn whatever_is_decided_no_log_line_holds_an_address_or_an_invitation() {
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
fn a_refusal_is_told_to_the_person_and_its_reason_to_the_log() {
    let (answers, logs) = exchange(&[("DENIED_EMAIL_DOMAINS", "example.com")], &[sign_up().as_bytes()]);
    let sentence = "E-mail addresses of this domain cannot be used to sign up";
    assert_eq!(answers[0].kind, "error");
    assert_eq!(answers[0].body, json!({"errorType": "SignUpRefused", "errorMessage": sentence}));
    assert_eq!((&logs[0]["level"], &logs[0]["decision"]), (&json!("INFO"), &json!("Refuse")));
    assert_eq!(logs[0]["refusal"], "the domain of the e-mail address is not allowed");
}

#[test]
fn an_invitation_that_counts_leaves_its_id_in_the_log() {
    let event = testkit::events::all("pre-sign-up").into_iter().find(|(case, _)| case == "sign-up-invited").unwrap().1;
    let key = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    let (_, logs) = exchange(&[("AUTO_CONFIRM", "invited"), key], &[event.as_bytes(), sign_up().as_bytes()]);
    assert_eq!((&logs[0]["confirm"], &logs[0]["invitation"]), (&json!(true), &json!("bXktZmlyc3QtaW52aXRlZQ")));
    assert_eq!((&logs[1]["confirm"], &logs[1]["invitation"]), (&json!(false), &Value::Null));
}

#[test]
fn a_setting_that_makes_no_difference_is_warned_of() {
    let (_, logs) = exchange(&[("TRUSTED_EMAIL_DOMAINS", "example.com")], &[sign_up().as_bytes()]);
    assert_eq!(logs[0]["level"], "WARN");
    assert_eq!(logs[0]["message"], "TRUSTED_EMAIL_DOMAINS makes no difference: AUTO_CONFIRM is not `trusted-domains`");
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
    let mut program = Program::start(command(), address, &[("AUTO_CONFIRM", "sometimes")]);
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
