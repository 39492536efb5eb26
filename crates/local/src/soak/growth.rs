//! Whether memory or descriptors of the functions grew after the warm-up.

use std::collections::BTreeMap;

use super::processes::{Process, Usage};
use crate::invoke::functions_of_the_demo;

/// The accepted growth of the resident memory, in kilobytes of 1024 bytes.
const MEMORY_KB: u64 = 1024;

/// The accepted growth of the number of descriptors. A function sends up to three requests at a time to Cognito, and
/// some requests to SSM. Its connection pool can have closed idle connections at the end of the warm-up.
const DESCRIPTORS: usize = 4;

/// The processes of the functions after the warm-up and since then.
#[derive(Debug)]
pub(super) struct Growth {
    processes: BTreeMap<(&'static str, u32), Readings>,
}

/// The readings of one process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readings {
    /// After the warm-up. `None` if the process started later.
    pub(super) warm: Option<Usage>,
    pub(super) last: Usage,
    pub(super) is_running: bool,
}

impl Growth {
    /// Begins with the processes at the end of the warm-up.
    pub(super) fn since(warm: &[Process]) -> Self {
        let readings = |usage| Readings { warm: Some(usage), last: usage, is_running: true };
        Self { processes: warm.iter().map(|process| (key(process), readings(process.usage))).collect() }
    }

    /// Adds the current processes. Processes that are missing have ended.
    pub(super) fn observe(&mut self, current: &[Process]) {
        for readings in self.processes.values_mut() {
            readings.is_running = false;
        }
        for process in current {
            let started = Readings { warm: None, last: process.usage, is_running: true };
            let readings = self.processes.entry(key(process)).or_insert(started);
            (readings.last, readings.is_running) = (process.usage, true);
        }
    }

    /// The readings with function and process id.
    pub(super) fn processes(&self) -> impl Iterator<Item = (&'static str, u32, &Readings)> {
        self.processes.iter().map(|((function, id), readings)| (*function, *id, readings))
    }

    /// Growth above the limits, and functions whose growth is not measured.
    pub(super) fn problems(&self) -> Vec<String> {
        let grown = self.processes().flat_map(|(function, id, readings)| {
            readings.problems().map(move |problem| format!("{function}, process {id}: {problem}"))
        });
        let unmeasured = functions_of_the_demo().filter(|(function, _)| !self.is_measured(function));
        let unmeasured = unmeasured.map(|(function, _)| {
            format!("{function}: growth is not measured, because no process ran from the end of the warm-up to the end")
        });
        grown.chain(unmeasured).collect()
    }

    fn is_measured(&self, name: &str) -> bool {
        self.processes().any(|(function, _, readings)| function == name && readings.both().is_some())
    }
}

impl Readings {
    /// The readings after the warm-up and at the end, if the process ran at both times.
    fn both(&self) -> Option<(Usage, Usage)> {
        Some((self.warm.filter(|_| self.is_running)?, self.last))
    }

    fn problems(&self) -> impl Iterator<Item = String> + use<> {
        let both = self.both();
        let memory = both.filter(|(warm, last)| last.memory_kb > warm.memory_kb + MEMORY_KB).map(|(warm, last)| {
            let (from, to) = (warm.memory_kb, last.memory_kb);
            format!("resident memory grew from {from} to {to} kB; expected at most {MEMORY_KB} kB more")
        });
        let descriptors = both.filter(|(warm, last)| last.descriptors > warm.descriptors + DESCRIPTORS);
        let descriptors = descriptors.map(|(warm, last)| {
            let (from, to) = (warm.descriptors, last.descriptors);
            format!("descriptors grew from {from} to {to}; expected at most {DESCRIPTORS} more")
        });
        memory.into_iter().chain(descriptors)
    }
}

fn key(process: &Process) -> (&'static str, u32) {
    (process.function, process.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(function: &'static str, id: u32, memory_kb: u64, descriptors: usize) -> Process {
        Process { function, id, usage: Usage { memory_kb, descriptors } }
    }

    /// A process of each function.
    fn all() -> Vec<Process> {
        functions_of_the_demo().zip(1..).map(|((function, _), id)| process(function, id, 20_000, 12)).collect()
    }

    /// The problems if the process of `pre-sign-up` is replaced by these at the end.
    fn problems(at_end: &[Process]) -> Vec<String> {
        let mut growth = Growth::since(&all());
        growth.observe(&[&all()[1..], at_end].concat());
        growth.problems()
    }

    #[test]
    fn growth_up_to_the_limits_is_accepted() {
        assert_eq!(problems(&[process("pre-sign-up", 1, 21_024, 16)]), [""; 0]);
        assert_eq!(problems(&[process("pre-sign-up", 1, 10_000, 3)]), [""; 0], "shrunk");
    }

    #[test]
    fn memory_or_descriptors_above_the_limits_are_problems() {
        assert_eq!(
            problems(&[process("pre-sign-up", 1, 21_025, 17)]),
            [
                "pre-sign-up, process 1: resident memory grew from 20000 to 21025 kB; expected at most 1024 kB more",
                "pre-sign-up, process 1: descriptors grew from 12 to 17; expected at most 4 more",
            ]
        );
    }

    #[test]
    fn function_without_a_process_over_the_whole_time_is_a_problem() {
        let unmeasured =
            "pre-sign-up: growth is not measured, because no process ran from the end of the warm-up to the end";
        assert_eq!(problems(&[process("pre-sign-up", 9, 20_000, 12)]), [unmeasured], "replaced");
        assert_eq!(problems(&[]), [unmeasured], "ended");
    }

    #[test]
    fn processes_that_start_or_end_are_kept_but_not_judged() {
        let mut growth = Growth::since(&[all(), vec![process("auth-api", 8, 20_000, 12)]].concat());
        growth.observe(&[all(), vec![process("auth-api", 8, 90_000, 90)]].concat());
        growth.observe(&[all(), vec![process("auth-api", 9, 90_000, 90)]].concat());
        assert_eq!(growth.problems(), [""; 0]);
        let auth = growth.processes().filter(|(function, ..)| *function == "auth-api");
        let seen: Vec<_> = auth.map(|(_, id, readings)| (id, readings.warm.is_some(), readings.is_running)).collect();
        assert_eq!(seen, [(5, true, true), (8, true, false), (9, false, true)]);
    }
}
