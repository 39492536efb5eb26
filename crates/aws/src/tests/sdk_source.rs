//! Reads AWS's service models (errors, inputs and types) from the generated sources of the SDK, by text search. If the
//! generator changes its style, these functions panic and the tests that use them fail.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

/// The source directory of each dependency.
static DIRECTORIES: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let cargo = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // Without a platform filter, cargo requires the dependencies of all platforms, which are not downloaded.
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = cargo(&["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            (package["name"].as_str().unwrap().to_owned(), manifest.parent().unwrap().join("src"))
        })
        .collect()
});

/// The crate of one service.
#[derive(Debug, Clone)]
pub(super) struct Sdk {
    directory: PathBuf,
    /// The next unique number for a generated value.
    next_number: Cell<i32>,
}

/// A field of a structure.
#[derive(Debug)]
pub(super) struct Member {
    /// The name in the service model.
    pub(super) name: String,
    kind: String,
}

impl Sdk {
    /// Returns the crate of a service, such as `iam`.
    pub(super) fn of(service: &str) -> Self {
        Self { directory: DIRECTORIES[&format!("aws-sdk-{service}")].clone(), next_number: Cell::new(1) }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.directory.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Returns the error codes in responses of an operation. They can differ from the names of the types: IAM sends
    /// `NoSuchEntityException` as `NoSuchEntity`.
    pub(super) fn error_codes(&self, operation: &str) -> Vec<String> {
        let snake = snake(operation);
        let source = self.read(&format!("operation/{snake}.rs"));
        let variants = between(&source, &format!("pub enum {operation}Error {{"), "\n}");
        let variants = variants.lines().filter_map(|line| Some(line.strip_prefix("    ")?.split_once('(')?.0));
        let is_name = |text: &&str| text.chars().all(char::is_alphanumeric) && *text != "Unhandled";
        // The parsers of JSON services are in the operation's file. Those of Query services are in a separate
        // directory.
        let parser = fs::read_to_string(self.directory.join(format!("protocol_serde/shape_{snake}.rs")))
            .unwrap_or(source.clone());
        let (_, parser) = parser.split_once("match error_code").unwrap_or_default();
        let code_of = |variant: &str| {
            let (before, _) = parser.split_once(&format!("{operation}Error::{variant}(")).unwrap();
            let (before, _) = before.rsplit_once("\" =>").unwrap();
            before.rsplit_once('"').unwrap().1.to_owned()
        };
        variants.filter(is_name).map(code_of).collect()
    }

    /// Returns the fields of an operation's `Input` or `Output`.
    pub(super) fn members_of_operation(&self, operation: &str, which: &str) -> Vec<Member> {
        let snake = snake(operation);
        let source = self.read(&format!("operation/{snake}/_{snake}_{}.rs", which.to_lowercase()));
        members(&source, &format!("{operation}{which}"))
    }

    /// Returns the fields of a type.
    pub(super) fn members_of_type(&self, name: &str) -> Vec<Member> {
        members(&self.read(&format!("types/_{}.rs", snake(name))), name)
    }

    /// Returns a JSON object in which every field of the model is set, at every depth. All texts and numbers are
    /// distinct.
    pub(super) fn complete(&self, members: &[Member]) -> Value {
        let fields = members.iter().map(|member| (member.name.clone(), self.value(&member.kind, &member.name)));
        Value::Object(fields.collect())
    }

    fn value(&self, kind: &str, name: &str) -> Value {
        let inner = |wrapper: &str| kind.strip_prefix(wrapper)?.strip_suffix('>');
        if let Some(kind) = inner("::std::option::Option<") {
            self.value(kind, name)
        } else if let Some(kind) = inner("::std::vec::Vec<") {
            json!([self.value(kind, name)])
        } else if let Some(kind) = inner("::std::collections::HashMap<::std::string::String, ") {
            json!({ "key": self.value(kind, name) })
        } else if let Some(kind) = kind.strip_prefix("crate::types::") {
            let source = self.read(&format!("types/_{}.rs", snake(kind)));
            match source.split_once("static [&'static str] {") {
                // Use the last value, because the first is often the default.
                Some((_, values)) => json!(between(values, "&[", "]").rsplit('"').nth(1).unwrap()),
                None => self.complete(&members(&source, kind)),
            }
        } else {
            let number = self.next_number.replace(self.next_number.get() + 1);
            match kind {
                "::std::string::String" => json!(format!("{name} {number}")),
                "bool" => json!(true),
                "i32" | "i64" | "f64" | "::aws_smithy_types::DateTime" => json!(number),
                _ => panic!("{name}: unsupported type {kind}"),
            }
        }
    }
}

/// Returns the public fields of a struct, with their names in the schema.
fn members(source: &str, name: &str) -> Vec<Member> {
    let body = between(source, &format!("pub struct {name} {{"), "\n}");
    let fields = body.lines().filter_map(|line| line.strip_prefix("    pub ")?.strip_suffix(',')?.split_once(": "));
    // A member of the schema has a name such as "com.amazonaws.cognitoidentity#IdentityPool$IdentityPoolId".
    let names: BTreeMap<String, &str> = source
        .split('"')
        .filter_map(|text| text.strip_prefix("com.amazonaws.")?.split_once('$'))
        .map(|(_, name)| (name.to_lowercase(), name))
        .collect();
    let members: Vec<Member> = fields
        .map(|(field, kind)| Member {
            name: names[&field.trim_start_matches("r#").replace('_', "")].to_owned(),
            kind: kind.to_owned(),
        })
        .collect();
    assert!(!members.is_empty(), "{name} has no fields");
    members
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("`{from}` not found"));
    rest.split_once(to).unwrap().0
}

/// Converts `GetId` to `get_id`, and `AdminSetUserMFAPreference` to `admin_set_user_mfa_preference`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (position, letter) in name.replace("MFA", "Mfa").replace("CSV", "Csv").char_indices() {
        if letter.is_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
