//! Tests the rules of the workspace for dependencies and manifests.
//!
//! A new dependency between crates is a design decision. Add it to [`ALLOWED_DEPENDENCIES`] and to
//! docs/ARCHITECTURE.md.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// For each crate of the workspace, the crates of the workspace that it can depend on, and those that only its tests
/// can depend on.
const ALLOWED_DEPENDENCIES: [(&str, &[&str], &[&str]); 19] = [
    ("admin-api", &["aws", "domain", "startup"], &["testkit"]),
    ("authorizer", &["aws", "domain", "startup", "token-verifier"], &["testkit"]),
    ("aws", &["domain"], &["testkit"]),
    ("bench", &[], &[]),
    ("cli", &["aws", "domain"], &["testkit"]),
    ("client-generator", &[], &[]),
    ("domain", &[], &[]),
    ("jobs-api", &["admin-api", "aws", "domain", "startup"], &[]),
    ("jobs-exporter", &["aws", "domain", "startup"], &["testkit"]),
    ("jobs-worker", &["aws", "domain", "startup"], &["testkit"]),
    ("local", &["aws", "domain", "testkit"], &["poolkeeper-client", "startup"]),
    ("peers", &["token-verifier"], &[]),
    ("pool-bootstrap", &["aws", "domain", "startup"], &["testkit"]),
    ("poolkeeper-client", &[], &[]),
    ("pre-sign-up", &["domain", "startup"], &["testkit"]),
    ("startup", &[], &[]),
    ("testkit", &["domain"], &[]),
    ("token-verifier", &[], &[]),
    ("user-migration", &["aws", "domain", "startup"], &["testkit"]),
];

/// Prefixes of the AWS SDK's crates, which only `aws` and `peers` can depend on.
const SDK: [&str; 4] = ["aws-config", "aws-credential-types", "aws-sdk-", "aws-smithy-"];

/// Packages that only the fuzz targets need.
const FUZZING: [&str; 4] = ["arbitrary", "derive_arbitrary", "libfuzzer-sys", "poolkeeper-fuzz"];

#[derive(Debug)]
struct Dependency {
    name: String,
    for_tests: bool,
}

/// Returns the members according to cargo.
fn packages() -> Vec<Value> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Returns the dependencies of each member.
fn members() -> BTreeMap<String, Vec<Dependency>> {
    let dependency =
        |value: &Value| Dependency { name: text(&value["name"]), for_tests: value["kind"].as_str() == Some("dev") };
    packages()
        .iter()
        .map(|package| {
            (text(&package["name"]), package["dependencies"].as_array().unwrap().iter().map(dependency).collect())
        })
        .collect()
}

/// Returns the manifest of each member.
fn manifests() -> Vec<(String, String)> {
    let manifest = |package: &Value| fs::read_to_string(text(&package["manifest_path"])).unwrap();
    packages().iter().map(|package| (text(&package["name"]), manifest(package))).collect()
}

#[test]
fn crates_depend_only_on_allowed_crates() {
    let members = members();
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        ALLOWED_DEPENDENCIES.map(|(name, ..)| name).iter().collect::<Vec<_>>()
    );
    for (name, allowed, allowed_for_tests) in ALLOWED_DEPENDENCIES {
        for dependency in members[name].iter().filter(|dependency| members.contains_key(&dependency.name)) {
            let allowed_here = allowed.contains(&dependency.name.as_str())
                || dependency.for_tests && allowed_for_tests.contains(&dependency.name.as_str());
            assert!(allowed_here, "{name} must not depend on {}", dependency.name);
        }
    }
}

#[test]
fn only_aws_and_the_peers_depend_on_the_sdk() {
    for (name, dependencies) in members().iter().filter(|(name, _)| !["aws", "peers"].contains(&name.as_str())) {
        for dependency in dependencies {
            let is_sdk = SDK.iter().any(|prefix| dependency.name.starts_with(prefix));
            assert!(!is_sdk, "{name} must not depend on {}", dependency.name);
        }
    }
}

#[test]
fn members_inherit_lints_and_package_fields() {
    for (name, manifest) in manifests() {
        assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{name} does not inherit the lints");
        for field in ["version", "edition", "rust-version", "license", "publish"] {
            assert!(manifest.contains(&format!("\n{field}.workspace = true\n")), "{name} has a {field} of its own");
        }
    }
}

#[test]
fn members_inherit_dependency_versions() {
    for (name, manifest) in manifests() {
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.ends_with("dependencies]");
                assert!(!line.contains("dependencies."), "{name}: write {line} as one line");
            } else if in_dependencies && !line.is_empty() && !line.starts_with('#') {
                let from_root = line.contains("{ workspace = true") || line.ends_with(".workspace = true");
                assert!(from_root, "{name} has a version of its own: {line}");
            }
        }
    }
}

#[test]
fn domain_clippy_rules_include_those_of_the_workspace() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let rules = |path: &str| -> BTreeSet<String> {
        let is_rule = |line: &&str| line.starts_with("allow-") || line.trim().starts_with("{ path = ");
        let without_reason = |line: &str| line.split(", reason").next().unwrap().trim().to_owned();
        read(path).lines().filter(is_rule).map(without_reason).collect()
    };
    let missing: Vec<String> = rules("clippy.toml").difference(&rules("crates/domain/clippy.toml")).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn fuzz_targets_use_deployed_versions() {
    let deployed = versions("Cargo.lock");
    let fuzzed = versions("fuzz/Cargo.lock");
    assert!(fuzzed.contains_key("admin-api"), "fuzz/Cargo.lock contains {} packages", fuzzed.len());
    for (name, fuzzed) in fuzzed.iter().filter(|(name, _)| !FUZZING.contains(&name.as_str())) {
        let deployed = deployed.get(name).map_or(&[][..], Vec::as_slice);
        let is_deployed = fuzzed.iter().all(|version| deployed.contains(version));
        assert!(is_deployed, "{name}: {fuzzed:?} in fuzz/Cargo.lock, {deployed:?} in Cargo.lock; run `make fuzz-lock`");
    }
}

#[test]
fn generated_clients_have_the_version_of_the_workspace() {
    let version = text(&packages()[0]["version"]);
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join("clients").join(path)).unwrap();
    let json: Value = serde_json::from_str(&read("typescript/package.json")).unwrap();
    assert_eq!(text(&json["version"]), version);
    assert!(read("python/pyproject.toml").contains(&format!("\nversion = \"{version}\"\n")));
}

/// Returns the versions in a lock file by package name.
fn versions(path: &str) -> BTreeMap<String, Vec<String>> {
    let value = |line: Option<&str>| line.unwrap().split('"').nth(1).unwrap().to_owned();
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in fs::read_to_string(Path::new(ROOT).join(path)).unwrap().split("[[package]]\n").skip(1) {
        let mut lines = package.lines();
        versions.entry(value(lines.next())).or_default().push(value(lines.next()));
    }
    versions
}
