//! Running a function from its first log line to its exit code.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use crate::environment::environment;
use crate::logging;
use crate::settings::{SettingError, required};

/// Why a function stopped. Every error converts into it with `?`.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What Lambda sets for every function, and what its runtime client cannot do without.
const SET_BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// Starts the logs, does the work, and turns the way it ended into an exit code.
///
/// A failure is one JSON line at level `ERROR` and a non-zero exit code, for a wrong setting as for anything later.
pub async fn run(work: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    logging::start();
    let ended = match started_by_lambda(environment()) {
        Ok(()) => work.await,
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(error = causes(&*failure), "the function cannot go on");
            ExitCode::FAILURE
        }
    }
}

/// Without these the runtime client panics, which says less than this error.
fn started_by_lambda(lookup: impl Fn(&str) -> Option<String>) -> Result<(), SettingError> {
    for variable in SET_BY_LAMBDA {
        required(&lookup, variable, "that AWS Lambda, or something that stands in for it, starts this program")?;
    }
    Ok(())
}

/// An error and what caused it, in one line, for the log.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the pool cannot be read")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("connection refused")]
    struct Inner;

    #[test]
    fn a_failure_tells_its_whole_chain_of_causes() {
        assert_eq!(causes(&Outer(Inner)), "the pool cannot be read: connection refused");
        assert_eq!(causes(&Inner), "connection refused");
    }

    #[test]
    fn each_variable_that_lambda_sets_is_asked_for_by_name() {
        assert_eq!(started_by_lambda(|_| Some("1".to_owned())), Ok(()));
        for left_out in SET_BY_LAMBDA {
            let error = started_by_lambda(|variable| (variable != left_out).then(|| "1".to_owned())).unwrap_err();
            assert_eq!(error.variable, left_out);
        }
    }
}
