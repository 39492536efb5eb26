//! Path parameters, read by name because a path can have several, and the encoding of path segments.

use std::collections::HashMap;
use std::fmt::Display;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::http::error::{ApiError, sentence};

/// Returns the parameter of this name, decoded and validated.
pub(crate) async fn parameter<T>(parts: &mut Parts, name: &'static str) -> Result<T, ApiError>
where
    T: TryFrom<String, Error: Display>,
{
    let Path(mut all) =
        Path::<HashMap<String, String>>::from_request_parts(parts, &()).await.map_err(|error| unreadable(&error))?;
    let text = all.remove(name).ok_or(ApiError::Internal("the route has no such parameter in its path"))?;
    T::try_from(text).map_err(|error| ApiError::invalid(name, sentence(&error)))
}

/// Returns an error that names the parameter that is not UTF-8. Axum's rejection covers all parameters of the path.
fn unreadable(rejection: &PathRejection) -> ApiError {
    match rejection {
        PathRejection::FailedToDeserializePathParams(error) => match error.kind() {
            ErrorKind::InvalidUtf8InPathParam { key } => ApiError::invalid(key, "Must be percent-encoded UTF-8."),
            _ => ApiError::Internal("the path cannot be read"),
        },
        _ => ApiError::Internal("the route has no parameters in its path"),
    }
}

/// Encodes the text as one path segment.
pub(crate) fn segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, NOT_IN_A_SEGMENT)
}

const NOT_IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::get;
    use domain::user_pool::groups::GroupName;
    use domain::user_pool::user::Username;
    use tower::ServiceExt;

    use super::*;

    /// Reads `username` and `group` from a path with both.
    async fn both(path: &str) -> String {
        let handler = async |request: Request| {
            let (mut parts, _) = request.into_parts();
            let username = parameter::<Username>(&mut parts, "username").await;
            let group = parameter::<GroupName>(&mut parts, "group").await;
            match (username, group) {
                (Ok(username), Ok(group)) => format!("{username} in {group}"),
                (Err(error), _) | (_, Err(error)) => error.to_string(),
            }
        };
        let router: Router = Router::new().route("/users/{username}/groups/{group}", get(handler));
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn reads_and_rejects_parameters_by_name() {
        let long = format!("/users/mia/groups/{}", "x".repeat(129));
        let table = [
            ("/users/mia/groups/admins", "mia in admins"),
            ("/users/mia%40example.com/groups/a%2Fb", "mia@example.com in a/b"),
            ("/users/two%20words/groups/admins", "invalid username: "),
            ("/users/mia/groups/two%20words", "invalid group: "),
            (&long, "invalid group: "),
            ("/users/%FF/groups/admins", "invalid username: Must be percent-encoded UTF-8."),
            ("/users/mia/groups/%FF", "invalid group: Must be percent-encoded UTF-8."),
        ];
        for (path, expected) in table {
            let found = both(path).await;
            assert!(found.starts_with(expected), "{path}: {found}");
        }
    }

    #[tokio::test]
    async fn unknown_parameter_is_an_internal_error() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let outcome = parameter::<Username>(&mut parts, "username").await;
        assert!(matches!(outcome, Err(ApiError::Internal(_))));
    }

    #[test]
    fn encodes_segment() {
        assert_eq!(segment("a/b?c#d%e f@g.h-i_j~ü").to_string(), "a%2Fb%3Fc%23d%25e%20f%40g.h-i_j~%C3%BC");
    }
}
