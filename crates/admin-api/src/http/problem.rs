//! How a failure is told: an RFC 9457 problem for the caller, one log line for the operator.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::user_pool::error::Reason;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::error::{ApiError, ErrorCode, Row};
use crate::http::gateway::RequestId;

/// Cognito's quotas of requests are counted per second.
const A_MOMENT: HeaderValue = HeaderValue::from_static("1");

/// What one user may try, or a pool may hold, is used up for longer. Cognito does not say for how long; a lockout lasts up to 15 minutes, and
/// whoever asks meanwhile prolongs it.
const A_QUARTER_OF_AN_HOUR: HeaderValue = HeaderValue::from_static("900");

/// AWS does not document when the daily quota of e-mail messages is renewed.
const AN_HOUR: HeaderValue = HeaderValue::from_static("3600");

fn retry_after(error: &ApiError) -> HeaderValue {
    match error {
        _ if error.code() == ErrorCode::MailQuotaExceeded => AN_HOUR,
        ApiError::UserPool(source) | ApiError::Partial { source, .. } if source.reason == Reason::LimitReached => {
            A_QUARTER_OF_AN_HOUR
        }
        _ => A_MOMENT,
    }
}

/// An error on its way out, before it has a body.
#[derive(Clone)]
pub(crate) struct Failed(Arc<ApiError>);

impl IntoResponse for ApiError {
    /// Passes the error on to [`render`], which knows the request and writes the body.
    fn into_response(self) -> Response {
        let mut response = self.code().row().status.into_response();
        response.extensions_mut().insert(Failed(Arc::new(self)));
        response
    }
}

/// The code of an answer that is a failure.
pub(crate) fn code_of(response: &Response) -> Option<ErrorCode> {
    response.extensions().get::<Failed>().map(|Failed(error)| error.code())
}

/// Which calls of several stand, in an answer that says so.
pub(crate) fn completed_of(response: &Response) -> Option<&[String]> {
    match response.extensions().get::<Failed>().map(|Failed(error)| &**error) {
        Some(ApiError::Partial { completed, .. }) => Some(completed),
        _ => None,
    }
}

/// What went wrong (RFC 9457). `type` and `title` depend on `code` alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// The code as a URI.
    #[schema(example = "urn:poolkeeper:problem:user-not-found")]
    r#type: String,
    /// What the code means. For people.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// Stable: programs decide on it.
    code: &'static str,
    /// What it is in this case. For people.
    detail: String,
    /// The place of the request that is wrong: a path into the body, or the name of a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<&'a str>,
    /// What an existing user differs in from the one that the request describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    differing: Option<&'a [String]>,
    /// Which calls of several stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    completed: Option<&'a [String]>,
    /// Which call of several failed, or `answer` where all are done and there was no time left to show the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failed: Option<&'a str>,
    /// The requests that lead on, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    next_actions: Option<&'a [&'static str]>,
    /// The id of the request, as API Gateway's log and the function's have it.
    request_id: &'a str,
}

impl Problem<'_> {
    /// As the OpenAPI document shows it.
    pub(crate) fn example(code: ErrorCode) -> Value {
        let Row { code, status, title } = code.row();
        json!({
            "type": format!("urn:poolkeeper:problem:{code}"), "title": title, "status": status.as_u16(), "code": code,
            "detail": title, "request_id": "JKJaXmPLvHcESHA=",
        })
    }
}

