//! Why a command failed, as a message, a JSON document and an exit code.

use aws::ProfileError;
use domain::backup::ArchiveError;
use domain::doctor::DoctorError;
use domain::error_chain::causes;
use domain::provision::{Action, ProvisionError, ProvisionFailure, Step, StepReport};
use domain::retry::{Classified as _, ErrorClass};
use domain::revocation::RevocationsUnavailable;
use domain::transfer::Stop;
use serde_json::{Value, json};
use thiserror::Error;

use crate::labels;
use crate::spec_file::SpecFileError;
use crate::users::JournalError;

const RERUN: &str = "Completed steps are kept; run the command again to continue.";

const RERUN_IMPORT: &str = "Rows with a result are kept; run the command again to continue.";

/// Why a command failed. `--help` lists the exit codes.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    /// The arguments are wrong, or the user did not confirm.
    #[error("{0}")]
    Usage(String),
    /// The spec cannot be read or is invalid.
    #[error(transparent)]
    Spec(#[from] SpecFileError),
    /// Region or credentials are missing.
    #[error("{}", causes(.0))]
    Access(#[from] ProfileError),
    /// Planning failed.
    #[error("{}", .0.with_causes())]
    NoPlan(ProvisionError),
    /// The pool could not be checked.
    #[error("{}", causes(.0))]
    NotChecked(#[from] DoctorError),
    /// An action failed.
    #[error(transparent)]
    Failed(#[from] ProvisionFailure),
    /// A signal interrupted the command.
    #[error("{}", interrupted(*action, *during))]
    Interrupted {
        /// The interrupted action; none if nothing was changed yet.
        action: Option<Action>,
        /// The interrupted step.
        during: Option<Step>,
        /// The completed steps.
        steps: Vec<StepReport>,
    },
    /// A file of users or results cannot be read or written.
    #[error("{file}: {source}")]
    UserFile {
        /// The file name.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A backup is not complete and unchanged.
    #[error("{file}: {source}")]
    Archive {
        /// The file name.
        file: String,
        /// The cause.
        source: ArchiveError,
    },
    /// The results of an import cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An import, export or comparison stopped before its end.
    #[error("{}", causes(.0))]
    Stopped(#[from] Stop),
    /// An import stopped before its end. Its document contains the error.
    #[error("{}", causes(.0))]
    ImportStopped(Stop),
    /// A signal interrupted an import.
    #[error("interrupted")]
    ImportInterrupted,
    /// A signal interrupted an import while this import job is active.
    #[error("interrupted; the import job {0} continues in Cognito")]
    ImportJobInterrupted(String),
    /// A revocation was not written, or its response was lost.
    #[error("{}", causes(.0))]
    NotRevoked(#[from] RevocationsUnavailable),
    /// The result could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Journal(JournalError::File { .. }) => 1,
            Self::Usage(_) | Self::Spec(_) | Self::UserFile { .. } | Self::Archive { .. } | Self::Journal(_) => 2,
            Self::Access(_) => 4,
            Self::NoPlan(error) | Self::NotChecked(DoctorError::Provision(error)) => code_of(error),
            Self::NotChecked(DoctorError::Call(gave_up)) if gave_up.last.class() == ErrorClass::Forbidden => 4,
            Self::Failed(failure) => code_of(&failure.error),
            Self::Interrupted { .. } | Self::ImportInterrupted | Self::ImportJobInterrupted(_) => 130,
            Self::Stopped(Stop::Call(error)) | Self::ImportStopped(Stop::Call(error))
                if error.class() == ErrorClass::Forbidden =>
            {
                4
            }
            Self::Stopped(_) | Self::ImportStopped(_) | Self::NotChecked(_) | Self::NotRevoked(_) | Self::Output(_) => {
                1
            }
        }
    }

    /// What to print after the error message.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Failed(failure) if failure.receipt.steps.is_empty() => Some("Nothing was changed."),
            Self::Failed(_) => Some(RERUN),
            Self::ImportStopped(_)
            | Self::ImportInterrupted
            | Self::ImportJobInterrupted(_)
            | Self::Journal(JournalError::File { .. }) => Some(RERUN_IMPORT),
            Self::NotRevoked(_) => Some("The tokens may be valid; run the command again."),
            _ => None,
        }
    }

    /// The error as JSON, for `--json`. `None` if the document of the command already contains it.
    pub(crate) fn document(&self) -> Option<Value> {
        let error = self.to_string();
        Some(match self {
            Self::Failed(failure) => json!({"error": error, "receipt": failure.receipt}),
            Self::Interrupted { action: Some(action), steps, .. } => {
                json!({"error": error, "receipt": {"action": action, "steps": steps}})
            }
            Self::ImportStopped(_) | Self::ImportInterrupted | Self::ImportJobInterrupted(_) => return None,
            _ => json!({"error": error}),
        })
    }

    /// Whether the line of the failed step already shows this error.
    pub(crate) fn was_shown(&self) -> bool {
        let Self::Failed(failure) = self else { return false };
        let message = failure.to_string();
        failure.receipt.steps.iter().any(|report| report.detail.as_ref() == Some(&message))
    }
}

fn code_of(error: &ProvisionError) -> u8 {
    match error {
        ProvisionError::Spec(_) => 2,
        ProvisionError::Call(gave_up) if gave_up.last.class() == ErrorClass::Forbidden => 4,
        _ => 1,
    }
}

fn interrupted(action: Option<Action>, during: Option<Step>) -> String {
    match (action, during) {
        (None | Some(Action::Plan), _) => "interrupted. Nothing was changed.".to_owned(),
        (Some(_), Some(step)) if labels::is_verification(step) => format!(
            "interrupted during verification ({}). {RERUN} The test user may still exist; its name or address \
             contains `poolkeeper-`.",
            labels::step(step)
        ),
        (Some(_), Some(step)) => format!("interrupted in the step `{}`. {RERUN}", labels::step(step)),
        (Some(_), None) => format!("interrupted. {RERUN}"),
    }
}

#[cfg(test)]
mod tests {
    use domain::platform::PlatformError;
    use domain::retry::GaveUp;
    use domain::spec::SpecError;

    use super::*;

    fn call(class: ErrorClass) -> ProvisionError {
        let last = PlatformError { operation: "CreateRole", class, request_id: None, source: "no".into() };
        GaveUp { attempts: 1, elapsed: std::time::Duration::ZERO, last }.into()
    }

    #[test]
    fn messages_and_exit_codes_distinguish_causes() {
        let wrong = SpecError { field: "name", problem: "wrong".to_owned() };
        let interrupted = |action, during| CommandError::Interrupted { action, during, steps: Vec::new() };
        let errors = [
            CommandError::Usage("wrong usage".to_owned()),
            CommandError::NoPlan(wrong.into()),
            CommandError::NoPlan(call(ErrorClass::Invalid)),
            CommandError::NoPlan(call(ErrorClass::Forbidden)),
            CommandError::Access(ProfileError::NoRegion),
            interrupted(None, None),
            interrupted(Some(Action::Apply), None),
            interrupted(Some(Action::Apply), Some(Step::Role)),
            interrupted(Some(Action::Verify), Some(Step::SignIn)),
        ];
        insta::assert_snapshot!(errors.map(|error| format!("{} {error}", error.code())).join("\n"));
    }
}
