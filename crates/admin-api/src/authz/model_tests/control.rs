//! Which actors can act as an account: by a token, a password, a received message, or an identity at a provider.

use std::collections::{BTreeMap, BTreeSet};

use domain::user_pool::sessions::Factor;
use domain::user_pool::user::UserStatus;
use testkit::in_memory::{Snapshot, UserSnapshot};

use super::actor::{Actor, TokenStore};

/// The tokens and authenticator apps of actors, which are outside the pool.
#[derive(Debug, Default)]
pub(super) struct ExternalState {
    pub(super) stores: BTreeMap<Actor, TokenStore>,
    /// The actor with the authenticator app of an account.
    pub(super) authenticators: BTreeMap<String, Actor>,
}

impl ExternalState {
    /// The actors who can act as the account.
    pub(super) fn controllers(&self, pool: &Snapshot, sub: &str) -> BTreeSet<Actor> {
        let Some(user) = pool.users.get(sub) else { return BTreeSet::new() };
        Actor::ALL.into_iter().filter(|actor| user.enabled && self.controls(*actor, pool, sub, user)).collect()
    }

    fn controls(&self, actor: Actor, pool: &Snapshot, sub: &str, user: &UserSnapshot) -> bool {
        self.has_token(actor, pool, sub)
            || user.attributes.get("identities").is_some_and(|linked| linked.contains(&actor.identity()))
            || (knows_or_resets_password(actor, user) && self.has_factor(actor, sub, user))
    }

    fn has_token(&self, actor: Actor, pool: &Snapshot, sub: &str) -> bool {
        let tokens = self.stores.get(&actor).into_iter().flat_map(|store| &store.tokens);
        let is_live = |text: &String| pool.tokens.contains(text);
        tokens
            .filter(|token| token.sub == sub)
            .any(|token| is_live(&token.access) || token.refresh.as_ref().is_some_and(is_live))
    }

    fn has_factor(&self, actor: Actor, sub: &str, user: &UserSnapshot) -> bool {
        user.factors.is_empty()
            || user.factors.iter().any(|factor| match factor {
                Factor::SoftwareTokenMfa => self.authenticators.get(sub) == Some(&actor),
                Factor::EmailOtp => receives_mail(actor, user),
                Factor::SmsMfa => false,
            })
    }
}

fn knows_or_resets_password(actor: Actor, user: &UserSnapshot) -> bool {
    let is_verified = user.attributes.get("email_verified").is_some_and(|flag| flag == "true");
    // Cognito sends the confirmation code of a sign-up and the welcome message to unverified addresses too.
    let awaits_message = user.status == UserStatus::Unconfirmed || (user.password.is_none() && user.invitations > 0);
    user.password.as_deref() == Some(&actor.password())
        || ((is_verified || awaits_message) && receives_mail(actor, user))
}

/// Whether the actor receives messages to the account.
pub(super) fn receives_mail(actor: Actor, user: &UserSnapshot) -> bool {
    user.attributes.get("email").is_some_and(|email| email.eq_ignore_ascii_case(&actor.email()))
}
