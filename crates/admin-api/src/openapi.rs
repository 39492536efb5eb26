//! The OpenAPI document: the annotations of the handlers, completed from the route table.
//!
//! An annotation lists its own errors in `x-problems`. Access and common errors come from the route table.
//! Only tests and `make openapi` use this module.

pub mod permissions;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde_json::{Map, Value, json};
use utoipa::{OpenApi, PartialSchema};

use crate::authz::access::Access;
use crate::http::error::ErrorCode;
use crate::http::problem::Problem;
use crate::routes::{self, Annotations, Route};
use crate::settings::Served;

/// The name of the security scheme.
const ACCESS_TOKEN: &str = "accessToken";

/// The document as the JSON text of docs/openapi.json.
#[must_use]
pub fn document() -> String {
    format!("{:#}\n", sorted(value()))
}

/// Sorts the names in each object, because another crate of the build can enable the feature `preserve_order` of
/// `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The document.
pub(crate) fn value() -> Value {
    let mut document = serde_json::to_value(Annotations::openapi()).unwrap_or_default();
    let mut problem_responses = Map::new();
    for route in routes::of(Served::All) {
        let operation = &mut document["paths"][&route.path][route.method.as_str().to_lowercase()];
        complete(operation, &route, &mut problem_responses);
    }
    document["info"] = info();
    document["tags"] = tags();
    document["security"] = json!([]);
    document["servers"] = json!([{"url": "/", "description": "The stack's output `ApiUrl`."}]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({ACCESS_TOKEN: {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "An access token of the backend client, from `POST /v1/auth/sign-in`. ID tokens are rejected.",
    }});
    components["responses"] = problem_responses.into();
    components["schemas"]["Problem"] = serde_json::to_value(Problem::schema()).unwrap_or_default();
    components["schemas"]["ErrorCode"] = serde_json::to_value(ErrorCode::schema()).unwrap_or_default();
    components["schemas"]["GatewayMessage"] = gateway_message();
    if let Some(schemas) = components["schemas"].as_object_mut() {
        name_variants(schemas);
    }
    document
}

fn gateway_message() -> Value {
    json!({
        "type": "object", "required": ["message"], "properties": {"message": {"type": "string"}},
        "description": "The body of an error response from API Gateway itself. The wording can change.",
    })
}

/// Moves each titled variant of a `oneOf` to a schema with this title, because client generators number inline
/// variants (`CallerType0`).
fn name_variants(schemas: &mut Map<String, Value>) {
    let mut variants = vec![];
    let one_of = |schema| Value::get_mut(schema, "oneOf").and_then(Value::as_array_mut);
    for variant in schemas.values_mut().filter_map(one_of).flatten() {
        let title = variant.as_object_mut().and_then(|variant| variant.remove("title"));
        if let Some(title) = title.as_ref().and_then(Value::as_str) {
            let reference = json!({"$ref": format!("#/components/schemas/{title}")});
            variants.push((title.to_owned(), mem::replace(variant, reference)));
        }
    }
    schemas.extend(variants);
}

fn info() -> Value {
    json!({
        "title": "Poolkeeper admin API",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Users, groups and sessions of one Amazon Cognito user pool.",
        "description": "Every failure is `application/problem+json` (RFC 9457) with a stable `code`. Unknown paths return \
            404 `not-found`, and unsupported methods return 405 `method-not-allowed` with the header `Allow`. Names in \
            paths must be percent-encoded. API Gateway itself rejects expired tokens, too many requests and paths \
            outside of `/v1`, and responds if the function fails. The body of such a response is `{\"message\": …}`.",
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    })
}

fn tags() -> Value {
    json!([
        {"name": "users", "description": "Administration of users."},
        {"name": "groups", "description": "Administration of groups and their members."},
        {"name": "invitations", "description": "Invitations to sign up."},
        {"name": "jobs", "description": "Imports of files of users, exports and backups."},
        {"name": "pool", "description": "The user pool and the caller."},
        {"name": "auth", "description": "Sign-up, sign-in, sign-out and the user's own account."},
    ])
}

/// Adds the access and the error responses of the route to its operation.
fn complete(operation: &mut Value, route: &Route, problem_responses: &mut Map<String, Value>) {
    let codes = codes(operation, route);
    let Some(fields) = operation.as_object_mut() else { return };
    fields.remove("x-problems");
    if let Some(body) = fields.get_mut("requestBody") {
        remove_null(&mut body["content"]["application/json"]["schema"]);
    }
    match route.access {
        Access::Public => {}
        Access::OwnToken | Access::AnyCaller => drop(fields.insert("security".to_owned(), json!([{ACCESS_TOKEN: []}]))),
        Access::Read(permission) | Access::List(permission) | Access::Write(permission) => {
            fields.insert("security".to_owned(), json!([{ACCESS_TOKEN: []}]));
            fields.insert("x-permission".to_owned(), json!(permission.as_str()));
            let description = fields.get("description").and_then(Value::as_str).unwrap_or_default();
            let description = format!("{description}\n\nPermission: `{permission}`.");
            fields.insert("description".to_owned(), json!(description.trim_start()));
        }
    }
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.row().status.as_u16()).or_default().push(code);
    }
    let responses = fields.entry("responses").or_insert_with(|| json!({}));
    for (status, codes) in by_status {
        let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        let name = format!("{status}.{}", names.join("."));
        responses[status.to_string()] = json!({"$ref": format!("#/components/responses/{name}")});
        problem_responses.entry(name).or_insert_with(|| problem_response(status, &codes));
    }
}

