//! For any JSON, the response differs from the event only in the flags.

use std::sync::LazyLock;

use domain::sign_up::{AutoConfirm, Policy};
use pre_sign_up::failure::Failure;
use proptest::prelude::*;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::generators::{event, json, members, object};
use super::{config, invariants};

static POLICIES: LazyLock<Vec<(invariants::Settings, Policy)>> = LazyLock::new(|| invariants::policies().unwrap());

fn answer(auto_confirm: AutoConfirm, event: &str) -> Result<String, Failure> {
    let event = RawValue::from_string(event.to_owned()).unwrap();
    let policy = Policy { auto_confirm, ..Policy::default() };
    pre_sign_up::handler::handle(&policy, event, OffsetDateTime::UNIX_EPOCH).map(|event| event.get().to_owned())
}

/// The flags that a policy without verification never grants.
const NOT_VERIFIED: &str = r#""autoVerifyEmail":false,"autoVerifyPhone":false"#;

/// Members that do not affect the decision.
fn other_members() -> impl Strategy<Value = Vec<String>> + Clone {
    let relevant =
        ["\"triggerSource\":", "\"response\":", "\"autoConfirmUser\":", "\"autoVerifyEmail\":", "\"autoVerifyPhone\":"];
    members(json()).prop_map(move |mut members| {
        members.retain(|member| !relevant.iter().any(|name| member.starts_with(name)));
        members
    })
}

fn joined(parts: [&[String]; 3]) -> String {
    object(&parts.concat())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn answers_any_json_as_predicted_under_every_policy(event in json()) {
        invariants::assert_predicted(&POLICIES, event.as_bytes());
    }

    #[test]
    fn answers_any_event_as_predicted_under_every_policy(event in event()) {
        invariants::assert_predicted(&POLICIES, event.as_bytes());
    }

    #[test]
    fn returns_events_of_other_sources_unchanged(before in other_members(), source in json(), after in other_members()) {
        prop_assume!(source != "\"PreSignUp_SignUp\"");
        let decided = [format!("\"triggerSource\":{source}"), format!("\"response\":{{{NOT_VERIFIED},\"autoConfirmUser\":true}}")];
        let event = joined([&before, &decided, &after]);
        prop_assert_eq!(answer(AutoConfirm::Everyone, &event), Ok(event.clone()));
    }

    #[test]
    fn confirming_changes_exactly_one_flag(
        before in other_members(),
        after in other_members(),
        flags_before in other_members(),
        flag in json(),
        flags_after in other_members(),
    ) {
        let event = |flag: &str| {
            let decided = [format!("\"autoConfirmUser\":{flag}"), NOT_VERIFIED.to_owned()];
            let flags = joined([&flags_before, &decided, &flags_after]);
            let decided = ["\"triggerSource\":\"PreSignUp_SignUp\"".to_owned(), format!("\"response\":{flags}")];
            joined([&before, &decided, &after])
        };
        prop_assert_eq!(answer(AutoConfirm::Everyone, &event(&flag)), Ok(event("true")));
    }
}
