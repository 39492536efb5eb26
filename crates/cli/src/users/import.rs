//! `users import`: creates the users of a file.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use domain::backup::UsersSection;
use domain::transfer::{Duplicates, Format, ImportId, ImportOptions, Importer, JobRows, Lines, RowResult, Stop};
use domain::user_pool::quota::Category;
use futures::{Stream, StreamExt as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::import_jobs::{self, JobView};
use super::journal::{Header, Journal};
use super::row_progress::RowProgress;
use super::{OpenPool, beside, format_of, output, unless_interrupted};
use crate::arguments::{ImportArguments, SelectedPool};
use crate::error::CommandError;
use crate::interrupt::interrupted;
use crate::run::{INCOMPLETE, Session, print};

/// Rows in a file, or in a section of an archive, with their hash and number of lines.
pub(crate) struct Source {
    path: PathBuf,
    format: Format,
    file: File,
    /// The first byte of the rows.
    start: u64,
    /// The length of the rows.
    length: u64,
    /// Length and time of the last change.
    state: (u64, Option<SystemTime>),
    sha256: String,
    lines: u64,
}

impl Source {
    /// Reads the file once.
    fn open(path: &Path) -> Result<Self, CommandError> {
        let failed = |source| CommandError::UserFile { file: path.display().to_string(), source };
        let file = File::open(path).map_err(failed)?;
        let state = state(&file).map_err(failed)?;
        let mut reader = BufReader::with_capacity(1 << 16, &file);
        let (mut hash, mut lines, mut ends_with_a_line) = (Sha256::new(), 0, true);
        loop {
            let bytes = reader.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                break;
            }
            hash.update(bytes);
            lines += bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
            ends_with_a_line = bytes.ends_with(b"\n");
            let length = bytes.len();
            reader.consume(length);
        }
        let length = state.0;
        let mut sha256 = String::new();
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        let lines = lines + u64::from(!ends_with_a_line);
        Ok(Self { path: path.to_owned(), format: format_of(path), file, start: 0, length, state, sha256, lines })
    }

    /// The users in an archive.
    pub(crate) fn section(path: &Path, file: File, users: &UsersSection) -> Result<Self, CommandError> {
        let state =
            state(&file).map_err(|source| CommandError::UserFile { file: path.display().to_string(), source })?;
        let UsersSection { offset: start, bytes: length, sha256, rows: lines } = users.clone();
        Ok(Self { path: path.to_owned(), format: Format::JsonLines, file, start, length, state, sha256, lines })
    }

    /// All rows.
    pub(crate) fn rows(&self) -> Result<Lines<BufReader<Take<&File>>>, CommandError> {
        let mut file = &self.file;
        let rows = file
            .seek(SeekFrom::Start(self.start))
            .and_then(|_| Lines::new(self.format, BufReader::new(file.take(self.length))));
        rows.map_err(|error| self.failed(error))
    }

    /// Returns an error if another program changed the file since it was opened.
    pub(crate) fn ensure_unchanged(&self) -> Result<(), CommandError> {
        let now = state(&self.file).map_err(|error| self.failed(error))?;
        if now == self.state {
            return Ok(());
        }
        let problem = "the file was changed during the command, so that results can belong to other rows";
        Err(self.failed(io::Error::other(problem)))
    }

    fn failed(&self, source: io::Error) -> CommandError {
        CommandError::UserFile { file: self.path.display().to_string(), source }
    }
}

/// Imports the file.
pub(super) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    arguments: ImportArguments,
) -> Result<u8, CommandError> {
    let source = Source::open(path)?;
    // Finds a wrong header before the first call.
    source.rows()?;
    let job_rows = arguments.job_rows();
    let ImportArguments { results, update, trust_user_names, create_groups, import_job_role, dry_run, quotas, .. } =
        arguments;
    let options =
        ImportOptions { update_existing: update, trust_user_names, create_groups, job_rows, dry_run, explain: true };
    let ending = if dry_run { ".dry-run.jsonl" } else { ".results.jsonl" };
    let results = results.unwrap_or_else(|| beside(path, ending));
    if same_file(path, &results) {
        return Err(CommandError::Usage("--results must name another file than the users".to_owned()));
    }
    let opened = OpenPool::find(session, pool, &quotas, &Category::ADJUSTABLE);
    let pool = unless_interrupted(opened).await?;
    if dry_run {
        // A forecast has nothing to continue.
        fs::remove_file(&results)
            .or_else(ignore_missing)
            .map_err(|source| CommandError::UserFile { file: results.display().to_string(), source })?;
    }
    let header = Header {
        import: ImportId::new(pool.clock.as_ref()).to_string(),
        started_at: pool.clock.wall_time(),
        file_sha256: source.sha256.clone(),
        user_pool_id: pool.user_pool_id.clone(),
        update,
        trust_user_names,
        create_groups,
        import_jobs: job_rows,
        dry_run,
    };
    let mut journal = Journal::open(&results, header)?;
    let stop = import(session, &source, &pool, (options, import_job_role.as_deref()), &mut journal).await?;
    let (summary, results) = (&journal.summary, results.display().to_string());
    if session.options.json {
        let document = json!({
            "user_pool_id": pool.user_pool_id, "import": journal.header.import, "results": results,
            "dry_run": dry_run, "summary": summary, "throttled_calls": pool.pace.throttled(),
            "error": stop.as_ref().map(ToString::to_string),
        });
        print(&document)?;
    } else {
        let lines = output::imported(summary, dry_run, &results, session.started.elapsed(), session.stdout.width());
        session.stdout.write_lines(&lines);
    }
    match stop {
        Some(stop) => Err(stop),
        None if summary.is_complete() => Ok(0),
        None => Ok(INCOMPLETE),
    }
}

