//! Lists that the user pool hands out page by page: reading `limit` and `cursor`, and making the next cursor.

use domain::user_pool::directory::PageRequest;
use serde::{Deserialize, Serialize};

use crate::http::cursor::Cursors;
use crate::http::error::ApiError;
use crate::http::query::Parameters;

/// The most that Cognito gives in one page, and what it is without a limit.
pub(crate) const MAX_LIMIT: u8 = 60;

/// A cursor in the OpenAPI document's examples. It is of the form that cursors have, and sealed with no key.
pub(crate) const EXAMPLE_CURSOR: &str = "UNhY4JhezH9gQYqvDMWrWH9CwlcKiECVqejMrND2VFwiQ0FJU2xBSUlBUkxzQVFnRCI";

/// Where a list goes on. Cognito's token is for the same request again, its limit included: that of the first page stays.
#[derive(Serialize, Deserialize)]
struct Place {
    page: String,
    limit: u8,
}

/// Takes `limit` out of the parameters.
pub(crate) fn take_limit(parameters: &mut Parameters) -> Result<u8, ApiError> {
    let Some(text) = parameters.take("limit")? else { return Ok(MAX_LIMIT) };
    // `u8::from_str` takes a plus sign.
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'));
    limit.ok_or_else(|| ApiError::invalid("limit", format!("Expected a number from 1 to {MAX_LIMIT}.")))
}

/// The page that the parameters ask for. `list` names the list: its path, with whose list it is.
///
/// # Errors
/// Any other parameter, and a cursor that is not from this list.
pub(crate) async fn page_request(
    cursors: &Cursors,
    list: &str,
    mut parameters: Parameters,
) -> Result<PageRequest, ApiError> {
    let limit = take_limit(&mut parameters)?;
    let cursor = parameters.take("cursor")?;
    parameters.finish()?;
    let Some(cursor) = cursor else { return Ok(PageRequest { limit, after: None }) };
    let Place { page, limit } = cursors.open(list, &cursor).await?;
    Ok(PageRequest { limit, after: Some(page) })
}

/// The cursor to the page that begins at `next`, where there is one.
pub(crate) async fn next_cursor(
    cursors: &Cursors,
    list: &str,
    request: &PageRequest,
    next: Option<String>,
) -> Result<Option<String>, ApiError> {
    match next {
        Some(page) => cursors.seal(list, &Place { page, limit: request.limit }).await.map(Some),
        None => Ok(None),
    }
}
