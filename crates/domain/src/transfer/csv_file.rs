//! Writes the CSV file of an import job. The rules and limits are those of [Importing users into user pools from a CSV
//! file]. AWS does not document how to write line breaks, tabs, backslashes and quotes, so rows with them are rejected.
//!
//! [Importing users into user pools from a CSV file]: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html

use super::csv::{MFA_ENABLED, PASSWORD_HASH, USERNAME};
use super::row::RowError;
use crate::secret::Secret;
use crate::user_pool::user::{Attributes, Username, is_verification};

/// The maximum number of users in a file.
const MAX_USERS: usize = 500_000;

/// The maximum size of a file, 100 MB.
const MAX_BYTES: usize = 100_000_000;

/// The maximum length of a line in characters.
const MAX_LINE_CHARS: usize = 16_000;

/// The columns of a pool's import jobs.
#[derive(Debug)]
pub(super) struct FileColumns(Vec<String>);

impl FileColumns {
    /// Takes the columns of `GetCSVHeader`.
    pub(super) fn new(header: Vec<String>) -> Self {
        Self(header)
    }

    pub(super) fn contain(&self, column: &str) -> bool {
        self.0.iter().any(|name| name == column)
    }

    /// The line of a user, without its end. AWS does not document whether the header of `GetCSVHeader` contains the
    /// column of the hash, so it is appended if it is missing.
    pub(super) fn line(
        &self,
        username: &Username,
        attributes: &Attributes,
        hash: Option<&Secret>,
    ) -> Result<String, RowError> {
        if let Some(name) = attributes.keys().find(|name| !self.contain(name)) {
            return Err(RowError::at(format!("attributes.{name}"), "import jobs have no column for this attribute"));
        }
        let hash = hash.map(|hash| escaped(hash.expose())).transpose();
        let hash = hash.map_err(|problem| RowError::at("password", problem))?;
        let mut cells = Vec::with_capacity(self.0.len() + 1);
        for column in &self.0 {
            cells.push(match column.as_str() {
                USERNAME => escaped(username.as_str()).map_err(|problem| RowError::at("username", problem))?,
                PASSWORD_HASH => hash.clone().unwrap_or_default(),
                // Cognito takes the state that the pool requires.
                MFA_ENABLED => String::new(),
                name => {
                    let value = attributes.get(name).map(|value| cell(name, value)).transpose();
                    value.map_err(|problem| RowError::at(format!("attributes.{name}"), problem))?.unwrap_or_default()
                }
            });
        }
        if !self.contain(PASSWORD_HASH) {
            cells.extend(hash);
        }
        let line = cells.join(",");
        if line.chars().count() > MAX_LINE_CHARS {
            return Err(RowError::new(format!("must be at most {MAX_LINE_CHARS} characters long in an import job")));
        }
        Ok(line)
    }
}

fn cell(name: &str, value: &str) -> Result<String, &'static str> {
    match name {
        _ if is_verification(name) => Ok(value.to_ascii_uppercase()),
        // Import jobs take mm/dd/yyyy, unlike Cognito's API.
        "birthdate" => {
            let parts: Vec<&str> = value.split('-').collect();
            let is_number = |part: &str, digits| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            match parts[..] {
                [year, month, day] if is_number(year, 4) && is_number(month, 2) && is_number(day, 2) => {
                    Ok(format!("{month}/{day}/{year}"))
                }
                _ => Err("must be YYYY-MM-DD"),
            }
        }
        _ => escaped(value),
    }
}

fn escaped(value: &str) -> Result<String, &'static str> {
    if value.contains(|character: char| character == '\\' || character.is_control()) {
        return Err("must not contain backslashes, tabs and line breaks in an import job");
    }
    if value.starts_with('"') {
        return Err("must not begin with a quotation mark in an import job");
    }
    if value.trim() != value {
        return Err("must not begin or end with whitespace in an import job, which removes it");
    }
    Ok(value.replace(',', "\\,"))
}

/// A file that is being written. Contains password hashes.
pub(super) struct CsvFile {
    text: String,
    users: usize,
}

impl CsvFile {
    /// A file without users.
    pub(super) fn new(columns: &FileColumns, has_hashes: bool) -> Self {
        let mut text = columns.0.join(",");
        if has_hashes && !columns.contain(PASSWORD_HASH) {
            text.push(',');
            text.push_str(PASSWORD_HASH);
        }
        text.push('\n');
        Self { text, users: 0 }
    }