impl<'a> Problem<'a> {
    fn of(error: &'a ApiError, id: &'a RequestId) -> Self {
        let row = error.code().row();
        let mut problem = Self {
            r#type: format!("urn:poolkeeper:problem:{}", row.code),
            title: row.title,
            status: row.status.as_u16(),
            code: row.code,
            detail: row.title.to_owned(),
            field: None,
            differing: None,
            completed: None,
            failed: None,
            next_actions: None,
            request_id: id.as_str(),
        };
        match error {
            ApiError::InvalidRequest { field, detail } => {
                problem.field = field.as_deref();
                problem.detail.clone_from(detail);
            }
            ApiError::Partial { completed, failed, advice, .. } => {
                problem.completed = Some(completed);
                problem.failed = Some(failed);
                problem.detail = format!("{} What is in `completed` stands. {}", row.title, advice.text());
            }
            ApiError::UserDiffers(fields) => {
                problem.differing = Some(fields);
                "The user exists and differs from the request in `differing`.".clone_into(&mut problem.detail);
            }
            ApiError::OtherIdentity => {
                "The user has another identity at this provider: unlink that one first."
                    .clone_into(&mut problem.detail);
            }
            ApiError::NoInvitations => {
                "The sign-up policy of this pool takes no invitations.".clone_into(&mut problem.detail);
            }
            ApiError::GroupInRoles(group) => {
                problem.detail = format!(
                    "The deployment gives the group `{group}` permissions. An operator must remove it from the template's parameter `Roles` first."
                );
            }
            ApiError::AddressHeld => {
                "A user of the pool holds this e-mail address, verified.".clone_into(&mut problem.detail);
            }
            ApiError::HolderUnknown => {
                "Whether a user of the pool holds this e-mail address cannot be told: too many users would have to be looked at."
                    .clone_into(&mut problem.detail);
            }
            ApiError::RoleNotPassable(role) => {
                problem.detail = format!(
                    "The group has the IAM role {role}, and an update must pass it. Add the ARN to the template's parameter `PassableRoleArns`."
                );
            }
            ApiError::MfaRequired => {
                problem.next_actions =
                    Some(&["POST /v1/auth/me/totp", "POST /v1/auth/me/totp/verify", "POST /v1/auth/sign-in"]);
                "The caller must enroll a second factor first, as `next_actions` says.".clone_into(&mut problem.detail);
            }
            ApiError::AuthenticatorExists => {
                "The user has an authenticator. Remove it first: `DELETE /v1/auth/me/totp`."
                    .clone_into(&mut problem.detail);
            }
            // A word of Cognito's own, and no text.
            ApiError::UnsupportedChallenge(name) => {
                problem.detail = format!("The sign-in asks for `{name}`, which this API does not support.");
            }
            ApiError::RouteNotFound
            | ApiError::IdentityNotFound
            | ApiError::MethodNotAllowed
            | ApiError::UnsupportedMediaType
            | ApiError::BodyTooLarge
            | ApiError::Unauthenticated(_)
            | ApiError::Forbidden(_)
            | ApiError::MissingScope
            | ApiError::UserPool(_)
            | ApiError::Internal(_) => {}
        }
        problem
    }
}

/// Gives every failure its body and its log line. No answer is to be kept by anybody in between: they hold tokens and people.
pub(crate) async fn render(id: RequestId, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
        log(&error, &id);
        let body = axum::Json(Problem::of(&error, &id)).into_response().into_body();
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The bare answer had no body, and says so.
        headers.remove(http::header::CONTENT_LENGTH);
        match error.code().row().status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::TOO_MANY_REQUESTS => drop(headers.insert(RETRY_AFTER, retry_after(&error))),
            _ => {}
        }
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the caller can act on is a warning, what only the operator can act on is an error.
fn log(error: &ApiError, id: &RequestId) {
    let code = error.code();
    let chain = startup::causes(error);
    let aws_request_id = match error {
        ApiError::UserPool(source) | ApiError::Partial { source, .. } => source.request_id.as_deref(),
        _ => None,
    };
    let request_id = id.as_str();
    let needs_operator = matches!(code, ErrorCode::MailQuotaExceeded | ErrorCode::RoleNotPassable);
    if needs_operator || code.row().status.is_server_error() {
        tracing::error!(code = code.as_str(), error = chain, request_id, aws_request_id, "request failed");
    } else {
        tracing::warn!(code = code.as_str(), error = chain, request_id, aws_request_id, "request refused");
    }
}
