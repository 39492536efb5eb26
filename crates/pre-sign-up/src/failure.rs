//! What can go wrong, and what is said about it.
//!
//! Cognito shows the text to the person signing up, as `PreSignUp failed with error TEXT.` So the sentences are fixed: no
//! attribute, no parser's words, no name of a type. The variant's name is what the log gets.

use lambda_runtime::Diagnostic;

/// Why an event got an error for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It is not JSON, not an object, or has something else than an object for the flags that were to be set.
    UnreadableEvent,
    /// A defect of ours: the handler panicked.
    Panicked,
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let (error_type, error_message) = match failure {
            Failure::UnreadableEvent => ("UnreadableEvent", "The sign-up request could not be read"),
            Failure::Panicked => ("Internal", "The sign-up could not be processed, please try again later"),
        };
        Self { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
    }
}
