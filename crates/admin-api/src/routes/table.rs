//! Every route with what it requires of its caller. The router serves these routes and no others, the tests go through them, and
//! docs/PERMISSIONS.md lists them.

use domain::permission::Permission;

use crate::access::Access;
use crate::router::Method;

/// One route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
}

pub(crate) const TABLE: &[Row] = &[
    write(Method::Post, "/v1/users", Permission::UsersCreate),
    list("/v1/users", Permission::UsersRead),
    read("/v1/users/{username}", Permission::UsersRead),
    write(Method::Patch, "/v1/users/{username}", Permission::UsersUpdate),
    write(Method::Delete, "/v1/users/{username}", Permission::UsersDelete),
    write(Method::Put, "/v1/users/{username}/password", Permission::UsersPassword),
    write(Method::Post, "/v1/users/{username}/reset-password", Permission::UsersPassword),
    write(Method::Post, "/v1/users/{username}/confirm", Permission::UsersState),
    write(Method::Post, "/v1/users/{username}/enable", Permission::UsersState),
    write(Method::Post, "/v1/users/{username}/disable", Permission::UsersState),
    write(Method::Post, "/v1/users/{username}/resend-invitation", Permission::UsersCreate),
    write(Method::Post, "/v1/users/{username}/sign-out", Permission::UsersSessions),
    read("/v1/users/{username}/mfa", Permission::UsersMfa),
    write(Method::Put, "/v1/users/{username}/mfa", Permission::UsersMfa),
    list("/v1/users/{username}/devices", Permission::UsersSessions),
    write(Method::Delete, "/v1/users/{username}/devices/{key}", Permission::UsersSessions),
    list("/v1/users/{username}/auth-events", Permission::UsersRead),
    write(Method::Put, "/v1/users/{username}/identities/{provider}", Permission::UsersUpdate),
    write(Method::Delete, "/v1/users/{username}/identities/{provider}", Permission::UsersUpdate),
    list("/v1/users/{username}/groups", Permission::UsersGroups),
    write(Method::Put, "/v1/users/{username}/groups/{group}", Permission::UsersGroups),
    write(Method::Delete, "/v1/users/{username}/groups/{group}", Permission::UsersGroups),
    write(Method::Post, "/v1/groups", Permission::GroupsWrite),
    list("/v1/groups", Permission::GroupsRead),
    read("/v1/groups/{group}", Permission::GroupsRead),
    write(Method::Patch, "/v1/groups/{group}", Permission::GroupsWrite),
    write(Method::Delete, "/v1/groups/{group}", Permission::GroupsWrite),
    list("/v1/groups/{group}/users", Permission::GroupsRead),
    write(Method::Post, "/v1/invitations", Permission::InvitationsCreate),
    read("/v1/pool", Permission::PoolRead),
    any_caller("/v1/me"),
    public("/v1/auth/sign-up"),
    public("/v1/auth/confirm-sign-up"),
    public("/v1/auth/resend-code"),
    public("/v1/auth/sign-in"),
    public("/v1/auth/challenge"),
    public("/v1/auth/refresh"),
    public("/v1/auth/sign-out"),
    public("/v1/auth/forgot-password"),
    public("/v1/auth/reset-password"),
    own(Method::Get, "/v1/auth/me"),
    own(Method::Post, "/v1/auth/me/totp"),
    own(Method::Post, "/v1/auth/me/totp/verify"),
    own(Method::Delete, "/v1/auth/me/totp"),
    own(Method::Post, "/v1/auth/attributes/{name}/code"),
    own(Method::Post, "/v1/auth/attributes/{name}/verify"),
];

/// Changes something: the user pool confirms the caller, and there is an audit record.
const fn write(method: Method, path: &'static str, permission: Permission) -> Row {
    Row { method, path, access: Access::Write(permission) }
}

/// Reads one thing.
const fn read(path: &'static str, permission: Permission) -> Row {
    Row { method: Method::Get, path, access: Access::Read(permission) }
}

/// Lists or searches: there is an audit record.
const fn list(path: &'static str, permission: Permission) -> Row {
    Row { method: Method::Get, path, access: Access::List(permission) }
}

/// Tells callers about themselves.
const fn any_caller(path: &'static str) -> Row {
    Row { method: Method::Get, path, access: Access::AnyCaller }
}

/// Signs up or in: everybody may try, and there is an audit record.
const fn public(path: &'static str) -> Row {
    Row { method: Method::Post, path, access: Access::Public }
}

/// For users' own accounts, by their access token. A change leaves an audit record.
const fn own(method: Method, path: &'static str) -> Row {
    Row { method, path, access: Access::OwnToken }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes;
    use crate::settings::Served;

    fn key(method: Method, path: &str) -> String {
        format!("{} {path}", method.as_str())
    }

    #[test]
    fn every_row_has_one_handler_and_every_handler_one_row() {
        let rows: Vec<_> = TABLE.iter().map(|row| key(row.method, row.path)).collect();
        let handlers: Vec<_> = routes::endpoints().iter().map(|each| key(each.method, each.path)).collect();
        assert_eq!(rows.iter().collect::<BTreeSet<_>>(), handlers.iter().collect::<BTreeSet<_>>());
        assert_eq!((rows.len(), handlers.len()), (rows.iter().collect::<BTreeSet<_>>().len(), rows.len()));
        assert_eq!(routes::of(Served::All).len(), rows.len());
    }

    #[test]
    fn two_functions_serve_each_row_once() {
        let served =
            |served| routes::of(served).iter().map(|route| key(route.method, route.path)).collect::<BTreeSet<_>>();
        let (admin, auth) = (served(Served::Admin), served(Served::Auth));
        assert!(admin.is_disjoint(&auth));
        assert_eq!(admin.len() + auth.len(), TABLE.len());
    }

    /// The cells of a row in docs/PERMISSIONS.md.
    fn documented(row: &Row) -> [String; 4] {
        let (requires, kind) = match row.access {
            Access::Public => ("nothing".to_owned(), "open"),
            Access::OwnToken => ("the user's own access token".to_owned(), "own account"),
            Access::AnyCaller => ("any caller".to_owned(), "read"),
            Access::Read(permission) => (format!("`{permission}`"), "read"),
            Access::List(permission) => (format!("`{permission}`"), "list"),
            Access::Write(permission) => (format!("`{permission}`"), "write"),
        };
        [format!("`{}`", row.method.as_str()), format!("`{}`", row.path), requires, kind.to_owned()]
    }

    #[test]
    fn docs_permissions_md_has_the_rows_of_the_table_and_no_others() {
        let lines = include_str!("../../../../docs/PERMISSIONS.md").lines().filter(|line| line.starts_with("| `"));
        let found: Vec<Vec<&str>> =
            lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
        assert_eq!(found, TABLE.iter().map(documented).collect::<Vec<_>>());
    }
}
