//! Divides a file into chunks of whole lines, in one pass.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::chunk::Chunk;
use crate::transfer::{Format, MAX_LINE_BYTES, PoolFacts, RowParser, is_empty};

/// Divides the bytes of a file, which arrive in parts of any length. Keeps eight bytes per row, to find rows about the
/// same user.
pub(super) struct Splitter<'a> {
    facts: &'a PoolFacts,
    /// The maximum size of a chunk: bytes and rows.
    limits: (u64, u64),
    /// `None` until the header of a CSV file was read.
    parser: Option<RowParser>,
    /// Hashes of the user names so far.
    names: HashSet<u64>,
    /// The beginning of the current line, up to the maximum length of a line.
    line: Vec<u8>,
    /// The length of the current line so far.
    line_length: u64,
    /// The number of the current line, from 1.
    number: u64,
    header: u64,
    rows: u64,
    chunk: Chunk,
    rows_of_chunk: u64,
    chunks: Vec<Chunk>,
}

/// A divided file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Divided {
    pub(super) header: u64,
    pub(super) rows: u64,
    pub(super) chunks: Vec<Chunk>,
}

impl<'a> Splitter<'a> {
    /// Divides the part of a file from `offset` into chunks of about so many bytes, and at most so many rows.
    pub(super) fn new(format: Format, facts: &'a PoolFacts, limits: (u64, u64), offset: u64) -> Self {
        Self {
            facts,
            limits,
            parser: (format == Format::JsonLines).then(RowParser::json),
            names: HashSet::new(),
            line: Vec::new(),
            line_length: 0,
            number: 1,
            header: 0,
            rows: 0,
            chunk: Chunk { first_line: 1, offset, length: 0, duplicates: Vec::new() },
            rows_of_chunk: 0,
            chunks: Vec::new(),
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the header of a CSV file is invalid.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end + 1);
            self.extend(line);
            self.end_line()?;
            bytes = rest;
        }
        self.extend(bytes);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the header of a CSV file is invalid or missing.
    pub(super) fn finish(mut self) -> Result<Divided, String> {
        if self.line_length > 0 || self.parser.is_none() {
            self.end_line()?;
        }
        self.end_chunk();
        Ok(Divided { header: self.header, rows: self.rows, chunks: self.chunks })
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.line_length += bytes.len() as u64;
    }

    fn end_line(&mut self) -> Result<(), String> {
        let (line, length) = (std::mem::take(&mut self.line), std::mem::take(&mut self.line_length));
        let number = self.number;
        self.number += 1;
        let Some(parser) = &self.parser else {
            self.parser = Some(RowParser::csv(&line)?);
            self.header = length;
            self.chunk = self.next_chunk(length);
            return Ok(());
        };
        self.chunk.length += length;
        // A line that is too long has a result, even if it contains only spaces.
        if length > MAX_LINE_BYTES as u64 || !is_empty(number, &line) {
            self.rows += 1;
            self.rows_of_chunk += 1;
            // A row that is too long or cannot be read is about no user.
            if length <= MAX_LINE_BYTES as u64
                && let Ok(row) = parser.row(number, &line)
                && !self.names.insert(hash(&self.facts.key(&row.username)))
            {
                self.chunk.duplicates.push(number);
            }
        }
        if self.chunk.length >= self.limits.0 || self.rows_of_chunk >= self.limits.1 {
            self.end_chunk();
        }
        Ok(())
    }

    /// A chunk without rows needs no worker.
    fn end_chunk(&mut self) {
        let next = self.next_chunk(self.chunk.offset + self.chunk.length);
        let chunk = std::mem::replace(&mut self.chunk, next);
        if std::mem::take(&mut self.rows_of_chunk) > 0 {
            self.chunks.push(chunk);
        }
    }

    fn next_chunk(&self, offset: u64) -> Chunk {
        Chunk { first_line: self.number, offset, length: 0, duplicates: Vec::new() }
    }
}

/// The same for each run of a job. Two of ten million names have the same hash with a probability of 1 to 300,000.
fn hash(name: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&Sha256::digest(name)[..8]);
    u64::from_be_bytes(bytes)
}
