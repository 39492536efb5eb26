//! The echo: whatever JSON comes in, what goes out differs in the flags that the policy grants, and in nothing else.

use std::sync::LazyLock;

use domain::sign_up::{AutoConfirm, Policy};
use pre_sign_up::failure::Failure;
use proptest::prelude::*;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::generators::{event, json, members, object};
use super::{invariants, many};

static POLICIES: LazyLock<Vec<(invariants::Settings, Policy)>> = LazyLock::new(|| invariants::policies().unwrap());

fn answer(auto_confirm: AutoConfirm, event: &str) -> Result<String, Failure> {
    let event = RawValue::from_string(event.to_owned()).unwrap();
    let policy = Policy { auto_confirm, ..Policy::default() };
    pre_sign_up::handler::handle(&policy, event, OffsetDateTime::UNIX_EPOCH).map(|event| event.get().to_owned())
}

/// The flags that a policy without verification never sets.
const NOT_VERIFIED: &str = r#""autoVerifyEmail":false,"autoVerifyPhone":false"#;

/// Members with which the event stays one that the handler confirms.
fn bystanders() -> impl Strategy<Value = Vec<String>> + Clone {
    let touched =
        ["\"triggerSource\":", "\"response\":", "\"autoConfirmUser\":", "\"autoVerifyEmail\":", "\"autoVerifyPhone\":"];
    members(json()).prop_map(move |mut members| {
        members.retain(|member| !touched.iter().any(|name| member.starts_with(name)));
        members
    })
}

fn joined(parts: [&[String]; 3]) -> String {
    object(&parts.concat())
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn any_json_is_answered_as_foretold_under_every_policy(event in json()) {
        invariants::assert_foretold(&POLICIES, event.as_bytes());
    }

    #[test]
    fn any_event_is_answered_as_foretold_under_every_policy(event in event()) {
        invariants::assert_foretold(&POLICIES, event.as_bytes());
    }

    #[test]
    fn a_source_other_than_a_sign_up_comes_back_as_it_came(before in bystanders(), source in json(), after in bystanders()) {
        prop_assume!(source != "\"PreSignUp_SignUp\"");
        let decided = [format!("\"triggerSource\":{source}"), format!("\"response\":{{{NOT_VERIFIED},\"autoConfirmUser\":true}}")];
        let event = joined([&before, &decided, &after]);
        prop_assert_eq!(answer(AutoConfirm::Everyone, &event), Ok(event.clone()));
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
            let decided = [format!("\"autoConfirmUser\":{flag}"), NOT_VERIFIED.to_owned()];
            let flags = joined([&flags_before, &decided, &flags_after]);
            let decided = ["\"triggerSource\":\"PreSignUp_SignUp\"".to_owned(), format!("\"response\":{flags}")];
            joined([&before, &decided, &after])
        };
        prop_assert_eq!(answer(AutoConfirm::Everyone, &event(&flag)), Ok(event("true")));
    }
}
