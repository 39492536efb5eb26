//! Plants each fault in a healthy deployment, and expects exactly its finding. A state similar to the fault has no finding.

mod deployment;
mod faults;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::deployment::{add_trust, healthy, identity_pool, state, trust};
use self::faults::{Change, FAULTS};
use super::findings;
use crate::doctor::{Check, Finding, Observed, Severity};
use crate::platform::TAG_KEY;
use crate::provision::STACK_TAG;
use crate::spec::MfaMode;

fn examine(change: fn(&mut Observed)) -> Vec<Finding> {
    let mut observed = healthy();
    change(&mut observed);
    findings(&observed)
}

#[test]
fn each_fault_yields_exactly_its_finding() {
    for (number, (check, plant, similar)) in FAULTS.iter().enumerate() {
        let found = examine(*plant);
        assert_eq!(found.iter().map(|it| it.check).collect::<Vec<_>>(), [*check], "row {number}: {found:#?}");
        let [finding] = found.as_slice() else { unreachable!() };
        assert!(!finding.reason.is_empty() && !finding.fix.contains("FILE"), "{finding:#?}");
        assert_eq!(examine(*similar), [], "row {number}, {}", check.as_str());
    }
}

#[test]
fn healthy_deployment_has_no_findings() {
    assert_eq!(examine(|_| {}), []);
}

#[test]
fn unverified_sign_in_attribute_is_found_with_open_sign_up() {
    let plant: Change = |it| {
        state(it).auto_verified.clear();
        state(it).pre_sign_up_function_arn = None;
    };
    let checks = examine(plant).into_iter().map(|it| it.check).collect::<Vec<_>>();
    assert_eq!(checks, [Check::UnverifiedSignInAttribute, Check::SignUpWithoutTrigger]);
    let without_sign_up = examine(|it| {
        state(it).auto_verified.clear();
        state(it).self_sign_up = false;
    });
    assert_eq!(without_sign_up, []);
}

#[test]
fn trust_policy_without_identity_pools_is_found_beside_its_principals() {
    let found = |principal: Value| {
        let mut observed = healthy();
        trust(&mut observed)["Statement"] = json!([]);
        add_trust(&mut observed, "Allow", json!({"Principal": principal}));
        findings(&observed).into_iter().map(|it| (it.check, it.reason)).collect::<Vec<_>>()
    };
    let open = (Check::TrustOpen, "everyone with an AWS account can assume the role".to_owned());
    let no_identity_pool =
        (Check::TrustOther, "the trust policy does not allow identity pools to assume the role".to_owned());
    let other = (
        Check::TrustOther,
        "the trust policy allows principals other than `cognito-identity.amazonaws.com`".to_owned(),
    );
    assert_eq!(found(json!("*")), std::slice::from_ref(&open));
    assert_eq!(found(json!({"AWS": "*"})), [open, no_identity_pool.clone()]);
    assert_eq!(found(json!({"AWS": "arn:aws:iam::444455556666:root"})), [no_identity_pool, other]);
}

#[test]
fn open_trust_with_conditions_is_found_with_them() {
    let found = examine(|it| trust(it)["Statement"][0]["Principal"] = json!("*"));
    let [finding] = found.as_slice() else { unreachable!("{found:#?}") };
    assert_eq!(finding.check, Check::TrustOpen);
    assert!(finding.reason.contains("who meets the statement's conditions"), "{finding:#?}");
}

#[test]
fn every_check_has_a_fault() {
    let covered: BTreeSet<Check> = FAULTS.iter().map(|(check, ..)| *check).collect();
    let missing: Vec<_> = Check::ALL.iter().filter(|check| !covered.contains(check)).collect();
    assert_eq!(missing, [&Check::UnverifiedSignInAttribute], "covered by a test of its own");
}

#[test]
fn findings_are_sorted_by_severity() {
    let found = examine(|it| {
        state(it).mfa = MfaMode::Off;
        state(it).deletion_protection = false;
        it.triggers[0].function = None;
    });
    let severities = found.iter().map(|it| it.severity).collect::<Vec<_>>();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Info]);
}

#[test]
fn fixes_depend_on_who_sets_the_field() {
    let fix = |tags: &[(&str, &str)]| {
        let mut observed = healthy();
        state(&mut observed).deletion_protection = false;
        identity_pool(&mut observed).pool.state.guests = true;
        observed.user_pool.pool.tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        findings(&observed).into_iter().map(|it| it.fix).collect::<Vec<_>>()
    };
    let stack_id = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-prod/0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11";
    let apply = "poolkeeper apply --region eu-west-1 --spec pool.json  # with ";
    let by_spec = fix(&[(TAG_KEY, "shop")]);
    assert_eq!(
        by_spec,
        [
            format!("{apply}\"deletion_protection\": true in the spec"),
            format!("{apply}\"identity_pool\": {{\"guests\": false}} in the spec"),
        ]
    );
    let by_stack = fix(&[(TAG_KEY, "shop"), (STACK_TAG, stack_id)]);
    let deploy = "sam deploy --region eu-west-1 --stack-name shop-prod --parameter-overrides DeletionProtection=true";
    assert_eq!(by_stack[0], deploy);
    let by_hand = fix(&[]);
    assert!(
        by_hand[0].contains("| .DeletionProtection = \"ACTIVE\"' | aws cognito-idp update-user-pool"),
        "{by_hand:?}"
    );
    // The template does not set the field.
    assert_eq!(by_stack[1], by_hand[1]);
    assert!(
        by_hand[1].contains("| .AllowUnauthenticatedIdentities = false' | aws cognito-identity update-identity-pool"),
        "{by_hand:?}"
    );
}
