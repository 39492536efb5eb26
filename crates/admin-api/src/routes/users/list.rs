//! `GET /v1/users?…`: lists or searches users in pages.

mod parameters;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::search::{self, PAGE_BUDGET, Position};
use domain::user_pool::error::{Reason, UserPoolError};
use serde::Serialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::pages::EXAMPLE_CURSOR;
use crate::http::query::Query;
use crate::routes::user_view::UserView;
use parameters::Parameters;

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users, example = json!({
    "users": [UserView::example()], "next_cursor": EXAMPLE_CURSOR, "ended_early": false
}))]
pub(crate) struct Answer {
    users: Vec<UserView>,
    /// The cursor of the next page, which requires the same parameters; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Whether the request stopped before the page was full, because it had read ten pages of Cognito or Cognito
    /// throttled a call. More users can follow.
    ended_early: bool,
}

/// List or search users
///
/// Returns the users that match all parameters. `email`, `email_prefix` and `name` are case-insensitive. Cognito
/// filters by one parameter only. The API applies the other parameters, and reads at most ten pages of Cognito for each
/// request. Therefore a page can be short or empty and still have a `next_cursor` (`ended_early`). Recent changes can
/// be missing.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(Parameters),
    responses((status = 200, description = "A page of users.", body = Answer)),
    extensions(("x-problems" = json!(["group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    audit: Audit,
    Query(mut parameters): Query<Parameters>,
    Query(names): Query<BTreeMap<String, Vec<IgnoredAny>>>,
) -> Result<Json<Answer>, ApiError> {
    audit.fields(names.into_keys().filter(|name| !["limit", "cursor"].contains(&name.as_str())));

    let (limit, cursor) = (parameters.limit.0, parameters.cursor.take());
    let query = parameters.into();
    let list = name_of(&query)?;
    let found = match cursor {
        None => search::find_users(&*app.pool, &query, Position::default(), limit, PAGE_BUDGET).await?,
        Some(cursor) => {
            let place = app.cursors.open(&list, &cursor).await?;
            search::find_users(&*app.pool, &query, place, limit, PAGE_BUDGET).await.map_err(cursor_error)?
        }
    };
    audit.results(found.users.len());
    let next_cursor = match &found.next {
        Some(place) => Some(app.cursors.seal(&list, place).await?),
        None => None,
    };
    Ok(Json(Answer { users: app.views(found.users, &authorized).await, next_cursor, ended_early: found.ended_early }))
}

/// Returns the list name that cursors of this query are sealed with. Each query has a different list name.
fn name_of(query: &search::Query) -> Result<String, ApiError> {
    let query = serde_json::to_string(query).map_err(|_| ApiError::Internal("the query cannot be serialized"))?;
    Ok(format!("users?{query}"))
}

/// Maps the error of a request with a valid cursor and query, in which Cognito can reject only an expired pagination
/// token.
fn cursor_error(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::InvalidRequest => ApiError::invalid("cursor", "The cursor has expired. Start again without a cursor."),
        _ => error.into(),
    }
}
