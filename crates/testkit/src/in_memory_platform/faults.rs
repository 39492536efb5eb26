//! Which calls were made, and which of them go wrong in which way.

use domain::retry::ErrorClass;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails before it does anything.
    NotDone(ErrorClass),
    /// It does its work, and nobody hears of it.
    AnswerLost,
    /// It does nothing, and never answers. Whoever then drops the caller has killed it before the call.
    Stalled,
    /// It does its work, and never answers. Whoever then drops the caller has killed it after the call.
    StalledAfterwards,
    /// The code around it panics.
    Panic,
}

impl Fault {
    /// What a crash matrix goes through.
    pub const ALL: [Self; 5] = [
        Self::NotDone(ErrorClass::OutcomeUnknown),
        Self::NotDone(ErrorClass::Throttled),
        Self::AnswerLost,
        Self::Stalled,
        Self::StalledAfterwards,
    ];
}

/// Which call a fault is for.
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

    /// Counts a call, and says what goes wrong with it.
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
    fn only_the_planned_call_goes_wrong() {
        let mut faults = Faults::default();
        faults.plan("role", 2, Fault::AnswerLost);
        faults.plan_at(1, Fault::Stalled);
        let outcomes = ["role", "policy", "role", "role"].map(|operation| faults.count(operation));
        assert_eq!(outcomes, [Some(Fault::Stalled), None, Some(Fault::AnswerLost), None]);
        faults.plan_at(2, Fault::Stalled);
        assert_eq!(["role", "policy"].map(|operation| faults.count(operation)), [None, Some(Fault::Stalled)]);
    }
}
