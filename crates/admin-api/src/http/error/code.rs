//! The table of codes, statuses and texts that the caller receives. docs/errors.md documents every code; a test compares
//! it with the table.

use domain::user_pool::error::Reason;
use http::StatusCode;
use strum::VariantArray;
use utoipa::ToSchema;

/// The stable code of an error. Later versions can add codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray, ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum ErrorCode {
    InvalidRequest,
    Unauthenticated,
    InvalidCredentials,
    Forbidden,
    InsufficientScope,
    MfaRequired,
    UserNotConfirmed,
    PasswordResetRequired,
    NotFound,
    UserNotFound,
    GroupNotFound,
    DeviceNotFound,
    IdentityNotFound,
    JobNotFound,
    MethodNotAllowed,
    UserExists,
    AliasExists,
    GroupExists,
    WrongState,
    RoleNotPassable,
    UnsupportedChallenge,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidPassword,
    CodeMismatch,
    CodeExpired,
    SignUpRefused,
    Throttled,
    MailQuotaExceeded,
    Internal,
    NotSupportedByEndpoint,
    UpstreamUnavailable,
    RevocationsUnavailable,
    JobsUnavailable,
    DeadlineExceeded,
}

impl From<Reason> for ErrorCode {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::InvalidRequest => Self::InvalidRequest,
            Reason::InvalidCredentials => Self::InvalidCredentials,
            Reason::UserNotConfirmed => Self::UserNotConfirmed,
            Reason::PasswordResetRequired => Self::PasswordResetRequired,
            Reason::UserNotFound => Self::UserNotFound,
            Reason::GroupNotFound => Self::GroupNotFound,
            Reason::DeviceNotFound => Self::DeviceNotFound,
            Reason::UserExists => Self::UserExists,
            Reason::AliasExists => Self::AliasExists,
            Reason::GroupExists => Self::GroupExists,
            Reason::WrongState => Self::WrongState,
            Reason::InvalidPassword => Self::InvalidPassword,
            Reason::CodeMismatch => Self::CodeMismatch,
            Reason::CodeExpired => Self::CodeExpired,
            Reason::SignUpRefused => Self::SignUpRefused,
            Reason::Throttled | Reason::LimitReached => Self::Throttled,
            Reason::NotSupportedByEndpoint => Self::NotSupportedByEndpoint,
            Reason::Unavailable => Self::UpstreamUnavailable,
            Reason::RevocationsUnavailable => Self::RevocationsUnavailable,
            Reason::DeadlineExceeded => Self::DeadlineExceeded,
            Reason::MailQuotaExceeded => Self::MailQuotaExceeded,
            // Only the operator can fix a trigger that cannot be called, or a missing permission.
            Reason::TriggerNotInvoked | Reason::PermissionMissing | Reason::Internal => Self::Internal,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    /// What the code means.
    pub(crate) title: &'static str,
}

impl ErrorCode {
    /// All codes, in the order of docs/errors.md.
    pub(crate) const ALL: &'static [Self] = Self::VARIANTS;

