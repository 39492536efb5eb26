//! Paged lists: reads `limit` and `cursor`, and creates the next cursor.

use domain::user_pool::directory::PageRequest;
use serde::{Deserialize, Serialize};

use crate::http::cursor::Cursors;
use crate::http::error::ApiError;
use crate::http::query::Parameters;

/// The maximum page size of Cognito, and the default.
pub(crate) const MAX_LIMIT: u8 = 60;

/// A cursor for the OpenAPI document's examples: well-formed, with an invalid HMAC.
pub(crate) const EXAMPLE_CURSOR: &str = "UNhY4JhezH9gQYqvDMWrWH9CwlcKiECVqejMrND2VFwiQ0FJU2xBSUlBUkxzQVFnRCI";

/// The position of the next page. Cognito's token requires the same limit, so the limit of the first page is kept.
#[derive(Serialize, Deserialize)]
struct Position {
    page: String,
    limit: u8,
}

/// Removes `limit` from the parameters.
pub(crate) fn take_limit(parameters: &mut Parameters) -> Result<u8, ApiError> {
    let Some(text) = parameters.take("limit")? else { return Ok(MAX_LIMIT) };
    // `u8::from_str` accepts a plus sign.
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'));
    limit.ok_or_else(|| ApiError::invalid("limit", format!("Must be a number between 1 and {MAX_LIMIT}.")))
}

/// Returns the requested page. `list` identifies the list: its path with the values in it.
///
/// # Errors
/// Rejects other parameters, and a cursor of another list.
pub(crate) async fn page_request(
    cursors: &Cursors,
    list: &str,
    mut parameters: Parameters,
) -> Result<PageRequest, ApiError> {
    let limit = take_limit(&mut parameters)?;
    let cursor = parameters.take("cursor")?;
    parameters.finish()?;
    let Some(cursor) = cursor else { return Ok(PageRequest { limit, after: None }) };
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
