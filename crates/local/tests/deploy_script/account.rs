//! A fake AWS account, `sam` and `make` for one run of the script.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{python, root};

/// A fake `sam` that records its arguments and prints the result in the file.
const SAM: &str =
    "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$(dirname \"$0\")/uploaded\"\ncat \"$(dirname \"$0\")/result\"\n";

/// A fake `make` that records the target.
const MAKE: &str = "#!/bin/sh\necho \"$2\" >>\"$(dirname \"$0\")/made\"\n";

/// Answers the requests of every client from a table, and records the operations. Python imports it at startup.
const ANSWERS: &str = r#"
import json
from pathlib import Path
from types import SimpleNamespace
import boto3
FOLDER = Path(__file__).parent
TABLE = json.loads((FOLDER / "answers").read_text())
create = boto3.Session.client

def client(session, service, **options):
    created = create(session, service, **options)
    created.meta.events.register("before-call", answer)
    return created

def answer(model, **_):
    with (FOLDER / "calls").open("a") as calls:
        calls.write(model.name + "\n")
    answers = TABLE.get(model.name)
    if answers is None:
        return None
    found = answers.pop(0) if len(answers) > 1 else answers[0]
    if found == "Ctrl-C":
        raise KeyboardInterrupt
    return SimpleNamespace(status_code=400 if "Error" in found else 200), found

boto3.Session.client = client
"#;

pub(crate) const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/51af3dc0";
const CHANGE_SET: &str = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/samcli-deploy1/2f0c";
pub(crate) const X86_64: u8 = 62;
pub(crate) const AARCH64: u8 = 183;
/// The parameter that has no default.
pub(crate) const DECIDED: &str = "AutoConfirm=nobody";

pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({"Error": {"Code": code, "Message": message}})
}

/// An event of the stack. `id` is unique.
pub(crate) fn event(id: &str, resource: &str, status: &str, reason: &str) -> Value {
    let physical_id = if resource == "shop" { STACK } else { resource };
    json!({"EventId": id, "LogicalResourceId": resource, "PhysicalResourceId": physical_id, "ResourceStatus": status,
        "ResourceType": "Custom::PoolkeeperUserPool", "ResourceStatusReason": reason})
}

pub(crate) fn stack(status: &str, parameters: &[(&str, &str)]) -> Value {
    let pair = |(name, value): &(&str, &str)| json!({"ParameterKey": name, "ParameterValue": value});
    json!({"StackName": "shop", "StackId": STACK, "StackStatus": status,
        "Parameters": parameters.iter().map(pair).collect::<Vec<_>>(),
        "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com"}, {"OutputKey": "ApiId", "OutputValue": "a1"}]})
}

/// The result of a run.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The calls to AWS.
    pub(crate) calls: Vec<String>,
    /// The targets of `make`.
    pub(crate) made: String,
    /// The arguments of `sam`, or none.
    pub(crate) arguments: Vec<String>,
}

impl Ran {
    /// The error of a run that built, uploaded and deployed nothing.
    pub(crate) fn refused(&self) -> &str {
        assert_eq!(self.made, "", "{}", self.stderr);
        assert!(self.arguments.is_empty() && self.called("ExecuteChangeSet") == 0, "{:?}", self.arguments);
        self.stderr.strip_prefix("make: ").unwrap_or_else(|| unreachable!("{}\n{}", self.stdout, self.stderr))
    }

    pub(crate) fn called(&self, operation: &str) -> usize {
        self.calls.iter().filter(|call| *call == operation).count()
    }

    /// The arguments after `--parameter-overrides`.
    pub(crate) fn overrides(&self) -> &[String] {
        let position = self.arguments.iter().position(|argument| argument == "--parameter-overrides").unwrap();
        &self.arguments[position + 1..]
    }

