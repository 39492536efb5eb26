//! Sends every file of events/user-migration to the handler, with an old directory in memory.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::migration::{Denial, LookupError, OldDirectory, OldUser, Policy};
use domain::secret::Secret;
use domain::spec::SignInWith;
use domain::user_pool::user::{UserStatus, Username};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use testkit::logs::Logs;
use tokio::time::Instant;
use user_migration::{Failure, Migrator};

/// The pool of `sign-in-at-the-old-pool`.
const OLD_POOL: &str = "eu-west-1_oLdPoOl01";
const PASSWORD: &str = "Correct-Horse-1";
const TIME_LEFT: Duration = Duration::from_secs(4);

/// How the old directory answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Works,
    Fails,
    Stalls,
}

struct Directory {
    mode: Mode,
    calls: AtomicUsize,
}

impl Directory {
    fn new(mode: Mode) -> Arc<Self> {
        Arc::new(Self { mode, calls: AtomicUsize::new(0) })
    }

    /// Finds a user by user name or address.
    async fn user(&self, name: &Username) -> Result<OldUser, LookupError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.mode {
            Mode::Works => {}
            Mode::Fails => return Err(LookupError::unavailable("throttled")),
            Mode::Stalls => std::future::pending().await,
        }
        let name = name.as_str().to_ascii_lowercase();
        let found = ["mia", "dan", "max", "uma", "rea"].iter().find(|user| name.split('@').next() == Some(user));
        let username = (*found.ok_or(Denial::Credentials)?).to_owned();
        let attributes = [
            ("sub", "0e6f3f3b-0000-4000-8000-000000000000".to_owned()),
            ("email", format!("{username}@example.com")),
            ("email_verified", (username != "uma").to_string()),
            ("name", username.clone()),
            ("custom:role", "admin".to_owned()),
        ];
        Ok(OldUser {
            status: if username == "rea" { UserStatus::ResetRequired } else { UserStatus::Confirmed },
            enabled: username != "dan",
            has_second_factor: username == "max",
            attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
            username,
        })
    }
}

#[async_trait]
impl OldDirectory for Directory {
    async fn sign_in(&self, name: &Username, password: &Secret) -> Result<OldUser, LookupError> {
        let user = self.user(name).await?;
        if password.expose() == PASSWORD { Ok(user) } else { Err(Denial::Credentials.into()) }
    }

    async fn find(&self, name: &Username) -> Result<OldUser, LookupError> {
        self.user(name).await
    }
}

fn migrator(sign_in: SignInWith, directory: &Arc<Directory>) -> Migrator {
    let policy = Policy { sign_in, attributes: "email,name".parse().unwrap() };
    Migrator::new(policy, directory.clone(), Some(OLD_POOL.to_owned()))
}

fn events() -> Vec<(String, Value)> {
    let events = testkit::events::all("user-migration");
    events.into_iter().map(|(case, text)| (case, serde_json::from_str(&text).unwrap())).collect()
}

fn event(case: &str) -> Value {
    events().into_iter().find(|(name, _)| name == case).unwrap().1
}

async fn answer(sign_in: SignInWith, mode: Mode, event: Value) -> Result<Value, Failure> {
    migrator(sign_in, &Directory::new(mode)).handle(event, TIME_LEFT).await
}

#[tokio::test]
async fn answers_every_event() {
    let mut answers = String::new();
    for sign_in in [SignInWith::Email, SignInWith::Username] {
        writeln!(answers, "{sign_in:?}").unwrap();
        for (case, event) in events() {
            match answer(sign_in, Mode::Works, event.clone()).await {
                Ok(mut answered) => {
                    let response = answered["response"].take();
                    writeln!(answers, "  {case}: {response}").unwrap();
                    // Nothing else changes.
                    answered["response"] = event["response"].clone();
                    assert_eq!(answered, event, "{case}");
                }
                Err(failure) => writeln!(answers, "  {case}: {failure:?}").unwrap(),
            }
        }
    }
    insta::assert_snapshot!(answers);
}

/// Denies every user for one reason.
struct Denying(Denial);

#[async_trait]
impl OldDirectory for Denying {
    async fn sign_in(&self, _: &Username, _: &Secret) -> Result<OldUser, LookupError> {
        Err(self.0.into())
    }

    async fn find(&self, _: &Username) -> Result<OldUser, LookupError> {
        Err(self.0.into())
    }
}

