//! What a route asks of its caller, and the check of it: before the handler, and before the body is read.
//!
//! Who lacks the permission learns nothing about the target: the answer is the same whether or not it exists. Who has it does not
//! get beyond their own rights with it: a user or a group that may do more is not theirs to change.

use std::collections::BTreeSet;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::user::{User, Username};
use domain::user_pool_error::Reason;
use http::request::Parts;
use lambda_http::RequestExt;
use thiserror::Error;

use crate::app::App;
use crate::audit::Audit;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::path;
use domain::permission::Permission;
use domain::roles::Roles;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: sign-up and sign-in, where the credentials are in the body.
    Public,
    /// The access token of a person, which the user pool checks at the call it is handed to.
    OwnToken,
    /// A caller, whoever it is.
    AnyCaller,
    /// A caller whose token grants the permission.
    Read(Permission),
    /// The same, and the pool still says so: a token outlives the rights it was issued with.
    Write(Permission),
}

/// Why a caller may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Forbidden {
    #[error("no group of the caller has the permission {0}")]
    NoPermission(Permission),
    #[error("the caller is disabled")]
    CallerDisabled,
    #[error("the caller is no longer in the pool")]
    CallerGone,
    #[error("nobody deletes or disables themselves, or puts themselves into a group")]
    Oneself,
    #[error("the user or the group in the request may do more than the caller")]
    TargetMayMore,
}

/// A caller who has passed the check of the route, and what they may do.
#[derive(Debug, Clone)]
pub(crate) struct Authorized {
    /// Who it is.
    pub(crate) caller: Caller,
    /// All permissions, for a write only those that the pool still grants.
    pub(crate) permissions: BTreeSet<Permission>,
}

impl Authorized {
    /// Asks for one more permission than the route does.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        if self.permissions.contains(&permission) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::NoPermission(permission)))
        }
    }

    /// Refuses what nobody may do to themselves.
    pub(crate) fn not_to_oneself(&self, user: &User) -> Result<(), ApiError> {
        if self.is(user) { Err(ApiError::Forbidden(Forbidden::Oneself)) } else { Ok(()) }
    }

    /// Refuses groups that give more than the caller has: nobody makes others mightier than they are themselves.
    pub(crate) fn not_beyond_own<'a>(
        &self,
        roles: &Roles,
        groups: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), ApiError> {
        if roles.permissions_of(groups).is_subset(&self.permissions) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(Forbidden::TargetMayMore))
        }
    }

    /// The user as far as the caller may see them: without `users:read` only with the attributes that `is_known` names, and `sub`.
    pub(crate) fn sees(&self, mut user: User, is_known: impl Fn(&str) -> bool) -> User {
        if !self.permissions.contains(&Permission::UsersRead) {
            user.attributes.retain(|name, _| name == "sub" || is_known(name));
        }
        user
    }

    /// Whether this user is the caller.
    fn is(&self, user: &User) -> bool {
        match &self.caller {
            Caller::User { username, sub, .. } => user.username == *username || user.attributes.get("sub") == Some(sub),
            Caller::Iam { .. } => false,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Internal("the route hands on no caller"))
    }
}

/// The user in the path of a write, as the check has found them: whom the change is for, whatever name was typed.
#[derive(Debug, Clone)]
pub(crate) struct TargetUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for TargetUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(target) = parts.extensions.get() {
            return Ok(Self::clone(target));
        }
        // The check leaves nobody where the path names nobody.
        path::parameter::<Username>(parts, "username").await?;
        Err(ApiError::Internal("the route hands on no user"))
    }
}

/// What stands before one route.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) access: Access,
}

