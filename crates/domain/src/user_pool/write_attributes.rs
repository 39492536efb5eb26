//! The attributes that users can set through an app client.

use std::collections::BTreeSet;

use crate::user_pool::user::CREATION_ATTRIBUTE;

/// Standard attributes that Cognito sets. No client can list them.
const SET_BY_COGNITO: [&str; 4] = ["sub", "identities", "email_verified", "phone_number_verified"];

/// The write attributes of an app client.
///
/// Cognito enforces the list for calls with the user's credentials. Responses to challenges are sent with the
/// function's credentials, so Poolkeeper enforces the list there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAttributes {
    /// The attributes in the client's list.
    Listed(BTreeSet<String>),
    /// The client has no list. According to AWS's documentation, it can then write the standard attributes. Cognito
    /// also accepts custom attributes, which Poolkeeper rejects.
    Standard,
}

impl WriteAttributes {
    /// Whether users can set the attribute.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        match self {
            Self::Listed(names) => name != CREATION_ATTRIBUTE && names.contains(name),
            Self::Standard => !name.contains(':') && !SET_BY_COGNITO.contains(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_the_listed_attributes_and_no_others() {
        let listed = WriteAttributes::Listed(["email", "custom:team"].map(str::to_owned).into());
        for name in ["email", "custom:team"] {
            assert!(listed.allow(name), "{name}");
        }
        for name in ["name", "custom:role", "custom:tea", "EMAIL", "email_verified", ""] {
            assert!(!listed.allow(name), "{name}");
        }
    }

    #[test]
    fn allows_standard_attributes_if_the_client_has_no_list() {
        for name in ["email", "birthdate", "preferred_username"] {
            assert!(WriteAttributes::Standard.allow(name), "{name}");
        }
        let refused =
            ["custom:team", "dev:custom:team", "sub", "identities", "email_verified", "phone_number_verified"];
        for name in refused {
            assert!(!WriteAttributes::Standard.allow(name), "{name}");
        }
    }

    #[test]
    fn never_allows_the_creation_attribute() {
        let listed = WriteAttributes::Listed([CREATION_ATTRIBUTE.to_owned()].into());
        assert!(!listed.allow(CREATION_ATTRIBUTE));
        assert!(!WriteAttributes::Standard.allow(CREATION_ATTRIBUTE));
    }
}
