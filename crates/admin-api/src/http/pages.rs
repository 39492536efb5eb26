//! Paged lists: reads `limit` and `cursor`, and creates the next cursor.

use domain::user_pool::directory::PageRequest;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::http::cursor::Cursors;
use crate::http::error::ApiError;

/// The maximum page size of Cognito, and the default.
const MAX_LIMIT: u8 = 60;

/// A cursor for the OpenAPI document's examples: well-formed, with an invalid HMAC.
pub(crate) const EXAMPLE_CURSOR: &str = "UNhY4JhezH9gQYqvDMWrWH9CwlcKiECVqejMrND2VFwiQ0FJU2xBSUlBUkxzQVFnRCI";

/// The parameters of a paged list without conditions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// The maximum number of results.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 60)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page size.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(pub(crate) u8);

impl Default for Limit {
    fn default() -> Self {
        Self(MAX_LIMIT)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // `u8::from_str` accepts a plus sign.
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'));
        limit.map(Self).ok_or_else(|| format!("must be a number between 1 and {MAX_LIMIT}"))
    }
}

/// The position of the next page. Cognito's token requires the same limit, so the limit of the first page is kept.
#[derive(Serialize, Deserialize)]
struct Position {
    page: String,
    limit: u8,
}

/// Returns the requested page. `list` identifies the list: its path with the values in it.
///
/// # Errors
/// Rejects a cursor of another list.
pub(crate) async fn page_request(
    cursors: &Cursors,
    list: &str,
    parameters: PageParameters,
) -> Result<PageRequest, ApiError> {
    let Some(cursor) = parameters.cursor else { return Ok(PageRequest { limit: parameters.limit.0, after: None }) };
    let Position { page, limit } = cursors.open(list, &cursor).await?;
    Ok(PageRequest { limit, after: Some(page) })
}

/// Returns the cursor to the page that begins at `next`, if one follows.
pub(crate) async fn next_cursor(
    cursors: &Cursors,
    list: &str,
    request: &PageRequest,
    next: Option<String>,
) -> Result<Option<String>, ApiError> {
    match next {
        Some(page) => cursors.seal(list, &Position { page, limit: request.limit }).await.map(Some),
        None => Ok(None),
    }
}
