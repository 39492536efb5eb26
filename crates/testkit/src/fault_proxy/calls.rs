//! Counts and records calls, and finds the planned fault of each.

use super::fault::Fault;
use super::visibility::Hidden;

/// A call of an AWS operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation, e.g. `CreateUserPool`.
    pub operation: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The status of the service's response, even if the client received another one or none.
    pub status: Option<u16>,
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The call is in progress.
    UnderWay,
    /// The call and the response were forwarded.
    Forwarded,
    /// A planned fault was injected.
    Fault(Fault),
    /// The call needed a hidden resource.
    Hidden(Hidden),
    /// The service was unreachable, for this reason, and the connection was closed. This is never planned.
    Unreachable(String),
}

/// The call that a fault is planned for, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum When {
    OfOperation(String, usize),
    OfAll(usize),
}

/// The id of a call in progress, unique across [`Calls::forget`].
#[derive(Debug, Clone, Copy)]
pub(super) struct CallId(usize);

/// The fault of a call of this operation.
type Rule = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

#[derive(Default)]
pub(super) struct Calls {
    counted: Vec<Call>,
    plans: Vec<(When, Fault)>,
    rule: Option<Rule>,
    /// The number of calls before the first of `counted`.
    forgotten: usize,
}

impl Calls {
    pub(super) fn plan(&mut self, when: When, fault: Fault) {
        self.plans.push((when, fault));
    }

    pub(super) fn decide(&mut self, rule: Rule) {
        self.rule = Some(rule);
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.counted
    }

    /// Counts a call and returns its planned fault.
    pub(super) fn count(&mut self, operation: &str) -> (Option<CallId>, Option<Fault>) {
        if let Some(rule) = &mut self.rule {
            return (None, rule(operation));
        }
        let id = CallId(self.forgotten + self.counted.len());
        self.counted.push(Call { operation: operation.to_owned(), outcome: Outcome::UnderWay, status: None });
        let of_all = self.counted.len();
        let of_operation = self.counted.iter().filter(|call| call.operation == operation).count();
        let is_now = |when: &When| match when {
            When::OfOperation(planned, nth) => planned == operation && *nth == of_operation,
            When::OfAll(nth) => *nth == of_all,
        };
        (Some(id), self.plans.iter().find(|(when, _)| is_now(when)).map(|(_, fault)| *fault))
    }

    /// The call, unless a reset removed it, or it was not recorded.
    pub(super) fn get_mut(&mut self, id: Option<CallId>) -> Option<&mut Call> {
        id?.0.checked_sub(self.forgotten).and_then(|index| self.counted.get_mut(index))
    }

    pub(super) fn forget(&mut self) {
        *self = Self { forgotten: self.forgotten + self.counted.len(), ..Self::default() };
    }
}
