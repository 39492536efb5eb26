//! Identities at external providers that are linked to users of one pool: the port [`Identities`].

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::ProviderUserIdentifierType;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::{ExternalIdentity, Identities};
use domain::user_pool::user::Username;
use serde_json::Value;

use crate::CognitoDirectory;
use crate::clients::sent_once;
use crate::failure::Failure;

/// The provider of the pool's own users.
const OWN: &str = "Cognito";

#[async_trait]
impl Identities for CognitoDirectory {
    async fn link(&self, username: &Username, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        const OPERATION: &str = "AdminLinkProviderForUser";
        let destination = ProviderUserIdentifierType::builder();
        let destination = destination.provider_name(OWN).provider_attribute_value(username.as_str()).build();
        let answer = self
            .client
            .admin_link_provider_for_user()
            .user_pool_id(&self.user_pool_id)
            .destination_user(destination)
            .source_user(to_identifier(OPERATION, identity)?)
            .customize()
            .config_override(sent_once())
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        let failure = Failure::of(OPERATION, &error);
        // A repeat. Cognito says the same whichever user holds the identity.
        if failure.says("already linked") && self.holds(username, identity).await? {
            return Ok(());
        }
        Err(failure.into())
    }

    async fn unlink(&self, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        const OPERATION: &str = "AdminDisableProviderForUser";
        let request = self.client.admin_disable_provider_for_user().user_pool_id(&self.user_pool_id);
        let request = request.user(to_identifier(OPERATION, identity)?).customize().config_override(sent_once());
        request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }
}

impl CognitoDirectory {
    async fn holds(&self, username: &Username, identity: &ExternalIdentity) -> Result<bool, UserPoolError> {
        let user = self.look_up(username).await?;
        let linked = user.user_attributes().iter().find(|attribute| attribute.name == "identities");
        let linked: Vec<Value> =
            linked.and_then(|list| serde_json::from_str(list.value.as_deref()?).ok()).unwrap_or_default();
        let is_it = |one: &Value| one["providerName"] == identity.provider && one["userId"] == identity.user_id;
        Ok(linked.iter().any(is_it))
    }
}

fn to_identifier(
    operation: &'static str,
    identity: &ExternalIdentity,
) -> Result<ProviderUserIdentifierType, UserPoolError> {
    // Unlinking this "provider" would keep a user of the pool from signing in with the password.
    if identity.provider.eq_ignore_ascii_case(OWN) {
        return Err(UserPoolError::new(operation, Reason::InvalidRequest));
    }
    Ok(ProviderUserIdentifierType::builder()
        .provider_name(&identity.provider)
        .provider_attribute_name("Cognito_Subject")
        .provider_attribute_value(&identity.user_id)
        .build())
}
