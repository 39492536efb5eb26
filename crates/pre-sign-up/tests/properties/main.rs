//! Properties of the handler: whatever comes in, only what the policy grants goes out.
//!
//! Here events are made up with a purpose: what becomes of each is known from how it was made. `make properties` makes 100,000 for each
//! property, in release; the fuzzer (CONTRIBUTING.md) takes over where nobody has thought of a purpose.
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

/// How many cases of each property: many where the program is optimized, enough to notice a slip where it is not.
fn many() -> ProptestConfig {
    let cases = if cfg!(debug_assertions) { 500 } else { 100_000 };
    // Some cases are no cases, and are left out: their number grows with that of the others.
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

/// A sign-up as Cognito sends it, with this address.
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
