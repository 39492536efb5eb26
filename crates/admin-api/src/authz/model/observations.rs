//! What is written down while requests run: their effects, who can do what, and which rules they broke.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::in_memory::{InMemoryPool, Snapshot};

use super::actor::{Person, Session, Token};
use super::capabilities::Capabilities;
use super::control::Belongings;
use super::effect;
use super::grants::{Frame, Ledger};
use super::request::Route;
use super::rules::Broken;
use crate::testing::Answer;

/// The book about the pool and the API.
pub(super) struct Book {
    pub(super) ledger: Ledger,
    pub(super) belongings: Belongings,
    /// The pool when effects were last recorded.
    pub(super) recorded: Snapshot,
    /// Requests on their way, the innermost last.
    pub(super) frames: Vec<Frame>,
    pub(super) broken: Vec<(String, Broken)>,
    pub(super) answers: Answers,
}

/// How many answers there were, by route and status.
pub(super) type Answers = BTreeMap<(Route, u16), usize>;

impl Book {
    /// Records what changed since the last time as effects of the innermost request.
    pub(super) fn record(&mut self, now: &Snapshot) {
        let effects = effect::between(&self.recorded, now);
        let before = std::mem::replace(&mut self.recorded, now.clone());
        let Some(mut frame) = self.frames.pop() else { return };
        frame.capabilities[1] = self.ledger.of_caller(frame.token.as_ref(), now);
        frame.has_factor[1] = Ledger::has_factor(frame.token.as_ref(), now);
        frame.effects.extend(effects.iter().cloned());
        let wrong = self.ledger.record(&mut frame, &effects, &self.belongings, [&before, now]);
        self.broken.extend(wrong.into_iter().map(|wrong| (frame.label.clone(), wrong)));
        self.frames.push(frame);
    }

    /// Ends the innermost request.
    pub(super) fn finish(&mut self, now: &Snapshot) {
        let Some(frame) = self.frames.pop() else { return };
        self.ledger.settle(&frame, &self.belongings, now);
        let excesses = self.ledger.excesses(&self.belongings, now);
        self.broken.extend(excesses.into_iter().map(|excess| (frame.label.clone(), excess)));
        if let Some(outer) = self.frames.last_mut() {
            outer.grants.extend(frame.grants);
        }
    }

    /// What the person reads in an answer.
    pub(super) fn learn(&mut self, pool: &InMemoryPool, person: Person, answer: &Answer) {
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

/// A request that has done nothing yet, of nobody.
pub(super) fn frame(label: String, now: &Snapshot) -> Frame {
    Frame {
        label,
        route: None,
        token: None,
        typed: None,
        key: None,
        own: None,
        capabilities: [Capabilities::default(), Capabilities::default()],
        claimed: Capabilities::default(),
        has_factor: [false; 2],
        token_was_live: true,
        users_before: now.users.keys().cloned().collect(),
        effects: Vec::new(),
        grants: Vec::new(),
    }
}
