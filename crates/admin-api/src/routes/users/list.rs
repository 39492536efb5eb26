//! `GET /v1/users?…`: lists or searches users in pages.

mod query;
#[cfg(test)]
mod tests;

use axum::Json;
use axum::extract::State;
use domain::search::{self, PAGE_BUDGET, Position, Query, SearchTerm};
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
use query::{CustomAttributeText, Flag, StatusName, Timestamp};

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users, example = json!({
    "users": [UserView::example()], "next_cursor": EXAMPLE_CURSOR, "ended_early": false
}))]
pub(crate) struct Answer {
    users: Vec<UserView>,
    /// The cursor of the next page, which takes the same parameters; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Whether the request stopped before the page was full, because it had read ten pages of Cognito or Cognito
    /// throttled it. More users can follow.
    ended_early: bool,
}

/// List or search users
///
/// Returns the users that match all parameters. `email`, `email_prefix` and `name` are case-insensitive. Cognito
/// filters by one parameter only. The API applies the others, and reads at most ten pages of Cognito for each request.
/// Therefore a page can be short or empty and still have a `next_cursor` (`ended_early`). Recent changes can be
/// missing.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(
        ("username" = inline(Option<Username>), Query, description = "The user name, not an alias."),
        ("email" = inline(Option<SearchTerm>), Query, description = "The complete e-mail address."),
        ("email_prefix" = inline(Option<SearchTerm>), Query, description = "The beginning of the e-mail address."),
        ("phone_number" = inline(Option<SearchTerm>), Query, description = "The complete phone number."),
        ("name" = inline(Option<SearchTerm>), Query, description = "The complete value of the attribute `name`."),
        ("status" = inline(Option<StatusName>), Query, description = "The status, as Cognito spells it."),
        ("enabled" = inline(Option<Flag>), Query, description = "Whether the user is enabled."),
        ("group" = inline(Option<GroupName>), Query, description = "The name of a group that the user is in."),
        (
            "custom_attribute" = inline(Option<Vec<CustomAttributeText>>), Query,
            description = "A custom attribute as `NAME=VALUE`, with or without `custom:`. Matches the complete value. Can be repeated.",
        ),
        ("created_after" = inline(Option<Timestamp>), Query, description = "Created after this timestamp."),
        ("created_before" = inline(Option<Timestamp>), Query, description = "Created before this timestamp."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 60, description = "The maximum number of results."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page."),
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

/// The list name that cursors of this query are sealed with. Every query has its own.
fn name_of(query: &Query) -> Result<String, ApiError> {
    let query = serde_json::to_string(query).map_err(|_| ApiError::Internal("the query cannot be serialized"))?;
    Ok(format!("users?{query}"))
}

/// The cursor and the query are valid, so Cognito can only reject its own pagination token, which has expired.
fn cursor_error(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::InvalidRequest => ApiError::invalid("cursor", "The cursor has expired. Start again without a cursor."),
        _ => error.into(),
    }
}
