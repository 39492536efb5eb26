//! Runs steps on the router and an in-memory pool, nested if they overlap, and checks the rules after each step.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use domain::user_pool::error::Reason;
use domain::user_pool::sessions::Factor;
use testkit::in_memory::{InMemoryPool, Snapshot};
use testkit::in_memory_jobs::InMemoryJobs;

use super::actor::{Actor, Token, TokenStore};
use super::capabilities::Roles;
use super::control::{ExternalState, receives_mail};
use super::effect::JobSnapshot;
use super::grants::{Frame, GrantRecord};
use super::observations::{Answers, Observations, empty_frame};
use super::request::{ActorContext, Credential, DEVICE, Request, VERIFY_TOTP, WRITE_ATTRIBUTES};
use super::routes;
use super::rule::{Rule, Violation};
use super::rules::Outcome;
use super::scenario::Scenario;
use super::step::{Action, Step};
use crate::settings::AdminMfa;
use crate::testing::{Api, Call};

/// The pool, two instances of the API, and observations.
pub(super) struct Harness {
    pool: InMemoryPool,
    jobs: InMemoryJobs,
    /// Each instance serves one request at a time. The second instance serves requests that are sent during another
    /// request.
    instances: Mutex<[Arc<Api>; 2]>,
    /// Whether the app client has a list of write attributes.
    has_write_attributes: bool,
    admin_mfa: AdminMfa,
    observations: Mutex<Observations>,
}

impl Harness {
    fn new(scenario: &Scenario) -> Arc<Self> {
        let Scenario { roles, auto_confirm, has_write_attributes, requires_mfa, steps: _ } = scenario;
        let (auto_confirm, has_write_attributes, requires_mfa) = (*auto_confirm, *has_write_attributes, *requires_mfa);
        let admin_mfa = if requires_mfa { AdminMfa::Required } else { AdminMfa::Optional };
        let pool = InMemoryPool::new();
        pool.ignore_case();
        pool.auto_confirm(auto_confirm);
        if has_write_attributes {
            pool.limit_write_attributes(&WRITE_ATTRIBUTES);
        }
        for group in ["admins", "team1", "team2", "club", "bucket"] {
            pool.add_group(group);
        }
        pool.set_group_role("bucket", "arn:aws:iam::123456789012:role/bucket");
        let mut external = ExternalState::default();
        for actor in Actor::ALL {
            external.stores.insert(actor, TokenStore::default());
            let Some(group) = actor.group() else { continue };
            let name = actor.name();
            let (email, team) = (actor.email(), format!("team-of-{name}"));
            let attributes = [("email", &*email), ("email_verified", "true"), ("custom:team", &team)];
            // `mallory` knows the password of `vera`.
            let password = if actor == Actor::Vera { Actor::Mallory.password() } else { actor.password() };
            pool.add_user(name, &password, &[group], &attributes);
            let [access, refresh] = ["access", "refresh"].map(|kind| format!("first-{kind}-token-of-{name}"));
            pool.give_tokens(name, &access, &refresh);
            let sub = pool.user(name).unwrap().attributes["sub"].clone();
            let groups = vec![group.to_owned()];
            let token = Token { access, refresh: Some(refresh), username: name.to_owned(), sub, groups };
            external.stores.entry(actor).or_default().add(token);
        }
        pool.add_device("ada", DEVICE);
        // If a second factor is required, `ivy` has permissions but no second factor.
        let enrolled: &[Actor] = if requires_mfa { &[Actor::Ada, Actor::Hal, Actor::Vera] } else { &[Actor::Vera] };
        for actor in enrolled {
            pool.switch_factor_on(actor.name(), Factor::SoftwareTokenMfa);
            let sub = pool.user(actor.name()).unwrap().attributes["sub"].clone();
            external.authenticators.insert(sub, *actor);
        }

        let recorded = pool.snapshot();
        let grant_record = GrantRecord::new(roles.clone(), &external, &recorded);
        let (frames, violations, answers) = (Vec::new(), Vec::new(), BTreeMap::new());
        let in_memory_jobs = InMemoryJobs::with_examples();
        let jobs = JobSnapshot::of(&in_memory_jobs);
        let observations =
            Mutex::new(Observations { grant_record, external, recorded, jobs, frames, violations, answers });
        let instances = Mutex::new(instances(&pool, &in_memory_jobs, roles, admin_mfa));
        Arc::new(Self { pool, jobs: in_memory_jobs, instances, has_write_attributes, admin_mfa, observations })
    }

