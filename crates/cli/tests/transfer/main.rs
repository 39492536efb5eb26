//! Tests imports and exports of users on the in-memory pool. The program's tests run them on an emulator.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod export;
mod import;
mod interrupted;
mod jobs;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::retry::Clock;
use domain::transfer::{
    Format, ImportId, ImportOptions, Importer, JobRows, Line, Lines, Pace, PacedPool, Rates, RowResult, Stop,
};
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use testkit::in_memory::{InMemoryDirectory, InMemoryPool};
use testkit::virtual_clock::VirtualClock;
use time::OffsetDateTime;

/// How long calls are repeated while the pool is unavailable.
const PATIENCE: Duration = Duration::from_mins(5);

const ID: &str = "0123456789abcdef0123456789abcdef";

/// A pool as the bootstrap creates it, with the group `editors`.
fn pool() -> InMemoryPool {
    let pool = InMemoryPool::new();
    pool.describe_creation_attribute();
    pool.add_group("editors");
    pool
}

fn paced<'a>(pool: &'a InMemoryDirectory, pace: &'a Pace, clock: &'a dyn Clock) -> PacedPool<'a> {
    PacedPool { pool, pace, clock, patience: PATIENCE }
}

/// The proof that an import created a user for a line.
fn proof(id: &str, line: u64) -> String {
    let hash = Sha256::digest(format!("{id}.{line}"));
    format!("import.{line}.{}", URL_SAFE_NO_PAD.encode(hash))
}

fn lines(text: &str) -> Vec<Line> {
    Lines::new(Format::JsonLines, text.as_bytes()).unwrap().map(Result::unwrap).collect()
}

/// One run of an import, with its results in the order of the file.
struct Run {
    results: Vec<RowResult>,
    stop: Option<Stop>,
    elapsed: Duration,
    throttled: u64,
}

async fn run(pool: &InMemoryPool, id: &str, options: ImportOptions, text: &str) -> Run {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(Duration::from_hours(24)));
    let pace = Pace::new(Arc::clone(&clock), &Rates::default());
    let directory = pool.directory();
    let import = (id.parse::<ImportId>().unwrap(), OffsetDateTime::UNIX_EPOCH);
    let importer = Importer::start(paced(&directory, &pace, clock.as_ref()), import, options).await;
    let importer = match importer {
        Ok(importer) => importer,
        Err(stop) => return Run { results: Vec::new(), stop: Some(stop), elapsed: clock.now(), throttled: 0 },
    };
    let (mut results, mut stop) = (Vec::new(), None);
    let mut stream = Box::pin(importer.import_all(lines(text).into_iter()));
    while let Some(result) = stream.next().await {
        match result {
            Ok(result) => results.push(result),
            Err(error) => stop = stop.or(Some(error)),
        }
    }
    results.sort_by_key(|result| result.line);
    Run { results, stop, elapsed: clock.now(), throttled: pace.throttled() }
}

/// Imports everything, and returns the results as JSON.
async fn import(pool: &InMemoryPool, options: ImportOptions, text: &str) -> Vec<String> {
    let Run { results, stop, .. } = run(pool, ID, options, text).await;
    assert!(stop.is_none(), "{stop:?}");
    results.iter().map(|result| serde_json::to_string(result).unwrap()).collect()
}

const NEW_ONLY: ImportOptions = ImportOptions {
    update_existing: false,
    trust_user_names: false,
    create_groups: false,
    job_rows: JobRows::None,
    dry_run: false,
    explain: false,
};
const UPDATE: ImportOptions = ImportOptions { update_existing: true, ..NEW_ONLY };
