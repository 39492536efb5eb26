//! All routes with the access that they require. The folder of a file matches the path of its route.

#[cfg(test)]
pub(crate) mod all_routes_tests;
mod argument;
mod auth;
mod groups;
mod invitations;
mod jobs;
mod me;
mod pool;
mod route;
mod target;
mod user_view;
mod users;

use domain::permission::Permission;
use utoipa::OpenApi;

use crate::authz::access::Access::{AnyCaller, List, OwnToken, Public, Read, Write};
use crate::settings::Served;

pub(crate) use route::Route;

/// Declares the routes and their OpenAPI annotations in this order. An entry names the module of a `handle` function.
macro_rules! routes {
    ($($($module:ident)::+: $access:expr,)*) => {
        fn all() -> Vec<Route> {
            vec![$(Route::new::<$($module::)+__path_handle, _, _>($($module::)+handle, $access)),*]
        }

        /// The annotations of all handlers.
        #[derive(OpenApi)]
        #[openapi(paths($($($module::)+handle),*))]
        pub(crate) struct Annotations;
    };
}

routes! {
    users::create: Write(Permission::UsersCreate),
    users::list: List(Permission::UsersRead),
    users::get: Read(Permission::UsersRead),
    users::update: Write(Permission::UsersUpdate),
    users::delete: Write(Permission::UsersDelete),
    users::password: Write(Permission::UsersPassword),
    users::reset_password: Write(Permission::UsersPassword),
    users::confirm: Write(Permission::UsersState),
    users::enable: Write(Permission::UsersState),
    users::disable: Write(Permission::UsersState),
    users::resend_invitation: Write(Permission::UsersCreate),
    users::sign_out: Write(Permission::UsersSessions),
    users::mfa::get: Read(Permission::UsersMfa),
    users::mfa::set: Write(Permission::UsersMfa),
    users::devices::list: List(Permission::UsersSessions),
    users::devices::forget: Write(Permission::UsersSessions),
    users::auth_events: List(Permission::UsersRead),
    users::identities::link: Write(Permission::UsersUpdate),
    users::identities::unlink: Write(Permission::UsersUpdate),
    users::groups::list: List(Permission::UsersGroups),
    users::groups::add: Write(Permission::UsersGroups),
    users::groups::remove: Write(Permission::UsersGroups),
    groups::create: Write(Permission::GroupsWrite),
    groups::list: List(Permission::GroupsRead),
    groups::get: Read(Permission::GroupsRead),
    groups::update: Write(Permission::GroupsWrite),
    groups::delete: Write(Permission::GroupsWrite),
    groups::users: List(Permission::GroupsRead),
    invitations::create: Write(Permission::InvitationsCreate),
    pool: Read(Permission::PoolRead),
    pool::revoke_all: Write(Permission::PoolRevoke),
    jobs::uploads: Write(Permission::JobsWrite),
    jobs::start: Write(Permission::JobsWrite),
    jobs::list: List(Permission::JobsRead),
    jobs::get: Read(Permission::JobsRead),
    jobs::results: List(Permission::JobsRead),
    jobs::stop: Write(Permission::JobsWrite),
    me: AnyCaller,
    auth::sign_up: Public,
    auth::confirm_sign_up: Public,
    auth::resend_code: Public,
    auth::sign_in: Public,
    auth::challenge: Public,
    auth::refresh: Public,
    auth::sign_out: Public,
    auth::forgot_password: Public,
    auth::reset_password: Public,
    auth::me: OwnToken,
    auth::me::delete: OwnToken,
    auth::me::password: OwnToken,
    auth::me::totp::start: OwnToken,
    auth::me::totp::verify: OwnToken,
    auth::me::totp::remove: OwnToken,
    auth::attributes::code: OwnToken,
    auth::attributes::verify: OwnToken,
}

/// The routes that a function serves.
pub(crate) fn of(served: Served) -> Vec<Route> {
    all().into_iter().filter(|route| served == Served::All || served == function_of(&route.path)).collect()
}

/// The function that serves a path.
fn function_of(path: &str) -> Served {
    match path.split('/').nth(2) {
        Some("auth") => Served::Auth,
        Some("jobs") => Served::Jobs,
        _ => Served::Admin,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn three_functions_serve_each_route_once() {
        let functions = [Served::Admin, Served::Auth, Served::Jobs].map(of);
        let names: BTreeSet<_> = functions.iter().flatten().map(Route::name).collect();
        assert_eq!(functions.iter().map(Vec::len).sum::<usize>(), names.len());
        assert_eq!(names.len(), all().len());
    }
}
