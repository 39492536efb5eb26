//! Tests which input `deploy.py` rejects before the build, and what it passes to `sam deploy`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A fake `sam` that prints its arguments, and the parameters as `sam` parses them.
const SAM: &str = r#"
import json, sys
from samcli.cli.types import CfnParameterOverridesType
before, after = (lambda i: (sys.argv[1:i], sys.argv[i + 1:]))(sys.argv.index("--parameter-overrides"))
print(json.dumps({"arguments": before, "parameters": CfnParameterOverridesType().convert(tuple(after), None, None)}))
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn python() -> PathBuf {
    root().join(".venv/bin/python")
}

/// Standard output, or the error on standard error.
fn run(command: &mut Command) -> Result<String, String> {
    let run = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if run.status.success() { Ok(text(run.stdout)) } else { Err(text(run.stderr)) }
}

fn script(arguments: &[&str], parameters: &str) -> Result<String, String> {
    let mut script = Command::new(python());
    script.arg(root().join("crates/local/src/deploy.py")).args(arguments);
    run(script.env("POOLKEEPER_PARAMETERS", parameters))
}

fn make(arguments: &[&str]) -> Result<String, String> {
    let mut make = Command::new("make");
    for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARCHITECTURE", "PARAMETERS", "ARGUMENTS", "FUNCTION"] {
        make.env_remove(variable);
    }
    run(make.args(["--silent", "--no-print-directory"]).args(arguments).current_dir(root()))
}

/// The parameter that has no default.
const DECIDED: &str = "AutoConfirm=nobody";

fn check(parameters: &str) -> Result<String, String> {
    script(&["parameters", "arm64"], parameters)
}

fn refuses<T: std::fmt::Debug>(refused: Result<T, String>, expected: &str) {
    let error = refused.unwrap_err();
    assert!(error.starts_with(&format!("make: {expected}")), "{error}");
}

/// A directory with a template and one function for the processor with this number in ELF headers.
fn built_for(machine: u8) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("PreSignUpFunction")).unwrap();
    let mut header = [0; 64];
    header[..4].copy_from_slice(b"\x7fELF");
    header[18] = machine;
    fs::write(folder.path().join("PreSignUpFunction/bootstrap"), header).unwrap();
    folder
}

const X86_64: u8 = 62;
const AARCH64: u8 = 183;

/// Runs the last step of `make deploy` with the fake `sam`.
fn deploy(parameters: &str, options: &[&str], machine: u8) -> Result<Value, String> {
    let folder = built_for(machine);
    let sam = folder.path().join("sam");
    fs::write(&sam, format!("#!{}{SAM}", python().display())).unwrap();
    fs::set_permissions(&sam, Permissions::from_mode(0o755)).unwrap();
    let template = folder.path().join("template.yaml").display().to_string();
    let mut script = Command::new(python());
    script.arg(root().join("crates/local/src/deploy.py"));
    script.args(["run", "arm64", &template]).args(options);
    let printed = run(script.env("POOLKEEPER_PARAMETERS", parameters).env("PATH", folder.path()))?;
    Ok(serde_json::from_str(&printed).unwrap())
}

#[test]
fn suggests_the_nearest_name_for_unknown_parameters() {
    refuses(check("AutoConfrim=nobody"), "unknown parameter `AutoConfrim`; did you mean `AutoConfirm`?");
    refuses(check("PoolName=shop autoconfirm=nobody"), "unknown parameter `autoconfirm`; did you mean `AutoConfirm`?");
    refuses(check("X=1"), "unknown parameter `X`; expected one of PoolName, SignIn, ");
    assert_eq!(check("PoolName=shop AutoConfirm=nobody"), Ok(String::new()));
}

#[test]
fn requires_auto_confirm() {
    let expected = "PARAMETERS must set AutoConfirm, which has no default; expected one of AutoConfirm=everyone, ";
    for parameters in ["", "PoolName=shop"] {
        refuses(check(parameters), expected);
        refuses(deploy(parameters, &[], AARCH64), expected);
    }
    refuses(make(&["check-parameters"]), expected);
    assert_eq!(check(DECIDED), Ok(String::new()));
}

