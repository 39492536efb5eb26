//! The routes of generated requests.

use super::request::Route;

/// Every route. A test compares it with the router.
pub(super) const ALL: [Route; 46] = [
    ("POST", "/v1/users"),
    ("GET", "/v1/users"),
    ("GET", "/v1/users/{username}"),
    ("PATCH", "/v1/users/{username}"),
    ("DELETE", "/v1/users/{username}"),
    ("PUT", "/v1/users/{username}/password"),
    ("POST", "/v1/users/{username}/reset-password"),
    ("POST", "/v1/users/{username}/confirm"),
    ("POST", "/v1/users/{username}/enable"),
    ("POST", "/v1/users/{username}/disable"),
    ("POST", "/v1/users/{username}/resend-invitation"),
    ("POST", "/v1/users/{username}/sign-out"),
    ("GET", "/v1/users/{username}/mfa"),
    ("PUT", "/v1/users/{username}/mfa"),
    ("GET", "/v1/users/{username}/devices"),
    ("DELETE", "/v1/users/{username}/devices/{key}"),
    ("GET", "/v1/users/{username}/auth-events"),
    ("PUT", "/v1/users/{username}/identities/{provider}"),
    ("DELETE", "/v1/users/{username}/identities/{provider}"),
    ("GET", "/v1/users/{username}/groups"),
    ("PUT", "/v1/users/{username}/groups/{group}"),
    ("DELETE", "/v1/users/{username}/groups/{group}"),
    ("POST", "/v1/groups"),
    ("GET", "/v1/groups"),
    ("GET", "/v1/groups/{group}"),
    ("PATCH", "/v1/groups/{group}"),
    ("DELETE", "/v1/groups/{group}"),
    ("GET", "/v1/groups/{group}/users"),
    ("POST", "/v1/invitations"),
    ("GET", "/v1/pool"),
    ("GET", "/v1/me"),
    ("POST", "/v1/auth/sign-up"),
    ("POST", "/v1/auth/confirm-sign-up"),
    ("POST", "/v1/auth/resend-code"),
    ("POST", "/v1/auth/sign-in"),
    ("POST", "/v1/auth/challenge"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/sign-out"),
    ("POST", "/v1/auth/forgot-password"),
    ("POST", "/v1/auth/reset-password"),
    ("GET", "/v1/auth/me"),
    ("POST", "/v1/auth/me/totp"),
    ("POST", "/v1/auth/me/totp/verify"),
    ("DELETE", "/v1/auth/me/totp"),
    ("POST", "/v1/auth/attributes/{name}/code"),
    ("POST", "/v1/auth/attributes/{name}/verify"),
];

/// Routes that assign groups. Generated more often.
pub(super) const GRANTS: [Route; 2] = [("POST", "/v1/users"), ("PUT", "/v1/users/{username}/groups/{group}")];

/// Routes that can take over an account. Generated more often.
pub(super) const TAKEOVERS: [Route; 5] = [
    ("PATCH", "/v1/users/{username}"),
    ("PUT", "/v1/users/{username}/password"),
    ("PUT", "/v1/users/{username}/mfa"),
    ("PUT", "/v1/users/{username}/identities/{provider}"),
    ("DELETE", "/v1/users/{username}"),
];

/// Routes that change tokens. Generated more often.
pub(super) const SIGN_IN: [Route; 4] = [
    ("POST", "/v1/auth/sign-up"),
    ("POST", "/v1/auth/sign-in"),
    ("POST", "/v1/auth/challenge"),
    ("POST", "/v1/users/{username}/sign-out"),
];
