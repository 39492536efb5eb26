//! What can go wrong, and the one table of what the caller is told about it.
//!
//! Two texts for every failure: the `detail` of the table is for the caller; `Display` and the chain of causes are for the log.
//! docs/ERRORS.md says of every code what to do; a test compares it with the table.

use domain::permission::Permission;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::GroupName;
use http::StatusCode;
use thiserror::Error;

/// Why a request was not served.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// No route has this path.
    #[error("no route has this path")]
    RouteNotFound,
    /// The path has other methods.
    #[error("the route does not have this method")]
    MethodNotAllowed,
    /// The body is not declared as JSON.
    #[error("the content type is not JSON")]
    UnsupportedMediaType,
    /// The body is longer than we read.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The request is wrong in itself.
    #[error("the request is wrong at {}: {detail}", field.as_deref().unwrap_or("the whole"))]
    InvalidRequest {
        /// Where, as a path into the body, or the name of a parameter.
        field: Option<String>,
        /// What was expected. Goes to the caller, and must not hold values from the request.
        detail: String,
    },
    /// Nobody is calling.
    #[error("the caller is not known")]
    Unauthenticated(#[source] Unauthenticated),
    /// Somebody is calling who may not.
    #[error("the caller may not do this")]
    Forbidden(#[source] Forbidden),
    /// The user pool cannot be asked about the caller.
    #[error("the access token lacks the scope `aws.cognito.signin.user.admin`, which `GetUser` requires")]
    MissingScope,
    /// The deployment requires a second factor of the caller.
    #[error("ADMIN_MFA requires a second factor, and the caller has none")]
    MfaRequired,
    /// The deployment gives the group permissions.
    #[error("ROLES names the group {0}")]
    GroupInRoles(GroupName),
    /// The user has no identity at this provider.
    #[error("the user has no identity at this provider")]
    IdentityNotFound,
    /// The user has another identity at this provider.
    #[error("the user has another identity at this provider")]
    OtherIdentity,
    /// The user is there already, and is not the one that the request describes.
    #[error("the user exists and differs in {}", .0.join(", "))]
    UserDiffers(Vec<String>),
    /// There is no key to sign invitations with.
    #[error("invitations are not set up")]
    NoInvitations,
    /// A user of the pool holds the address that is to be invited.
    #[error("a user of the pool holds the address")]
    AddressHeld,
    /// Too many users have the address to look at all of them.
    #[error("too many users are to be looked at to tell whether one of them holds the address")]
    HolderUnknown,
    /// An update of the group would pass its role, which the function may not pass.
    #[error("the group has role {0}, which PASSABLE_ROLE_ARNS does not list")]
    RoleNotPassable(String),
    /// The user has an authenticator, which a new one would replace.
    #[error("the user has an authenticator")]
    AuthenticatorExists,
    /// The sign-in has come to a step that cannot be answered here.
    #[error("the sign-in asks for {0}, which is not supported")]
    UnsupportedChallenge(String),
    /// The user pool did not do what was asked.
    #[error(transparent)]
    UserPool(#[from] UserPoolError),
    /// The first calls of several did what was asked, one did not, and the rest were not made.
    #[error("{failed} failed after {}", completed.join(", "))]
    Partial {
        /// What stands.
        completed: Vec<String>,
        /// What does not.
        failed: String,
        /// What the caller does next.
        advice: Advice,
        /// Why.
        source: UserPoolError,
    },
    /// Our own fault.
    #[error("{0}")]
    Internal(&'static str),
}

/// Why there is no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Unauthenticated {
    #[error("no authorizer left claims or an IAM identity in the request context")]
    NoAuthorizer,
    #[error("the token is not an access token")]
    NotAnAccessToken,
    #[error("the token belongs to another app client")]
    OtherClient,
    #[error("the token belongs to another user pool")]
    OtherPool,
    #[error("the token has expired")]
    Expired,
    #[error("the token has no `username` or no `sub`")]
    NoUser,
    #[error("the request holds no access token of the person")]
    NoAccessToken,
    #[error("the access token belongs to another user than the authorizer says")]
    OtherToken,
}

/// Why a caller may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Forbidden {
    #[error("no group of the caller has the permission {0}")]
    NoPermission(Permission),
    #[error("callers cannot change their own account with administrative routes")]
    Oneself,
    #[error("the user or the group in the request has grants that the caller lacks")]
    PrivilegeEscalation,
    #[error("a group with an IAM role requires the permission {}", Permission::GroupsRoles)]
    GroupWithRole,
    #[error("the caller may assign other groups only")]
    NotAssignable,
    #[error("callers cannot delete a group that they are in")]
    OwnGroup,
}

/// What the caller does after a partial failure.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Advice {
    /// Repeat the request.
    #[default]
    Repeat,
    /// Enroll the authenticator again. A switch-on whose answer was lost can have taken effect.
    EnrollAgain,
    /// End the sessions from before the enrollment of the authenticator.
    SignOut,
}

