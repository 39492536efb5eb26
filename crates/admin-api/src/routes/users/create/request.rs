//! The request body.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use utoipa::openapi::{ArrayBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::attributes::AttributesBody;
use crate::fields::text::Password;

/// The user to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "mia", "attributes": {"email": "mia@example.com"}}))]
pub(crate) struct Body {
    /// The user name. If users sign in with e-mail addresses or phone numbers, the address or number.
    pub(super) username: Username,
    #[serde(default)]
    pub(super) attributes: AttributesBody,
    /// The password. If absent, Cognito generates a temporary password.
    pub(super) password: Option<Password>,
    /// Whether the password is permanent. The user must change a temporary password at the first sign-in.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) permanent: bool,
    /// Whether Cognito sends the welcome message with the temporary password. The default is `suppress` if `password`
    /// is present, and `send` otherwise.
    pub(super) welcome_message: Option<WelcomeMessageBody>,
    /// Requires the permission `users:groups`.
    #[serde(default)]
    pub(super) groups: GroupsBody,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WelcomeMessage)]
pub(super) enum WelcomeMessageBody {
    Send,
    Suppress,
}

/// The groups of a new user.
#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<GroupName>")]
pub(super) struct GroupsBody(pub(super) BTreeSet<GroupName>);

/// Cognito's quota of groups per user.
const MAX_GROUPS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be at most {MAX_GROUPS} groups without duplicates")]
pub(super) struct InvalidGroups;

impl TryFrom<Vec<GroupName>> for GroupsBody {
    type Error = InvalidGroups;

    fn try_from(names: Vec<GroupName>) -> Result<Self, InvalidGroups> {
        let count = names.len();
        let groups = BTreeSet::from_iter(names);
        if count <= MAX_GROUPS && groups.len() == count { Ok(Self(groups)) } else { Err(InvalidGroups) }
    }
}

impl PartialSchema for GroupsBody {
    fn schema() -> RefOr<Schema> {
        let name = Ref::from_schema_name(GroupName::name());
        let names = ArrayBuilder::new().items(name).unique_items(true).max_items(Some(MAX_GROUPS));
        names.description(Some("The groups that the user is added to.")).into()
    }
}

impl ToSchema for GroupsBody {
    fn name() -> Cow<'static, str> {
        "NewUsersGroups".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((GroupName::name().into_owned(), GroupName::schema()));
    }
}

/// The schema of [`Body`] and the rules that relate `permanent` to `password` and `welcome_message`.
pub(super) struct CreateUser;

impl PartialSchema for CreateUser {
    fn schema() -> RefOr<Schema> {
        let permanent_with_welcome_message_or_without_password = json!({
            "properties": {"permanent": {"const": true}},
            "required": ["permanent"],
            "anyOf": [
                {"properties": {"welcome_message": {"const": "send"}}, "required": ["welcome_message"]},
                {"properties": {"password": {"type": "null"}}},
            ],
        });
        let mut schema = Body::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            // `utoipa` has no builder for `not`.
            let keywords = object.extensions.get_or_insert_default();
            keywords.insert("not".to_owned(), permanent_with_welcome_message_or_without_password);
        }
        schema
    }
}

impl ToSchema for CreateUser {
    fn name() -> Cow<'static, str> {
        "CreateUser".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
    }
}