    /// Adds a line. Returns false if the file is full.
    pub(super) fn push(&mut self, line: &str) -> bool {
        let is_full = self.users == MAX_USERS || self.text.len() + line.len() + 1 > MAX_BYTES;
        if !is_full {
            self.text.push_str(line);
            self.text.push('\n');
            self.users += 1;
        }
        !is_full
    }

    /// The whole file.
    pub(super) fn finish(self) -> Secret {
        Secret::new(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &str) -> FileColumns {
        FileColumns::new(names.split(',').map(str::to_owned).collect())
    }

    fn line(names: &str, attributes: &[(&str, &str)], hash: Option<&str>) -> Result<String, String> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let hash = hash.map(Secret::new);
        let line = columns(names).line(&"mia,1".parse().unwrap(), &attributes, hash.as_ref());
        line.map_err(|error| error.to_string())
    }

    const HEADER: &str =
        "cognito:username,name,email,email_verified,birthdate,updated_at,cognito:mfa_enabled,custom:team";

    #[test]
    fn writes_every_column_in_the_order_of_the_header() {
        let attributes = [
            ("birthdate", "1990-02-28"),
            ("custom:team", "a \"b\" c"),
            ("email", "mia@example.com"),
            ("email_verified", "true"),
            ("name", "Mia, M."),
            ("updated_at", "1700000000"),
        ];
        let expected = "mia\\,1,Mia\\, M.,mia@example.com,TRUE,02/28/1990,1700000000,,a \"b\" c";
        assert_eq!(line(HEADER, &attributes, None).unwrap(), expected);
        let hash = Some("$argon2id$v=19$m=8,t=1,p=1$AA$AA");
        let escaped = "$argon2id$v=19$m=8\\,t=1\\,p=1$AA$AA";
        assert_eq!(line(HEADER, &attributes, hash).unwrap(), format!("{expected},{escaped}"));
        // A column of the header is not repeated.
        let header = format!("password_hash,{HEADER}");
        assert_eq!(line(&header, &attributes, hash).unwrap(), format!("{escaped},{expected}"));
        for (has_hashes, expected) in [(true, format!("{HEADER},password_hash\n")), (false, format!("{HEADER}\n"))] {
            assert_eq!(CsvFile::new(&columns(HEADER), has_hashes).finish().expose(), expected);
        }
        assert_eq!(CsvFile::new(&columns(&header), true).finish().expose(), format!("{header}\n"));
    }

    #[test]
    fn rejects_values_that_cognito_could_read_differently() {
        for (name, value, expected) in [
            ("name", "a\\b", "attributes.name: must not contain backslashes"),
            ("name", "a\nb", "attributes.name: must not contain backslashes"),
            ("name", "a\rb", "attributes.name: must not contain backslashes"),
            ("name", "a\tb", "attributes.name: must not contain backslashes"),
            ("name", "\"a\"", "attributes.name: must not begin with a quotation mark"),
            ("name", " a", "attributes.name: must not begin or end with whitespace"),
            ("name", "a\u{a0}", "attributes.name: must not begin or end with whitespace"),
            ("birthdate", "02/28/1990", "attributes.birthdate: must be YYYY-MM-DD"),
            ("birthdate", "1990-2-28", "attributes.birthdate: must be YYYY-MM-DD"),
            ("nickname", "m", "attributes.nickname: import jobs have no column for this attribute"),
        ] {
            let error = line(HEADER, &[(name, value)], None).unwrap_err();
            assert!(error.starts_with(expected), "{value}: {error}");
        }
        let longest = "x".repeat(MAX_LINE_CHARS - line(HEADER, &[], None).unwrap().len());
        assert!(line(HEADER, &[("name", &longest)], None).is_ok());
        let error = line(HEADER, &[("name", &format!("{longest}é"))], None).unwrap_err();
        assert_eq!(error, "must be at most 16000 characters long in an import job");
    }

    #[test]
    fn a_file_ends_at_the_limits_of_cognito() {
        let long = "x".repeat(15_999);
        let mut file = CsvFile::new(&columns("x"), false);
        let mut users = 0;
        while file.push(&long) {
            users += 1;
        }
        assert_eq!((users, file.finish().expose().len()), (6_249, 6_249 * 16_000 + 2));
        let mut file = CsvFile::new(&columns("x"), false);
        assert_eq!((0..=MAX_USERS).take_while(|_| file.push("x")).count(), MAX_USERS);
    }
}