impl Advice {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Repeat => {
                "Once what failed works, the same request goes on from there; a POST needs an `Idempotency-Key`."
            }
            Self::EnrollAgain => {
                "The authenticator is verified and probably not switched on. Start again: `POST /v1/auth/me/totp`. \
                If this answers `wrong-state`, the authenticator is on: end earlier sessions with `POST /v1/auth/sign-out` \
                and the access token."
            }
            Self::SignOut => {
                "The authenticator is on, and earlier sessions are still valid. End them: `POST /v1/auth/sign-out` \
                with the access token."
            }
        }
    }
}

impl ApiError {
    /// A request that is wrong at one place.
    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::InvalidRequest { field: Some(field.to_owned()), detail: detail.into() }
    }

    /// A user name has the form of a `sub`, so Cognito could take it for another user.
    pub(crate) fn ambiguous_user() -> Self {
        let detail =
            "The user name of a user has the form of a `sub`, so two users can be meant. Use the `sub` of the user.";
        Self::invalid("username", detail)
    }

    /// The row of the table.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::RouteNotFound => ErrorCode::NotFound,
            Self::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::BodyTooLarge => ErrorCode::BodyTooLarge,
            Self::InvalidRequest { .. } => ErrorCode::InvalidRequest,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::MissingScope => ErrorCode::InsufficientScope,
            Self::MfaRequired => ErrorCode::MfaRequired,
            Self::IdentityNotFound => ErrorCode::IdentityNotFound,
            Self::OtherIdentity
            | Self::NoInvitations
            | Self::HolderUnknown
            | Self::GroupInRoles(_)
            | Self::AuthenticatorExists => ErrorCode::WrongState,
            Self::RoleNotPassable(_) => ErrorCode::RoleNotPassable,
            Self::AddressHeld => ErrorCode::AliasExists,
            Self::UserDiffers(_) => ErrorCode::UserExists,
            Self::UnsupportedChallenge(_) => ErrorCode::UnsupportedChallenge,
            Self::UserPool(error) | Self::Partial { source: error, .. } => error.reason.into(),
            Self::Internal(_) => ErrorCode::Internal,
        }
    }
}

/// The stable name of an error, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
            // Whoever asks waits either way: a moment, or until the limit makes room again.
            Reason::Throttled | Reason::LimitReached => Self::Throttled,
            Reason::NotSupportedByEndpoint => Self::NotSupportedByEndpoint,
            Reason::Unavailable => Self::UpstreamUnavailable,
            Reason::DeadlineExceeded => Self::DeadlineExceeded,
            Reason::MailQuotaExceeded => Self::MailQuotaExceeded,
            // A trigger that cannot be called is the operator's to mend, and so is a missing permission.
            Reason::TriggerNotInvoked | Reason::PermissionMissing | Reason::Internal => Self::Internal,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) status: StatusCode,
    /// What the code means, as a person reads it.
    pub(crate) title: &'static str,
}

