//! From the command line to the exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use aws::{Aws, SystemClock};
use clap::{CommandFactory as _, Parser as _};
use domain::provision::{Action, Plan, Provisioner, Receipt};
use domain::spec::{OnDelete, Spec, schema};
use serde::Serialize;

use crate::arguments::{Arguments, Command, Options, SpecSource};
use crate::confirm;
use crate::error::Stop;
use crate::interrupt::interrupted;
use crate::layout::wrap;
use crate::plan_view;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::spec_file;
use crate::summary;

/// The exit code of `plan --exit-code` where there is something to change.
const SOMETHING_TO_CHANGE: u8 = 3;

/// Runs the command that the command line names, and tells how it ended.
pub async fn run() -> ExitCode {
    let Arguments { options, command } = Arguments::parse();
    let session = Session::new(options);
    match Box::pin(session.command(command)).await {
        Ok(code) => ExitCode::from(code),
        Err(stop) => session.stopped(&stop),
    }
}

/// One run of the program.
struct Session {
    options: Options,
    stdout: Screen,
    stderr: Screen,
    /// Where the steps are shown.
    steps: Screen,
    progress: Progress,
    began: Instant,
}

impl Session {
    fn new(options: Options) -> Self {
        let stdout = Screen::stdout(options.color);
        let stderr = Screen::stderr(options.color);
        let steps = if options.json { stderr.clone() } else { stdout.clone() };
        Self { progress: Progress::on(steps.clone()), steps, stdout, stderr, options, began: Instant::now() }
    }

    async fn command(&self, command: Command) -> Result<u8, Stop> {
        match command {
            Command::Plan { source, exit_code } => {
                let plan = self.plan(&source).await?;
                let changes = exit_code && plan.changes > 0;
                Ok(if changes { SOMETHING_TO_CHANGE } else { 0 })
            }
            Command::Apply { source } => self.action(Action::Apply, &source, true).await,
            Command::Verify { source } => self.action(Action::Verify, &source, true).await,
            Command::Destroy { source, yes } => self.action(Action::Destroy, &source, yes).await,
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

    async fn plan(&self, source: &SpecSource) -> Result<Plan, Stop> {
        let spec = spec_file::read(&source.spec)?;
        let work = Box::pin(async {
            let aws = self.connect().await?;
            self.provisioner(&aws.platform()).plan(&spec).await.map_err(Stop::NoPlan)
        });
        let plan = self.unless_interrupted(Action::Plan, work).await?;
        if self.options.json {
            print(&plan)?;
        } else {
            self.stdout.say(&plan_view::lines(&plan, self.stdout.width()));
        }
        Ok(plan)
    }

    /// `sure` says that nobody needs to be asked.
    async fn action(&self, action: Action, source: &SpecSource, sure: bool) -> Result<u8, Stop> {
        let spec = spec_file::read(&source.spec)?;
        if !sure {
            confirm::someone_can_be_asked(&self.steps)?;
        }
        let work = Box::pin(async {
            let aws = self.connect().await?;
            if !sure {
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
            self.stdout.say(&summary::lines(&receipt, self.began.elapsed(), self.stdout.width()));
        }
        Ok(0)
    }

    async fn connect(&self) -> Result<Aws, Stop> {
        self.progress.begin("looking for credentials");
        let Options { profile, region, .. } = &self.options;
        let aws = Aws::from_profile(profile.as_deref(), region.as_deref()).await;
        self.progress.pause();
        Ok(aws?)
    }

    fn provisioner<'a>(&'a self, platform: &'a aws::AwsPlatform) -> Provisioner<'a> {
        let clock = Arc::new(SystemClock::starting_now(self.options.timeout));
        Provisioner::new(platform, clock, &self.progress)
    }

    async fn ask(&self, spec: &Spec, region: &str) -> Result<(), Stop> {
        self.steps.say(&confirm::announcement(spec, region, self.steps.width()));
        match spec.on_delete {
            // Nothing can be lost.
            OnDelete::Retain => Ok(()),
            OnDelete::Delete => confirm::ask(spec, &self.steps).await,
        }
    }

    /// Giving up drops the work where it is.
    async fn unless_interrupted<T>(
        &self,
        action: Action,
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        let done = tokio::select! {
            done = work => done,
            () = interrupted() => {
                let (during, steps) = self.progress.so_far();
                let touched = during.is_some() || !steps.is_empty();
                Err(Stop::Interrupted { action: touched.then_some(action), during, steps })
            }
        };
        self.progress.pause();
        done
    }

    fn stopped(&self, stop: &Stop) -> ExitCode {
        if self.options.json {
            // It has failed already: there is nothing more to be said where this fails too.
            let _ = print(&stop.document());
        }
        let width = self.stderr.width();
        let mut lines = Vec::new();
        // On one screen the failed step stands right above, with all that there is to say.
        if !(stop.was_shown() && self.steps.is_terminal() && self.stderr.is_terminal()) {
            lines.extend(wrap("Error: ", &stop.to_string(), 2, width));
        }
        lines.extend(stop.advice().map(|advice| wrap("", advice, 0, width)).unwrap_or_default());
        self.stderr.say(&lines);
        ExitCode::from(stop.code())
    }
}

/// Writes a document for programs.
fn print(document: &impl Serialize) -> Result<(), Stop> {
    let mut text = serde_json::to_vec_pretty(document).map_err(io::Error::from)?;
    text.push(b'\n');
    write(&text)
}

fn write(text: &[u8]) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // Whoever has closed the pipe (`| head`) has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