    pub(crate) fn as_str(self) -> &'static str {
        self.row().code
    }

    /// Name, status and title of the code.
    pub(crate) fn row(self) -> Row {
        use StatusCode as Status;
        let row = |code, status, title| Row { code, status, title };
        match self {
            Self::InvalidRequest => row("invalid-request", Status::BAD_REQUEST, "The request is not valid."),
            Self::Unauthenticated => {
                row("unauthenticated", Status::UNAUTHORIZED, "An access token of this API's app client is required.")
            }
            Self::InvalidCredentials => {
                row("invalid-credentials", Status::UNAUTHORIZED, "The credentials are wrong or no longer valid.")
            }
            Self::Forbidden => row("forbidden", Status::FORBIDDEN, "Access is denied."),
            Self::InsufficientScope => row(
                "insufficient-scope",
                Status::FORBIDDEN,
                "The access token lacks the scope `aws.cognito.signin.user.admin`.",
            ),
            Self::MfaRequired => {
                row("mfa-required", Status::FORBIDDEN, "The caller must enroll a second factor first.")
            }
            Self::UserNotConfirmed => row("user-not-confirmed", Status::FORBIDDEN, "The user is not confirmed."),
            Self::PasswordResetRequired => {
                row("password-reset-required", Status::FORBIDDEN, "The user must set a new password first.")
            }
            Self::NotFound => row("not-found", Status::NOT_FOUND, "The route does not exist."),
            Self::UserNotFound => row("user-not-found", Status::NOT_FOUND, "The user does not exist."),
            Self::GroupNotFound => row("group-not-found", Status::NOT_FOUND, "The group does not exist."),
            Self::DeviceNotFound => row("device-not-found", Status::NOT_FOUND, "The device does not exist."),
            Self::IdentityNotFound => {
                row("identity-not-found", Status::NOT_FOUND, "The user has no identity at this provider.")
            }
            Self::JobNotFound => row("job-not-found", Status::NOT_FOUND, "The job does not exist."),
            Self::MethodNotAllowed => {
                row("method-not-allowed", Status::METHOD_NOT_ALLOWED, "The route does not support this method.")
            }
            Self::UserExists => row("user-exists", Status::CONFLICT, "A user with this name already exists."),
            Self::AliasExists => row("alias-exists", Status::CONFLICT, "Another user has this alias or identity."),
            Self::GroupExists => row("group-exists", Status::CONFLICT, "A group with this name already exists."),
            Self::UnsupportedChallenge => row(
                "unsupported-challenge",
                Status::CONFLICT,
                "The sign-in requires a step that this API does not support.",
            ),
            Self::WrongState => row(
                "wrong-state",
                Status::CONFLICT,
                "The status of the user or job, or the configuration of the deployment, does not allow this.",
            ),
            Self::RoleNotPassable => row(
                "role-not-passable",
                Status::CONFLICT,
                "The group has an IAM role that this deployment cannot pass.",
            ),
            Self::BodyTooLarge => row("body-too-large", Status::PAYLOAD_TOO_LARGE, "The body is too large."),
            Self::UnsupportedMediaType => row(
                "unsupported-media-type",
                Status::UNSUPPORTED_MEDIA_TYPE,
                "The content type of the body is not supported.",
            ),
            Self::InvalidPassword => row(
                "invalid-password",
                Status::UNPROCESSABLE_ENTITY,
                "The password does not meet the user pool's policy.",
            ),
            Self::CodeMismatch => row("code-mismatch", Status::UNPROCESSABLE_ENTITY, "The code is wrong."),
            Self::CodeExpired => row("code-expired", Status::UNPROCESSABLE_ENTITY, "The code has expired."),
            Self::SignUpRefused => row("sign-up-refused", Status::UNPROCESSABLE_ENTITY, "The sign-up was refused."),
            Self::Throttled => row("throttled", Status::TOO_MANY_REQUESTS, "The request rate or a limit is exceeded."),
            Self::MailQuotaExceeded => row(
                "mail-quota-exceeded",
                Status::TOO_MANY_REQUESTS,
                "The daily e-mail quota of the user pool is used up.",
            ),
            Self::Internal => row("internal", Status::INTERNAL_SERVER_ERROR, "An internal error occurred."),
            Self::NotSupportedByEndpoint => row(
                "not-supported-by-endpoint",
                Status::NOT_IMPLEMENTED,
                "The endpoint of the user pool does not support this operation.",
            ),
            Self::UpstreamUnavailable => {
                row("upstream-unavailable", Status::BAD_GATEWAY, "The user pool is unavailable.")
            }
            Self::RevocationsUnavailable => {
                row("revocations-unavailable", Status::SERVICE_UNAVAILABLE, "The table of revocations is unavailable.")
            }
            Self::JobsUnavailable => {
                row("jobs-unavailable", Status::SERVICE_UNAVAILABLE, "The storage of jobs is unavailable.")
            }
            Self::DeadlineExceeded => row("deadline-exceeded", Status::GATEWAY_TIMEOUT, "AWS did not respond in time."),
        }
    }

    /// The possible reasons, for errors that have no text of their own.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::InvalidRequest => "Cognito rejected a parameter of the request.",
            Self::Unauthenticated => "The request has no valid access token.",
            Self::InvalidCredentials => {
                "The user name, password, session or token is wrong, expired or revoked, or the user cannot sign in."
            }
            Self::Forbidden => "The caller lacks the permission `users:read`.",
            Self::InsufficientScope => {
                "Cognito requires the scope to verify the caller. Sign in with `POST /v1/auth/sign-in`, or \
                request the scope from the managed login."
            }
            Self::MfaRequired => {
                "The deployment requires a second factor of callers with permissions. Send the requests in \
                `next_actions`, in this order."
            }
            Self::UserNotConfirmed => {
                "The user must enter the confirmation code, or an administrator must confirm the user."
            }
            Self::PasswordResetRequired => {
                "The password was reset. Set a new password with `POST /v1/auth/reset-password` and the code that was sent."
            }
            Self::NotFound => "No route of this function has this path. Names in paths must be percent-encoded.",
            Self::UserNotFound => "No user has the given user name, alias or `sub`.",
            Self::GroupNotFound => "No group of the pool has the given name.",
            Self::DeviceNotFound => "The user has no device with the given key.",
            Self::IdentityNotFound => "None of the user's identities belongs to the given provider.",
            Self::JobNotFound => {
                "No job of the last 90 days has the given id. A new job can be missing for a few seconds."
            }
            Self::MethodNotAllowed => "Use one of the methods in the header `Allow`.",
            Self::UserExists => "Another user has this user name, or signs in with this address.",
            Self::AliasExists => "Another user has this e-mail address, phone number, preferred user name or identity.",
            Self::GroupExists => "Choose another name, or update the group with `PATCH /v1/groups/{group}`.",
            Self::UnsupportedChallenge => "The sign-in requires the challenge `CUSTOM_CHALLENGE`.",
            Self::WrongState => "The current status of the user does not allow this operation.",
            Self::RoleNotPassable => {
                "The template's parameter `PassableRoleArns` does not list the IAM role of the group."
            }
            Self::BodyTooLarge => "The body must be at most 64 KiB.",
            Self::UnsupportedMediaType => "The header `Content-Type` must be `application/json`.",
            Self::InvalidPassword => {
                "The password is too short, lacks a required kind of character, or was used before."
            }
            Self::CodeMismatch => "Enter the most recently sent code, or the current code of the authenticator app.",
            Self::CodeExpired => "Request a new code.",
            Self::SignUpRefused => "The pool's sign-up policy or one of its triggers rejected the user.",
            Self::Throttled => {
                "The user pool receives too many requests. Retry after the time in the header `Retry-After`."
            }
            Self::MailQuotaExceeded => {
                "The message was not sent. The request may have taken effect; read the current state before a retry."
            }
            Self::Internal => {
                "A write may have taken effect. The function's log contains the cause under this `request_id`."
            }
            Self::NotSupportedByEndpoint => "The endpoint is an emulator that lacks an operation of Amazon Cognito.",
            Self::UpstreamUnavailable => {
                "AWS returned a server error or could not be reached. The request may have taken effect."
            }
            Self::RevocationsUnavailable => {
                "DynamoDB throttled the request or could not be reached. The user pool is unchanged, unless `completed` \
                lists a step."
            }
            Self::JobsUnavailable => {
                "Amazon S3 or AWS Step Functions throttled the request, failed or could not be reached. The request may \
                have taken effect, and is safe to repeat."
            }
            Self::DeadlineExceeded => "The request may have taken effect. Read the current state before a retry.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let names: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn docs_errors_md_documents_exactly_these_codes() {
        let documented: Vec<Vec<&str>> = include_str!("../../../../../docs/errors.md")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let code = |cells: &Vec<&str>| cells[0].to_owned();
        assert_eq!(
            documented.iter().map(code).collect::<Vec<_>>(),
            ErrorCode::ALL.iter().map(|code| format!("`{}`", code.as_str())).collect::<Vec<_>>()
        );
        for (cells, code) in documented.iter().zip(ErrorCode::ALL) {
            let Row { status, title, .. } = code.row();
            assert_eq!((cells[1], cells[2]), (status.as_str(), title), "{code:?}");
            assert_eq!(cells.len(), 5, "{code:?}: code, status, meaning, caller, operator");
            assert!(cells[3..].iter().all(|cell| cell.ends_with('.')), "{code:?}: a cell is not a sentence");
        }
    }

    #[test]
    fn detail_never_repeats_title() {
        for code in ErrorCode::ALL {
            let (title, detail) = (code.row().title, code.detail());
            assert!(title != detail && title.ends_with('.') && detail.ends_with('.'), "{code:?}");
        }
    }
}