impl ErrorCode {
    /// All of them, in the order of docs/ERRORS.md.
    pub(crate) const ALL: [Self; 32] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::InvalidCredentials,
        Self::Forbidden,
        Self::InsufficientScope,
        Self::MfaRequired,
        Self::UserNotConfirmed,
        Self::PasswordResetRequired,
        Self::NotFound,
        Self::UserNotFound,
        Self::GroupNotFound,
        Self::DeviceNotFound,
        Self::IdentityNotFound,
        Self::MethodNotAllowed,
        Self::UserExists,
        Self::AliasExists,
        Self::GroupExists,
        Self::WrongState,
        Self::RoleNotPassable,
        Self::UnsupportedChallenge,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidPassword,
        Self::CodeMismatch,
        Self::CodeExpired,
        Self::SignUpRefused,
        Self::Throttled,
        Self::MailQuotaExceeded,
        Self::Internal,
        Self::NotSupportedByEndpoint,
        Self::UpstreamUnavailable,
        Self::DeadlineExceeded,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The table.
    pub(crate) fn row(self) -> Row {
        use StatusCode as Status;
        let row = |code, status, title| Row { code, status, title };
        match self {
            Self::InvalidRequest => row("invalid-request", Status::BAD_REQUEST, "The request is not valid."),
            Self::Unauthenticated => {
                row("unauthenticated", Status::UNAUTHORIZED, "An access token of this API's app client is needed.")
            }
            Self::InvalidCredentials => {
                row("invalid-credentials", Status::UNAUTHORIZED, "The credentials are wrong or no longer valid.")
            }
            Self::Forbidden => row("forbidden", Status::FORBIDDEN, "The caller may not do this."),
            Self::InsufficientScope => row(
                "insufficient-scope",
                Status::FORBIDDEN,
                "The access token lacks the scope `aws.cognito.signin.user.admin`.",
            ),
            Self::MfaRequired => {
                row("mfa-required", Status::FORBIDDEN, "The caller must enroll a second factor first.")
            }
            Self::UserNotConfirmed => {
                row("user-not-confirmed", Status::FORBIDDEN, "The user has signed up and is not confirmed yet.")
            }
            Self::PasswordResetRequired => {
                row("password-reset-required", Status::FORBIDDEN, "The user must set a new password first.")
            }
            Self::NotFound => row("not-found", Status::NOT_FOUND, "There is no such route."),
            Self::UserNotFound => row("user-not-found", Status::NOT_FOUND, "There is no such user."),
            Self::GroupNotFound => row("group-not-found", Status::NOT_FOUND, "There is no such group."),
            Self::DeviceNotFound => row("device-not-found", Status::NOT_FOUND, "There is no such device."),
            Self::IdentityNotFound => {
                row("identity-not-found", Status::NOT_FOUND, "The user has no identity at this provider.")
            }
            Self::MethodNotAllowed => {
                row("method-not-allowed", Status::METHOD_NOT_ALLOWED, "The route does not have this method.")
            }
            Self::UserExists => row("user-exists", Status::CONFLICT, "A user with this name exists."),
            Self::AliasExists => {
                row("alias-exists", Status::CONFLICT, "Another user holds this e-mail address, phone number or name.")
            }
            Self::GroupExists => row("group-exists", Status::CONFLICT, "A group with this name exists."),
            Self::UnsupportedChallenge => row(
                "unsupported-challenge",
                Status::CONFLICT,
                "The sign-in asks for a step that this API does not support.",
            ),
            Self::WrongState => row(
                "wrong-state",
                Status::CONFLICT,
                "The status of the user, or the set-up of the pool, does not allow this.",
            ),
            Self::RoleNotPassable => row(
                "role-not-passable",
                Status::CONFLICT,
                "The group has an IAM role that this deployment cannot pass.",
            ),
            Self::BodyTooLarge => row("body-too-large", Status::PAYLOAD_TOO_LARGE, "The body is too large."),
            Self::UnsupportedMediaType => {
                row("unsupported-media-type", Status::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
            }
            Self::InvalidPassword => row(
                "invalid-password",
                Status::UNPROCESSABLE_ENTITY,
                "The password does not meet the user pool's policy.",
            ),
            Self::CodeMismatch => row("code-mismatch", Status::UNPROCESSABLE_ENTITY, "The code is wrong."),
            Self::CodeExpired => row("code-expired", Status::UNPROCESSABLE_ENTITY, "The code has expired."),
            Self::SignUpRefused => row("sign-up-refused", Status::UNPROCESSABLE_ENTITY, "The sign-up was refused."),
            Self::Throttled => row("throttled", Status::TOO_MANY_REQUESTS, "There are too many requests right now."),
            Self::MailQuotaExceeded => row(
                "mail-quota-exceeded",
                Status::TOO_MANY_REQUESTS,
                "The user pool has used up its daily quota of e-mail messages.",
            ),
            Self::Internal => row("internal", Status::INTERNAL_SERVER_ERROR, "Something went wrong on our side."),
            Self::NotSupportedByEndpoint => row(
                "not-supported-by-endpoint",
                Status::NOT_IMPLEMENTED,
                "The endpoint of the user pool does not support this operation.",
            ),
            Self::UpstreamUnavailable => {
                row("upstream-unavailable", Status::BAD_GATEWAY, "The user pool cannot be reached.")
            }
            Self::DeadlineExceeded => {
                row("deadline-exceeded", Status::GATEWAY_TIMEOUT, "The user pool did not answer in time.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ErrorCode; 32] = ErrorCode::ALL;

    #[test]
    fn no_two_codes_have_the_same_name() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ALL.len());
        // Whoever adds a code adds it to the list above as well: the enum counts on from zero.
        assert!(ALL.iter().enumerate().all(|(place, code)| place == *code as usize));
        assert_eq!(ALL.len(), ErrorCode::DeadlineExceeded as usize + 1);
    }

    #[test]
    fn docs_errors_md_has_the_rows_of_the_table_and_no_others() {
        let documented: Vec<Vec<&str>> = include_str!("../../../../docs/ERRORS.md")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let code = |cells: &Vec<&str>| cells[0].to_owned();
        assert_eq!(
            documented.iter().map(code).collect::<Vec<_>>(),
            ALL.iter().map(|code| format!("`{}`", code.as_str())).collect::<Vec<_>>()
        );
        for (cells, code) in documented.iter().zip(ALL) {
            let Row { status, title, .. } = code.row();
            assert_eq!((cells[1], cells[2]), (status.as_str(), title), "{code:?}");
            assert_eq!(cells.len(), 5, "{code:?}: code, status, meaning, caller, operator");
            assert!(cells[3..].iter().all(|cell| cell.ends_with('.')), "{code:?}: say what to do");
        }
    }

    #[test]
    fn a_partial_failure_answers_like_the_call_that_failed() {
        let source = UserPoolError::new("AdminSetUserPassword", Reason::InvalidPassword);
        let (completed, failed) = (vec!["create-user".into()], "set-password".into());
        let partial = ApiError::Partial { completed, failed, advice: Advice::Repeat, source };
        assert_eq!(partial.code(), ErrorCode::InvalidPassword);
        assert_eq!(partial.to_string(), "set-password failed after create-user");
    }
}