/// Removes null from the schema of an optional body, because the body can be absent but not null.
fn remove_null(schema: &mut Value) {
    let forms = schema["oneOf"].as_array().filter(|forms| forms.contains(&json!({"type": "null"})));
    if let Some(form) = forms.and_then(|forms| forms.last()).cloned() {
        *schema = form;
    }
}

/// All error codes of a route: those of its annotation and the common ones.
fn codes(operation: &Value, route: &Route) -> Vec<ErrorCode> {
    let own: BTreeSet<&str> =
        operation["x-problems"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let has_body = operation.get("requestBody").is_some();
    let has_parameters = operation.get("parameters").is_some();
    let is_common = |code: ErrorCode| match code {
        ErrorCode::UnsupportedMediaType | ErrorCode::BodyTooLarge => has_body,
        ErrorCode::InvalidRequest => has_body || has_parameters,
        ErrorCode::Unauthenticated => route.access != Access::Public,
        ErrorCode::Forbidden | ErrorCode::MfaRequired => {
            matches!(route.access, Access::Read(_) | Access::List(_) | Access::Write(_))
        }
        // `GetUser` with the caller's token runs before writes, and before reads if a second factor is required.
        ErrorCode::InsufficientScope
        | ErrorCode::InvalidCredentials
        | ErrorCode::UserNotConfirmed
        | ErrorCode::PasswordResetRequired
        | ErrorCode::RevocationsUnavailable => !matches!(route.access, Access::Public | Access::OwnToken),
        ErrorCode::Internal
        | ErrorCode::Throttled
        | ErrorCode::NotSupportedByEndpoint
        | ErrorCode::UpstreamUnavailable
        | ErrorCode::DeadlineExceeded => true,
        _ => false,
    };
    ErrorCode::ALL.iter().copied().filter(|code| is_common(*code) || own.contains(code.as_str())).collect()
}

/// The response of a status with one of these codes. Operations with the same codes share it.
fn problem_response(status: u16, codes: &[ErrorCode]) -> Value {
    let titles: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.row().title)).collect();
    let examples: Map<String, Value> =
        codes.iter().map(|code| (code.as_str().to_owned(), json!({"value": Problem::example(*code)}))).collect();
    // Without a schema for each status, because client generators would create a type for each of them.
    let mut response = json!({
        "description": titles.join(" "),
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples,
        }},
    });
    if let Some(message) = gateway_text(status, codes) {
        response["content"]["application/json"] = json!({
            "schema": {"$ref": "#/components/schemas/GatewayMessage"}, "example": {"message": message},
        });
    }
    if status == 429 || status == 503 {
        response["headers"] = json!({"Retry-After": {
            "description": "The time to wait, in seconds. Responses of API Gateway itself lack this header.",
            "schema": {"type": "integer", "minimum": 1}
        }});
    }
    response
}

/// The message of API Gateway if it can return this status itself: for an invalid token, for too many requests, and for
/// a function that fails or exceeds the timeout of the integration.
fn gateway_text(status: u16, codes: &[ErrorCode]) -> Option<&'static str> {
    match status {
        401 => codes.contains(&ErrorCode::Unauthenticated).then_some("Unauthorized"),
        429 => Some("Too Many Requests"),
        500 => Some("Internal Server Error"),
        503 => Some("Service Unavailable"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    mod examples;

    use super::*;

    fn operations() -> BTreeMap<(String, String), Value> {
        let document = value();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| ((path.clone(), method.to_uppercase()), operation.clone()))
        });
        operations.collect()
    }

    #[test]
    fn documents_texts_and_responses_of_every_operation() {
        let mut ids = BTreeSet::new();
        for (place, operation) in operations() {
            for text in ["operationId", "summary", "description"] {
                assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{place:?} has no {text}");
            }
            assert!(ids.insert(operation["operationId"].to_string()), "{place:?}: another operation has this id");
            let known = ["users", "groups", "invitations", "jobs", "pool", "auth"];
            let tags = operation["tags"].as_array().unwrap();
            assert!(tags.len() == 1 && known.contains(&tags[0].as_str().unwrap()), "{place:?}: {tags:?}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{place:?} never succeeds");
            for (status, response) in responses.iter().filter(|(_, response)| response.get("$ref").is_none()) {
                let has_body = response.get("content").is_some();
                assert_eq!(has_body, status != "204", "{place:?} {status}");
            }
        }
    }

    #[test]
    fn annotations_name_existing_codes() {
        let known: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        let annotations = serde_json::to_value(Annotations::openapi()).unwrap();
        for (path, item) in annotations["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for code in operation["x-problems"].as_array().into_iter().flatten() {
                    assert!(known.contains(code.as_str().unwrap()), "{method} {path}: {code}");
                }
            }
        }
    }

    #[test]
    fn schema_of_error_code_lists_every_code() {
        let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(value()["components"]["schemas"]["ErrorCode"]["enum"], json!(codes));
    }

    #[test]
    fn resolves_every_reference() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        found.insert(reference.clone());
                    }
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = value();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn docs_openapi_json_is_up_to_date() {
        let committed = include_str!("../../../docs/openapi.json");
        assert!(committed == document(), "docs/openapi.json is out of date: run make openapi");
    }
}
