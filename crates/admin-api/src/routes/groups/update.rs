//! `PATCH /v1/groups/{group}`: changes a group. Null is rejected, because Cognito cannot remove a value.

use std::borrow::Cow;

use axum::extract::State;
use domain::user_pool::groups::{GroupDetails, GroupName};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::precedence::Precedence;
use super::view::GroupView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::text::GroupDescription;
use crate::http::error::ApiError;
use crate::http::json::Json;
use crate::routes::target::TargetGroup;

/// The fields to change, at least one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Body(Fields);

/// The fields of a group to change. Absent fields stay unchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Answers questions"}))]
struct Fields {
    /// The purpose of the group.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 2048)]
    description: Option<GroupDescription>,
    /// The group with the lowest value determines the preferred IAM role of a user in several groups.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Option<u32>, nullable = false, minimum = 0, maximum = 2_147_483_647)]
    precedence: Option<Precedence>,
}

/// Rejects null, so that only an absent field is `None`.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        let mut schema = Fields::schema();
        if let RefOr::T(Schema::Object(fields)) = &mut schema {
            // The derive macro's attribute would also set `maxProperties`.
            fields.min_properties = Some(1);
        }
        schema
    }
}

impl ToSchema for Body {
    fn name() -> Cow<'static, str> {
        "UpdateGroup".into()
    }
}

impl TryFrom<Body> for GroupDetails {
    type Error = ApiError;

    fn try_from(Body(fields): Body) -> Result<Self, ApiError> {
        let Fields { description, precedence } = fields;
        if description.is_none() && precedence.is_none() {
            let detail = "Must contain `description`, `precedence` or both.".to_owned();
            return Err(ApiError::InvalidRequest { field: None, detail });
        }
        Ok(Self { description: description.map(Into::into), precedence: precedence.map(Into::into) })
    }
}

/// Change a group
///
/// Absent fields stay unchanged. Values cannot be removed. A group with an IAM role requires `groups:roles`.
#[utoipa::path(
    patch, path = "/v1/groups/{group}", tag = "groups", operation_id = "update_group",
    params(("group" = GroupName, Path)),
    request_body = Body,
    responses((status = 200, description = "The updated group.", body = GroupView)),
    extensions(("x-problems" = json!(["group-not-found", "role-not-passable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    TargetGroup(name): TargetGroup,
    Json(body): Json<Body>,
) -> Result<axum::Json<GroupView>, ApiError> {
    let changes = GroupDetails::try_from(body)?;
    audit.fields(changes.description.is_some().then_some("description"));
    audit.fields(changes.precedence.is_some().then_some("precedence"));
    // `UpdateGroup` includes the group's role, which requires `iam:PassRole`.
    if let Some(role) = app.pool.group(&name).await?.role_arn
        && !app.passable_roles.allow(&role)
    {
        return Err(ApiError::RoleNotPassable(role));
    }
    Ok(axum::Json(app.pool.update_group(&name, &changes).await?.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call, PASSABLE_ROLE};

    const PATH: &str = "/v1/groups/visitors";

    async fn update(api: &Api, body: &Value) -> Answer {
        api.call(Call::patch(PATH, body)).await
    }

    async fn visitors(api: &Api) -> Value {
        api.call(Call::get(PATH)).await.body
    }

    #[tokio::test]
    async fn changes_only_the_given_fields() {
        let api = Api::new();
        api.pool.set_group_role("visitors", PASSABLE_ROLE);
        let table = [
            (json!({"description": "Guests"}), json!(["Guests", null])),
            (json!({"precedence": 5}), json!(["Guests", 5])),
            (json!({"precedence": 5}), json!(["Guests", 5])),
            (json!({"description": "", "precedence": 0}), json!(["", 0])),
        ];
        for (body, expected) in table {
            let answer = update(&api, &body).await;
            assert_eq!(answer.status, 200, "{body}: {}", answer.body);
            assert_eq!(json!([answer.body["description"], answer.body["precedence"]]), expected, "{body}");
            assert_eq!(answer.body["role_arn"], PASSABLE_ROLE, "{body}");
            assert_eq!(visitors(&api).await, answer.body, "{body}");
        }
    }

    #[tokio::test]
    async fn rejects_a_group_with_a_role_that_is_not_passable() {
        let api = Api::new();
        let role = "arn:aws:iam::123456789012:role/administrators";
        api.pool.set_group_role("visitors", role);
        let before = visitors(&api).await;
        let answer = update(&api, &json!({"description": "Guests"})).await;
        assert_eq!((answer.status, answer.code()), (409, "role-not-passable"));
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(role) && detail.contains("PassableRoleArns"), "{detail}");
        assert_eq!(visitors(&api).await, before);
    }

    #[tokio::test]
    async fn malformed_changes_are_rejected_with_the_field() {
        let table = [
            (json!({}), None),
            (json!({"description": null}), Some("description")),
            (json!({"precedence": null}), Some("precedence")),
            (json!({"description": "x".repeat(2049)}), Some("description")),
            (json!({"precedence": -1}), Some("precedence")),
        ];
        for (body, field) in table {
            let api = Api::new();
            let before = visitors(&api).await;
            let answer = update(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            assert_eq!(answer.body["field"].as_str(), field, "{body}");
            assert_eq!(visitors(&api).await, before, "{body}");
        }
    }

    #[test]
    fn the_schema_requires_a_change_and_rejects_null() {
        let document = crate::openapi::value();
        let schema = &document["components"]["schemas"]["UpdateGroup"];
        assert_eq!((&schema["minProperties"], &schema["maxProperties"]), (&json!(1), &Value::Null), "{schema}");
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let types = ["description", "precedence"].map(|name| &schema["properties"][name]["type"]);
        assert_eq!(types, [&json!("string"), &json!("integer")], "{schema}");
    }
}
