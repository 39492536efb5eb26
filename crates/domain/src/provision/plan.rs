//! What `apply` would do: the answer of `plan`.

use std::fmt;

use serde::Serialize;

use super::field_difference::Difference;
use super::receipt::{Action, Step};

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is none: one is made.
    Create,
    /// It is ours and as it should be, but stands alone: an interrupted run left it, and this one goes on with it.
    Adopt,
    /// It differs: it is changed.
    Change,
    /// It is as it should be, or not ours to touch.
    Leave,
}

/// The word as plans spell it.
impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// What becomes of one resource, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The step of `apply` that deals with it.
    pub step: Step,
    /// What the step does.
    pub verdict: Verdict,
    /// The id or ARN of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// The fields that differ, with both values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// What `apply` would do. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Always [`Action::Plan`].
    pub action: Action,
    /// How many resources would be created, adopted or changed.
    pub changes: usize,
    /// Every resource, in the order of `apply`.
    pub resources: Vec<Planned>,
}

impl Plan {
    pub(super) fn new(resources: Vec<Planned>) -> Self {
        let changes = resources.iter().filter(|planned| planned.verdict != Verdict::Leave).count();
        Self { action: Action::Plan, changes, resources }
    }
}
