//! Query parameters as structs with known fields only. Errors name the parameter and do not contain its value.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_html_form::Deserializer;
use serde_path_to_error::Segment;

use crate::http::error::{ApiError, sentence};

/// The query parameters of a request.
///
/// A field is a `String`, an enum, a type with `try_from = "String"`, or a `Vec` of these if the parameter can be
/// repeated. Numbers and `bool` would accept more than the OpenAPI document describes (`+1`, `on`, an empty value).
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = Deserializer::from_bytes(parts.uri.query().unwrap_or_default().as_bytes());
        serde_path_to_error::deserialize(query).map(Self).map_err(|error| ApiError::InvalidRequest {
            field: error.path().iter().find_map(|segment| match segment {
                Segment::Map { key } => Some(key.chars().take(MAX_NAME_CHARS).collect()),
                _ => None,
            }),
            detail: detail(&error.inner().to_string()),
        })
    }
}

/// Translates an error text of `serde`. Keeps only the expectation, which comes from the types and contains no values.
fn detail(text: &str) -> String {
    match text.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("unknown field ") => {
            format!("Unknown parameter; expected {expected}.")
        }
        Some((_, expected)) => format!("Must be {expected}."),
        // `serde_html_form` reports a duplicate parameter with this text.
        None if text == "unsupported value" => "Duplicate parameter.".to_owned(),
        // Errors of the field types contain no values.
        None => sentence(&text),
    }
}

/// The maximum length of an unknown name in an error.
const MAX_NAME_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use domain::user_pool::groups::GroupName;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        text: Option<String>,
        group: Option<GroupName>,
        order: Option<Order>,
        #[serde(default)]
        groups: Vec<GroupName>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        Up,
        Down,
    }

    async fn read(query: &str) -> Result<Parameters, ApiError> {
        let request = http::Request::get(format!("/?{query}")).body(()).unwrap();
        Query::from_request_parts(&mut request.into_parts().0, &()).await.map(|Query(parameters)| parameters)
    }

    #[tokio::test]
    async fn reads_single_and_repeated_parameters() {
        let group = |name: &str| GroupName::try_from(name.to_owned()).unwrap();
        let (text, groups) = (Some("\" +".to_owned()), vec![group("b"), group("a")]);
        let expected = Parameters { text, group: Some(group("%")), order: Some(Order::Up), groups };
        assert_eq!(read("groups=b&text=%22+%2B&&group=%25&order=up&groups=a").await.unwrap(), expected);
        let expected = Parameters { text: Some(String::new()), group: None, order: None, groups: vec![group("a")] };
        assert_eq!(read("text&groups=a").await.unwrap(), expected);
    }

    #[tokio::test]
    async fn errors_name_the_parameter_and_contain_no_values() {
        let long = "x".repeat(500);
        let unknown = "Unknown parameter; expected one of `text`, `group`, `order`, `groups`.";
        for (query, name, expected) in [
            ("text=a&filter=Hunter", "filter", unknown),
            ("custom%5B0%5D,+expected+x=Hunter", "custom[0], expected x", unknown),
            (&format!("{long}=Hunter"), &long[..MAX_NAME_CHARS], unknown),
            ("text=Hunter&text=Hunter", "text", "Duplicate parameter."),
            ("group=Hunter&group=Hunter", "group", "Duplicate parameter."),
            ("order=up&order=up", "order", "Duplicate parameter."),
            ("order=Hunter", "order", "Must be `up` or `down`."),
            ("order=", "order", "Must be `up` or `down`."),
            ("group=two+Hunters", "group", "Must be 1–128 characters without whitespace or control characters."),
            ("groups=a&groups=", "groups", "Must be 1–128 characters without whitespace or control characters."),
        ] {
            match read(query).await {
                Err(ApiError::InvalidRequest { field, detail }) => {
                    assert_eq!((field.as_deref(), detail.as_str()), (Some(name), expected), "{query}");
                }
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
