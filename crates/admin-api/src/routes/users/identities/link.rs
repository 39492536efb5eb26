//! `PUT /v1/users/{username}/identities/{provider}`: links an external identity to a user.
//!
//! Callers who link their own identity can sign in as the user. Therefore the authorization check rejects users with
//! permissions that the caller lacks.

use axum::extract::State;
use domain::user_pool::identities::ExternalIdentity;
use domain::user_pool::user::Username;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TargetProvider, ensure_not_federated, identities_at};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::target_user::OtherUser;
use crate::fields::text::{ExternalUserId, ProviderName};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The identity at the provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkIdentity, example = json!({"user_id": "113489712349817234987"}))]
pub(crate) struct Body {
    /// The subject of the provider's tokens (OIDC), or the `NameID` of its assertions (SAML).
    #[schema(value_type = String, min_length = 1, max_length = 2048)]
    user_id: ExternalUserId,
}

/// An identity that is linked to a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinkedIdentity, example = json!({
    "username": "mia", "provider": "Google", "user_id": "113489712349817234987", "changed": true
}))]
pub(crate) struct Answer {
    /// The user name, never an alias.
    username: Username,
    #[schema(inline, value_type = ProviderName)]
    provider: String,
    user_id: String,
    /// Whether this request linked the identity.
    changed: bool,
}

