//! Fields that differ between the current and the desired state.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The name of the field in the spec.
    pub field: String,
    /// The current value.
    pub current: Value,
    /// The desired value.
    pub wanted: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
        write!(formatter, "{}: {} -> {}", self.field, text(&self.current), text(&self.wanted))
    }
}

/// All top-level fields in which two states differ.
pub(crate) fn differences<T: Serialize>(current: &T, wanted: &T) -> Vec<Difference> {
    // States are structs with string keys, so serialization cannot fail.
    let (Ok(Value::Object(current)), Ok(Value::Object(wanted))) =
        (serde_json::to_value(current), serde_json::to_value(wanted))
    else {
        return Vec::new();
    };
    wanted
        .into_iter()
        .filter_map(|(field, wanted)| {
            let current = current.get(&field).cloned().unwrap_or_default();
            (current != wanted).then_some(Difference { field, current, wanted })
        })
        .collect()
}

/// Summarizes the differences in one line, for receipts.
pub(super) fn summarize(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}
