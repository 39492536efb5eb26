//! Injects every fault into every call of `apply` and `verify`.

use super::harness::{Action, Harness, matrix};

#[tokio::test]
async fn a_second_apply_converges_after_any_fault() {
    let harness = Harness::start().await;
    let calls = harness.case().await.calls_of(Action::Apply).await;
    assert!(calls > 25, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(matrix(calls), async |planned| {
            let case = harness.case().await;
            case.run_with(Action::Apply, &[planned]).await;
            let context = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_converged(&context).await;
            case.assert_no_test_user_left(&context).await;
            case.run(Action::Destroy).await.unwrap();
        })
        .await;
    println!("apply: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}

/// The operations that update existing resources. An `apply` without existing resources calls none of these operations.
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
async fn a_second_apply_converges_after_any_fault_in_an_update() {
    let harness = Harness::start().await;
    let first = harness.changed_case().await;
    let calls = first.calls_of(Action::Apply).await;
    let operations = first.operations();
    for change in CHANGES {
        assert!(operations.iter().any(|operation| operation == change), "{change} is not among {operations:?}");
    }
    let changes = matrix(calls).filter(|(nth, _)| CHANGES.contains(&operations[nth - 1].as_str()));
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(changes, async |planned| {
            let case = harness.changed_case().await;
            case.run_with(Action::Apply, &[planned]).await;
            let context = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_converged(&context).await;
            case.run(Action::Destroy).await.unwrap();
            case.assert_empty(&context).await;
        })
        .await;
    println!("changes: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn apply_converges_after_any_fault_in_verify() {
    let harness = Harness::start().await;
    let first = harness.case().await;
    first.run(Action::Apply).await.unwrap();
    let calls = first.calls_of(Action::Verify).await;
    assert!(calls > 12, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(matrix(calls), async |planned| {
            let case = harness.case().await.verified();
            case.run_with(Action::Apply, &[]).await;
            case.run_with(Action::Verify, &[planned]).await;
            let context = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_converged(&context).await;
            if !planned.1.kills() {
                case.assert_no_test_user_left(&context).await;
            }
            case.run(Action::Destroy).await.unwrap();
        })
        .await;
    println!("verify: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}
