//! Whom an invitation is for, and whether a user of the pool holds that address already.

use crate::search::{LARGEST_PAGE, PAGE_BUDGET, Place, Query, SearchTerm, walk};
use crate::sign_up::{EmailAddress, NotAnAddress};
use crate::user_pool::UserPool;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::User;

/// Somebody who is to be invited: an address, and the spellings under which a user of the pool is likely to have it.
#[derive(Clone)]
pub struct Invitee {
    email: EmailAddress,
    spellings: Vec<SearchTerm>,
}

/// Who holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody who was found: it can be given to whoever is invited.
    Nobody,
    /// A user, whose mailbox it was proved to be. Cognito would take it from them where e-mail is an alias.
    User,
    /// There are too many users to look at.
    Unknown,
}

impl Invitee {
    /// The address.
    #[must_use]
    pub fn email(&self) -> &EmailAddress {
        &self.email
    }

    /// Who holds the address, whatever their status, and enabled or not. Whoever has it unverified does not hold it: it may well not be
    /// theirs. Reads at most [`PAGE_BUDGET`] pages for each spelling. Lists lag writes by moments.
    ///
    /// Cognito compares attributes as text (but for capital and small letters), so a user who has the address in yet another spelling, with
    /// letters of full width for instance, is not found.
    ///
    /// # Errors
    /// What the pool answers, whichever page it is: who holds the address is then not known either.
    pub async fn holder(&self, pool: &dyn UserPool) -> Result<Holder, UserPoolError> {
        for spelling in &self.spellings {
            let query = Query { email: Some(spelling.clone()), ..Query::default() };
            let mut next = Some(Place::default());
            let mut pages_left = PAGE_BUDGET;
            while let Some(place) = next {
                if pages_left == 0 {
                    return Ok(Holder::Unknown);
                }
                pages_left -= 1;
                // One page at a time: it is the first holder who ends the look, not the first user with the address.
                let found = walk(pool, &query, place, LARGEST_PAGE, 1).await?;
                if found.users.iter().any(|user| self.is_held_by(user)) {
                    return Ok(Holder::User);
                }
                next = found.next;
            }
        }
        Ok(Holder::Nobody)
    }

    fn is_held_by(&self, user: &User) -> bool {
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let is_verified = attribute("email_verified").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let email = attribute("email").and_then(|text| text.parse().ok());
        is_verified && email.is_some_and(|email: EmailAddress| folded(&email) == folded(&self.email))
    }
}

/// Wider than the normal form, in which only A to Z are small: should Cognito take `Ä@` for `ä@`, it would take the address from its holder.
fn folded(email: &EmailAddress) -> String {
    email.to_string().to_lowercase()
}

impl TryFrom<String> for Invitee {
    type Error = NotAnAddress;

    fn try_from(typed: String) -> Result<Self, NotAnAddress> {
        let email: EmailAddress = typed.parse()?;
        let mut spellings = Vec::new();
        for text in [email.to_string(), typed, email.with_unicode_domain()] {
            let spelling = SearchTerm::try_from(text).map_err(|_| NotAnAddress)?;
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        Ok(Self { email, spellings })
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::sign_up::MAX_ADDRESS_BYTES;
    use crate::user_pool::user::{Attributes, UserStatus};

    fn invitee(typed: &str) -> Invitee {
        typed.to_owned().try_into().unwrap_or_else(|refusal| panic!("{typed}: {refusal}"))
    }

    fn user<const N: usize>(attributes: [(&str, &str); N]) -> User {
        User {
            username: "mia".parse().unwrap(),
            status: UserStatus::Confirmed,
            enabled: true,
            attributes: Attributes::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
            created_at: OffsetDateTime::UNIX_EPOCH,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_address_is_looked_for_in_each_spelling_once() {
        let table: [(&str, &[&str]); 5] = [
            ("mia@example.com", &["mia@example.com"]),
            ("Mia@Example.com", &["mia@example.com", "Mia@Example.com"]),
            ("mia@bücher.example", &["mia@xn--bcher-kva.example", "mia@bücher.example"]),
            ("mia@xn--bcher-kva.example", &["mia@xn--bcher-kva.example", "mia@bücher.example"]),
            ("Mia@BÜCHER.example", &["mia@xn--bcher-kva.example", "Mia@BÜCHER.example", "mia@bücher.example"]),
        ];
        for (typed, expected) in table {
            let invitee = invitee(typed);
            assert_eq!(invitee.spellings.iter().map(SearchTerm::as_str).collect::<Vec<_>>(), expected, "{typed}");
            assert_eq!(invitee.email().to_string(), expected[0], "{typed}");
        }
    }

    #[test]
    fn the_longest_address_can_be_looked_for_and_what_is_none_cannot() {
        let long = |bytes: usize| format!("{}@bücher.example", "x".repeat(bytes - "@xn--bcher-kva.example".len()));
        assert_eq!(invitee(&long(MAX_ADDRESS_BYTES)).spellings.len(), 2);
        for typed in ["", "mia", "mia@", "mia@@example.com", &long(MAX_ADDRESS_BYTES + 1)] {
            assert_eq!(Invitee::try_from(typed.to_owned()).err(), Some(NotAnAddress), "{typed}");
        }
    }

    #[test]
    fn a_user_holds_an_address_that_is_verified_and_the_same_mailbox() {
        let table = [
            ("mia@example.com", "mia@example.com", "true", true),
            ("mia@example.com", "MIA@Example.COM", "true", true),
            ("mia@example.com", "mia@example.com", "True", true),
            ("mia@bücher.example", "mia@xn--bcher-kva.example", "true", true),
            ("mia@xn--bcher-kva.example", "mia@BÜCHER.example", "true", true),
            ("ärmel@example.com", "Ärmel@example.com", "true", true),
            ("mia@example.com", "mia@example.com", "false", false),
            ("mia@example.com", "mia@example.com", "", false),
            ("mia@example.com", "mia@example.org", "true", false),
            ("mia@example.com", "mia+1@example.com", "true", false),
            ("mia@example.com", "mia", "true", false),
        ];
        for (typed, email, verified, expected) in table {
            let user = user([("email", email), ("email_verified", verified)]);
            assert_eq!(invitee(typed).is_held_by(&user), expected, "{typed} {email} {verified}");
        }
    }

    #[test]
    fn who_has_no_address_or_says_nothing_of_it_holds_none() {
        assert!(!invitee("mia@example.com").is_held_by(&user([])));
        assert!(!invitee("mia@example.com").is_held_by(&user([("email", "mia@example.com")])));
        assert!(!invitee("mia@example.com").is_held_by(&user([("email_verified", "true")])));
    }
}
