//! The changes that `apply` would make.

use std::fmt;

use serde::Serialize;

use super::field_difference::Difference;
use super::receipt::{Action, Step};

/// The planned change of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The resource does not exist and is created.
    Create,
    /// The resource is up to date but unused, because an interrupted run created it. It is adopted.
    Adopt,
    /// The resource differs and is changed.
    Change,
    /// The resource is up to date, or the spec no longer contains it.
    Leave,
}

/// The name in plans.
impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// The planned change of one resource, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The step of `apply`.
    pub step: Step,
    /// The change.
    pub verdict: Verdict,
    /// The id or ARN of the existing resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The reason.
    pub reason: String,
    /// The different fields, with both values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// The changes that `apply` would make. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Always [`Action::Plan`].
    pub action: Action,
    /// The number of resources to create, adopt or change.
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
