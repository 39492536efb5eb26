//! Runs steps against the router on a pool in memory, one inside the other where they overlap, and judges each.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use domain::sessions::Factor;
use domain::user_pool_error::Reason;
use serde_json::Value;
use testkit::in_memory::{InMemoryPool, Snapshot};

use super::capabilities::{Capabilities, Roles};
use super::control::{Belongings, receives_mail};
use super::effect;
use super::ledger::{Frame, Ledger};
use super::person::{Person, Session, Token, Wallet};
use super::request::{DEVICE, Knowledge, Request, Route};
use super::rules::{Broken, Outcome, Rule};
use super::step::{Action, Scenario, Step};
use crate::access::Access;
use crate::routes;
use crate::settings::Served;
use crate::testing::{Answer, Api, Call};

/// The pool, the API on it, and the book about both.
pub(super) struct World {
    pool: InMemoryPool,
    api: Api,
    book: Mutex<Book>,
}

struct Book {
    ledger: Ledger,
    belongings: Belongings,
    /// The pool when effects were last recorded.
    recorded: Snapshot,
    /// Requests on their way, the innermost last.
    frames: Vec<Frame>,
    broken: Vec<(String, Broken)>,
    answers: Answers,
}

/// How many answers there were, by route and status.
pub(super) type Answers = BTreeMap<(Route, u16), usize>;

static ACCESS: LazyLock<BTreeMap<Route, Access>> = LazyLock::new(|| {
    routes::of(Served::All).into_iter().map(|route| ((route.method.as_str(), route.path), route.access)).collect()
});

impl World {
    pub(super) fn new(roles: &Roles, auto_confirm: bool) -> Arc<Self> {
        let pool = InMemoryPool::new();
        pool.ignore_case();
        pool.auto_confirm(auto_confirm);
        // Without a list, the API takes no custom attribute from users.
        pool.limit_write_attributes(&["email", "name", "preferred_username", "custom:team"]);
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
        pool.switch_factor_on("vera", Factor::SoftwareTokenMfa);
        let sub = pool.user("vera").unwrap().attributes["sub"].clone();
        belongings.authenticators.insert(sub, Person::Vera);

        let recorded = pool.snapshot();
        let ledger = Ledger::new(roles.clone(), &belongings, &recorded);
        let (frames, broken, answers) = (Vec::new(), Vec::new(), BTreeMap::new());
        let book = Mutex::new(Book { ledger, belongings, recorded, frames, broken, answers });
        Arc::new(Self { api: Api::on(pool.clone(), &roles.json()), pool, book })
    }

