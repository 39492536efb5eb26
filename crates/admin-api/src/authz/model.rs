//! The rules of authorization, checked as a model: actors send any requests in any order, also in the middle of other requests.
//!
//! [`rules::Rule`] lists what is checked. These rules fail without the fix, with these steps, the shortest ones found:
//!
//! | rule | steps | fix |
//! |---|---|---|
//! | `Target` | ada: `PUT /v1/users/hal%40example.com/groups/admins` | group writes take no alias |
//! | `Control` | the same: `hal` gained what no request granted to the account by its name | the same |
//! | `Repeat` | ada: `POST /v1/users` for an existing user, with an `Idempotency-Key` | a repeat proves that it created the user |
//! | `Guess` | hal, with `users:create`: the same for `ada`; the answer has `differing` | `differing` needs `users:read` |
//! | `Attributes` | ivy, with `groups:read`: `GET /v1/groups/admins/users` | views have attributes for `users:read` only |
//! | `Alias` | ivy, with `users:mfa`: `GET /v1/users/ada%40example.com/mfa`; the answer is 200 | without `users:read`, an alias finds no user |
//! | `EndedCaller` | vera: `POST /v1/users/ada/sign-out`; ada, with the old token: `PUT /v1/users/hal/groups/team2` | writes call `GetUser` |
//! | `Permission` | ada: `DELETE /v1/users/ivy/groups/team2`; ivy, with the old token: `POST /v1/users/hal/sign-out` | only groups that the pool confirms count |
//! | `Refusal` | hal: `PUT /v1/users/hal/groups/club`; the answer is 403 and `hal` is in `club` | the check comes before the change |
//! | `Refusal` | ada: `PATCH /v1/users/hal` with two changes, the second call fails; the answer is 502 and names no change | `completed` names them |
//! | `Grant` | ada, without `groups:roles`: `PUT /v1/users/vera/groups/bucket` | groups with a role need `groups:roles` |
//! | `OwnRights` | ada: `DELETE /v1/groups/admins` | refused |
//! | `OwnRights` | ada: `DELETE /v1/users/ada` | own accounts are refused |
//! | `SecondFactor` | ivy, without a second factor where one is required: `GET /v1/groups`; the answer is 200 | refused |
//! | `WriteAttributes` | ada: `POST /v1/auth/sign-up` with `custom:team`, which is no write attribute | refused by name |
//! | `WriteAttributes` | the same attribute in the answer to `NEW_PASSWORD_REQUIRED` | the same |
//!
//! | file | subject |
//! |---|---|
//! | `person` | the actors, and what they know |
//! | `step`, `story`, `request`, `routes` | what actors do, and how it is drawn |
//! | `world`, `book` | runs steps on the router and the pool in memory, and writes down what they did |
//! | `effect` | what changed in the pool |
//! | `control` | who can act as which account |
//! | `capabilities`, `ledger` | the reference model: what was granted to whom |
//! | `rules` | what a request must not do |

mod actor;
mod capabilities;
mod control;
mod effect;
mod grants;
mod harness;
mod observations;
mod request;
mod routes;
mod rules;
mod scenario;
mod step;

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::harness::Harness;
use self::observations::Answers;
use self::request::Route;
use self::rules::Rule;
use self::step::MOST_STEPS;
use crate::settings::Served;

/// How many requests are sent at least, enough to notice a slip in `make test`. `make properties` sends 200,000.
const REQUESTS: usize = 4_000;

/// The seed unless `POOLKEEPER_TEST_SEED` is set. CI must not depend on chance; another seed sends other requests.
const SEED: u64 = 1;

/// The rules that are checked. `POOLKEEPER_TEST_RULE=Target` checks only the one.
const CHECKED: [Rule; 13] = [
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
    Rule::WriteAttributes,
];

#[expect(clippy::disallowed_methods, reason = "the seed of a test is no setting of the program")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn no_sequence_of_requests_breaks_a_rule() {
    let seed = variable("POOLKEEPER_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let requests = variable("POOLKEEPER_TEST_REQUESTS").map_or(REQUESTS, |requests| requests.parse().unwrap());
    let only = variable("POOLKEEPER_TEST_RULE");
    let is_checked = |rule: Rule| only.as_ref().map_or(CHECKED.contains(&rule), |only| *only == format!("{rule:?}"));
    println!("the same steps again: POOLKEEPER_TEST_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _context = runtime.enter();
    // Half of the longest run is the average; stories have several steps.
    let cases = u32::try_from(requests / (MOST_STEPS / 2)).unwrap();
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let answers = RefCell::new(Answers::new());
    let outcome = TestRunner::new(config).run(&step::scenario(), |scenario| {
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
    let answers = answers.into_inner();
    let sent = answers.values().sum::<usize>();
    println!("{sent} requests");
    assert!(sent >= requests);
    if requests < 20_000 {
        return;
    }
    let successful: BTreeSet<Route> =
        answers.keys().filter(|(_, status)| *status < 400).map(|(route, _)| *route).collect();
    let never: Vec<_> = routes::ALL.iter().filter(|route| !successful.contains(*route)).collect();
    assert!(never.is_empty(), "no request of these routes succeeded: {never:?}");
}

#[test]
fn the_model_draws_requests_for_every_route() {
    let drawn: BTreeSet<_> = routes::ALL.iter().map(|(method, path)| format!("{method} {path}")).collect();
    let served = crate::routes::of(Served::All).iter().map(crate::routes::Route::name).collect();
    assert_eq!(drawn, served);
}
