//! `apply` and `verify`: every call, every fault.

use super::harness::{Action, Harness, matrix};

#[tokio::test]
async fn after_any_fault_in_any_call_of_apply_a_second_one_ends_with_one_of_everything() {
    let world = Harness::start().await;
    let calls = world.case().await.calls_of(Action::Apply).await;
    assert!(calls > 25, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(matrix(calls), async |planned| {
            let case = world.case().await;
            case.run_with(Action::Apply, &[planned]).await;
            let told = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            case.assert_nobody_left_behind(&told).await;
            case.run(Action::Destroy).await.unwrap();
        })
        .await;
    println!("apply: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}

/// The calls that an `apply` of something new does not make: those that change what is there.
const CHANGES: [&str; 9] = [
    "AddCustomAttributes",
    "CreatePolicyVersion",
    "DeletePolicyVersion",
    "ListPolicyVersions",
    "PutRolePermissionsBoundary",
    "UpdateAssumeRolePolicy",
    "UpdateIdentityPool",
    "UpdateUserPool",
    "UpdateUserPoolClient",
];

#[tokio::test]
async fn after_any_fault_in_any_call_that_changes_something_a_second_apply_ends_with_what_the_spec_says() {
    let world = Harness::start().await;
    let first = world.changed_case().await;
    let calls = first.calls_of(Action::Apply).await;
    let operations = first.operations();
    for change in CHANGES {
        assert!(operations.iter().any(|operation| operation == change), "{change} is not among {operations:?}");
    }
    let changes = matrix(calls).filter(|(nth, _)| CHANGES.contains(&operations[nth - 1].as_str()));
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(changes, async |planned| {
            let case = world.changed_case().await;
            case.run_with(Action::Apply, &[planned]).await;
            let told = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            case.run(Action::Destroy).await.unwrap();
            case.assert_empty(&told).await;
        })
        .await;
    println!("changes: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn after_any_fault_in_any_call_of_verify_it_can_be_proved_again() {
    let world = Harness::start().await;
    let first = world.case().await;
    first.run(Action::Apply).await.unwrap();
    let calls = first.calls_of(Action::Verify).await;
    assert!(calls > 12, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(matrix(calls), async |planned| {
            let case = world.case().await.verified();
            case.run_with(Action::Apply, &[]).await;
            case.run_with(Action::Verify, &[planned]).await;
            let told = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            if !planned.1.kills() {
                case.assert_nobody_left_behind(&told).await;
            }
            case.run(Action::Destroy).await.unwrap();
        })
        .await;
    println!("verify: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}
