//! The reference model: which capabilities each person was granted, and what each effect of a request grants.
//!
//! A grant counts if its giver had what they gave, and if it landed on an account that the request created or named by its user name
//! or `sub`. Grants are never taken back: a person who lost a group was still granted it once.

use std::collections::{BTreeMap, BTreeSet};

use testkit::in_memory::Snapshot;

use super::actor::{Person, Token};
use super::capabilities::{Capabilities, Roles};
use super::control::Belongings;
use super::effect::Effect;
use super::request::Route;
use super::rules::{Broken, Rule};

/// One request on its way.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) label: String,
    pub(super) route: Option<Route>,
    pub(super) token: Option<Token>,
    /// The user as typed in the path or the body.
    pub(super) typed: Option<String>,
    /// The `Idempotency-Key`.
    pub(super) key: Option<u8>,
    /// The account whose owner acts with its token: owners can hand over their accounts, and everything that these can do.
    pub(super) own: Option<String>,
    /// What the caller could do when the request began, and what they can do now.
    pub(super) capabilities: [Capabilities; 2],
    /// What the token says, whether or not the pool still does: enough to read.
    pub(super) claimed: Capabilities,
    /// Whether the caller had a second factor when the request began, and whether they have one now.
    pub(super) has_factor: [bool; 2],
    /// Whether the pool accepted the token for calls to Cognito when the request began.
    pub(super) token_was_live: bool,
    /// The users when the request began.
    pub(super) users_before: BTreeSet<String>,
    /// Effects of this request.
    pub(super) effects: Vec<Effect>,
    /// Grants that landed during this request, those of others included.
    pub(super) grants: Vec<(String, String)>,
}

impl Frame {
    /// Whether the caller could do something at one of two moments: requests that overlap count in either order.
    pub(super) fn caller(&self, holds: impl Fn(&Capabilities) -> bool) -> bool {
        self.capabilities.iter().any(holds)
    }

    pub(super) fn creates_user(&self) -> bool {
        self.route == Some(("POST", "/v1/users"))
    }
}

/// Who created an account, and how: caller, key and user name.
type Creation = (String, Option<u8>, String);

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) roles: Roles,
    granted: BTreeMap<Person, Capabilities>,
    created: BTreeMap<String, Creation>,
}

impl Ledger {
    /// What every person can do at the start counts as granted.
    pub(super) fn new(roles: Roles, belongings: &Belongings, pool: &Snapshot) -> Self {
        let ledger = Self { roles, granted: BTreeMap::new(), created: BTreeMap::new() };
        Self { granted: ledger.held(belongings, pool), ..ledger }
    }

    /// The operator deploys other roles: what every person can do now counts as granted.
    pub(super) fn deploy(&mut self, roles: Roles, belongings: &Belongings, pool: &Snapshot) {
        self.roles = roles;
        for (person, held) in self.held(belongings, pool) {
            self.grant([person].into(), &held);
        }
    }

    pub(super) fn of_account(&self, pool: &Snapshot, sub: &str) -> Capabilities {
        let groups = pool.users.get(sub).map(|user| &user.groups);
        self.roles.capabilities(groups.into_iter().flatten(), pool)
    }

    /// What a token gives now: what both the token and the pool say.
    pub(super) fn of_caller(&self, token: Option<&Token>, pool: &Snapshot) -> Capabilities {
        let Some(token) = token else { return Capabilities::default() };
        let user = pool.users.get(&token.sub).filter(|user| user.enabled);
        let groups = token.groups.iter().filter(|group| user.is_some_and(|user| user.groups.contains(*group)));
        self.roles.capabilities(groups, pool)
    }

    /// Whether the owner of a token has a second factor.
    pub(super) fn has_factor(token: Option<&Token>, pool: &Snapshot) -> bool {
        token.and_then(|token| pool.users.get(&token.sub)).is_some_and(|user| !user.factors.is_empty())
    }

    /// What a token says.
    pub(super) fn of_token(&self, token: Option<&Token>, pool: &Snapshot) -> Capabilities {
        self.roles.capabilities(token.into_iter().flat_map(|token| &token.groups), pool)
    }

    /// What each person can do through all accounts that they control.
    fn held(&self, belongings: &Belongings, pool: &Snapshot) -> BTreeMap<Person, Capabilities> {
        let mut held = BTreeMap::<Person, Capabilities>::new();
        for sub in pool.users.keys() {
            let owned = self.of_account(pool, sub);
            for person in belongings.controllers(pool, sub) {
                held.entry(person).or_default().add(owned.clone());
            }
        }
        held
    }

