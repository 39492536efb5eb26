//! The invariants of one request.

use serde_json::Value;
use testkit::in_memory::{Snapshot, UserSnapshot};

use super::effect::{Effect, Part};
use super::grants::{Frame, Ledger, same};
use super::harness::WRITE_ATTRIBUTES;
use crate::authz::access::Access;
use crate::testing::Answer;

/// What no request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A caller gives no group that is more than they have.
    Grant,
    /// No person can do more than was granted to them, also not through another account.
    Control,
    /// A grant lands only on an account that the request created, or named by its user name or `sub`.
    Target,
    /// Only a repeat of the request that created a user is answered with that user.
    Repeat,
    /// No attribute is shown without `users:read`, except to its owner, or to a caller whose request contains it.
    Attributes,
    /// Without `users:read`, no request that names another user by an alias succeeds: it would tell whose alias that is.
    Alias,
    /// No answer compares attributes without `users:read`.
    Guess,
    /// A request that fails changes nothing but what the answer names in `completed`.
    Refusal,
    /// A caller who is signed out, disabled or deleted, or whose token lacks the scope for calls to Cognito, changes nothing.
    EndedCaller,
    /// A caller who does not have the permission in the pool changes nothing.
    Permission,
    /// Where administrators need a second factor, a caller without one reads nothing and changes nothing.
    SecondFactor,
    /// No caller changes their own account with administrative routes, and no group in `ROLES` is deleted.
    OwnRights,
    /// At sign-up and in challenges, users set only write attributes of the app client.
    WriteAttributes,
}

/// A rule that was broken, and how.
#[derive(Debug)]
pub(super) struct Broken(pub(super) Rule, pub(super) String);

