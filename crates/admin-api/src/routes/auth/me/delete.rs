//! `DELETE /v1/auth/me`: deletes the user's own account.

use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access_token::AccessToken;
use crate::http::error::{Advice, ApiError};

/// Delete the own account
///
/// Deletes the user permanently. With the session gate, the user's tokens end immediately at services that check
/// revocations.
#[utoipa::path(
    delete, path = "/v1/auth/me", tag = "auth", operation_id = "delete_myself",
    responses((status = 204, description = "The user is deleted.")),
    extensions(("x-problems" = json!([
        "invalid-credentials", "user-not-confirmed", "password-reset-required", "revocations-unavailable"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    AccessToken(access_token): AccessToken,
) -> Result<StatusCode, ApiError> {
    let owner = app.self_service.myself(&access_token).await?;
    audit.on(&owner.username);
    let delete = async {
        app.self_service.delete_myself(&access_token).await?;
        progress.advise(Advice::AwaitExpiry);
        Ok(())
    };
    app.end_sessions(&progress, &owner.attributes, "delete", delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::revocation::{Revocation, Scope};
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

    use crate::testing::{Api, Call};

    fn delete(token: &str) -> Call {
        Call::delete("/v1/auth/me").anonymous().header("authorization", &format!("Bearer {token}"))
    }

    #[tokio::test]
    async fn deletes_the_owner_of_the_token_once() {
        let api = Api::new();
        let token = api.sign_in("mia").await.access;
        assert_eq!(api.call(delete(&token)).await.status, 204);
        assert_eq!(api.pool.user("mia"), None);
        let again = api.call(delete(&token)).await;
        assert_eq!((again.status, again.code()), (401, "invalid-credentials"));
    }

    #[tokio::test]
    async fn with_gate_deletes_no_user_without_a_revocation() {
        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        let token = api.sign_in("mia").await.access;
        revocations.set_fault(Some(Fault::Unavailable));
        assert_eq!(api.call(delete(&token)).await.status, 503);
        assert!(api.pool.user("mia").is_some());
        revocations.set_fault(None);
        let user = Scope::User(api.sub_of("mia"));
        assert_eq!(api.call(delete(&token)).await.status, 204);
        assert_eq!(revocations.all(), [(user, Revocation::of_sign_ins_until(0))].into());
    }
}