/// Imports the rows that have no result yet. Returns why the import stopped before the end of the file.
pub(crate) async fn import(
    session: &Session,
    source: &Source,
    pool: &OpenPool,
    (options, job_role): (ImportOptions, Option<&str>),
    journal: &mut Journal,
) -> Result<Option<CommandError>, CommandError> {
    let id: ImportId =
        journal.header.import.parse().map_err(|problem| CommandError::Usage(format!("import {problem}")))?;
    let import = (id, journal.header.started_at);
    let started = async { Ok(Importer::start(pool.paced(), import, options).await?) };
    let importer = unless_interrupted(started).await?;

    let (broken, stopping) = (RefCell::new(None), Arc::new(AtomicBool::new(false)));
    let done = std::mem::take(&mut journal.done);
    let progress = Mutex::new(RowProgress::start(&session.steps, source.lines, done.len() as u64));
    let lines = || {
        // A job takes minutes to hours. Otherwise a changed row would decide about the user of another row.
        source.ensure_unchanged()?;
        let mut duplicates = Duplicates::default();
        let facts = importer.facts();
        let rows = source.rows()?.map_while(|line| line.map_err(|error| *broken.borrow_mut() = Some(error)).ok());
        let rows = rows.take_while(|_| !stopping.load(Ordering::Relaxed));
        // Rows with a result count as well, because they were imported.
        let rows = rows.map(move |line| duplicates.check(facts, line));
        Ok(rows.filter(|line| !done.contains(&line.number)))
    };
    let add = |result: &RowResult| {
        progress.lock().unwrap_or_else(PoisonError::into_inner).result(result, pool.pace.throttled());
        journal.add(result).map_err(CommandError::from)
    };
    let mut recorder = Recorder { stopping: &stopping, add };
    let ended = match job_role.filter(|_| options.job_rows != JobRows::None) {
        Some(role) => {
            let view = JobView::new(&progress);
            import_jobs::import((session, pool), &importer, role, &view, lines, &mut recorder).await
        }
        None => recorder.record(Box::pin(importer.import_all(lines()?))).await,
    };
    progress.lock().unwrap_or_else(PoisonError::into_inner).finish();
    if let Some(error) = broken.take() {
        return Err(source.failed(error));
    }
    source.ensure_unchanged()?;
    Ok(ended.err())
}

/// Records results.
pub(super) struct Recorder<'r, Add> {
    /// Whether no further row starts.
    stopping: &'r AtomicBool,
    add: Add,
}

impl<Add: FnMut(&RowResult) -> Result<(), CommandError>> Recorder<'_, Add> {
    /// Records results until the end. After a signal, rows in progress end and no row starts. A second signal ends the
    /// import immediately.
    pub(super) async fn record(
        &mut self,
        mut results: impl Stream<Item = Result<RowResult, Stop>> + Unpin,
    ) -> Result<(), CommandError> {
        let mut stop = None;
        let mut signal = pin!(interrupted());
        loop {
            let next = tokio::select! {
                next = results.next() => next,
                () = &mut signal => {
                    signal.set(interrupted());
                    if self.stopping.swap(true, Ordering::Relaxed) {
                        return Err(CommandError::ImportInterrupted);
                    }
                    stop.get_or_insert(CommandError::ImportInterrupted);
                    continue;
                }
            };
            match next {
                Some(Ok(result)) => {
                    if let Err(error) = (self.add)(&result) {
                        self.stopping.store(true, Ordering::Relaxed);
                        stop.get_or_insert(error);
                    }
                }
                Some(Err(error)) => {
                    stop.get_or_insert(CommandError::ImportStopped(error));
                }
                None => return stop.map_or(Ok(()), Err),
            }
        }
    }
}

fn state(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

fn same_file(first: &Path, second: &Path) -> bool {
    let absolute = |path: &Path| fs::canonicalize(path).ok();
    absolute(first).is_some_and(|first| absolute(second) == Some(first))
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
