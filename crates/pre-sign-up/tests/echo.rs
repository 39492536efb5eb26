//! Properties of the echo: whatever JSON comes in, at most one flag differs on the way out.
#![expect(clippy::unwrap_used, reason = "tests")]

use domain::sign_up::{AutoConfirm, Policy};
use pre_sign_up::failure::Failure;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;

fn policies() -> [AutoConfirm; 2] {
    [AutoConfirm::Everyone, AutoConfirm::Nobody]
}

fn answer(auto_confirm: AutoConfirm, event: &str) -> Result<String, Failure> {
    let event = RawValue::from_string(event.to_owned()).unwrap();
    let policy = Policy { auto_confirm, ..Policy::default() };
    pre_sign_up::handler::handle(&policy, event, OffsetDateTime::UNIX_EPOCH).map(|event| event.get().to_owned())
}

/// JSON text of any kind: also numbers beyond floats, lone surrogates, doubled members.
fn json() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        string(),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            members(inner).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// A JSON string; now and then one of the words that the handler looks for, or something that no Rust string can hold.
fn string() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        4 => any::<String>().prop_map(|text| Value::from(text).to_string()),
        1 => prop::sample::select(vec![
            "\"triggerSource\"", "\"response\"", "\"autoConfirmUser\"", "\"PreSignUp_SignUp\"", "\"\\ud800\"", "\"\\u0000\"",
        ]).prop_map(str::to_owned),
    ]
}

fn members(value: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Vec<String>> + Clone {
    vec((string(), value).prop_map(|(name, value)| format!("{name}:{value}")), 0..6)
}

/// Members with which the event stays one that the handler confirms.
fn bystanders() -> impl Strategy<Value = Vec<String>> + Clone {
    let touched = ["\"triggerSource\":", "\"response\":", "\"autoConfirmUser\":"];
    members(json()).prop_map(move |mut members| {
        members.retain(|member| !touched.iter().any(|name| member.starts_with(name)));
        members
    })
}

fn object(parts: [&[String]; 3]) -> String {
    format!("{{{}}}", parts.concat().join(","))
}

proptest! {
    #[test]
    fn any_json_comes_back_as_it_came_where_nobody_is_confirmed(event in json()) {
        let expected = if event.starts_with('{') { Ok(event.clone()) } else { Err(Failure::UnreadableEvent) };
        prop_assert_eq!(answer(AutoConfirm::Nobody, &event), expected);
    }

    #[test]
    fn no_json_makes_the_handler_panic(event in json()) {
        for policy in policies() {
            prop_assert_ne!(answer(policy, &event), Err(Failure::Panicked));
        }
    }

    #[test]
    fn a_source_other_than_a_sign_up_comes_back_as_it_came(before in bystanders(), source in json(), after in bystanders()) {
        prop_assume!(source != "\"PreSignUp_SignUp\"");
        let event = object([&before, &[format!("\"triggerSource\":{source}")], &after]);
        for policy in policies() {
            prop_assert_eq!(answer(policy, &event), Ok(event.clone()));
        }
    }

    #[test]
    fn confirming_changes_the_one_flag_to_the_byte(
        before in bystanders(),
        after in bystanders(),
        flags_before in bystanders(),
        flag in json(),
        flags_after in bystanders(),
    ) {
        let event = |flag: &str| {
            let flags = object([&flags_before, &[format!("\"autoConfirmUser\":{flag}")], &flags_after]);
            let decided = ["\"triggerSource\":\"PreSignUp_SignUp\"".to_owned(), format!("\"response\":{flags}")];
            object([&before, &decided, &after])
        };
        prop_assert_eq!(answer(AutoConfirm::Everyone, &event(&flag)), Ok(event("true")));
    }
}
