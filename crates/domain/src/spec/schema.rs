//! The JSON Schema of a spec, for editors and other validators. It is derived from the types that parse specs.
//!
//! The schema omits scalars as strings, which only CloudFormation sends, and the rules of [`Spec::check`] about several
//! fields.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Spec;

/// The JSON Schema (draft 2020-12) of a spec.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Spec>();
    schema.insert("title".to_owned(), "Poolkeeper spec".into());
    schema.to_value()
}
