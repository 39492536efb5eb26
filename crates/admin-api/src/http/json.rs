//! JSON request bodies of a bounded size, with known fields only. Errors name the field.
//!
//! No body type with a secret implements `Debug`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use domain::json::JsonError;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Number;

use crate::http::error::{ApiError, sentence};

/// The maximum size of a body.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// A parsed body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        JsonText::from_request(request, state).await?.read().map(Self)
    }
}

/// An unparsed body, for routes whose bodies have several forms.
pub(crate) struct JsonText(Bytes);

impl JsonText {
    /// Whether the request has no body.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Parses the body as this type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        parse(&self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let declares_json = declares_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::BodyTooLarge
            } else {
                ApiError::InvalidRequest { field: None, detail: "The body cannot be read.".to_owned() }
            }
        })?;
        if declares_json || bytes.is_empty() { Ok(Self(bytes)) } else { Err(ApiError::UnsupportedMediaType) }
    }
}

fn declares_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::InvalidRequest { field: None, detail: "Missing body.".to_owned() });
    }
    domain::json::parse(bytes).map_err(|error| match error {
        JsonError::Syntax { .. } => ApiError::InvalidRequest { field: None, detail: format!("The body is {error}.") },
        JsonError::Field { field, problem } => ApiError::InvalidRequest { field, detail: sentence(&problem) },
    })
}

/// Returns a non-negative integer. In JSON Schema, `5.0` is the integer 5.
pub(crate) fn integer(number: &Number) -> Option<u32> {
    // An integral `f64` is written without a fraction.
    number.as_f64()?.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::user_pool::user::Username;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        username: Username,
        permanent: Option<bool>,
        #[serde(default)]
        attributes: BTreeMap<String, Option<String>>,
        #[expect(dead_code, reason = "only its type matters here")]
        mail: Option<Mail>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mail {
        Send,
        Suppress,
    }

    fn refusal(text: &str) -> (Option<String>, String) {
        match parse::<Body>(text.as_bytes()) {
            Err(ApiError::InvalidRequest { field, detail }) => (field, detail),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn parses_valid_body() {
        let body = parse::<Body>(br#" {"username": "mia", "permanent": true, "attributes": {"a": null}} "#).unwrap();
        assert_eq!((body.username.as_str(), body.permanent), ("mia", Some(true)));
        assert_eq!(body.attributes, BTreeMap::from([("a".to_owned(), None)]));
    }

    #[test]
    fn errors_name_the_field_and_contain_no_values() {
        let malformed_name = sentence(&"a b".parse::<Username>().unwrap_err());
        let table = [
            ("{}", Some("username"), "Missing field."),
            (r#"{"username": "mia", "pasword": 1}"#, Some("pasword"), "Unknown field; expected one of `username`"),
            (r#"{"username": "mia", "username": "mia"}"#, Some("username"), "Duplicate field."),
            (r#"{"username": 1234567}"#, Some("username"), "Must be a string."),
            (r#"{"username": "a b"}"#, Some("username"), malformed_name.as_str()),
            (r#"{"username": "mia", "attributes": {"email": 7}}"#, Some("attributes.email"), "Must be a string."),
            (r#"{"username": "mia", "attributes": []}"#, Some("attributes"), "Must be an object."),
            (r#"{"username": "mia", "attributes": ", expected Hunter-2"}"#, Some("attributes"), "Must be an object."),
            (r#"{"username": "mia", "permanent": "Hunter-2"}"#, Some("permanent"), "Must be a boolean."),
            (r#"["mia"]"#, None, "Must be an object."),
            ("null", None, "Must be an object."),
            (r#"{"username": "mia", "mail": true}"#, Some("mail"), "Must be a string."),
            (r#"{"username": "mia", "mail": "Hunter"}"#, Some("mail"), "Must be `send` or `suppress`."),
            ("", None, "Missing body."),
            ("Hunter-2", None, "The body is not valid JSON: line 1, column 1."),
            (r#"{"username": "mia""#, None, "The body is not valid JSON: line 1, column 18."),
            (r#"{"username": "mia"} x"#, None, "The body is not valid JSON: line 1, column 21."),
        ];
        for (text, field, detail) in table {
            let (found_field, found_detail) = refusal(text);
            assert_eq!(found_field.as_deref(), field, "{text}: {found_detail}");
            assert!(found_detail.starts_with(detail), "{text}: {found_detail}");
            assert!(!found_detail.contains("Hunter") && !found_detail.contains("1234567"), "{text}: {found_detail}");
        }
    }

    #[test]
    fn rejects_deep_nesting_and_invalid_unicode() {
        let (_, detail) = refusal(&format!(r#"{{"attributes": {}"#, "[".repeat(1000)));
        assert!(detail.starts_with("Must be an object."), "{detail}");
        assert!(parse::<Body>(b"{\"username\": \"\xff\"}").is_err());
        let (_, detail) = refusal(r#"{"username": "\ud800"}"#);
        assert!(detail.starts_with("The body is not valid JSON"), "{detail}");
    }

    #[test]
    fn truncates_long_unknown_name() {
        let (field, _) = refusal(&format!(r#"{{"{}": 1}}"#, "x".repeat(5000)));
        assert_eq!(field.map(|field| field.len()), Some(80));
    }

    #[test]
    fn accepts_json_content_type_only() {
        for (content_type, expected) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/plain"), false),
            (Some("application/jsonp"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(content_type.map(|value| (CONTENT_TYPE, value.parse().unwrap())));
            assert_eq!(declares_json(&headers), expected, "{content_type:?}");
        }
    }
}
