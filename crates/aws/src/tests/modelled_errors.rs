//! Sends every modelled error of every operation through the adapters and provisioning's retry, and checks its meaning
//! and the number of attempts. Fails if an SDK update adds an error without a row in `classify.rs`, or if an adapter
//! calls an operation that is not in [`CALLS`].

mod calls;
mod meanings;
mod ports;
mod repeats;

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use domain::retry::{Clock, Context, ErrorClass, Listener, Rights, Situation, Waiting, retry};
use domain::user_pool::error::Reason;
use serde_json::json;

use super::fake_aws::{Answer, FakeAws, offline_aws, success};
use super::response;
use super::sdk_source::Sdk;
use crate::SystemClock;
use crate::attempts::quota_category;
use crate::classify::{explicit_class, explicit_reason};
use calls::{CALLS, Call, Port};
use meanings::meaning;
use ports::{PortError, Ports};

/// The time limit of provisioning. Unlimited retries end here.
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// Returns the possible numbers of attempts within `seconds`: one every two seconds, shortened by up to 20 % of jitter,
/// and a few more at the beginning.
fn attempts_within(seconds: usize) -> RangeInclusive<usize> {
    seconds / 2..=seconds * 10 / 16 + 6
}

/// Returns the expected numbers of attempts.
fn attempts(class: ErrorClass, Context { situation, rights }: Context) -> RangeInclusive<usize> {
    match (class, situation) {
        (ErrorClass::Throttled, _) => 6..=6,
        (ErrorClass::OutcomeUnknown, Situation::Creating) => 1..=1,
        (ErrorClass::OutcomeUnknown, _) => 4..=4,
        (ErrorClass::ConcurrentModification, _) => 5..=5,
        (ErrorClass::NotFound, Situation::JustCreated) => attempts_within(5),
        (ErrorClass::TriggerNotInvoked, _) => attempts_within(30),
        (ErrorClass::Forbidden, _) if rights == Rights::JustGranted => attempts_within(30),
        (ErrorClass::Conflict, Situation::JustDetached) => attempts_within(60),
        (ErrorClass::PrincipalNotVisibleYet, _) => attempts_within(120),
        // Retried until the time limit.
        (ErrorClass::RoleNotAssumable, Situation::AwaitingPropagation) => attempts_within(300),
        (ErrorClass::ExternalService | ErrorClass::Conflict, _) => 3..=3,
        _ => 1..=1,
    }
}

/// Operations of the platform for which "not found" is a success.
const NOT_FOUND_IS_SUCCESS: [&str; 11] = [
    "DeletePolicyVersion",
    "DescribeIdentityProvider",
    "DescribeIdentityPool",
    "DescribeUserPool",
    "DescribeUserPoolClient",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetParameter",
    "GetPolicy",
    "GetRole",
    "ListTagsForResource",
];

