//! Request bodies: JSON of the declared type, of a bounded size, with known fields only. What is wrong is said with its place.
//!
//! What `serde` says is not handed on: it quotes values, and a value may be a password. For the same reason no type of a body that
//! holds a secret has `Debug`.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use serde_json::error::Category;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::error::ApiError;

/// The largest body that is read. The largest one that makes sense is a user with 50 attributes of 2048 characters each, which
/// nobody has.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// A body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        JsonText::from_request(request, state).await?.read().map(Self)
    }
}

/// A body that is not read yet: for routes whose bodies have several forms, where a first look tells which one it is.
pub(crate) struct JsonText(Bytes);

impl JsonText {
    /// The body as this type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        parse(&self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !declares_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::BodyTooLarge
            } else {
                ApiError::InvalidRequest { field: None, detail: "The body could not be read.".to_owned() }
            }
        })?;
        Ok(Self(bytes))
    }
}

fn declares_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object: Object<T> = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| explain(".", &error))?;
    Ok(object.0)
}

/// A struct that comes as a JSON object only: `serde` would take `["mia"]` for `{"username": "mia"}` as well.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: PartialSchema> PartialSchema for Object<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for Object<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData)).map(Self)
    }
}

/// A whole number from zero on. To JSON Schema, and to many a language's JSON, `5.0` is the whole number 5.
pub(crate) fn whole(number: &Number) -> Option<u32> {
    // Written out, it has no fraction.
    number.as_f64()?.to_string().parse().ok()
}

/// Our own words for what `serde_json` found. From its words only those are taken that come from our types: what was expected.
fn explain(path: &str, error: &serde_json::Error) -> ApiError {
    if error.classify() != Category::Data {
        let detail = format!("The body is not valid JSON: line {}, column {}.", error.line(), error.column());
        return ApiError::InvalidRequest { field: None, detail };
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    if let Some(name) = quoted_after(text, "missing field ") {
        return ApiError::invalid(&joined(path, name), "The field is needed.");
    }
    if let Some(name) = quoted_after(text, "duplicate field ") {
        return ApiError::invalid(&joined(path, name), "The field is there twice.");
    }
    let detail = match expected {
        Some(expected) if text.starts_with("unknown field ") => format!("There is no such field; expected {expected}."),
        Some(expected) => format!("Expected {expected}."),
        // What is left are the errors of our own types, which hold no values.
        None => format!("Expected that {text}."),
    };
    let field = if path == "." { None } else { Some(path.chars().take(MAX_FIELD_CHARS).collect()) };
    ApiError::InvalidRequest { field, detail }
}

/// The name of one of our fields, which stands in backticks at the end.
fn quoted_after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.strip_prefix(beginning)?.strip_prefix('`')?.strip_suffix('`')
}

/// The longest place that is repeated to the caller, who may have made up the names in it.
const MAX_FIELD_CHARS: usize = 80;

fn joined(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::secret::Secret;
    use domain::user_pool::user::Username;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only its type matters here")]
        username: Username,
        password: Option<Object<Password>>,
        #[serde(default)]
        attributes: BTreeMap<String, Option<String>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Password {
        value: Secret,
        permanent: bool,
    }

    impl std::fmt::Debug for Object<Password> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(formatter)
        }
    }

    fn refusal(text: &str) -> (Option<String>, String) {
        match parse::<Body>(text.as_bytes()) {
            Err(ApiError::InvalidRequest { field, detail }) => (field, detail),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_body_of_the_declared_type_is_read() {
        let text = r#" {"username": "mia", "password": {"value": "x", "permanent": true}, "attributes": {"a": null}} "#;
        let body = parse::<Body>(text.as_bytes()).unwrap();
        let password = body.password.unwrap().0;
        assert_eq!((password.value.expose(), password.permanent), ("x", true));
        assert_eq!(body.attributes, BTreeMap::from([("a".to_owned(), None)]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_without_values() {
        let table = [
            ("{}", Some("username"), "The field is needed."),
            (r#"{"username": "mia", "password": {"value": "x"}}"#, Some("password.permanent"), "The field is needed."),
            (
                r#"{"username": "mia", "pasword": 1}"#,
                Some("pasword"),
                "There is no such field; expected one of `username`",
            ),
            (r#"{"username": "mia", "username": "mia"}"#, Some("username"), "The field is there twice."),
            (r#"{"username": 1234567}"#, Some("username"), "Expected a string."),
            (r#"{"username": "a b"}"#, Some("username"), "Expected that a user name has 1 to 128 characters"),
            (r#"{"username": "mia", "attributes": {"email": 7}}"#, Some("attributes.email"), "Expected a string."),
            (r#"{"username": "mia", "attributes": []}"#, Some("attributes"), "Expected a map."),
            (
                r#"{"username": "mia", "password": {"value": "x", "permanent": "Hunter-2"}}"#,
                Some("password.permanent"),
                "Expected a boolean.",
            ),
            (r#"{"username": "mia", "password": "Hunter-2"}"#, Some("password"), "Expected a JSON object."),
            (r#"{"username": "mia", "password": ["Hunter-2", true]}"#, Some("password"), "Expected a JSON object."),
            (r#"{"username": "mia", "password": ", expected Hunter-2"}"#, Some("password"), "Expected a JSON object."),
            (r#"["mia"]"#, None, "Expected a JSON object."),
            ("null", None, "Expected a JSON object."),
            ("", None, "The body is not valid JSON: line 1, column 0."),
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
    fn deep_nesting_and_bytes_that_are_no_text_are_refused() {
        let (_, detail) = refusal(&format!(r#"{{"attributes": {}"#, "[".repeat(1000)));
        assert!(detail.starts_with("Expected a map."), "{detail}");
        assert!(parse::<Body>(b"{\"username\": \"\xff\"}").is_err());
        assert!(parse::<Body>(br#"{"username": "\ud800"}"#).is_err());
    }

    #[test]
    fn a_long_made_up_name_is_not_repeated_in_full() {
        let (field, _) = refusal(&format!(r#"{{"{}": 1}}"#, "x".repeat(5000)));
        assert_eq!(field.map(|field| field.len()), Some(MAX_FIELD_CHARS));
    }

    #[test]
    fn only_json_is_declared_as_json() {
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
