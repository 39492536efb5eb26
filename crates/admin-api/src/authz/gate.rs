//! The check of a request before its handler.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::permission::Permission;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{GroupName, Membership};
use domain::user_pool::self_service::Myself;
use domain::user_pool::user::{User, Username};
use http::HeaderMap;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::{Access, Authorized, SecondFactor};
use crate::authz::access_token;
use crate::authz::caller::Caller;
use crate::authz::target_user::TargetUser;
use crate::http::error::{ApiError, Unauthenticated};
use crate::settings::AdminMfa;

/// The scope that `GetUser` requires.
const USER_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// What one route requires.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) access: Access,
}

/// Passes a request with [`Authorized`] to its handler, or refuses it.
pub(crate) async fn authorize(
    State(gate): State<Gate>,
    audit: Audit,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = request.extensions().request_context_ref();
    match gate.check(context, request.headers(), path.ok().as_ref(), &audit).await {
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
        context: Option<&RequestContext>,
        headers: &HeaderMap,
        path: Option<&RawPathParams>,
        audit: &Audit,
    ) -> Result<Option<(Authorized, Option<User>)>, ApiError> {
        let trust = &self.app.trust;
        let caller = Caller::of(context, trust, self.app.now());
        if matches!(self.access, Access::Public | Access::OwnToken) {
            // No caller is required. If the API requires a signature of IAM, the audit records whose it is.
            if let Ok(caller @ Caller::Iam { .. }) = &caller {
                audit.by(caller);
            }
            return Ok(None);
        }
        let caller = caller.map_err(ApiError::Unauthenticated)?;
        audit.by(&caller);
        let groups = caller.groups().map(str::to_owned).collect();
        let mut authorized =
            Authorized { grants: trust.roles.grants_of(caller.groups()), caller, groups, second_factor: None };
        let mut target = None;
        match self.access {
            Access::Public | Access::OwnToken => {}
            Access::AnyCaller => self.check_second_factor(&mut authorized, headers).await?,
            Access::Read(permission) | Access::List(permission) => {
                authorized.require(permission)?;
                self.check_second_factor(&mut authorized, headers).await?;
                authorized.require_second_factor()?;
                // The handler refuses what cannot be a name.
                let username = path.and_then(|path| parameter(path, "username")).and_then(|name| name.parse().ok());
                if let Some(username) = username.filter(|_| !authorized.grants.allows(Permission::UsersRead)) {
                    authorized.ensure_findable(&self.app.pool.get(&username).await?, &username)?;
                }
            }
            Access::Write(permission) => {
                authorized.require(permission)?;
                self.confirm(&mut authorized, headers).await?;
                authorized.require(permission)?;
                // The handler refuses a path that is not text.
                if let Some(path) = path {
                    target = self.target(&authorized, path, audit).await?;
                }
            }
        }
        Ok(Some((authorized, target)))
    }

    /// Refuses to change a user or a group in the path whose grants exceed the caller's. A caller who may set passwords, addresses or
    /// second factors, or link identities, could act as that user otherwise.
    ///
    /// The user is read once, and the handler changes this user: an alias can belong to another user a moment later.
    async fn target(
        &self,
        authorized: &Authorized,
        path: &RawPathParams,
        audit: &Audit,
    ) -> Result<Option<User>, ApiError> {
        let (group, username) = (parameter(path, "group"), parameter(path, "username"));
        authorized.ensure_no_escalation(&self.app.trust.roles, group)?;
        // The handler refuses what cannot be a name.
        if let Some(group) = group.and_then(|name| name.parse::<GroupName>().ok()) {
            if username.is_some() {
                authorized.ensure_assignable(group.as_str())?;
            }
            self.app.ensure_role_allowed(authorized, &group).await?;
        }
        let Some(username) = username.and_then(|name| name.parse().ok()) else { return Ok(None) };
        let user = self.app.pool.get(&username).await?;
        authorized.ensure_findable(&user, &username)?;
        audit.on(&user.username);
        self.app.ensure_unambiguous(&username, &user).await?;
        let memberships = self.app.pool.groups(&user.id()).await?;
        authorized.ensure_no_escalation_in(&self.app.trust.roles, &memberships)?;
        Ok(Some(user))
    }

    /// Asks the user pool about the caller with the caller's own access token, which Cognito rejects once it is revoked, or its owner
    /// is signed out, disabled or deleted. Only the groups that both the token and the user pool name count.
    async fn confirm(&self, authorized: &mut Authorized, headers: &HeaderMap) -> Result<(), ApiError> {
        // An AWS principal is in no group.
        let Some(myself) = self.myself(&authorized.caller, headers).await? else { return Ok(()) };
        authorized.second_factor = self.second_factor(authorized, &myself);
        authorized.require_second_factor()?;
        let memberships = self.app.pool.groups(&myself.username).await.map_err(rejected)?;
        let confirmed = Membership::names(&memberships).filter(|group| authorized.groups.contains(*group));
        authorized.grants = self.app.trust.roles.grants_of(confirmed);
        authorized.groups.extend(Membership::names(&memberships).map(str::to_owned));
        Ok(())
    }

    /// Reads whether the caller has the second factor that the deployment requires of them.
    async fn check_second_factor(&self, authorized: &mut Authorized, headers: &HeaderMap) -> Result<(), ApiError> {
        if !self.requires_second_factor(authorized) {
            return Ok(());
        }
        let Some(myself) = self.myself(&authorized.caller, headers).await? else { return Ok(()) };
        authorized.second_factor = self.second_factor(authorized, &myself);
        Ok(())
    }

    fn requires_second_factor(&self, authorized: &Authorized) -> bool {
        self.app.trust.admin_mfa == AdminMfa::Required && !authorized.grants.permissions().is_empty()
    }

    fn second_factor(&self, authorized: &Authorized, myself: &Myself) -> Option<SecondFactor> {
        let state = if myself.factors.is_empty() { SecondFactor::Missing } else { SecondFactor::Present };
        self.requires_second_factor(authorized).then_some(state)
    }

    /// The caller as the user pool knows the owner of the caller's own access token; none for an AWS principal.
    async fn myself(&self, caller: &Caller, headers: &HeaderMap) -> Result<Option<Myself>, ApiError> {
        let Caller::User { username, sub, scopes, .. } = caller else { return Ok(None) };
        if !scopes.contains(USER_ADMIN_SCOPE) {
            return Err(ApiError::MissingScope);
        }
        let no_token = ApiError::Unauthenticated(Unauthenticated::NoAccessToken);
        let access_token = access_token::of_caller(headers).ok_or(no_token)?;
        let myself = self.app.self_service.myself(&access_token).await.map_err(rejected)?;
        // An app client can be kept from reading `sub`.
        let is_sub = myself.attributes.get("sub").is_none_or(|found| found == sub);
        if myself.username != *username || !is_sub {
            return Err(ApiError::Unauthenticated(Unauthenticated::OtherToken));
        }
        Ok(Some(myself))
    }
}