    /// Records what the effects of a request grant, and returns what is wrong with them.
    pub(super) fn record(
        &mut self,
        frame: &mut Frame,
        effects: &[Effect],
        belongings: &Belongings,
        [before, after]: [&Snapshot; 2],
    ) -> Vec<Broken> {
        let mut wrong = Vec::new();
        for effect in effects {
            match effect {
                Effect::Created(sub) if frame.creates_user() => {
                    let caller = frame.token.as_ref().map(|token| token.sub.clone()).unwrap_or_default();
                    let creation = (caller, frame.key, frame.typed.clone().unwrap_or_default());
                    self.created.insert(sub.clone(), creation);
                }
                Effect::Joined(sub, group) => {
                    let given = self.roles.capabilities([group], after);
                    if !frame.caller(|caller| caller.assigns(group) && caller.covers(&given)) {
                        let text = format!("the caller gave the group {group}, which is more than they had");
                        wrong.push(Broken(Rule::Grant, text));
                    } else if self.is_meant(frame, after, sub) {
                        self.grant(belongings.controllers(after, sub), &given);
                        frame.grants.push((sub.clone(), group.clone()));
                    } else {
                        let name = after.users.get(sub).map_or("", |user| &user.username);
                        let text = format!("the group {group} landed on {name}, whom the request did not name");
                        wrong.push(Broken(Rule::Target, text));
                    }
                }
                _ => {}
            }
        }
        // Who gains control of an account was given it by the caller, if the caller had what the account has.
        let changed: BTreeSet<&str> = effects.iter().filter_map(Effect::user).collect();
        for sub in changed {
            let owned = self.of_account(after, sub);
            if frame.own.as_deref() == Some(sub) || frame.caller(|caller| caller.covers(&owned)) {
                let earlier = belongings.controllers(before, sub);
                let gained = belongings.controllers(after, sub).difference(&earlier).copied().collect();
                self.grant(gained, &owned);
            }
        }
        wrong
    }

    /// At the end of a request: grants that landed during it count for those who gained control through it, as if it had come first.
    pub(super) fn settle(&mut self, frame: &Frame, belongings: &Belongings, pool: &Snapshot) {
        for (sub, group) in frame.grants.iter().filter(|(sub, _)| frame.users_before.contains(sub)) {
            let given = self.roles.capabilities([group], pool);
            self.grant(belongings.controllers(pool, sub), &given);
        }
    }

    /// Whoever can do more than they were granted.
    pub(super) fn excesses(&self, belongings: &Belongings, pool: &Snapshot) -> Vec<Broken> {
        let nothing = Capabilities::default();
        let excess = |(person, held): (Person, Capabilities)| {
            let beyond = held.beyond(self.granted.get(&person).unwrap_or(&nothing));
            let text = format!("{person} can do {beyond:?}, which no person who had it granted them");
            (!beyond.is_empty()).then_some(Broken(Rule::Control, text))
        };
        self.held(belongings, pool).into_iter().filter_map(excess).collect()
    }

    /// Whether an earlier request of the same caller with the same key created the user.
    pub(super) fn is_repeat(&self, frame: &Frame, sub: &str) -> bool {
        let caller = frame.token.as_ref().map(|token| &token.sub);
        self.created.get(sub).is_some_and(|(creator, key, name)| {
            Some(creator) == caller && frame.key.is_some() && *key == frame.key && same(name, frame.typed.as_deref())
        })
    }

    /// Whether the request created this user, or named it by user name or `sub`.
    fn is_meant(&self, frame: &Frame, after: &Snapshot, sub: &str) -> bool {
        if frame.creates_user() {
            return frame.effects.contains(&Effect::Created(sub.to_owned())) || self.is_repeat(frame, sub);
        }
        frame.typed.as_deref() == Some(sub)
            || after.users.get(sub).is_some_and(|user| same(&user.username, frame.typed.as_deref()))
    }

    fn grant(&mut self, persons: BTreeSet<Person>, capabilities: &Capabilities) {
        for person in persons {
            self.granted.entry(person).or_default().add(capabilities.clone());
        }
    }
}

/// Whether a text is the name, in a pool that ignores case.
pub(super) fn same(name: &str, typed: Option<&str>) -> bool {
    typed.is_some_and(|typed| typed.eq_ignore_ascii_case(name))
}
