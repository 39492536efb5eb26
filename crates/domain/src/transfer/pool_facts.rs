//! What an import needs to know about the user pool, and the checks of a row that need no call.

use std::collections::BTreeMap;

use super::code::RowCode;
use super::row::{RowError, RowPassword, UserRow};
use crate::secret::Secret;
use crate::user_pool::error::Reason;
use crate::user_pool::settings::{AttributeDescription, PasswordPolicy, PoolDescription};
use crate::user_pool::user::{CREATION_ATTRIBUTE, User, Username, is_verification};

/// The longest password that Cognito accepts.
const MAX_PASSWORD_CHARS: usize = 256;

/// The longest value of an attribute.
const MAX_VALUE_CHARS: usize = 2048;

/// The settings of a user pool that affect an import.
#[derive(Debug, Clone)]
pub struct PoolFacts {
    /// The pool's id.
    pub id: String,
    /// The pool's name.
    pub(super) name: String,
    /// The estimated number of users.
    pub estimated_users: u32,
    attributes: BTreeMap<String, AttributeDescription>,
    sign_in_attributes: Vec<String>,
    aliases: Vec<String>,
    auto_verified: Vec<String>,
    case_sensitive: bool,
    password_policy: PasswordPolicy,
}

impl From<PoolDescription> for PoolFacts {
    fn from(pool: PoolDescription) -> Self {
        Self {
            id: pool.id,
            name: pool.name,
            estimated_users: pool.estimated_users,
            attributes: pool.attributes.into_iter().map(|each| (each.name.clone(), each)).collect(),
            sign_in_attributes: pool.username_attributes,
            aliases: pool.aliases,
            auto_verified: pool.auto_verified,
            case_sensitive: pool.case_sensitive,
            password_policy: pool.password_policy,
        }
    }
}

impl PoolFacts {
    /// A key that is equal for names of the same user.
    #[must_use]
    pub fn key(&self, username: &Username) -> String {
        if self.case_sensitive { username.to_string() } else { username.as_str().to_lowercase() }
    }

    /// The keys of all names with which a user can be created.
    pub(super) fn keys(&self, user: &User) -> impl Iterator<Item = String> {
        let sign_in_names = self.sign_in_attributes.iter().filter_map(|attribute| user.attributes.get(attribute));
        let sign_in_names = sign_in_names.filter_map(|name| name.parse().ok()).map(|name| self.key(&name));
        std::iter::once(self.key(&user.username)).chain(sign_in_names)
    }

    /// Whether Cognito verifies any attribute with a code.
    pub(super) fn verifies_attributes(&self) -> bool {
        !self.auto_verified.is_empty()
    }

    /// Whether an import job can create the user of a row: an attribute that Cognito verifies with a code must be
    /// verified.
    pub(super) fn has_auto_verified_contact(&self, row: &UserRow) -> bool {
        self.auto_verified.iter().any(|name| self.is_verified(row, name))
    }

    /// Whether users sign in with an e-mail address or phone number, so that Cognito generates their user names.
    pub(super) fn generates_usernames(&self) -> bool {
        !self.sign_in_attributes.is_empty()
    }

    /// Whether new users can have a proof of who created them, which they cannot change.
    pub(super) fn has_creation_attribute(&self) -> bool {
        self.is_immutable(CREATION_ATTRIBUTE)
    }

    /// The attribute in which Cognito stores the user name of a row, if users sign in with it.
    pub(super) fn sign_in_attribute(&self, row: &UserRow) -> Option<&str> {
        self.sign_in_attributes.iter().map(String::as_str).find(|attribute| has_form(row.username.as_str(), attribute))
    }

    /// The name with which a user can be created in another pool: the address or number if users sign in with it.
    pub(super) fn creation_name(&self, user: &User) -> Username {
        let is_generated = user.attributes.get("sub").is_some_and(|sub| sub == user.username.as_str());
        let mut names = self.sign_in_attributes.iter().filter_map(|attribute| user.attributes.get(attribute));
        let name = names.find_map(|name| name.parse().ok()).filter(|_| is_generated);
        name.unwrap_or_else(|| user.username.clone())
    }

    /// Whether a user of this row can set a password with "forgot password".
    pub(super) fn has_verified_contact(&self, row: &UserRow) -> bool {
        ["email", "phone_number"].into_iter().any(|name| self.is_verified(row, name))
    }

    fn is_verified(&self, row: &UserRow, name: &str) -> bool {
        let verified = row.attributes.get(&format!("{name}_verified"));
        self.contact(row, name).is_some() && verified.is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
    }

