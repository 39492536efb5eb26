//! Every error that the SDK's model gives an operation of ours, sent through the real adapter and the real retry of
//! provisioning: what it means, and how often the call goes out.
//!
//! The operations come from the sources of this crate, their errors from those of the SDK. So this fails when an update
//! of the SDK brings an error that has no row in `classify.rs`, and when an adapter calls an operation that stands not
//! in [`CALLS`].

mod calls;
mod meanings;
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
use crate::classify::{explicit_class, explicit_reason};
use calls::{CALLS, Call, Failed, Port, Ports};
use meanings::meaning;

/// How long provisioning may take here. What is repeated until time runs out stops at it.
const ALLOWED: Duration = Duration::from_mins(5);

/// How many attempts fit into so many seconds: one every two seconds, which chance shortens by up to a fifth, and a few
/// more in the beginning.
fn awaited(seconds: usize) -> RangeInclusive<usize> {
    seconds / 2..=seconds * 10 / 16 + 6
}

/// How often a call goes out: the one table of it.
fn attempts(class: ErrorClass, Context { situation, rights }: Context) -> RangeInclusive<usize> {
    match (class, situation) {
        (ErrorClass::Throttled, _) => 6..=6,
        (ErrorClass::OutcomeUnknown, Situation::Creating) => 1..=1,
        (ErrorClass::OutcomeUnknown, _) => 4..=4,
        (ErrorClass::ConcurrentModification, _) => 5..=5,
        (ErrorClass::NotFound, Situation::JustCreated) => awaited(5),
        (ErrorClass::TriggerNotInvoked, _) => awaited(30),
        (ErrorClass::Forbidden, _) if rights == Rights::JustGranted => awaited(30),
        (ErrorClass::Conflict, Situation::JustDetached) => awaited(60),
        (ErrorClass::PrincipalNotVisibleYet, _) => awaited(120),
        // Until time runs out.
        (ErrorClass::RoleNotAssumable, Situation::AwaitingPropagation) => awaited(300),
        (ErrorClass::ExternalService | ErrorClass::Conflict, _) => 3..=3,
        _ => 1..=1,
    }
}

/// Operations of the platform whose "not found" is an answer, and no error.
const ABSENCE_IS_AN_ANSWER: [&str; 9] = [
    "DeletePolicyVersion",
    "DescribeIdentityProvider",
    "DescribeIdentityPool",
    "DescribeUserPool",
    "DescribeUserPoolClient",
    "GetParameter",
    "GetPolicy",
    "GetRole",
    "ListTagsForResource",
];

/// What is answered in place of a success.
#[derive(Debug, Clone)]
enum Fault {
    Code { code: String, message: &'static str },
    Status(u16),
    BrokenConnection,
    Timeout,
}

impl Fault {
    /// Errors come with 400 whatever they are, so that only the code can tell what they mean.
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

/// What the model says can go wrong with an operation.
fn modelled(call: &Call) -> Vec<Fault> {
    let codes = Sdk::of(call.service).error_codes(call.operation).into_iter();
    codes
        .flat_map(|code| {
            let messages: &[&str] = match code.as_str() {
                "MalformedPolicyDocument" => &["Syntax errors in policy.", "Invalid principal in policy: \"AWS\""],
                _ => &["what AWS says"],
            };
            messages.iter().map(move |message| Fault::Code { code: code.clone(), message })
        })
        .collect()
}

/// What can go wrong with every operation, and stands in no model.
fn common() -> Vec<Fault> {
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

struct Nobody;

impl Listener for Nobody {
    fn waiting(&self, _: &Waiting) {}
}

/// Makes the call as provisioning does, while its operation fails like this, and complains about what is not as it
/// should be.
async fn check(aws: &crate::Aws, call: Call, fault: Fault) -> Option<String> {
    let (class, reason) = fault.expected(&call);
    let is_answer = class == ErrorClass::NotFound && ABSENCE_IS_AN_ANSWER.contains(&call.operation);
    let expected_attempts = if is_answer { 1..=1 } else { attempts(class, call.context()) };

    let failing = fault.clone();
    let fake = FakeAws::new(
        move |operation| {
            if operation == call.operation { failing.answer(&call) } else { Ok(success(operation)) }
        },
    );
    let ports = Ports::of(&aws.without_retries().with_http_client(fake.clone()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(ALLOWED));
    let result = retry(&clock, call.context(), || ports.make(&call), &Nobody).await;

    let outcome = result.as_ref().map_err(|gave_up| &gave_up.last).map(|_| ());
    let as_expected = match outcome {
        Ok(()) => is_answer,
        Err(Failed { operation, class: found, reason: why }) => {
            !is_answer && (*operation, *found, *why) == (call.operation, class, reason)
        }
    };
    let sent = fake.calls(call.operation);
    (!as_expected || !expected_attempts.contains(&sent)).then(|| {
        let expected = format!("{class:?} {reason:?} after {expected_attempts:?} requests");
        format!("{} {fault:?}: {outcome:?} after {sent} requests, and not {expected}", call.operation)
    })
}

#[tokio::test(start_paused = true)]
async fn every_error_of_the_model_means_what_it_should_and_is_repeated_as_often_as_it_should() {
    let aws = offline_aws().await;
    let (mut pairs, mut beyond_the_model, mut complaints) = (0, 0, Vec::new());
    for call in CALLS {
        for fault in modelled(&call) {
            complaints.extend(check(&aws, call, fault).await);
            pairs += 1;
        }
        for fault in common() {
            complaints.extend(check(&aws, call, fault).await);
            beyond_the_model += 1;
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    println!("{} operations, {pairs} modelled errors of theirs, {beyond_the_model} other failures", CALLS.len());
    assert!(pairs > 400, "only {pairs} pairs: is the model still read as it is written?");
}

#[test]
fn every_error_of_the_model_has_a_row_of_its_own() {
    let without_row: BTreeSet<String> = CALLS
        .iter()
        .flat_map(|call| modelled(call).into_iter().map(move |fault| (call, fault)))
        .filter_map(|(call, fault)| {
            let Fault::Code { code, message } = fault else { return None };
            let has_row = match call.port {
                Port::Platform => explicit_class(&code, message).is_some(),
                Port::Users => explicit_reason(call.operation, &code, message).is_some(),
            };
            (!has_row).then(|| format!("{}: {code}", call.operation))
        })
        .collect();
    assert!(without_row.is_empty(), "say in classify.rs what these mean: {without_row:#?}");
}

/// Where the sources of this crate name an operation: the file without its ending, and the operation.
fn operations_in_the_sources(folder: &Path) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            found.extend(operations_in_the_sources(&path));
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
fn the_calls_here_are_those_that_the_adapters_make() {
    let sources = operations_in_the_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let calls: BTreeSet<_> = CALLS.iter().map(|call| (call.file.to_owned(), call.operation.to_owned())).collect();
    let new: Vec<_> = sources.difference(&calls).collect();
    let gone: Vec<_> = calls.difference(&sources).collect();
    assert!(new.is_empty(), "add these to `CALLS`: {new:?}");
    assert!(gone.is_empty(), "nobody calls these any more: {gone:?}");
}
