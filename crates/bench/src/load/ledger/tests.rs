use serde_json::json;

use super::*;

fn creation(username: &str) -> Request {
    Request { kind: Kind::Creation, username: username.to_owned() }
}

fn read(username: &str) -> Request {
    Request { kind: Kind::Read, username: username.to_owned() }
}

fn answer(status: u16, body: Value) -> Answer {
    Answer { status, retry_after: None, body }
}

fn throttled() -> Answer {
    Answer { status: 429, retry_after: Some(Duration::from_secs(1)), body: Value::Null }
}

fn user(username: &str) -> Value {
    json!({"username": username, "sub": format!("sub-of-{username}")})
}

fn subs(usernames: &[&str]) -> HashMap<String, String> {
    usernames.iter().map(|name| ((*name).to_owned(), format!("sub-of-{name}"))).collect()
}

/// A ledger of a creation of `new` and a read of `mia` with these responses.
fn ledger(creation_answers: Vec<Answer>, read_answers: Vec<Answer>) -> Ledger {
    let mut ledger = Ledger::new([creation("new"), read("mia")]);
    for (request, answers) in [(creation("new"), creation_answers), (read("mia"), read_answers)] {
        for answer in answers {
            ledger.send(&request);
            ledger.receive(&request, answer);
        }
    }
    ledger
}

fn complete() -> Ledger {
    ledger(vec![throttled(), answer(201, user("new"))], vec![answer(200, user("mia"))])
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn accepts_a_creation_that_was_throttled_before() {
    let ledger = complete();
    assert_eq!(ledger.check(&subs(&["mia", "new"]), &names(&["new"])), []);
    assert_eq!(ledger.total(Kind::Creation), Total { requests: 1, finished: 1, sent: 2, throttled: 1 });
    assert_eq!(ledger.total(Kind::Read), Total { requests: 1, finished: 1, sent: 1, throttled: 0 });
}

#[test]
fn finds_lost_and_doubled_creations() {
    let lost = vec![Fault::Lost(creation("new"))];
    assert_eq!(complete().check(&subs(&["mia"]), &names(&[])), lost);
    assert_eq!(complete().check(&subs(&["mia"]), &names(&["new"])), lost);
    let doubled = complete().check(&subs(&["mia", "new"]), &names(&["new", "new"]));
    assert_eq!(doubled, [Fault::Doubled(creation("new"), 2)]);
}

#[test]
fn finds_users_that_no_response_accounts_for() {
    let other = complete().check(&subs(&["mia", "new", "other"]), &names(&["new", "other"]));
    assert_eq!(other, [Fault::Unaccounted("other".to_owned())]);
    let rejected = ledger(vec![answer(409, Value::Null)], vec![answer(200, user("mia"))]);
    let status = Fault::Status(creation("new"), 409, Value::Null);
    let found = rejected.check(&subs(&["mia", "new"]), &names(&["new"]));
    assert_eq!(found, [status.clone(), Fault::Unaccounted("new".to_owned())]);
    assert_eq!(rejected.check(&subs(&["mia"]), &names(&[])), [status]);
}

#[test]
fn a_creation_without_a_response_may_have_taken_effect() {
    let mut ledger = ledger(vec![throttled()], vec![answer(200, user("mia"))]);
    let unfinished = Fault::Unfinished { creations: 1, reads: 0, first: creation("new"), throttled: 1 };
    let unaccounted = Fault::Unaccounted("new".to_owned());
    let check = |ledger: &Ledger| ledger.check(&subs(&["mia", "new"]), &names(&["new"]));
    assert_eq!(check(&ledger), [unfinished.clone(), unaccounted]);
    ledger.send(&creation("new"));
    assert_eq!(check(&ledger), [unfinished]);
}

#[test]
fn a_server_error_may_have_taken_effect() {
    let ledger = ledger(vec![answer(502, Value::Null)], vec![answer(200, user("mia"))]);
    let expected = [Fault::Status(creation("new"), 502, Value::Null)];
    assert_eq!(ledger.check(&subs(&["mia", "new"]), &names(&["new"])), expected);
}

#[test]
fn finds_responses_with_another_user() {
    let mixed = |username: &str, sub: &str| json!({"username": username, "sub": sub});
    for wrong in [user("nina"), mixed("mia", "sub-of-nina"), mixed("nina", "sub-of-mia"), json!({"username": "mia"})] {
        let ledger = ledger(vec![answer(201, user("new"))], vec![answer(200, wrong.clone())]);
        let found = ledger.check(&subs(&["mia", "new", "nina"]), &names(&["new"]));
        assert_eq!(found, [Fault::WrongUser(read("mia"), wrong)]);
    }
}

#[test]
fn finds_other_statuses_and_missing_delays() {
    for status in [301, 400, 404, 503] {
        let ledger = ledger(vec![answer(201, user("new"))], vec![answer(status, Value::Null)]);
        let found = ledger.check(&subs(&["mia", "new"]), &names(&["new"]));
        assert_eq!(found, [Fault::Status(read("mia"), status, Value::Null)]);
    }
    let ledger = ledger(vec![answer(201, user("new"))], vec![answer(429, Value::Null)]);
    assert_eq!(ledger.check(&subs(&["mia", "new"]), &names(&["new"])), [Fault::NoRetryAfter(read("mia"))]);
}

#[test]
fn counts_unfinished_requests() {
    let found = ledger(vec![throttled(), throttled()], vec![]).check(&subs(&["mia"]), &names(&[]));
    assert_eq!(found, [Fault::Unfinished { creations: 1, reads: 1, first: creation("new"), throttled: 2 }]);
}

#[test]
fn a_client_repeats_only_a_429_with_a_delay() {
    let mut ledger = Ledger::new([read("mia")]);
    assert_eq!(ledger.receive(&read("mia"), throttled()), Next::Repeat(Duration::from_secs(1)));
    assert_eq!(ledger.receive(&read("mia"), answer(429, Value::Null)), Next::Continue);
    let unavailable = Answer { status: 503, ..throttled() };
    assert_eq!(ledger.receive(&read("mia"), unavailable), Next::Continue);
    assert_eq!(ledger.receive(&read("mia"), answer(200, user("mia"))), Next::Continue);
}
