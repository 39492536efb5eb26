//! Identities at external providers that are linked to a user. Cognito lists them in the attribute `identities`.

pub(crate) mod link;
pub(crate) mod unlink;

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::ExternalIdentity;
use domain::user_pool::user::{User, UserStatus};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::error::ApiError;
use crate::http::path;

/// The name of an external provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ProviderName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–32 characters without whitespace or control characters, and not `Cognito`")]
pub(super) struct InvalidProviderName;

/// Cognito's provider name for the user pool itself.
const USER_POOL_PROVIDER: &str = "Cognito";

impl TryFrom<String> for ProviderName {
    type Error = InvalidProviderName;

    fn try_from(text: String) -> Result<Self, InvalidProviderName> {
        let fits = (1..=32).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        let is_external = !text.eq_ignore_ascii_case(USER_POOL_PROVIDER);
        if fits && clean && is_external { Ok(Self(text)) } else { Err(InvalidProviderName) }
    }
}

impl PartialSchema for ProviderName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The name of an external identity provider of the user pool."))
            .min_length(Some(1))
            .max_length(Some(32))
            .pattern(Some(r"^(?![Cc][Oo][Gg][Nn][Ii][Tt][Oo]$)[^\s\u0000-\u001F\u007F-\u009F]+$"))
            .examples(["Google"])
            .into()
    }
}

impl ToSchema for ProviderName {
    fn name() -> Cow<'static, str> {
        "ProviderName".into()
    }
}

pub(crate) struct TargetProvider(ProviderName);

impl<S: Sync> FromRequestParts<S> for TargetProvider {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "provider").await.map(Self)
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
        /// A boolean; in tokens a string.
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
fn identities_at(provider: &ProviderName, user: &User) -> Result<Vec<ExternalIdentity>, ApiError> {
    let linked = identities_of(user)?.into_iter().filter(|linked| !linked.is_primary);
    Ok(linked.map(|linked| linked.identity).filter(|identity| identity.provider == provider.0).collect())
}

/// Rejects federated users, because they have no local account that an identity can be linked to.
fn ensure_not_federated(user: &User) -> Result<(), ApiError> {
    let is_federated = user.status == UserStatus::ExternalProvider
        // Setting a password changes the status.
        || identities_of(user)?.iter().any(|linked| linked.is_primary);
    if is_federated {
        return Err(UserPoolError::new("AdminLinkProviderForUser", Reason::WrongState).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_provider_names_within_cognitos_limits_except_its_own() {
        for good in ["Google", "SignInWithApple", "Cognito2", "my-idp_1", "Ü", &"x".repeat(32)] {
            assert!(ProviderName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "two words", "line\n", "Cognito", "COGNITO", "cognito", &"x".repeat(33)] {
            assert_eq!(ProviderName::try_from(bad.to_owned()), Err(InvalidProviderName), "{bad:?}");
        }
    }
}
