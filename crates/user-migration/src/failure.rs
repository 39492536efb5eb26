//! The errors of the trigger. Cognito shows their text to the user as `UserMigration failed with error TEXT.`, so the texts are
//! fixed. A user who does not move is no error, because the user must receive the same response as an unknown user.

use lambda_runtime::Diagnostic;

/// Why the trigger returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The old directory did not answer in time, or its answer cannot be used.
    Unavailable,
    /// The event is not one of the two known events of the trigger.
    UnreadableEvent,
    /// The old user pool is the pool that invokes the trigger, so that each call would invoke the trigger again.
    SamePool,
    /// The handler panicked, which is a bug.
    Panicked,
}

impl Failure {
    /// Returns the text that the user receives.
    #[must_use]
    pub fn public_sentence(self) -> &'static str {
        match self {
            Self::UnreadableEvent => "The request could not be read",
            Self::Unavailable | Self::SamePool | Self::Panicked => {
                "The request could not be processed. Try again later"
            }
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Unavailable => "Unavailable",
            Self::UnreadableEvent => "UnreadableEvent",
            Self::SamePool => "SamePool",
            Self::Panicked => "Internal",
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind().to_owned(), error_message: failure.public_sentence().to_owned() }
    }
}
