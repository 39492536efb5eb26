//! Why an event gets an error for an answer, and what is said about it.
//!
//! Cognito shows the text to the person signing up, as `PreSignUp failed with error TEXT.` So the sentences are fixed: no
//! attribute, no parser's words, no name of a type. What the log gets is the variant.

use domain::sign_up::Refusal;
use lambda_runtime::Diagnostic;

/// Why an event got an error for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The policy refuses the sign-up.
    Refused(Refusal),
    /// It is not JSON, not an object, or has something else than an object for the flags that were to be set.
    UnreadableEvent,
    /// A defect of ours: the handler panicked.
    Panicked,
}

impl Failure {
    /// What the person signing up is told.
    #[must_use]
    pub fn public_sentence(self) -> &'static str {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::NoEmail => "An e-mail address is needed to sign up",
                Refusal::UnreadableEmail => "This e-mail address cannot be used to sign up",
                Refusal::EmailDomain => "E-mail addresses of this domain cannot be used to sign up",
                // One for all: which of them it is tells somebody who guesses how far they have come.
                Refusal::Invitation(_) | Refusal::InvitationForNobody => {
                    "The invitation is not valid for this sign-up, please ask for a new one"
                }
                Refusal::ExternalProvider => "Signing up through this provider is not possible",
            },
            Self::UnreadableEvent => "The sign-up request could not be read",
            Self::Panicked => "The sign-up could not be processed, please try again later",
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
