//! Identities of a user at external providers. Cognito lists them in the attribute `identities`.

pub(crate) mod link;
pub(crate) mod unlink;

use axum::extract::FromRequestParts;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::ExternalIdentity;
use domain::user_pool::user::{User, UserStatus};
use http::request::Parts;
use serde::Deserialize;

use crate::fields::text::ProviderName;
use crate::http::error::ApiError;
use crate::http::path;

pub(crate) struct TargetProvider(String);

impl<S: Sync> FromRequestParts<S> for TargetProvider {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let provider: ProviderName = path::parameter(parts, "provider").await?;
        Ok(Self(provider.into()))
    }
}

struct Linked {
    identity: ExternalIdentity,
    /// Whether Cognito created the user for this identity. Unlinking it would lock the user out.
    is_primary: bool,
}

fn identities_of(user: &User) -> Result<Vec<Linked>, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        provider_name: String,
        user_id: String,
        /// A boolean in the attribute, a string in tokens.
        #[serde(default)]
        primary: serde_json::Value,
    }

    let Some(attribute) = user.attributes.get("identities") else { return Ok(Vec::new()) };
    let all: Vec<Entry> = serde_json::from_str(attribute)
        .map_err(|_| ApiError::Internal("the attribute `identities` has an unexpected format"))?;
    let linked = all.into_iter().map(|entry| Linked {
        is_primary: entry.primary == true || entry.primary == "true",
        identity: ExternalIdentity { provider: entry.provider_name, user_id: entry.user_id },
    });
    Ok(linked.collect())
}

/// The identities at one provider that are linked to the user. Only calls that bypass this API can link more than one.
fn identities_at(provider: &str, user: &User) -> Result<Vec<ExternalIdentity>, ApiError> {
    let linked = identities_of(user)?.into_iter().filter(|linked| !linked.is_primary);
    Ok(linked.map(|linked| linked.identity).filter(|identity| identity.provider == provider).collect())
}

/// Rejects federated users, because they have no local account that an identity can be linked to.
fn ensure_not_federated(user: &User) -> Result<(), ApiError> {
    let is_federated = user.status == UserStatus::ExternalProvider
        // Setting a password changes the status of a federated user.
        || identities_of(user)?.iter().any(|linked| linked.is_primary);
    if is_federated {
        return Err(UserPoolError::new("AdminLinkProviderForUser", Reason::WrongState).into());
    }
    Ok(())
}
