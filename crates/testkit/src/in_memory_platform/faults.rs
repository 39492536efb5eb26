//! Which calls were made, and which of them go wrong in which way.

use domain::retry::ErrorClass;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails before it does anything.
    NotDone(ErrorClass),
    /// It does its work, and nobody hears of it.
    AnswerLost,
    /// It never answers.
    Stalled,
    /// The code around it panics.
    Panic,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: Vec<&'static str>,
    planned: Vec<(&'static str, usize, Fault)>,
}

impl Faults {
    pub(super) fn plan(&mut self, operation: &'static str, nth: usize, fault: Fault) {
        self.planned.push((operation, nth, fault));
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.clone()
    }

    /// Counts a call, and says what goes wrong with it.
    pub(super) fn count(&mut self, operation: &'static str) -> Option<Fault> {
        self.calls.push(operation);
        let nth = self.calls.iter().filter(|call| **call == operation).count();
        let planned = self.planned.iter().find(|(planned, at, _)| *planned == operation && *at == nth);
        planned.map(|(_, _, fault)| *fault)
    }
}
