//! The name that a user was created with. In pools with sign-in by e-mail address or phone number, Cognito generates
//! the user name (the `sub`) and stores the given name as an attribute.

use crate::user_pool::user::{User, Username};

/// The attributes that can replace the user name at sign-in.
const SIGN_IN_ATTRIBUTES: [&str; 2] = ["email", "phone_number"];

/// Whether the user was created with this name. Aliases do not count. Ignores case, because the pool has already found
/// the user by this name.
#[must_use]
pub fn is_named(user: &User, typed: &Username) -> bool {
    let is_typed = |text: &str| text.to_lowercase() == typed.as_str().to_lowercase();
    is_typed(user.username.as_str()) || (has_generated_name(user) && sign_in_names(user).any(is_typed))
}

/// The name for `AdminCreateUser`, which accepts neither generated names nor aliases.
#[must_use]
pub fn name_at_creation(user: &User, typed: &Username) -> Username {
    if !has_generated_name(user) {
        return user.username.clone();
    }
    if is_named(user, typed) && *typed != user.username {
        return typed.clone();
    }
    sign_in_names(user).find_map(|text| text.parse().ok()).unwrap_or_else(|| user.username.clone())
}

fn has_generated_name(user: &User) -> bool {
    user.attributes.get("sub").is_some_and(|sub| sub == user.username.as_str())
}

fn sign_in_names(user: &User) -> impl Iterator<Item = &str> {
    SIGN_IN_ATTRIBUTES.iter().filter_map(|name| user.attributes.get(*name)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::user_pool::user::UserStatus;

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
    fn user_is_named_by_its_creation_name_only() {
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
    fn creation_name_replaces_generated_name() {
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
