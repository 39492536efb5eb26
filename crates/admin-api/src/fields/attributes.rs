//! Attributes in request bodies.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::user_pool::user::Attributes;
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::text::{AttributeName, AttributeValue};

/// Attributes of a body, by name.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttributesBody(BTreeMap<AttributeName, AttributeValue>);

/// Attributes to set, or to remove if the value is null.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttributeChangesBody(pub(crate) BTreeMap<AttributeName, Option<AttributeValue>>);

/// Converts the attributes of a body.
pub(crate) fn attributes(body: AttributesBody) -> Attributes {
    body.0.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn object_by_name(types: impl IntoIterator<Item = Type>) -> ObjectBuilder {
    let RefOr::T(name) = AttributeName::schema() else { return ObjectBuilder::new() };
    let mut value = AttributeValue::schema();
    if let RefOr::T(Schema::Object(value)) = &mut value {
        value.schema_type = SchemaType::from_iter(types);
    }
    let object = ObjectBuilder::new().property_names(Some(name)).additional_properties(Some(value));
    object.examples([json!({"email": "mia@example.com"})])
}

impl PartialSchema for AttributesBody {
    fn schema() -> RefOr<Schema> {
        object_by_name([Type::String]).into()
    }
}

impl ToSchema for AttributesBody {
    fn name() -> Cow<'static, str> {
        "Attributes".into()
    }
}

impl PartialSchema for AttributeChangesBody {
    fn schema() -> RefOr<Schema> {
        object_by_name([Type::String, Type::Null]).min_properties(Some(1)).into()
    }
}

impl ToSchema for AttributeChangesBody {
    fn name() -> Cow<'static, str> {
        "AttributeChanges".into()
    }
}
