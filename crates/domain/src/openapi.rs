//! OpenAPI schemas of types that are validated during deserialization.

use std::borrow::Cow;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

#[cfg(feature = "jobs")]
use crate::jobs::JobId;
use crate::permission::Permission;
use crate::search::SearchTerm;
use crate::secret::Secret;
use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{UserStatus, Username};

/// Matches text without whitespace and control characters, like the checks of [`Username`] and [`GroupName`].
const NO_WHITESPACE_OR_CONTROL: &str = r"^[^\s\u0000-\u001F\u007F-\u009F]+$";

fn name(max_chars: usize, description: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .min_length(Some(1))
        .max_length(Some(max_chars))
        .pattern(Some(NO_WHITESPACE_OR_CONTROL))
        .examples([example])
        .into()
}

impl PartialSchema for Username {
    fn schema() -> RefOr<Schema> {
        name(Self::MAX_CHARS, "A user name, or an alias if the pool allows aliases.", "mia")
    }
}

impl ToSchema for Username {
    fn name() -> Cow<'static, str> {
        "Username".into()
    }
}

impl PartialSchema for GroupName {
    fn schema() -> RefOr<Schema> {
        name(Self::MAX_CHARS, "The name of a group.", "admins")
    }
}

impl ToSchema for GroupName {
    fn name() -> Cow<'static, str> {
        "GroupName".into()
    }
}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().copied().map(Self::as_str);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Permission {
    fn name() -> Cow<'static, str> {
        "Permission".into()
    }
}

#[cfg(feature = "jobs")]
impl PartialSchema for JobId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The id of a job and of its files."))
            .pattern(Some("^(import|export|backup|restore)-[0-9a-f]{32}$"))
            .examples(["import-50d858e0985ecc7f60418aaf0cc5ab58"])
            .into()
    }
}

#[cfg(feature = "jobs")]
impl ToSchema for JobId {
    fn name() -> Cow<'static, str> {
        "JobId".into()
    }
}

impl PartialSchema for SearchTerm {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(Self::MAX_CHARS));
        text.description(Some("A search term.")).into()
    }
}

impl ToSchema for SearchTerm {
    fn name() -> Cow<'static, str> {
        "SearchTerm".into()
    }
}

impl PartialSchema for Secret {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).description(Some("A secret. Never logged or returned.")).into()
    }
}

impl ToSchema for Secret {
    fn name() -> Cow<'static, str> {
        "Secret".into()
    }
}

impl PartialSchema for UserStatus {
    fn schema() -> RefOr<Schema> {
        let known =
            ["UNCONFIRMED", "CONFIRMED", "EXTERNAL_PROVIDER", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED", "UNKNOWN"];
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The status, as Cognito spells it. Cognito may add new values."))
            .examples(known)
            .into()
    }
}

impl ToSchema for UserStatus {
    fn name() -> Cow<'static, str> {
        "UserStatus".into()
    }
}
