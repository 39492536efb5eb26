//! The checks. Each is a pure function of the observed state.

mod clients;
mod drift;
mod identity_pools;
mod policies;
mod quotas;
mod triggers;
mod user_pool;

#[cfg(test)]
mod tests;

use super::finding::Finding;
use super::fixes::Fixes;
use super::observed::Observed;

/// Returns all findings, most severe first.
#[must_use]
pub fn findings(observed: &Observed) -> Vec<Finding> {
    let fixes = Fixes::of(observed);
    let mut findings = user_pool::findings(&observed.user_pool, &fixes);
    findings.extend(triggers::findings(&observed.user_pool, &observed.triggers, &fixes));
    findings.extend(clients::findings(&observed.user_pool, &observed.clients, &fixes));
    findings.extend(identity_pools::findings(&observed.user_pool, &observed.identity_pools, &fixes));
    findings.extend(quotas::findings(observed, &fixes));
    findings.extend(observed.drift.iter().flat_map(|drift| drift::findings(drift, &fixes)));
    findings.sort_by_key(|finding| finding.severity);
    findings
}
