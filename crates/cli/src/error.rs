//! Why a command stopped: in words, as a document, and as an exit code.

use aws::ProfileError;
use domain::error_chain::causes;
use domain::provision::{Action, ProvisionError, ProvisionFailure, Step, StepReport};
use domain::retry::{Classified as _, ErrorClass};
use serde_json::{Value, json};
use thiserror::Error;

use crate::labels;
use crate::spec_file::SpecFileError;

/// What is done is done, and the next run goes on from there.
const GO_ON: &str = "What was done stands; run it again to go on.";

/// Why a command stopped. `--help` has the exit codes.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// The command cannot be carried out as it was given.
    #[error("{0}")]
    Usage(String),
    /// There is no spec to work with.
    #[error(transparent)]
    Spec(#[from] SpecFileError),
    /// There is no connection to AWS.
    #[error("{}", causes(.0))]
    Access(#[from] ProfileError),
    /// A plan cannot be made.
    #[error("{}", .0.with_causes())]
    NoPlan(ProvisionError),
    /// An action stopped.
    #[error(transparent)]
    Failed(#[from] ProvisionFailure),
    /// Somebody wanted it to end.
    #[error("{}", interrupted(*action, *during))]
    Interrupted {
        /// What was going on; nothing, where AWS had not been asked yet.
        action: Option<Action>,
        /// The step under way.
        during: Option<Step>,
        /// The steps before it.
        steps: Vec<StepReport>,
    },
    /// The answer could not be written.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl Stop {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Spec(_) => 2,
            Self::Access(_) => 4,
            Self::NoPlan(error) => code_of(error),
            Self::Failed(failure) => code_of(&failure.error),
            Self::Interrupted { .. } => 130,
            Self::Output(_) => 1,
        }
    }

    /// What people are told beside the error itself.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Failed(failure) if failure.receipt.steps.is_empty() => Some("Nothing was touched."),
            Self::Failed(_) => Some(GO_ON),
            _ => None,
        }
    }

    /// The document for programs.
    pub(crate) fn document(&self) -> Value {
        let error = self.to_string();
        match self {
            Self::Failed(failure) => json!({"error": error, "receipt": failure.receipt}),
            Self::Interrupted { action: Some(action), steps, .. } => {
                json!({"error": error, "receipt": {"action": action, "steps": steps}})
            }
            _ => json!({"error": error}),
        }
    }

    /// Whether the step that failed has just been shown with this very error.
    pub(crate) fn was_shown(&self) -> bool {
        let Self::Failed(failure) = self else { return false };
        let said = failure.to_string();
        failure.receipt.steps.iter().any(|report| report.detail.as_ref() == Some(&said))
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
        (None | Some(Action::Plan), _) => "interrupted. Nothing was touched.".to_owned(),
        (Some(_), Some(step)) if labels::is_proof(step) => format!(
            "interrupted during the proof ({}). {GO_ON} Its throw-away user may still be there: its name or address holds `poolkeeper-`.",
            labels::step(step)
        ),
        (Some(_), Some(step)) => format!("interrupted during: {}. {GO_ON}", labels::step(step)),
        (Some(_), None) => format!("interrupted. {GO_ON}"),
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
    fn the_exit_code_says_whose_turn_it_is() {
        let wrong = SpecError { field: "name", problem: "wrong".to_owned() };
        for (stop, code) in [
            (Stop::Usage(String::new()), 2),
            (Stop::NoPlan(wrong.into()), 2),
            (Stop::NoPlan(call(ErrorClass::Invalid)), 1),
            (Stop::NoPlan(call(ErrorClass::Forbidden)), 4),
            (Stop::Access(ProfileError::NoRegion), 4),
            (Stop::Interrupted { action: None, during: None, steps: Vec::new() }, 130),
        ] {
            assert_eq!(stop.code(), code, "{stop}");
        }
    }

    #[test]
    fn who_interrupts_learns_what_stands() {
        let said = |action, during| Stop::Interrupted { action, during, steps: Vec::new() }.to_string();
        assert_eq!(said(None, None), "interrupted. Nothing was touched.");
        assert_eq!(
            said(Some(Action::Apply), Some(Step::Role)),
            "interrupted during: role. What was done stands; run it again to go on."
        );
        assert!(said(Some(Action::Verify), Some(Step::SignIn)).contains("throw-away user"));
    }
}
