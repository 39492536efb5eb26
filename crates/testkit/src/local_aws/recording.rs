//! Recordings of the calls that the emulator receives. `crates/testkit/oracle` checks them against AWS's own data.

use std::ffi::OsString;
use std::fs;
use std::process;

use super::error::LocalAwsError;
use super::tools::Tools;

/// Runs ministack and writes the calls to a file.
const RECORDER: &str = include_str!("record.py");

/// The kinds of recordings, which are the names of their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// The calls of the deployed functions, each with its role.
    EndToEnd,
    /// Provisioning with the account's own credentials. Calls that differ only in names are recorded once.
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
