//! `DELETE /v1/users/{username}/identities/{provider}`: unlinks all identities of the user at the provider.

use axum::extract::State;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::identities::ExternalIdentity;
use domain::user_pool::user::Username;
use http::StatusCode;

use super::{TargetProvider, identities_at};
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::target_user::TargetUser;
use crate::fields::text::ProviderName;
use crate::http::error::ApiError;

/// Unlink a user's identity
///
/// The next sign-in with the identity creates a separate user. If several identities at the provider are linked, which
/// this API does not allow, all of them are unlinked.
#[utoipa::path(
    delete, path = "/v1/users/{username}/identities/{provider}", tag = "users", operation_id = "unlink_user_identity",
    params(("username" = Username, Path), ("provider" = inline(ProviderName), Path)),
    responses((status = 204, description = "No identity at this provider is linked to the user.")),
    extensions(("x-problems" = json!(["user-not-found", "identity-not-found", "alias-exists"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    TargetUser(user): TargetUser,
    TargetProvider(provider): TargetProvider,
) -> Result<StatusCode, ApiError> {
    audit.fields([format!("identity:{provider}")]);
    let linked = identities_at(&provider, &user)?;
    if linked.is_empty() {
        return Err(ApiError::IdentityNotFound);
    }
    for (number, identity) in linked.iter().enumerate() {
        // Steps are numbered, because the caller may lack the permission to read the external ids.
        let step = format!("unlink-identity:{}", number + 1);
        progress.then(step, unlink(&app, identity)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Also succeeds if another request has unlinked the identity in the meantime.
async fn unlink(app: &App, identity: &ExternalIdentity) -> Result<(), UserPoolError> {
    match app.pool.unlink(identity).await {
        Err(error) if error.reason == Reason::UserNotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/identities/Google";

    /// `gus` has two identities at Google and one at Okta.
    fn with_gus() -> Api {
        let api = Api::new();
        let identity = |provider: &str, id: &str| {
            json!({
                "userId": id, "providerName": provider, "providerType": "OIDC", "issuer": null, "primary": false,
                "dateCreated": 0
            })
        };
        let all = json!([identity("Google", "1"), identity("Okta", "1"), identity("Google", "2")]).to_string();
        api.pool.add_user("gus", "Correct-1", &[], &[("identities", &all)]);
        api
    }

    /// The identities that are still linked to `gus`.
    fn remaining(api: &Api) -> Vec<String> {
        let attributes = api.pool.attributes_of("gus");
        let remaining: Vec<Value> =
            attributes.get("identities").map_or(vec![], |text| serde_json::from_str(text).unwrap());
        remaining
            .iter()
            .map(|it| format!("{}-{}", it["providerName"].as_str().unwrap(), it["userId"].as_str().unwrap()))
            .collect()
    }

    #[tokio::test]
    async fn unlinks_an_identity_which_is_then_not_found() {
        let api = Api::new();
        assert_eq!(api.call(Call::put(PATH, &json!({"user_id": "1"}))).await.status, 200);
        assert_eq!(api.call(Call::delete("/v1/users/mia@example.com/identities/Google")).await.status, 204);
        assert!(!api.pool.attributes_of("mia").contains_key("identities"));
        let again = api.call(Call::delete(PATH)).await;
        assert_eq!((again.status, again.code()), (404, "identity-not-found"));
    }

    #[tokio::test]
    async fn unlinks_all_identities_at_the_provider_only() {
        let api = with_gus();
        assert_eq!(api.call(Call::delete("/v1/users/gus/identities/Google")).await.status, 204);
        assert_eq!(remaining(&api), ["Okta-1"]);
    }

    #[tokio::test]
    async fn a_partial_failure_lists_completed_steps_and_can_be_repeated() {
        let path = "/v1/users/gus/identities/Google";
        let api = with_gus();
        api.pool.fail("unlink", 2, Reason::Unavailable);
        let answer = api.call(Call::delete(path)).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
        assert_eq!(answer.body["completed"], json!(["unlink-identity:1"]));
        assert_eq!(answer.body["failed"], "unlink-identity:2");
        assert_eq!(remaining(&api), ["Okta-1", "Google-2"]);
        assert_eq!(api.call(Call::delete(path)).await.status, 204);
        assert_eq!(remaining(&api), ["Okta-1"]);
    }

    #[tokio::test]
    async fn an_identity_that_is_already_unlinked_is_no_error() {
        let api = with_gus();
        api.pool.fail("unlink", 1, Reason::UserNotFound);
        assert_eq!(api.call(Call::delete("/v1/users/gus/identities/Google")).await.status, 204);
    }

    #[tokio::test]
    async fn provider_names_are_case_sensitive() {
        let api = with_gus();
        let answer = api.call(Call::delete("/v1/users/gus/identities/google")).await;
        assert_eq!((answer.status, answer.code(), remaining(&api).len()), (404, "identity-not-found", 3));
    }

    #[tokio::test]
    async fn unreadable_identities_are_an_internal_error() {
        let api = Api::new();
        api.pool.add_user("odd", "Correct-1", &[], &[("identities", "not json")]);
        let answer = api.call(Call::delete("/v1/users/odd/identities/Google")).await;
        assert_eq!((answer.status, answer.code()), (500, "internal"));
    }
}
