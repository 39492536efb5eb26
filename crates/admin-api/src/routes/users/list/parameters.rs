//! The query parameters: the search conditions, `limit` and `cursor`.

use domain::search::{CustomAttribute, Query, SearchTerm};
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::{UserStatus, Username};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::fields::text::{AttributeName, AttributeValue};
use crate::http::pages::Limit;

/// The parameters of a search.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// The user name, not an alias.
    #[param(inline)]
    username: Option<Username>,
    /// The complete e-mail address.
    #[param(inline)]
    email: Option<SearchTerm>,
    /// The beginning of the e-mail address.
    #[param(inline)]
    email_prefix: Option<SearchTerm>,
    /// The complete phone number.
    #[param(inline)]
    phone_number: Option<SearchTerm>,
    /// The complete value of the attribute `name`.
    #[param(inline)]
    name: Option<SearchTerm>,
    /// The status, as Cognito spells it.
    #[param(inline)]
    status: Option<Status>,
    /// Whether the user is enabled.
    #[param(value_type = Option<bool>)]
    enabled: Option<Flag>,
    /// The name of a group that the user is in.
    #[param(inline)]
    group: Option<GroupName>,
    /// A custom attribute as `NAME=VALUE`, with or without `custom:`. Matches the complete value. Can be repeated.
    #[serde(default)]
    #[param(inline)]
    custom_attribute: Vec<CustomAttributeText>,
    /// Created after this timestamp.
    #[param(value_type = Option<OffsetDateTime>, example = "2026-01-31T12:00:00Z")]
    created_after: Option<Timestamp>,
    /// Created before this timestamp.
    #[param(value_type = Option<OffsetDateTime>, example = "2026-01-31T12:00:00Z")]
    created_before: Option<Timestamp>,
    /// The maximum number of results.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 60)]
    pub(super) limit: Limit,
    /// The `next_cursor` of the previous page.
    pub(super) cursor: Option<String>,
}

impl From<Parameters> for Query {
    fn from(parameters: Parameters) -> Self {
        Self {
            username: parameters.username,
            email: parameters.email,
            email_prefix: parameters.email_prefix,
            phone_number: parameters.phone_number,
            name: parameters.name,
            status: parameters.status.map(Into::into),
            enabled: parameters.enabled.map(|flag| matches!(flag, Flag::True)),
            group: parameters.group,
            custom_attributes: parameters.custom_attribute.into_iter().map(|custom| custom.0).collect(),
            created_after: parameters.created_after.map(|timestamp| timestamp.0),
            created_before: parameters.created_before.map(|timestamp| timestamp.0),
        }
    }
}

// Every status that Cognito documents.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Unconfirmed,
    Confirmed,
    Archived,
    Compromised,
    Unknown,
    ResetRequired,
    ForceChangePassword,
    ExternalProvider,
}

impl From<Status> for UserStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Unconfirmed => Self::Unconfirmed,
            Status::Confirmed => Self::Confirmed,
            Status::Archived => Self::Other("ARCHIVED".to_owned()),
            Status::Compromised => Self::Other("COMPROMISED".to_owned()),
            Status::Unknown => Self::Unknown,
            Status::ResetRequired => Self::ResetRequired,
            Status::ForceChangePassword => Self::ForceChangePassword,
            Status::ExternalProvider => Self::ExternalProvider,
        }
    }
}

// For `bool`, `serde_html_form` accepts an empty value and `on` as well.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Flag {
    True,
    False,
}

/// An RFC 3339 timestamp.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Timestamp(OffsetDateTime);

impl TryFrom<String> for Timestamp {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let timestamp = OffsetDateTime::parse(&text, &Rfc3339);
        timestamp.map(Self).map_err(|_| "must be an RFC 3339 timestamp, e.g. `2026-01-31T12:00:00Z`, with `+` as `%2B`")
    }
}

/// A custom attribute as `NAME=VALUE`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct CustomAttributeText(CustomAttribute);

impl TryFrom<String> for CustomAttributeText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const REFUSAL: &str = "must be `NAME=VALUE` with a name of 1–20 characters that is not reserved and a value of at most 2048 characters";
        let (name, value) = text.split_once('=').ok_or(REFUSAL)?;
        let name = name.strip_prefix("custom:").unwrap_or(name);
        // Cognito's limit, without the prefix.
        let fits = (1..=20).contains(&name.chars().count());
        let (name, value) =
            (AttributeName::try_from(format!("custom:{name}")), AttributeValue::try_from(value.to_owned()));
        match (name, value) {
            (Ok(name), Ok(value)) if fits => Ok(Self(CustomAttribute { name: name.into(), value: value.into() })),
            _ => Err(REFUSAL),
        }
    }
}

impl PartialSchema for CustomAttributeText {
    fn schema() -> RefOr<Schema> {
        let pattern = r"^(?!custom:=)(?!(custom:)?poolkeeper_created=)(custom:)?[^\s\u0000-\u001F\u007F-\u009F=]{1,20}=[\s\S]{0,2048}$";
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        text.examples(["team=blue"]).into()
    }
}

impl ToSchema for CustomAttributeText {}