    /// Runs all steps. Returns how one of them broke a rule that is checked, and the answers.
    pub(super) fn run(scenario: &Scenario, is_checked: impl Fn(Rule) -> bool) -> (Result<(), String>, Answers) {
        let world = Self::new(&scenario.roles, scenario.auto_confirm);
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
            Action::ChangeMyEmail(other) => self.at_cognito(person, |pool, name| {
                pool.set_attributes(name, &[("email", &other.email()), ("email_verified", "false")]);
            }),
            Action::ChooseAlias(alias) => {
                self.at_cognito(person, |pool, name| pool.set_attributes(name, &[("preferred_username", alias)]));
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
        // Users can hand over their own account, and everything that it can do.
        let owned = book.ledger.of_account(&before, &token.sub);
        let capabilities = [owned, Capabilities::default()];
        book.frames.push(Frame { capabilities, ..frame(format!("{person} at Cognito"), &before) });
        change(&self.pool, &token.username);
        let now = self.pool.snapshot();
        book.record(&now);
        book.finish(&now);
    }

    fn send(self: &Arc<Self>, step: &Step, request: &Request) {
        let person = step.person;
        let (call, sent, before) = {
            let mut book = self.book();
            let now = self.pool.snapshot();
            book.record(&now);
            let call = self.call(&book, person, request);
            let sent = call.to_string();
            let frame = self.open(&book, step, request, &now);
            book.frames.push(frame);
            (call, sent, now)
        };
        if let Some(meanwhile) = step.meanwhile.clone() {
            let world = Arc::clone(self);
            self.pool.before_call(meanwhile.before_call.into(), move || {
                meanwhile.steps.iter().for_each(|step| world.perform(step));
                meanwhile.fails.then_some(Reason::Unavailable)
            });
        }
        let answer = now(self.api.call(call));
        if step.meanwhile.is_some() {
            self.pool.cancel_before_call();
        }

        let mut book = self.book();
        let after = self.pool.snapshot();
        book.record(&after);
        book.learn(&self.pool, person, &answer);
        let access = ACCESS[&request.route];
        let frame = book.frames.last().unwrap().clone();
        let outcome = Outcome { frame: &frame, access, sent: &sent, answer: &answer, before: &before, after: &after };
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
        let token = wallet.token(request.token).filter(|_| !request.is_public()).cloned();
        let sub = |name: &str| self.pool.user(name).map(|user| user.attributes["sub"].clone()).unwrap_or_default();
        let typed = match request.route {
            ("POST", "/v1/users") => Some(request.body_name()),
            (_, path) if path.contains("{username}") => Some(request.typed(&sub)),
            _ => None,
        };
        let capabilities = book.ledger.of_caller(token.as_ref(), now);
        let token_was_live = token.as_ref().is_some_and(|token| now.tokens.contains(&token.access));
        Frame {
            route: Some(request.route),
            typed,
            key: request.key,
            capabilities: [capabilities.clone(), capabilities],
            token_was_live,
            claimed: book.ledger.of_token(token.as_ref(), now),
            token,
            ..frame(format!("{}: {} {}", step.person, request.route.0, request.route.1), now)
        }
    }
}

fn frame(label: String, now: &Snapshot) -> Frame {
    Frame {
        label,
        route: None,
        token: None,
        typed: None,
        key: None,
        capabilities: [Capabilities::default(), Capabilities::default()],
        claimed: Capabilities::default(),
        token_was_live: true,
        users_before: now.users.keys().cloned().collect(),
        effects: Vec::new(),
        grants: Vec::new(),
    }
}

impl Book {
    /// Records what changed since the last time as effects of the innermost request.
    fn record(&mut self, now: &Snapshot) {
        let effects = effect::between(&self.recorded, now);
        let before = std::mem::replace(&mut self.recorded, now.clone());
        let Some(mut frame) = self.frames.pop() else { return };
        frame.capabilities[1] = self.ledger.of_caller(frame.token.as_ref(), now);
        frame.effects.extend(effects.iter().cloned());
        let wrong = self.ledger.record(&mut frame, &effects, &self.belongings, [&before, now]);
        self.broken.extend(wrong.into_iter().map(|wrong| (frame.label.clone(), wrong)));
        self.frames.push(frame);
    }

    /// Ends the innermost request.
    fn finish(&mut self, now: &Snapshot) {
        let Some(frame) = self.frames.pop() else { return };
        self.ledger.settle(&frame, &self.belongings, now);
        let excesses = self.ledger.excesses(&self.belongings, now);
        self.broken.extend(excesses.into_iter().map(|excess| (frame.label.clone(), excess)));
        if let Some(outer) = self.frames.last_mut() {
            outer.grants.extend(frame.grants);
        }
    }

    /// What the person reads in an answer.
    fn learn(&mut self, pool: &InMemoryPool, person: Person, answer: &Answer) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let wallet = self.belongings.wallets.entry(person).or_default();
        let tokens = &answer.body["tokens"];
        if let (Some(access), Some(username)) = (text(&tokens["access_token"]), text(&tokens["username"])) {
            let sub = pool.user(&username).map(|user| user.attributes["sub"].clone()).unwrap_or_default();
            let groups = pool.groups_of(&username);
            wallet.learn(Token { access, refresh: text(&tokens["refresh_token"]), username, sub, groups });
        }
        let open = &answer.body["challenge"];
        if let (Some(challenge), Some(token), Some(username)) =
            (text(&open["name"]), text(&open["session"]), text(&open["username"]))
        {
            let factors = open["factors"].as_array().into_iter().flatten().filter_map(text).collect();
            wallet.sessions.push(Session { challenge, token, username, factors });
        }
    }
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
