//! The metrics of the functions, as log lines in `CloudWatch`'s [embedded metric format].
//!
//! `CloudWatch` Logs extracts the metrics from the lines, so that a metric costs no call. Each dimension value is a
//! constant of the program, never input. `CloudWatch` bills each combination of a name and dimension values as one metric.
//! template.yaml has an alarm or a dashboard line for each metric, and docs/operations/alarms.md describes them.
//!
//! Lines are written only if the variable `METRICS_STACK` names the stack.
//!
//! [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use serde_json::{Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Poolkeeper";

/// The dimension of all metrics: the stack's name.
pub const STACK: &str = "stack";

/// The target of metric events. Any other event is a log line.
pub(crate) const TARGET: &str = "metrics";

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The [unit](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
    pub unit: &'static str,
    /// The sets of dimensions, besides [`STACK`]. Each set creates metrics of its own.
    pub dimension_sets: &'static [&'static [&'static str]],
}

const fn count(name: &'static str, dimension_sets: &'static [&'static [&'static str]]) -> Metric {
    Metric { name, unit: "Count", dimension_sets }
}

/// All metrics.
pub const METRICS: [Metric; 11] = [
    count("Failures", &[&[]]),
    count("SignUps", &[&["result"], &["rule"]]),
    count("Mails", &[&[]]),
    count("MailQuotaExceeded", &[&[]]),
    count("AdminWrites", &[&["result"]]),
    count("AuditRecords", &[&[]]),
    count("Revocations", &[&["result"]]),
    count("Throttles", &[&[], &["category"]]),
    count("Retries", &[&[]]),
    count("Verifications", &[&["result"]]),
    Metric { name: "PropagationWait", unit: "Milliseconds", dimension_sets: &[&[]] },
];

/// Counts a startup that failed, a panic, an unreadable event, a token that the authorizer could not check, or a user whom the old
/// directory could not check. Lambda's metric `Errors` also counts the sign-ups and tokens that a function rejects.
pub fn failure() {
    tracing::info!(target: TARGET, Failures = 1);
}

/// Counts a decision of the pre sign-up trigger. `rule` is the rule that decided.
pub fn sign_up(result: &'static str, rule: &'static str) {
    tracing::info!(target: TARGET, SignUps = 1, result, rule);
}

/// Counts a mail that Cognito was asked to send.
pub fn mail() {
    tracing::info!(target: TARGET, Mails = 1);
}

/// Counts a mail that Cognito did not send, because the daily quota is exceeded.
pub fn mail_quota_exceeded() {
    tracing::info!(target: TARGET, MailQuotaExceeded = 1);
}

/// Counts a write of an administrator.
pub fn admin_write(result: &'static str) {
    tracing::info!(target: TARGET, AdminWrites = 1, result);
}

/// Counts an audit record of the routes for administrators.
pub fn audit_record() {
    tracing::info!(target: TARGET, AuditRecords = 1);
}

/// Counts a write of a revocation.
pub fn revocation(result: &'static str) {
    tracing::info!(target: TARGET, Revocations = 1, result);
}

/// Counts a call that Cognito throttled. `category` is the category of the request rate quota.
pub fn throttle(category: &'static str) {
    tracing::info!(target: TARGET, Throttles = 1, category);
}

/// Counts a repeated call to AWS.
pub fn retry() {
    tracing::info!(target: TARGET, Retries = 1);
}

/// Counts a verification of the user pool.
pub fn verification(result: &'static str) {
    tracing::info!(target: TARGET, Verifications = 1, result);
}

/// Records how long a verification waited until authenticated users received AWS credentials.
pub fn propagation_wait(milliseconds: u64) {
    tracing::info!(target: TARGET, PropagationWait = milliseconds);
}

/// The value of `_aws` in a line with these fields. Metrics and their dimensions are fields of the line.
pub(crate) fn metadata(fields: impl Iterator<Item = &'static str>, timestamp_ms: u64) -> Value {
    let directives: Vec<_> =
        fields.filter_map(|name| METRICS.iter().find(|metric| metric.name == name)).map(directive).collect();
    json!({"Timestamp": timestamp_ms, "CloudWatchMetrics": directives})
}

fn directive(metric: &Metric) -> Value {
    let with_stack = |set: &&[&'static str]| [&[STACK], *set].concat();
    json!({
        "Namespace": NAMESPACE,
        "Dimensions": metric.dimension_sets.iter().map(with_stack).collect::<Vec<_>>(),
        "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
    })
}
