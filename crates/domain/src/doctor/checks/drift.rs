//! Reports the differences from a spec.

use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observed::Drift;
use crate::provision::{Planned, Verdict};

pub(super) fn findings(drift: &Drift, fixes: &Fixes<'_>) -> Vec<Finding> {
    let plan = match &drift.plan {
        Ok(plan) => plan,
        Err(error) => {
            let reason = format!("`apply` would fail, and the other differences are unknown: {}", error.with_causes());
            let fix = fixes.apply_with("after you resolve the conflict");
            return vec![Finding::new(Check::DriftBlocked, format!("spec {}", drift.file), reason, fix)];
        }
    };
    let changed = plan.resources.iter().filter(|planned| planned.verdict != Verdict::Leave);
    changed.map(|planned| Finding::new(Check::Drift, subject(planned), reason(planned), fixes.apply())).collect()
}

fn subject(planned: &Planned) -> String {
    let step = planned.step.to_string().replace('_', " ");
    planned.id.as_ref().map_or_else(|| step.clone(), |id| format!("{step} ({id})"))
}

fn reason(planned: &Planned) -> String {
    let differences: Vec<String> = planned.differences.iter().map(ToString::to_string).collect();
    if differences.is_empty() {
        return format!("differs from the spec: {}", planned.reason);
    }
    format!("differs from the spec: {}", differences.join("; "))
}
