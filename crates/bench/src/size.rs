//! The size of a program, and of the archive that is uploaded to Lambda.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use crate::error::BenchError;

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    /// The file.
    pub(crate) file: usize,
    /// The file as it is compressed in a zip archive, whose headers add about 150 bytes.
    pub(crate) zip: usize,
}

/// Reads and compresses a file.
pub(crate) fn of(file: &Path) -> Result<Size, BenchError> {
    let content = fs::read(file).map_err(|_| BenchError::NotBuilt(file.to_owned()))?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(&content).and_then(|()| encoder.finish());
    let compressed = compressed.map_err(BenchError::io(format!("compress {}", file.display())))?;
    Ok(Size { file: content.len(), zip: compressed.len() })
}
