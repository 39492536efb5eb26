//! Property tests of the handler. `make properties` runs 100,000 cases of each property in release. The fuzzer
//! (CONTRIBUTING.md) asserts the same invariants for arbitrary bytes.
#![expect(clippy::unwrap_used, reason = "tests")]

mod addresses;
mod echo;
mod generators;
#[path = "../invariants/mod.rs"]
mod invariants;
mod invitations;

use domain::sign_up::Policy;
use pre_sign_up::failure::Failure;
use proptest::prelude::ProptestConfig;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Runs 100,000 cases of each property in release and 500 in debug.
fn config() -> ProptestConfig {
    let cases = if cfg!(debug_assertions) { 500 } else { 100_000 };
    // The number of rejected cases grows with the number of cases.
    ProptestConfig { cases, max_global_rejects: 10 * cases, ..ProptestConfig::default() }
}

fn policy(settings: &[(&str, &str)]) -> Policy {
    let value = |variable: &str| Some(settings.iter().find(|(name, _)| *name == variable)?.1.to_owned());
    pre_sign_up::settings::policy(value).unwrap()
}

fn answer(policy: &Policy, event: &str) -> Result<Value, Failure> {
    let event = RawValue::from_string(event.to_owned()).unwrap();
    let now = OffsetDateTime::from_unix_timestamp(1_780_272_000).unwrap();
    pre_sign_up::handler::handle(policy, event, now).map(|event| serde_json::from_str(event.get()).unwrap())
}

/// Returns a sign-up event with this address.
fn sign_up(email: &Value) -> Value {
    json!({
        "version": "1",
        "userPoolId": "eu-central-1_Ab12Cd34E",
        "userName": "mia",
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": email}, "validationData": null},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    })
}
