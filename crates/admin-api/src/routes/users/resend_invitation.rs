//! `POST /v1/users/{username}/resend-invitation`: sends the welcome message again.

use axum::Json;
use axum::extract::State;
use domain::user_pool::creation_name::name_at_creation;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::user::Username;
use startup::metrics;

use crate::app::App;
use crate::authz::access::Authorized;
use crate::authz::target_user::OtherUser;
use crate::http::error::ApiError;
use crate::routes::target::Target;
use crate::routes::user_view::UserView;

/// Resend a user's welcome message
///
/// Sends the welcome message (AWS: the invitation message of `AdminCreateUser`) again, with a new temporary password
/// that is valid for as long as the first password. This also helps users whose temporary password has expired. Returns
/// `wrong-state` if the status is not `FORCE_CHANGE_PASSWORD`. Each request sends another message. Callers cannot resend
/// their own message, because it would replace their password.
#[utoipa::path(
    post, path = "/v1/users/{username}/resend-invitation", tag = "users", operation_id = "resend_user_invitation",
    params(("username" = Username, Path)),
    responses((
        status = 200, description = "The welcome message is sent.", body = UserView,
        example = json!(UserView::example_of_an_invited_user())
    )),
    extensions(("x-problems" = json!([
        "mail-quota-exceeded", "user-not-found", "wrong-state", "sign-up-refused", "invalid-password", "user-exists"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    Target(typed): Target,
    OtherUser(user): OtherUser,
) -> Result<Json<UserView>, ApiError> {
    // `AdminCreateUser` does not accept a `sub`.
    if user.could_be_another_sub() {
        return Err(ApiError::ambiguous_user());
    }
    let name = name_at_creation(&user, &typed);
    // The name at creation can be an address that belongs to another user by now.
    if name != user.username && app.pool.get(&name).await?.username != user.username {
        return Err(UserPoolError::new("AdminCreateUser", Reason::WrongState).into());
    }
    let invited = app.pool.resend_invitation(&name, &user.attributes).await?;
    metrics::mail();
    Ok(Json(app.view(invited, &authorized).await))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/resend-invitation";

    fn with_mia(status: UserStatus) -> Api {
        let api = Api::new();
        api.pool.set_status("mia", status);
        api
    }

    #[tokio::test]
    async fn hides_attributes_from_callers_without_users_read() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let answer =
            api.call(Call::post("/v1/users/mia/resend-invitation", None).by(token("cleo", "[creators]"))).await;
        assert_eq!((answer.status, &answer.body["attributes"]), (200, &json!({})));
    }

    /// Adds a user whose name Cognito generated, as in pools with e-mail sign-in.
    fn add_user_by_address(api: &Api, address: &str) -> String {
        api.pool.add_user("before", "Correct-1", &[], &[]);
        let (beginning, number) =
            api.sub_of("before").rsplit_once('-').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let name = format!("{beginning}-{:012}", number.parse::<u64>().unwrap() + 1);
        api.pool.add_user(&name, "Correct-1", &[], &[("email", address)]);
        api.pool.set_status(&name, UserStatus::ForceChangePassword);
        assert_eq!(api.sub_of(&name), name);
        name
    }

    #[tokio::test]
    async fn rejects_an_address_that_belongs_to_another_user_by_now() {
        let api = with_mia(UserStatus::ForceChangePassword);
        let name = add_user_by_address(&api, "mia@example.com");
        let answer = api.call(Call::post(&format!("/v1/users/{name}/resend-invitation"), None)).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
        assert_eq!((api.pool.welcome_messages_of("mia"), api.pool.welcome_messages_of(&name)), (0, 0));
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
    }

    #[tokio::test]
    async fn each_request_sends_another_message() {
        let api = with_mia(UserStatus::ForceChangePassword);
        for sent in 1..=2 {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, &answer.body["username"]), (200, &json!("mia")));
            assert_eq!(answer.body["life_cycle"]["state"], "invited");
            assert_eq!(api.pool.welcome_messages_of("mia"), sent);
        }
        assert!(!api.pool.has_password("mia", "Password-of-mia-1"));
    }

    #[tokio::test]
    async fn replaces_an_expired_temporary_password() {
        let api = with_mia(UserStatus::ForceChangePassword);
        api.days_pass(8).await;
        let shown = api.call(Call::get("/v1/users/mia")).await;
        assert_eq!(shown.body["life_cycle"]["state"], "invitation-expired");
        let answer = api.call(Call::post(PATH, None)).await;
        assert_eq!((answer.status, &answer.body["life_cycle"]["state"]), (200, &json!("invited")));
    }

    #[tokio::test]
    async fn rejects_users_without_a_temporary_password() {
        for status in [UserStatus::Confirmed, UserStatus::Unconfirmed, UserStatus::ResetRequired] {
            let api = with_mia(status.clone());
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?}");
            assert!(!api.pool.was_invited("mia"), "{status:?}");
        }
    }
}
