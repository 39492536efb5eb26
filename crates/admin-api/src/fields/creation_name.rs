//! What a user is called. Where people sign in with an e-mail address or phone number, Cognito makes the user name up (it is the
//! `sub`), and keeps what was given as the name at creation as an attribute.

use domain::user_pool::user::{User, Username};

/// What people can sign in with in place of a user name.
const IN_PLACE_OF_A_NAME: [&str; 2] = ["email", "phone_number"];

/// Whether the user was created under this name: an alias that reads like it does not count. Whether case matters is the pool's to
/// say, which has found the user.
pub(crate) fn is_named(user: &User, typed: &Username) -> bool {
    let is_typed = |text: &str| text.to_lowercase() == typed.as_str().to_lowercase();
    is_typed(user.username.as_str()) || (is_made_up(user) && in_place_of_a_name(user).any(is_typed))
}

/// The name for `AdminCreateUser`, which takes none that Cognito made up, and no alias.
pub(crate) fn name_at_creation(user: &User, typed: &Username) -> Username {
    if !is_made_up(user) {
        return user.username.clone();
    }
    if is_named(user, typed) && *typed != user.username {
        return typed.clone();
    }
    in_place_of_a_name(user).find_map(|text| text.parse().ok()).unwrap_or_else(|| user.username.clone())
}

fn is_made_up(user: &User) -> bool {
    user.attributes.get("sub").is_some_and(|sub| sub == user.username.as_str())
}

fn in_place_of_a_name(user: &User) -> impl Iterator<Item = &str> {
    IN_PLACE_OF_A_NAME.iter().filter_map(|name| user.attributes.get(*name)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use time::OffsetDateTime;

    use super::*;

    const SUB: &str = "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7";

    fn user(username: &str, attributes: &[(&str, &str)]) -> User {
        let attributes = attributes.iter().chain(&[("sub", SUB)]);
        User {
            username: username.parse().unwrap(),
            status: UserStatus::ForceChangePassword,
            enabled: true,
            attributes: attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_name_is_the_real_one_or_what_it_was_made_up_for_and_never_an_alias() {
        let both = [("email", "mia@example.com"), ("phone_number", "+15550100"), ("preferred_username", "mimi")];
        let table = [
            ("mia", "mia", true),
            ("mia", "Mia", true),
            ("mia", "mia2", false),
            ("mia", "mia@example.com", false),
            ("mia", "mimi", false),
            ("mia", SUB, false),
            (SUB, "mia@example.com", true),
            (SUB, "Mia@Example.com", true),
            (SUB, "+15550100", true),
            (SUB, SUB, true),
            (SUB, "mimi", false),
            (SUB, "ray@example.com", false),
        ];
        for (name, typed, expected) in table {
            assert_eq!(is_named(&user(name, &both), &typed.parse().unwrap()), expected, "{name} {typed}");
        }
    }

    #[test]
    fn a_name_that_cognito_made_up_is_not_the_one_that_it_takes() {
        let email = ("email", "mia@example.com");
        let phone_number = ("phone_number", "+15550100");
        let table = [
            ("mia", &[email][..], "mia@example.com", "mia"),
            ("mia", &[email], SUB, "mia"),
            (SUB, &[email, phone_number], "+15550100", "+15550100"),
            (SUB, &[email, phone_number], SUB, "mia@example.com"),
            (SUB, &[phone_number], SUB, "+15550100"),
            (SUB, &[], SUB, SUB),
        ];
        for (name, attributes, typed, expected) in table {
            let found = name_at_creation(&user(name, attributes), &typed.parse().unwrap());
            assert_eq!(found.as_str(), expected, "{name} {typed}");
        }
    }
}
