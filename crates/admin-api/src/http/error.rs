//! The errors of the API. `Display` and the error chain are for the log.

mod code;

use std::fmt::Display;

use domain::jobs::StoreError;
use domain::permission::Permission;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::groups::GroupName;
use thiserror::Error;

pub(crate) use self::code::{ErrorCode, Row};

/// Why a request failed.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// No route has this path.
    #[error("no route has this path")]
    RouteNotFound,
    /// The route exists for other methods only.
    #[error("the route does not support this method")]
    MethodNotAllowed,
    /// The body is not declared as JSON.
    #[error("the content type is not JSON")]
    UnsupportedMediaType,
    /// The body exceeds the size limit.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The request is invalid.
    #[error("invalid {}: {detail}", field.as_deref().unwrap_or("request"))]
    InvalidRequest {
        /// The invalid part: a path into the body, or the name of a parameter.
        field: Option<String>,
        /// What is expected. The caller receives it, so it must not contain values from the request.
        detail: String,
    },
    /// The request has no valid caller.
    #[error("the caller is not authenticated")]
    Unauthenticated(#[source] Unauthenticated),
    /// The caller is known and lacks access.
    #[error("access is denied")]
    Forbidden(#[source] Forbidden),
    /// The user pool cannot verify the caller.
    #[error("the access token lacks the scope `aws.cognito.signin.user.admin`, which `GetUser` requires")]
    MissingScope,
    /// The deployment requires a second factor of the caller.
    #[error("ADMIN_MFA requires a second factor, and the caller has none")]
    MfaRequired,
    /// The group is listed in `ROLES`.
    #[error("the group {0} is listed in ROLES and cannot be deleted")]
    GroupInRoles(GroupName),
    /// The user has no identity at this provider.
    #[error("the user has no identity at this provider")]
    IdentityNotFound,
    /// The user has another identity at this provider.
    #[error("the user has another identity at this provider")]
    OtherIdentity,
    /// The user exists and differs from the request in these fields.
    #[error("the user exists and differs in {}", .0.join(", "))]
    UserDiffers(Vec<String>),
    /// No invitation signing key is configured.
    #[error("invitations are not configured")]
    NoInvitations,
    /// No table of revocations is configured.
    #[error("the session gate is not configured")]
    NoSessionGate,
    /// The invited address is the verified address of a user.
    #[error("the address is the verified address of an existing user")]
    AddressHeld,
    /// More users share the invited address than the search reads.
    #[error("too many users share the address to check whether one of them has verified it")]
    HolderUnknown,
    /// The update would pass the role of the group, which the function's IAM role cannot pass.
    #[error("the group has role {0}, which PASSABLE_ROLE_ARNS does not list")]
    RoleNotPassable(String),
    /// The user has an authenticator app, which another enrollment would replace.
    #[error("the user has an authenticator app")]
    AuthenticatorExists,
    /// The sign-in requires a challenge that the API does not support.
    #[error("the sign-in requires {0}, which is not supported")]
    UnsupportedChallenge(String),
    /// A call to the user pool failed.
    #[error(transparent)]
    UserPool(#[from] UserPoolError),
    /// The first of several calls succeeded, one failed, and the rest were not made.
    #[error("{failed} failed after {}", completed.join(", "))]
    Partial {
        /// The steps that took effect.
        completed: Vec<String>,
        /// The step that failed.
        failed: String,
        /// What the caller should do next.
        advice: Advice,
        /// Why the step failed.
        source: UserPoolError,
    },
    /// No job has this id.
    #[error("the job does not exist")]
    JobNotFound,
    /// The state of a job, or the deployment, does not allow the request.
    #[error("the request does not fit the job")]
    Job(#[source] JobConflict),
    /// The storage or the state machine of jobs failed.
    #[error("the jobs are unavailable")]
    JobsUnavailable(#[source] StoreError),
    /// A defect of this program.
    #[error("{0}")]
    Internal(&'static str),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ExpiredPosition => {
                Self::invalid("cursor", "The cursor has expired. Read the first page again.")
            }
            error => Self::JobsUnavailable(error),
        }
    }
}

/// Why the state of a job does not allow a request. The caller receives the text as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum JobConflict {
    #[error("the deployment has no jobs (parameter `Jobs` of the template)")]
    NotDeployed,
    #[error("the job was started with another format or other options, or more than 90 days ago")]
    Differs,
    #[error("no file was uploaded under this id, or the file or backup does not exist")]
    NoFile,
    #[error("the job was restarted too often; upload the file again")]
    TooManyAttempts,
}

/// Why a request has no valid caller. The caller receives the text as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Unauthenticated {
    #[error("the request context contains neither authorizer claims nor an IAM identity")]
    NoAuthorizer,
    #[error("the token is not an access token")]
    NotAnAccessToken,
    #[error("the token was issued to another app client")]
    OtherClient,
    #[error("the token was issued by another user pool")]
    OtherPool,
    #[error("the token has expired")]
    Expired,
    #[error("the token has no `username` or no `sub`")]
    NoUser,
    #[error("the request headers contain no access token of a user")]
    NoAccessToken,
    #[error("the access token and the claims of the authorizer name different users")]
    OtherToken,
    #[error("the token has no `origin_jti`, or no numeric `auth_time` and `iat`, so its session cannot be checked")]
    NoSession,
    #[error("the token is revoked")]
    Revoked,
}

