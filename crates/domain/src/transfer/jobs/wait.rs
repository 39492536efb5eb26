//! Creates jobs, and waits for their end.

use std::time::Duration;

use super::{ImportJobError, JobEvent, Jobs};
use crate::error_chain::causes;
use crate::secret::Secret;
use crate::transfer::paced_pool::{Failure, Stop};
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::import_jobs::{HashAlgorithm, ImportJob, ImportJobStatus, NewImportJob};
use crate::user_pool::quota::Category;

/// The first and the longest wait between two reads of a job's status.
const WAITS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// How long a job is offered to Cognito, which runs one job per account at a time.
const BUSY_LIMIT: Duration = Duration::from_hours(1);

/// Waits that become longer.
struct Waits {
    next: Duration,
}

impl Waits {
    const fn new() -> Self {
        Self { next: WAITS.0 }
    }

    fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.mul_f64(1.5).min(WAITS.1);
        wait
    }
}

/// Since when Cognito accepts no job.
#[derive(Default)]
struct Busy {
    since: Option<Duration>,
}

impl Jobs<'_> {
    /// Runs a job until its end.
    pub(super) async fn run(
        &mut self,
        algorithm: Option<HashAlgorithm>,
        csv: Secret,
        users: usize,
    ) -> Result<ImportJob, Stop> {
        let name = format!("{}{}", self.prefix, self.next_number);
        self.next_number += 1;
        let new = NewImportJob { name, role_arn: self.role_arn.to_owned(), algorithm };
        let (job, url) = self.create(&new).await?;
        let update = Category::UserPoolResourceUpdate;
        self.importer.paced.call(update, || self.port.upload(&url, &csv)).await?;
        drop((csv, url));
        self.observer.event(&JobEvent::Created(job.name.clone(), users));
        self.wait_for_end(&job.id).await
    }

    async fn create(&self, new: &NewImportJob) -> Result<(ImportJob, Secret), Stop> {
        let (mut waits, mut busy) = (Waits::new(), Busy::default());
        loop {
            let create = || self.port.create_job(new);
            match self.importer.paced.call(Category::UserPoolResourceUpdate, create).await {
                Ok(created) => return Ok(created),
                Err(Failure::Row(error)) if is_busy(&error) => self.ensure_time_left(&mut busy, error)?,
                Err(failure) => return Err(failure.into()),
            }
            self.importer.paced.clock.sleep(waits.next()).await;
        }
    }

    /// Starts the job if it is not started, and waits for its end. A repeated start, after a lost response, fails, so the
    /// status decides whether the job is started.
    async fn wait_for_end(&self, id: &str) -> Result<ImportJob, Stop> {
        let (mut waits, mut busy, mut refused) = (Waits::new(), Busy::default(), None);
        loop {
            let job = self.importer.paced.call(Category::UserPoolResourceRead, || self.port.job(id)).await?;
            match (&job.status, refused.take()) {
                (ImportJobStatus::Created, Some(error)) => return Err(Stop::Call(error)),
                (ImportJobStatus::Created, None) => {
                    let start = || self.port.start_job(id);
                    match self.importer.paced.call(Category::UserPoolResourceUpdate, start).await {
                        Ok(()) => {}
                        Err(Failure::Row(error)) if is_busy(&error) => self.ensure_time_left(&mut busy, error)?,
                        Err(Failure::Row(error)) => refused = Some(error),
                        Err(failure) => return Err(failure.into()),
                    }
                }
                (status, _) if status.is_running() => {}
                _ => {
                    self.observer.event(&JobEvent::Ended(job.clone()));
                    return Ok(job);
                }
            }
            if self.importer.paced.clock.time_left().is_zero() {
                return Err(Stop::TimeUp);
            }
            self.importer.paced.clock.sleep(waits.next()).await;
        }
    }

    fn ensure_time_left(&self, busy: &mut Busy, error: UserPoolError) -> Result<(), Stop> {
        let now = self.importer.paced.clock.now();
        match busy.since {
            None => {
                busy.since = Some(now);
                self.observer.event(&JobEvent::Busy(causes(&error)));
                Ok(())
            }
            Some(since) if now.saturating_sub(since) < BUSY_LIMIT => Ok(()),
            Some(_) => Err(ImportJobError::Busy(error).into()),
        }
    }

    /// Waits for the jobs of an interrupted run, and finds the number of the next job. A job that was not started has
    /// perhaps no file. Cognito deletes it.
    pub(super) async fn wait_for_earlier_jobs(&mut self) -> Result<(), Stop> {
        let mut running = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let list = || self.port.jobs(after.as_deref());
            let page = self.importer.paced.call(Category::UserPoolResourceRead, list).await?;
            for job in page.entries {
                let Some(number) = job.name.strip_prefix(&self.prefix) else { continue };
                self.next_number = self.next_number.max(number.parse::<u32>().map_or(0, |number| number + 1));
                if job.status.is_running() {
                    running.push(job);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        for job in running {
            self.observer.event(&JobEvent::Continued(job.name));
            self.wait_for_end(&job.id).await?;
        }
        Ok(())
    }
}

/// Whether Cognito accepts no job now. AWS does not document which of the two errors an active job of the account causes.
/// A file that Cognito does not find yet causes `WrongState`.
fn is_busy(error: &UserPoolError) -> bool {
    matches!(error.reason, Reason::LimitReached | Reason::WrongState)
}
