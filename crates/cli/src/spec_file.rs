//! Reads a spec from a file or standard input. A mistake is told with its place and with what was expected there.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use domain::spec::Spec;
use thiserror::Error;

/// Why there is no spec. Nothing was touched.
#[derive(Debug, Error)]
pub(crate) enum SpecFileError {
    /// The file cannot be read.
    #[error("{file}: {}", in_words(source))]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is not JSON, or not a spec.
    #[error("{file}, line {line}, column {column}: {}{problem}", Field(field))]
    Wrong {
        /// Its name.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// The path to the value, empty for the whole.
        field: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// It contradicts itself, or a value is out of its range.
    #[error("{file}: {field}: {problem}")]
    Refused {
        /// Its name.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
    },
}

/// A field before what is said about it.
struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, "{}: ", self.0) }
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "expected JSON in UTF-8".to_owned(),
        io::ErrorKind::IsADirectory => "expected a file, this is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether the spec comes from standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads and checks the spec at `path`, or on standard input where that is `-`.
pub(crate) fn read(path: &Path) -> Result<Spec, SpecFileError> {
    let (file, text) = if is_standard_input(path) {
        let mut text = String::new();
        ("standard input".to_owned(), io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (path.display().to_string(), fs::read_to_string(path))
    };
    match text {
        Ok(text) => parse(&file, &text),
        Err(source) => Err(SpecFileError::Unreadable { file, source }),
    }
}

fn parse(file: &str, text: &str) -> Result<Spec, SpecFileError> {
    let wrong = |field: String, error: &serde_json::Error| {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let said = error.to_string();
        let problem = said.rsplit_once(" at line ").map_or(said.as_str(), |(problem, _)| problem);
        let problem = problem.strip_prefix(&format!("spec.{field}: ")).unwrap_or(problem).to_owned();
        SpecFileError::Wrong { file: file.to_owned(), line, column, field, problem }
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let spec: Spec = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // A mistake in the JSON itself has a place, but no field that it could be blamed on.
        let field = if path == "." || !error.inner().is_data() { String::new() } else { path };
        wrong(field, error.inner())
    })?;
    json.end().map_err(|error| wrong(String::new(), &error))?;
    spec.check().map_err(|error| SpecFileError::Refused {
        file: file.to_owned(),
        field: error.field,
        problem: error.problem,
    })?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse("pool.json", text).unwrap_err().to_string()
    }

    #[test]
    fn a_name_is_enough() {
        assert_eq!(parse("pool.json", " {\"name\": \"shop\"}\n").unwrap().name.as_str(), "shop");
    }

    #[test]
    fn a_mistake_in_the_json_has_its_place() {
        for (text, expected) in [
            ("", "pool.json, line 1, column 1: EOF while parsing a value"),
            ("{\n  \"name\": \"shop\",\n}", "pool.json, line 3, column 1: trailing comma"),
            ("{\"name\": \"shop\"} {", "pool.json, line 1, column 18: trailing characters"),
            ("name: shop", "pool.json, line 1, column 2: expected ident"),
        ] {
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn a_wrong_value_has_its_path_and_what_was_expected() {
        for (text, place, problem) in [
            ("{}", "pool.json, line 1, column 2: ", "missing field `name`"),
            ("[]", "pool.json, line 1, column ", "invalid"),
            (
                "{\"name\": \"a b\"}",
                "pool.json, line 1, column 15: name: must be",
                "must be 1 to 36 letters, digits, hyphens, and single dots between them",
            ),
            (
                "{\"name\": \"shop\", \"self_signup\": true}",
                "self_signup: unknown field `self_signup`",
                "`self_sign_up`",
            ),
            (
                "{\"name\": \"shop\", \"clients\": {\"web\": {\"auth_flows\": [\"ALLOW_ALL\"]}}}",
                "clients.web.auth_flows[0]: unknown variant `ALLOW_ALL`",
                "`ALLOW_USER_SRP_AUTH`",
            ),
            ("{\"name\": \"shop\", \"verify\": \"yes\"}", "verify: ", "expected `true` or `false`"),
        ] {
            let error = error(text);
            assert!(error.contains(place) && error.contains(problem) && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_its_field() {
        assert_eq!(
            error("{\"name\": \"shop\", \"password_policy\": {\"minimum_length\": 5}}"),
            "pool.json: password_policy.minimum_length: expected 6 to 99 characters"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("pool.json");
        let error = |path: &Path| read(path).unwrap_err().to_string();
        assert_eq!(error(&missing), format!("{}: there is no such file", missing.display()));
        assert_eq!(error(folder.path()), format!("{}: expected a file, this is a folder", folder.path().display()));
        fs::write(&missing, b"\xff\xfe").unwrap();
        assert_eq!(error(&missing), format!("{}: expected JSON in UTF-8", missing.display()));
    }
}
