//! The results of an import, one JSON object per line. The file is also the journal that an interrupted import
//! continues from.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use domain::transfer::{JobRows, RowResult, Summary};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

/// Why the results cannot be written.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not a journal.
    #[error("{}: is not a file of results; name another one with --results", .0.display())]
    NotAJournal(PathBuf),
    /// The file belongs to another import.
    #[error(
        "{} belongs to another import: {difference}; delete or rename it to start over, or name another file with \
         --results", path.display()
    )]
    OtherImport {
        /// The path.
        path: PathBuf,
        /// The difference.
        difference: &'static str,
    },
    /// Another process writes the file.
    #[error("{} is in use by another import", .0.display())]
    InUse(PathBuf),
}

/// The first line: what identifies an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the options of the command")]
pub(crate) struct Header {
    /// The id, which the users created by the import contain.
    pub(crate) import: String,
    /// When the import was started first.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) started_at: OffsetDateTime,
    /// The SHA-256 hash of the imported file.
    pub(crate) file_sha256: String,
    /// The user pool.
    pub(crate) user_pool_id: String,
    /// Whether existing users are changed.
    pub(crate) update: bool,
    /// Whether existing users are changed without a shared address or number.
    pub(crate) trust_user_names: bool,
    /// Whether missing groups are created.
    pub(crate) create_groups: bool,
    /// Which users import jobs create. Rows with a hash have no final result without import jobs.
    #[serde(default)]
    pub(crate) import_jobs: JobRows,
    /// Whether nothing is changed.
    pub(crate) dry_run: bool,
}

impl Header {
    /// Why the header of an earlier run does not belong to this import.
    fn difference(&self, earlier: &Self) -> Option<&'static str> {
        let differences = [
            (self.file_sha256 != earlier.file_sha256, "the file with the users has changed"),
            (self.user_pool_id != earlier.user_pool_id, "its user pool is another one"),
            (self.update != earlier.update, "its option --update differs"),
            (self.trust_user_names != earlier.trust_user_names, "its option --trust-user-names differs"),
            (self.create_groups != earlier.create_groups, "its option --create-groups differs"),
            (self.import_jobs != earlier.import_jobs, "its options --import-job-role and --import-jobs differ"),
            (self.dry_run != earlier.dry_run, "one of them is a dry run"),
        ];
        differences.into_iter().find_map(|(differs, name)| differs.then_some(name))
    }
}

/// The results of one import.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    pub(crate) header: Header,
    /// The lines with a result of an earlier run.
    pub(crate) done: HashSet<u64>,
    pub(crate) summary: Summary,
}

impl Journal {
    /// Creates the file, or continues the import in it. The header of an earlier run takes precedence over `header`.
    pub(crate) fn open(path: &Path, header: Header) -> Result<Self, JournalError> {
        let failed = |source| JournalError::File { path: path.to_owned(), source };
        // Only the owner can read the file, because it contains user names.
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut journal =
            Self { path: path.to_owned(), file, header, done: HashSet::new(), summary: Summary::default() };
        let complete = journal.read()?;
        // A crash can leave the beginning of a line.
        journal.file.set_len(complete).map_err(failed)?;
        if complete == 0 {
            let header = serde_json::to_vec(&journal.header).map_err(|error| failed(error.into()))?;
            journal.write(header)?;
        }
        Ok(journal)
    }

