//! `GET /v1/users?…`: everybody, or those whom the parameters describe, page by page.

mod query;
#[cfg(test)]
mod tests;

use axum::Json;
use axum::extract::State;
use domain::search::{self, PAGE_BUDGET, Place, Query, SearchTerm};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::pages::{EXAMPLE_CURSOR, take_limit};
use crate::http::query::Parameters;
use crate::routes::user_view::UserView;
use query::{CustomAttributeText, Flag, Moment, StatusWord};

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users, example = json!({
    "users": [UserView::example()], "next_cursor": EXAMPLE_CURSOR, "ended_early": false
}))]
pub(crate) struct Answer {
    users: Vec<UserView>,
    /// For the next page, with the same parameters; null on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Whether the request stopped before the page was full: it had looked at enough, or the pool had had enough of requests. More may come.
    ended_early: bool,
}

/// List or search users
///
/// Everybody of whom all parameters are true; in `email`, `email_prefix` and `name` capital and small letters are the same. Cognito
/// looks for one of them, the others are looked at here, through ten pages of its at the most: a page can be short, or empty, and
/// `next_cursor` still lead on (`ended_early`). Lists lag writes by moments.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(
        ("username" = inline(Option<Username>), Query, description = "The real user name, no alias."),
        ("email" = inline(Option<SearchTerm>), Query, description = "The whole e-mail address."),
        ("email_prefix" = inline(Option<SearchTerm>), Query, description = "The beginning of the e-mail address."),
        ("phone_number" = inline(Option<SearchTerm>), Query, description = "The whole phone number."),
        ("name" = inline(Option<SearchTerm>), Query, description = "The whole attribute `name`."),
        ("status" = inline(Option<StatusWord>), Query, description = "The status, in Cognito's own words."),
        ("enabled" = inline(Option<Flag>), Query, description = "Whether an administrator lets the user sign in at all."),
        ("group" = inline(Option<GroupName>), Query, description = "A group that the user is in."),
        (
            "custom_attribute" = inline(Option<Vec<CustomAttributeText>>), Query,
            description = "`NAME=VALUE`: a custom attribute, with or without `custom:`, and its whole value. Can be there several times.",
        ),
        ("created_after" = inline(Option<Moment>), Query, description = "Created later than this moment."),
        ("created_before" = inline(Option<Moment>), Query, description = "Created earlier than this moment."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 60, description = "At most so many."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of users.", body = Answer)),
    extensions(("x-problems" = json!(["group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    audit: Audit,
    mut parameters: Parameters,
) -> Result<Json<Answer>, ApiError> {
    let conditions = parameters.names();
    let query = query::take_query(&mut parameters)?;
    let limit = take_limit(&mut parameters)?;
    let cursor = parameters.take("cursor")?;
    parameters.finish()?;
    audit.fields(conditions.into_iter().filter(|name| !["limit", "cursor"].contains(&name.as_str())));

    let list = name_of(&query)?;
    let found = match cursor {
        None => search::walk(&*app.pool, &query, Place::default(), limit, PAGE_BUDGET).await?,
        Some(cursor) => {
            let place = app.cursors.open(&list, &cursor).await?;
            search::walk(&*app.pool, &query, place, limit, PAGE_BUDGET).await.map_err(at_the_cursor)?
        }
    };
    audit.results(found.users.len());
    let next_cursor = match &found.next {
        Some(place) => Some(app.cursors.seal(&list, place).await?),
        None => None,
    };
    Ok(Json(Answer { users: app.views(found.users, &authorized).await, next_cursor, ended_early: found.ended_early }))
}

/// What a cursor of this query is sealed with: no two queries have the same name.
fn name_of(query: &Query) -> Result<String, ApiError> {
    let query = serde_json::to_string(query).map_err(|_| ApiError::Internal("a query cannot be written down"))?;
    Ok(format!("users?{query}"))
}

/// The cursor is ours, and the rest of the request went well before: what Cognito refuses is its own token, which has ended.
fn at_the_cursor(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::InvalidRequest => {
            ApiError::invalid("cursor", "The cursor is too old: expected a request without one, from the beginning.")
        }
        _ => error.into(),
    }
}
