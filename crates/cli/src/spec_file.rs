//! Reads a spec from a file or standard input. Errors name the position and what is expected.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use domain::spec::Spec;
use thiserror::Error;

/// Why a spec cannot be read or is invalid.
#[derive(Debug, Error)]
pub(crate) enum SpecFileError {
    /// The file cannot be read.
    #[error("{file}: {}", describe(source))]
    Unreadable {
        /// The file name.
        file: String,
        /// The cause.
        source: io::Error,
    },
    /// The content is not JSON, or not a spec.
    #[error("{file}, line {line}, column {column}: {}{problem}", Field(field))]
    Malformed {
        /// The file name.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// The path of the value, empty for the whole document.
        field: String,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// Fields contradict each other, or a value is out of range.
    #[error("{file}: {field}: {problem}")]
    Invalid {
        /// The file name.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong, and what is expected.
        problem: String,
    },
}

/// Prints a field name with a colon, or nothing if it is empty.
struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, "{}: ", self.0) }
    }
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "file not found".to_owned(),
        io::ErrorKind::InvalidData => "must be JSON in UTF-8".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether the path means standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads and checks the spec at `path`, or from standard input if `path` is `-`.
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
    let malformed = |field: String, error: &serde_json::Error| {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let message = error.to_string();
        let problem = message.rsplit_once(" at line ").map_or(message.as_str(), |(problem, _)| problem);
        let problem = problem.strip_prefix(&format!("spec.{field}: ")).unwrap_or(problem).to_owned();
        SpecFileError::Malformed { file: file.to_owned(), line, column, field, problem }
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let spec: Spec = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // A syntax error has a position, but belongs to no field.
        let field = if path == "." || !error.inner().is_data() { String::new() } else { path };
        malformed(field, error.inner())
    })?;
    json.end().map_err(|error| malformed(String::new(), &error))?;
    spec.check().map_err(|error| SpecFileError::Invalid {
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
    fn accepts_spec_with_only_a_name() {
        assert_eq!(parse("pool.json", " {\"name\": \"shop\"}\n").unwrap().name.as_str(), "shop");
    }

    #[test]
    fn syntax_error_has_a_position() {
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
    fn invalid_value_has_path_and_expectation() {
        for (text, place, problem) in [
            ("{}", "pool.json, line 1, column 2: ", "missing field `name`"),
            ("[]", "pool.json, line 1, column ", "invalid"),
            (
                "{\"name\": \"a b\"}",
                "pool.json, line 1, column 15: name: must be",
                "must be 1–36 letters, digits and hyphens, with single dots between them",
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
    fn value_out_of_range_names_the_field() {
        assert_eq!(
            error("{\"name\": \"shop\", \"password_policy\": {\"minimum_length\": 5}}"),
            "pool.json: password_policy.minimum_length: must be between 6 and 99"
        );
    }

    #[test]
    fn unreadable_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("pool.json");
        let error = |path: &Path| read(path).unwrap_err().to_string();
        assert_eq!(error(&missing), format!("{}: file not found", missing.display()));
        assert_eq!(error(folder.path()), format!("{}: is a directory, not a file", folder.path().display()));
        fs::write(&missing, b"\xff\xfe").unwrap();
        assert_eq!(error(&missing), format!("{}: must be JSON in UTF-8", missing.display()));
    }
}
