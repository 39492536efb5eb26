//! [`PoolSettings`] on the in-memory pool.

use async_trait::async_trait;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::settings::{AttributeDescription, PoolDescription, PoolSettings};
use domain::user_pool::user::CREATION_ATTRIBUTE;
use time::OffsetDateTime;

use super::state::{State, Switch};
use super::{InMemoryDirectory, InMemoryPool, password_policy};

/// The pool's id.
pub const POOL_ID: &str = "eu-central-1_Ab12Cd34E";

/// The id of the only app client.
pub const CLIENT_ID: &str = "1example23456789";

/// The pool's name.
pub const POOL_NAME: &str = "example";

/// How many days a temporary password is valid, Cognito's default.
const TEMPORARY_PASSWORD_VALIDITY_DAYS: u32 = 7;

/// The optional attributes: name, type, and whether they are mutable.
const ATTRIBUTES: [(&str, &str, bool); 8] = [
    ("sub", "String", false),
    ("email", "String", true),
    ("email_verified", "Boolean", true),
    ("phone_number", "String", true),
    ("phone_number_verified", "Boolean", true),
    ("name", "String", true),
    ("preferred_username", "String", true),
    ("custom:team", "String", true),
];

impl InMemoryPool {
    /// Sets how long temporary passwords are valid. In this pool, they never expire.
    pub fn temporary_passwords_live_for(&self, days: u32) {
        self.state().temporary_password_validity_days = Some(days);
    }

    /// Lets users sign in with their e-mail address. The pool must be empty.
    pub fn sign_in_by_email(&self) {
        self.state().switch(Switch::SignInByEmail, true);
    }

    /// Adds the attribute for creation proofs to the description. Users can always have it.
    pub fn describe_creation_attribute(&self) {
        self.state().switch(Switch::CreationAttribute, true);
    }
}

#[async_trait]
impl PoolSettings for InMemoryDirectory {
    async fn describe(&self) -> Result<PoolDescription, UserPoolError> {
        Ok(self.pool().call("describe")?.description())
    }

    async fn has_client(&self, client_id: &str) -> Result<bool, UserPoolError> {
        let _state = self.pool().call("has_client")?;
        Ok(client_id == CLIENT_ID)
    }
}

impl State {
    fn description(&self) -> PoolDescription {
        let by_email = self.is(Switch::SignInByEmail);
        let aliases = ["email", "phone_number", "preferred_username"];
        let validity_days = self.temporary_password_validity_days.unwrap_or(TEMPORARY_PASSWORD_VALIDITY_DAYS);
        PoolDescription {
            id: POOL_ID.to_owned(),
            name: POOL_NAME.to_owned(),
            arn: Some(format!("arn:aws:cognito-idp:eu-central-1:123456789012:userpool/{POOL_ID}")),
            estimated_users: u32::try_from(self.users.len()).unwrap_or(u32::MAX),
            username_attributes: by_email.then(|| "email".to_owned()).into_iter().collect(),
            aliases: aliases.into_iter().filter(|_| !by_email).map(str::to_owned).collect(),
            auto_verified: vec!["email".to_owned()],
            mfa: if self.is(Switch::RequireMfa) { "ON" } else { "OPTIONAL" }.to_owned(),
            self_sign_up: !self.is(Switch::RefuseSignUps),
            case_sensitive: !self.is(Switch::IgnoreCase),
            deletion_protection: false,
            password_policy: password_policy::described(validity_days),
            attributes: self.described_attributes(),
            created_at: Some(OffsetDateTime::UNIX_EPOCH),
            modified_at: Some(OffsetDateTime::UNIX_EPOCH),
        }
    }

    fn described_attributes(&self) -> Vec<AttributeDescription> {
        let is_standard = |name: &str| ATTRIBUTES.iter().any(|(standard, ..)| *standard == name);
        let others = self.required_attributes.iter().filter(|name| !is_standard(name));
        let others = others.map(|name| (name.as_str(), "String", true));
        let proof = self.is(Switch::CreationAttribute).then_some((CREATION_ATTRIBUTE, "String", false));
        let describe = |(name, kind, mutable): (&str, &str, bool)| AttributeDescription {
            name: name.to_owned(),
            kind: kind.to_owned(),
            required: name == "sub" || self.required_attributes.contains(name),
            mutable,
        };
        ATTRIBUTES.into_iter().chain(others).chain(proof).map(describe).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;

    use super::super::testing::{pool, reason_of};
    use super::*;

    #[tokio::test]
    async fn description_contains_the_settings() {
        let pool = pool();
        let new = pool.directory().describe().await.unwrap();
        assert_eq!((new.id.as_str(), new.name.as_str(), new.estimated_users), (POOL_ID, POOL_NAME, 1));
        assert_eq!((new.mfa.as_str(), new.self_sign_up), ("OPTIONAL", true));
        assert_eq!(new.password_policy.temporary_password_validity_days, 7);

        pool.require_mfa();
        pool.refuse_sign_ups();
        pool.require_attribute("name");
        pool.temporary_passwords_live_for(1);
        let set = pool.directory().describe().await.unwrap();
        assert_eq!((set.mfa.as_str(), set.self_sign_up), ("ON", false));
        assert_eq!(set.password_policy.temporary_password_validity_days, 1);
        let required = set.attributes.iter().filter(|attribute| attribute.required);
        assert_eq!(required.map(|attribute| attribute.name.as_str()).collect::<Vec<_>>(), ["sub", "name"]);
        pool.fail("describe", 1, Reason::Throttled);
        assert_eq!(reason_of(pool.directory().describe().await), Reason::Throttled);
    }
}
