//! Finds rows of a file about the same user.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::code::RowCode;
use super::lines::Line;
use super::pool_facts::PoolFacts;
use super::row::RowError;

/// The user names of a file so far, in memory.
#[derive(Debug, Default)]
pub struct Duplicates {
    lines: HashMap<String, u64>,
    known: BTreeSet<u64>,
}

impl Duplicates {
    /// For a part of a file in which these lines are about users with an earlier row in another part.
    #[must_use]
    pub fn with_known(lines: impl IntoIterator<Item = u64>) -> Self {
        Self { lines: HashMap::new(), known: lines.into_iter().collect() }
    }

    /// Replaces a row whose user has an earlier row by an error. Two rows of one file would be imported at the same
    /// time, so the last one would not always win.
    #[must_use]
    pub fn check(&mut self, facts: &PoolFacts, mut line: Line) -> Line {
        let Ok(row) = &line.row else { return line };
        match self.lines.entry(facts.key(&row.username)) {
            Entry::Vacant(entry) => {
                entry.insert(line.number);
                if self.known.contains(&line.number) {
                    line.row = Err(duplicate("an earlier line is about the same user".to_owned()));
                }
            }
            Entry::Occupied(entry) => {
                line.row = Err(duplicate(format!("line {} is about the same user", entry.get())));
            }
        }
        line
    }
}

fn duplicate(problem: String) -> RowError {
    RowError { code: RowCode::DuplicateRow, ..RowError::at("username", problem) }
}
