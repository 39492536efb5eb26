//! Finds rows of a file about the same user.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::code::RowCode;
use super::lines::Line;
use super::pool_facts::PoolFacts;
use super::row::RowError;

/// The user names of a file so far, in memory.
#[derive(Debug, Default)]
pub struct Duplicates {
    lines: HashMap<String, u64>,
}

impl Duplicates {
    /// Replaces a row whose user has an earlier row by an error. Two rows of one file would be imported at the same
    /// time, so the last one would not always win.
    #[must_use]
    pub fn check(&mut self, facts: &PoolFacts, mut line: Line) -> Line {
        let Ok(row) = &line.row else { return line };
        match self.lines.entry(facts.key(&row.username)) {
            Entry::Vacant(entry) => {
                entry.insert(line.number);
            }
            Entry::Occupied(entry) => {
                let problem = format!("line {} is about the same user", entry.get());
                line.row = Err(RowError { code: RowCode::DuplicateRow, ..RowError::at("username", problem) });
            }
        }
        line
    }
}
