//! Recorded calls and planned faults.

use domain::retry::ErrorClass;

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call fails without an effect.
    NotDone(ErrorClass),
    /// The call has its effect, but the response is lost.
    AnswerLost,
    /// The call has no effect and never returns. Dropping the caller emulates a process killed before the call.
    Stalled,
    /// The call has its effect and never returns. Dropping the caller emulates a process killed after the call.
    StalledAfterwards,
    /// The call panics.
    Panic,
}

impl Fault {
    /// The faults of a crash matrix.
    pub const ALL: [Self; 5] = [
        Self::NotDone(ErrorClass::OutcomeUnknown),
        Self::NotDone(ErrorClass::Throttled),
        Self::AnswerLost,
        Self::Stalled,
        Self::StalledAfterwards,
    ];
}

/// The call that a fault is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    OfOperation(&'static str, usize),
    OfAll(usize),
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: Vec<&'static str>,
    planned: Vec<(Place, Fault)>,
}

impl Faults {
    pub(super) fn plan(&mut self, operation: &'static str, nth: usize, fault: Fault) {
        self.planned.push((Place::OfOperation(operation, nth), fault));
    }

    pub(super) fn plan_at(&mut self, nth: usize, fault: Fault) {
        self.planned.push((Place::OfAll(self.calls.len() + nth), fault));
    }

    pub(super) fn forget(&mut self) {
        self.planned.clear();
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.clone()
    }

    /// Counts a call and returns its planned fault.
    pub(super) fn count(&mut self, operation: &'static str) -> Option<Fault> {
        self.calls.push(operation);
        let nth = self.calls.iter().filter(|call| **call == operation).count();
        let places = [Place::OfOperation(operation, nth), Place::OfAll(self.calls.len())];
        let planned = self.planned.iter().find(|(place, _)| places.contains(place));
        planned.map(|(_, fault)| *fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_planned_call_fails() {
        let mut faults = Faults::default();
        faults.plan("role", 2, Fault::AnswerLost);
        faults.plan_at(1, Fault::Stalled);
        let outcomes = ["role", "policy", "role", "role"].map(|operation| faults.count(operation));
        assert_eq!(outcomes, [Some(Fault::Stalled), None, Some(Fault::AnswerLost), None]);
        faults.plan_at(2, Fault::Stalled);
        assert_eq!(["role", "policy"].map(|operation| faults.count(operation)), [None, Some(Fault::Stalled)]);
    }
}
