//! The id of a job.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::retry::Clock;
use crate::transfer::ImportId;

/// What a job id must be.
pub const EXPECTED_JOB_ID: &str = "must be `import-` and 32 lowercase hexadecimal digits";

const PREFIX: &str = "import-";

/// Identifies a job, its uploaded file and its results.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    /// The number of characters.
    pub const LENGTH: usize = PREFIX.len() + 32;

    /// A new random id.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        Self(format!("{PREFIX}{}", clock.nonce().expose()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id with which the import recognizes its users.
    #[must_use]
    pub fn import_id(&self) -> Option<ImportId> {
        self.0.strip_prefix(PREFIX)?.parse().ok()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for JobId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == 32 && digits.bytes().all(is_digit));
        digits.map(|_| Self(text.to_owned())).ok_or(EXPECTED_JOB_ID)
    }
}

impl TryFrom<String> for JobId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_ids_that_are_safe_in_keys_and_names() {
        let digits = "0123456789abcdef0123456789abcdef";
        let id: JobId = format!("import-{digits}").parse().unwrap();
        assert_eq!(id.import_id().unwrap().to_string(), digits);
        for wrong in [
            "",
            digits,
            "import-",
            "export-0123456789abcdef0123456789abcdef",
            "import-0123456789ABCDEF0123456789ABCDEF",
            "import-0123456789abcdef0123456789abcde/",
            "import-0123456789abcdef0123456789abcdef-2",
        ] {
            assert_eq!(wrong.parse::<JobId>(), Err(EXPECTED_JOB_ID), "{wrong}");
        }
    }
}