/// Lets a request through to its handler, with [`Authorized`] on board, or refuses it.
pub(crate) async fn authorize(
    State(gate): State<Gate>,
    audit: Audit,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = request.extensions().request_context_ref();
    match gate.check(context, path.ok().as_ref(), &audit).await {
        Ok(Some((authorized, target))) => {
            request.extensions_mut().insert(authorized);
            if let Some(user) = target {
                request.extensions_mut().insert(TargetUser(user));
            }
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

impl Gate {
    async fn check(
        &self,
        context: Option<&lambda_http::request::RequestContext>,
        path: Option<&RawPathParams>,
        audit: &Audit,
    ) -> Result<Option<(Authorized, Option<User>)>, ApiError> {
        let trust = &self.app.trust;
        let caller = Caller::of(context, trust, self.app.now());
        if matches!(self.access, Access::Public | Access::OwnToken) {
            // Nobody is asked for, but where the API asks for a signature of IAM, the audit knows whose it is.
            if let Ok(caller @ Caller::Iam { .. }) = &caller {
                audit.by(caller);
            }
            return Ok(None);
        }
        let caller = caller.map_err(ApiError::Unauthenticated)?;
        audit.by(&caller);
        let permissions = trust.roles.permissions_of(caller.groups());
        let mut authorized = Authorized { caller, permissions };
        let mut target = None;
        match self.access {
            Access::Public | Access::OwnToken | Access::AnyCaller => {}
            Access::Read(permission) => authorized.require(permission)?,
            Access::Write(permission) => {
                authorized.require(permission)?;
                authorized.permissions = self.still_granted(&authorized).await?;
                authorized.require(permission)?;
                // A path that is no text leads to nobody; the handler refuses it.
                if let Some(path) = path {
                    target = self.target(&authorized, path, audit).await?;
                }
            }
        }
        Ok(Some((authorized, target)))
    }

    /// Refuses to change a user or a group in the path who may do more than the caller: whoever may set passwords, addresses or second
    /// factors, or link identities, could act as that user otherwise.
    ///
    /// The user is looked up here, once, and it is this one whom the handler changes: an alias can be another user's a moment later.
    async fn target(
        &self,
        authorized: &Authorized,
        path: &RawPathParams,
        audit: &Audit,
    ) -> Result<Option<User>, ApiError> {
        let roles = &self.app.trust.roles;
        let parameter = |wanted| path.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        authorized.not_beyond_own(roles, parameter("group"))?;
        // What is no name is the handler's to refuse.
        let Some(username) = parameter("username").and_then(|name| name.parse().ok()) else { return Ok(None) };
        let user = self.app.pool.get(&username).await?;
        audit.on(&user.username);
        let groups = self.app.pool.groups(&user.username).await?;
        authorized.not_beyond_own(roles, groups.iter().map(String::as_str))?;
        Ok(Some(user))
    }

    /// The permissions of the token that the pool grants to this moment.
    async fn still_granted(&self, authorized: &Authorized) -> Result<BTreeSet<Permission>, ApiError> {
        let Caller::User { username, sub, .. } = &authorized.caller else { return Ok(BTreeSet::new()) };
        let gone = |error: domain::user_pool_error::UserPoolError| match error.reason {
            Reason::UserNotFound => ApiError::Forbidden(Forbidden::CallerGone),
            _ => ApiError::UserPool(error),
        };
        let user = self.app.pool.get(username).await.map_err(gone)?;
        if user.attributes.get("sub") != Some(sub) {
            return Err(ApiError::Forbidden(Forbidden::CallerGone));
        }
        if !user.enabled {
            return Err(ApiError::Forbidden(Forbidden::CallerDisabled));
        }
        let groups = self.app.pool.groups(&user.username).await.map_err(gone)?;
        let granted = self.app.trust.roles.permissions_of(groups.iter().map(String::as_str));
        Ok(granted.intersection(&authorized.permissions).copied().collect())
    }
}

#[cfg(test)]
mod authorization_table;

#[cfg(test)]
mod tests {
    use domain::permission::Permission;
    use domain::user_pool_error::Reason;
    use serde_json::json;

    use super::Access;
    use crate::routes;
    use crate::settings::Served;
    use crate::testing::{Answer, Api, By, Call, token, token_with};

    async fn delete_mia(api: &Api, by: By) -> Answer {
        api.call(Call::delete("/v1/users/mia").by(by)).await
    }

    #[tokio::test]
    async fn a_write_asks_the_pool_whether_the_caller_still_may() {
        type Event = fn(&Api);
        let table: [(&str, Event); 5] = [
            ("disabled", |api| api.pool.disable("root")),
            ("removed from the group", |api| api.pool.remove_from_group("root", "admins")),
            ("gone", |api| api.pool.remove_user("root")),
            ("gone between two looks", |api| api.pool.fail("groups", 1, Reason::UserNotFound)),
            ("deleted and made again", |api| {
                api.pool.remove_user("root");
                api.pool.add_user("root", "Password-of-root-1", &["admins"], &[]);
            }),
        ];
        for (case, what_happened) in table {
            let api = Api::new();
            let by = token_with("root", &json!({"cognito:groups": "[admins]", "sub": api.sub_of("root")}));
            what_happened(&api);
            let answer = delete_mia(&api, by).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{case}");
            assert!(api.pool.user("mia").is_some(), "{case}");
        }
    }

    #[tokio::test]
    async fn rights_that_came_after_the_token_do_not_count() {
        let api = Api::new();
        let answer = delete_mia(&api, token("root", "[readers]")).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    }

    #[tokio::test]
    async fn a_write_is_refused_where_the_pool_cannot_be_asked() {
        for (operation, reason, status) in [
            ("get", Reason::Throttled, 429),
            ("groups", Reason::Unavailable, 502),
            ("groups", Reason::DeadlineExceeded, 504),
        ] {
            let api = Api::new();
            api.pool.fail(operation, 1, reason);
            let answer = delete_mia(&api, token("root", "[admins]")).await;
            assert_eq!(answer.status, status);
            assert!(api.pool.user("mia").is_some());
        }
    }

    #[tokio::test]
    async fn a_read_does_not_ask_the_pool_about_the_caller() {
        let api = Api::new();
        api.call(Call::get("/v1/users/mia").by(token("ray", "[readers]"))).await;
        assert_eq!(api.pool.calls(), ["get"]);
    }

    #[test]
    fn every_permission_is_asked_for_somewhere() {
        let asked: Vec<Permission> = routes::of(Served::All)
            .iter()
            .filter_map(|route| match route.access {
                Access::Read(permission) | Access::Write(permission) => Some(permission),
                Access::Public | Access::OwnToken | Access::AnyCaller => None,
            })
            // Asked for in addition, where a new user is put into groups.
            .chain([Permission::UsersGroups])
            .collect();
        assert!(Permission::ALL.iter().all(|permission| asked.contains(permission)));
    }
}
