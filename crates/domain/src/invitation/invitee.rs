//! The recipient of an invitation, and the search for a user who already has the e-mail address.

use crate::search::{LARGEST_PAGE, PAGE_BUDGET, Position, Query, SearchTerm, find_users};
use crate::sign_up::{EmailAddress, InvalidEmailAddress};
use crate::user_pool::UserPool;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::User;

/// The recipient of an invitation: the e-mail address and its likely spellings in the pool.
#[derive(Clone)]
pub struct Invitee {
    email: EmailAddress,
    spellings: Vec<SearchTerm>,
}

/// The holder of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// No user with the address was found.
    None,
    /// A user has verified the address. If e-mail is an alias, a sign-up with the address would remove the alias from
    /// this user.
    User,
    /// The search exceeded its page budget.
    Unknown,
}

impl Invitee {
    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> &EmailAddress {
        &self.email
    }

    /// Searches for a user with this verified address, in any status, enabled or disabled. Reads at most
    /// [`PAGE_BUDGET`] pages for each spelling. List calls are eventually consistent.
    ///
    /// Cognito compares attributes as text, ignoring case, so other spellings (full-width letters, for example) are not
    /// found.
    ///
    /// # Errors
    /// Returns the pool's error if any page cannot be read.
    pub async fn holder(&self, pool: &dyn UserPool) -> Result<Holder, UserPoolError> {
        for spelling in &self.spellings {
            let query = Query { email: Some(spelling.clone()), ..Query::default() };
            let mut next = Some(Position::default());
            let mut pages_left = PAGE_BUDGET;
            while let Some(position) = next {
                if pages_left == 0 {
                    return Ok(Holder::Unknown);
                }
                pages_left -= 1;
                // Read one page per call, because the search ends at the first holder, not at the first matching user.
                let found = find_users(pool, &query, position, LARGEST_PAGE, 1).await?;
                if found.users.iter().any(|user| self.is_held_by(user)) {
                    return Ok(Holder::User);
                }
                next = found.next;
            }
        }
        Ok(Holder::None)
    }

    fn is_held_by(&self, user: &User) -> bool {
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let is_verified = attribute("email_verified").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let email = attribute("email").and_then(|text| text.parse().ok());
        is_verified && email.is_some_and(|email: EmailAddress| folded(&email) == folded(&self.email))
    }
}

/// Folds the case of all letters, because Cognito might treat `Ä@` and `ä@` as equal. The normal form folds only A to
/// Z.
fn folded(email: &EmailAddress) -> String {
    email.to_string().to_lowercase()
}

impl TryFrom<String> for Invitee {
    type Error = InvalidEmailAddress;

    fn try_from(typed: String) -> Result<Self, InvalidEmailAddress> {
        let email: EmailAddress = typed.parse()?;
        let mut spellings = Vec::new();
        for text in [email.to_string(), typed, email.with_unicode_domain()] {
            let spelling = SearchTerm::try_from(text).map_err(|_| InvalidEmailAddress)?;
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
    fn searches_each_spelling_once() {
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
    fn accepts_the_longest_address_and_rejects_invalid_ones() {
        let long = |bytes: usize| format!("{}@bücher.example", "x".repeat(bytes - "@xn--bcher-kva.example".len()));
        assert_eq!(invitee(&long(MAX_ADDRESS_BYTES)).spellings.len(), 2);
        for typed in ["", "mia", "mia@", "mia@@example.com", &long(MAX_ADDRESS_BYTES + 1)] {
            assert_eq!(Invitee::try_from(typed.to_owned()).err(), Some(InvalidEmailAddress), "{typed}");
        }
    }

    #[test]
    fn holder_has_the_same_mailbox_verified() {
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
    fn user_without_a_verified_address_is_no_holder() {
        assert!(!invitee("mia@example.com").is_held_by(&user([])));
        assert!(!invitee("mia@example.com").is_held_by(&user([("email", "mia@example.com")])));
        assert!(!invitee("mia@example.com").is_held_by(&user([("email_verified", "true")])));
    }
}