fn parameter<'a>(path: &'a RawPathParams, wanted: &str) -> Option<&'a str> {
    path.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

impl App {
    /// Refuses to change a user who shares a name with another user. Cognito takes a user name and a `sub` in the same place, users choose
    /// their names themselves, and AWS does not document which of the two Cognito prefers.
    pub(crate) async fn ensure_unambiguous(&self, named: &Username, user: &User) -> Result<(), ApiError> {
        let id = user.id();
        if id == user.username {
            return Ok(());
        }
        let could_be_another_sub = named.has_form_of_sub() && *named != id;
        if could_be_another_sub || self.pool.get(&id).await?.username != user.username {
            return Err(ApiError::ambiguous_user());
        }
        Ok(())
    }

    /// Refuses a group that carries an IAM role, unless the caller has the permission for it. Without that permission, the group must
    /// exist.
    async fn ensure_role_allowed(&self, authorized: &Authorized, group: &GroupName) -> Result<(), ApiError> {
        if authorized.grants.allows(Permission::GroupsRoles) {
            return Ok(());
        }
        authorized.ensure_role_permitted(self.pool.group(group).await?.role_arn.as_deref())
    }
}

/// A caller who no longer exists must sign in again, like one whose token is revoked.
fn rejected(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::UserNotFound => UserPoolError { reason: Reason::InvalidCredentials, ..error }.into(),
        _ => error.into(),
    }
}
