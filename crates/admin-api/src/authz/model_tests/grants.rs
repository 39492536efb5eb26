//! The reference model: which capabilities each actor was granted, and what each effect of a request grants.
//!
//! A grant counts if the caller had the granted capabilities, and if its target is an account that the request created
//! or named by its user name or `sub`. Grants are never revoked: an actor who lost a group keeps the grant.

use std::collections::{BTreeMap, BTreeSet};

use testkit::in_memory::Snapshot;

use super::actor::{Actor, Token};
use super::capabilities::{Capabilities, Roles};
use super::control::ExternalState;
use super::effect::Effect;
use super::request::Route;
use super::rule::{Rule, Violation};

/// A request in progress.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) label: String,
    pub(super) route: Option<Route>,
    pub(super) token: Option<Token>,
    /// The user name in the path or the body.
    pub(super) typed: Option<String>,
    /// The `Idempotency-Key`.
    pub(super) key: Option<u8>,
    /// The account that the actor changes with the account's own token. Its owner can give control of it to others.
    pub(super) own: Option<String>,
    /// The capabilities of the caller when the request started and now.
    pub(super) capabilities: [Capabilities; 2],
    /// The capabilities of the groups in the token, which are sufficient for reads.
    pub(super) claimed: Capabilities,
    /// Whether the caller had a second factor when the request started, and has one now.
    pub(super) has_factor: [bool; 2],
    /// Whether the pool accepted the token for calls to Cognito when the request started.
    pub(super) token_was_live: bool,
    /// The users when the request started.
    pub(super) users_before: BTreeSet<String>,
    /// Effects of this request.
    pub(super) effects: Vec<Effect>,
    /// Grants during this request, including grants by requests inside it.
    pub(super) grants: Vec<(String, String)>,
}

impl Frame {
    /// Whether the caller's capabilities match when the request started or now, because overlapping requests can take
    /// effect in either order.
    pub(super) fn caller(&self, holds: impl Fn(&Capabilities) -> bool) -> bool {
        self.capabilities.iter().any(holds)
    }

    pub(super) fn creates_user(&self) -> bool {
        self.route == Some(("POST", "/v1/users"))
    }
}

/// The request that created an account: caller, key and user name.
type Creation = (String, Option<u8>, String);

#[derive(Debug)]
pub(super) struct GrantRecord {
    pub(super) roles: Roles,
    granted: BTreeMap<Actor, Capabilities>,
    created: BTreeMap<String, Creation>,
}

impl GrantRecord {
    /// Records all initial capabilities as granted.
    pub(super) fn new(roles: Roles, external: &ExternalState, pool: &Snapshot) -> Self {
        let empty = Self { roles, granted: BTreeMap::new(), created: BTreeMap::new() };
        Self { granted: empty.held(external, pool), ..empty }
    }

    /// Replaces the roles, as the operator does. All capabilities that result from them count as granted.
    pub(super) fn deploy(&mut self, roles: Roles, external: &ExternalState, pool: &Snapshot) {
        self.roles = roles;
        for (actor, held) in self.held(external, pool) {
            self.grant([actor].into(), &held);
        }
    }

    pub(super) fn account_capabilities(&self, pool: &Snapshot, sub: &str) -> Capabilities {
        let groups = pool.users.get(sub).map(|user| &user.groups);
        self.roles.capabilities(groups.into_iter().flatten(), pool)
    }

    /// The current capabilities of a token: those of groups in both the token and the pool.
    pub(super) fn caller_capabilities(&self, token: Option<&Token>, pool: &Snapshot) -> Capabilities {
        let Some(token) = token else { return Capabilities::default() };
        let user = pool.users.get(&token.sub).filter(|user| user.enabled);
        let groups = token.groups.iter().filter(|group| user.is_some_and(|user| user.groups.contains(*group)));
        self.roles.capabilities(groups, pool)
    }

    /// Whether the owner of a token has a second factor.
    pub(super) fn has_factor(token: Option<&Token>, pool: &Snapshot) -> bool {
        token.and_then(|token| pool.users.get(&token.sub)).is_some_and(|user| !user.factors.is_empty())
    }

    /// The capabilities of the groups in a token.
    pub(super) fn token_capabilities(&self, token: Option<&Token>, pool: &Snapshot) -> Capabilities {
        self.roles.capabilities(token.into_iter().flat_map(|token| &token.groups), pool)
    }

