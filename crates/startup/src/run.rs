//! Runs a function from its first log line to its exit code.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use crate::environment::environment;
use crate::settings::{SettingError, required};
use crate::{logging, metrics};

/// The error of a function that failed. Every error type converts into it with `?`.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Environment variables that Lambda sets and its runtime client needs.
const SET_BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// Installs the logger, runs `work`, and returns the exit code.
///
/// A failure of `work` is logged as one JSON line at level `ERROR` and results in a non-zero exit code.
///
/// ```no_run
/// # use std::process::ExitCode;
/// # struct Settings;
/// # impl Settings {
/// #     fn read(_: impl Fn(&str) -> Option<String>) -> Result<Self, startup::SettingError> { Ok(Self) }
/// # }
/// # async fn serve(_: Settings) -> Result<(), startup::Failure> { Ok(()) }
/// # async fn program() -> ExitCode {
/// startup::run(async {
///     let settings = Settings::read(startup::environment())?;
///     serve(settings).await
/// })
/// .await
/// # }
/// ```
pub async fn run(work: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    logging::start();
    let result = match ensure_lambda_environment(environment()) {
        Ok(()) => work.await,
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(error = causes(&*failure), "startup failed");
            metrics::failure();
            ExitCode::FAILURE
        }
    }
}

/// Returns an error that names the missing variable. The runtime client would panic instead.
fn ensure_lambda_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<(), SettingError> {
    for variable in SET_BY_LAMBDA {
        required(&lookup, variable, "AWS Lambda or an emulator must set it")?;
    }
    Ok(())
}

/// Joins an error and its sources into one line.
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
    fn joins_error_with_all_its_sources() {
        assert_eq!(causes(&Outer(Inner)), "the pool cannot be read: connection refused");
        assert_eq!(causes(&Inner), "connection refused");
    }

    #[test]
    fn names_each_missing_lambda_variable() {
        assert_eq!(ensure_lambda_environment(|_| Some("1".to_owned())), Ok(()));
        for absent in SET_BY_LAMBDA {
            let error = ensure_lambda_environment(|variable| (variable != absent).then(|| "1".to_owned())).unwrap_err();
            assert_eq!(error.variable, absent);
        }
    }
}
