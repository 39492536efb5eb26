//! Which calls came, which of them go wrong in which way, and what became of each.

use super::fault::Fault;
use super::visibility::Hidden;

/// A call, by the name that AWS gives its operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// E.g. `CreateUserPool`.
    pub operation: String,
    /// What was done to it.
    pub outcome: Outcome,
    /// What the service itself answered, also where the client heard something else or nothing.
    pub status: Option<u16>,
}

/// What was done to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    UnderWay,
    /// The service was asked, and its answer passed on.
    Forwarded,
    /// It went wrong as planned.
    Fault(Fault),
    /// It met something that was still hidden.
    Hidden(Hidden),
    /// The service could not be asked; the connection was closed. Nobody plans this: the local AWS is gone, and this says how.
    Unreachable(String),
}

/// For which call a fault is planned; both count from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum When {
    OfOperation(String, usize),
    OfAll(usize),
}

/// Names a call for as long as it is under way, also across [`Calls::forget`].
#[derive(Debug, Clone, Copy)]
pub(super) struct CallId(usize);

#[derive(Debug, Default)]
pub(super) struct Calls {
    counted: Vec<Call>,
    plans: Vec<(When, Fault)>,
    /// How many calls came before the first of `counted`.
    forgotten: usize,
}

impl Calls {
    pub(super) fn plan(&mut self, when: When, fault: Fault) {
        self.plans.push((when, fault));
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.counted
    }

    /// Counts a call, and says what goes wrong with it.
    pub(super) fn count(&mut self, operation: &str) -> (CallId, Option<Fault>) {
        let id = CallId(self.forgotten + self.counted.len());
        self.counted.push(Call { operation: operation.to_owned(), outcome: Outcome::UnderWay, status: None });
        let of_all = self.counted.len();
        let of_operation = self.counted.iter().filter(|call| call.operation == operation).count();
        let is_now = |when: &When| match when {
            When::OfOperation(planned, nth) => planned == operation && *nth == of_operation,
            When::OfAll(nth) => *nth == of_all,
        };
        (id, self.plans.iter().find(|(when, _)| is_now(when)).map(|(_, fault)| *fault))
    }

    /// The call, unless it has been forgotten.
    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        id.0.checked_sub(self.forgotten).and_then(|index| self.counted.get_mut(index))
    }

    pub(super) fn forget(&mut self) {
        *self = Self { forgotten: self.forgotten + self.counted.len(), ..Self::default() };
    }
}