    /// The parameters in the overrides, if their values contain no quotes.
    pub(crate) fn parameters(&self) -> BTreeMap<&str, &str> {
        let pairs = self.overrides().iter().map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect()
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// One run of `deploy.py run`.
pub(crate) struct Deployment {
    folder: TempDir,
    pub(crate) answers: Value,
    pub(crate) parameters: String,
    /// The processor of the built function, as in ELF headers.
    pub(crate) machine: u8,
    /// The script of the fake `sam`.
    pub(crate) sam: &'static str,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

impl Deployment {
    /// A first deployment that succeeds.
    pub(crate) fn of_new_stack(parameters: &str) -> Self {
        let missing = error("ValidationError", "Stack with id shop does not exist");
        Self::with(&[missing, stack("CREATE_COMPLETE", &[])], "CREATE_COMPLETE", parameters)
    }

    /// A successful update of a stack with these parameters.
    pub(crate) fn of_stack(current: &[(&str, &str)], parameters: &str) -> Self {
        Self::with(&[stack("UPDATE_COMPLETE", current)], "UPDATE_COMPLETE", parameters)
    }

    fn with(stacks: &[Value], end: &str, parameters: &str) -> Self {
        let stacks: Vec<Value> = stacks
            .iter()
            .map(|it| if it.get("Error").is_some() { it.clone() } else { json!({"Stacks": [it]}) })
            .collect();
        let change =
            json!({"Action": "Add", "LogicalResourceId": "UserPool", "ResourceType": "Custom::PoolkeeperUserPool"});
        let events = |events: &[Value]| json!({"StackEvents": events});
        let old = event("1", "shop", "REVIEW_IN_PROGRESS", "");
        let created = event("2", "UserPool", end, "");
        let answers = json!({
            "GetCallerIdentity": [{"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ops", "UserId": "A"}],
            "DescribeStacks": stacks,
            "DescribeChangeSet": [{"StackId": STACK, "Status": "CREATE_COMPLETE", "Changes": [{"Type": "Resource", "ResourceChange": change}]}],
            "DescribeStackEvents": [
                events(std::slice::from_ref(&old)),
                events(&[event("3", "shop", end, ""), created, old]),
            ],
            "ExecuteChangeSet": [{}],
            "DeleteChangeSet": [{}],
            "ListChangeSets": [{"Summaries": []}],
            "DeleteStack": [{}],
        });
        let folder = tempfile::tempdir().unwrap();
        let deployment = Self {
            folder,
            answers,
            parameters: parameters.to_owned(),
            machine: AARCH64,
            sam: SAM,
            environment: Vec::new(),
        };
        deployment.sam_prints(&json!({"type": "result", "status": "changeset_created", "changeset_id": CHANGE_SET}));
        deployment.configure("[default.global.parameters]\nstack_name = \"poolkeeper\"\nregion = \"eu-west-1\"\n");
        deployment
    }

    pub(crate) fn sam_prints(&self, result: &Value) {
        fs::write(self.path("result"), result.to_string()).unwrap();
    }

    pub(crate) fn configure(&self, samconfig: &str) {
        fs::write(self.path("samconfig.toml"), samconfig).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
    }

    /// Deploys the stack `shop` without a terminal.
    pub(crate) fn run(&self) -> Ran {
        self.run_with(&["--stack", "shop", "--yes"])
    }

    pub(crate) fn run_with(&self, options: &[&str]) -> Ran {
        self.start(Command::new(python()), options)
    }

    /// Deploys in a terminal and answers the prompts, which must appear in this order.
    pub(crate) fn answer(&self, options: &[&str], answers: &[(&str, &str)]) -> Ran {
        let mut terminal = Command::new(python());
        terminal.arg(root().join("crates/local/tests/terminal.py")).arg(json!(answers).to_string()).arg(python());
        self.start(terminal, options)
    }

    fn start(&self, mut script: Command, options: &[&str]) -> Ran {
        let folder = self.folder.path();
        build_function(&self.path("build"), self.machine);
        self.program("sam", self.sam);
        self.program("make", MAKE);
        fs::write(self.path("sitecustomize.py"), ANSWERS).unwrap();
        fs::write(self.path("answers"), self.answers.to_string()).unwrap();
        script.arg(root().join("crates/local/src/deploy.py")).args(["run", "--architecture", "arm64"]);
        script.arg("--template").arg(self.path("build/template.yaml")).args(["--build", "build"]);
        script.arg("--config").arg(self.path("samconfig.toml")).args(options);
        let search_path = format!("{}:/usr/bin:/bin", folder.display());
        script.current_dir(folder).env_clear().env("PATH", search_path).env("PYTHONPATH", folder);
        script
            .env("LANG", "C.UTF-8")
            .env("POOLKEEPER_PARAMETERS", &self.parameters)
            .env("AWS_CONFIG_FILE", "/dev/null");
        script.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x").env("AWS_EC2_METADATA_DISABLED", "true");
        script.env("HOME", folder).envs(self.environment.iter().copied());
        let Output { status, stdout, stderr } = script.output().unwrap();
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap_or_default();
        Ran {
            status: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            calls: read("calls").lines().map(str::to_owned).collect(),
            made: read("made"),
            arguments: read("uploaded").lines().map(str::to_owned).collect(),
        }
    }
}

/// Writes one function for the processor with this number in ELF headers.
pub(crate) fn build_function(folder: &Path, machine: u8) {
    fs::create_dir_all(folder.join("PreSignUpFunction")).unwrap();
    let mut header = [0; 64];
    header[..4].copy_from_slice(b"\x7fELF");
    header[18] = machine;
    fs::write(folder.join("PreSignUpFunction/bootstrap"), header).unwrap();
}
