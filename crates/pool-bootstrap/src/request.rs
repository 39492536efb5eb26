//! What comes in: an order, by direct invocation or from CloudFormation.

use domain::provision::Action;
use domain::spec::{Spec, SpecError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// A direct invocation: `{"action": "apply", "spec": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// What is to be done.
    pub(crate) action: Action,
    /// With what.
    pub(crate) spec: Spec,
}

/// The properties of both custom resources. CloudFormation adds the token and the time-out that stand in the template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Properties {
    #[serde(rename = "ServiceToken")]
    _service_token: Option<String>,
    #[serde(rename = "ServiceTimeout")]
    _service_timeout: Option<Value>,
    /// Anything. CloudFormation updates a resource whose properties change: a verification is repeated when something in here does.
    #[serde(rename = "RepeatOn")]
    _repeat_on: Option<Value>,
    /// The desired state.
    pub(crate) spec: Spec,
}

/// The request cannot be understood. Nothing was touched.
#[derive(Debug, Error)]
#[error("{path}: {problem}")]
pub(crate) struct RequestError {
    /// Where, e.g. `spec.clients.web`.
    path: String,
    /// What is wrong.
    problem: String,
}

/// Reads a direct invocation.
pub(crate) fn order(payload: Value) -> Result<Order, RequestError> {
    let order: Order = parse(payload)?;
    order.spec.check().map_err(|error| wrong("spec", &error))?;
    Ok(order)
}

/// Reads the properties of a custom resource.
pub(crate) fn properties(value: Value) -> Result<Properties, RequestError> {
    let properties: Properties = parse(without_blanks(value))?;
    properties.spec.check().map_err(|error| wrong("Spec", &error))?;
    Ok(properties)
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, RequestError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        RequestError {
            path: if path == "." { "the request".to_owned() } else { path },
            problem: error.inner().to_string(),
        }
    })
}

fn wrong(path: &str, error: &SpecError) -> RequestError {
    RequestError { path: path.to_owned(), problem: error.to_string() }
}

/// Leaves out empty strings, in lists and as values: a template's parameter that was left empty arrives as one, and means "not
/// given".
fn without_blanks(value: Value) -> Value {
    let is_blank = |value: &Value| value.as_str() == Some("");
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, field)| !is_blank(field))
            .map(|(name, field)| (name, without_blanks(field)))
            .collect(),
        Value::Array(elements) => {
            elements.into_iter().filter(|element| !is_blank(element)).map(without_blanks).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_that_were_left_empty_in_a_template_count_as_not_given() {
        let properties = properties(json!({
            "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:bootstrap",
            "ServiceTimeout": "900",
            "Spec": {"name": "shop", "first_admin": "", "groups": [""], "aliases": "", "self_sign_up": "true"},
        }))
        .unwrap();
        assert_eq!(properties.spec.first_admin, None);
        assert!(properties.spec.groups.is_empty() && properties.spec.aliases.is_empty());
        assert!(properties.spec.self_sign_up);
    }

    #[test]
    fn whatever_is_wrong_is_named_with_its_place() {
        let table = [
            (json!({"Spec": {"name": "shop"}, "Spce": {}}), "unknown field `Spce`"),
            (json!({"Spec": {"name": "shop", "clients": {"web": {"secret": true}}}}), "Spec.clients.web"),
            (json!({"Spec": {"name": "a b"}}), "Spec.name"),
            (json!({"Spec": {"name": "shop", "groups": ["a b"]}}), "spec.groups"),
            (json!({}), "missing field `Spec`"),
            (json!(null), "the request"),
        ];
        for (value, expected) in table {
            let error = properties(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn a_direct_invocation_takes_its_four_actions_and_no_other() {
        for action in ["plan", "apply", "verify", "destroy"] {
            assert!(order(json!({"action": action, "spec": {"name": "shop"}})).is_ok(), "{action}");
        }
        let table = [
            (json!({"action": "delete", "spec": {"name": "shop"}}), "unknown variant `delete`"),
            (json!({"action": "apply"}), "missing field `spec`"),
            (json!({"action": "apply", "spec": {"name": ""}}), "spec.name"),
            (json!({"spec": {"name": "shop"}}), "missing field `action`"),
            (json!({"action": "apply", "spec": {"name": "shop"}, "force": true}), "unknown field `force`"),
            (json!([]), "the request"),
        ];
        for (value, expected) in table {
            let error = order(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }
}