#[tokio::test]
async fn every_reason_has_the_response_of_an_unknown_user() {
    for denial in Denial::ALL {
        let policy = Policy { sign_in: SignInWith::Email, attributes: "email".parse().unwrap() };
        let migrator = Migrator::new(policy, Arc::new(Denying(*denial)), None);
        for case in ["sign-in", "forgot-password"] {
            let answered = migrator.handle(event(case), TIME_LEFT).await.unwrap();
            assert_eq!(answered["response"], json!({}), "{denial:?}, {case}");
        }
    }
}

#[tokio::test]
async fn users_who_do_not_move_receive_one_response() {
    let responses = ["sign-in-with-wrong-password", "sign-in-of-unknown-user", "sign-in-of-disabled-user"];
    for case in responses.into_iter().chain(["forgot-password-of-unknown-user", "sign-in-of-user-with-second-factor"]) {
        let answered = answer(SignInWith::Email, Mode::Works, event(case)).await.unwrap();
        assert_eq!(answered["response"], json!({}), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn fails_without_answer_of_the_old_directory() {
    for case in ["sign-in", "forgot-password", "sign-in-with-wrong-password"] {
        for mode in [Mode::Fails, Mode::Stalls] {
            let started_at = Instant::now();
            let failure = answer(SignInWith::Email, mode, event(case)).await.unwrap_err();
            let diagnostic = Diagnostic::from(failure);
            assert_eq!(diagnostic.error_type, "Unavailable", "{mode:?}");
            assert_eq!(diagnostic.error_message, "The request could not be processed. Try again later");
            let expected = if mode == Mode::Stalls { TIME_LEFT } else { Duration::ZERO };
            let waited = started_at.elapsed();
            assert!(waited >= expected && waited < expected + Duration::from_millis(10), "{mode:?}: {waited:?}");
        }
    }
}

#[tokio::test]
async fn asks_the_old_directory_once_and_not_without_need() {
    for (case, calls) in [
        ("sign-in", 1),
        ("sign-in-with-wrong-password", 1),
        ("forgot-password", 1),
        ("sign-in-with-name-that-is-no-user-name", 0),
        ("sign-in-at-the-old-pool", 0),
        ("sign-in-without-password", 0),
        ("unknown-source", 0),
    ] {
        for mode in [Mode::Works, Mode::Fails] {
            let directory = Directory::new(mode);
            let _ = migrator(SignInWith::Email, &directory).handle(event(case), TIME_LEFT).await;
            assert_eq!(directory.calls.load(Ordering::Relaxed), calls, "{case}, {mode:?}");
        }
    }
}

#[tokio::test]
async fn fails_for_values_that_are_no_event() {
    let mut no_text = event("sign-in");
    no_text["triggerSource"] = json!({"UserMigration_Authentication": null});
    let mut number = event("sign-in");
    number["request"]["password"] = json!(1);
    for event in [json!(null), json!([]), json!({}), json!("UserMigration_Authentication"), no_text, number] {
        assert_eq!(answer(SignInWith::Email, Mode::Works, event).await, Err(Failure::UnreadableEvent));
    }
}

#[tokio::test(start_paused = true)]
async fn log_contains_the_decision_and_no_input() {
    let logs = Logs::capture();
    for (_, event) in events() {
        for mode in [Mode::Works, Mode::Fails, Mode::Stalls] {
            let _ = answer(SignInWith::Email, mode, event.clone()).await;
        }
    }
    let text = logs.text();
    for logged in ["Migrate", "Credentials", "SecondFactor", "Disabled", "Status", "Name", "throttled", "4000 ms"] {
        assert!(text.contains(logged), "{logged} is missing in\n{text}");
    }
    for input in ["Horse", "example", "mia", "0e6f3f3b", "admin", "spring"] {
        assert!(!text.contains(input), "{input} is in\n{text}");
    }
}

#[tokio::test]
async fn counts_failures_but_no_denials() {
    for (case, mode, expected) in [
        ("sign-in", Mode::Works, 0),
        ("sign-in-with-wrong-password", Mode::Works, 0),
        ("sign-in", Mode::Fails, 1),
        ("unknown-source", Mode::Works, 1),
        ("sign-in-at-the-old-pool", Mode::Works, 1),
    ] {
        let logs = Logs::capture();
        let _ = answer(SignInWith::Email, mode, event(case)).await;
        let failures = logs.lines().iter().filter(|line| line["fields"]["Failures"] == 1).count();
        assert_eq!(failures, expected, "{case}");
    }
}
