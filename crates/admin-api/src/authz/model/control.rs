//! Who can act as an account: by a token, a password, a message that they receive, or an identity at a provider.

use std::collections::{BTreeMap, BTreeSet};

use domain::user_pool::sessions::Factor;
use domain::user_pool::user::UserStatus;
use testkit::in_memory::{Snapshot, UserSnapshot};

use super::actor::{Person, Wallet};

/// What persons own outside the pool.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    pub(super) wallets: BTreeMap<Person, Wallet>,
    /// Who holds the authenticator app of an account.
    pub(super) authenticators: BTreeMap<String, Person>,
}

impl Belongings {
    /// Everybody who can act as the account.
    pub(super) fn controllers(&self, pool: &Snapshot, sub: &str) -> BTreeSet<Person> {
        let Some(user) = pool.users.get(sub) else { return BTreeSet::new() };
        Person::ALL.into_iter().filter(|person| user.enabled && self.controls(*person, pool, sub, user)).collect()
    }

    fn controls(&self, person: Person, pool: &Snapshot, sub: &str, user: &UserSnapshot) -> bool {
        self.has_token(person, pool, sub)
            || user.attributes.get("identities").is_some_and(|linked| linked.contains(&person.identity()))
            || (knows_or_resets_password(person, user) && self.has_factor(person, sub, user))
    }

    fn has_token(&self, person: Person, pool: &Snapshot, sub: &str) -> bool {
        let tokens = self.wallets.get(&person).into_iter().flat_map(|wallet| &wallet.tokens);
        let is_live = |text: &String| pool.tokens.contains(text);
        tokens
            .filter(|token| token.sub == sub)
            .any(|token| is_live(&token.access) || token.refresh.as_ref().is_some_and(is_live))
    }

    fn has_factor(&self, person: Person, sub: &str, user: &UserSnapshot) -> bool {
        user.factors.is_empty()
            || user.factors.iter().any(|factor| match factor {
                Factor::SoftwareTokenMfa => self.authenticators.get(sub) == Some(&person),
                Factor::EmailOtp => receives_mail(person, user),
                Factor::SmsMfa => false,
            })
    }
}

fn knows_or_resets_password(person: Person, user: &UserSnapshot) -> bool {
    let is_verified = user.attributes.get("email_verified").is_some_and(|flag| flag == "true");
    // The first message goes to an address that is not verified: the code of a sign-up, or an invitation.
    let awaits_message = user.status == UserStatus::Unconfirmed || (user.password.is_none() && user.invitations > 0);
    user.password.as_deref() == Some(&person.password())
        || ((is_verified || awaits_message) && receives_mail(person, user))
}

/// Whether messages to the account reach the person.
pub(super) fn receives_mail(person: Person, user: &UserSnapshot) -> bool {
    user.attributes.get("email").is_some_and(|email| email.eq_ignore_ascii_case(&person.email()))
}
