//! The results of the calls, without secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A kind of call and the expected result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The called function.
    pub function: &'static str,
    /// Method and route, or an operation.
    pub call: String,
    /// The expected status and error code, or another result.
    pub expected: &'static str,
}

/// The calls of one kind.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) times: Vec<Duration>,
    pub(super) errors: usize,
}

/// All calls.
#[derive(Debug, Default)]
pub struct Tally {
    kinds: BTreeMap<Kind, Calls>,
    problems: Vec<String>,
}

impl Tally {
    /// Adds a call and returns whether the result is as expected. `name` is the name of the user or pool.
    /// `result` must not contain a secret.
    pub(super) fn add(&mut self, kind: Kind, name: &str, result: &str, elapsed: Duration) -> bool {
        let is_expected = result == kind.expected;
        if !is_expected {
            let Kind { function, call, expected } = &kind;
            self.problems.push(format!("{function}: {call} ({name}): expected {expected}, got {result}"));
        }
        let calls = self.kinds.entry(kind).or_default();
        calls.times.push(elapsed);
        calls.errors += usize::from(!is_expected);
        is_expected
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = (&Kind, &Calls)> {
        self.kinds.iter()
    }

    /// The number of calls.
    pub(super) fn count(&self) -> usize {
        self.kinds.values().map(|calls| calls.times.len()).sum()
    }

    /// The unexpected results, oldest first.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The called functions.
    #[must_use]
    pub fn functions(&self) -> BTreeSet<&'static str> {
        self.kinds.keys().map(|kind| kind.function).collect()
    }
}

impl Calls {
    /// The percentile by nearest rank; zero without calls.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "GET /v1/users/{name}";

    fn kind(expected: &'static str) -> Kind {
        Kind { function: "admin-api", call: READ.to_owned(), expected }
    }

    #[test]
    fn only_another_result_than_expected_is_a_problem() {
        let mut tally = Tally::default();
        assert!(tally.add(kind("200"), "soak-1-0", "200", Duration::ZERO));
        assert!(tally.add(kind("404 user-not-found"), "soak-1-0", "404 user-not-found", Duration::ZERO));
        assert!(!tally.add(kind("404 user-not-found"), "soak-1-1", "404 group-not-found", Duration::ZERO));
        let problem =
            "admin-api: GET /v1/users/{name} (soak-1-1): expected 404 user-not-found, got 404 group-not-found";
        assert_eq!((tally.problems(), tally.count()), ([problem.to_owned()].as_slice(), 3));
        let errors: Vec<_> =
            tally.kinds().map(|(kind, calls)| (kind.expected, calls.times.len(), calls.errors)).collect();
        assert_eq!(errors, [("200", 1, 0), ("404 user-not-found", 2, 1)]);
    }

    #[test]
    fn percentiles_are_times_at_the_nearest_rank() {
        let of = |milliseconds: &[u64]| {
            let times = milliseconds.iter().copied().map(Duration::from_millis).collect();
            let calls = Calls { times, errors: 0 };
            [50, 90, 100].map(|percent| calls.percentile(percent).as_millis())
        };
        assert_eq!(of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), [5, 9, 10]);
        assert_eq!(of(&[3]), [3, 3, 3]);
        assert_eq!(of(&[3, 1, 2]), [2, 3, 3]);
    }
}