/// Link an identity to a user
///
/// The owner of the identity signs in as this user from now on. Returns `forbidden` if the user has permissions that
/// the caller lacks, and `wrong-state` if the user has another identity at the provider or is a federated user. Linking
/// a linked identity changes nothing. Callers cannot change their own account with this route.
#[utoipa::path(
    put, path = "/v1/users/{username}/identities/{provider}", tag = "users", operation_id = "link_user_identity",
    params(("username" = Username, Path), ("provider" = inline(ProviderName), Path)),
    request_body = Body,
    responses((status = 200, description = "The identity is linked.", body = Answer)),
    extensions(("x-problems" = json!(["user-not-found", "alias-exists", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    OtherUser(user): OtherUser,
    TargetProvider(provider): TargetProvider,
    Json(body): Json<Body>,
) -> Result<axum::Json<Answer>, ApiError> {
    audit.fields([format!("identity:{provider}")]);
    ensure_not_federated(&user)?;
    // `AdminLinkProviderForUser` does not accept a `sub`.
    if user.could_be_another_sub() {
        return Err(ApiError::ambiguous_user());
    }
    let identity = ExternalIdentity { provider: provider.clone(), user_id: body.user_id.into() };
    let linked = identities_at(&provider, &user)?;
    let changed = !linked.contains(&identity);
    if changed && !linked.is_empty() {
        return Err(ApiError::OtherIdentity);
    }
    if changed {
        app.pool.link(&user.username, &identity).await?;
    }
    Ok(axum::Json(Answer { username: user.username, provider, user_id: identity.user_id, changed }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, By, Call, token};

    const PATH: &str = "/v1/users/mia/identities/Google";

    async fn link(api: &Api, path: &str, user_id: &str) -> Answer {
        api.call(Call::put(path, &json!({"user_id": user_id}))).await
    }

    /// Provider and id of every identity that is linked to the user.
    fn linked(api: &Api, username: &str) -> Vec<[String; 2]> {
        let attributes = api.pool.attributes_of(username);
        let identities = attributes.get("identities").map_or("[]", String::as_str);
        let identities: Vec<Value> = serde_json::from_str(identities).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        identities.iter().map(|identity| [text(&identity["providerName"]), text(&identity["userId"])]).collect()
    }

    fn pair(provider: &str, user_id: &str) -> [String; 2] {
        [provider.to_owned(), user_id.to_owned()]
    }

    #[tokio::test]
    async fn rejects_linking_and_unlinking_for_federated_users() {
        for (status, primary) in [
            (UserStatus::ExternalProvider, json!(true)),
            (UserStatus::ExternalProvider, json!("true")),
            (UserStatus::ExternalProvider, json!(false)),
            // This federated user has a password.
            (UserStatus::Confirmed, json!(true)),
        ] {
            let api = Api::new();
            let identity = json!([{"providerName": "Google", "userId": "1", "primary": primary}]).to_string();
            api.pool.add_user("gus", "Password-of-gus-1", &[], &[("identities", &identity)]);
            api.pool.set_status("gus", status.clone());
            let link = Call::put("/v1/users/gus/identities/Facebook", &json!({"user_id": "2"}));
            let answer = api.call(link).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?} {primary}");
            if primary != false {
                let answer = api.call(Call::delete("/v1/users/gus/identities/Google")).await;
                assert_eq!((answer.status, answer.code()), (404, "identity-not-found"), "{status:?} {primary}");
            }
            assert_eq!(api.pool.attributes_of("gus")["identities"], identity);
        }
    }

    #[tokio::test]
    async fn linking_a_linked_identity_reports_no_change() {
        let api = Api::new();
        for (path, changed) in [("/v1/users/mia@example.com/identities/Google", true), (PATH, false)] {
            let answer = link(&api, path, "1").await;
            let expected = json!({"username": "mia", "provider": "Google", "user_id": "1", "changed": changed});
            assert_eq!((answer.status, answer.body), (200, expected));
            assert_eq!(linked(&api, "mia"), [pair("Google", "1")]);
        }
        assert_eq!(api.pool.calls().iter().filter(|call| **call == "link").count(), 1);
    }

    #[tokio::test]
    async fn a_user_has_one_identity_at_each_provider() {
        let api = Api::new();
        assert_eq!(link(&api, PATH, "1").await.status, 200);
        let other = link(&api, PATH, "2").await;
        assert_eq!((other.status, other.code()), (409, "wrong-state"));
        assert!(other.body["detail"].as_str().unwrap().contains("Unlink"), "{}", other.body);
        assert_eq!(link(&api, "/v1/users/mia/identities/Okta", "2").await.status, 200);
        assert_eq!(linked(&api, "mia"), [pair("Google", "1"), pair("Okta", "2")]);
    }

    #[tokio::test]
    async fn rejects_an_identity_that_is_linked_to_another_user() {
        let api = Api::new();
        assert_eq!(link(&api, "/v1/users/ray/identities/Google", "1").await.status, 200);
        let answer = link(&api, PATH, "1").await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"));
        assert_eq!((linked(&api, "mia"), linked(&api, "ray")), (vec![], vec![pair("Google", "1")]));
    }

    /// A caller with `users:update` only.
    fn updater(api: &Api) -> By {
        api.pool.add_user("uma", "Correct-1", &["updaters"], &[]);
        token("uma", "[updaters]")
    }

    #[tokio::test]
    async fn rejects_linking_to_a_user_with_permissions_that_the_caller_lacks() {
        let api = Api::new();
        let by = updater(&api);
        for (target, status) in [("mia", 200), ("uma", 403), ("vic", 200), ("ray", 403), ("cleo", 403), ("root", 403)] {
            let path = format!("/v1/users/{target}/identities/Google");
            let call = Call::put(&path, &json!({"user_id": format!("of-{target}")})).by(by.clone());
            let answer = api.call(call).await;
            assert_eq!(answer.status, status, "{target}: {}", answer.body);
            assert_eq!(linked(&api, target).len(), usize::from(status == 200), "{target}");
        }
        // The response does not reveal which identities are linked to such a user.
        assert_eq!(link(&api, "/v1/users/ray/identities/Google", "1").await.status, 200);
        for user_id in ["1", "2"] {
            let call = Call::put("/v1/users/ray/identities/Google", &json!({"user_id": user_id})).by(by.clone());
            let answer = api.call(call).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        }
    }

    #[tokio::test]
    async fn unreadable_identities_are_an_internal_error() {
        for text in ["", "{}", "[1]", r#"[{"providerName": "Google"}]"#, r#"[{"providerName": "Okta", "userId": 1}]"#] {
            let api = Api::new();
            api.pool.add_user("odd", "Correct-1", &[], &[("identities", text)]);
            let answer = link(&api, "/v1/users/odd/identities/Google", "1").await;
            assert_eq!((answer.status, answer.code()), (500, "internal"), "{text}");
            assert_eq!(api.pool.attributes_of("odd")["identities"], text);
        }
    }

    #[tokio::test]
    async fn malformed_requests_are_rejected_with_the_field() {
        let table = [
            (PATH, json!({"user_id": "x".repeat(2049)}), "user_id"),
            ("/v1/users/mia/identities/Cognito", json!({"user_id": "root"}), "provider"),
        ];
        for (path, body, field) in table {
            let api = Api::new();
            let answer = api.call(Call::put(path, &body)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{path} {body}");
            assert_eq!(answer.body["field"], field, "{path} {body}");
            assert_eq!(linked(&api, "mia"), Vec::<[String; 2]>::new(), "{path} {body}");
        }
    }
}