/// A failure of an operation.
#[derive(Debug, Clone)]
enum Fault {
    Code { code: String, message: &'static str },
    Status(u16),
    BrokenConnection,
    Timeout,
}

impl Fault {
    /// Every error has status 400, so that only the code determines its meaning.
    fn answer(&self, call: &Call) -> Answer {
        match self {
            Self::Code { code, message } if matches!(call.service, "iam" | "sts") => {
                let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
                Ok(response(400, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>")))
            }
            Self::Code { code, message } => {
                Ok(response(400, json!({ "__type": code, "message": message }).to_string()))
            }
            Self::Status(status) => Ok(response(*status, "")),
            Self::BrokenConnection => Err(ConnectorError::io("connection reset".into())),
            Self::Timeout => Err(ConnectorError::timeout("no answer".into())),
        }
    }

    fn expected(&self, call: &Call) -> (ErrorClass, Option<Reason>) {
        let reason = match self {
            Self::Code { code, message } => return meaning(call, code, message),
            Self::Timeout => Reason::DeadlineExceeded,
            Self::Status(_) | Self::BrokenConnection => Reason::Unavailable,
        };
        (ErrorClass::OutcomeUnknown, (call.port == Port::Users).then_some(reason))
    }
}

/// Returns the errors of an operation in the service model.
fn modelled_faults(call: &Call) -> Vec<Fault> {
    let codes = Sdk::of(call.service).error_codes(call.operation).into_iter();
    codes
        .flat_map(|code| {
            let messages: &[&str] = match code.as_str() {
                "MalformedPolicyDocument" => &["Syntax errors in policy.", "Invalid principal in policy: \"AWS\""],
                "UserLambdaValidationException" => &["what AWS says", "UserMigration failed with error no."],
                _ => &["what AWS says"],
            };
            messages.iter().map(move |message| Fault::Code { code: code.clone(), message })
        })
        .collect()
}

/// Returns the failures that every operation can have, in addition to the model.
fn common_faults() -> Vec<Fault> {
    let codes = [
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "AccessDenied",
        "AccessDeniedException",
        "UnrecognizedClientException",
    ];
    let codes = codes.map(|code| Fault::Code { code: code.to_owned(), message: "what AWS says" });
    let rest = [Fault::Status(500), Fault::Status(502), Fault::Status(503), Fault::BrokenConnection, Fault::Timeout];
    codes.into_iter().chain(rest).collect()
}

struct NoOpListener;

impl Listener for NoOpListener {
    fn waiting(&self, _: &Waiting) {}
}

/// Makes the call through provisioning's retry while its operation fails with `fault`. Returns a message if the meaning
/// or the number of attempts is wrong.
async fn check(aws: &crate::Aws, call: Call, fault: Fault) -> Option<String> {
    let (class, reason) = fault.expected(&call);
    let is_success = class == ErrorClass::NotFound && NOT_FOUND_IS_SUCCESS.contains(&call.operation);
    let expected_attempts = if is_success { 1..=1 } else { attempts(class, call.context()) };

    let failing = fault.clone();
    let fake = FakeAws::new(
        move |operation| {
            if operation == call.operation { failing.answer(&call) } else { Ok(success(operation)) }
        },
    );
    let ports = Ports::of(&aws.without_retries().with_http_client(fake.clone()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(TIME_LIMIT));
    let result = retry(&clock, call.context(), || ports.call(&call), &NoOpListener).await;

    let outcome = result.as_ref().map_err(|failure| &failure.last).map(|_| ());
    let as_expected = match outcome {
        Ok(()) => is_success,
        Err(PortError { operation, class: found, reason: why }) => {
            !is_success && (*operation, *found, *why) == (call.operation, class, reason)
        }
    };
    let sent = fake.calls(call.operation);
    (!as_expected || !expected_attempts.contains(&sent)).then(|| {
        let expected = format!("{class:?} {reason:?} after {expected_attempts:?} requests");
        format!("{} {fault:?}: {outcome:?} after {sent} requests, expected {expected}", call.operation)
    })
}

#[tokio::test(start_paused = true)]
async fn every_modelled_error_has_the_expected_meaning_and_attempts() {
    let aws = offline_aws().await;
    let (mut pairs, mut others, mut mismatches) = (0, 0, Vec::new());
    for call in CALLS {
        for fault in modelled_faults(&call) {
            mismatches.extend(check(&aws, call, fault).await);
            pairs += 1;
        }
        for fault in common_faults() {
            mismatches.extend(check(&aws, call, fault).await);
            others += 1;
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    println!("{} operations, {pairs} modelled errors, {others} other failures", CALLS.len());
    assert!(pairs > 400, "only {pairs} pairs: does sdk_source.rs still match the SDK's sources?");
}

#[test]
fn every_operation_of_user_pools_has_a_quota_category() {
    let operations = CALLS.iter().filter(|call| call.service == "cognitoidentityprovider").map(|call| call.operation);
    let without = operations.filter(|operation| quota_category(operation) == "Other").collect::<Vec<_>>();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn every_modelled_error_has_its_own_row() {
    let without_row: BTreeSet<String> = CALLS
        .iter()
        .flat_map(|call| modelled_faults(call).into_iter().map(move |fault| (call, fault)))
        .filter_map(|(call, fault)| {
            let Fault::Code { code, message } = fault else { return None };
            let has_row = match call.port {
                Port::Platform => explicit_class(&code, message).is_some(),
                Port::Users => explicit_reason(call.operation, &code, message).is_some(),
            };
            (!has_row).then(|| format!("{}: {code}", call.operation))
        })
        .collect();
    assert!(without_row.is_empty(), "add a row in classify.rs for: {without_row:#?}");
}

/// Returns the operations in the sources of this crate, each with its file name without the extension.
fn operations_in_sources(directory: &Path) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            found.extend(operations_in_sources(&path));
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for marker in ["Failure::of(\"", "const OPERATION: &str = \""] {
            let named = source.split(marker).skip(1).map(|rest| rest.split('"').next().unwrap());
            found.extend(named.map(|operation| (name.clone(), operation.to_owned())));
        }
    }
    found
}

#[test]
fn calls_contain_every_operation_of_the_adapters() {
    let sources = operations_in_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let calls: BTreeSet<_> = CALLS.iter().map(|call| (call.file.to_owned(), call.operation.to_owned())).collect();
    let new: Vec<_> = sources.difference(&calls).collect();
    let gone: Vec<_> = calls.difference(&sources).collect();
    assert!(new.is_empty(), "add these to `CALLS`: {new:?}");
    assert!(gone.is_empty(), "remove these from `CALLS`: {gone:?}");
}