    /// The capabilities of each actor through all accounts that they control.
    fn held(&self, external: &ExternalState, pool: &Snapshot) -> BTreeMap<Actor, Capabilities> {
        let mut held = BTreeMap::<Actor, Capabilities>::new();
        for sub in pool.users.keys() {
            let owned = self.account_capabilities(pool, sub);
            for actor in external.controllers(pool, sub) {
                held.entry(actor).or_default().add(owned.clone());
            }
        }
        held
    }

    /// Records the grants among the effects of a request, and returns violations.
    pub(super) fn record(
        &mut self,
        frame: &mut Frame,
        effects: &[Effect],
        external: &ExternalState,
        [before, after]: [&Snapshot; 2],
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
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
                        let text =
                            format!("the caller granted the group {group}, which exceeds their own capabilities");
                        violations.push(Violation(Rule::Grant, text));
                    } else if self.is_target(frame, after, sub) {
                        self.grant(external.controllers(after, sub), &given);
                        frame.grants.push((sub.clone(), group.clone()));
                    } else {
                        let name = after.users.get(sub).map_or("", |user| &user.username);
                        let text = format!("the group {group} was granted to {name}, whom the request did not name");
                        violations.push(Violation(Rule::Target, text));
                    }
                }
                _ => {}
            }
        }
        // Control of an account counts as granted if the caller had the capabilities of the account.
        let changed: BTreeSet<&str> = effects.iter().filter_map(Effect::user).collect();
        for sub in changed {
            let owned = self.account_capabilities(after, sub);
            if frame.own.as_deref() == Some(sub) || frame.caller(|caller| caller.covers(&owned)) {
                let earlier = external.controllers(before, sub);
                let gained = external.controllers(after, sub).difference(&earlier).copied().collect();
                self.grant(gained, &owned);
            }
        }
        violations
    }

    /// Ends a request. Grants during it also count for actors who gained control of the account through it.
    pub(super) fn settle(&mut self, frame: &Frame, external: &ExternalState, pool: &Snapshot) {
        for (sub, group) in frame.grants.iter().filter(|(sub, _)| frame.users_before.contains(sub)) {
            let given = self.roles.capabilities([group], pool);
            self.grant(external.controllers(pool, sub), &given);
        }
    }

    /// Actors whose capabilities exceed their grants.
    pub(super) fn excesses(&self, external: &ExternalState, pool: &Snapshot) -> Vec<Violation> {
        let nothing = Capabilities::default();
        let violation = |(actor, held): (Actor, Capabilities)| {
            let excess = held.excess_over(self.granted.get(&actor).unwrap_or(&nothing));
            let text = format!("{actor} has {excess:?}, which no actor with these capabilities granted");
            (!excess.is_empty()).then_some(Violation(Rule::Control, text))
        };
        self.held(external, pool).into_iter().filter_map(violation).collect()
    }

    /// Whether an earlier request of the same caller with the same key created the user.
    pub(super) fn is_repeat(&self, frame: &Frame, sub: &str) -> bool {
        let caller = frame.token.as_ref().map(|token| &token.sub);
        self.created.get(sub).is_some_and(|(creator, key, name)| {
            Some(creator) == caller
                && frame.key.is_some()
                && *key == frame.key
                && same_name(name, frame.typed.as_deref())
        })
    }

    /// Whether the request created this user, or named it by user name or `sub`.
    fn is_target(&self, frame: &Frame, after: &Snapshot, sub: &str) -> bool {
        if frame.creates_user() {
            return frame.effects.contains(&Effect::Created(sub.to_owned())) || self.is_repeat(frame, sub);
        }
        frame.typed.as_deref() == Some(sub)
            || after.users.get(sub).is_some_and(|user| same_name(&user.username, frame.typed.as_deref()))
    }

    fn grant(&mut self, actors: BTreeSet<Actor>, capabilities: &Capabilities) {
        for actor in actors {
            self.granted.entry(actor).or_default().add(capabilities.clone());
        }
    }
}

/// Compares names without regard to case, like the pool.
pub(super) fn same_name(name: &str, typed: Option<&str>) -> bool {
    typed.is_some_and(|typed| typed.eq_ignore_ascii_case(name))
}
