//! Shared code of the fuzz targets: mutations of JSON and of plain text.

pub mod edit;
pub mod json;
