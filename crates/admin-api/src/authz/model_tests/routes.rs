//! The routes of generated requests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::request::Route;
use crate::authz::access::Access;
use crate::routes;
use crate::settings::Served;

/// Every route.
pub(super) static ALL: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let names = routes::of(Served::All).into_iter().map(|route| (route.method.to_string(), route.path));
    names.map(|(method, path)| -> Route { (method.leak(), path.leak()) }).collect()
});

/// Which callers each route accepts.
static ACCESS: LazyLock<BTreeMap<Route, Access>> =
    LazyLock::new(|| ALL.iter().copied().zip(routes::of(Served::All).iter().map(|route| route.access)).collect());

/// Which callers the route accepts.
pub(super) fn access(route: Route) -> Access {
    ACCESS[&route]
}

/// Whether the route reads the actor's own access token.
pub(super) fn is_own(route: Route) -> bool {
    access(route) == Access::OwnToken
}

/// The only route that never succeeds. It requires the session gate, and the model runs without the gate.
pub(super) const GATED: Route = ("POST", "/v1/pool/revoke-all");

/// Routes that assign groups, also by an import. Generated more often.
pub(super) const GRANTS: [Route; 3] =
    [("POST", "/v1/users"), ("PUT", "/v1/users/{username}/groups/{group}"), ("POST", "/v1/jobs")];

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
