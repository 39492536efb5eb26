//! Error responses: an RFC 9457 problem for the caller and one log line for the operator.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::sign_up::Refusal;
use domain::user_pool::error::{Reason, UserPoolError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::error::{ApiError, ErrorCode, Row, sentence};
use crate::http::gateway::RequestId;

/// Cognito counts request rates per second.
const ONE_SECOND: HeaderValue = HeaderValue::from_static("1");

/// Attempt limits of a user and quotas of a pool last longer. Cognito does not report how long. A lockout lasts up to
/// 15 minutes, and further attempts prolong it.
const FIFTEEN_MINUTES: HeaderValue = HeaderValue::from_static("900");

/// AWS does not document when the daily e-mail quota is renewed.
const ONE_HOUR: HeaderValue = HeaderValue::from_static("3600");

fn retry_after(error: &ApiError) -> HeaderValue {
    match error {
        _ if error.code() == ErrorCode::MailQuotaExceeded => ONE_HOUR,
        ApiError::UserPool(source) | ApiError::Partial { source, .. } if source.reason == Reason::LimitReached => {
            FIFTEEN_MINUTES
        }
        _ => ONE_SECOND,
    }
}

/// The error of a response that has no body yet.
#[derive(Clone)]
pub(crate) struct Failed(Arc<ApiError>);

impl IntoResponse for ApiError {
    /// Attaches the error for [`render`], which writes the body with the request id.
    fn into_response(self) -> Response {
        let mut response = self.code().row().status.into_response();
        response.extensions_mut().insert(Failed(Arc::new(self)));
        response
    }
}

/// The error code of a response.
pub(crate) fn code_of(response: &Response) -> Option<ErrorCode> {
    response.extensions().get::<Failed>().map(|Failed(error)| error.code())
}

/// The completed steps of a partial failure.
pub(crate) fn completed_of(response: &Response) -> Option<&[String]> {
    match response.extensions().get::<Failed>().map(|Failed(error)| &**error) {
        Some(ApiError::Partial { completed, .. }) => Some(completed),
        _ => None,
    }
}

/// Problem details (RFC 9457). `type` and `title` depend on `code` alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// The code as a URI.
    #[schema(example = "urn:poolkeeper:problem:user-not-found")]
    r#type: String,
    /// The meaning of the code. The wording can change.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code, for programs.
    #[schema(value_type = ErrorCode)]
    code: &'static str,
    /// The reason in this case. The wording can change.
    detail: String,
    /// The invalid part of the request: a path into the body, or the name of a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<&'a str>,
    /// The fields in which the existing user differs from the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    differing: Option<&'a [String]>,
    /// The steps of the request that took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    completed: Option<&'a [String]>,
    /// The step that failed, or `answer` if all steps took effect and no time was left to read the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failed: Option<&'a str>,
    /// The requests to send next, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    next_actions: Option<&'a [&'static str]>,
    /// The request id, as in the logs of API Gateway and of the function.
    request_id: &'a str,
}

impl Problem<'_> {
    /// The example in the OpenAPI document.
    pub(crate) fn example(code: ErrorCode) -> Value {
        let Row { code: name, status, title } = code.row();
        json!({
            "type": format!("urn:poolkeeper:problem:{name}"), "title": title, "status": status.as_u16(), "code": name,
            "detail": code.detail(), "request_id": "JKJaXmPLvHcESHA=",
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
            detail: detail(error),
            field: None,
            differing: None,
            completed: None,
            failed: None,
            next_actions: None,
            request_id: id.as_str(),
        };
        match error {
            ApiError::InvalidRequest { field, .. } => problem.field = field.as_deref(),
            ApiError::Partial { completed, failed, .. } => {
                problem.completed = Some(completed);
                problem.failed = Some(failed);
            }
            ApiError::UserDiffers(fields) => problem.differing = Some(fields),
            ApiError::MfaRequired => {
                problem.next_actions =
                    Some(&["POST /v1/auth/me/totp", "POST /v1/auth/me/totp/verify", "POST /v1/auth/sign-in"]);
            }
            _ => {}
        }
        problem
    }
}

