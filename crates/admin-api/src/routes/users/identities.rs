//! Identities at external providers that are linked to a user. Which ones there are stands in the attribute `identities`.

pub(super) mod link;
pub(super) mod unlink;

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use domain::identities::ExternalIdentity;
use domain::user::{User, UserStatus};
use domain::user_pool_error::{Reason, UserPoolError};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;
use crate::path;

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
pub(super) struct TargetProvider(ProviderName);

impl<S: Sync> FromRequestParts<S> for TargetProvider {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "provider").await.map(Self)
    }
}

/// Identities are linked to users of the pool. Users who come from a provider have no account of their own beside it: to unlink theirs
/// would lock them out.
fn must_be_of_the_pool(user: &User) -> Result<(), ApiError> {
    match user.status {
        UserStatus::ExternalProvider => Err(UserPoolError::new("identities", Reason::WrongState).into()),
        _ => Ok(()),
    }
}

/// The user's identities at one provider: one at the most, unless somebody linked more past this API.
fn identities_at(provider: &ProviderName, user: &User) -> Result<Vec<ExternalIdentity>, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Linked {
        provider_name: String,
        user_id: String,
        /// Whether it is what the user signs in with, and no addition to it.
        #[serde(default)]
        primary: bool,
    }

    let Some(attribute) = user.attributes.get("identities") else { return Ok(Vec::new()) };
    let all: Vec<Linked> = serde_json::from_str(attribute)
        .map_err(|_| ApiError::Internal("the attribute `identities` is not what Cognito writes there"))?;
    let identities = all
        .into_iter()
        .filter(|it| !it.primary)
        .map(|it| ExternalIdentity { provider: it.provider_name, user_id: it.user_id });
    Ok(identities.filter(|identity| identity.provider == provider.0).collect())
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
