//! The errors of the trigger. Cognito shows their text to the user as `PreSignUp failed with error TEXT.`, so the texts
//! are fixed and contain no attribute values and no parser messages.

use domain::sign_up::Refusal;
use lambda_runtime::Diagnostic;

/// Why the trigger returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The policy rejects the sign-up.
    Refused(Refusal),
    /// The event is not a JSON object, or its `response` is not an object.
    UnreadableEvent,
    /// The handler panicked, which is a bug.
    Panicked,
}

impl Failure {
    /// Returns the text that the user receives.
    #[must_use]
    pub fn public_sentence(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.public_sentence(),
            Self::UnreadableEvent => "The sign-up request could not be read",
            Self::Panicked => "The sign-up could not be processed. Try again later",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Refused(_) => "SignUpRefused",
            Self::UnreadableEvent => "UnreadableEvent",
            Self::Panicked => "Internal",
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind().to_owned(), error_message: failure.public_sentence().to_owned() }
    }
}
