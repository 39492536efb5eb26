//! The list of attributes that move.

use std::collections::BTreeSet;
use std::str::FromStr;

use thiserror::Error;

use crate::spec::{CUSTOM, STANDARD_ATTRIBUTES};
use crate::user_pool::user::CREATION_ATTRIBUTE;

/// A standard attribute that moves only if it is listed. Users choose it without proof, and a pool can use it as an
/// alias.
const PREFERRED_USERNAME: &str = "preferred_username";

/// The attributes that move. The default is the standard attributes except `preferred_username`, which all pools have.
/// Whether an address is verified moves with the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigratedAttributes(BTreeSet<String>);

/// A list with a name that cannot move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be comma-separated standard attributes such as `name`, or `custom:NAME`")]
pub struct InvalidMigratedAttributes;

impl MigratedAttributes {
    /// Whether the attribute moves.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Default for MigratedAttributes {
    fn default() -> Self {
        Self(STANDARD_ATTRIBUTES.into_iter().filter(|name| *name != PREFERRED_USERNAME).map(str::to_owned).collect())
    }
}

impl FromStr for MigratedAttributes {
    type Err = InvalidMigratedAttributes;

    fn from_str(text: &str) -> Result<Self, InvalidMigratedAttributes> {
        let names = text.split(',').map(str::trim);
        let names = names.map(|name| if can_move(name) { Ok(name.to_owned()) } else { Err(InvalidMigratedAttributes) });
        names.collect::<Result<_, _>>().map(Self)
    }
}

/// Excludes what Cognito sets (`sub`, `identities`, `cognito:…`), what only administrators set (`dev:…`), and the proof of
/// the first administrator.
fn can_move(name: &str) -> bool {
    let is_custom = name.strip_prefix(CUSTOM).is_some_and(|name| !name.is_empty());
    let is_allowed = STANDARD_ATTRIBUTES.contains(&name) || is_custom;
    is_allowed && !name.eq_ignore_ascii_case(CREATION_ATTRIBUTE) && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_standard_and_custom_attributes_only() {
        for list in ["email", "email, name,custom:team", "preferred_username", "custom:poolkeeper_create"] {
            assert!(list.parse::<MigratedAttributes>().is_ok(), "{list}");
        }
        for list in [
            "",
            "email,",
            "sub",
            "identities",
            "email_verified",
            "cognito:user_status",
            "dev:custom:team",
            "custom:",
            "custom:a b",
            "custom:poolkeeper_created",
            "custom:Poolkeeper_Created",
            "team",
            "Email",
        ] {
            assert_eq!(list.parse::<MigratedAttributes>(), Err(InvalidMigratedAttributes), "{list}");
        }
    }

    #[test]
    fn default_is_the_standard_attributes_except_the_preferred_user_name() {
        let default = MigratedAttributes::default();
        for name in STANDARD_ATTRIBUTES {
            assert_eq!(default.contains(name), name != "preferred_username", "{name}");
        }
        assert!(!default.contains("custom:team") && !default.contains("sub") && !default.contains("email_verified"));
        let listed: MigratedAttributes = "custom:team".parse().unwrap();
        assert!(listed.contains("custom:team") && !listed.contains("email"));
    }
}
