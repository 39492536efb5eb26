//! Every body has an example, and every example is valid for its schema.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Validates values against schemas. Supports the keywords for fields and their types only.
struct Document(Value);

impl Document {
    fn new() -> Self {
        Self(crate::openapi::value())
    }

    fn schema(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str();
        reference.map_or(schema, |reference| self.resolved(self.0.pointer(&reference[1..]).unwrap()))
    }

    /// The schema and the parts of its `allOf`.
    fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let all_of = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| self.parts(part));
        std::iter::once(schema).chain(all_of).collect()
    }

    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let parts = self.parts(schema);
        for part in &parts {
            self.check_part(part, value)?;
        }
        match value {
            // If there is a `oneOf`, its variants declare the fields.
            Value::Object(fields) if parts.iter().all(|part| part.get("oneOf").is_none()) => {
                self.check_fields(&parts, fields)
            }
            _ => Ok(()),
        }
    }

    fn check_part(&self, part: &Value, value: &Value) -> Result<(), String> {
        let types = part.get("type").map(|types| types.as_array().cloned().unwrap_or_else(|| vec![types.clone()]));
        if types.is_some_and(|types| !types.iter().any(|expected| is_a(expected, value))) {
            return Err(format!("{value} is not a {}", part["type"]));
        }
        if part["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            return Err(format!("{value} is none of {}", part["enum"]));
        }
        let is_timestamp = |text: &str| OffsetDateTime::parse(text, &Rfc3339).is_ok();
        if part["format"] == "date-time" && value.as_str().is_some_and(|text| !is_timestamp(text)) {
            return Err(format!("{value} is not a date-time"));
        }
        if let Some(variants) = part["oneOf"].as_array() {
            let outcomes: Vec<_> = variants.iter().map(|variant| self.check(variant, value)).collect();
            if outcomes.iter().filter(|outcome| outcome.is_ok()).count() != 1 {
                return Err(format!("{value} does not match exactly one variant: {outcomes:?}"));
            }
        }
        let items = value.as_array().filter(|_| part.get("items").is_some());
        items.into_iter().flatten().try_for_each(|item| self.check(&part["items"], item))
    }

    /// Checks that all required fields and no unknown ones are present.
    fn check_fields(&self, parts: &[&Value], fields: &Map<String, Value>) -> Result<(), String> {
        let mut required = parts.iter().filter_map(|part| part["required"].as_array()).flatten();
        if let Some(missing) = required.find(|name| !fields.contains_key(name.as_str().unwrap())) {
            return Err(format!("{missing} is missing"));
        }
        for (name, value) in fields {
            let mut known = parts.iter().filter_map(|part| part["properties"].get(name)).peekable();
            let others = parts.iter().map(|part| &part["additionalProperties"]).find(|schema| schema.is_object());
            let schema = if known.peek().is_some() { known.next() } else { others };
            let schema = schema.ok_or_else(|| format!("`{name}` is unknown"))?;
            self.check(schema, value).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }

    /// The examples of a body, or else of its schema.
    fn examples(&self, body: &Value) -> Vec<Value> {
        let named = body["examples"].as_object().into_iter().flat_map(Map::values).map(|example| &example["value"]);
        let own: Vec<_> = body.get("example").into_iter().chain(named).cloned().collect();
        if own.is_empty() { self.examples_of_schema(&body["schema"]) } else { own }
    }

    /// The examples of a schema, or else of all its variants.
    fn examples_of_schema(&self, schema: &Value) -> Vec<Value> {
        let schema = self.resolved(schema);
        let several = schema["examples"].as_array().into_iter().flatten();
        let own: Vec<_> = schema.get("example").into_iter().chain(several).cloned().collect();
        if !own.is_empty() {
            return own;
        }
        let variants: Vec<_> = schema["oneOf"].as_array().into_iter().flatten().collect();
        let of_variants: Vec<_> = variants.iter().map(|variant| self.examples_of_schema(variant)).collect();
        if of_variants.iter().any(Vec::is_empty) { Vec::new() } else { of_variants.concat() }
    }
}

fn is_a(expected: &Value, value: &Value) -> bool {
    match expected.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    }
}

#[test]
fn every_request_and_success_body_has_valid_examples() {
    let document = Document::new();
    for (place, operation) in super::operations() {
        let responses = operation["responses"].as_object().unwrap().iter();
        let successes = responses.filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
        let contents = successes.chain(operation.get("requestBody")).filter_map(|part| part.get("content"));
        for body in contents.flat_map(|content| content.as_object().unwrap().values()) {
            let examples = document.examples(body);
            assert!(!examples.is_empty(), "{place:?} has no example of {}", body["schema"]);
            for example in examples {
                assert_eq!(document.check(&body["schema"], &example), Ok(()), "{place:?}: {example}");
            }
        }
    }
}

#[test]
fn every_example_of_a_named_schema_is_valid() {
    let document = Document::new();
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        for example in document.examples_of_schema(schema) {
            assert_eq!(document.check(schema, &example), Ok(()), "{name}");
        }
    }
}

#[test]
fn finds_invalid_examples() {
    let document = Document::new();
    let delivery = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
    let tokens = document.schema("Tokens")["example"].clone();
    let challenge = document.schema("Challenge")["example"].clone();
    for (name, place, wrong) in [
        ("UserWithGroups", "/sub", json!(7)),
        ("UserWithGroups", "/status", json!(null)),
        ("UserWithGroups", "/created_at", json!("2026-01-07 09:30")),
        ("UserWithGroups", "/life_cycle/state", json!("happy")),
        ("UserWithGroups", "/life_cycle/next_actions", json!(["hope"])),
        ("UserWithGroups", "/life_cycle", json!({"state": "active"})),
        ("UserWithGroups", "/attributes/email", json!(null)),
        ("UserWithGroups", "/groups", json!("support")),
        ("Pool", "/password_policy/minimum_length", json!(1.5)),
        ("CodeSent", "/code_sent_to", json!({"medium": "EMAIL", "destination": "m***@e***"})),
        ("SignInOutcome", "", json!({})),
        ("SignInOutcome", "", json!({"tokens": tokens, "challenge": challenge})),
        ("AttributeCodeSent", "", json!({"code_sent_to": delivery, "sent": true})),
    ] {
        let schema = document.schema(name);
        let mut example = document.examples_of_schema(schema).pop().unwrap_or_default();
        *example.pointer_mut(place).unwrap() = wrong;
        assert!(document.check(schema, &example).is_err(), "{name}: {example}");
    }
}
