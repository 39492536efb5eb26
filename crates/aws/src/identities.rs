//! Implements [`Identities`], the identities at external providers that are linked to users of one pool.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::ProviderUserIdentifierType;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::{ExternalIdentity, Identities};
use domain::user_pool::user::Username;
use serde_json::Value;

use crate::CognitoDirectory;
use crate::failure::Failure;

/// The provider name of the pool's own users.
const POOL_PROVIDER: &str = "Cognito";

#[async_trait]
impl Identities for CognitoDirectory {
    async fn link(&self, username: &Username, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        const OPERATION: &str = "AdminLinkProviderForUser";
        let destination = ProviderUserIdentifierType::builder();
        let destination = destination.provider_name(POOL_PROVIDER).provider_attribute_value(username.as_str()).build();
        let answer = self
            .once
            .admin_link_provider_for_user()
            .user_pool_id(&self.user_pool_id)
            .destination_user(destination)
            .source_user(to_identifier(OPERATION, identity)?)
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        let failure = Failure::of(OPERATION, &error);
        // Cognito's error is the same for a repeated link and for an identity of another user.
        if failure.says("already linked") && self.has_identity(username, identity).await? {
            return Ok(());
        }
        Err(failure.into())
    }

    async fn unlink(&self, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
        const OPERATION: &str = "AdminDisableProviderForUser";
        let request = self.once.admin_disable_provider_for_user().user_pool_id(&self.user_pool_id);
        let request = request.user(to_identifier(OPERATION, identity)?);
        request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }
}

impl CognitoDirectory {
    async fn has_identity(&self, username: &Username, identity: &ExternalIdentity) -> Result<bool, UserPoolError> {
        let user = self.get_user(username).await?;
        let linked = user.user_attributes().iter().find(|attribute| attribute.name == "identities");
        let linked: Vec<Value> =
            linked.and_then(|list| serde_json::from_str(list.value.as_deref()?).ok()).unwrap_or_default();
        let is_same = |one: &Value| one["providerName"] == identity.provider && one["userId"] == identity.user_id;
        Ok(linked.iter().any(is_same))
    }
}

fn to_identifier(
    operation: &'static str,
    identity: &ExternalIdentity,
) -> Result<ProviderUserIdentifierType, UserPoolError> {
    // Unlinking this provider would prevent the user from signing in with a password.
    if identity.provider.eq_ignore_ascii_case(POOL_PROVIDER) {
        return Err(UserPoolError::new(operation, Reason::InvalidRequest));
    }
    Ok(ProviderUserIdentifierType::builder()
        .provider_name(&identity.provider)
        .provider_attribute_name("Cognito_Subject")
        .provider_attribute_value(&identity.user_id)
        .build())
}
