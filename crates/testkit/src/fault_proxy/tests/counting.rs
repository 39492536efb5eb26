//! Tests which call receives a fault.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn injects_fault_at_nth_call_of_operation_or_of_any() {
    let bench = Bench::set_up().await;
    bench.proxy.plan("CreateRole", 2, Fault::Throttled);
    bench.proxy.plan("CreateUserPool", 1, Fault::Unavailable);
    bench.proxy.plan_at(5, Fault::FailedAfterSuccess);
    let mut statuses = Vec::new();
    for request in [
        bench.query("GetRole", ""),
        bench.query("CreateRole", ""),
        bench.json("CreateUserPool"),
        bench.query("CreateRole", ""),
        bench.query("CreateRole", ""),
        bench.json("CreateUserPool"),
    ] {
        statuses.push(send(request).await.unwrap().0);
    }
    assert_eq!(statuses, [200, 200, 503, 400, 500, 200]);
}

#[tokio::test]
async fn first_of_two_faults_for_a_call_applies() {
    let bench = Bench::set_up().await;
    bench.proxy.plan_at(1, Fault::Throttled);
    bench.proxy.plan("CreateRole", 1, Fault::Unavailable);
    assert_eq!(send(bench.query("CreateRole", "")).await.unwrap().0, 400);
    assert_eq!(send(bench.query("CreateRole", "")).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_concurrent_calls_exactly() {
    let bench = Bench::set_up().await;
    bench.proxy.plan("CreateRole", 7, Fault::Unavailable);
    // 20 exceeds the number of the seventh CreateRole, because at most ten other calls come before it.
    bench.proxy.plan_at(20, Fault::Throttled);
    let roles = (0..40).map(|_| bench.query("CreateRole", ""));
    let pools = (0..10).map(|_| bench.json("CreateUserPool"));
    let calls: Vec<_> = roles.chain(pools).map(|request| tokio::spawn(send(request))).collect();

    let mut answers = BTreeMap::<u16, usize>::new();
    for call in calls {
        *answers.entry(call.await.unwrap().unwrap().0).or_default() += 1;
    }

    assert_eq!(answers, BTreeMap::from([(200, 48), (400, 1), (503, 1)]));
    assert_eq!(bench.service.seen().len(), 48);
    let outcomes = bench.outcomes();
    assert_eq!(outcomes.len(), 50);
    assert_eq!(outcomes[19].1, Outcome::Fault(Fault::Throttled));
    let seventh = outcomes.iter().filter(|(operation, _)| operation == "CreateRole").nth(6).unwrap();
    assert_eq!(seventh.1, Outcome::Fault(Fault::Unavailable));
}

#[tokio::test]
async fn reset_clears_plans_and_calls_and_restarts_the_count() {
    let bench = Bench::set_up().await;
    bench.proxy.plan("CreateRole", 2, Fault::Throttled);
    bench.proxy.plan_at(3, Fault::Throttled);
    assert!(send(bench.query("CreateRole", "")).await.is_some());

    bench.proxy.reset();

    assert_eq!(bench.proxy.calls(), []);
    bench.proxy.plan_at(4, Fault::Unavailable);
    for status in [200, 200, 200, 503] {
        assert_eq!(send(bench.query("CreateRole", "")).await.unwrap().0, status);
    }
}

#[test]
fn call_in_progress_at_a_reset_is_not_recorded() {
    let mut calls = calls::Calls::default();
    let (before, _) = calls.count("CreateRole");
    calls.forget();
    let (after, _) = calls.count("CreateRole");
    assert!(calls.get_mut(before).is_none());
    assert!(calls.get_mut(after).is_some());
}
