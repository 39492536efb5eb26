//! The attributes that users can write and read through an app client.

use std::collections::BTreeSet;

use super::{CUSTOM, ClientSpec, SignInWith, Spec};
use crate::user_pool::user::CREATION_ATTRIBUTE;

/// The standard attributes that users can write.
///
/// Cognito sets the other standard attribute, `sub`. The list is from "Standard attributes" in the Cognito developer
/// guide.
pub const STANDARD_ATTRIBUTES: [&str; 17] = [
    "address",
    "birthdate",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// The attributes that only Cognito and administrators can write.
const VERIFICATIONS: [&str; 2] = ["email_verified", "phone_number_verified"];

/// The attributes of a pool that determine the attributes of its app clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolAttributes {
    /// The declared custom attributes, with their prefix.
    declared: BTreeSet<String>,
    /// The attributes that every client must be able to write.
    always_writable: BTreeSet<String>,
}

impl PoolAttributes {
    /// Collects the attributes of a pool. Its schema requires `required`, and its identity providers map `mapped`.
    ///
    /// Cognito rejects a federated sign-in through a client that cannot write a mapped attribute (`WriteAttributes` in
    /// `CreateUserPoolClient`), and every sign-up through a client that cannot write a required attribute.
    #[must_use]
    pub fn new(spec: &Spec, required: &BTreeSet<String>, mapped: &BTreeSet<String>) -> Self {
        let declared = spec.custom_attributes.iter().map(|attribute| format!("{CUSTOM}{}", attribute.name)).collect();
        // In a pool with e-mail sign-in, a sign-up writes the address.
        let user_name = (spec.sign_in == SignInWith::Email).then(|| "email".to_owned());
        let needed = required.iter().chain(mapped).chain(&user_name);
        let always_writable = needed.filter(|name| can_be_writable(name)).cloned().collect();
        Self { declared, always_writable }
    }
}

impl ClientSpec {
    /// The attributes that users can write through the client.
    #[must_use]
    pub fn writable(&self, pool: &PoolAttributes) -> BTreeSet<String> {
        let chosen = if self.write_attributes.is_empty() { standard() } else { self.write_attributes.clone() };
        chosen.union(&pool.always_writable).cloned().collect()
    }

    /// The attributes that the client can read.
    #[must_use]
    pub fn readable(&self, pool: &PoolAttributes) -> BTreeSet<String> {
        if !self.read_attributes.is_empty() {
            return self.read_attributes.clone();
        }
        let verifications = VERIFICATIONS.map(str::to_owned);
        standard().into_iter().chain(verifications).chain(pool.declared.iter().cloned()).collect()
    }
}

impl Spec {
    /// The attribute in `names` that no client of the spec can write.
    pub(crate) fn unwritable<'a>(&self, names: &'a BTreeSet<String>) -> Option<&'a str> {
        names.iter().map(String::as_str).find(|name| !STANDARD_ATTRIBUTES.contains(name) && !self.declares(name))
    }

    /// The attribute in `names` that no client of the spec can read.
    pub(crate) fn unreadable<'a>(&self, names: &'a BTreeSet<String>) -> Option<&'a str> {
        let known =
            |name: &&str| STANDARD_ATTRIBUTES.contains(name) || VERIFICATIONS.contains(name) || self.declares(name);
        names.iter().map(String::as_str).find(|name| !known(name))
    }

    fn declares(&self, name: &str) -> bool {
        let name = name.strip_prefix(CUSTOM);
        name.is_some_and(|name| self.custom_attributes.iter().any(|attribute| attribute.name == name))
    }
}

fn standard() -> BTreeSet<String> {
    STANDARD_ATTRIBUTES.map(str::to_owned).into()
}

/// Whether Cognito accepts the name in a list of writable attributes. A mapping can also contain `username` and the
/// verification attributes.
fn can_be_writable(name: &str) -> bool {
    name != CREATION_ATTRIBUTE && (STANDARD_ATTRIBUTES.contains(&name) || name.starts_with(CUSTOM))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn spec(changes: &Value) -> Spec {
        let mut spec =
            json!({"name": "shop", "sign_in": "username", "custom_attributes": ["team"], "clients": {"web": changes}});
        spec["verify"] = false.into();
        serde_json::from_value(spec).unwrap()
    }

    fn lists(changes: &Value, required: &[&str], mapped: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
        let spec = spec(changes);
        let pool = PoolAttributes::new(&spec, &set(required), &set(mapped));
        let web = spec.clients.web.unwrap();
        (web.writable(&pool), web.readable(&pool))
    }

    #[test]
    fn custom_attributes_are_writable_only_if_listed() {
        let (write, read) = lists(&json!({}), &[], &[]);
        assert_eq!(write, standard());
        assert!(!write.iter().any(|name| name.starts_with(CUSTOM) || name.ends_with("_verified")), "{write:?}");
        let mut expected = standard();
        expected.extend(set(&["email_verified", "phone_number_verified", "custom:team"]));
        assert_eq!(read, expected);

        let chosen = json!({"write_attributes": ["name", "custom:team"], "read_attributes": ["name"]});
        assert_eq!(lists(&chosen, &[], &[]), (set(&["name", "custom:team"]), set(&["name"])));
    }

    #[test]
    fn required_and_mapped_attributes_are_always_writable() {
        let chosen = json!({"write_attributes": ["name"]});
        let mapped = ["username", "email_verified", "sub", "custom:department", CREATION_ATTRIBUTE];
        let (write, _) = lists(&chosen, &["birthdate"], &mapped);
        assert_eq!(write, set(&["name", "birthdate", "custom:department"]));

        let by_email: Spec = serde_json::from_value(json!({"name": "shop"})).unwrap();
        let pool = PoolAttributes::new(&by_email, &set(&[]), &set(&[]));
        let web = ClientSpec { write_attributes: set(&["name"]), ..ClientSpec::default() };
        assert_eq!(web.writable(&pool), set(&["email", "name"]));
    }

    #[test]
    fn rejects_attributes_that_a_client_cannot_have() {
        let error_of = |changes: &Value| spec(changes).check().unwrap_err().to_string();
        for name in ["sub", "email_verified", "custom:other", "team", CREATION_ATTRIBUTE, ""] {
            let error = error_of(&json!({"write_attributes": [name]}));
            assert!(error.starts_with("spec.clients.web.write_attributes: "), "{name}: {error}");
        }
        for name in ["sub", "custom:other", CREATION_ATTRIBUTE] {
            let error = error_of(&json!({"read_attributes": [name]}));
            assert!(error.starts_with("spec.clients.web.read_attributes: "), "{name}: {error}");
        }
        let fine = json!({"write_attributes": ["custom:team"], "read_attributes": ["email_verified", "custom:team"]});
        assert_eq!(spec(&fine).check(), Ok(()));
    }
}
