//! Recorded calls and planned faults.

use domain::user_pool::error::Reason;

#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: Vec<&'static str>,
    planned: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    operation: &'static str,
    calls_left: usize,
    reason: Reason,
}

impl Faults {
    pub(super) fn plan(&mut self, operation: &'static str, nth: usize, reason: Reason) {
        self.planned.push(Planned { operation, calls_left: nth, reason });
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.clone()
    }

    /// Counts a call and returns its planned fault.
    pub(super) fn count(&mut self, operation: &'static str) -> Option<Reason> {
        self.calls.push(operation);
        let mut due = None;
        for planned in self.planned.iter_mut().filter(|planned| planned.operation == operation) {
            planned.calls_left = planned.calls_left.saturating_sub(1);
            if planned.calls_left == 0 {
                due = due.or(Some(planned.reason));
            }
        }
        self.planned.retain(|planned| planned.calls_left > 0);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_planned_call_fails() {
        let mut faults = Faults::default();
        faults.plan("get", 2, Reason::Throttled);
        let outcomes = ["get", "list", "get", "get"].map(|operation| faults.count(operation));
        assert_eq!(outcomes, [None, None, Some(Reason::Throttled), None]);
        assert_eq!(faults.calls(), ["get", "list", "get", "get"]);
    }
}