#[test]
fn rejects_duplicate_parameters() {
    refuses(check("PoolName=a SignIn=email PoolName=b"), "duplicate parameter `PoolName`");
    refuses(script(&["arguments", "x86_64", "", "--parameter=Groups=a", "--parameter", "Groups=b"], ""), "duplicate");
}

#[test]
fn explains_how_to_quote_unparsable_values() {
    let table = [
        ("Groups=a, b", r#"expected NAME=VALUE, found `b`; a value with spaces needs quotes: Groups="a, b""#),
        ("PoolName", "expected NAME=VALUE, found `PoolName`"),
        ("Groups=\"a", "Groups: expected a closing \""),
        ("Groups='a'b", "Groups: expected whitespace after the value, found `b`"),
        (r"Groups=a\b", "Groups: sam does not support a backslash in a value"),
        ("Roles={admins:[users:read]}", "Roles: expected JSON ("),
        (r#"Roles={"a":["all"]}b"#, "Roles: expected whitespace after the value"),
    ];
    for (parameters, expected) in table {
        refuses(check(parameters), expected);
    }
}

#[test]
fn passes_lists_and_json_to_sam_unchanged() {
    let parameters = "AllowedEmailDomains=\"a.com, b.com\" Roles={\"admins\": [\"users:read\"]} Groups='admins, x'\n\
                      Aliases= DeniedEmailDomains=\"\" FirstAdminEmail=o'hara@example.com PoolName=shop AutoConfirm=nobody";
    let seen = deploy(parameters, &[], AARCH64).unwrap();
    let expected = json!({
        "Architecture": "arm64",
        "AllowedEmailDomains": "a.com, b.com",
        "Roles": r#"{"admins": ["users:read"]}"#,
        "Groups": "admins, x",
        "Aliases": "",
        "DeniedEmailDomains": "",
        "FirstAdminEmail": "o'hara@example.com",
        "PoolName": "shop",
        "AutoConfirm": "nobody",
    });
    assert_eq!(seen["parameters"], expected);
}

#[test]
fn passes_options_to_sam_and_rejects_wrong_parameters() {
    let seen = deploy(DECIDED, &["--stack-name", "shop", "--no-confirm-changeset"], AARCH64).unwrap();
    let arguments: Vec<&str> = seen["arguments"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!((arguments[0], &arguments[3..]), ("deploy", &["--stack-name", "shop", "--no-confirm-changeset"][..]));
    refuses(deploy("PoolNaem=shop", &[], AARCH64), "unknown parameter `PoolNaem`; did you mean `PoolName`?");
}

#[test]
fn rejects_functions_built_for_another_processor() {
    let refused = deploy(DECIDED, &[], X86_64).unwrap_err();
    assert!(refused.contains("bootstrap is built for x86_64, but Architecture is arm64"), "{refused}");
    for (machine, architecture) in [(X86_64, "x86_64"), (AARCH64, "arm64")] {
        let folder = built_for(machine);
        let folder = folder.path().display().to_string();
        assert_eq!(script(&["binaries", &folder, architecture], ""), Ok(String::new()));
        let other = if architecture == "arm64" { "x86_64" } else { "arm64" };
        refuses(
            script(&["binaries", &folder, other], ""),
            &format!("{folder}/PreSignUpFunction/bootstrap is built for"),
        );
    }
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().display().to_string();
    refuses(script(&["binaries", &empty, "arm64"], ""), &format!("{empty} contains no built function"));
    let text = built_for(X86_64);
    fs::write(text.path().join("PreSignUpFunction/bootstrap"), "#!/bin/sh").unwrap();
    let text = text.path().display().to_string();
    assert!(script(&["binaries", &text, "x86_64"], "").unwrap_err().contains("is built for an unknown processor"));
}

#[test]
fn rejects_an_architecture_that_was_not_built() {
    refuses(check("Architecture=x86_64"), "the functions are built for arm64; use ARCHITECTURE=x86_64");
    assert_eq!(check("Architecture=arm64 AutoConfirm=nobody"), Ok(String::new()));
    refuses(script(&["parameters", "arm"], ""), "ARCHITECTURE must be arm64 or x86_64, found `arm`");
    let arguments = ["arguments", "x86_64", "", "--parameter", "Architecture=arm64"];
    refuses(script(&arguments, ""), "the functions are built for x86_64; omit Architecture=arm64");
}

#[test]
fn checks_arguments_against_the_template() {
    let check =
        |function: &str, arguments: &[&str]| script(&[&["arguments", "x86_64", function], arguments].concat(), "");
    refuses(
        check("", &["--parameter", "AutoConfrim=nobody"]),
        "unknown parameter `AutoConfrim`; did you mean `AutoConfirm`?",
    );
    refuses(check("", &["--parameter", "AutoConfirm"]), "expected NAME=VALUE, found `AutoConfirm`");
    let setting = ["--setting", "AUTO_CONFRIM=nobody"];
    refuses(
        check("pre-sign-up", &setting),
        "unknown setting of pre-sign-up `AUTO_CONFRIM`; did you mean `AUTO_CONFIRM`?",
    );
    refuses(check("admin-api", &["--setting", "AUTO_CONFIRM=nobody"]), "unknown setting of admin-api `AUTO_CONFIRM`");
    refuses(check("presignup", &[]), "unknown function `presignup`; did you mean `pre-sign-up`?");
    let right = ["--port", "4566", "--setting", "AUTO_CONFIRM=nobody", "--parameter", "Roles=admins=all"];
    assert_eq!(check("pre-sign-up", &right), Ok(String::new()));
    for function in ["pool-bootstrap", "admin-api", "auth-api"] {
        assert_eq!(check(function, &[]), Ok(String::new()));
    }
}

#[test]
fn make_preserves_the_quotes_of_parameters() {
    let parameters = r#"PARAMETERS=Roles={"admins": ["all"]} Groups="a, b" AutoConfirm=nobody"#;
    assert_eq!(make(&["check-parameters", parameters]), Ok(String::new()));
    let refused = make(&["check-parameters", r#"PARAMETERS=Roles={"admins": ["all"]} AutoConfrim=nobody"#]);
    refuses(refused, "unknown parameter `AutoConfrim`; did you mean `AutoConfirm`?");
    refuses(make(&["check-parameters", "PARAMETERS=$(UNSET)=1"]), "expected NAME=VALUE, found `$(UNSET)=1`");
    let refused = make(&["check-arguments", "FUNCTION=auth-api", "ARGUMENTS=--setting 'ROLSE=a b'"]);
    refuses(refused, "unknown setting of auth-api `ROLSE`; did you mean `ROLES`?");
}

#[test]
fn make_checks_names_before_the_build() {
    for (command, checked, built) in [
        (&["deploy"][..], "deploy.py parameters", "sam build"),
        (&["deploy"], "deploy.py samconfig", "sam build"),
        (&["build"], "deploy.py samconfig", "sam build"),
        (&["dev", "ARGUMENTS=--port 4566"], "deploy.py arguments", "cargo build"),
        (&["invoke", "FUNCTION=pre-sign-up"], "deploy.py arguments", "cargo build"),
    ] {
        let printed = make(&[&["--dry-run"], command].concat()).unwrap();
        let position = |text: &str| printed.find(text).unwrap_or_else(|| unreachable!("{text}: {printed}"));
        assert!(position(checked) < position(built), "{command:?}: {checked}");
    }
}

/// `sam delete` deletes everything below the prefix of the stack's uploads.
#[test]
fn every_stack_has_its_own_s3_prefix() {
    let printed = make(&["--dry-run", "deploy", "STACK=shop"]).unwrap();
    assert!(printed.contains("--stack-name 'shop' --s3-prefix 'shop'"), "{printed}");
    let printed = make(&["--dry-run", "deploy"]).unwrap();
    assert!(!printed.contains("--stack-name") && !printed.contains("--s3-prefix"), "{printed}");
    let settings = fs::read_to_string(root().join("samconfig.toml")).unwrap();
    for setting in ["stack_name = \"poolkeeper\"", "s3_prefix = \"poolkeeper\""] {
        assert!(settings.lines().any(|line| line == setting), "{setting}");
    }
}

/// Writes a samconfig.toml as `sam deploy --guided` does.
const GUIDED: &str = r#"
import sys
from samcli.commands.deploy.guided_config import GuidedConfig
from samcli.lib.config.samconfig import SamConfig
config = SamConfig(sys.argv[1], "samconfig.toml")
parameters = {"PoolName": "shop", "Architecture": {"Value": "arm64", "Hidden": False}}
GuidedConfig(None, "parameters")._save_parameter_overrides(["deploy"], "default", parameters, config)
config.flush()
"#;

#[test]
fn rejects_samconfig_with_different_architectures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samconfig.toml");
    let path = file.display().to_string();
    let check = || script(&["samconfig", &path], "");
    fs::copy(root().join("samconfig.toml"), &file).unwrap();
    assert_eq!(check(), Ok(String::new()));

    run(Command::new(python()).args(["-c", GUIDED]).arg(folder.path())).unwrap();
    assert_eq!(check(), Ok(String::new()), "both sections agree");

    let guided = fs::read_to_string(&file).unwrap();
    let changed = guided.replacen("\"Architecture=arm64\"", "\"Architecture=x86_64\"", 1);
    assert_ne!(guided, changed);
    fs::write(&file, &changed).unwrap();
    let line = |text: &str| changed.lines().position(|line| line.contains(text)).unwrap() + 1;
    let (global, deploy) = (line("=x86_64"), line("=\\\"arm64"));
    let expected = format!("found x86_64 in line {global}, arm64 in line {deploy}");
    refuses(check(), &format!("{path}: all sections must name the same Architecture, {expected}"));
}

#[test]
fn compares_architectures_in_every_form_that_sam_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samconfig.toml");
    let path = file.display().to_string();
    for (environment, overrides, refused) in [
        ("default", r#"parameter_overrides = "PoolName=shop Architecture=x86_64""#, true),
        ("default", r#"parameter_overrides = "ParameterKey=Architecture,ParameterValue=x86_64""#, true),
        ("default", "parameter_overrides = [\n  'Architecture=x86_64',\n]", true),
        ("default", r#"parameter_overrides = { Architecture = "x86_64" }"#, true),
        ("default", r#"parameter_overrides = "Architecture='arm64' PoolName=shop""#, false),
        ("default", r#"parameter_overrides = "MyArchitecture=x86_64""#, false),
        ("default", r#"# parameter_overrides = "Architecture=x86_64""#, false),
        ("staging", r#"parameter_overrides = "Architecture=x86_64""#, false),
    ] {
        let global = "[default.global.parameters]\nparameter_overrides = \"Architecture=arm64\"";
        fs::write(&file, format!("{global}\n[{environment}.deploy.parameters]\n{overrides}\n")).unwrap();
        assert_eq!(script(&["samconfig", &path], "").is_err(), refused, "{environment}: {overrides}");
    }
}

/// Without flags, `sam build`, `sam deploy` and `make` use the same architecture.
#[test]
fn build_and_deploy_take_the_architecture_from_one_place() {
    let script = r#"
from pathlib import Path
from samcli.cli.types import CfnParameterOverridesType
from samcli.lib.config.samconfig import SamConfig
for command in ("build", "deploy"):
    overrides = SamConfig(Path.cwd(), "samconfig.toml").get_all([command], "parameters")["parameter_overrides"]
    print(CfnParameterOverridesType().convert(overrides, None, None))
"#;
    let architecture = "{'Architecture': 'arm64'}";
    let seen = run(Command::new(python()).args(["-c", script]).current_dir(root())).unwrap();
    assert_eq!(seen.lines().collect::<Vec<_>>(), [architecture; 2]);

    let printed = make(&["--dry-run", "deploy"]).unwrap();
    assert!(printed.contains("sam/aws/build --parameter-overrides Architecture=arm64\n"), "{printed}");
    assert!(printed.contains("deploy.py run 'arm64' "), "{printed}");
    let printed = make(&["--dry-run", "deploy", "ARCHITECTURE=x86_64", "STACK=shop", "YES=1"]).unwrap();
    assert!(printed.contains("--parameter-overrides Architecture=x86_64\n"), "{printed}");
    assert!(printed.contains("deploy.py run 'x86_64' "), "{printed}");
    assert!(printed.contains("--stack-name 'shop' --s3-prefix 'shop' --no-confirm-changeset"), "{printed}");
    // A stack that was deployed without these options.
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    assert!(
        template.contains("    Default: arm64\n    AllowedValues: [arm64, x86_64]\n"),
        "the default of Architecture"
    );
}
