//! `PATCH /v1/users/{username}`: sets and removes attributes.

use axum::extract::State;
use domain::user_pool::directory::AttributeChanges;
use domain::user_pool::user::{Attributes, Username};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::target_user::OtherUser;
use crate::fields::attributes::AttributeChangesBody;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// Changes of the attributes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateUser, example = json!({"attributes": {"name": "Mia", "nickname": null}}))]
pub(crate) struct Body {
    /// The new values. Null removes an attribute. Absent attributes stay unchanged.
    attributes: AttributeChangesBody,
}

impl TryFrom<Body> for AttributeChanges {
    type Error = ApiError;

    fn try_from(body: Body) -> Result<Self, ApiError> {
        if body.attributes.0.is_empty() {
            return Err(ApiError::invalid("attributes", "The object must contain at least one attribute."));
        }
        let mut changes = Self::default();
        for (name, value) in body.attributes.0 {
            match value {
                Some(value) => drop(changes.set.insert(name.into(), value.into())),
                None => changes.remove.push(name.into()),
            }
        }
        Ok(changes)
    }
}

/// Change a user's attributes
///
/// Sets the attributes that have a value, then removes those that are null. Absent attributes stay unchanged. Callers
/// cannot change their own account with this route.
#[utoipa::path(
    patch, path = "/v1/users/{username}", tag = "users", operation_id = "update_user",
    params(("username" = Username, Path)),
    request_body = Body,
    responses((status = 204, description = "The attributes are changed.")),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "user-not-found", "alias-exists"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    OtherUser(user): OtherUser,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    let AttributeChanges { set, remove } = body.try_into()?;
    audit.fields(set.keys().chain(&remove));
    // The two calls to Cognito are separate steps, so that a failure names the call that took effect.
    if !set.is_empty() {
        let changes = AttributeChanges { set, remove: Vec::new() };
        progress.then("set-attributes", app.pool.change_attributes(&user.id(), &changes)).await?;
    }
    if !remove.is_empty() {
        let changes = AttributeChanges { set: Attributes::new(), remove };
        progress.then("remove-attributes", app.pool.change_attributes(&user.id(), &changes)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::Attributes;
    use serde_json::json;

    use crate::testing::{Api, Call};

    fn mia(api: &Api) -> Attributes {
        api.pool.attributes_of("mia")
    }

    #[tokio::test]
    async fn sets_values_removes_nulls_and_keeps_other_attributes() {
        let api = Api::new();
        let body = json!({"attributes": {"name": "Mia", "email_verified": null}});
        let expected = Attributes::from([
            ("email".to_owned(), "mia@example.com".to_owned()),
            ("name".to_owned(), "Mia".to_owned()),
        ]);
        for time in ["once", "twice"] {
            let answer = api.call(Call::patch("/v1/users/mia", &body)).await;
            assert_eq!((answer.status, mia(&api)), (204, expected.clone()), "{time}");
        }
    }

    #[tokio::test]
    async fn changes_the_same_user_if_the_change_removes_the_alias() {
        let api = Api::new();
        let body = json!({"attributes": {"email": "new@example.com", "email_verified": null}});
        let answer = api.call(Call::patch("/v1/users/mia@example.com", &body)).await;
        let expected = Attributes::from([("email".to_owned(), "new@example.com".to_owned())]);
        assert_eq!((answer.status, mia(&api)), (204, expected));
    }

    #[tokio::test]
    async fn rejects_an_alias_of_another_user() {
        let api = Api::new();
        let body = json!({"attributes": {"email": "mia@example.com", "email_verified": "true"}});
        let answer = api.call(Call::patch("/v1/users/ray", &body)).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"));
        assert_eq!(api.pool.attributes_of("ray"), Attributes::new());
    }

    #[tokio::test]
    async fn malformed_changes_are_rejected_with_the_field() {
        let table = [
            (json!({"attributes": {}}), "attributes"),
            (json!({"attributes": {"two words": "x"}}), "attributes"),
            (json!({"attributes": {"name": "x".repeat(2049)}}), "attributes.name"),
        ];
        for (body, field) in table {
            let api = Api::new();
            let before = mia(&api);
            let answer = api.call(Call::patch("/v1/users/mia", &body)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            assert!(answer.body["field"].as_str().unwrap().starts_with(field), "{body}: {}", answer.body);
            assert_eq!(mia(&api), before, "{body}");
        }
    }

    #[tokio::test]
    async fn makes_only_the_calls_that_the_change_requires() {
        for (changes, calls) in [
            (json!({"name": "Mia"}), 1),
            (json!({"name": null}), 1),
            (json!({"name": "Mia", "nickname": null, "email_verified": null}), 2),
        ] {
            let api = Api::new();
            let answer = api.call(Call::patch("/v1/users/mia", &json!({"attributes": changes}))).await;
            let made = api.pool.calls().into_iter().filter(|call| *call == "change_attributes").count();
            assert_eq!((answer.status, made), (204, calls), "{changes}");
        }
    }

    #[tokio::test]
    async fn a_failed_removal_lists_the_completed_step() {
        let api = Api::new();
        let body = json!({"attributes": {"name": "Mia", "email_verified": null}});
        api.pool.fail("change_attributes", 2, Reason::Unavailable);
        let answer = api.call(Call::patch("/v1/users/mia", &body)).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
        assert_eq!(answer.body["completed"], json!(["set-attributes"]));
        assert_eq!(answer.body["failed"], "remove-attributes");
        assert_eq!((mia(&api).get("name").map(String::as_str), mia(&api).len()), (Some("Mia"), 3));

        assert_eq!(api.call(Call::patch("/v1/users/mia", &body)).await.status, 204);
        assert!(!mia(&api).contains_key("email_verified"));
    }

    #[tokio::test]
    async fn a_failed_first_call_lists_no_completed_steps() {
        for changes in [json!({"name": "Mia", "email_verified": null}), json!({"email_verified": null})] {
            let api = Api::new();
            let before = mia(&api);
            api.pool.fail("change_attributes", 1, Reason::Unavailable);
            let answer = api.call(Call::patch("/v1/users/mia", &json!({"attributes": changes}))).await;
            assert_eq!((answer.status, answer.body.get("completed")), (502, None), "{changes}");
            assert_eq!(mia(&api), before, "{changes}");
        }
    }
}