    /// Whether an attribute cannot be changed after the creation of the user.
    pub(super) fn is_immutable(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|description| !description.mutable)
    }

    /// Checks names and attributes of a row.
    pub(super) fn check(&self, row: &UserRow) -> Result<(), RowError> {
        self.check_username(row)?;
        for (name, value) in &row.attributes {
            let at = |problem: &str| RowError::at(format!("attributes.{name}"), problem);
            if !is_movable(name) {
                return Err(at("cannot be imported"));
            }
            if !self.attributes.contains_key(name) {
                return Err(at("the user pool has no such attribute"));
            }
            if value.chars().count() > MAX_VALUE_CHARS {
                return Err(at("must be at most 2048 characters"));
            }
            if is_verification(name) && !["true", "false"].contains(&value.to_ascii_lowercase().as_str()) {
                return Err(at("must be `true` or `false`"));
            }
        }
        let missing = self.attributes.values().find(|attribute| {
            let is_given = row.attributes.get(&attribute.name).is_some_and(|value| !value.is_empty());
            let is_the_username = self.sign_in_attributes.contains(&attribute.name);
            attribute.required && attribute.name != "sub" && !is_given && !is_the_username
        });
        if let Some(attribute) = missing {
            return Err(RowError::at(
                format!("attributes.{}", attribute.name),
                "the user pool requires this attribute",
            ));
        }
        if row.invite && row.enabled == Some(false) {
            return Err(RowError::at("invite", "must be false for a disabled user"));
        }
        if row.invite && !["email", "phone_number"].iter().any(|name| self.contact(row, name).is_some()) {
            return Err(RowError::at("invite", "requires an e-mail address or a phone number"));
        }
        Ok(())
    }

    fn check_username(&self, row: &UserRow) -> Result<(), RowError> {
        if self.generates_usernames() {
            let Some(attribute) = self.sign_in_attribute(row) else {
                let expected = if self.sign_in_attributes.iter().any(|attribute| attribute == "email") {
                    "must be an e-mail address, because users of the pool sign in with it"
                } else {
                    "must be a phone number, because users of the pool sign in with it"
                };
                return Err(RowError::at("username", expected));
            };
            // Cognito stores the user name in this attribute.
            if row.attributes.get(attribute).is_some_and(|value| value != row.username.as_str()) {
                return Err(RowError::at(format!("attributes.{attribute}"), "must be equal to the user name"));
            }
        } else if self.aliases.iter().any(|alias| has_form(row.username.as_str(), alias)) {
            // Otherwise the name could be the alias of another user.
            let problem = "must not be an e-mail address or phone number, because these are aliases in the pool";
            return Err(RowError::at("username", problem));
        }
        Ok(())
    }

    /// The e-mail address or phone number of a row.
    pub(super) fn contact<'a>(&self, row: &'a UserRow, attribute: &str) -> Option<&'a str> {
        let is_the_username = || self.sign_in_attribute(row) == Some(attribute);
        let value = row.attributes.get(attribute).map(String::as_str);
        value.or_else(|| is_the_username().then_some(row.username.as_str())).filter(|value| !value.is_empty())
    }

    /// Checks the password of a row as Cognito does, for a dry run.
    pub(super) fn check_password(&self, row: &UserRow) -> Result<(), RowError> {
        match &row.password {
            Some(RowPassword::Permanent(password)) if !self.accepts(password) => Err(weak("password.permanent")),
            Some(RowPassword::Temporary(password)) if !self.accepts(password) => Err(weak("password.temporary")),
            _ => Ok(()),
        }
    }

    fn accepts(&self, password: &Secret) -> bool {
        let password = password.expose();
        let policy = &self.password_policy;
        let has = |is_of_kind: fn(char) -> bool| password.chars().any(is_of_kind);
        let length = password.chars().count();
        length >= policy.minimum_length as usize
            && length <= MAX_PASSWORD_CHARS
            && (!policy.require_lowercase || has(|character| character.is_ascii_lowercase()))
            && (!policy.require_uppercase || has(|character| character.is_ascii_uppercase()))
            && (!policy.require_numbers || has(|character| character.is_ascii_digit()))
            && (!policy.require_symbols || has(|character| character.is_ascii_punctuation() || character == ' '))
    }

    /// A random password that any policy accepts, from 32 random hexadecimal digits.
    pub(super) fn random_password(&self, nonce: &Secret) -> Secret {
        let random = format!("Aa1-{}", nonce.expose());
        let length = random.len().max(self.password_policy.minimum_length as usize);
        Secret::new(random.chars().cycle().take(length).collect::<String>())
    }
}

/// Whether a user name has the form of an e-mail address or phone number.
fn has_form(username: &str, attribute: &str) -> bool {
    match attribute {
        "email" => username.contains('@'),
        "phone_number" => username.starts_with('+'),
        _ => false,
    }
}

fn weak(field: &str) -> RowError {
    RowError { code: RowCode::InvalidPassword, ..RowError::at(field, Reason::InvalidPassword.to_string()) }
}

/// Whether an attribute is the user's own data, which another pool can store.
pub(super) fn is_movable(attribute: &str) -> bool {
    attribute != "sub"
        && attribute != "identities"
        && attribute != CREATION_ATTRIBUTE
        && !attribute.starts_with("cognito:")
}
