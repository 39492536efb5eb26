//! The id of a job, and the names of its executions.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strum::VariantArray as _;

use super::job::JobType;
use crate::retry::Clock;
use crate::transfer::ImportId;

/// What a job id must be.
pub const EXPECTED_JOB_ID: &str =
    "must be `import-`, `export-`, `backup-` or `restore-`, and 32 lowercase hexadecimal digits";

/// The number of digits.
const DIGITS: usize = 32;

/// The lengths of the parts of a UUID.
const UUID_PARTS: [usize; 5] = [8, 4, 4, 4, 12];

/// Identifies a job and its files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId {
    job_type: JobType,
    digits: String,
}

impl JobId {
    /// A new random id.
    #[must_use]
    pub fn new(job_type: JobType, clock: &dyn Clock) -> Self {
        Self { job_type, digits: clock.nonce().expose().to_owned() }
    }

    /// The id that derives from these texts.
    #[must_use]
    pub fn derived(job_type: JobType, from: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for text in from {
            // The length separates the texts.
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        let mut digits = String::new();
        for byte in hash.finalize().iter().take(DIGITS / 2) {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self { job_type, digits }
    }

    /// What the job does.
    #[must_use]
    pub fn job_type(&self) -> JobType {
        self.job_type
    }

    /// The id with which the import recognizes its users; `None` for a job that creates none.
    #[must_use]
    pub fn import_id(&self) -> Option<ImportId> {
        match self.job_type {
            JobType::Import | JobType::Restore => self.digits.parse().ok(),
            JobType::Export | JobType::Backup => None,
        }
    }

    /// The name of the execution of an attempt, from 1.
    pub(super) fn execution(&self, attempt: u32) -> String {
        if attempt == 1 { self.to_string() } else { format!("{self}-{attempt}") }
    }

    /// The name of the execution of a scheduled backup; `None` for a job of another type.
    pub(super) fn scheduled_execution(&self) -> Option<String> {
        if self.job_type != JobType::Backup {
            return None;
        }
        let mut rest = &*self.digits;
        let parts = UUID_PARTS.map(|length| {
            let (part, others) = rest.split_at(length);
            rest = others;
            part
        });
        Some(parts.join("-"))
    }

    /// The job and the attempt of an execution; `None` for an execution with another name.
    ///
    /// A scheduled backup has an execution without a chosen name. Step Functions names it with a UUID.
    #[must_use]
    pub fn of_execution(name: &str) -> Option<(Self, u32)> {
        let parts: Vec<_> = name.split('-').collect();
        if parts.iter().map(|part| part.len()).eq(UUID_PARTS) {
            let id = format!("{}-{}", JobType::Backup.as_str(), parts.concat());
            return Some((id.parse().ok()?, 1));
        }
        match parts[..] {
            [job_type, digits] => Some((format!("{job_type}-{digits}").parse().ok()?, 1)),
            [job_type, digits, attempt] => Some((format!("{job_type}-{digits}").parse().ok()?, attempt.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.job_type.as_str(), self.digits)
    }
}

impl FromStr for JobId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let (job_type, digits) = text.split_once('-').ok_or(EXPECTED_JOB_ID)?;
        let job_type = JobType::VARIANTS.iter().find(|known| known.as_str() == job_type).ok_or(EXPECTED_JOB_ID)?;
        if digits.len() != DIGITS || !digits.bytes().all(is_digit) {
            return Err(EXPECTED_JOB_ID);
        }
        Ok(Self { job_type: *job_type, digits: digits.to_owned() })
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
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn reads_only_ids_that_are_safe_in_keys_and_names() {
        let id: JobId = format!("import-{HEX}").parse().unwrap();
        assert_eq!(id.import_id().unwrap().to_string(), HEX);
        for job_type in JobType::VARIANTS {
            let text = format!("{}-{HEX}", job_type.as_str());
            let id: JobId = text.parse().unwrap();
            assert_eq!((id.job_type(), id.to_string()), (*job_type, text));
            assert_eq!(id.import_id().is_some(), matches!(job_type, JobType::Import | JobType::Restore));
        }
        for wrong in [
            "",
            HEX,
            "import-",
            "delete-0123456789abcdef0123456789abcdef",
            "import-0123456789ABCDEF0123456789ABCDEF",
            "import-0123456789abcdef0123456789abcde/",
            "import-0123456789abcdef0123456789abcdef-2",
        ] {
            assert_eq!(wrong.parse::<JobId>(), Err(EXPECTED_JOB_ID), "{wrong}");
        }
    }

    #[test]
    fn a_derived_id_depends_on_each_text() {
        let id = |texts: &[&str]| JobId::derived(JobType::Export, texts).to_string();
        assert_eq!(id(&["ann", "key"]), id(&["ann", "key"]));
        assert!(id(&["ann", "key"]).parse::<JobId>().is_ok());
        for other in [&["ann", "key2"][..], &["ben", "key"], &["annk", "ey"], &["ann"]] {
            assert_ne!(id(&["ann", "key"]), id(other), "{other:?}");
        }
    }

    #[test]
    fn each_execution_name_belongs_to_one_attempt() {
        let id = |job_type: &str| format!("{job_type}-{HEX}").parse::<JobId>().unwrap();
        for (name, expected) in [
            (format!("import-{HEX}"), Some((id("import"), 1))),
            (format!("import-{HEX}-2"), Some((id("import"), 2))),
            (format!("export-{HEX}"), Some((id("export"), 1))),
            ("01234567-89ab-cdef-0123-456789abcdef".to_owned(), Some((id("backup"), 1))),
            ("01234567-89ab-cdef-0123-456789abcdeX".to_owned(), None),
            (format!("import-{HEX}-x"), None),
            (format!("import-{HEX}-2-2"), None),
            ("nightly".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(JobId::of_execution(&name), expected, "{name}");
        }
        assert_eq!(id("import").execution(2), format!("import-{HEX}-2"));
        let scheduled = id("backup").scheduled_execution().unwrap();
        assert_eq!(JobId::of_execution(&scheduled), Some((id("backup"), 1)));
        assert_eq!(id("export").scheduled_execution(), None);
    }
}
