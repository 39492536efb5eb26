//! Writes the archive of a backup from exported users.

use std::io::{self, BufReader, BufWriter, Seek as _, Write as _};

use domain::backup::{Backup, BackupError, Digest, ExportedUsers, Manifest, write};
use domain::jobs::{ExportState, Files, JobError, JobId, keys};
use tempfile::{NamedTempFile, tempfile};

use crate::handler::StepError;

/// The maximum size of the users of a backup. One request to S3 accepts 5 GB, and Lambda's disk contains the users and
/// the archive.
const MAX_BYTES: u64 = 4_500_000_000;

/// Writes the archive to the bucket. Does nothing if it exists.
///
/// # Errors
///
/// Returns an error if the settings or the users cannot be read, or if the archive cannot be written.
pub(crate) async fn archive(
    files: &dyn Files,
    backup: &Backup<'_>,
    user_pool_id: &str,
    id: &JobId,
    state: &ExportState,
    with_mfa: bool,
) -> Result<Manifest, StepError> {
    let bytes = state.bytes();
    if bytes > MAX_BYTES {
        return Err(JobError::TooLarge { bytes, limit: MAX_BYTES }.into());
    }
    let settings = backup.settings(user_pool_id).await.map_err(StepError::Settings)?;
    let mut users = tempfile()?;
    let mut digest = Digest::new(&users);
    for file in &state.files {
        let content = files.read(&keys::result(id, file.first_line)).await.map_err(JobError::from)?;
        digest.write_all(&content.unwrap_or_default())?;
    }
    let (written, sha256) = digest.finish();
    if written != bytes {
        return Err(JobError::Incomplete { found: 0, expected: state.rows }.into());
    }
    users.rewind()?;
    let exported = ExportedUsers { rows: state.rows, bytes, sha256, with_mfa, not_moved: state.not_moved.clone() };
    let file = NamedTempFile::new()?;
    let out = BufWriter::with_capacity(1 << 16, file.as_file());
    let users = BufReader::with_capacity(1 << 16, &users);
    let manifest = write(&settings, exported, backup.clock.wall_time(), users, out)?;
    files.create_from(&keys::archive(id), file.path()).await.map_err(JobError::from)?;
    Ok(manifest)
}

impl From<io::Error> for StepError {
    fn from(error: io::Error) -> Self {
        Self::Settings(BackupError::File(error))
    }
}
