//! Writes the archive of a backup from exported users.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;

use domain::backup::{Backup, BackupError, Digest, ExportedUsers, Manifest, write};
use domain::jobs::{ExportState, Files, JobError};
use tempfile::tempfile_in;

use crate::handler::StepError;

/// The maximum size of the users of a backup. One request to S3 accepts 5 GB, and Lambda's disk contains the users and
/// the archive.
const MAX_BYTES: u64 = 4_500_000_000;

/// Writes the archive to a file in `folder`. Replaces the file, because an invocation that ends at Lambda's timeout leaves
/// it there.
///
/// # Errors
///
/// Returns an error if the settings or the users cannot be read, or if the archive cannot be written.
pub(crate) async fn archive(
    files: &dyn Files,
    backup: &Backup<'_>,
    user_pool_id: &str,
    state: &ExportState,
    with_mfa: bool,
    path: &Path,
) -> Result<Manifest, StepError> {
    let bytes = state.bytes();
    if bytes > MAX_BYTES {
        return Err(JobError::TooLarge { found: bytes, limit: MAX_BYTES, unit: "bytes of users" }.into());
    }
    let settings = backup.settings(user_pool_id).await?;
    let file = File::create(path)?;
    // Has no name, so that it never remains.
    let mut users = tempfile_in(path.parent().unwrap_or(path))?;
    let mut digest = Digest::new(&users);
    for file in &state.files {
        let content = files.read(&file.key).await.map_err(JobError::from)?;
        digest.write_all(&content.unwrap_or_default())?;
    }
    let (written, sha256) = digest.finish();
    if written != bytes {
        return Err(JobError::Incomplete { found: written, expected: bytes, unit: "bytes" }.into());
    }
    users.rewind()?;
    let exported = ExportedUsers { rows: state.rows, bytes, sha256, with_mfa, not_moved: state.not_moved.clone() };
    let out = BufWriter::with_capacity(1 << 16, file);
    let users = BufReader::with_capacity(1 << 16, &users);
    Ok(write(&settings, exported, backup.clock.wall_time(), users, out)?)
}

impl From<io::Error> for StepError {
    fn from(error: io::Error) -> Self {
        Self::Settings(BackupError::File(error))
    }
}
