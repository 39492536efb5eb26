//! Flows of related steps, such as sign-up, confirmation and first sign-in, which independent random steps rarely form.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::actor::Actor;
use super::request::{Credential, Request, Route, Spelling, VERIFY_TOTP};
use super::step::{Action, Meanwhile, Step, actor, request};

const CREATE: Route = ("POST", "/v1/users");
const SIGN_UP: Route = ("POST", "/v1/auth/sign-up");
const CONFIRM: Route = ("POST", "/v1/auth/confirm-sign-up");
const SIGN_IN: Route = ("POST", "/v1/auth/sign-in");
const CHALLENGE: Route = ("POST", "/v1/auth/challenge");
const FORGOT: Route = ("POST", "/v1/auth/forgot-password");
const RESET: Route = ("POST", "/v1/auth/reset-password");
const UPDATE: Route = ("PATCH", "/v1/users/{username}");
const DELETE: Route = ("DELETE", "/v1/users/{username}");
const LEAVE: Route = ("DELETE", "/v1/users/{username}/groups/{group}");
const RESEND: Route = ("POST", "/v1/users/{username}/resend-invitation");
const START_TOTP: Route = ("POST", "/v1/auth/me/totp");
const LINK: Route = ("PUT", "/v1/users/{username}/identities/{provider}");
const UNLINK: Route = ("DELETE", "/v1/users/{username}/identities/{provider}");

/// Some or all steps of a random flow, in order.
pub(super) fn flow() -> impl Strategy<Value = Vec<Step>> {
    let flow = (0..11_u8, actor(), actor(), request(), 1..8_u8);
    let steps = flow.prop_map(|(number, one, other, request, call)| steps(number, one, other, &request, call));
    steps.prop_flat_map(|steps| {
        let count = steps.len();
        subsequence(steps, (count / 2).max(1)..=count)
    })
}

fn steps(number: u8, one: Actor, other: Actor, request: &Request, call: u8) -> Vec<Step> {
    let base = Request { spelling: Spelling::Name, token: 0, credential: Credential::Token, ..request.clone() };
    let step = |actor: Actor, route: Route| Step {
        actor,
        action: Action::Request(Request { route, ..base.clone() }),
        meanwhile: None,
    };
    let of = |actor: Actor, base: Request| Step { actor, action: Action::Request(base), meanwhile: None };
    match number {
        // A user signs up.
        0 => [SIGN_UP, CONFIRM, SIGN_IN].map(|route| step(one, route)).to_vec(),
        // An administrator creates a user with a temporary password and signs in as that user.
        1 => {
            let create = Request { route: CREATE, permanent: false, form: 1, groups: vec![], ..base.clone() };
            vec![of(one, create), step(one, SIGN_IN), step(one, CHALLENGE)]
        }
        // A user receives two welcome messages.
        2 => {
            let create = Request { route: CREATE, permanent: false, form: 4, groups: vec![], ..base.clone() };
            vec![of(one, create), step(other, RESEND)]
        }
        3 => vec![step(one, LINK), step(other, UNLINK)],
        // A user resets their password with a code.
        4 => {
            let own = |route| of(one, Request { route, user: one.name(), ..base.clone() });
            vec![own(FORGOT), own(RESET), own(SIGN_IN)]
        }
        // An actor signs up with a name before an administrator creates the user.
        5 => {
            let create = Request { route: CREATE, key: Some(0), ..base.clone() };
            vec![step(one, SIGN_UP), step(one, SIGN_IN), of(other, create), step(one, SIGN_IN)]
        }
        // A creation fails midway and is repeated after a request of another actor.
        6 => {
            let create = || of(one, Request { route: CREATE, key: Some(0), ..base.clone() });
            let meanwhile = Some(Meanwhile { before_call: call, steps: vec![], fails: true });
            vec![Step { meanwhile, ..create() }, step(other, request.route), create()]
        }
        // A user enrolls an authenticator app and signs in with it.
        7 => {
            let own = |route| of(one, Request { route, user: one.name(), ..base.clone() });
            [START_TOTP, VERIFY_TOTP, SIGN_IN, CHALLENGE].map(own).to_vec()
        }
        // An administrator removes a user from a group that is still in the user's token.
        8 => {
            let group = one.group().unwrap_or("club");
            vec![
                of(Actor::Ada, Request { route: LEAVE, user: one.name(), group, ..base.clone() }),
                step(one, request.route),
            ]
        }
        // A change of attributes fails between its calls.
        9 => {
            let meanwhile = Some(Meanwhile { before_call: call, steps: vec![], fails: true });
            vec![Step { meanwhile, ..step(one, UPDATE) }, step(other, UPDATE)]
        }
        // A user is deleted, and another actor signs up with the name.
        _ => vec![step(one, DELETE), step(other, SIGN_UP), step(other, SIGN_IN), step(one, request.route)],
    }
}