/// What one request did.
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
    /// Every rule that the request broke.
    pub(super) fn broken(&self, ledger: &Ledger) -> Vec<Broken> {
        let rules = [
            self.shows_attributes(),
            self.finds_by_alias(),
            self.confirms_a_guess(ledger),
            self.changes_after_refusal(),
            self.changes_for_ended_caller(),
            self.changes_without_permission(),
            self.acts_without_second_factor(),
            self.locks_out(ledger),
            self.writes_other_attributes(),
        ];
        rules.into_iter().flatten().collect()
    }

    /// Whether the caller has `users:read`: by the token, and for a write also by the pool.
    fn reads_users(&self) -> bool {
        match self.access {
            Access::Write(_) => self.frame.caller(|caller| caller.has("users:read")),
            _ => self.frame.claimed.has("users:read"),
        }
    }

    /// [`Rule::Attributes`].
    fn shows_attributes(&self) -> Option<Broken> {
        if self.reads_users() {
            return None;
        }
        let body = self.answer.body.to_string();
        let own = self.frame.token.as_ref().map_or("", |token| &token.sub);
        let values = |pool: &'_ Snapshot, is_own: bool| -> Vec<String> {
            let users = pool.users.iter().filter(|(sub, _)| (*sub == own) == is_own);
            users.flat_map(|(_, user)| user.attributes.values().cloned().collect::<Vec<_>>()).collect()
        };
        // User names are no attributes, also if somebody else has the same address.
        let users = self.before.users.values().chain(self.after.users.values());
        let usernames = users.map(|user| user.username.clone()).collect();
        let known: Vec<String> = [values(self.before, true), values(self.after, true), usernames].concat();
        let shown = [values(self.before, false), values(self.after, false)].concat().into_iter().find(|value| {
            // Shorter ones (`true`) say nothing about whose they are.
            value.len() > 5
                && body.contains(value.as_str())
                && !known.iter().any(|known| known.contains(value.as_str()))
                && !self.sent.contains(value.as_str())
                && !self.frame.typed.as_ref().is_some_and(|typed| typed.contains(value.as_str()))
        });
        shown.map(|value| {
            Broken(Rule::Attributes, format!("the answer shows `{value}` of another user without users:read"))
        })
    }

    /// [`Rule::Alias`].
    fn finds_by_alias(&self) -> Option<Broken> {
        let typed = self.frame.typed.as_deref().filter(|_| self.answer.status < 400 && !self.reads_users())?;
        let own = self.frame.token.as_ref().map_or("", |token| &token.sub);
        let is_name = |(sub, user): (&String, &UserSnapshot)| sub == typed || same(&user.username, Some(typed));
        let is_found = |(sub, user): (&String, &UserSnapshot)| {
            sub != own && user.attributes.values().any(|value| same(value, Some(typed)))
        };
        let users = || self.before.users.iter().chain(&self.after.users);
        // A user of this name can come and go while the request is on its way.
        let has_gone = self
            .frame
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Deleted(sub) if !self.before.users.contains_key(sub)));
        let is_alias = users().any(is_found) && !users().any(is_name) && !has_gone;
        is_alias.then(|| Broken(Rule::Alias, format!("the answer is {} for an alias", self.answer.status)))
    }

    /// [`Rule::Repeat`] and [`Rule::Guess`].
    fn confirms_a_guess(&self, ledger: &Ledger) -> Option<Broken> {
        if !self.frame.creates_user() {
            return None;
        }
        let differs = self.answer.body.get("differing").is_some_and(|names| *names != Value::Null);
        if differs && !self.reads_users() {
            let text = "the answer says in what the user differs without users:read".to_owned();
            return Some(Broken(Rule::Guess, text));
        }
        let found = self.answer.body["sub"].as_str().unwrap_or_default();
        let is_found = self.answer.status == 200 && !ledger.is_repeat(self.frame, found);
        let text = || "the answer is 200 for a user whom this request did not create".to_owned();
        is_found.then(|| Broken(Rule::Repeat, text()))
    }

    /// [`Rule::Refusal`].
    fn changes_after_refusal(&self) -> Option<Broken> {
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
        let text = |effect| format!("the answer is {} and {effect:?} happened", self.answer.status);
        unnamed.map(|effect| Broken(Rule::Refusal, text(effect)))
    }

    /// [`Rule::EndedCaller`].
    fn changes_for_ended_caller(&self) -> Option<Broken> {
        let reads_token = matches!(self.access, Access::Write(_) | Access::OwnToken);
        let has_ended = reads_token && self.frame.token.is_some() && !self.frame.token_was_live;
        let effect = self.frame.effects.first().filter(|_| has_ended)?;
        Some(Broken(Rule::EndedCaller, format!("the token had ended or had no scope, and {effect:?} happened")))
    }

    /// [`Rule::Permission`].
    fn changes_without_permission(&self) -> Option<Broken> {
        let Access::Write(permission) = self.access else { return None };
        let effect = self.frame.effects.first()?;
        let has = self.frame.caller(|caller| caller.has(permission.as_str()));
        (!has)
            .then(|| Broken(Rule::Permission, format!("the caller did not have {permission} and {effect:?} happened")))
    }

    /// [`Rule::SecondFactor`].
    fn acts_without_second_factor(&self) -> Option<Broken> {
        let is_bound = self.requires_mfa && matches!(self.access, Access::Read(_) | Access::List(_) | Access::Write(_));
        let acts = self.answer.status < 400 || !self.frame.effects.is_empty();
        let lacks_factor = self.frame.token.is_some() && self.frame.has_factor == [false; 2];
        let text = || format!("the caller has no second factor; the answer is {}", self.answer.status);
        (is_bound && acts && lacks_factor).then(|| Broken(Rule::SecondFactor, text()))
    }

    /// [`Rule::OwnRights`].
    fn locks_out(&self, ledger: &Ledger) -> Option<Broken> {
        if !matches!(self.access, Access::Write(_)) {
            return None;
        }
        let caller = self.frame.token.as_ref()?;
        let locked = self.frame.effects.iter().find(|effect| match effect {
            // Somebody else can add the caller while a group is deleted.
            Effect::Left(sub, group) => {
                *sub == caller.sub && self.before.users.get(sub).is_some_and(|user| user.groups.contains(group))
            }
            Effect::Deleted(sub)
            | Effect::Joined(sub, _)
            | Effect::Changed(sub, Part::Enabled | Part::SecondFactors) => *sub == caller.sub,
            // What only ends what the account can do: an identity is unlinked, a password is reset by a code to the owner.
            Effect::Wrote(sub, name) => *sub == caller.sub && name != "identities",
            Effect::Changed(sub, Part::Password) => {
                *sub == caller.sub && self.frame.route != Some(("POST", "/v1/users/{username}/reset-password"))
            }
            Effect::GroupDeleted(group) => ledger.roles.names(group) || caller.groups.contains(group),
            _ => false,
        });
        let text = |effect| format!("the caller changed their own account, or deleted a group in ROLES: {effect:?}");
        locked.map(|effect| Broken(Rule::OwnRights, text(effect)))
    }

    /// [`Rule::WriteAttributes`].
    fn writes_other_attributes(&self) -> Option<Broken> {
        if !matches!(self.frame.route?.1, "/v1/auth/sign-up" | "/v1/auth/challenge") {
            return None;
        }
        self.frame.effects.iter().find_map(|effect| match effect {
            Effect::Wrote(_, name) if !is_writable(name, self.has_write_attributes) => {
                Some(Broken(Rule::WriteAttributes, format!("a user set {name}")))
            }
            _ => None,
        })
    }
}

/// Whether users can set the attribute at the API. A client without a list gives them the standard attributes.
fn is_writable(name: &str, has_list: bool) -> bool {
    let is_standard = !name.contains(':') && name != "email_verified";
    if has_list { WRITE_ATTRIBUTES.contains(&name) } else { is_standard }
}
