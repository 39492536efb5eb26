//! Converts an OpenAPI 3.1 document to 3.0.3, which progenitor requires, and simplifies it for Rust.

use std::collections::BTreeSet;
use std::mem;

use serde_json::{Map, Value, json};

/// The value that an unknown value of an enumeration is read as.
const UNKNOWN: &str = "unknown";

/// A table of the operations, in Rust.
pub(crate) fn table_of_operations(document: &Value) -> String {
    let mut rows = vec![];
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for operation in item.as_object().into_iter().flat_map(Map::values) {
            let (id, is_public) = (&operation["operationId"], operation.get("security").is_none());
            rows.push(format!("    Operation {{ id: {id}, path: {path:?}, is_public: {is_public} }},\n"));
        }
    }
    format!("pub(crate) const OPERATIONS: [Operation; {}] = [\n{}];\n", rows.len(), rows.concat())
}

/// The document in OpenAPI 3.0.3.
///
/// - All error responses of an operation have one schema, because progenitor supports only one type per operation.
/// - Constraints on texts are removed, and texts without a format become `String`. The API validates them.
/// - Enumerations of responses accept unknown values, because a later version of the API can return new values.
pub(crate) fn converted(mut document: Value) -> Value {
    document["openapi"] = json!("3.0.3");
    if let Some(info) = document["info"].as_object_mut() {
        info.remove("summary");
        info.remove("license");
    }
    let in_responses = schemas_in_responses(&document);
    if let Some(components) = document["components"].as_object_mut() {
        components.remove("responses");
    }
    for operation in operations(&mut document) {
        unify_errors(&mut operation["responses"]);
    }
    convert(&mut document);
    let Value::Object(mut schemas) = document["components"]["schemas"].take() else { return document };
    schemas.insert(
        "ErrorBody".to_owned(),
        json!({
            "description": "The body of an error response: a problem of the API, or a message of API Gateway.",
            "oneOf": [reference("Problem"), reference("GatewayMessage")],
        }),
    );
    for (name, schema) in &mut schemas {
        let values = schema.get_mut("enum").and_then(Value::as_array_mut);
        if let Some(values) = values.filter(|_| in_responses.contains(name)) {
            values.retain(|value| value != UNKNOWN);
            values.push(json!(UNKNOWN));
        }
    }
    inline_texts(&mut schemas, &mut document);
    document["components"]["schemas"] = schemas.into();
    document
}

/// Code in which each `unknown` value of an enumeration also reads values that it does not list, and which encodes names
/// and reads bodies with the functions of the client.
pub(crate) fn completed(code: &str) -> String {
    with_line_comments(code)
        .replace("```ignore", "```text")
        .replace("#[serde(rename = \"unknown\")]", "#[serde(rename = \"unknown\", other)]")
        .replace("use progenitor_client::{encode_path, ", "use crate::session::encode_path;\nuse progenitor_client::{")
        .replace("ResponseValue::from_response(", "crate::session::decode(")
}

/// Converts documentation in block comments to line comments, because rustfmt indents the text of block comments, and
/// indented text is code in Markdown.
fn with_line_comments(code: &str) -> String {
    let mut blocks = code.split("/**");
    let mut converted = blocks.next().unwrap_or_default().to_owned();
    for block in blocks {
        let (text, rest) = block.split_once("*/").unwrap_or((block, ""));
        converted.extend(text.lines().flat_map(|line| ["///", line, "\n"]));
        converted.push_str(rest.strip_prefix('\n').unwrap_or(rest));
    }
    converted
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    items.filter_map(Value::as_object_mut).flat_map(Map::values_mut)
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// Replaces the error responses by one for all 4xx and one for all 5xx statuses, both with the same schema.
fn unify_errors(responses: &mut Value) {
    let Some(responses) = responses.as_object_mut() else { return };
    responses.retain(|status, _| status.starts_with('2'));
    for range in ["4XX", "5XX"] {
        let content = json!({"application/json": {"schema": reference("ErrorBody")}});
        responses.insert(range.to_owned(), json!({"description": "An error.", "content": content}));
    }
}

/// The names of the schemas that responses contain, directly or indirectly.
fn schemas_in_responses(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    for operation in operations.flat_map(Map::values) {
        collect(document, &operation["responses"], &mut found);
    }
    found
}

fn collect(document: &Value, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
                if found.insert(name) {
                    collect(document, document.pointer(&reference[1..]).unwrap_or(&Value::Null), found);
                }
            }
            fields.values().for_each(|value| collect(document, value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(document, value, found)),
        _ => {}
    }
}

/// Rewrites the keywords that 3.0.3 lacks or spells differently, and removes constraints on texts.
fn convert(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            convert_fields(fields);
            // Default values are data, not schemas.
            for (_, value) in fields.iter_mut().filter(|(name, _)| *name != "default") {
                convert(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(convert),
        _ => {}
    }
}

fn convert_fields(fields: &mut Map<String, Value>) {
    for keyword in ["example", "examples", "propertyNames", "pattern", "minLength", "maxLength", "not"] {
        // Members of `properties` can have the same names and are objects with a type.
        if fields.get(keyword).is_some_and(|value| keyword == "not" || !is_schema(value)) {
            fields.remove(keyword);
        }
    }
    if let Some(value) = fields.remove("const") {
        fields.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(types)) = fields.get("type") {
        let is_nullable = types.contains(&json!("null"));
        let of_value = types.iter().find(|name| *name != "null").cloned().unwrap_or_default();
        fields.insert("type".to_owned(), of_value);
        if is_nullable {
            fields.insert("nullable".to_owned(), json!(true));
        }
    }
    let null = json!({"type": "null"});
    if let Some(Value::Array(forms)) =
        fields.get("oneOf").filter(|forms| forms.as_array().is_some_and(|forms| forms.contains(&null)))
    {
        let forms: Vec<_> = forms.iter().filter(|form| **form != null).cloned().collect();
        fields.remove("oneOf");
        fields.insert("nullable".to_owned(), json!(true));
        fields.insert("allOf".to_owned(), forms.into());
    }
    if fields.contains_key("$ref") {
        fields.retain(|keyword, _| keyword == "$ref");
    }
}

fn is_schema(value: &Value) -> bool {
    value.get("type").is_some() || value.get("$ref").is_some()
}

/// Replaces references to texts without a format by the schema of a text, so that they become `String`.
fn inline_texts(schemas: &mut Map<String, Value>, document: &mut Value) {
    let all = mem::take(schemas).into_iter();
    let is_text = |schema: &Value| schema["type"] == "string" && schema.get("enum").is_none();
    let (texts, others): (Map<_, _>, Map<_, _>) = all.partition(|(_, schema)| is_text(schema));
    *schemas = others;
    schemas.values_mut().for_each(|schema| inline(schema, &texts));
    inline(&mut document["paths"], &texts);
}

fn inline(value: &mut Value, texts: &Map<String, Value>) {
    let reference = value.get("$ref").and_then(Value::as_str);
    if let Some(text) = reference.and_then(|path| texts.get(path.rsplit('/').next().unwrap_or_default())) {
        *value = text.clone();
        return;
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| inline(value, texts)),
        Value::Array(values) => values.iter_mut().for_each(|value| inline(value, texts)),
        _ => {}
    }
}
