//! Model-based test of authorization: actors send random requests in random order, even while other requests run.
//!
//! [`rule::Rule`] lists the rules. Without its fix, each rule is broken by these steps, the shortest ones found:
//!
//! | rule | steps | fix |
//! |---|---|---|
//! | `Target` | ada: `PUT /v1/users/hal%40example.com/groups/admins` | requests that change groups reject aliases |
//! | `Control` | same steps: `hal` gains capabilities that no request granted to an account it named | same fix |
//! | `Repeat` | ada: `POST /v1/users` for an existing user, with an `Idempotency-Key` | a repeated request proves that it created the user |
//! | `Guess` | hal, with `users:create`: same request for `ada`; the response contains `differing` | `differing` needs `users:read` |
//! | `Attributes` | ivy, with `groups:read`: `GET /v1/groups/admins/users` | attributes require `users:read` |
//! | `Alias` | ivy, with `users:mfa`: `GET /v1/users/ada%40example.com/mfa`; the response is 200 | without `users:read`, an alias finds no user |
//! | `EndedCaller` | vera: `POST /v1/users/ada/sign-out`; ada, with the old token: `PUT /v1/users/hal/groups/team2` | writes call `GetUser` |
//! | `Permission` | ada: `DELETE /v1/users/ivy/groups/team2`; ivy, with the old token: `POST /v1/users/hal/sign-out` | only groups that the pool confirms count |
//! | `Refusal` | hal: `PUT /v1/users/hal/groups/club`; the response is 403 and `hal` is in `club` | the check comes before the change |
//! | `Refusal` | ada: `PATCH /v1/users/hal` with two changes, the second call fails; the response is 502 and names no change | `completed` names them |
//! | `Grant` | ada, without `groups:roles`: `PUT /v1/users/vera/groups/bucket` | groups with a role require `groups:roles` |
//! | `OwnRights` | ada: `DELETE /v1/groups/admins` | rejected |
//! | `OwnRights` | ada: `DELETE /v1/users/ada` | rejected for the caller's own account |
//! | `OwnRights` | ada: `PUT /v1/users/ivy/password`, temporary, while ivy sends `POST /v1/users/ivy/resend-invitation` | same fix |
//! | `SecondFactor` | ivy, without a second factor where one is required: `GET /v1/groups`; the response is 200 | rejected |
//! | `Import` | hal, with `jobs:write`: `POST /v1/jobs`; the response is 202 | an import requires every permission |
//! | `WriteAttributes` | ada: `POST /v1/auth/sign-up` with `custom:team`, which is no write attribute | rejected by name |
//! | `WriteAttributes` | same attribute in the response to the challenge `NEW_PASSWORD_REQUIRED` | same fix |
//!
//! | file | subject |
//! |---|---|
//! | `actor` | the actors and their tokens |
//! | `scenario`, `step`, `flow`, `request`, `routes` | the steps of actors and their generators |
//! | `harness`, `observations` | runs steps on the router and the in-memory pool, and records their effects |
//! | `effect` | changes in the pool |
//! | `control` | which actors can act as which account |
//! | `capabilities`, `grants` | the reference model: what was granted to which actor |
//! | `rules` | the invariants of a request |

mod actor;
mod capabilities;
mod control;
mod effect;
mod flow;
mod grants;
mod harness;
mod observations;
mod request;
mod routes;
mod rule;
mod rules;
mod scenario;
mod step;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::thread;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::harness::Harness;
use self::observations::Answers;
use self::request::Route;
use self::rule::Rule;
use self::scenario::MAX_STEPS;

/// The minimum number of requests in `make test`. `make properties` sends 200,000.
const REQUESTS: usize = 4_000;

/// The seed unless `POOLKEEPER_TEST_SEED` is set, fixed so that CI is deterministic.
const SEED: u64 = 1;

/// The number of threads. Each has a seed of its own, the first one the configured seed.
const THREADS: usize = 2;

/// The checked rules. `POOLKEEPER_TEST_RULE=Target` checks only this rule.
const CHECKED: [Rule; 14] = [
    Rule::Grant,
    Rule::Control,
    Rule::Target,
    Rule::Repeat,
    Rule::Attributes,
    Rule::Alias,
    Rule::Guess,
    Rule::Refusal,
    Rule::EndedCaller,
    Rule::Permission,
    Rule::SecondFactor,
    Rule::OwnRights,
    Rule::Import,
    Rule::WriteAttributes,
];

#[expect(clippy::disallowed_methods, reason = "configures the test, not the program")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs scenarios and returns the answers.
fn run(seed: u64, cases: u32, only: Option<&str>) -> Answers {
    let is_checked = |rule: Rule| only.map_or(CHECKED.contains(&rule), |only| only == format!("{rule:?}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _context = runtime.enter();
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let answers = RefCell::new(Answers::new());
    let outcome = TestRunner::new(config).run(&scenario::scenario(), |scenario| {
        let (outcome, given) = Harness::run(&scenario, is_checked);
        for (key, count) in given {
            *answers.borrow_mut().entry(key).or_default() += count;
        }
        outcome.map_err(TestCaseError::fail)
    });
    if let Err(TestError::Fail(reason, scenario)) = &outcome {
        panic!("{reason}\nPOOLKEEPER_TEST_SEED={seed}\n{scenario:?}");
    }
    outcome.unwrap();
    answers.into_inner()
}

#[test]
fn no_sequence_of_requests_breaks_a_rule() {
    let seed: u64 = variable("POOLKEEPER_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let requests = variable("POOLKEEPER_TEST_REQUESTS").map_or(REQUESTS, |requests| requests.parse().unwrap());
    let only = variable("POOLKEEPER_TEST_RULE");
    let only = only.as_deref();
    println!("to repeat the same steps: POOLKEEPER_TEST_SEED={seed}");
    // On average, a run has at least half of the maximum number of steps, because a flow adds several steps.
    let cases = u32::try_from(requests / (MAX_STEPS / 2) / THREADS).unwrap();
    let mut answers = Answers::new();
    thread::scope(|scope| {
        let start = |seed| scope.spawn(move || run(seed, cases, only));
        let threads: Vec<_> = (seed..).take(THREADS).map(start).collect();
        for thread in threads {
            for (key, count) in thread.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                *answers.entry(key).or_default() += count;
            }
        }
    });
    let sent = answers.values().sum::<usize>();
    println!("{sent} requests");
    assert!(sent >= requests);
    if requests < 20_000 {
        return;
    }
    let successful: BTreeSet<Route> =
        answers.keys().filter(|(_, status)| *status < 400).map(|(route, _)| *route).collect();
    let never: Vec<_> = routes::ALL.iter().filter(|route| !successful.contains(*route)).collect();
    assert_eq!(never, [&routes::GATED], "no request of these routes succeeded");
}
