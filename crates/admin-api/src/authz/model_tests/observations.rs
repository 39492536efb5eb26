//! Records the effects, grants and violations of requests while they run.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::in_memory::{InMemoryPool, Snapshot};

use super::actor::{Actor, Session, Token};
use super::capabilities::Capabilities;
use super::control::ExternalState;
use super::effect::{self, JobSnapshot};
use super::grants::{Frame, GrantRecord};
use super::request::Route;
use super::rule::Violation;
use crate::testing::Answer;

/// The state of the reference model, and what was observed.
pub(super) struct Observations {
    pub(super) grant_record: GrantRecord,
    pub(super) external: ExternalState,
    /// The pool at the last recording of effects.
    pub(super) recorded: Snapshot,
    /// The jobs after the last request.
    pub(super) jobs: JobSnapshot,
    /// Requests in progress, the innermost last.
    pub(super) frames: Vec<Frame>,
    pub(super) violations: Vec<(String, Violation)>,
    pub(super) answers: Answers,
}

/// The number of responses by route and status.
pub(super) type Answers = BTreeMap<(Route, u16), usize>;

impl Observations {
    /// Records all changes since the last call as effects of the innermost request.
    pub(super) fn record(&mut self, now: &Snapshot) {
        let effects = effect::diff(&self.recorded, now);
        let before = std::mem::replace(&mut self.recorded, now.clone());
        let Some(mut frame) = self.frames.pop() else { return };
        frame.capabilities[1] = self.grant_record.caller_capabilities(frame.token.as_ref(), now);
        frame.has_factor[1] = GrantRecord::has_factor(frame.token.as_ref(), now);
        frame.effects.extend(effects.iter().cloned());
        let violations = self.grant_record.record(&mut frame, &effects, &self.external, [&before, now]);
        self.violations.extend(violations.into_iter().map(|violation| (frame.label.clone(), violation)));
        self.frames.push(frame);
    }

    /// Records a change of jobs as an effect of the innermost request. A request changes jobs after its calls to the
    /// pool, so requests during these calls have recorded their own changes.
    pub(super) fn record_jobs(&mut self, now: JobSnapshot) {
        let effect = now.effect_since(&self.jobs);
        self.jobs = now;
        if let Some(frame) = self.frames.last_mut() {
            frame.effects.extend(effect);
        }
    }

    /// Ends the innermost request.
    pub(super) fn finish(&mut self, now: &Snapshot) {
        let Some(frame) = self.frames.pop() else { return };
        self.grant_record.settle(&frame, &self.external, now);
        let excesses = self.grant_record.excesses(&self.external, now);
        self.violations.extend(excesses.into_iter().map(|excess| (frame.label.clone(), excess)));
        if let Some(outer) = self.frames.last_mut() {
            outer.grants.extend(frame.grants);
        }
    }

    /// Stores the tokens and sessions of a response for the actor.
    pub(super) fn record_answer(&mut self, pool: &InMemoryPool, actor: Actor, answer: &Answer) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let store = self.external.stores.entry(actor).or_default();
        let tokens = &answer.body["tokens"];
        if let (Some(access), Some(username)) = (text(&tokens["access_token"]), text(&tokens["username"])) {
            let sub = pool.user(&username).map(|user| user.attributes["sub"].clone()).unwrap_or_default();
            let groups = pool.groups_of(&username);
            store.add(Token { access, refresh: text(&tokens["refresh_token"]), username, sub, groups });
        }
        let open = &answer.body["challenge"];
        if let (Some(challenge), Some(token), Some(username)) =
            (text(&open["name"]), text(&open["session"]), text(&open["username"]))
        {
            let factors = open["factors"].as_array().into_iter().flatten().filter_map(text).collect();
            store.sessions.push(Session { challenge, token, username, factors });
        }
    }
}

/// A request without effects and without a caller.
pub(super) fn empty_frame(label: String, now: &Snapshot) -> Frame {
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
