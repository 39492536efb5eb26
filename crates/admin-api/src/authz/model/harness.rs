//! Runs steps against the router on a pool in memory, one inside the other where they overlap, and judges each.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use domain::user_pool::error::Reason;
use domain::user_pool::sessions::Factor;
use testkit::in_memory::{InMemoryPool, Snapshot};

use super::actor::{Person, Token, Wallet};
use super::capabilities::Roles;
use super::control::{Belongings, receives_mail};
use super::grants::{Frame, Ledger};
use super::observations::{Answers, Book, frame};
use super::request::{Credential, DEVICE, Knowledge, Request, Route, VERIFY_TOTP};
use super::rules::{Broken, Outcome, Rule};
use super::step::{Action, Scenario, Step};
use crate::authz::access::Access;
use crate::routes;
use crate::settings::{AdminMfa, Served};
use crate::testing::{Api, Call};

/// The pool, the API on it, and the book about both.
pub(super) struct Harness {
    pool: InMemoryPool,
    /// Two instances of the function, because each serves one request at a time: the second serves those in the middle of another.
    instances: Mutex<[Arc<Api>; 2]>,
    /// Whether the app client has a list of write attributes.
    has_write_attributes: bool,
    admin_mfa: AdminMfa,
    book: Mutex<Book>,
}

/// The list of write attributes.
pub(super) const WRITE_ATTRIBUTES: [&str; 4] = ["email", "name", "preferred_username", "custom:team"];

