//! `sam build` finds every function of the template. Compiling them takes minutes, so a fake cargo-lambda replaces the
//! compiler.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// A fake `cargo-lambda` that logs its directory and arguments, and writes a program where the real one would.
const CARGO_LAMBDA: &str = r#"#!/bin/sh
set -e
function=$(basename "$PWD")
echo "$function: $*" >> "$CARGO_TARGET_DIR/log"
mkdir -p "$CARGO_TARGET_DIR/lambda/$function"
echo "program of $function" > "$CARGO_TARGET_DIR/lambda/$function/bootstrap"
"#;

#[test]
#[expect(clippy::disallowed_methods, reason = "sam needs the rest of PATH")]
fn sam_build_compiles_each_function_for_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tools, built) = (root.join(".venv"), folder.path().join("build"));
    let fake = folder.path().join("cargo-lambda");
    fs::write(&fake, CARGO_LAMBDA).unwrap();
    fs::set_permissions(&fake, Permissions::from_mode(0o755)).unwrap();

    let mut sam = Command::new(tools.join("bin/sam"));
    sam.args(["build", "--parameter-overrides", "Architecture=arm64", "--build-dir"]).arg(&built).current_dir(&root);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    sam.env("PATH", path).env("CARGO_TARGET_DIR", folder.path());
    sam.env("__SAM_CLI_APP_DIR", tools.join("sam")).env("SAM_CLI_TELEMETRY", "0");
    let run = sam.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    let calls: BTreeSet<_> = log.lines().filter(|call| call.contains("build")).collect();
    let functions = [
        "admin-api",
        "authorizer",
        "jobs-api",
        "jobs-exporter",
        "jobs-worker",
        "pool-bootstrap",
        "pre-sign-up",
        "user-migration",
    ];
    let expected = functions.map(|name| format!("{name}: lambda build --release --arm64"));
    assert_eq!(calls, expected.iter().map(String::as_str).collect());
    for (resource, function) in [
        ("PreSignUpFunction", "pre-sign-up"),
        ("PoolBootstrapFunction", "pool-bootstrap"),
        ("AdminApiFunction", "admin-api"),
        ("AuthApiFunction", "admin-api"),
        ("AuthorizerFunction", "authorizer"),
        ("UserMigrationFunction", "user-migration"),
        ("JobsWorkerFunction", "jobs-worker"),
        ("JobsExporterFunction", "jobs-exporter"),
        ("JobsApiFunction", "jobs-api"),
    ] {
        let program = fs::read_to_string(built.join(resource).join("bootstrap")).unwrap();
        assert_eq!(program, format!("program of {function}\n"), "{resource}");
    }
}
