//! Runs a command and returns its exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use aws::{Aws, SystemClock};
use clap::{CommandFactory as _, Parser as _};
use domain::doctor::{Doctor, Observed, Target, findings};
use domain::provision::{Action, Plan, Provisioner, Receipt};
use domain::revocation::{CLOCK_TOLERANCE, EXPECTED_TABLE_NAME, Revocation, Revocations as _, Scope, is_table_name};
use domain::spec::{OnDelete, Spec, schema};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{Arguments, Command, Options, SelectedPool, Sessions, SpecSource};
use crate::confirm;
use crate::doctor_view::{self, Report};
use crate::error::CommandError;
use crate::interrupt::interrupted;
use crate::layout::wrap;
use crate::plan_view;
use crate::progress::Progress;
use crate::spec_file;
use crate::summary;
use crate::terminal::Terminal;
use crate::{backup, users};

/// The exit code of `plan --exit-code` if there are changes.
const HAS_CHANGES: u8 = 3;

/// The exit code of `destroy` if nothing was deleted, because everything was retained.
const RETAINED: u8 = 5;

/// The exit code of `doctor` if it found an error or a warning.
const HAS_FINDINGS: u8 = 6;

/// The exit code of `users import` and `restore` if not all rows are in the pool, and of `users verify` and `diff` after a
/// difference.
pub(crate) const INCOMPLETE: u8 = 7;

/// Parses the command line, runs the command, and returns the exit code.
pub async fn run() -> ExitCode {
    let Arguments { options, command } = Arguments::parse();
    let session = Session::new(options);
    match Box::pin(session.command(command)).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => session.report_error(&error),
    }
}

/// One run of the program.
pub(crate) struct Session {
    pub(crate) options: Options,
    pub(crate) stdout: Terminal,
    pub(crate) stderr: Terminal,
    /// Where the steps are printed.
    pub(crate) steps: Terminal,
    pub(crate) progress: Progress,
    pub(crate) started: Instant,
}

impl Session {
    fn new(options: Options) -> Self {
        let stdout = Terminal::stdout(options.color);
        let stderr = Terminal::stderr(options.color);
        let steps = if options.json { stderr.clone() } else { stdout.clone() };
        Self { progress: Progress::on(steps.clone()), steps, stdout, stderr, options, started: Instant::now() }
    }

