//! The CSV format of Cognito's import jobs: one column per attribute, `cognito:username` and `cognito:mfa_enabled`. Values
//! are not quoted, and a comma in a value is written `\,` ([Importing users into user pools from a CSV file]).
//!
//! [Importing users into user pools from a CSV file]: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html

use super::row::{MfaPreference, RowError, UserRow};
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::is_verification;

/// The column of the user name.
pub(super) const USERNAME: &str = "cognito:username";

/// The column that enables codes in text messages.
pub(super) const MFA_ENABLED: &str = "cognito:mfa_enabled";

/// The column of the password hash. The algorithm is a parameter of the import job.
pub(super) const PASSWORD_HASH: &str = "password_hash";

/// The columns of a file.
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// Parses the header.
    pub(super) fn parse(header: &str) -> Result<Self, String> {
        let columns = values(header);
        // First, because the message about a duplicate column quotes it, and a file without header begins with a user.
        if !columns.iter().any(|column| column == USERNAME) {
            return Err(format!("missing column `{USERNAME}`"));
        }
        if let Some(repeated) = columns.iter().enumerate().find(|(index, name)| columns[..*index].contains(name)) {
            return Err(format!("duplicate column `{}`", repeated.1));
        }
        Ok(Self(columns))
    }

    /// Parses the line of a user.
    pub(super) fn row(&self, line: &str) -> Result<UserRow, RowError> {
        let values = values(line);
        let (expected, found) = (self.0.len(), values.len());
        if found != expected {
            let problem = format!("must have {expected} values, and has {found}; a comma in a value is written `\\,`");
            return Err(RowError::new(problem));
        }
        let cells = || self.0.iter().zip(&values).map(|(column, value)| (column.as_str(), value.as_str()));
        let username = cells().find(|(column, _)| *column == USERNAME).map_or("", |(_, value)| value);
        let mut row = UserRow::new(username.parse().map_err(|error| RowError::at(USERNAME, format!("{error}")))?);
        for (column, value) in cells().filter(|(column, value)| *column != USERNAME && !value.is_empty()) {
            if value.starts_with('"') {
                return Err(RowError::at(column, "must not be quoted; a comma in a value is written `\\,`"));
            }
            match column {
                PASSWORD_HASH => return Err(RowError::at(column, "requires JSON Lines, which name the algorithm")),
                MFA_ENABLED => {
                    let enabled = flag(column, value)?.then(|| [Factor::SmsMfa].into());
                    row.mfa = enabled.map(|enabled| MfaPreference { enabled, preferred: None });
                }
                _ => {
                    row.attributes.insert(column.to_owned(), attribute(column, value)?);
                }
            }
        }
        Ok(row)
    }
}

/// Splits a line at its commas.
fn values(line: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, values.last_mut()) {
            (',', _) => values.push(String::new()),
            ('\\', Some(value)) if characters.peek() == Some(&',') => value.extend(characters.next()),
            (other, Some(value)) => value.push(other),
            (_, None) => {}
        }
    }
    values
}

fn attribute(column: &str, value: &str) -> Result<String, RowError> {
    if is_verification(column) {
        return flag(column, value).map(|flag| flag.to_string());
    }
    // Import jobs take mm/dd/yyyy. Cognito's API takes the form of the OpenID Connect claim.
    if column == "birthdate"
        && let [month, day, year] = value.split('/').collect::<Vec<_>>()[..]
    {
        return Ok(format!("{year}-{month:0>2}-{day:0>2}"));
    }
    Ok(value.to_owned())
}

/// Parses a boolean in any case, because spreadsheets write `TRUE`.
fn flag(column: &str, value: &str) -> Result<bool, RowError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(RowError::at(column, "must be true, false or empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Format, Lines};

    fn read(text: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let lines = Lines::new(Format::Csv, text).unwrap().map(Result::unwrap);
        let lines = lines.map(|line| {
            let row = line.row.map(|row| serde_json::to_string(&row).unwrap());
            (line.number, row.map_err(|error| error.to_string()))
        });
        lines.collect()
    }

    #[test]
    fn reads_the_columns_of_cognito() {
        let text = "\u{feff}cognito:username,name,email,email_verified,birthdate,cognito:mfa_enabled,custom:team\r\n\
                    mia,Mia\\, M.,mia@example.com,TRUE,2/28/1990,false,\r\n\
                    \r\n\
                    ray,,,false,1990-02-28,true,a\\b \"c\"\r\n\
                    ann,,,,,,";
        assert_eq!(
            read(text.as_bytes()),
            [
                (
                    2,
                    r#"{"version":1,"username":"mia","attributes":{"birthdate":"1990-02-28","email":"mia@example.com","email_verified":"true","name":"Mia, M."}}"#
                ),
                (
                    4,
                    r#"{"version":1,"username":"ray","attributes":{"birthdate":"1990-02-28","custom:team":"a\\b \"c\"","email_verified":"false"},"mfa":{"enabled":["SMS_MFA"]}}"#
                ),
                (5, r#"{"version":1,"username":"ann"}"#),
            ]
            .map(|(line, row)| (line, Ok(row.to_owned())))
        );
    }

    #[test]
    fn a_wrong_line_does_not_end_the_file() {
        let rows = read(
            b"cognito:username,email_verified,password_hash\nmia,yes,\nray,\n,true,\n\xff,true,\nann,\"true\",\njoe,,x\nzoe,,\n",
        );
        let errors: Vec<_> =
            rows.iter().filter_map(|(line, row)| Some((*line, row.as_ref().err()?.as_str()))).collect();
        assert_eq!(
            errors,
            [
                (2, "email_verified: must be true, false or empty"),
                (3, "must have 3 values, and has 2; a comma in a value is written `\\,`"),
                (4, "cognito:username: must be 1–128 characters without whitespace or control characters"),
                (5, "must be UTF-8"),
                (6, "email_verified: must not be quoted; a comma in a value is written `\\,`"),
                (7, "password_hash: requires JSON Lines, which name the algorithm"),
            ]
        );
        assert!(rows.len() == 7 && rows[6].0 == 8 && rows[6].1.is_ok(), "{rows:?}");
    }

    #[test]
    fn rejects_a_header_without_or_with_repeated_columns() {
        for (text, expected) in [
            ("", "line 1: missing column `cognito:username`"),
            ("username,email\n", "line 1: missing column `cognito:username`"),
            ("cognito:username,email,email\n", "line 1: duplicate column `email`"),
        ] {
            let error = Lines::new(Format::Csv, text.as_bytes()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }
}
