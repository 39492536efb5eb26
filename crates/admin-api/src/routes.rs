//! All routes. The folder of a file is the path of its route.

mod auth;
mod groups;
mod invitations;
mod me;
mod pool;
mod users;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::router::Route;
use crate::settings::Served;

/// The routes that a function serves.
pub(crate) fn of(served: Served) -> Vec<Route> {
    let admin = || {
        let routes = users::routes().into_iter().chain(groups::routes());
        routes.chain([invitations::route(), pool::route(), me::route()])
    };
    match served {
        Served::Admin => admin().collect(),
        Served::Auth => auth::routes(),
        Served::All => admin().chain(auth::routes()).collect(),
    }
}

/// What the annotations of all routes say.
pub(crate) fn documented() -> [OpenApi; 6] {
    [
        users::Documented::openapi(),
        groups::Documented::openapi(),
        invitations::Documented::openapi(),
        pool::Documented::openapi(),
        me::Documented::openapi(),
        auth::Documented::openapi(),
    ]
}