    /// Runs the steps until one breaks a checked rule. Returns the violation, and the number of responses.
    pub(super) fn run(scenario: &Scenario, is_checked: impl Fn(Rule) -> bool) -> (Result<(), String>, Answers) {
        let harness = Self::new(scenario);
        let violation = scenario.steps.iter().enumerate().find_map(|(number, step)| {
            harness.perform(step);
            let violations = std::mem::take(&mut harness.observations().violations);
            let (label, Violation(rule, text)) =
                violations.into_iter().find(|(_, Violation(rule, _))| is_checked(*rule))?;
            Some(format!("step {}: {label}: {rule:?}: {text}", number + 1))
        });
        let answers = std::mem::take(&mut harness.observations().answers);
        (violation.map_or(Ok(()), Err), answers)
    }

    fn observations(&self) -> MutexGuard<'_, Observations> {
        self.observations.lock().unwrap()
    }

    fn perform(self: &Arc<Self>, step: &Step) {
        let actor = step.actor;
        match &step.action {
            Action::Request(request) => self.send(step, request),
            Action::DeleteMyself => self.call_cognito(actor, InMemoryPool::delete_user),
            Action::SetAttribute(name, value) => self.call_cognito(actor, |pool, owner| {
                // Without a list, Cognito lets users set custom attributes as well.
                if self.has_write_attributes && !WRITE_ATTRIBUTES.contains(name) {
                    return;
                }
                let verified = ("email_verified", "false");
                let count = if *name == "email" { 2 } else { 1 };
                pool.set_attributes(owner, &[(*name, &**value), verified][..count]);
            }),
            Action::Deploy(roles) => {
                let mut observations = self.observations();
                let Observations { grant_record, external, .. } = &mut *observations;
                grant_record.deploy(roles.clone(), external, &self.pool.snapshot());
                *self.instances.lock().unwrap() = instances(&self.pool, &self.jobs, roles, self.admin_mfa);
            }
        }
    }

    /// Calls Cognito directly with the actor's own token.
    fn call_cognito(&self, actor: Actor, change: impl FnOnce(&InMemoryPool, &str)) {
        let mut observations = self.observations();
        observations.record(&self.pool.snapshot());
        let token = observations.external.stores[&actor].token(0).cloned();
        let Some(token) = token.filter(|token| self.pool.takes_token(&token.access)) else { return };
        let before = self.pool.snapshot();
        let own = Some(token.sub.clone());
        observations.frames.push(Frame { own, ..empty_frame(format!("{actor} at Cognito"), &before) });
        change(&self.pool, &token.username);
        let now = self.pool.snapshot();
        observations.record(&now);
        observations.finish(&now);
    }

    fn send(self: &Arc<Self>, step: &Step, request: &Request) {
        let actor = step.actor;
        let (call, sent, before, is_outermost) = {
            let mut observations = self.observations();
            let now = self.pool.snapshot();
            observations.record(&now);
            let call = self.call(&observations, actor, request);
            let sent = call.to_string();
            let frame = self.open(&observations, step, request, &now);
            observations.frames.push(frame);
            (call, sent, now, observations.frames.len() == 1)
        };
        if let Some(meanwhile) = step.meanwhile.clone() {
            let harness = Arc::clone(self);
            self.pool.before_call(meanwhile.before_call.into(), move || {
                meanwhile.steps.iter().for_each(|step| harness.perform(step));
                meanwhile.fails.then_some(Reason::Unavailable)
            });
        }
        let [first, second] = self.instances.lock().unwrap().clone();
        let instance = if is_outermost { first } else { second };
        let answer = poll_ready(instance.call(call));
        if step.meanwhile.is_some() {
            self.pool.cancel_before_call();
        }

        let mut observations = self.observations();
        let after = self.pool.snapshot();
        observations.record(&after);
        observations.record_jobs(JobSnapshot::of(&self.jobs));
        observations.record_answer(&self.pool, actor, &answer);
        let access = routes::access(request.route);
        let frame = observations.frames.last().unwrap().clone();
        if let (VERIFY_TOTP, Some(token), 204) = (request.route, &frame.token, answer.status) {
            observations.external.authenticators.insert(token.sub.clone(), actor);
        }
        let outcome = Outcome {
            frame: &frame,
            access,
            sent: &sent,
            answer: &answer,
            before: &before,
            after: &after,
            has_write_attributes: self.has_write_attributes,
            requires_mfa: self.admin_mfa == AdminMfa::Required,
        };
        let violations = outcome.violations(&observations.grant_record);
        observations.violations.extend(violations.into_iter().map(|violation| (frame.label.clone(), violation)));
        *observations.answers.entry((request.route, answer.status)).or_default() += 1;
        observations.finish(&after);
    }

    fn call(&self, observations: &Observations, actor: Actor, request: &Request) -> Call {
        let sub = |name: &str| match self.pool.user(name) {
            Some(user) => user.attributes["sub"].clone(),
            None => "00000000-0000-4000-8000-999999999999".to_owned(),
        };
        let receives = |name: &str| {
            let sub = sub(name);
            self.pool.snapshot().users.get(&sub).is_some_and(|user| receives_mail(actor, user))
        };
        let authenticates = |name: &str| observations.external.authenticators.get(&sub(name)) == Some(&actor);
        let store = &observations.external.stores[&actor];
        let context = ActorContext { actor, store, sub: &sub, receives: &receives, authenticates: &authenticates };
        request.call(&context)
    }

    fn open(&self, observations: &Observations, step: &Step, request: &Request, now: &Snapshot) -> Frame {
        let store = &observations.external.stores[&step.actor];
        let token = request.caller(store).cloned();
        let sub = |name: &str| self.pool.user(name).map(|user| user.attributes["sub"].clone()).unwrap_or_default();
        let typed = match request.route {
            ("POST", "/v1/users") => Some(request.body_name()),
            (_, path) if path.contains("{username}") => Some(request.typed(&sub)),
            _ => None,
        };
        let has_scope = request.credential != Credential::TokenWithoutScope;
        let token_was_live = has_scope && token.as_ref().is_some_and(|token| now.tokens.contains(&token.access));
        let acts_on_own = token_was_live && routes::is_own(request.route);
        let capabilities = observations.grant_record.caller_capabilities(token.as_ref(), now);
        Frame {
            route: Some(request.route),
            typed,
            key: request.key,
            own: token.as_ref().filter(|_| acts_on_own).map(|token| token.sub.clone()),
            capabilities: [capabilities.clone(), capabilities],
            has_factor: [GrantRecord::has_factor(token.as_ref(), now); 2],
            token_was_live,
            claimed: observations.grant_record.token_capabilities(token.as_ref(), now),
            token,
            ..empty_frame(format!("{}: {} {}", step.actor, request.route.0, request.route.1), now)
        }
    }
}

fn instances(pool: &InMemoryPool, jobs: &InMemoryJobs, roles: &Roles, admin_mfa: AdminMfa) -> [Arc<Api>; 2] {
    [(), ()].map(|()| Arc::new(Api::with(pool.clone(), jobs.clone(), &roles.json(), admin_mfa)))
}

/// The output of a future that never waits, because all ports are in memory.
fn poll_ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    // The runtime can force a few yields.
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("a request waits for something outside the process")
}
