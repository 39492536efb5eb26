//! Parses JSON objects with known fields only. Errors name the field and never contain a value.
//!
//! Messages of `serde` quote values, which can be passwords.

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use thiserror::Error;

/// The maximum length of a path in an error. The path can contain unknown names.
const MAX_FIELD_CHARS: usize = 80;

/// Why a text is not the expected JSON object. `Display` contains only the problem.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The text is not JSON.
    #[error("not valid JSON: line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A field is missing, unknown or wrong.
    #[error("{problem}")]
    Field {
        /// The path of the field. `None` if the whole text has the wrong type.
        field: Option<String>,
        /// What is expected.
        problem: String,
    },
}

impl JsonError {
    fn missing_or_duplicate(path: &str, name: &str, problem: &str) -> Self {
        let names_the_field = path == name || path.ends_with(&format!(".{name}"));
        let field = match path {
            "." => name.to_owned(),
            path if names_the_field => path.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        Self::at(&field, problem.to_owned())
    }

    fn at(path: &str, problem: String) -> Self {
        let field = if path == "." { None } else { Some(path.chars().take(MAX_FIELD_CHARS).collect()) };
        Self::Field { field, problem }
    }
}

/// Parses a JSON object.
///
/// # Errors
///
/// Returns an error that names the first wrong field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object: Object<T> = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        // `serde_json` reports a value of the wrong type as a syntax error if an enum is expected.
        let is_in_place_of_enum = error.inner().is_syntax() && error.inner().to_string().starts_with("expected value");
        if is_in_place_of_enum && serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            wrong_type(&path, "a string")
        } else {
            explain(&path, error.inner())
        }
    })?;
    deserializer.end().map_err(|error| explain(".", &error))?;
    Ok(object.0)
}

/// A struct that accepts JSON objects only. `serde` would parse `["mia"]` as `{"username": "mia"}` as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData)).map(Self)
    }
}

/// Translates an error of `serde_json`. Keeps only the expectation, which comes from the types and contains no values.
fn explain(path: &str, error: &serde_json::Error) -> JsonError {
    if error.classify() != Category::Data {
        return JsonError::Syntax { line: error.line(), column: error.column() };
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    if let Some(name) = quoted_after(text, "missing field ") {
        return JsonError::missing_or_duplicate(path, name, "missing field");
    }
    if let Some(name) = quoted_after(text, "duplicate field ") {
        return JsonError::missing_or_duplicate(path, name, "duplicate field");
    }
    match expected {
        Some(expected) if text.starts_with("unknown field ") => {
            JsonError::at(path, format!("unknown field; expected {expected}"))
        }
        Some(expected) => wrong_type(path, expected),
        // Errors of the field types contain no values.
        None => JsonError::at(path, text.to_owned()),
    }
}

/// The error for a value of the wrong type. Uses the type names of JSON instead of those of `serde`.
fn wrong_type(path: &str, expected: &str) -> JsonError {
    let expected = match expected {
        "a map" => "an object",
        "a sequence" => "an array",
        "unit" => "null",
        "u8" | "u16" | "u32" | "u64" => "a non-negative integer",
        text if text.starts_with("struct ") => "an object",
        other => other,
    };
    JsonError::at(path, format!("must be {expected}"))
}

/// Returns the field name, which is in backticks at the end of the text.
fn quoted_after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.strip_prefix(beginning)?.strip_prefix('`')?.strip_suffix('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the types matter here")]
    struct Body {
        name: String,
        count: Option<u32>,
        part: Option<Part>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the types matter here")]
    struct Part {
        size: u8,
    }

    /// The messages of top-level fields are in the tests of the admin API.
    #[test]
    fn errors_name_nested_fields_and_contain_no_values() {
        for (text, field, problem) in [
            (r#"{"name": "", "part": {}}"#, Some("part.size"), "missing field"),
            (r#"{"name": "", "part": {"size": 1, "size": 1}}"#, Some("part.size"), "duplicate field"),
            (r#"{"name": "", "part": {"sizes": 1}}"#, Some("part.sizes"), "unknown field; expected `size`"),
            (r#"{"name": "", "part": {"size": "Hunter-2"}}"#, Some("part.size"), "must be a non-negative integer"),
            (r#"{"name": "", "part": "Hunter-2"}"#, Some("part"), "must be an object"),
            (r#"{"name": "", "count": "Hunter-2"}"#, Some("count"), "must be a non-negative integer"),
            (r#""Hunter-2""#, None, "must be an object"),
            ("Hunter-2", None, "not valid JSON: line 1, column 1"),
        ] {
            let error = parse::<Body>(text.as_bytes()).unwrap_err();
            let found = match &error {
                JsonError::Field { field, .. } => field.as_deref(),
                JsonError::Syntax { .. } => None,
            };
            assert_eq!((found, error.to_string().as_str()), (field, problem), "{text}");
        }
    }
}
