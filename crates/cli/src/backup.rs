//! The commands `backup`, `restore` and `diff`.

mod create;
mod diff;
mod restore;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use aws::SystemClock;
use domain::backup::{Archive, Backup, BackupError, read};
use domain::doctor::{DoctorError, Target};

use crate::error::CommandError;
use crate::layout::wrap;
use crate::run::Session;
use crate::users::OpenPool;

pub(crate) use create::run as create;
pub(crate) use diff::run as diff;
pub(crate) use restore::run as restore;

/// Reads the pool for a backup or a comparison.
fn reader<'a>(session: &'a Session, pool: &'a OpenPool) -> Backup<'a> {
    let clock = Arc::new(SystemClock::starting_now(session.options.timeout));
    Backup { source: &pool.platform, paced: pool.paced(), clock, observer: &session.progress }
}

/// Opens and checks the archive.
fn open(path: &Path) -> Result<(File, Archive), CommandError> {
    let file = File::open(path).map_err(|source| in_file(path, source))?;
    let archive = read(BufReader::with_capacity(1 << 16, &file))
        .map_err(|source| CommandError::Archive { file: path.display().to_string(), source })?;
    Ok((file, archive))
}

fn in_file(path: &Path, source: io::Error) -> CommandError {
    CommandError::UserFile { file: path.display().to_string(), source }
}

/// The error of a command that reads the pool and writes `path`.
fn failed(path: &Path) -> impl Fn(BackupError) -> CommandError + '_ {
    move |error| match error {
        BackupError::NoUserPool(id) => CommandError::NotChecked(DoctorError::NoUserPool(Target::UserPool(id))),
        BackupError::Settings(error) => CommandError::NoPlan(error),
        BackupError::Stopped(stop) => CommandError::Stopped(stop),
        BackupError::File(source) => in_file(path, source),
    }
}

/// A heading with a list, or nothing.
fn list(heading: &str, entries: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = entries.iter().flat_map(|entry| wrap("  - ", entry, 4, width)).collect();
    if !lines.is_empty() {
        lines.insert(0, heading.to_owned());
    }
    lines
}
