//! [`Identities`] on the in-memory pool, stored in the user's attribute `identities` as in Cognito.

use async_trait::async_trait;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::{ExternalIdentity, Identities};
use domain::user_pool::user::Username;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::InMemoryDirectory;
use super::record::Record;

/// The attribute.
const IDENTITIES: &str = "identities";

/// Providers with their own type. Others are OIDC.
const SOCIAL: [&str; 4] = ["Facebook", "Google", "LoginWithAmazon", "SignInWithApple"];

#[async_trait]
impl Identities for InMemoryDirectory {
    async fn link(&self, username: &Username, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("link")?;
        let refuse = |reason| Err(UserPoolError::new("link", reason));
        let real_name = state.known("link", username)?.username.clone();
        if let Some(owner) = state.users.values().find(|record| record.is_linked_to(identity)) {
            let already = owner.username == real_name;
            return refuse(if already { Reason::InvalidRequest } else { Reason::AliasExists });
        }
        let record = state.find_mut("link", &real_name)?;
        let entry = as_shown(identity, record.modified_at);
        record.set_linked(record.linked().into_iter().chain([entry]).collect());
        Ok(())
    }

    async fn unlink(&self, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("unlink")?;
        let now = state.next_time();
        let owner = state.users.values_mut().find(|record| record.is_linked_to(identity));
        let owner = owner.ok_or_else(|| UserPoolError::new("unlink", Reason::UserNotFound))?;
        owner.set_linked(owner.linked().into_iter().filter(|entry| !is(entry, identity)).collect());
        owner.modified_at = now;
        Ok(())
    }
}

impl Record {
    fn linked(&self) -> Vec<Value> {
        let list = self.attributes.get(IDENTITIES).and_then(|text| serde_json::from_str(text).ok());
        list.unwrap_or_default()
    }

    fn set_linked(&mut self, entries: Vec<Value>) {
        if entries.is_empty() {
            self.attributes.remove(IDENTITIES);
        } else {
            self.attributes.insert(IDENTITIES.to_owned(), Value::from(entries).to_string());
        }
    }

    fn is_linked_to(&self, identity: &ExternalIdentity) -> bool {
        self.linked().iter().any(|entry| is(entry, identity))
    }
}

fn is(entry: &Value, identity: &ExternalIdentity) -> bool {
    entry["providerName"] == identity.provider.as_str() && entry["userId"] == identity.user_id.as_str()
}

fn as_shown(identity: &ExternalIdentity, now: OffsetDateTime) -> Value {
    let provider = identity.provider.as_str();
    json!({
        "userId": identity.user_id,
        "providerName": provider,
        "providerType": if SOCIAL.contains(&provider) { provider } else { "OIDC" },
        "issuer": null,
        "primary": false,
        "dateCreated": now.unix_timestamp() * 1000,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PASSWORD, name, pool, reason_of};
    use super::*;

    fn at(provider: &str) -> ExternalIdentity {
        ExternalIdentity { provider: provider.to_owned(), user_id: "1122".to_owned() }
    }

    #[tokio::test]
    async fn identity_is_linked_to_one_user_once() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[]);
        let directory = pool.directory();
        assert_eq!(reason_of(directory.link(&name("nobody"), &at("Google")).await), Reason::UserNotFound);
        directory.link(&name("mia"), &at("Google")).await.unwrap();
        assert_eq!(reason_of(directory.link(&name("mia"), &at("Google")).await), Reason::InvalidRequest);
        assert_eq!(reason_of(directory.link(&name("abe"), &at("Google")).await), Reason::AliasExists);
        directory.link(&name("abe"), &at("Okta")).await.unwrap();
        directory.unlink(&at("Google")).await.unwrap();
        assert_eq!(reason_of(directory.unlink(&at("Google")).await), Reason::UserNotFound);
        directory.link(&name("abe"), &at("Google")).await.unwrap();
    }

    #[tokio::test]
    async fn attribute_lists_identities_as_in_cognito() {
        let pool = pool();
        let directory = pool.directory();
        directory.link(&name("mia"), &at("Google")).await.unwrap();
        directory.link(&name("mia"), &at("Okta")).await.unwrap();
        let shown: Value = serde_json::from_str(&pool.attributes_of("mia")["identities"]).unwrap();
        let entry = |provider, kind, at: &Value| {
            json!({
                "userId": "1122", "providerName": provider, "providerType": kind, "issuer": null, "primary": false,
                "dateCreated": at,
            })
        };
        let dates = [&shown[0]["dateCreated"], &shown[1]["dateCreated"]];
        assert!(dates.iter().all(|date| date.is_i64()), "{dates:?}");
        assert_eq!(shown, json!([entry("Google", "Google", dates[0]), entry("Okta", "OIDC", dates[1])]));
        directory.unlink(&at("Google")).await.unwrap();
        directory.unlink(&at("Okta")).await.unwrap();
        assert!(!pool.attributes_of("mia").contains_key("identities"));
    }
}
