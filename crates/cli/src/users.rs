//! The commands on the users of a pool: `import`, `export` and `verify`.

mod export;
mod import;
mod import_jobs;
mod journal;
pub(crate) mod output;
mod row_progress;
mod verify;

pub(crate) use import::{Source, import};
pub(crate) use journal::{Header, Journal, JournalError};
pub(crate) use row_progress::RowProgress;
pub(crate) use verify::{Verified, compare, lines as compared_lines};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::{Aws, AwsPlatform, CognitoDirectory, SystemClock};
use domain::doctor::Doctor;
use domain::retry::Clock;
use domain::transfer::{Format, Pace, PacedPool, Rates, schema};
use domain::user_pool::quota::Category;

use crate::arguments::{Quotas, SelectedPool, Users};
use crate::error::CommandError;
use crate::interrupt::interrupted;
use crate::layout::wrap;
use crate::run::{Session, print, target};

/// A user pool and the pace of calls to it.
pub(crate) struct OpenPool {
    aws: Aws,
    pub(crate) user_pool_id: String,
    pub(crate) platform: AwsPlatform,
    directory: CognitoDirectory,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pace: Pace,
    /// How long a call is repeated while the pool is unavailable.
    patience: Duration,
}

/// Runs a command, and returns its exit code.
pub(crate) async fn run(session: &Session, command: Users) -> Result<u8, CommandError> {
    match command {
        Users::Import { file, pool, options } => import::run(session, &file, pool, options).await,
        Users::Export { file, pool, quotas, mfa } => export::run(session, &file, pool, &quotas, mfa).await,
        Users::Verify { file, pool, quotas } => verify::run(session, &file, pool, &quotas).await,
        Users::Schema => {
            print(&schema())?;
            Ok(0)
        }
    }
}

impl OpenPool {
    pub(crate) fn paced(&self) -> PacedPool<'_> {
        let Self { directory, clock, pace, patience, .. } = self;
        PacedPool { pool: directory, pace, clock: clock.as_ref(), patience: *patience }
    }

    /// Finds the pool, and opens it.
    pub(crate) async fn find(
        session: &Session,
        pool: SelectedPool,
        quotas: &Quotas,
        adjustable: &[Category],
    ) -> Result<Self, CommandError> {
        let target = target(pool)?;
        // Boxed, because the setup of the SDK is large.
        let aws = Box::pin(session.connect()).await?;
        let platform = aws.platform();
        let doctor = Doctor {
            inspector: &platform,
            clock: Arc::new(SystemClock::starting_now(session.options.timeout)),
            observer: &session.progress,
        };
        let user_pool_id = doctor.user_pool_id(&target).await?;
        Self::open(session, &aws, user_pool_id, quotas, adjustable).await
    }

    /// Reads the account's quotas of these categories, except those in the arguments.
    pub(crate) async fn open(
        session: &Session,
        aws: &Aws,
        user_pool_id: String,
        quotas: &Quotas,
        adjustable: &[Category],
    ) -> Result<Self, CommandError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(Duration::MAX));
        let (platform, patience) = (aws.platform(), session.options.timeout);
        let directory = aws.directory_without_retries(&user_pool_id);
        let is_given = |category: &Category| quotas.quota.iter().any(|(given, _)| given == category);
        let categories = adjustable.iter().copied().filter(|category| !is_given(category));
        session.progress.begin("reading the quotas of the account");
        let (mut rates, unknown) = Rates::of_account(&directory, clock.as_ref(), categories).await;
        session.progress.pause();
        if let Some(error) = unknown {
            let text = format!("Cognito's default quotas are used, because the account's cannot be read ({error}).");
            session.stderr.write_lines(&wrap("", &text, 0, session.stderr.width()));
        }
        for (category, quota) in &quotas.quota {
            rates.set(*category, *quota);
        }
        let pace = Pace::new(Arc::clone(&clock), &rates.share(f64::from(quotas.quota_share) / 100.0));
        Ok(Self { aws: aws.clone(), user_pool_id, platform, directory, clock, pace, patience })
    }
}

/// Runs `work`, which changes nothing, until a signal arrives.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(CommandError::Interrupted { action: None, during: None, steps: Vec::new() }),
    }
}

/// The format of a file, by its name.
fn format_of(file: &std::path::Path) -> Format {
    let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv { Format::Csv } else { Format::JsonLines }
}

/// `FILE` with another ending, in the same directory.
pub(crate) fn beside(file: &std::path::Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