static ACCESS: LazyLock<BTreeMap<Route, Access>> = LazyLock::new(|| {
    let served = routes::of(Served::All);
    let access = |(method, path): Route| {
        served.iter().find(|route| route.method == method && route.path == path).unwrap().access
    };
    super::routes::ALL.into_iter().map(|route| (route, access(route))).collect()
});

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
        let mut belongings = Belongings::default();
        for person in Person::ALL {
            belongings.wallets.insert(person, Wallet::default());
            let Some(group) = person.group() else { continue };
            let name = person.name();
            let (email, team) = (person.email(), format!("team-of-{name}"));
            let attributes = [("email", &*email), ("email_verified", "true"), ("custom:team", &team)];
            // Mallory has found out the password of vera.
            let password = if person == Person::Vera { Person::Mallory.password() } else { person.password() };
            pool.add_user(name, &password, &[group], &attributes);
            let [access, refresh] = ["access", "refresh"].map(|kind| format!("first-{kind}-token-of-{name}"));
            pool.give_tokens(name, &access, &refresh);
            let sub = pool.user(name).unwrap().attributes["sub"].clone();
            let groups = vec![group.to_owned()];
            let token = Token { access, refresh: Some(refresh), username: name.to_owned(), sub, groups };
            belongings.wallets.entry(person).or_default().learn(token);
        }
        pool.add_device("ada", DEVICE);
        // Where a second factor is required, `ivy` has permissions and no factor.
        let enrolled: &[Person] =
            if requires_mfa { &[Person::Ada, Person::Hal, Person::Vera] } else { &[Person::Vera] };
        for person in enrolled {
            pool.switch_factor_on(person.name(), Factor::SoftwareTokenMfa);
            let sub = pool.user(person.name()).unwrap().attributes["sub"].clone();
            belongings.authenticators.insert(sub, *person);
        }

        let recorded = pool.snapshot();
        let ledger = Ledger::new(roles.clone(), &belongings, &recorded);
        let (frames, broken, answers) = (Vec::new(), Vec::new(), BTreeMap::new());
        let book = Mutex::new(Book { ledger, belongings, recorded, frames, broken, answers });
        let instances = Mutex::new(instances(&pool, roles, admin_mfa));
        Arc::new(Self { pool, instances, has_write_attributes, admin_mfa, book })
    }

    /// Runs all steps. Returns how one of them broke a rule that is checked, and the answers.
    pub(super) fn run(scenario: &Scenario, is_checked: impl Fn(Rule) -> bool) -> (Result<(), String>, Answers) {
        let world = Self::new(scenario);
        let broken = scenario.steps.iter().enumerate().find_map(|(number, step)| {
            world.perform(step);
            let broken = std::mem::take(&mut world.book().broken);
            let (label, Broken(rule, text)) = broken.into_iter().find(|(_, Broken(rule, _))| is_checked(*rule))?;
            Some(format!("step {}: {label}: {rule:?}: {text}", number + 1))
        });
        let answers = std::mem::take(&mut world.book().answers);
        (broken.map_or(Ok(()), Err), answers)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn perform(self: &Arc<Self>, step: &Step) {
        let person = step.person;
        match &step.action {
            Action::Request(request) => self.send(step, request),
            Action::DeleteMyself => self.at_cognito(person, InMemoryPool::delete_user),
            Action::SetAttribute(name, value) => self.at_cognito(person, |pool, owner| {
                // Without a list, Cognito lets users set custom attributes too.
                if self.has_write_attributes && !WRITE_ATTRIBUTES.contains(name) {
                    return;
                }
                let verified = ("email_verified", "false");
                let count = if *name == "email" { 2 } else { 1 };
                pool.set_attributes(owner, &[(*name, &**value), verified][..count]);
            }),
            Action::Deploy(roles) => {
                let mut book = self.book();
                let Book { ledger, belongings, .. } = &mut *book;
                ledger.deploy(roles.clone(), belongings, &self.pool.snapshot());
                *self.instances.lock().unwrap() = instances(&self.pool, roles, self.admin_mfa);
            }
        }
    }

    /// What a user does at Cognito with their own token, past the API.
    fn at_cognito(&self, person: Person, change: impl FnOnce(&InMemoryPool, &str)) {
        let mut book = self.book();
        book.record(&self.pool.snapshot());
        let token = book.belongings.wallets[&person].token(0).cloned();
        let Some(token) = token.filter(|token| self.pool.takes_token(&token.access)) else { return };
        let before = self.pool.snapshot();
        let own = Some(token.sub.clone());
        book.frames.push(Frame { own, ..frame(format!("{person} at Cognito"), &before) });
        change(&self.pool, &token.username);
        let now = self.pool.snapshot();
        book.record(&now);
        book.finish(&now);
    }

    fn send(self: &Arc<Self>, step: &Step, request: &Request) {
        let person = step.person;
        let (call, sent, before, is_outermost) = {
            let mut book = self.book();
            let now = self.pool.snapshot();
            book.record(&now);
            let call = self.call(&book, person, request);
            let sent = call.to_string();
            let frame = self.open(&book, step, request, &now);
            book.frames.push(frame);
            (call, sent, now, book.frames.len() == 1)
        };
        if let Some(meanwhile) = step.meanwhile.clone() {
            let world = Arc::clone(self);
            self.pool.before_call(meanwhile.before_call.into(), move || {
                meanwhile.steps.iter().for_each(|step| world.perform(step));
                meanwhile.fails.then_some(Reason::Unavailable)
            });
        }
        let [first, second] = self.instances.lock().unwrap().clone();
        let instance = if is_outermost { first } else { second };
        let answer = now(instance.call(call));
        if step.meanwhile.is_some() {
            self.pool.cancel_before_call();
        }

        let mut book = self.book();
        let after = self.pool.snapshot();
        book.record(&after);
        book.learn(&self.pool, person, &answer);
        let access = ACCESS[&request.route];
        let frame = book.frames.last().unwrap().clone();
        if let (VERIFY_TOTP, Some(token), 204) = (request.route, &frame.token, answer.status) {
            book.belongings.authenticators.insert(token.sub.clone(), person);
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
        let broken = outcome.broken(&book.ledger);
        book.broken.extend(broken.into_iter().map(|broken| (frame.label.clone(), broken)));
        *book.answers.entry((request.route, answer.status)).or_default() += 1;
        book.finish(&after);
    }

    fn call(&self, book: &Book, person: Person, request: &Request) -> Call {
        let sub = |name: &str| match self.pool.user(name) {
            Some(user) => user.attributes["sub"].clone(),
            None => "00000000-0000-4000-8000-999999999999".to_owned(),
        };
        let receives = |name: &str| {
            let sub = sub(name);
            self.pool.snapshot().users.get(&sub).is_some_and(|user| receives_mail(person, user))
        };
        let authenticates = |name: &str| book.belongings.authenticators.get(&sub(name)) == Some(&person);
        let wallet = &book.belongings.wallets[&person];
        let known = Knowledge { person, wallet, sub: &sub, receives: &receives, authenticates: &authenticates };
        request.call(&known)
    }

    fn open(&self, book: &Book, step: &Step, request: &Request, now: &Snapshot) -> Frame {
        let wallet = &book.belongings.wallets[&step.person];
        let token = request.caller(wallet).cloned();
        let sub = |name: &str| self.pool.user(name).map(|user| user.attributes["sub"].clone()).unwrap_or_default();
        let typed = match request.route {
            ("POST", "/v1/users") => Some(request.body_name()),
            (_, path) if path.contains("{username}") => Some(request.typed(&sub)),
            _ => None,
        };
        let has_scope = request.credential != Credential::TokenWithoutScope;
        let token_was_live = has_scope && token.as_ref().is_some_and(|token| now.tokens.contains(&token.access));
        let acts_on_own = token_was_live && ACCESS[&request.route] == Access::OwnToken;
        let capabilities = book.ledger.of_caller(token.as_ref(), now);
        Frame {
            route: Some(request.route),
            typed,
            key: request.key,
            own: token.as_ref().filter(|_| acts_on_own).map(|token| token.sub.clone()),
            capabilities: [capabilities.clone(), capabilities],
            has_factor: [Ledger::has_factor(token.as_ref(), now); 2],
            token_was_live,
            claimed: book.ledger.of_token(token.as_ref(), now),
            token,
            ..frame(format!("{}: {} {}", step.person, request.route.0, request.route.1), now)
        }
    }
}

fn instances(pool: &InMemoryPool, roles: &Roles, admin_mfa: AdminMfa) -> [Arc<Api>; 2] {
    [(), ()].map(|()| Arc::new(Api::on(pool.clone(), &roles.json(), admin_mfa)))
}

/// The output of a future that waits for nothing: everything behind the ports is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    // A pool in memory never waits; the runtime may ask to yield.
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("a request waits for something outside the process")
}
