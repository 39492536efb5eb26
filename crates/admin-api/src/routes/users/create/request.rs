//! The body.

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
use crate::fields::password::Password;
use crate::http::json::Object;

/// A user to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "mia", "attributes": {"email": "mia@example.com"}}))]
pub(crate) struct Body {
    /// The user name; where people sign in with an e-mail address or phone number, that.
    pub(super) username: Username,
    #[serde(default)]
    pub(super) attributes: AttributesBody,
    /// Without one, Cognito makes a temporary one up.
    // `utoipa` takes every type of the name `Object` for its own.
    #[schema(value_type = Option<PasswordBody>)]
    pub(super) password: Option<Object<PasswordBody>>,
    /// Whether a message with the temporary password goes out: `send` without a password, `suppress` with one.
    pub(super) invitation: Option<InvitationBody>,
    /// Asks for the permission `users:groups`.
    #[serde(default)]
    pub(super) groups: GroupsBody,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
pub(super) struct PasswordBody {
    pub(super) value: Password,
    /// Whether it stays, or must be changed at the first sign-in.
    pub(super) permanent: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InvitationMessage)]
pub(super) enum InvitationBody {
    Send,
    Suppress,
}

/// The groups of a new user.
#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<GroupName>")]
pub(super) struct GroupsBody(pub(super) BTreeSet<GroupName>);

/// Cognito lets nobody be in more.
const MOST_GROUPS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there are at most {MOST_GROUPS} groups, and none of them twice")]
pub(super) struct NotGroups;

impl TryFrom<Vec<GroupName>> for GroupsBody {
    type Error = NotGroups;

    fn try_from(names: Vec<GroupName>) -> Result<Self, NotGroups> {
        let count = names.len();
        let groups = BTreeSet::from_iter(names);
        if count <= MOST_GROUPS && groups.len() == count { Ok(Self(groups)) } else { Err(NotGroups) }
    }
}

impl PartialSchema for GroupsBody {
    fn schema() -> RefOr<Schema> {
        let name = Ref::from_schema_name(GroupName::name());
        let names = ArrayBuilder::new().items(name).unique_items(true).max_items(Some(MOST_GROUPS));
        names.description(Some("The groups that the user is put into.")).into()
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

/// The schema of [`Body`], with the one rule that no field can say alone.
pub(super) struct CreateUser;

impl PartialSchema for CreateUser {
    fn schema() -> RefOr<Schema> {
        let permanent =
            json!({"type": "object", "properties": {"permanent": {"const": true}}, "required": ["permanent"]});
        let invited_with_a_permanent_password = json!({
            "properties": {"invitation": {"const": "send"}, "password": permanent},
            "required": ["invitation", "password"],
        });
        let mut schema = Body::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            // `utoipa` has no builder for the keyword.
            let keywords = object.extensions.get_or_insert_default();
            keywords.insert("not".to_owned(), invited_with_a_permanent_password);
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
