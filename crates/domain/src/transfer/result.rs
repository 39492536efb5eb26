//! The result of one row.

use serde::{Deserialize, Serialize};

use super::code::RowCode;
use super::report::NotMoved;
use super::row::RowError;
use crate::user_pool::user::Username;

/// What an import did with a row.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    /// The user was created by this import.
    Created,
    /// The user existed and was changed.
    Updated,
    /// The user exists with these values.
    Unchanged,
    /// The user was left as it is, on purpose.
    Skipped,
    /// The row could not be imported. [`RowResult::completed`] lists the changes made before the failure.
    Failed,
}

/// The result of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowResult {
    /// The number of the line, from 1.
    pub line: u64,
    /// The user name of the row, if the row could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason of `skipped` and `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<RowCode>,
    /// The field that caused the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The reason in words. Contains no values of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The fields in which an existing user differs from the row, or that were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// The changes made before a failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub completed: Vec<String>,
    /// The parts of the row that cannot be moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_moved: Vec<NotMoved>,
}

impl RowResult {
    pub(super) fn new(line: u64, username: Option<&Username>, outcome: Outcome) -> Self {
        Self {
            line,
            username: username.cloned(),
            outcome,
            code: None,
            field: None,
            problem: None,
            differences: Vec::new(),
            completed: Vec::new(),
            not_moved: Vec::new(),
        }
    }

    /// A row that cannot be read or has an invalid value.
    pub(super) fn invalid(line: u64, username: Option<&Username>, error: RowError) -> Self {
        let RowError { code, field, problem } = error;
        Self { field, ..Self::new(line, username, Outcome::Failed).because(code, problem) }
    }

    pub(super) fn because(self, code: RowCode, problem: impl Into<String>) -> Self {
        Self { code: Some(code), problem: Some(problem.into()), ..self }
    }
}
