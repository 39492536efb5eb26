//! Logs: one JSON object per line on standard output, which is where Lambda collects them.
//!
//! The level comes from `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging configuration. Nothing below
//! `INFO` is ever written: the root manifest compiles it out (`max_level_info` of `tracing`), because what the AWS SDK says at
//! `DEBUG` and `TRACE` holds tokens and passwords.

mod json_lines;

use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::environment::environment;
use json_lines::JsonLines;

/// Starts writing logs. A second call changes nothing.
pub fn start() {
    let level = level(environment()("AWS_LAMBDA_LOG_LEVEL").as_deref());
    let subscriber = tracing_subscriber::registry().with(level).with(JsonLines(std::io::stdout));
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// The level by Lambda's name for it. `FATAL` is `ERROR`, as `tracing` knows nothing above; a name that is none is `INFO`.
fn level(name: Option<&str>) -> LevelFilter {
    match name.unwrap_or_default().to_ascii_uppercase().as_str() {
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    }
}

/// A panic is a log line like any other. Its text is left out where it was put together at run time: it may quote data.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let reason = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(location, reason, "panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_by_the_names_that_lambda_uses() {
        let table = [
            (None, LevelFilter::INFO),
            (Some(""), LevelFilter::INFO),
            (Some("INFO"), LevelFilter::INFO),
            (Some("WARN"), LevelFilter::WARN),
            (Some("warn"), LevelFilter::WARN),
            (Some("ERROR"), LevelFilter::ERROR),
            (Some("FATAL"), LevelFilter::ERROR),
            (Some("DEBUG"), LevelFilter::INFO),
            (Some("TRACE"), LevelFilter::INFO),
            (Some("LOUD"), LevelFilter::INFO),
        ];
        for (name, expected) in table {
            assert_eq!(level(name), expected, "{name:?}");
        }
    }

    #[test]
    fn nothing_below_info_is_compiled_in() {
        assert_eq!(tracing::level_filters::STATIC_MAX_LEVEL, LevelFilter::INFO);
    }
}
