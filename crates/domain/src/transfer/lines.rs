//! Reads the rows of a file, one after the other, in constant memory.

use std::io::{self, BufRead, Read};

use super::csv::Columns;
use super::row::{RowError, UserRow};

/// The maximum length of a line in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// The mark with which some programs begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The format of a file of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    JsonLines,
    /// CSV with the columns of Cognito's import jobs.
    Csv,
}

/// A row with its position.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1. In a CSV file, the header is line 1.
    pub number: u64,
    /// The row, or why it cannot be read.
    pub row: Result<UserRow, RowError>,
}

/// The rows of a file. Ends after an error of the file.
pub struct Lines<R> {
    reader: R,
    number: u64,
    ended: bool,
    /// The columns of a CSV file.
    columns: Option<Columns>,
}

impl<R: BufRead> Lines<R> {
    /// Reads rows from `reader`.
    ///
    /// # Errors
    ///
    /// Returns an error if the header of a CSV file cannot be read or is not a header of Cognito.
    pub fn new(format: Format, reader: R) -> io::Result<Self> {
        let mut lines = Self { reader, number: 0, ended: false, columns: None };
        if format == Format::Csv {
            let invalid = |problem| io::Error::new(io::ErrorKind::InvalidData, format!("line 1: {problem}"));
            let header = lines.line()?.unwrap_or_else(|| Ok(Vec::new()));
            let header = header.map_err(|error| invalid(error.to_string()))?;
            let header = text(&header).map_err(|error| invalid(error.to_string()))?;
            lines.columns = Some(Columns::parse(header).map_err(invalid)?);
        }
        Ok(lines)
    }

    /// Reads a line without its end. Returns `None` at the end of the file, and an inner error for a line that is too
    /// long, which is skipped.
    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, RowError>>> {
        let mut line = Vec::new();
        let length = (&mut self.reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() != Some(&b'\n') && length as u64 == MAX_LINE_BYTES {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Err(RowError::new(format!("a line must be shorter than {MAX_LINE_BYTES} bytes")))));
        }
        if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        line.truncate(end);
        Ok(Some(Ok(line)))
    }

    fn row(&self, line: &[u8]) -> Result<UserRow, RowError> {
        match &self.columns {
            Some(columns) => columns.row(text(line)?),
            None => UserRow::parse(line.trim_ascii()),
        }
    }
}

fn text(line: &[u8]) -> Result<&str, RowError> {
    str::from_utf8(line).map_err(|_| RowError::new("must be UTF-8"))
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let row = match self.line() {
                Ok(Some(Ok(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(Ok(line))) => self.row(&line),
                Ok(Some(Err(error))) => Err(error),
                Ok(None) => break,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            };
            return Some(Ok(Line { number: self.number, row }));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Result<String, String>)> {
        let lines = Lines::new(Format::JsonLines, text.as_bytes()).unwrap();
        let lines = lines.map(Result::unwrap).map(|Line { number, row }| {
            (number, row.map(|row| row.username.to_string()).map_err(|error| error.to_string()))
        });
        lines.collect()
    }

    #[test]
    fn reads_lines_with_any_end_and_counts_empty_ones() {
        let expected = [(1, Ok("a".to_owned())), (3, Ok("b".to_owned())), (4, Ok("c".to_owned()))];
        for text in [
            "{\"username\":\"a\"}\n\n{\"username\":\"b\"}\n{\"username\":\"c\"}",
            "\u{feff}{\"username\":\"a\"}\r\n \r\n{\"username\":\"b\"}\r\n{\"username\":\"c\"}\r\n",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(read("").is_empty());
    }

    #[test]
    fn a_wrong_line_does_not_end_the_file() {
        let long = format!("{{\"username\":\"{}\"}}", "x".repeat(70_000));
        let lines = read(&format!("{{\n{long}\n{{\"username\":\"b\"}}\n\u{feff}{{}}"));
        let [(1, Err(json)), (2, Err(length)), (3, Ok(name)), (4, Err(mark))] = &lines[..] else { panic!("{lines:?}") };
        assert!(json.starts_with("not valid JSON at column"), "{json}");
        assert_eq!(length, "a line must be shorter than 65536 bytes");
        assert_eq!((name.as_str(), mark.as_str()), ("b", "not valid JSON at column 1"));
    }

    #[test]
    fn a_line_of_the_maximum_length_is_read_or_rejected_whole() {
        for (padding, is_read) in [(65_535, true), (65_536, false), (65_537, false)] {
            let line = format!("{{\"username\":\"a\"}}{}", " ".repeat(padding - 16));
            assert_eq!(line.len(), padding);
            let lines = read(&format!("{line}\n{{\"username\":\"b\"}}"));
            assert_eq!(lines.len(), 2, "{padding}");
            assert_eq!((lines[0].1.is_ok(), lines[1].1.as_deref()), (is_read, Ok("b")), "{padding}");
        }
    }

    #[test]
    fn an_error_of_the_file_ends_it() {
        struct Broken;

        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }

        let mut lines = Lines::new(Format::JsonLines, io::BufReader::new(Broken)).unwrap();
        assert_eq!(lines.next().unwrap().unwrap_err().to_string(), "broken");
        assert!(lines.next().is_none());
    }
}