    /// Reads the complete lines, and returns their length in bytes.
    fn read(&mut self) -> Result<u64, JournalError> {
        let failed = |source| JournalError::File { path: self.path.clone(), source };
        let not_a_journal = || JournalError::NotAJournal(self.path.clone());
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::new(&self.file);
        let (mut complete, mut line) = (0, Vec::new());
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(failed)?;
            if line.last() != Some(&b'\n') {
                // A file without a complete line is only a journal if it is the beginning of one.
                let is_begun =
                    complete > 0 || line.is_empty() || b"{\"import\":\"".starts_with(&line[..line.len().min(11)]);
                return if is_begun { Ok(complete) } else { Err(not_a_journal()) };
            }
            if complete == 0 {
                let header: Header = serde_json::from_slice(&line).map_err(|_| not_a_journal())?;
                if let Some(difference) = self.header.difference(&header) {
                    return Err(JournalError::OtherImport { path: self.path.clone(), difference });
                }
                self.header = header;
            } else {
                let result: RowResult = serde_json::from_slice(&line).map_err(|_| not_a_journal())?;
                if self.done.insert(result.line) {
                    self.summary.add(&result);
                }
            }
            complete += length as u64;
        }
    }

    /// Adds a result.
    pub(crate) fn add(&mut self, result: &RowResult) -> Result<(), JournalError> {
        let line = serde_json::to_vec(result).map_err(io::Error::from);
        self.write(line.map_err(|source| JournalError::File { path: self.path.clone(), source })?)?;
        self.summary.add(result);
        Ok(())
    }

    fn write(&mut self, mut line: Vec<u8>) -> Result<(), JournalError> {
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| JournalError::File { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::transfer::Outcome;

    use super::*;

    fn header() -> Header {
        Header {
            import: "0123456789abcdef0123456789abcdef".to_owned(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            file_sha256: "1".to_owned(),
            user_pool_id: "eu-west-1_1".to_owned(),
            update: false,
            trust_user_names: false,
            create_groups: false,
            import_jobs: JobRows::None,
            dry_run: false,
        }
    }

    fn result(line: u64) -> RowResult {
        serde_json::from_value(serde_json::json!({"line": line, "username": "mia", "outcome": "created"})).unwrap()
    }

    #[test]
    fn continues_after_a_crash_at_any_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        let mut journal = Journal::open(&path, header()).unwrap();
        for line in [1, 3, 2] {
            journal.add(&result(line)).unwrap();
        }
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
            let other = Header { import: "f".repeat(32), ..header() };
            let mut journal = Journal::open(&path, other.clone()).unwrap();
            let results = lines.saturating_sub(1);
            assert_eq!((journal.done.len(), journal.summary.rows), (results, results as u64), "{length}");
            assert_eq!(journal.header, if lines == 0 { other } else { header() }, "{length}");
            journal.add(&result(9)).unwrap();
            drop(journal);
            let again = Journal::open(&path, header()).unwrap();
            assert_eq!(again.summary.count(Outcome::Created), results as u64 + 1, "{length}");
        }
    }

    #[test]
    fn rejects_results_of_another_import_and_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        drop(Journal::open(&path, header()).unwrap());
        let before = fs::read(&path).unwrap();
        for (other, difference) in [
            (Header { file_sha256: "2".to_owned(), ..header() }, "the file with the users has changed"),
            (Header { user_pool_id: "eu-west-1_2".to_owned(), ..header() }, "its user pool is another one"),
            (Header { update: true, ..header() }, "its option --update differs"),
            (Header { trust_user_names: true, ..header() }, "its option --trust-user-names differs"),
            (Header { create_groups: true, ..header() }, "its option --create-groups differs"),
            (
                Header { import_jobs: JobRows::Hashes, ..header() },
                "its options --import-job-role and --import-jobs differ",
            ),
            (Header { dry_run: true, ..header() }, "one of them is a dry run"),
        ] {
            let error = Journal::open(&path, other).unwrap_err().to_string();
            assert!(error.contains(difference), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        for text in ["{\"username\": \"mia\"}\n", "precious", "{\"import\":\"x\"}\n"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Journal::open(&path, header()), Err(JournalError::NotAJournal(_))), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    /// The header of a version without import jobs.
    #[test]
    fn continues_results_without_the_option_of_jobs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        let mut document = serde_json::to_value(header()).unwrap();
        document.as_object_mut().unwrap().remove("import_jobs").unwrap();
        fs::write(&path, format!("{document}\n")).unwrap();
        assert_eq!(Journal::open(&path, header()).unwrap().header, header());
    }

    #[test]
    fn two_imports_cannot_write_the_same_results() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        let first = Journal::open(&path, header()).unwrap();
        assert!(matches!(Journal::open(&path, header()), Err(JournalError::InUse(_))));
        drop(first);
        assert!(Journal::open(&path, header()).is_ok());
    }
}
