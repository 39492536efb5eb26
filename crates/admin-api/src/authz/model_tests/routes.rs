//! The routes of generated requests.

use std::sync::LazyLock;

use super::request::Route;
use crate::routes;
use crate::settings::Served;

/// Every route.
pub(super) static ALL: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let names = routes::of(Served::All).into_iter().map(|route| (route.method.to_string(), route.path));
    names.map(|(method, path)| -> Route { (method.leak(), path.leak()) }).collect()
});

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
