//! The recorded values: the raw numbers that `bench measure` writes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::comparison::Quantity;
use crate::error::BenchError;

/// The raw numbers of a run.
pub(super) struct Record {
    file: PathBuf,
    content: Value,
}

impl Record {
    /// Reads a file.
    pub(super) fn read(file: &Path) -> Result<Self, BenchError> {
        let content = fs::read(file).map_err(BenchError::io(format!("read {}", file.display())))?;
        Self::parse(file, &content)
    }

    fn parse(file: &Path, content: &[u8]) -> Result<Self, BenchError> {
        let content = serde_json::from_slice(content)
            .map_err(|error| BenchError::Record { file: file.to_owned(), problem: error.to_string() })?;
        Ok(Self { file: file.to_owned(), content })
    }

    /// The value of a program in a row. Returns an error if the record does not contain the value.
    pub(super) fn value(&self, quantity: Quantity, row: &str, program: &str) -> Result<u64, BenchError> {
        let (list, pointer) = quantity.position();
        let entries = self.content[list].as_array();
        let entry = entries.into_iter().flatten().find(|entry| entry["row"] == row && entry["program"] == program);
        entry.and_then(|entry| entry.pointer(pointer)?.as_u64()).ok_or_else(|| BenchError::Record {
            file: self.file.clone(),
            problem: format!("no number {pointer} in `{list}` for {program}, {row}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{
        "growth": [{"row": "sign-up", "program": "pre-sign-up", "connections": [2, 9]}],
        "programs": [
            {"row": "sign-up", "program": "floor", "size": {"file": 1}, "instructions": {"warm": 2}},
            {"row": "sign-up", "program": "pre-sign-up", "size": {"file": 100}, "instructions": {"warm": 50}},
            {"row": "get a user", "program": "admin-api", "size": {"file": 300}, "instructions": null}
        ]}"#;

    fn value(quantity: Quantity, row: &str, program: &str) -> Result<u64, String> {
        let record = Record::parse(Path::new("record.json"), RECORD.as_bytes()).unwrap();
        record.value(quantity, row, program).map_err(|error| error.to_string())
    }

    #[test]
    fn finds_values_by_row_and_program() {
        assert_eq!(value(Quantity::Size, "sign-up", "pre-sign-up"), Ok(100));
        assert_eq!(value(Quantity::Instructions, "sign-up", "pre-sign-up"), Ok(50));
        assert_eq!(value(Quantity::Connections, "sign-up", "pre-sign-up"), Ok(2));
        assert_eq!(value(Quantity::Size, "get a user", "admin-api"), Ok(300));
    }

    #[test]
    fn error_names_the_missing_value() {
        let missing = |list, pointer| {
            let advice = "`make bench` writes a complete record";
            Err(format!("record.json: no number {pointer} in `{list}` for admin-api, get a user; {advice}"))
        };
        let of_admin_api = |quantity| value(quantity, "get a user", "admin-api");
        assert_eq!(of_admin_api(Quantity::Instructions), missing("programs", "/instructions/warm"));
        assert_eq!(of_admin_api(Quantity::Connections), missing("growth", "/connections/0"));
    }

    #[test]
    fn error_names_the_file_of_a_malformed_record() {
        let error = Record::parse(Path::new("record.json"), b"{").err().unwrap().to_string();
        assert!(error.starts_with("record.json: EOF while parsing"), "{error}");
    }
}
