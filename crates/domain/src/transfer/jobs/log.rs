//! Reads the reasons of failed rows from the log of a job.
//!
//! The log names users only by line number: `[FAILED] Line Number 5956 - The user already exists.` AWS does not document
//! whether the header is line 1. The users that the job created decide it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::Jobs;
use crate::transfer::paced_pool::Failure;
use crate::user_pool::import_jobs::ImportJob;
use crate::user_pool::quota::Category;

/// The waits for messages that are not in the log yet.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];

/// The maximum length of a reason, in characters.
const MAX_REASON_CHARS: usize = 300;

/// The reasons of failed rows, by their position in the file, from 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JobLog {
    problems: HashMap<usize, String>,
}

impl JobLog {
    /// Why the job did not create the user.
    pub(super) fn problem(&self, index: usize) -> Option<&str> {
        self.problems.get(&index).map(String::as_str)
    }

    /// Reads the messages of a job with this number of rows, which created the users of the rows `created`. Without a
    /// unique number of the first row, no reason is known.
    fn read(messages: &[String], rows: usize, created: &HashSet<usize>) -> Self {
        let entries: Vec<Entry<'_>> = messages.iter().filter_map(|message| Entry::parse(message)).collect();
        let fits = |first: &usize| {
            let is_row = |entry: &Entry<'_>| entry.line >= *first && entry.line - first < rows;
            let succeeded = entries.iter().filter(|entry| entry.tag == "SUCCEEDED");
            let succeeded: Option<HashSet<usize>> = succeeded.map(|entry| entry.line.checked_sub(*first)).collect();
            entries.iter().all(is_row) && succeeded.as_ref() == Some(created)
        };
        let mut fitting = [1, 2].into_iter().filter(fits);
        let (Some(first), None) = (fitting.next(), fitting.next()) else { return Self::default() };
        let failed = entries.iter().filter(|entry| entry.tag != "SUCCEEDED");
        let reason = |entry: &Entry<'_>| entry.text.chars().take(MAX_REASON_CHARS).collect();
        Self { problems: failed.map(|entry| (entry.line - first, reason(entry))).collect() }
    }
}

/// A message about a line.
#[derive(Debug)]
struct Entry<'m> {
    tag: &'m str,
    line: usize,
    text: &'m str,
}

impl<'m> Entry<'m> {
    fn parse(message: &'m str) -> Option<Self> {
        let (tag, rest) = message.trim().strip_prefix('[')?.split_once("] Line Number ")?;
        let (line, text) = rest.split_once(" - ")?;
        Some(Self { tag, line: line.parse().ok()?, text })
    }
}

impl Jobs<'_> {
    /// Reads the log of a job. Returns no reasons if the log cannot be read, because the results then name the log.
    pub(super) async fn log(&self, job: &ImportJob, rows: usize, created: &HashSet<usize>) -> JobLog {
        let (group, stream) = self.log_stream(job);
        let expected = job.imported + job.skipped + job.failed;
        let mut waits = WAITS.iter();
        loop {
            let messages = self.messages(&group, &stream).await.unwrap_or_default();
            let found = messages.iter().filter(|message| Entry::parse(message).is_some()).count();
            match waits.next() {
                Some(wait) if (found as u64) < expected => self.importer.paced.clock.sleep(*wait).await,
                _ => return JobLog::read(&messages, rows, created),
            }
        }
    }

    async fn messages(&self, group: &str, stream: &str) -> Result<Vec<String>, Failure> {
        let (mut messages, mut after) = (Vec::new(), None::<String>);
        loop {
            let read = || self.port.log(group, stream, after.as_deref());
            let page = self.importer.paced.call(Category::UserPoolResourceRead, read).await?;
            messages.extend(page.entries);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(messages),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCEEDED: &str = "[SUCCEEDED] Line Number {} - The import succeeded.";
    const FAILED: &str = "[FAILED] Line Number {} - The user has no name.";
    const SKIPPED: &str = "[SKIPPED] Line Number {} - The user already exists.";

    /// The reasons in a log with these messages about lines.
    fn read(messages: &[(&str, usize)], rows: usize, created: &[usize]) -> Vec<(usize, String)> {
        let messages: Vec<_> = messages.iter().map(|(text, line)| text.replace("{}", &line.to_string())).collect();
        let log = JobLog::read(&messages, rows, &created.iter().copied().collect());
        let mut problems: Vec<_> = log.problems.into_iter().collect();
        problems.sort();
        problems
    }

    #[test]
    fn created_users_decide_whether_the_header_is_line_1() {
        let failed = [(1, "The user has no name.".to_owned()), (2, "The user already exists.".to_owned())];
        for first in [1, 2] {
            let messages = [(FAILED, first + 1), (SUCCEEDED, first), (SKIPPED, first + 2), ("Job ended", 0)];
            assert_eq!(read(&messages, 3, &[0]), failed, "{first}");
        }
        // Without a created user, a line outside of the file decides.
        assert_eq!(read(&[(FAILED, 1), (SKIPPED, 2)], 2, &[]).len(), 2);
        assert_eq!(read(&[(FAILED, 2), (SKIPPED, 3)], 2, &[]), [(0, failed[0].1.clone()), (1, failed[1].1.clone())]);
    }

    #[test]
    fn an_ambiguous_or_contradictory_log_contains_no_reasons() {
        for (messages, rows, created) in [
            // Both numbers of the first row fit.
            (&[(FAILED, 2)][..], 2, &[][..]),
            // Neither fits.
            (&[(SUCCEEDED, 1), (FAILED, 2)], 2, &[]),
            (&[(SUCCEEDED, 3), (FAILED, 2)], 3, &[0]),
            (&[(SUCCEEDED, 1), (FAILED, 9)], 2, &[0]),
            (&[(SUCCEEDED, 0), (FAILED, 1)], 2, &[0]),
            (&[], 2, &[0]),
        ] {
            assert_eq!(read(messages, rows, created), [], "{messages:?}");
        }
    }

    #[test]
    fn other_messages_are_ignored_and_long_ones_cut() {
        for text in ["", "[FAILED] Line Number x - y", "[FAILED] Line 1 - y", "FAILED] Line Number 1 - y", "[FAILED"] {
            assert!(Entry::parse(text).is_none(), "{text}");
        }
        let long = format!("[FAILED] Line Number 1 - {}", "é".repeat(400));
        assert_eq!(read(&[(&long, 1), (SUCCEEDED, 2)], 2, &[1]), [(0, "é".repeat(300))]);
    }
}
