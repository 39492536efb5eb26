//! `DELETE /v1/users/{username}`: deletes a user.

use axum::extract::State;
use domain::user_pool::user::Username;
use http::StatusCode;

use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::target_user::OtherUser;
use crate::http::error::{Advice, ApiError};

/// Delete a user
///
/// Deletes the user permanently. With the session gate, the user's tokens end immediately at services that check
/// revocations. Callers cannot delete themselves.
#[utoipa::path(
    delete, path = "/v1/users/{username}", tag = "users", operation_id = "delete_user",
    params(("username" = Username, Path)),
    responses((status = 204, description = "The user is deleted.")),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    progress: Progress,
    OtherUser(user): OtherUser,
) -> Result<StatusCode, ApiError> {
    let delete = async {
        app.pool.delete(&user.id()).await?;
        progress.advise(Advice::AwaitExpiry);
        Ok(())
    };
    app.end_sessions(&progress, &user.attributes, "delete", delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn deletes_a_user_who_is_then_not_found() {
        let api = Api::new();
        assert_eq!(api.call(Call::delete("/v1/users/mia")).await.status, 204);
        assert_eq!(api.pool.user("mia"), None);
        let again = api.call(Call::delete("/v1/users/mia")).await;
        assert_eq!((again.status, again.code()), (404, "user-not-found"));
    }
}