/// The reason for an error. It contains no messages of AWS or of triggers, except the fixed sentences of the sign-up
/// policy, which Cognito also returns to the user.
fn detail(error: &ApiError) -> String {
    match error {
        ApiError::InvalidRequest { detail, .. } => detail.clone(),
        ApiError::Unauthenticated(reason) => sentence(reason),
        ApiError::Forbidden(rule) => sentence(rule),
        ApiError::Job(conflict) => sentence(conflict),
        ApiError::Partial { source, advice, .. } => {
            format!(
                "{} The steps in `completed` took effect; the step in `failed` may have taken effect. {}",
                user_pool_detail(source),
                advice.text()
            )
        }
        ApiError::UserDiffers(_) => {
            "The user exists and differs from the request in the fields in `differing`.".to_owned()
        }
        ApiError::OtherIdentity => "The user has another identity at this provider. Unlink it first.".to_owned(),
        ApiError::NoInvitations => "The sign-up policy of this pool does not use invitations.".to_owned(),
        ApiError::NoSessionGate => {
            "The deployment stores no revocations (parameter `SessionGate` of the template).".to_owned()
        }
        ApiError::GroupInRoles(group) => format!(
            "The template's parameter `Roles` lists the group `{group}`. Remove the group from the parameter first."
        ),
        ApiError::AddressHeld => "The e-mail address is the verified address of a user of the pool.".to_owned(),
        ApiError::HolderUnknown => {
            "Too many users share this e-mail address to check whether one of them has verified it.".to_owned()
        }
        ApiError::RoleNotPassable(role) => format!(
            "An update of the group passes the IAM role {role} to Cognito. Add this ARN to the template's parameter \
            `PassableRoleArns`."
        ),
        ApiError::AuthenticatorExists => {
            "The user has an authenticator app. Remove it first with `DELETE /v1/auth/me/totp`.".to_owned()
        }
        // The name of a challenge comes from Cognito, not from a user.
        ApiError::UnsupportedChallenge(name) => format!("The sign-in requires the challenge `{name}`."),
        ApiError::UserPool(source) => user_pool_detail(source),
        _ => error.code().detail().to_owned(),
    }
}

fn user_pool_detail(error: &UserPoolError) -> String {
    match error {
        UserPoolError { reason: Reason::WrongState, operation, .. } => state_detail(operation).to_owned(),
        UserPoolError { reason: Reason::LimitReached, .. } => {
            "There were too many attempts, or a quota of the user or the pool is reached.".to_owned()
        }
        UserPoolError { reason: Reason::SignUpRefused, source: Some(source), .. } => {
            let policy = Refusal::sentence_in(&source.to_string());
            policy.map_or_else(|| ErrorCode::SignUpRefused.detail().to_owned(), |policy| sentence(&policy))
        }
        _ => ErrorCode::from(error.reason).detail().to_owned(),
    }
}

/// Why the status of a user or the configuration of the pool does not allow this operation of Cognito.
fn state_detail(operation: &str) -> &'static str {
    match operation {
        "AdminCreateUser" => "The user has no temporary password, or the name now belongs to another user.",
        "AdminConfirmSignUp" => "Only unconfirmed users who signed up can be confirmed.",
        "AdminLinkProviderForUser" => "The user comes from an external identity provider.",
        "AdminListDevices" | "AdminForgetDevice" => "Device tracking is not enabled on this pool.",
        "AdminListUserAuthEvents" => "Threat protection is not enabled on this pool.",
        "AdminResetUserPassword" | "ForgotPassword" => {
            "The status of the user does not allow a reset, or no e-mail address or phone number is verified."
        }
        "AdminSetUserMFAPreference" | "SetUserMFAPreference" => {
            "A factor is not set up, the pool does not offer it, the pool requires it, or the user is not confirmed."
        }
        "AssociateSoftwareToken" | "VerifySoftwareToken" => "The pool does not offer authenticator apps.",
        "ConfirmSignUp" | "ResendConfirmationCode" => "The user is already confirmed, or disabled.",
        "GetUserAttributeVerificationCode" | "VerifyUserAttribute" => "The user does not have this attribute.",
        _ => ErrorCode::WrongState.detail(),
    }
}

