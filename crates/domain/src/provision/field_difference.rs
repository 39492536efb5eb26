//! Where the state that is differs from the state that is wanted.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field, as the spec spells it.
    pub field: String,
    /// What it is.
    pub current: Value,
    /// What it should be.
    pub wanted: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
        write!(formatter, "{}: {} -> {}", self.field, word(&self.current), word(&self.wanted))
    }
}

/// All top-level fields in which two states differ.
pub(super) fn differences<T: Serialize>(current: &T, wanted: &T) -> Vec<Difference> {
    // States are plain structs with string keys: turning them into JSON cannot fail.
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

/// The differences in one line, for receipts.
pub(super) fn in_words(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}