/// The rule that denies access to a caller. The caller receives the text, so the text must not disclose whether the
/// target exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Forbidden {
    #[error("the caller lacks the permission `{0}`")]
    NoPermission(Permission),
    #[error("callers cannot change their own account with this route")]
    OwnAccount,
    #[error("the target user or group has permissions that the caller lacks")]
    PrivilegeEscalation,
    #[error("a group with an IAM role requires the permission `{}`", Permission::GroupsRoles)]
    GroupWithRole,
    #[error("the `users:groups:NAME` permissions of the caller do not include this group")]
    NotAssignable,
    #[error("callers cannot delete a group that they are a member of")]
    OwnGroup,
    #[error("an import can grant any permission, so it requires all permissions, for example `all` in `ROLES`")]
    NotUnlimited,
}

/// What the caller should do after a partial failure.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Advice {
    /// Repeat the request.
    #[default]
    Repeat,
    /// Enroll the authenticator app again. The call that activates it may have taken effect without a response.
    EnrollAgain,
    /// End the sessions that began before the enrollment of the authenticator app.
    SignOut,
    /// End the sessions that began before the new password.
    SignOutAfterReset,
    /// Wait. The request cannot be repeated, because its change is made.
    AwaitExpiry,
}

impl Advice {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Repeat => {
                "Fix the cause, then repeat the request to continue. A creation requires an `Idempotency-Key`."
            }
            Self::EnrollAgain => {
                "The authenticator app is verified and probably not active. Start again with `POST /v1/auth/me/totp`. \
                If this request returns `wrong-state`, the authenticator app is active. Then end earlier sessions with \
                `POST /v1/auth/sign-out` and the access token."
            }
            Self::SignOut => {
                "The authenticator app is active, and earlier sessions are still valid. End them with \
                `POST /v1/auth/sign-out` and the access token."
            }
            Self::SignOutAfterReset => {
                "The password is set, and earlier sessions may still be valid. Sign in, then end all sessions with \
                `POST /v1/auth/sign-out` and the access token."
            }
            Self::AwaitExpiry => {
                "The request cannot be repeated. Earlier sessions are ended. Tokens of sign-ins during this request \
                may be valid until they expire."
            }
        }
    }
}

impl ApiError {
    /// A request with one invalid field or parameter.
    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::InvalidRequest { field: Some(field.to_owned()), detail: detail.into() }
    }

    /// The error for a user name with the form of a `sub`, which Cognito could resolve to another user.
    pub(crate) fn ambiguous_user() -> Self {
        let detail = "The user name has the form of a `sub`, so it can match two users. Use the `sub` of the user.";
        Self::invalid("username", detail)
    }

    /// The code that the caller receives.
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
            | Self::NoSessionGate
            | Self::HolderUnknown
            | Self::GroupInRoles(_)
            | Self::AuthenticatorExists
            | Self::Job(_) => ErrorCode::WrongState,
            Self::RoleNotPassable(_) => ErrorCode::RoleNotPassable,
            Self::AddressHeld => ErrorCode::AliasExists,
            Self::UserDiffers(_) => ErrorCode::UserExists,
            Self::UnsupportedChallenge(_) => ErrorCode::UnsupportedChallenge,
            Self::UserPool(error) | Self::Partial { source: error, .. } => error.reason.into(),
            Self::JobNotFound => ErrorCode::JobNotFound,
            // Only the operator can fix a missing permission.
            Self::JobsUnavailable(StoreError::Forbidden { .. }) | Self::Internal(_) => ErrorCode::Internal,
            Self::JobsUnavailable(_) => ErrorCode::JobsUnavailable,
        }
    }
}

/// An error text as a sentence: with a capital letter and a full stop.
pub(crate) fn sentence(text: &impl Display) -> String {
    let text = text.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;

    use super::*;

    #[test]
    fn partial_failure_has_the_code_of_the_failed_call() {
        let source = UserPoolError::new("AdminSetUserPassword", Reason::InvalidPassword);
        let (completed, failed) = (vec!["create-user".into()], "set-password".into());
        let partial = ApiError::Partial { completed, failed, advice: Advice::Repeat, source };
        assert_eq!(partial.code(), ErrorCode::InvalidPassword);
        assert_eq!(partial.to_string(), "set-password failed after create-user");
    }
}
