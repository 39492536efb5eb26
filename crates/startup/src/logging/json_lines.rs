//! Formats a log line as one flat JSON object with `timestamp`, `level`, `message`, the event's fields and the fields
//! of its spans. `requestId` therefore has the same position as in Lambda's own JSON lines. The JSON format of
//! `tracing_subscriber::fmt` nests the spans, and adds 44 kB of binary and 0.1 MB of memory to the smallest function.

use std::fmt::Debug;
use std::io::Write;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::metrics;

/// Writes each event as one line.
pub(super) struct JsonLines<W> {
    pub(super) writer: W,
    /// The stack of the metrics. Without it, metrics are not written.
    pub(super) stack: Option<String>,
}

/// Names and JSON values. Names are unique: a later value replaces an earlier one, so inner spans override outer spans.
#[derive(Debug, Default, Clone)]
struct Fields(Vec<(&'static str, String)>);

impl<S, O, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    O: Write,
    W: Fn() -> O + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let is_metric = event.metadata().target() == metrics::TARGET;
        if is_metric && self.stack.is_none() {
            return;
        }
        let mut fields = Fields::default();
        fields.set("timestamp", now());
        fields.set("level", quoted(event.metadata().level().as_str()));
        // The event's message replaces this value.
        fields.set("message", quoted(event.metadata().target()));
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(span_fields) = span.extensions().get::<Fields>() {
                span_fields.0.iter().for_each(|(name, value)| fields.set(name, value.clone()));
            }
        }
        event.record(&mut fields);
        if let Some(stack) = self.stack.as_ref().filter(|_| is_metric) {
            fields.set(metrics::STACK, quoted(stack));
            let names = fields.0.iter().map(|(name, _)| *name);
            let metadata = metrics::metadata(names, milliseconds(std::time::SystemTime::now()));
            fields.set("_aws", metadata.to_string());
        }
        // A failure to write logs cannot be reported.
        let _ = (self.writer)().write_all(fields.line().as_bytes());
    }
}

impl Fields {
    fn set(&mut self, name: &'static str, value: String) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    fn line(&self) -> String {
        let mut line = String::with_capacity(256);
        let mut separator = '{';
        for (name, value) in &self.0 {
            line.push(separator);
            line.push_str(&quoted(name));
            line.push(':');
            line.push_str(value);
            separator = ',';
        }
        line.push_str("}\n");
        line
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), quoted(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), quoted(&format!("{value:?}")));
    }
}

/// The time since 1970.
fn milliseconds(time: std::time::SystemTime) -> u64 {
    let elapsed = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> String {
    let mut text = String::new();
    // If the time cannot be formatted, the line is written with an empty timestamp.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    quoted(&text)
}

/// Returns the text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines that `work` logs, without their timestamps.
    fn lines_of(work: impl FnOnce()) -> Vec<Value> {
        lines_in(None, work)
    }

    fn lines_in(stack: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        let memory = Memory::default();
        let writer = memory.clone();
        let stack = stack.map(str::to_owned);
        let subscriber = tracing_subscriber::registry().with(JsonLines { writer: move || writer.clone(), stack });
        tracing::subscriber::with_default(subscriber, work);
        let written = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let without_time = |line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert!(timestamp.as_str().unwrap().ends_with('Z'), "{timestamp}");
            line
        };
        written.lines().map(without_time).collect()
    }

    #[test]
    fn line_contains_level_message_and_typed_fields() {
        let lines = lines_of(|| {
            tracing::info!(user = "mia", attempts = 3_u8, delta = -1, changed = true, state = ?Some(1), "user changed");
        });
        let expected = json!({
            "level": "INFO", "message": "user changed",
            "user": "mia", "attempts": 3, "delta": -1, "changed": true, "state": "Some(1)",
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn escapes_text_within_a_line() {
        let text = "quote \" backslash \\ line\nbreak \u{1} \u{2028} é";
        let lines = lines_of(|| tracing::warn!(text, "{text}"));
        assert_eq!(lines, [json!({"level": "WARN", "message": text, "text": text})]);
    }

    #[test]
    fn merges_span_fields_and_prefers_the_innermost() {
        let lines = lines_of(|| {
            let outer =
                tracing::info_span!("invocation", requestId = "r-1", step = "outer", route = tracing::field::Empty);
            let _in_outer = outer.enter();
            outer.record("route", "/v1/users");
            tracing::info_span!("call", step = "inner").in_scope(|| tracing::info!("inside"));
            tracing::info!(step = "event", "after");
        });
        let line = |message: &str, step: &str| json!({"level": "INFO", "message": message, "requestId": "r-1", "route": "/v1/users", "step": step});
        assert_eq!(lines, [line("inside", "inner"), line("after", "event")]);
    }

    #[test]
    fn writes_metrics_in_embedded_metric_format_with_the_stack() {
        let started = milliseconds(std::time::SystemTime::now());
        let write = || {
            tracing::info_span!("invocation", requestId = "r-1").in_scope(|| metrics::sign_up("confirmed", "everyone"));
            metrics::propagation_wait(1500);
        };
        let mut lines = lines_in(Some("shop"), write);
        for line in &mut lines {
            let timestamp = line["_aws"]["Timestamp"].take().as_u64().unwrap();
            assert!(timestamp >= started, "{timestamp}");
        }
        let metadata = |dimensions: Value, name: &str, unit: &str| {
            let directive =
                json!({"Namespace": "Poolkeeper", "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": unit}]});
            json!({"Timestamp": null, "CloudWatchMetrics": [directive]})
        };
        let sign_up = json!({
            "_aws": metadata(json!([["stack", "result"], ["stack", "rule"]]), "SignUps", "Count"),
            "level": "INFO", "message": "metrics", "requestId": "r-1",
            "stack": "shop", "result": "confirmed", "rule": "everyone", "SignUps": 1,
        });
        let wait = json!({
            "_aws": metadata(json!([["stack"]]), "PropagationWait", "Milliseconds"),
            "level": "INFO", "message": "metrics", "stack": "shop", "PropagationWait": 1500,
        });
        assert_eq!(lines, [sign_up, wait]);
    }

    #[test]
    fn writes_no_metrics_without_a_stack() {
        let lines = lines_of(|| {
            metrics::failure();
            tracing::info!("after");
        });
        assert_eq!(lines, [json!({"level": "INFO", "message": "after"})]);
    }

    #[test]
    fn uses_target_as_message_of_event_without_one() {
        let lines = lines_of(|| tracing::error!(target: "audit", outcome = "refused"));
        assert_eq!(lines, [json!({"level": "ERROR", "message": "audit", "outcome": "refused"})]);
    }
}
