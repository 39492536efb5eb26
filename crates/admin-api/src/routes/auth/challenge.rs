//! `POST /v1/auth/challenge`: answers the challenge of a sign-in.

mod request;

use axum::extract::State;
use domain::user_pool::sessions::ChallengeResponse;

use self::request::Body;
use super::{ChallengeView, Outcome, TokensView, require_writable};
use crate::app::App;
use crate::audit::record::Audit;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::JsonText;

/// The names of the fields for the audit record.
fn fields(response: &ChallengeResponse) -> Vec<&str> {
    match response {
        ChallengeResponse::NewPassword { attributes, .. } => {
            std::iter::once("permanent_password").chain(attributes.keys().map(String::as_str)).collect()
        }
        ChallengeResponse::Code { .. } => vec!["code"],
        ChallengeResponse::SelectFactor(_) => vec!["factor"],
        ChallengeResponse::BeginSetup => vec![],
        ChallengeResponse::FinishSetup { .. } => vec!["authenticator"],
    }
}

/// Answer a challenge
///
/// Returns tokens, or the next challenge. `attributes` can contain only write attributes of the app client. A session
/// is valid for one correct answer; after a wrong code, the same session accepts another code.
#[utoipa::path(
    post, path = "/v1/auth/challenge", tag = "auth", operation_id = "answer_challenge",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "Tokens or a challenge.", body = Outcome, examples(
        ("tokens" = (summary = "Signed in", value = json!({"tokens": TokensView::example()}))),
        ("challenge" = (summary = "Next challenge", value = json!({"challenge": ChallengeView::example()}))),
    ))),
    extensions(("x-problems" = json!([
        "mail-quota-exceeded", "invalid-credentials", "user-not-confirmed", "password-reset-required", "alias-exists", "unsupported-challenge",
        "invalid-password", "code-mismatch", "code-expired"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    ClientInfo(context): ClientInfo,
    text: JsonText,
) -> Result<axum::Json<Outcome>, ApiError> {
    let answer = Body::read(&text)?.answer(context);
    audit.fields(fields(&answer.response));
    if let ChallengeResponse::NewPassword { attributes, .. } = &answer.response {
        require_writable(&app, attributes).await?;
    }
    let outcome = Outcome::try_from(app.sessions.answer_challenge(&answer).await?)?;
    // `AssociateSoftwareToken` takes only the session, so the user name in the request is not verified.
    if !matches!(answer.response, ChallengeResponse::BeginSetup) {
        audit.on(outcome.username());
    }
    Ok(axum::Json(outcome))
}

#[cfg(test)]
mod tests;
