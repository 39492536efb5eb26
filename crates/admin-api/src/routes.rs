//! All routes. The folder of a file is the path of its route.

mod auth;
mod groups;
mod invitations;
mod me;
mod pool;
pub(crate) mod table;
mod users;

use table::{Row, TABLE};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::router::{Endpoint, Route};
use crate::settings::Served;

/// The routes that a function serves. An endpoint without a row in the table is not served.
pub(crate) fn of(served: Served) -> Vec<Route> {
    let mut endpoints = endpoints();
    let mut endpoint_of = |row: &Row| {
        let place = endpoints.iter().position(|each| (each.method, each.path) == (row.method, row.path))?;
        Some(endpoints.swap_remove(place).requiring(row.access))
    };
    TABLE.iter().filter(|row| is_served(served, row)).filter_map(&mut endpoint_of).collect()
}

/// The open routes and those of administrators are two functions.
fn is_served(served: Served, row: &Row) -> bool {
    match served {
        Served::Admin => !row.path.starts_with(OPEN),
        Served::Auth => row.path.starts_with(OPEN),
        Served::All => true,
    }
}

/// The beginning of the open routes.
const OPEN: &str = "/v1/auth/";

fn endpoints() -> Vec<Endpoint> {
    let single = [invitations::endpoint(), pool::endpoint(), me::endpoint()];
    users::endpoints().into_iter().chain(groups::endpoints()).chain(single).chain(auth::endpoints()).collect()
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
