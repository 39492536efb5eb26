//! The authorization of a request before its handler.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::permission::Permission;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{GroupName, Membership};
use domain::user_pool::self_service::Myself;
use domain::user_pool::user::{User, Username};
use http::HeaderMap;
use lambda_http::RequestExt;

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

/// Passes a request with [`Authorized`] to its handler, or rejects it.
pub(crate) async fn authorize(
    State(gate): State<Gate>,
    audit: Audit,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = Caller::of(request.extensions().request_context_ref(), &gate.app.trust, gate.app.now());
    let respond = async {
        match gate.check(caller.as_ref(), request.headers(), path.ok().as_ref(), &audit).await {
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
    };
    match gate.access {
        // For a write, the gate checks before the handler.
        Access::Public | Access::OwnToken | Access::Write(_) => respond.await,
        Access::AnyCaller | Access::Read(_) | Access::List(_) => {
            let not_revoked = async {
                let caller = caller.as_ref().map_err(|error| ApiError::Unauthenticated(*error))?;
                gate.app.ensure_not_revoked(caller).await
            };
            // A read has no effect, so it runs at the same time as the check. A failed check ends it.
            match tokio::try_join!(async { Ok(respond.await) }, not_revoked) {
                Ok((response, ())) => response,
                Err(error) => error.into_response(),
            }
        }
    }
}

impl Gate {
    async fn check(
        &self,
        caller: Result<&Caller, &Unauthenticated>,
        headers: &HeaderMap,
        path: Option<&RawPathParams>,
        audit: &Audit,
    ) -> Result<Option<(Authorized, Option<User>)>, ApiError> {
        if matches!(self.access, Access::Public | Access::OwnToken) {
            // No caller is required. If the request has an AWS signature, the audit record names the AWS principal.
            if let Ok(caller @ Caller::Iam { .. }) = caller {
                audit.by(caller);
            }
            return Ok(None);
        }
        let caller = caller.map_err(|error| ApiError::Unauthenticated(*error))?;
        audit.by(caller);
        let mut authorized = Authorized {
            grants: self.app.trust.roles.grants_of(caller.groups()),
            caller: caller.clone(),
            groups: caller.groups().map(str::to_owned).collect(),
            second_factor: None,
        };
        let mut target = None;
        match self.access {
            Access::Public | Access::OwnToken => {}
            Access::AnyCaller => self.check_second_factor(&mut authorized, headers).await?,
            Access::Read(permission) | Access::List(permission) => {
                authorized.require(permission)?;
                self.check_second_factor(&mut authorized, headers).await?;
                authorized.require_second_factor()?;
                // The handler rejects invalid names.
                let username = path.and_then(|path| parameter(path, "username")).and_then(|name| name.parse().ok());
                if let Some(username) = username.filter(|_| !authorized.grants.allows(Permission::UsersRead)) {
                    authorized.ensure_findable(&self.app.pool.get(&username).await?, &username)?;
                }
            }
            Access::Write(permission) => {
                authorized.require(permission)?;
                let username = path.and_then(|path| parameter(path, "username")).and_then(|name| name.parse().ok());
                let owner = TokenOwner::of(caller, headers)?;
                if let Some(owner) = owner.as_ref().filter(|_| self.app.is_unavailable()) {
                    // One call first, so that each write does not make three calls to an unavailable user pool.
                    self.myself(owner).await?;
                }
                let confirmation = async {
                    let caller = self.read_caller(owner.as_ref()).await?;
                    self.confirm(&mut authorized, caller)?;
                    authorized.require(permission)
                };
                // The target is read at the same time, which saves a round trip. A rejected caller does not wait for
                // it, so that the response time does not depend on the target.
                let find = async { Ok(self.find(username.as_ref()).await) };
                let not_revoked = self.app.ensure_not_revoked(caller);
                let ((), (), found) = tokio::try_join!(not_revoked, confirmation, find)?;
                // The handler rejects a path that is not UTF-8.
                if let Some(path) = path {
                    target = self.target(&authorized, path, username.as_ref().zip(found), audit).await?;
                }
            }
        }
        Ok(Some((authorized, target)))
    }

    async fn find(&self, username: Option<&Username>) -> Option<Result<User, UserPoolError>> {
        Some(self.app.pool.get(username?).await)
    }

    /// Rejects a user or a group in the path whose grants exceed the caller's. Otherwise a caller who can set
    /// passwords, addresses or second factors, or link identities, could act as that user.
    ///
    /// The user is read only once and passed to the handler, because an alias can move to another user between two
    /// reads.
    async fn target(
        &self,
        authorized: &Authorized,
        path: &RawPathParams,
        found: Option<(&Username, Result<User, UserPoolError>)>,
        audit: &Audit,
    ) -> Result<Option<User>, ApiError> {
        let group = parameter(path, "group");
        // The handler rejects invalid names.
        let valid_group = group.and_then(|name| name.parse::<GroupName>().ok());
        if let (Some(group), Some(_)) = (&valid_group, parameter(path, "username")) {
            // This check comes first, so that the error does not disclose the grants of groups that the caller cannot
            // assign.
            authorized.ensure_assignable(group.as_str())?;
        }
        authorized.ensure_no_escalation(&self.app.trust.roles, group)?;
        let (group, user) = tokio::join!(
            self.app.ensure_role_allowed(authorized, valid_group.as_ref()),
            self.target_user(authorized, found, audit)
        );
        group.and(user)
    }

    async fn target_user(
        &self,
        authorized: &Authorized,
        found: Option<(&Username, Result<User, UserPoolError>)>,
        audit: &Audit,
    ) -> Result<Option<User>, ApiError> {
        let Some((username, found)) = found else { return Ok(None) };
        let user = found?;
        authorized.ensure_findable(&user, username)?;
        audit.on_found(&user);
        // First, because the groups are read by the `sub`, which must not be the name of another user.
        self.app.ensure_unambiguous(username, &user).await?;
        let memberships = self.app.pool.groups(&user.id()).await?;
        authorized.ensure_no_escalation_in(&self.app.trust.roles, &memberships)?;
        Ok(Some(user))
    }

    /// Reads the caller with the caller's own access token, and the caller's groups. Cognito rejects the token if it is
    /// revoked, or if its owner is signed out, disabled or deleted.
    async fn read_caller(&self, owner: Option<&TokenOwner<'_>>) -> Result<Option<ConfirmedCaller>, ApiError> {
        // An AWS principal is in no group.
        let Some(owner) = owner else { return Ok(None) };
        let memberships = async { Ok(self.app.pool.groups(owner.username).await) };
        let (myself, memberships) = tokio::try_join!(self.myself(owner), memberships)?;
        Ok(Some(ConfirmedCaller { myself, memberships }))
    }

    /// Removes the grants that the user pool does not confirm. Only groups that are in both the token and the user pool
    /// count.
    fn confirm(&self, authorized: &mut Authorized, caller: Option<ConfirmedCaller>) -> Result<(), ApiError> {
        let Some(ConfirmedCaller { myself, memberships }) = caller else { return Ok(()) };
        authorized.second_factor = self.second_factor(authorized, &myself);
        authorized.require_second_factor()?;
        let memberships = memberships.map_err(map_caller_error)?;
        let confirmed = Membership::names(&memberships).filter(|group| authorized.groups.contains(*group));
        authorized.grants = self.app.trust.roles.grants_of(confirmed);
        authorized.groups.extend(Membership::names(&memberships).map(str::to_owned));
        Ok(())
    }

    /// Reads whether the caller has a second factor, if the deployment requires one.
    async fn check_second_factor(&self, authorized: &mut Authorized, headers: &HeaderMap) -> Result<(), ApiError> {
        if !self.requires_second_factor(authorized) {
            return Ok(());
        }
        let Some(owner) = TokenOwner::of(&authorized.caller, headers)? else { return Ok(()) };
        authorized.second_factor = self.second_factor(authorized, &self.myself(&owner).await?);
        Ok(())
    }

    fn requires_second_factor(&self, authorized: &Authorized) -> bool {
        self.app.trust.admin_mfa == AdminMfa::Required && !authorized.grants.permissions().is_empty()
    }

    fn second_factor(&self, authorized: &Authorized, myself: &Myself) -> Option<SecondFactor> {
        let state = if myself.factors.is_empty() { SecondFactor::Missing } else { SecondFactor::Present };
        self.requires_second_factor(authorized).then_some(state)
    }

    /// Reads the owner of an access token from the user pool.
    async fn myself(&self, owner: &TokenOwner<'_>) -> Result<Myself, ApiError> {
        let read = self.app.self_service.myself(&owner.access_token).await;
        self.app.record_availability(&read);
        let myself = read.map_err(map_caller_error)?;
        // The app client's read attributes can exclude `sub`.
        let is_sub = myself.attributes.get("sub").is_none_or(|found| found == owner.sub);
        if myself.username != *owner.username || !is_sub {
            return Err(ApiError::Unauthenticated(Unauthenticated::OtherToken));
        }
        Ok(myself)
    }
}

/// A caller as read from the user pool.
struct ConfirmedCaller {
    myself: Myself,
    memberships: Result<Vec<Membership>, UserPoolError>,
}

/// A caller with the access token that identifies them.
struct TokenOwner<'a> {
    username: &'a Username,
    sub: &'a str,
    access_token: Secret,
}

