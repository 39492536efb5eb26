//! The invariants of one request.

use serde_json::Value;
use testkit::in_memory::{Snapshot, UserSnapshot};

use super::capabilities::Capabilities;
use super::effect::{Effect, Part};
use super::grants::{Frame, GrantRecord, same_name};
use super::request::WRITE_ATTRIBUTES;
use super::rule::{Rule, Violation};
use crate::authz::access::Access;
use crate::testing::Answer;

/// The result of a request.
pub(super) struct Outcome<'a> {
    pub(super) frame: &'a Frame,
    pub(super) access: Access,
    pub(super) sent: &'a str,
    pub(super) answer: &'a Answer,
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) has_write_attributes: bool,
    pub(super) requires_mfa: bool,
}

impl Outcome<'_> {
    /// All rules that the request breaks.
    pub(super) fn violations(&self, grant_record: &GrantRecord) -> Vec<Violation> {
        let rules = [
            self.shows_attributes(),
            self.finds_by_alias(),
            self.confirms_a_guess(grant_record),
            self.changes_after_refusal(),
            self.changes_for_ended_caller(),
            self.changes_without_permission(),
            self.acts_without_second_factor(),
            self.changes_own_rights(grant_record),
            self.imports_without_everything(),
            self.writes_other_attributes(),
        ];
        rules.into_iter().flatten().collect()
    }

    /// Whether the caller has `users:read` in the token, and for a write also in the pool.
    fn reads_users(&self) -> bool {
        match self.access {
            Access::Write(_) => self.frame.caller(|caller| caller.has("users:read")),
            _ => self.frame.claimed.has("users:read"),
        }
    }

    /// [`Rule::Attributes`].
    fn shows_attributes(&self) -> Option<Violation> {
        if self.reads_users() {
            return None;
        }
        let body = self.answer.body.to_string();
        let own = self.frame.token.as_ref().map_or("", |token| &token.sub);
        let values = |pool: &'_ Snapshot, is_own: bool| -> Vec<String> {
            let users = pool.users.iter().filter(|(sub, _)| (*sub == own) == is_own);
            users.flat_map(|(_, user)| user.attributes.values().cloned().collect::<Vec<_>>()).collect()
        };
        // User names are not attributes, even if an attribute of another user has the same value.
        let users = self.before.users.values().chain(self.after.users.values());
        let usernames = users.map(|user| user.username.clone()).collect();
        let known: Vec<String> = [values(self.before, true), values(self.after, true), usernames].concat();
        let shown = [values(self.before, false), values(self.after, false)].concat().into_iter().find(|value| {
            // Shorter values, such as `true`, do not identify a user.
            value.len() > 5
                && body.contains(value.as_str())
                && !known.iter().any(|known| known.contains(value.as_str()))
                && !self.sent.contains(value.as_str())
                && !self.frame.typed.as_ref().is_some_and(|typed| typed.contains(value.as_str()))
        });
        shown.map(|value| {
            Violation(Rule::Attributes, format!("the response shows `{value}` of another user without users:read"))
        })
    }

    /// [`Rule::Alias`].
    fn finds_by_alias(&self) -> Option<Violation> {
        let typed = self.frame.typed.as_deref().filter(|_| self.answer.status < 400 && !self.reads_users())?;
        let own = self.frame.token.as_ref().map_or("", |token| &token.sub);
        let is_name = |(sub, user): (&String, &UserSnapshot)| sub == typed || same_name(&user.username, Some(typed));
        let is_found = |(sub, user): (&String, &UserSnapshot)| {
            sub != own && user.attributes.values().any(|value| same_name(value, Some(typed)))
        };
        let users = || self.before.users.iter().chain(&self.after.users);
        // A user with this name can be created and deleted during the request.
        let has_gone = self
            .frame
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Deleted(sub) if !self.before.users.contains_key(sub)));
        let is_alias = users().any(is_found) && !users().any(is_name) && !has_gone;
        is_alias.then(|| Violation(Rule::Alias, format!("the response is {} for an alias", self.answer.status)))
    }

    /// [`Rule::Repeat`] and [`Rule::Guess`].
    fn confirms_a_guess(&self, grant_record: &GrantRecord) -> Option<Violation> {
        if !self.frame.creates_user() {
            return None;
        }
        let differs = self.answer.body.get("differing").is_some_and(|names| *names != Value::Null);
        if differs && !self.reads_users() {
            let text = "the response names differing fields without users:read".to_owned();
            return Some(Violation(Rule::Guess, text));
        }
        let found = self.answer.body["sub"].as_str().unwrap_or_default();
        let is_found = self.answer.status == 200 && !grant_record.is_repeat(self.frame, found);
        let text = || "the response is 200 for a user that this request did not create".to_owned();
        is_found.then(|| Violation(Rule::Repeat, text()))
    }

    /// [`Rule::Refusal`].
    fn changes_after_refusal(&self) -> Option<Violation> {
        if self.answer.status < 400 {
            return None;
        }
        let completed: Vec<&str> =
            self.answer.body["completed"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let is_named = |effect: &Effect| match effect {
            Effect::Created(_) => completed.contains(&"create-user"),
            Effect::Joined(_, group) => completed.contains(&&*format!("add-to-group:{group}")),
            Effect::Changed(_, Part::Password) => completed.contains(&"set-password"),
            Effect::Changed(_, Part::SecondFactors) => completed.contains(&"verify"),
            Effect::Tokens => completed.contains(&"sign-out"),
            Effect::Wrote(sub, _) => completed.iter().any(|step| match *step {
                "create-user" => self.frame.effects.contains(&Effect::Created(sub.clone())),
                "set-attributes" | "remove-attributes" => true,
                step => step.starts_with("unlink-identity:"),
            }),
            _ => false,
        };
        let unnamed = self.frame.effects.iter().find(|effect| !is_named(effect));
        let text = |effect| format!("the response is {} and {effect:?} happened", self.answer.status);
        unnamed.map(|effect| Violation(Rule::Refusal, text(effect)))
    }

    /// [`Rule::EndedCaller`].
    fn changes_for_ended_caller(&self) -> Option<Violation> {
        let reads_token = matches!(self.access, Access::Write(_) | Access::OwnToken);
        let has_ended = reads_token && self.frame.token.is_some() && !self.frame.token_was_live;
        let effect = self.frame.effects.first().filter(|_| has_ended)?;
        Some(Violation(Rule::EndedCaller, format!("the token had ended or had no scope, and {effect:?} happened")))
    }

    /// [`Rule::Permission`].
    fn changes_without_permission(&self) -> Option<Violation> {
        let Access::Write(permission) = self.access else { return None };
        let effect = self.frame.effects.first()?;
        let has = self.frame.caller(|caller| caller.has(permission.as_str()));
        (!has).then(|| {
            Violation(Rule::Permission, format!("the caller did not have {permission} and {effect:?} happened"))
        })
    }

    /// [`Rule::SecondFactor`].
    fn acts_without_second_factor(&self) -> Option<Violation> {
        let is_bound = self.requires_mfa && matches!(self.access, Access::Read(_) | Access::List(_) | Access::Write(_));
        let acts = self.answer.status < 400 || !self.frame.effects.is_empty();
        let lacks_factor = self.frame.token.is_some() && self.frame.has_factor == [false; 2];
        let text = || format!("the caller has no second factor; the response is {}", self.answer.status);
        (is_bound && acts && lacks_factor).then(|| Violation(Rule::SecondFactor, text()))
    }

    /// [`Rule::OwnRights`].
    fn changes_own_rights(&self, grant_record: &GrantRecord) -> Option<Violation> {
        if !matches!(self.access, Access::Write(_)) {
            return None;
        }
        let caller = self.frame.token.as_ref()?;
        let locked = self.frame.effects.iter().find(|effect| match effect {
            // Another actor can add the caller to a group that is being deleted.
            Effect::Left(sub, group) => {
                *sub == caller.sub && self.before.users.get(sub).is_some_and(|user| user.groups.contains(group))
            }
            Effect::Deleted(sub)
            | Effect::Joined(sub, _)
            | Effect::Changed(sub, Part::Enabled | Part::SecondFactors) => *sub == caller.sub,
            // Unlinking an identity and resetting the password with a code only reduce access.
            Effect::Wrote(sub, name) => *sub == caller.sub && name != "identities",
            Effect::Changed(sub, Part::Password) => {
                *sub == caller.sub && self.frame.route != Some(("POST", "/v1/users/{username}/reset-password"))
            }
            Effect::GroupDeleted(group) => grant_record.roles.names(group) || caller.groups.contains(group),
            _ => false,
        });
        let text = |effect| format!("the caller changed their own account, or deleted a group in ROLES: {effect:?}");
        locked.map(|effect| Violation(Rule::OwnRights, text(effect)))
    }

    /// [`Rule::Import`].
    fn imports_without_everything(&self) -> Option<Violation> {
        let is_accepted =
            matches!(self.frame.route?, ("POST", "/v1/jobs" | "/v1/jobs/uploads")) && self.answer.status < 400;
        if !is_accepted && !self.frame.effects.contains(&Effect::JobStarted) {
            return None;
        }
        let has_everything = self.frame.caller(|caller| caller.covers(&Capabilities::everything()));
        let text = || format!("the caller lacks a permission; the response is {}", self.answer.status);
        (!has_everything).then(|| Violation(Rule::Import, text()))
    }

    /// [`Rule::WriteAttributes`].
    fn writes_other_attributes(&self) -> Option<Violation> {
        if !matches!(self.frame.route?.1, "/v1/auth/sign-up" | "/v1/auth/challenge") {
            return None;
        }
        self.frame.effects.iter().find_map(|effect| match effect {
            Effect::Wrote(_, name) if !is_writable(name, self.has_write_attributes) => {
                Some(Violation(Rule::WriteAttributes, format!("a user set {name}")))
            }
            _ => None,
        })
    }
}

/// Whether users can set the attribute through the API: listed attributes, or without a list the standard attributes.
fn is_writable(name: &str, has_list: bool) -> bool {
    let is_standard = !name.contains(':') && name != "email_verified";
    if has_list { WRITE_ATTRIBUTES.contains(&name) } else { is_standard }
}
