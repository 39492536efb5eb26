//! Recordings of the calls that a local AWS receives. `make test` checks them against AWS's own data: see `crates/testkit/oracle`.

use std::ffi::OsString;
use std::fs;
use std::process;

use super::error::LocalAwsError;
use super::tools::Tools;

/// Runs ministack and writes the calls to a file.
const RECORDER: &str = include_str!("record.py");

/// What a recording is of. The names are those of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// The calls of the deployed functions, each with the role that made it.
    EndToEnd,
    /// Provisioning with the account's own credentials, many times over: calls that differ only in names are recorded once.
    CrashMatrix,
}

impl Recording {
    /// The arguments of the Python that runs ministack and records the calls.
    pub(super) fn arguments(self, tools: &Tools, port: u16) -> Result<Vec<OsString>, LocalAwsError> {
        let (name, mode) = match self {
            Self::EndToEnd => ("end_to_end", "all"),
            Self::CrashMatrix => ("crash_matrix", "distinct"),
        };
        let folder = tools.recordings();
        fs::create_dir_all(&folder).map_err(LocalAwsError::Folder)?;
        let file = folder.join(format!("{name}-{}-{port}.jsonl", process::id()));
        Ok(vec!["-c".into(), RECORDER.into(), file.into(), mode.into()])
    }
}