impl<'a> TokenOwner<'a> {
    /// The owner in the claims of the request; `None` for an AWS principal.
    fn of(caller: &'a Caller, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Caller::User { username, sub, scopes, .. } = caller else { return Ok(None) };
        if !scopes.contains(USER_ADMIN_SCOPE) {
            return Err(ApiError::MissingScope);
        }
        let no_token = ApiError::Unauthenticated(Unauthenticated::NoAccessToken);
        let access_token = access_token::caller_token(headers).ok_or(no_token)?;
        Ok(Some(Self { username, sub, access_token }))
    }
}

fn parameter<'a>(path: &'a RawPathParams, wanted: &str) -> Option<&'a str> {
    path.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

impl App {
    /// Rejects a user whose name is the `sub` of another user. Cognito accepts a user name or a `sub` in the same
    /// parameter, users choose their names, and AWS does not document which of the two Cognito prefers.
    pub(crate) async fn ensure_unambiguous(&self, named: &Username, user: &User) -> Result<(), ApiError> {
        if self.is_ambiguous(named, user).await? { Err(ApiError::ambiguous_user()) } else { Ok(()) }
    }

    /// Whether the name of a user is the `sub` of another user.
    pub(crate) async fn is_ambiguous(&self, named: &Username, user: &User) -> Result<bool, UserPoolError> {
        let id = user.id();
        if id == user.username {
            return Ok(false);
        }
        let could_be_another_sub = named.has_form_of_sub() && *named != id;
        Ok(could_be_another_sub || self.pool.get(&id).await?.username != user.username)
    }

    /// Rejects a group with an IAM role, unless the caller has `groups:roles`. Fails for a group that does not exist,
    /// unless the caller has that permission.
    async fn ensure_role_allowed(&self, authorized: &Authorized, group: Option<&GroupName>) -> Result<(), ApiError> {
        let Some(group) = group.filter(|_| !authorized.grants.allows(Permission::GroupsRoles)) else { return Ok(()) };
        authorized.ensure_role_permitted(self.pool.group(group).await?.role_arn.as_deref())
    }
}

/// A deleted caller receives the same error as a caller with a revoked token.
fn map_caller_error(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::UserNotFound => UserPoolError { reason: Reason::InvalidCredentials, ..error }.into(),
        _ => error.into(),
    }
}
