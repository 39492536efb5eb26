//! Parses direct invocations and the properties of custom resources.

use std::num::NonZeroU32;

use domain::invitation::{KeyName, OwningStack};
use domain::provision::{Action, Deployment, SignUpPolicy};
use domain::roles::{RoleError, Roles};
use domain::spec::{PoolName, Spec, SpecError};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;

/// A direct invocation: `{"action": "apply", "spec": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DirectInvocation {
    /// The action.
    pub(crate) action: Action,
    /// The desired state.
    pub(crate) spec: Spec,
}

/// The properties of the pool and of its verification. CloudFormation adds the token and the timeout of the template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Properties {
    #[serde(rename = "ServiceToken")]
    _service_token: Option<String>,
    #[serde(rename = "ServiceTimeout")]
    _service_timeout: Option<Value>,
    /// Any value. A change repeats the verification, because CloudFormation updates a resource whose properties change.
    #[serde(rename = "RepeatOn")]
    _repeat_on: Option<Value>,
    /// The desired state.
    pub(crate) spec: Spec,
    /// The permissions of each group in the admin API. The bootstrap only checks them, so that a deployment with wrong
    /// roles fails.
    roles: Option<String>,
    /// The sign-up policy of the deployment, which the bootstrap compares with the recorded policy and records.
    sign_up_policy: Option<Value>,
    /// `true` confirms a wider sign-up policy for an adopted pool.
    confirm_wider_sign_up: Option<String>,
    /// `true` returns the public keys of the pool.
    return_jwks: Option<String>,
}

impl Properties {
    /// The deployment of the request.
    pub(crate) fn deployment(&self, stack_id: &str) -> Result<Deployment, RequestError> {
        let wrong = |path: &str, problem: &str| RequestError { path: path.to_owned(), problem: problem.to_owned() };
        let policy = self.sign_up_policy.clone().ok_or_else(|| wrong("the request", "missing field `SignUpPolicy`"))?;
        let policy: SignUpPolicy = parse(policy)
            .map_err(|error: RequestError| RequestError { path: format!("SignUpPolicy, {}", error.path), ..error })?;
        policy.check_aliases(&self.spec).map_err(|error| self::wrong("Spec", &error))?;
        let confirms_wider_sign_up = flag("ConfirmWiderSignUp", self.confirm_wider_sign_up.as_deref())?;
        Ok(Deployment { stack_id: stack_id.to_owned(), sign_up_policy: Some(policy), confirms_wider_sign_up })
    }

    /// Whether the reply contains the public keys of the pool.
    pub(crate) fn returns_jwks(&self) -> Result<bool, RequestError> {
        flag("ReturnJwks", self.return_jwks.as_deref())
    }

    /// The permissions of each group.
    pub(crate) fn roles(&self) -> Result<Roles, RequestError> {
        let roles = self.roles.as_deref().map(str::parse).transpose();
        let roles = roles.map_err(|error: RoleError| RequestError::of_roles(error.to_string()))?;
        Ok(roles.unwrap_or_default())
    }
}

/// Parses a flag, which is false by default.
fn flag(path: &str, value: Option<&str>) -> Result<bool, RequestError> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(RequestError { path: path.to_owned(), problem: "must be `true` or `false`".to_owned() }),
    }
}

/// The properties of the invitation key's custom resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct KeyProperties {
    #[serde(rename = "ServiceToken")]
    _service_token: Option<String>,
    #[serde(rename = "ServiceTimeout")]
    _service_timeout: Option<Value>,
    /// The pool whose invitations the key signs.
    pub(crate) pool_name: PoolName,
    /// The version of the key. Another version is another key.
    #[serde(default = "first_version", deserialize_with = "version_number")]
    version: NonZeroU32,
}

