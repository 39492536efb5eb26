//! Logs one JSON object per line to standard output, at the level that Lambda sets in `AWS_LAMBDA_LOG_LEVEL`.
//!
//! Metrics are lines, too ([`crate::metrics`]).
//!
//! Levels below `INFO` are compiled out (`max_level_info` of `tracing`), because the AWS SDK logs tokens and passwords
//! at those levels.

mod json_lines;

use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::environment::environment;
use crate::metrics;
use json_lines::JsonLines;

/// Installs the logger and the panic hook. A second call has no effect.
pub fn start() {
    let level = level(environment()("AWS_LAMBDA_LOG_LEVEL").as_deref());
    let stack = environment()("METRICS_STACK").filter(|name| !name.is_empty());
    let subscriber = tracing_subscriber::registry().with(level).with(JsonLines { writer: std::io::stdout, stack });
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Parses Lambda's name of a level. `FATAL` becomes `ERROR`, the highest level of `tracing`, and an unknown name
/// `INFO`.
fn level(name: Option<&str>) -> LevelFilter {
    match name.unwrap_or_default().to_ascii_uppercase().as_str() {
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    }
}

/// Logs a panic. A message that was formatted at run time is omitted, because it can contain user data.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let reason = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(location, reason, "panic");
    metrics::failure();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lambdas_names_of_log_levels() {
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
    fn compiles_out_levels_below_info() {
        assert_eq!(tracing::level_filters::STATIC_MAX_LEVEL, LevelFilter::INFO);
    }
}
