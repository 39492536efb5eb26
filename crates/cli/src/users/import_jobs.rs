//! `users import` with import jobs of Cognito.

use std::sync::{Mutex, PoisonError};

use domain::doctor::Inspector as _;
use domain::transfer::{Importer, JobEvent, JobObserver, Jobs, Line, RowResult, Stop};

use super::OpenPool;
use super::import::Recorder;
use super::row_progress::RowProgress;
use crate::error::CommandError;
use crate::interrupt::interrupted;
use crate::layout::wrap;
use crate::run::Session;

/// The authentication flows that pass the password to Cognito, also in their older spelling.
const PASSWORD_FLOWS: [&str; 4] =
    ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"];

/// Prints the events of jobs.
pub(super) struct JobView<'v> {
    progress: &'v Mutex<RowProgress>,
    running: Mutex<Option<String>>,
}

impl<'v> JobView<'v> {
    /// Prints above the progress of the rows.
    pub(super) fn new(progress: &'v Mutex<RowProgress>) -> Self {
        Self { progress, running: Mutex::default() }
    }

    /// Runs `work` until a signal arrives. An active job continues in Cognito.
    async fn unless_interrupted<T>(&self, work: impl Future<Output = Result<T, Stop>>) -> Result<T, CommandError> {
        tokio::select! {
            done = work => done.map_err(CommandError::ImportStopped),
            () = interrupted() => {
                let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(running.map_or(CommandError::ImportInterrupted, CommandError::ImportJobInterrupted))
            }
        }
    }
}

impl JobObserver for JobView<'_> {
    fn event(&self, event: &JobEvent) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            JobEvent::Created(name, _) | JobEvent::Continued(name) => *running = Some(name.clone()),
            JobEvent::Ended(_) => *running = None,
            JobEvent::Busy(_) => {}
        }
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).print(&line(event));
    }
}

fn line(event: &JobEvent) -> String {
    match event {
        JobEvent::Created(name, 1) => format!("… import job {name}: 1 user"),
        JobEvent::Created(name, users) => format!("… import job {name}: {users} users"),
        JobEvent::Continued(name) => {
            format!("… import job {name} of an interrupted run is active; waiting for its end")
        }
        JobEvent::Busy(error) => format!(
            "… Cognito accepts no import job now, perhaps because another one of the account is active ({error}); waiting \
             for up to an hour"
        ),
        JobEvent::Ended(job) => format!(
            "… import job {}: {}, {} users imported, {} skipped, {} failed",
            job.name, job.status, job.imported, job.skipped, job.failed
        ),
    }
}

/// Imports rows with calls, and then the other rows with import jobs.
pub(super) async fn import<Rows, Add>(
    (session, pool): (&Session, &OpenPool),
    importer: &Importer<'_>,
    role_arn: &str,
    view: &JobView<'_>,
    lines: impl Fn() -> Result<Rows, CommandError>,
    recorder: &mut Recorder<'_, Add>,
) -> Result<(), CommandError>
where
    Rows: Iterator<Item = Line>,
    Add: FnMut(&RowResult) -> Result<(), CommandError>,
{
    let port = pool.aws.import_jobs(&pool.user_pool_id);
    let mut jobs = view.unless_interrupted(Jobs::start(importer, &port, role_arn, view)).await?;
    let rows = lines()?;
    let mut plan = view.unless_interrupted(jobs.plan(rows)).await?;
    if plan.has_hashes() {
        warn_without_password_flow(session, pool).await;
    }
    let rows = lines()?.filter_map(|line| jobs.before_jobs(&mut plan, &line).map(|known| (line, known)));
    recorder.record(Box::pin(importer.import_all_known(rows))).await?;
    loop {
        let rows = lines()?;
        let Some(mut batch) = view.unless_interrupted(jobs.run_next(&mut plan, rows)).await? else { return Ok(()) };
        let rows = lines()?.filter_map(|line| batch.take(line.number).map(|known| (line, known)));
        recorder.record(Box::pin(importer.import_all_known(rows))).await?;
        if let Some(ended) = batch.ended {
            return Err(CommandError::ImportStopped(ended.into()));
        }
    }
}

/// Warns if no app client can sign in users with an imported hash. Cognito cannot compute the SRP verifier of a hash, so
/// the first sign-in must pass the password ([Importing users into user pools from a CSV file]).
///
/// [Importing users into user pools from a CSV file]: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
async fn warn_without_password_flow(session: &Session, pool: &OpenPool) {
    let text = match pool.aws.platform().observed_clients(&pool.user_pool_id).await {
        Ok(clients) => {
            let has_flow = |flow: &&str| clients.iter().any(|client| client.auth_flows.contains(*flow));
            if PASSWORD_FLOWS.iter().any(has_flow) {
                return;
            }
            "No app client of the user pool allows ALLOW_USER_PASSWORD_AUTH or ALLOW_ADMIN_USER_PASSWORD_AUTH. Users \
             with a password hash cannot use SRP until they have signed in once with one of these flows."
                .to_owned()
        }
        // The import does not need the permissions.
        Err(error) => format!(
            "Whether an app client allows ALLOW_USER_PASSWORD_AUTH or ALLOW_ADMIN_USER_PASSWORD_AUTH is unknown \
             ({error}). Users with a password hash cannot use SRP until they have signed in once with one of these \
             flows."
        ),
    };
    session.stderr.write_lines(&wrap("Warning: ", &text, 2, session.stderr.width()));
}

#[cfg(test)]
mod tests {
    use domain::user_pool::import_jobs::{ImportJob, ImportJobStatus};

    use super::*;

    #[test]
    fn events_are_lines_with_the_name_of_the_job() {
        let job = ImportJob {
            id: "import-1".to_owned(),
            name: "poolkeeper-1".to_owned(),
            status: ImportJobStatus::Succeeded,
            imported: 2,
            skipped: 1,
            failed: 3,
            message: None,
        };
        let name = || "poolkeeper-1".to_owned();
        for (event, expected) in [
            (JobEvent::Created(name(), 1), "… import job poolkeeper-1: 1 user"),
            (JobEvent::Created(name(), 6), "… import job poolkeeper-1: 6 users"),
            (JobEvent::Ended(job), "… import job poolkeeper-1: Succeeded, 2 users imported, 1 skipped, 3 failed"),
        ] {
            assert_eq!(line(&event), expected);
        }
    }
}
