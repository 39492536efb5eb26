//! Tests each fault in both protocols: what the service and the client receive, and what is counted.

use std::sync::{Arc, Mutex};

use super::*;

/// A fault's response in AWS JSON and in AWS Query: the status, and what the body must contain.
type Answers = (u16, &'static str, &'static str);

/// The responses of faults that respond.
fn answers_of(fault: Fault) -> Option<Answers> {
    match fault {
        Fault::Failed | Fault::FailedAfterSuccess => Some((
            500,
            r#""__type":"InternalErrorException""#,
            "<Error><Type>Receiver</Type><Code>ServiceFailure</Code>",
        )),
        Fault::Unavailable => {
            Some((503, r#""__type":"ServiceUnavailableException""#, "<Code>ServiceUnavailable</Code>"))
        }
        Fault::Throttled => Some((
            400,
            r#""__type":"TooManyRequestsException""#,
            "<Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>",
        )),
        Fault::Malformed => Some((200, "neither JSON nor XML", "neither JSON nor XML")),
        Fault::NoFields => Some((200, "{}", "<CreateRoleResponse><CreateRoleResult/></CreateRoleResponse>")),
        _ => None,
    }
}

fn is_never_answered(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Stalled | Fault::StalledAfterSuccess | Fault::StalledBody | Fault::KilledBefore | Fault::KilledAfter
    )
}

#[tokio::test]
async fn only_faults_after_the_call_reach_the_service() {
    for fault in Fault::ALL {
        let bench = Bench::set_up().await;
        bench.proxy.plan_at(1, fault);
        bench.proxy.plan_at(2, fault);
        for request in [bench.json("CreateUserPool"), bench.query("CreateRole", "")] {
            let call = tokio::spawn(send(request));
            let counted = bench.proxy.calls().len() + 1;
            until(|| bench.proxy.calls().get(counted - 1).is_some_and(|call| call.outcome != Outcome::UnderWay)).await;
            call.abort();
        }

        let reaches = matches!(
            fault,
            Fault::AnswerLost | Fault::FailedAfterSuccess | Fault::StalledAfterSuccess | Fault::KilledAfter
        );
        assert_eq!(fault.is_done(), reaches, "{fault:?}");
        assert_eq!(bench.service.seen().len(), if reaches { 2 } else { 0 }, "{fault:?}");
        for call in bench.proxy.calls() {
            assert_eq!((call.outcome, call.status), (Outcome::Fault(fault), reaches.then_some(200)));
        }
    }
}

#[tokio::test]
async fn a_rule_decides_on_each_call_until_the_reset() {
    let bench = Bench::set_up().await;
    bench.proxy.plan_at(1, Fault::NotSent);
    bench.proxy.decide(|operation| (operation == "CreateUserPool").then_some(Fault::Throttled));
    for (operation, status) in [("CreateUserPool", 400), ("ListUserPools", 200)] {
        assert_eq!(send(bench.json(operation)).await.unwrap().0, status, "{operation}");
    }
    assert_eq!(bench.proxy.calls(), []);
    bench.proxy.reset();
    assert_eq!(send(bench.json("CreateUserPool")).await.unwrap().0, 200);
    assert_eq!(bench.proxy.calls().len(), 1);
}

#[tokio::test]
async fn responses_have_the_form_of_the_service() {
    for fault in Fault::ALL {
        let Some((status, in_json, in_query)) = answers_of(fault) else { continue };
        let bench = Bench::set_up().await;
        bench.proxy.plan_at(1, fault);
        bench.proxy.plan_at(2, fault);

        let json = send(bench.json("CreateUserPool")).await.unwrap();
        let query = send(bench.query("CreateRole", "")).await.unwrap();

        assert!(json.0 == status && json.1.contains(in_json), "{fault:?}: {json:?}");
        assert!(query.0 == status && query.1.contains(in_query), "{fault:?}: {query:?}");
    }
}

#[tokio::test]
async fn broken_connection_is_one_call_without_retry() {
    for fault in [Fault::NotSent, Fault::AnswerLost] {
        let bench = Bench::set_up().await;
        bench.proxy.plan("CreateRole", 1, fault);
        bench.proxy.plan("CreateUserPool", 1, fault);

        // The first call on a new connection, the second on a reused one.
        assert_eq!(send(bench.query("CreateRole", "")).await, None, "{fault:?}");
        assert!(send(bench.json("ListUserPools")).await.is_some());
        assert_eq!(send(bench.json("CreateUserPool")).await, None, "{fault:?}");

        let wanted = [("CreateRole", Some(fault)), ("ListUserPools", None), ("CreateUserPool", Some(fault))];
        let wanted = wanted.map(|(name, fault)| (name.to_owned(), fault.map_or(Outcome::Forwarded, Outcome::Fault)));
        assert_eq!(bench.outcomes(), wanted);
    }
}

#[tokio::test]
async fn stalled_call_lasts_until_the_client_disconnects() {
    for fault in Fault::ALL.into_iter().filter(|fault| is_never_answered(*fault)) {
        let bench = Bench::set_up().await;
        bench.proxy.plan("CreateUserPool", 1, fault);
        let idle = bench.proxy.server.task_count();
        let call = tokio::spawn(send(bench.json("CreateUserPool")));
        until(|| bench.outcomes() == [("CreateUserPool".to_owned(), Outcome::Fault(fault))]).await;

        // Meanwhile, another client can send requests.
        let other = client().get(format!("{}/health", bench.proxy.endpoint_url()));
        assert_eq!(send(other).await.unwrap().0, 200, "{fault:?}");
        assert!(!call.is_finished(), "{fault:?}");

        call.abort();
        until(|| bench.proxy.server.task_count() == idle).await;
    }
}

#[tokio::test]
async fn stalled_body_follows_a_successful_head() {
    let bench = Bench::set_up().await;
    bench.proxy.plan_at(1, Fault::StalledBody);
    bench.proxy.plan_at(2, Fault::StalledBody);
    for (request, part) in [(bench.json("CreateUserPool"), "{"), (bench.query("CreateRole", ""), "<")] {
        let mut answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.chunk().await.unwrap().as_deref()), (200, Some(part.as_bytes())));
    }
}

