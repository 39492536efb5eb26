//! Every file in events/pre-sign-up through the handler, under both policies.
#![expect(clippy::unwrap_used, reason = "tests")]

use domain::sign_up::{AutoConfirm, Policy};
use serde_json::Value;
use serde_json::value::RawValue;

/// What becomes of each case where everyone is confirmed. Where nobody is, each comes back as it was.
const CASES: [(&str, Expected); 13] = [
    ("admin-create-user", Expected::AsItCame),
    ("external-provider", Expected::AsItCame),
    ("external-provider-without-user-name", Expected::AsItCame),
    ("sign-up", Expected::Confirmed),
    ("sign-up-by-user-name-without-email", Expected::Confirmed),
    ("sign-up-empty-response", Expected::Confirmed),
    ("sign-up-null-flags", Expected::Confirmed),
    ("sign-up-null-validation-data", Expected::Confirmed),
    ("sign-up-unknown-fields", Expected::Confirmed),
    ("sign-up-with-client-metadata", Expected::Confirmed),
    ("sign-up-without-caller-context", Expected::Confirmed),
    ("sign-up-without-response", Expected::Confirmed),
    ("unknown-source", Expected::AsItCame),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    Confirmed,
    AsItCame,
}

fn answer(auto_confirm: AutoConfirm, event: &str) -> String {
    let event = RawValue::from_string(event.trim().to_owned()).unwrap();
    pre_sign_up::handler::handle(&Policy { auto_confirm }, event).unwrap().get().to_owned()
}

#[test]
fn every_event_file_has_an_expectation_and_every_expectation_a_file() {
    let files: Vec<String> = testkit::events::all("pre-sign-up").into_iter().map(|(case, _)| case).collect();
    assert_eq!(files, CASES.map(|(case, _)| case));
}

#[test]
fn every_event_comes_back_confirmed_or_as_it_came() {
    for ((case, event), (_, expected)) in testkit::events::all("pre-sign-up").iter().zip(CASES) {
        let answered = answer(AutoConfirm::Everyone, event);
        if expected == Expected::AsItCame {
            assert_eq!(answered, event.trim(), "{case}");
            continue;
        }
        let mut wanted: Value = serde_json::from_str(event).unwrap();
        wanted["response"]["autoConfirmUser"] = Value::Bool(true);
        let answered: Value = serde_json::from_str(&answered).unwrap();
        assert_eq!(answered, wanted, "{case}");
    }
}

#[test]
fn every_event_comes_back_as_it_came_where_nobody_is_confirmed() {
    for (case, event) in testkit::events::all("pre-sign-up") {
        assert_eq!(answer(AutoConfirm::Nobody, &event), event.trim(), "{case}");
    }
}

#[test]
fn a_number_that_no_float_holds_survives() {
    let (_, event) =
        testkit::events::all("pre-sign-up").into_iter().find(|(case, _)| case == "sign-up-unknown-fields").unwrap();
    let answered = answer(AutoConfirm::Everyone, &event);
    assert!(answered.contains("123456789012345678901234567890") && answered.contains("0.30000000000000004"));
}