impl KeyProperties {
    /// The name of the key for the stack with this id.
    pub(crate) fn key_name(&self, stack_id: &str) -> Result<KeyName, RequestError> {
        let stack = OwningStack::of_id(stack_id)
            .map_err(|error| RequestError { path: "StackId".to_owned(), problem: error.to_string() })?;
        Ok(KeyName::of(&self.pool_name, &stack, self.version.get()))
    }

    /// Rejects a changed pool name. The pool resource would reject it as well, but only after the key is created.
    pub(crate) fn check_pool_of(&self, current: &KeyName) -> Result<(), RequestError> {
        if current.is_of(&self.pool_name) {
            return Ok(());
        }
        let problem = format!(
            "cannot be changed to {:?}, because the key {current} belongs to another pool name",
            self.pool_name.as_str()
        );
        Err(RequestError { path: "PoolName".to_owned(), problem })
    }
}

fn first_version() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// A positive integer, as a number or as a string of digits, because CloudFormation sends numbers as strings.
fn version_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    };
    number.and_then(NonZeroU32::new).ok_or_else(|| D::Error::custom("must be an integer from 1 to 4294967295"))
}

/// The request is invalid. Nothing was changed.
#[derive(Debug, Error)]
#[error("{path}: {problem}")]
pub(crate) struct RequestError {
    /// The path of the field, for example `spec.clients.web`.
    path: String,
    /// The problem.
    problem: String,
}

impl RequestError {
    /// A group of `Roles` does not exist.
    pub(crate) fn unknown_group(group: &str) -> Self {
        Self::of_roles(format!("the group `{group}` does not exist; add it to the parameter Groups"))
    }

    fn of_roles(problem: String) -> Self {
        Self { path: "Roles".to_owned(), problem }
    }
}

/// Parses a direct invocation.
pub(crate) fn parse_direct_invocation(payload: Value) -> Result<DirectInvocation, RequestError> {
    let invocation: DirectInvocation = parse(payload)?;
    invocation.spec.check().map_err(|error| wrong("spec", &error))?;
    Ok(invocation)
}

/// Parses the properties of a pool or its verification.
pub(crate) fn parse_properties(value: Value) -> Result<Properties, RequestError> {
    let properties: Properties = parse(without_empty_strings(value))?;
    properties.spec.check().map_err(|error| wrong("Spec", &error))?;
    Ok(properties)
}

