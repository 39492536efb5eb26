//! `POST /v1/groups`: creates a group.

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use domain::user_pool::groups::{GroupDetails, GroupName};
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;
use utoipa::ToSchema;

use super::precedence::Precedence;
use super::view::GroupView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Authorized;
use crate::fields::text::GroupDescription;
use crate::http::error::ApiError;
use crate::http::json::Json;
use crate::http::path;

/// The group to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateGroup, example = json!({"name": "support", "description": "Answers questions", "precedence": 10}))]
pub(crate) struct Body {
    name: GroupName,
    /// The purpose of the group.
    #[schema(value_type = Option<String>, max_length = 2048)]
    description: Option<GroupDescription>,
    /// The group with the lowest value determines the preferred IAM role of a user in several groups.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 2_147_483_647)]
    precedence: Option<Precedence>,
}

/// Create a group
///
/// The setting `ROLES` defines the permissions of the members. A group that is not listed there has no permissions.
#[utoipa::path(
    post, path = "/v1/groups", tag = "groups", operation_id = "create_group",
    request_body = Body,
    responses((status = 201, description = "The group is created.", body = GroupView, headers(("Location" = String)))),
    extensions(("x-problems" = json!(["group-exists"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    audit: Audit,
    Json(body): Json<Body>,
) -> Result<impl IntoResponse, ApiError> {
    let Body { name, description, precedence } = body;
    audit.on_group(&name);
    // `ROLES` can grant permissions to a group before it exists.
    authorized.ensure_no_escalation(&app.trust.roles, [name.as_str()])?;
    audit.fields(description.is_some().then_some("description"));
    audit.fields(precedence.is_some().then_some("precedence"));
    let details = GroupDetails { description: description.map(Into::into), precedence: precedence.map(Into::into) };
    let group = app.pool.create_group(&name, &details).await?;
    let location = format!("/v1/groups/{}", path::segment(group.name.as_str()));
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), axum::Json(GroupView::from(group))))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::groups::Groups;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call, token};

    async fn create(api: &Api, body: &Value) -> Answer {
        api.call(Call::post("/v1/groups", Some(body))).await
    }

    async fn group(api: &Api, name: &str) -> Answer {
        api.call(Call::get(&format!("/v1/groups/{name}"))).await
    }

    #[tokio::test]
    async fn rejects_a_group_with_permissions_that_the_caller_lacks() {
        let api = Api::new();
        api.pool.add_user("dee", "Password-of-dee-1", &["deputies"], &[]);
        api.pool.directory().delete_group(&"admins".parse().unwrap()).await.unwrap();
        let call = Call::post("/v1/groups", Some(&json!({"name": "admins"}))).by(token("dee", "[deputies]"));
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    }

    #[tokio::test]
    async fn location_refers_to_the_new_group() {
        let api = Api::new();
        let answer = create(&api, &json!({"name": "a/b", "description": "Both", "precedence": 0})).await;
        assert_eq!((answer.status, answer.header("location")), (201, Some("/v1/groups/a%2Fb")));
        let expected = json!({
            "name": "a/b", "description": "Both", "precedence": 0, "role_arn": null,
            "created_at": answer.body["created_at"], "modified_at": answer.body["created_at"],
        });
        assert_eq!(answer.body, expected);
        assert!(answer.body["created_at"].as_str().unwrap().starts_with("1970-01-01T00:00:"));
        assert_eq!(group(&api, "a%2Fb").await.body, expected);
    }

    #[tokio::test]
    async fn description_and_precedence_are_optional() {
        for body in [json!({"name": "new"}), json!({"name": "new", "description": null, "precedence": null})] {
            let answer = create(&Api::new(), &body).await;
            assert_eq!(answer.status, 201, "{body}");
            assert_eq!(
                (&answer.body["description"], &answer.body["precedence"]),
                (&Value::Null, &Value::Null),
                "{body}"
            );
        }
    }

    #[tokio::test]
    async fn rejects_an_existing_name_and_keeps_the_group_unchanged() {
        let api = Api::new();
        assert_eq!(create(&api, &json!({"name": "new", "description": "First"})).await.status, 201);
        let again = create(&api, &json!({"name": "new", "description": "Second"})).await;
        assert_eq!((again.status, again.code()), (409, "group-exists"));
        assert_eq!(group(&api, "new").await.body["description"], "First");
    }

    #[tokio::test]
    async fn malformed_bodies_are_rejected_with_the_field() {
        let table = [
            (json!({"name": "two words"}), "name"),
            (json!({"name": "new", "description": "x".repeat(2049)}), "description"),
            (json!({"name": "new", "precedence": -1}), "precedence"),
            (json!({"name": "new", "role_arn": "arn:aws:iam::123456789012:role/admin"}), "role_arn"),
        ];
        for (body, field) in table {
            let api = Api::new();
            let answer = create(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            assert_eq!(answer.body["field"], field, "{body}");
            assert_eq!(group(&api, "new").await.status, 404, "{body}");
        }
    }
}
