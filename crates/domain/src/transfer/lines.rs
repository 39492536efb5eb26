//! Reads the rows of a file, one after the other, in constant memory.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

use super::csv::Columns;
use super::row::{RowError, UserRow};

/// The maximum length of a line in bytes, with its end.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The mark with which some programs begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The format of a file of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportFormat))]
#[serde(rename_all = "kebab-case")]
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

/// Parses single lines.
pub struct RowParser {
    /// The columns of a CSV file.
    columns: Option<Columns>,
}

impl RowParser {
    /// Parses JSON Lines.
    #[must_use]
    pub fn json() -> Self {
        Self { columns: None }
    }

    /// Parses CSV with the columns in `header`, the first line of the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the header is not a header of Cognito.
    pub fn csv(header: &[u8]) -> Result<Self, String> {
        let invalid = |problem| format!("line 1: {problem}");
        let header = text(content(1, header)).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { columns: Some(Columns::parse(header).map_err(invalid)?) })
    }

    /// Parses the line with this number. The end of the line is optional.
    ///
    /// # Errors
    ///
    /// Returns an error that names the field.
    pub fn row(&self, number: u64, line: &[u8]) -> Result<UserRow, RowError> {
        let line = content(number, line);
        match &self.columns {
            Some(columns) => columns.row(text(line)?),
            None => UserRow::parse(line.trim_ascii()),
        }
    }
}

/// A line without its end and without a byte order mark.
fn content(number: u64, line: &[u8]) -> &[u8] {
    let line = if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
    let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    &line[..end]
}

/// The rows of a file. Ends after an error of the file.
pub struct Lines<R> {
    reader: R,
    number: u64,
    ended: bool,
    parser: RowParser,
}

impl<R: BufRead> Lines<R> {
    /// Reads rows from `reader`.
    ///
    /// # Errors
    ///
    /// Returns an error if the header of a CSV file cannot be read or is not a header of Cognito.
    pub fn new(format: Format, reader: R) -> io::Result<Self> {
        let mut lines = Self { reader, number: 0, ended: false, parser: RowParser::json() };
        if format == Format::Csv {
            let invalid = |problem| io::Error::new(io::ErrorKind::InvalidData, problem);
            let header = lines.line()?.unwrap_or_else(|| Ok(Vec::new()));
            let header = header.map_err(|error| invalid(format!("line 1: {error}")))?;
            lines.parser = RowParser::csv(&header).map_err(invalid)?;
        }
        Ok(lines)
    }

    /// Reads rows from a part of a file, whose first line has this number. `header` is the first line of a CSV file.
    ///
    /// # Errors
    ///
    /// Returns an error if the header is not a header of Cognito.
    pub fn part(format: Format, header: &[u8], first_line: u64, reader: R) -> Result<Self, String> {
        let parser = match format {
            Format::JsonLines => RowParser::json(),
            Format::Csv => RowParser::csv(header)?,
        };
        Ok(Self { reader, number: first_line.saturating_sub(1), ended: false, parser })
    }

    /// Reads a line. Returns `None` at the end of the file, and an inner error for a line that is too
    /// long, which is skipped.
    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, RowError>>> {
        let mut line = Vec::new();
        let length = (&mut self.reader).take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() != Some(&b'\n') && length == MAX_LINE_BYTES {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Err(RowError::new(format!("a line must be shorter than {MAX_LINE_BYTES} bytes")))));
        }
        Ok(Some(Ok(line)))
    }
}

/// Whether a line has no row.
pub(crate) fn is_empty(number: u64, line: &[u8]) -> bool {
    content(number, line).trim_ascii().is_empty()
}

fn text(line: &[u8]) -> Result<&str, RowError> {
    str::from_utf8(line).map_err(|_| RowError::new("must be UTF-8"))
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let row = match self.line() {
                Ok(Some(Ok(line))) if is_empty(self.number, &line) => continue,
                Ok(Some(Ok(line))) => self.parser.row(self.number, &line),
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