    async fn command(&self, command: Command) -> Result<u8, CommandError> {
        match command {
            Command::Plan { source, exit_code } => {
                let plan = self.plan(&source).await?;
                let changes = exit_code && plan.changes > 0;
                Ok(if changes { HAS_CHANGES } else { 0 })
            }
            Command::Apply { source } => self.action(Action::Apply, &source, true).await,
            Command::Verify { source } => self.action(Action::Verify, &source, true).await,
            Command::Destroy { source, yes } => self.action(Action::Destroy, &source, yes).await,
            Command::Doctor { target, all } => self.doctor(target, all).await,
            Command::Sessions { command: Sessions::Revoke { table, scope } } => {
                self.revoke(&table, scope.into()).await?;
                Ok(0)
            }
            Command::Backup { file, pool, quotas, mfa } => backup::create(self, &file, pool, &quotas, mfa).await,
            Command::Restore { file, arguments } => backup::restore(self, &file, arguments).await,
            Command::Diff { file, pool, quotas } => backup::diff(self, &file, pool, &quotas).await,
            Command::Users { command } => users::run(self, command).await,
            Command::Schema => {
                print(&schema())?;
                Ok(0)
            }
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Arguments::command(), "poolkeeper", &mut script);
                write(&script)?;
                Ok(0)
            }
        }
    }

    async fn plan(&self, source: &SpecSource) -> Result<Plan, CommandError> {
        let spec = spec_file::read(&source.spec)?;
        let work = Box::pin(async {
            let aws = self.connect().await?;
            self.provisioner(&aws.platform()).plan(&spec).await.map_err(CommandError::NoPlan)
        });
        let plan = self.unless_interrupted(Action::Plan, work).await?;
        if self.options.json {
            print(&plan)?;
        } else {
            self.stdout.write_lines(&plan_view::lines(&plan, self.stdout.width()));
        }
        Ok(plan)
    }

    /// Runs an action, after asking for confirmation unless it is `confirmed`.
    async fn action(&self, action: Action, source: &SpecSource, confirmed: bool) -> Result<u8, CommandError> {
        let spec = spec_file::read(&source.spec)?;
        if !confirmed {
            confirm::ensure_interactive(&self.steps)?;
        }
        let work = Box::pin(async {
            let aws = self.connect().await?;
            if !confirmed {
                self.ask(&spec, aws.region()).await?;
            }
            let platform = aws.platform();
            let provisioner = self.provisioner(&platform);
            let receipt = match action {
                Action::Verify => provisioner.verify(&spec).await,
                Action::Destroy => provisioner.destroy(&spec).await,
                Action::Apply | Action::Plan => provisioner.apply(&spec).await,
            };
            Ok(receipt?)
        });
        let receipt: Receipt = self.unless_interrupted(action, work).await?;
        if self.options.json {
            print(&receipt)?;
        } else {
            self.stdout.write_lines(&summary::lines(&receipt, self.started.elapsed(), self.stdout.width()));
        }
        Ok(if summary::retained_everything(&receipt) { RETAINED } else { 0 })
    }

    /// Checks a user pool, and prints the findings. Prints notes if `all` is set.
    async fn doctor(&self, checked: SelectedPool, all: bool) -> Result<u8, CommandError> {
        let target = target(checked)?;
        let work = Box::pin(async {
            let platform = self.connect().await?.platform();
            let clock = Arc::new(SystemClock::starting_now(self.options.timeout));
            Ok(Doctor { inspector: &platform, clock, observer: &self.progress }.observe(&target).await?)
        });
        let observed: Observed = self.unless_interrupted(Action::Plan, work).await?;
        let report = Report::new(&observed.user_pool.pool.id, findings(&observed), all);
        if self.options.json {
            print(&report)?;
        } else {
            self.stdout.write_lines(&doctor_view::lines(&report, self.stdout.width()));
        }
        Ok(if report.has_errors_or_warnings() { HAS_FINDINGS } else { 0 })
    }

    /// Revokes tokens until now. Without a response, the revocation may have been written.
    async fn revoke(&self, table: &str, scope: Scope) -> Result<(), CommandError> {
        if !is_table_name(table) {
            return Err(CommandError::Usage(format!("--table {EXPECTED_TABLE_NAME}")));
        }
        let work = Box::pin(async {
            let table = self.connect().await?.remote_revocation_table(table);
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let until = (now + CLOCK_TOLERANCE).as_secs();
            let revocation = match scope {
                Scope::Session(_) => Revocation::ALL,
                Scope::Pool | Scope::Client(_) | Scope::User(_) => Revocation::of_sign_ins_until(until),
            };
            table.revoke(&scope, revocation, now.as_secs()).await?;
            Ok(revocation)
        });
        let revocation = tokio::select! {
            done = work => done,
            () = interrupted() => Err(CommandError::Interrupted { action: None, during: None, steps: Vec::new() }),
        }?;
        let until = revocation.signed_in_until.filter(|second| *second != u64::MAX);
        if self.options.json {
            return print(&json!({"revoked_sign_ins_until": until}));
        }
        let text = match until {
            Some(second) => format!("Revoked the tokens of sign-ins until second {second} (Unix time)."),
            None => "Revoked the tokens of the session.".to_owned(),
        };
        self.stdout.write_lines(&wrap("", &text, 0, self.stdout.width()));
        Ok(())
    }

    pub(crate) async fn connect(&self) -> Result<Aws, CommandError> {
        self.progress.begin("loading credentials");
        let Options { profile, region, .. } = &self.options;
        let aws = Aws::from_profile(profile.as_deref(), region.as_deref()).await;
        self.progress.pause();
        Ok(aws?)
    }

    pub(crate) fn provisioner<'a>(&'a self, platform: &'a aws::AwsPlatform) -> Provisioner<'a> {
        let clock = Arc::new(SystemClock::starting_now(self.options.timeout));
        Provisioner::new(platform, clock, &self.progress)
    }

    async fn ask(&self, spec: &Spec, region: &str) -> Result<(), CommandError> {
        self.steps.write_lines(&confirm::announcement(spec, region, self.steps.width()));
        match spec.on_delete {
            // Nothing is deleted.
            OnDelete::Retain => Ok(()),
            OnDelete::Delete => confirm::ask(spec, &self.steps).await,
        }
    }

    /// Runs `work`, and drops it if a signal arrives.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        action: Action,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        let done = tokio::select! {
            done = work => done,
            () = interrupted() => {
                let (during, steps) = self.progress.snapshot();
                let started = during.is_some() || !steps.is_empty();
                Err(CommandError::Interrupted { action: started.then_some(action), during, steps })
            }
        };
        self.progress.pause();
        done
    }

    fn report_error(&self, error: &CommandError) -> ExitCode {
        if self.options.json {
            // The command has failed already; a failure to print that is ignored.
            if let Some(document) = error.document() {
                let _ = print(&document);
            }
        }
        let width = self.stderr.width();
        let mut lines = Vec::new();
        // On one terminal, the line of the failed step is directly above, with the same message.
        if !(error.was_shown() && self.steps.is_terminal() && self.stderr.is_terminal()) {
            lines.extend(wrap("Error: ", &error.to_string(), 2, width));
        }
        lines.extend(error.advice().map(|advice| wrap("", advice, 0, width)).unwrap_or_default());
        self.stderr.write_lines(&lines);
        ExitCode::from(error.code())
    }
}

/// The target that the arguments name.
pub(crate) fn target(checked: SelectedPool) -> Result<Target, CommandError> {
    match checked {
        SelectedPool { user_pool_id: Some(id), .. } => Ok(Target::UserPool(id)),
        SelectedPool { stack: Some(name), .. } => Ok(Target::Stack(name)),
        SelectedPool { spec, .. } => {
            // The parser accepts exactly one option.
            let path = spec.unwrap_or_default();
            let file = if spec_file::is_standard_input(&path) { "FILE".to_owned() } else { path.display().to_string() };
            Ok(Target::Spec { spec: Box::new(spec_file::read(&path)?), file })
        }
    }
}

/// Prints a JSON document to standard output.
pub(crate) fn print(document: &impl Serialize) -> Result<(), CommandError> {
    let mut text = serde_json::to_vec_pretty(document).map_err(io::Error::from)?;
    text.push(b'\n');
    write(&text)
}

fn write(text: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // The reader, such as `head`, has closed the pipe.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