/// Writes the body and the log line of every error, and forbids caching: responses contain tokens and personal data.
pub(crate) async fn render(id: RequestId, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() {
        log(&error, &id);
        let body = axum::Json(Problem::of(&error, &id)).into_response().into_body();
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The header has the length of the response without a body.
        headers.remove(http::header::CONTENT_LENGTH);
        match error.code().row().status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                drop(headers.insert(RETRY_AFTER, retry_after(&error)));
            }
            _ => {}
        }
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Logs a warning if the caller can fix the request, and an error if only the operator can.
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
        tracing::warn!(code = code.as_str(), error = chain, request_id, aws_request_id, "request rejected");
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::FromRequestParts as _;
    use domain::jobs::StoreError;

    use super::*;
    use crate::http::error::{Advice, Forbidden, JobConflict, Unauthenticated};

    /// Errors with every code, and every error with a text of its own.
    fn errors() -> Vec<ApiError> {
        let failed = |operation, reason| ApiError::UserPool(UserPoolError::new(operation, reason));
        let partial = |advice| ApiError::Partial {
            completed: vec!["create-user".to_owned()],
            failed: "set-password".to_owned(),
            advice,
            source: UserPoolError::new("AdminSetUserPassword", Reason::Unavailable),
        };
        let mut errors = vec![
            ApiError::RouteNotFound,
            ApiError::MethodNotAllowed,
            ApiError::UnsupportedMediaType,
            ApiError::BodyTooLarge,
            ApiError::ambiguous_user(),
            ApiError::Unauthenticated(Unauthenticated::Expired),
            ApiError::Forbidden(Forbidden::OwnAccount),
            ApiError::MissingScope,
            ApiError::MfaRequired,
            ApiError::GroupInRoles("admins".parse().unwrap()),
            ApiError::IdentityNotFound,
            ApiError::OtherIdentity,
            ApiError::UserDiffers(vec!["email".to_owned()]),
            ApiError::NoInvitations,
            ApiError::AddressHeld,
            ApiError::HolderUnknown,
            ApiError::RoleNotPassable("arn:aws:iam::123456789012:role/shop".to_owned()),
            ApiError::AuthenticatorExists,
            ApiError::UnsupportedChallenge("CUSTOM_CHALLENGE".to_owned()),
            partial(Advice::Repeat),
            partial(Advice::EnrollAgain),
            partial(Advice::SignOut),
            ApiError::JobNotFound,
            ApiError::Job(JobConflict::NoFile),
            ApiError::JobsUnavailable(StoreError::Changed),
            ApiError::Internal("a defect"),
        ];
        errors.extend(
            [
                Reason::InvalidRequest,
                Reason::InvalidCredentials,
                Reason::UserNotConfirmed,
                Reason::PasswordResetRequired,
                Reason::UserNotFound,
                Reason::GroupNotFound,
                Reason::DeviceNotFound,
                Reason::UserExists,
                Reason::AliasExists,
                Reason::GroupExists,
                Reason::InvalidPassword,
                Reason::CodeMismatch,
                Reason::CodeExpired,
                Reason::SignUpRefused,
                Reason::LimitReached,
                Reason::MailQuotaExceeded,
                Reason::Throttled,
                Reason::RevocationsUnavailable,
                Reason::DeadlineExceeded,
                Reason::NotSupportedByEndpoint,
            ]
            .map(|reason| failed("AdminGetUser", reason)),
        );
        errors.extend(
            [
                "AdminCreateUser",
                "AdminConfirmSignUp",
                "AdminLinkProviderForUser",
                "AdminListDevices",
                "AdminListUserAuthEvents",
                "AdminResetUserPassword",
                "AdminSetUserMFAPreference",
                "AssociateSoftwareToken",
                "ConfirmSignUp",
                "GetUserAttributeVerificationCode",
                "AdminDeleteUser",
            ]
            .map(|operation| failed(operation, Reason::WrongState)),
        );
        errors
    }

    #[tokio::test]
    async fn bodies_by_code() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let Ok(id) = RequestId::from_request_parts(&mut parts, &()).await;
        let errors = errors();
        let bodies = ErrorCode::ALL.iter().flat_map(|code| {
            let bodies: Vec<_> = errors.iter().filter(|error| error.code() == *code).collect();
            assert!(!bodies.is_empty(), "no error has the code {code:?}");
            bodies.into_iter().map(|error| serde_json::to_string(&Problem::of(error, &id)).unwrap())
        });
        insta::assert_snapshot!(bodies.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn refused_sign_up_repeats_only_sentences_of_the_policy() {
        let detail_of = |message: &str| {
            let refused = UserPoolError::new("SignUp", Reason::SignUpRefused);
            detail(&UserPoolError { source: Some(message.into()), ..refused }.into())
        };
        let denied = "E-mail addresses of this domain cannot be used to sign up.";
        assert_eq!(detail_of(&format!("UserLambdaValidationException: PreSignUp failed with error {denied}")), denied);
        let foreign = "UserLambdaValidationException: PreSignUp failed with error Canary.";
        assert_eq!(detail_of(foreign), ErrorCode::SignUpRefused.detail());
    }
}