#[tokio::test]
async fn client_is_killed_once_before_or_after_the_call() {
    for (fault, seen_by_then) in [(Fault::KilledBefore, 0), (Fault::KilledAfter, 1)] {
        let bench = Bench::set_up().await;
        bench.proxy.plan("CreateRole", 1, fault);
        let call = tokio::spawn(send(bench.query("CreateRole", "")));
        let kills = Arc::<Mutex<Vec<usize>>>::default();
        bench.proxy.on_kill({
            let (kills, seen, client) = (Arc::clone(&kills), bench.service.counter(), call.abort_handle());
            move || {
                kills.lock().unwrap().push(seen());
                client.abort();
            }
        });

        assert!(call.await.unwrap_err().is_cancelled(), "{fault:?}");

        assert!(fault.kills());
        assert_eq!(send(bench.query("CreateRole", "")).await.unwrap().0, 200);
        assert_eq!(*kills.lock().unwrap(), [seen_by_then], "{fault:?}");
        assert_eq!(bench.service.seen().len(), seen_by_then + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn other_faults_do_not_kill() {
    for fault in Fault::ALL.into_iter().filter(|fault| !fault.kills()) {
        let bench = Bench::set_up().await;
        let kills = Arc::<Mutex<usize>>::default();
        bench.proxy.on_kill({
            let kills = Arc::clone(&kills);
            move || *kills.lock().unwrap() += 1
        });
        bench.proxy.plan_at(1, fault);
        let call = tokio::spawn(send(bench.json("CreateUserPool")));
        until(|| bench.outcomes() == [("CreateUserPool".to_owned(), Outcome::Fault(fault))]).await;
        call.abort();
        assert_eq!(*kills.lock().unwrap(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn call_completes_even_if_the_client_disconnects() {
    let bench = Bench::set_up().await;
    bench.proxy.plan("CreateRole", 1, Fault::StalledAfterSuccess);
    let call = tokio::spawn(send(bench.query("CreateRole", "")));
    until(|| !bench.proxy.calls().is_empty()).await;

    call.abort();

    until(|| bench.outcomes() == [("CreateRole".to_owned(), Outcome::Fault(Fault::StalledAfterSuccess))]).await;
    assert_eq!(bench.service.seen().len(), 1);
}
