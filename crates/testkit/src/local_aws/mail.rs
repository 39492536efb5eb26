//! The mails that the emulator stores instead of sending them: welcome messages with temporary passwords, and codes.

use std::fmt;

use serde_json::Value;

use super::error::LocalAwsError;

/// One mail.
#[derive(Clone)]
pub struct Mail {
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text, which contains passwords and codes.
    pub text: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mail").field("to", &self.to).field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Mail {
    /// The temporary password in a welcome message ("… and temporary password is PASSWORD.").
    #[must_use]
    pub fn temporary_password(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("temporary password is ")?;
        rest.trim_end().strip_suffix('.')
    }
}

/// Parses the list of mails of all accounts.
pub(super) fn read(body: &[u8]) -> Result<Vec<Mail>, LocalAwsError> {
    let unreadable = || LocalAwsError::Unreadable("its list of mails".to_owned());
    let body: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let accounts = body["messages"].as_object().ok_or_else(unreadable)?;
    let mails = accounts.values().filter_map(Value::as_array).flatten();
    Ok(mails.map(one).collect())
}

fn one(mail: &Value) -> Mail {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Mail {
        to: mail["To"].as_array().into_iter().flatten().map(text).collect(),
        subject: text(&mail["Subject"]),
        text: text(&mail["BodyText"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAILS: &str = r#"{"messages": {"000000000000": [{"To": ["ops@example.com"], "Subject": "Your temporary password",
        "BodyText": "Your username is admin and temporary password is aB.1^x."}]}}"#;

    #[test]
    fn finds_temporary_password_with_dots() {
        let mails = read(MAILS.as_bytes()).unwrap();
        assert_eq!((mails.len(), mails[0].to[0].as_str()), (1, "ops@example.com"));
        assert_eq!(mails[0].temporary_password(), Some("aB.1^x"));
    }

    #[test]
    fn shows_no_text_in_debug_output() {
        let shown = format!("{:?}", read(MAILS.as_bytes()).unwrap());
        assert!(!shown.contains("aB.1^x"), "{shown}");
    }

    #[test]
    fn rejects_a_response_without_a_list_of_mails() {
        assert!(matches!(read(b"<html>"), Err(LocalAwsError::Unreadable(_))));
        assert!(matches!(read(br#"{"messages": 1}"#), Err(LocalAwsError::Unreadable(_))));
    }
}
