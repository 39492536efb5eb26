//! Tests the input of `make` that the script rejects before the build, and what it passes to `sam deploy`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::account::{AARCH64, DECIDED, Deployment, X86_64, build_function};
use super::{check, python, refuses, root, run, script};

fn make(arguments: &[&str]) -> Result<String, String> {
    let mut make = Command::new("make");
    for variable in
        ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARCHITECTURE", "PARAMETERS", "ARGUMENTS", "FUNCTION", "AWS_ENDPOINT_URL"]
    {
        make.env_remove(variable);
    }
    run(make.args(["--silent", "--no-print-directory"]).args(arguments).current_dir(root()))
}

/// A directory with one function for the processor with this number in ELF headers.
fn built_for(machine: u8) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    build_function(folder.path(), machine);
    folder
}

/// The parameters of a new stack as `sam` parses them.
fn deployed(parameters: &str) -> Value {
    let parse = "import json, sys\nfrom samcli.cli.types import CfnParameterOverridesType\n\
                 print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))";
    let ran = Deployment::of_new_stack(parameters).run().succeeded();
    let parsed = run(Command::new(python()).args(["-c", parse]).args(ran.overrides())).unwrap();
    serde_json::from_str(&parsed).unwrap()
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
        let ran = Deployment::of_new_stack(parameters).run();
        assert!(ran.refused().starts_with(expected), "{}", ran.stderr);
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
    let seen = deployed(parameters);
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
    assert_eq!(seen, expected);
}

#[test]
fn passes_stack_region_and_profile_to_sam() {
    let ran = Deployment::of_new_stack(DECIDED).run().succeeded();
    let arguments: Vec<&str> = ran.arguments.iter().map(String::as_str).collect();
    assert_eq!((arguments[0], &arguments[3..7]), ("deploy", &["--stack-name", "shop", "--region", "eu-west-1"][..]));
    for options in [&["--s3-prefix", "shop"][..], &["--no-execute-changeset"], &["--no-confirm-changeset"]] {
        assert!(arguments.windows(options.len()).any(|window| window == options), "{options:?}: {arguments:?}");
    }
    assert_eq!(ran.made, "build\n");

    let mut deployment = Deployment::of_new_stack(DECIDED);
    deployment.configure("[default.deploy.parameters]\nstack_name = \"shop\"\ns3_prefix = \"uploads\"\n");
    deployment.environment = vec![("AWS_REGION", "eu-north-1")];
    let arguments = deployment.run_with(&["--yes"]).succeeded().arguments.join(" ");
    assert!(arguments.contains("--stack-name shop --region eu-north-1 "), "{arguments}");
    assert!(!arguments.contains("--s3-prefix"), "the prefix of samconfig.toml: {arguments}");
}

#[test]
fn rejects_functions_built_for_another_processor() {
    let mut deployment = Deployment::of_new_stack(DECIDED);
    deployment.machine = X86_64;
    let ran = deployment.run();
    assert!(ran.stderr.contains("bootstrap is built for x86_64, but Architecture is arm64"), "{}", ran.stderr);
    assert!(ran.arguments.is_empty());
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
    let parameters = r#"PARAMETERS=Roles={"admins": ["all"]} Groups="admins, b" AutoConfirm=nobody"#;
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
        (&["build"][..], "deploy.py samconfig", "sam build"),
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
fn default_stack_has_its_own_s3_prefix() {
    let settings = fs::read_to_string(root().join("samconfig.toml")).unwrap();
    for setting in ["stack_name = \"poolkeeper\"", "s3_prefix = \"poolkeeper\""] {
        assert!(settings.lines().any(|line| line == setting), "{setting}");
    }
}

#[test]
fn make_deploy_passes_its_variables() {
    // Versions of make differ in the whitespace of continuation lines.
    let printed = |arguments: &[&str]| {
        let printed = make(&[&["--dry-run", "deploy"], arguments].concat()).unwrap().replace("\\\n", " ");
        printed.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let plain = printed(&[]);
    assert!(plain.contains("--architecture 'arm64'") && plain.contains("--build build --template "), "{plain}");
    assert!(plain.contains("/sam/aws/build/template.yaml"), "{plain}");
    for absent in ["--stack", "--yes", "--rehearse"] {
        assert!(!plain.contains(absent), "{plain}");
    }
    let all = printed(&["STACK=shop", "YES=1", "REHEARSE=1"]);
    assert!(all.contains("--stack 'shop' --yes --rehearse"), "{all}");
    for emulator in [&["REHEARSE=1"][..], &["AWS_ENDPOINT_URL=http://127.0.0.1:4566"]] {
        let printed = printed(emulator);
        assert!(printed.contains("--build build-local --template "), "{printed}");
        assert!(printed.contains("/sam/local/build/template.yaml"), "{printed}");
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

    for (arguments, architecture) in [(&[][..], "arm64"), (&["ARCHITECTURE=x86_64"], "x86_64")] {
        let printed = make(&[&["--dry-run", "build"], arguments].concat()).unwrap();
        assert!(
            printed.contains(&format!("sam/aws/build --parameter-overrides Architecture={architecture}\n")),
            "{printed}"
        );
        let printed = make(&[&["--dry-run", "deploy"], arguments].concat()).unwrap();
        assert!(printed.contains(&format!("--architecture '{architecture}'")), "{printed}");
    }
    // A stack that was deployed without these options.
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    assert!(
        template.contains("    Default: arm64\n    AllowedValues: [arm64, x86_64]\n"),
        "the default of Architecture"
    );
}