/// Parses the properties of an invitation signing key.
pub(crate) fn parse_key_properties(value: Value) -> Result<KeyProperties, RequestError> {
    parse(without_empty_strings(value))
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

/// Removes empty strings, because an empty template parameter means "not set". Trims the elements of lists, because a
/// template splits `admins, support` at the comma.
fn without_empty_strings(value: Value) -> Value {
    let is_empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, field)| field.as_str() != Some(""))
            .map(|(name, field)| (name, without_empty_strings(field)))
            .collect(),
        Value::Array(elements) => elements
            .into_iter()
            .filter(|element| !is_empty(element))
            .map(|element| match element {
                Value::String(text) => Value::String(text.trim().to_owned()),
                other => without_empty_strings(other),
            })
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ignores_empty_template_parameters() {
        let properties = parse_properties(json!({
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
    fn trims_the_elements_of_lists() {
        let spec = json!({"name": "shop", "groups": ["admins", " support", " "], "sign_in": "username",
            "aliases": ["email", " preferred_username"], "custom_attributes": ["team", " desk "]});
        let spec = parse_properties(json!({"Spec": spec})).unwrap().spec;
        assert_eq!(spec.groups, ["admins".to_owned(), "support".to_owned()].into());
        assert_eq!((spec.aliases.len(), spec.custom_attributes[1].name.as_str()), (2, "desk"));
    }

    #[test]
    fn parses_roles_in_both_forms_or_without_value() {
        let read = |roles: Value| {
            parse_properties(json!({"Spec": {"name": "shop"}, "Roles": roles}))
                .unwrap()
                .roles()
                .unwrap()
                .groups()
                .count()
        };
        assert_eq!(read(json!("admins=all,readers=users:read")), 2);
        assert_eq!(read(json!(r#"{"admins": ["all"]}"#)), 1);
        assert_eq!(read(json!("")), 0);
        assert_eq!(parse_properties(json!({"Spec": {"name": "shop"}})).unwrap().roles().unwrap(), Roles::default());
    }

    #[test]
    fn reports_wrong_roles_like_the_setting() {
        let table = [
            ("{admins:[users:read]}", "Roles: must be groups with permissions, such as `admins=all,readers="),
            (
                "admins=users:raed",
                "Roles: unknown permission `users:raed` of the group `admins`; did you mean `users:read`?",
            ),
        ];
        for (roles, expected) in table {
            let error =
                parse_properties(json!({"Spec": {"name": "shop"}, "Roles": roles})).unwrap().roles().unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn errors_name_the_path_of_the_field() {
        let table = [
            (json!({"Spec": {"name": "shop"}, "Spce": {}}), "unknown field `Spce`"),
            (json!({"Spec": {"name": "shop", "clients": {"web": {"secret": true}}}}), "Spec.clients.web"),
            (json!({"Spec": {"name": "a b"}}), "Spec.name"),
            (json!({"Spec": {"name": "shop", "groups": ["a b"]}}), "spec.groups"),
            (json!({}), "missing field `Spec`"),
            (json!(null), "the request"),
        ];
        for (value, expected) in table {
            let error = parse_properties(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn a_key_name_consists_of_pool_stack_and_version() {
        let token = "arn:aws:lambda:eu-west-1:123456789012:function:bootstrap";
        let table = [
            (json!({"ServiceToken": token, "ServiceTimeout": "360", "PoolName": "shop", "Version": "2"}), 2),
            (json!({"PoolName": "shop", "Version": 2}), 2),
            (json!({"PoolName": "shop", "Version": ""}), 1),
            (json!({"PoolName": "shop"}), 1),
        ];
        for (value, version) in table {
            let name = parse_key_properties(value.clone()).unwrap().key_name("stack/shop/1f5d").unwrap();
            assert_eq!(name.as_str(), format!("/poolkeeper/shop/invitation-key/1f5d/{version}"), "{value}");
        }
    }

    #[test]
    fn rejects_a_stack_id_without_uuid() {
        let properties = parse_key_properties(json!({"PoolName": "shop"})).unwrap();
        for stack_id in ["", "stack/shop/"] {
            let error = properties.key_name(stack_id).unwrap_err().to_string();
            assert!(error.starts_with("StackId: must be a CloudFormation stack id"), "{error}");
        }
    }

    #[test]
    fn errors_name_the_path_of_the_key_property() {
        let table = [
            (json!({"PoolName": "a b"}), "PoolName"),
            (json!({"PoolName": ""}), "missing field `PoolName`"),
            (json!({"PoolName": "shop", "Vresion": "2"}), "unknown field `Vresion`"),
            (json!({"PoolName": "shop", "Version": "0"}), "Version: must be an integer from 1"),
            (json!({"PoolName": "shop", "Version": "1.5"}), "Version: must be an integer from 1"),
            (json!({"PoolName": "shop", "Version": 4_294_967_296_u64}), "Version: must be an integer from 1"),
            (json!({"PoolName": "shop", "Version": ["1"]}), "Version: must be an integer from 1"),
            (json!({"Spec": {"name": "shop"}}), "unknown field `Spec`"),
            (json!("shop"), "the request"),
        ];
        for (value, expected) in table {
            let error = parse_key_properties(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn accepts_only_the_four_actions() {
        for action in ["plan", "apply", "verify", "destroy"] {
            assert!(parse_direct_invocation(json!({"action": action, "spec": {"name": "shop"}})).is_ok(), "{action}");
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
            let error = parse_direct_invocation(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }
}
