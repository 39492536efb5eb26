//! Identities at external providers that are linked to a user. Which ones there are stands in the attribute `identities`.

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

/// The text is not the name of an external provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the name of a provider has 1 to 32 characters, without blanks and control characters, and is not `Cognito`")]
pub(super) struct NotAProviderName;

/// The name by which Cognito calls the pool itself: what is linked to it is a user's own password.
const THE_POOL_ITSELF: &str = "Cognito";

impl TryFrom<String> for ProviderName {
    type Error = NotAProviderName;

    fn try_from(text: String) -> Result<Self, NotAProviderName> {
        let fits = (1..=32).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        let is_external = !text.eq_ignore_ascii_case(THE_POOL_ITSELF);
        if fits && clean && is_external { Ok(Self(text)) } else { Err(NotAProviderName) }
    }
}

impl PartialSchema for ProviderName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The name of an external provider, as the pool has it."))
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

/// The provider in the path.
pub(crate) struct TargetProvider(ProviderName);

impl<S: Sync> FromRequestParts<S> for TargetProvider {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "provider").await.map(Self)
    }
}

/// An identity that is linked to a user.
struct Linked {
    identity: ExternalIdentity,
    /// Whether it is what the user signs in with, and no addition to it: to unlink that one would lock them out.
    is_primary: bool,
}

/// All of the user's identities.
fn identities_of(user: &User) -> Result<Vec<Linked>, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        provider_name: String,
        user_id: String,
        /// A boolean, and in tokens a text.
        #[serde(default)]
        primary: serde_json::Value,
    }

    let Some(attribute) = user.attributes.get("identities") else { return Ok(Vec::new()) };
    let all: Vec<Entry> = serde_json::from_str(attribute)
        .map_err(|_| ApiError::Internal("the attribute `identities` is not what Cognito writes there"))?;
    let linked = all.into_iter().map(|entry| Linked {
        is_primary: entry.primary == true || entry.primary == "true",
        identity: ExternalIdentity { provider: entry.provider_name, user_id: entry.user_id },
    });
    Ok(linked.collect())
}

/// The identities at one provider that were linked to the user: one at the most, unless somebody linked more past this API.
fn identities_at(provider: &ProviderName, user: &User) -> Result<Vec<ExternalIdentity>, ApiError> {
    let linked = identities_of(user)?.into_iter().filter(|linked| !linked.is_primary);
    Ok(linked.map(|linked| linked.identity).filter(|identity| identity.provider == provider.0).collect())
}

/// Refuses to link anything to somebody who comes from a provider: there is no account in the pool beside it to link it to.
fn must_be_of_the_pool(user: &User) -> Result<(), ApiError> {
    let comes_from_a_provider = user.status == UserStatus::ExternalProvider
        // Whoever has been given a password since has another status.
        || identities_of(user)?.iter().any(|linked| linked.is_primary);
    if comes_from_a_provider {
        return Err(UserPoolError::new("AdminLinkProviderForUser", Reason::WrongState).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_limits_of_cognito_and_are_not_its_own() {
        for good in ["Google", "SignInWithApple", "Cognito2", "my-idp_1", "Ü", &"x".repeat(32)] {
            assert!(ProviderName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "two words", "line\n", "Cognito", "COGNITO", "cognito", &"x".repeat(33)] {
            assert_eq!(ProviderName::try_from(bad.to_owned()), Err(NotAProviderName), "{bad:?}");
        }
    }
}
