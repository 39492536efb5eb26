//! What several fuzz targets share: changes of JSON texts and of plain texts.

pub mod edit;
pub mod json;
