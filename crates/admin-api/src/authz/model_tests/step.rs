//! Steps of actors and their generators.

use std::fmt;

use domain::permission::Permission;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::actor::Actor;
use super::capabilities::Roles;
use super::request::{Credential, Request, Route, Spelling};
use super::routes::{ALL, GRANTS, SIGN_IN, TAKEOVERS};

/// A step of one actor.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) actor: Actor,
    pub(super) action: Action,
    /// Steps of other actors during this step.
    pub(super) meanwhile: Option<Meanwhile>,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A request to the API.
    Request(Request),
    /// A call to Cognito with the actor's own token: deletes the actor's account.
    DeleteMyself,
    /// A call to Cognito with the actor's own token: sets an attribute of the actor's account.
    SetAttribute(&'static str, String),
    /// The operator deploys other roles.
    Deploy(Roles),
}

/// Steps before one of the calls of a request.
#[derive(Debug, Clone)]
pub(super) struct Meanwhile {
    /// The number of the call, starting at 1.
    pub(super) before_call: u8,
    pub(super) steps: Vec<Step>,
    /// Whether the call then fails without an effect.
    pub(super) fails: bool,
}

/// Names of initial and later accounts.
const USERS: [&str; 9] = ["ada", "hal", "ivy", "mallory", "nina", "otto", "vera", "pat", "quin"];
const GROUPS: [&str; 7] = ["admins", "team1", "team2", "club", "bucket", "new-group", "missing"];

pub(super) fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        4 => Just(Actor::Ada),
        3 => Just(Actor::Hal),
        2 => Just(Actor::Ivy),
        4 => Just(Actor::Mallory),
        1 => Just(Actor::Nina),
        1 => Just(Actor::Otto),
        1 => Just(Actor::Vera),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    prop_oneof![4 => select(ALL.as_slice()), 4 => select(&GRANTS[..]), 3 => select(&TAKEOVERS[..]), 3 => select(&SIGN_IN[..])]
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![
        6 => Just(Spelling::Name),
        2 => Just(Spelling::Sub),
        1 => Just(Spelling::Uppercase),
        2 => Just(Spelling::Email),
    ]
}

pub(super) fn request() -> impl Strategy<Value = Request> {
    let names = (select(&USERS[..]), spelling(), select(&GROUPS[..]), select(&Actor::ALL[..]));
    let groups = prop_oneof![1 => Just(vec![]), 2 => subsequence(&GROUPS[..5], 1..=2)];
    let flags = (any::<bool>(), any::<bool>(), proptest::option::of(0..2_u8), 0..12_u8);
    let token = prop_oneof![4 => Just(0_u8), 1 => 1..4_u8];
    let credential = prop_oneof![
        18 => Just(Credential::Token),
        1 => Just(Credential::TokenWithoutScope),
        1 => Just(Credential::Iam),
    ];
    (route(), names, groups, flags, (token, credential)).prop_map(|(route, names, groups, flags, caller)| {
        let (user, spelling, group, other) = names;
        let (verified, permanent, key, form) = flags;
        let (token, credential) = caller;
        Request { route, user, spelling, group, other, verified, permanent, groups, key, form, token, credential }
    })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        30 => request().prop_map(Action::Request),
        1 => Just(Action::DeleteMyself),
        2 => own_attribute().prop_map(|(name, value)| Action::SetAttribute(name, value)),
    ]
}

fn own_attribute() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        2 => select(&Actor::ALL[..]).prop_map(|actor| ("email", actor.email())),
        2 => select(&USERS[..]).prop_map(|name| ("preferred_username", name.to_owned())),
        1 => select(&["custom:team", "custom:level"][..]).prop_map(|name| (name, "chosen".to_owned())),
    ]
}

fn plain_step() -> impl Strategy<Value = Step> {
    (actor(), action()).prop_map(|(actor, action)| Step { actor, action, meanwhile: None })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let steps = proptest::collection::vec(plain_step(), 0..=3);
    let meanwhile = (1..8_u8, steps, proptest::bool::weighted(0.2));
    let meanwhile = meanwhile.prop_map(|(before_call, steps, fails)| Meanwhile { before_call, steps, fails });
    (plain_step(), proptest::option::weighted(0.25, meanwhile)).prop_map(|(step, meanwhile)| Step { meanwhile, ..step })
}

/// Permissions, and permissions to assign single groups.
fn role() -> impl Strategy<Value = Vec<String>> {
    let mut names: Vec<String> = Permission::ALL.iter().map(|permission| permission.as_str().to_owned()).collect();
    let assignable = ["team1", "team2", "club", "bucket"].map(|group| format!("users:groups:{group}"));
    names.extend(assignable.into_iter().filter(|name| format!("team1={name}").parse::<domain::roles::Roles>().is_ok()));
    let count = names.len();
    subsequence(names, 0..=count)
}

pub(super) fn roles() -> impl Strategy<Value = Roles> {
    let club = proptest::option::weighted(0.2, role());
    (role(), role(), club).prop_map(|(team1, team2, club)| Roles::new([team1, team2], club))
}

/// Deploys other roles between two requests, because a request in progress keeps the roles of its deployment.
pub(super) fn deployment() -> impl Strategy<Value = Step> {
    roles().prop_map(|roles| Step { actor: Actor::Ada, action: Action::Deploy(roles), meanwhile: None })
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.actor)?;
        match &self.action {
            Action::Request(request) => request.describe(self.actor, formatter)?,
            Action::DeleteMyself => write!(formatter, "deletes their own account at Cognito")?,
            Action::SetAttribute(name, value) => write!(formatter, "sets their own {name} to {value} at Cognito")?,
            Action::Deploy(roles) => write!(formatter, "the operator deploys ROLES {}", roles.json())?,
        }
        let Some(meanwhile) = &self.meanwhile else { return Ok(()) };
        write!(formatter, "\n    before its call {}:", meanwhile.before_call)?;
        for step in &meanwhile.steps {
            write!(formatter, "\n    {step}")?;
        }
        if meanwhile.fails { write!(formatter, "\n    the call fails") } else { Ok(()) }
    }
}
