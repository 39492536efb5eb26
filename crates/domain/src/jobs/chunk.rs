//! The parts of a file that workers import.

use serde::{Deserialize, Serialize};

use super::job::JobOptions;
use crate::transfer::{Format, Rates};

/// A part of the file that one invocation imports: whole lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// The number of the first line in the file, from 1.
    pub first_line: u64,
    /// The position of the first byte in the file.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
    /// The lines about a user who has an earlier row in the file. Two workers could import them at the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<u64>,
}

/// How a file is divided. Written once per job, because chunks of a restarted job must be the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The format with which the job was first started.
    pub format: Format,
    /// The options with which the job was first started. Results of another kind must not be mixed.
    pub options: JobOptions,
    /// The name of the list of chunks. It depends on the file, so that it never belongs to another file.
    pub list: String,
    /// The `ETag` of the file. A file that was replaced is not imported.
    pub etag: String,
    /// The length of the header of a CSV file in bytes, or 0.
    pub header: u64,
    /// The number of rows. Empty lines are not counted.
    pub rows: u64,
    /// The number of chunks.
    pub chunks: u64,
}

/// The answer of the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// How the file is divided.
    pub plan: Plan,
    /// The request rates of each worker.
    pub rates: Rates,
    /// The name of the execution, which names the attempt of the job.
    pub attempt: String,
}
