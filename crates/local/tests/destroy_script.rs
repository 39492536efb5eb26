//! Tests what `destroy.py` passes to `sam delete`, and which remaining resources it lists. Responses of AWS are fake.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A fake `sam` that records its arguments.
const SAM: &str = r#"
import json, sys
from pathlib import Path
Path(__file__).with_name("arguments").write_text(json.dumps(sys.argv[1:]))
"#;

/// Answers the requests of every client from a table, and records regions and profiles. Python imports it at startup.
const ANSWERS: &str = r#"
import json
from pathlib import Path
from types import SimpleNamespace
import boto3
FOLDER = Path(__file__).parent
TABLE = json.loads((FOLDER / "answers").read_text())
create = boto3.Session.client

def client(session, service):
    created = create(session, service)
    (FOLDER / "client").write_text(f"{session.profile_name} {session.region_name}")
    created.meta.events.register("before-call", answer)
    return created

def answer(model, **_):
    answers = TABLE[model.name]
    found = answers.pop(0) if len(answers) > 1 else answers[0]
    return SimpleNamespace(status_code=400 if "Error" in found else 200), found

boto3.Session.client = client
"#;

const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/51af3dc0";
const POOL: &str = "eu-west-1_pool1";
const ROLE: &str = "arn:aws:iam::123456789012:role/poolkeeper.shop.eu-west-1";
const POLICY: &str = "arn:aws:iam::123456789012:policy/poolkeeper.shop.eu-west-1";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn error(code: &str) -> Value {
    json!({"Error": {"Code": code, "Message": ""}})
}

/// A directory with a samconfig.toml, the fake `sam` and the responses of AWS.
struct Destroy {
    folder: TempDir,
    /// What `describe_stacks` returns before the deletion.
    stack: Value,
    answers: Value,
    /// The variable `AWS_REGION`.
    region: Option<&'static str>,
}

impl Destroy {
    /// A stack of which nothing is left after the deletion.
    fn of(on_delete: &str) -> Self {
        let parameters = json!([
            {"ParameterKey": "PoolName", "ParameterValue": "shop"},
            {"ParameterKey": "OnDelete", "ParameterValue": on_delete},
        ]);
        let outputs = [("UserPoolId", POOL), ("IdentityPoolId", "id-1"), ("RoleArn", ROLE), ("PolicyArn", POLICY)]
            .map(|(name, value)| json!({"OutputKey": name, "OutputValue": value}));
        let stack = json!({"StackName": "shop", "StackId": STACK, "StackStatus": "CREATE_COMPLETE",
            "Parameters": parameters, "Outputs": outputs});
        let answers = json!({
            "ListStackResources": [{"StackResourceSummaries": [resource("Custom::PoolkeeperUserPool", POOL)]}],
            "ListUserPools": [{"UserPools": []}],
            "ListIdentityPools": [{"IdentityPools": []}],
            "DescribeUserPool": [error("ResourceNotFoundException")],
            "DescribeIdentityPool": [error("ResourceNotFoundException")],
            "GetRole": [error("NoSuchEntity")],
            "GetPolicy": [error("NoSuchEntity")],
            "DescribeLogGroups": [{"logGroups": []}],
        });
        Self { folder: tempfile::tempdir().unwrap(), stack, answers, region: None }
    }

    /// A stack without outputs; its pool has this physical id.
    fn of_failed_deployment(on_delete: &str, physical_id: &str) -> Self {
        let mut destroy = Self::of(on_delete);
        destroy.stack["Outputs"] = json!([]);
        destroy.stack["StackStatus"] = json!("ROLLBACK_COMPLETE");
        destroy.resources(&[resource("Custom::PoolkeeperUserPool", physical_id)]);
        destroy
    }

    fn resources(&mut self, resources: &[Value]) {
        self.answers["ListStackResources"] = json!([{"StackResourceSummaries": resources}]);
    }

    /// Pool, identity pool, role and policy exist and have the tag of `pool`.
    fn exists_tagged(&mut self, pool: &str) {
        let (tags, list) = (json!({"poolkeeper:pool": pool}), json!([{"Key": "poolkeeper:pool", "Value": pool}]));
        self.answers["ListUserPools"] =
            json!([{"UserPools": [{"Id": POOL, "Name": "shop"}, {"Id": "eu-west-1_b", "Name": "shop-b"}]}]);
        self.answers["ListIdentityPools"] =
            json!([{"IdentityPools": [{"IdentityPoolId": "id-1", "IdentityPoolName": "shop"}]}]);
        self.answers["DescribeUserPool"] = json!([{"UserPool": {"UserPoolTags": tags}}]);
        self.answers["DescribeIdentityPool"] = json!([{"IdentityPoolTags": tags}]);
        self.answers["GetRole"] = json!([{"Role": {"Tags": list}}]);
        self.answers["GetPolicy"] = json!([{"Policy": {"Tags": list}}]);
    }

    fn configure(&self, samconfig: &str) {
        fs::write(self.path("samconfig.toml"), samconfig).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The exit status and standard output.
    fn run(&mut self, arguments: &[&str]) -> (i32, String) {
        let deleted = json!({"StackName": "shop", "StackId": STACK, "StackStatus": "DELETE_COMPLETE"});
        self.answers["DescribeStacks"] = json!([{"Stacks": [self.stack]}, {"Stacks": [deleted]}]);
        let python = root().join(".venv/bin/python");
        fs::write(self.path("sam"), format!("#!{}{SAM}", python.display())).unwrap();
        fs::set_permissions(self.path("sam"), Permissions::from_mode(0o755)).unwrap();
        fs::write(self.path("sitecustomize.py"), ANSWERS).unwrap();
        fs::write(self.path("answers"), self.answers.to_string()).unwrap();
        fs::write(self.path("config"), "[profile shop]\n").unwrap();
        let mut script = Command::new(python);
        script.arg(root().join("crates/local/src/destroy.py")).args(arguments);
        script.current_dir(self.folder.path()).env("PATH", self.folder.path()).env("PYTHONPATH", self.folder.path());
        script.env_remove("AWS_PROFILE").env_remove("AWS_REGION").env("AWS_CONFIG_FILE", self.path("config"));
        script.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
        if let Some(region) = self.region {
            script.env("AWS_REGION", region);
        }
        let Output { status, stdout, stderr } = script.output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(stderr.is_empty(), "{stderr}");
        (status.code().unwrap(), String::from_utf8(stdout).unwrap())
    }

    /// The arguments of `sam`.
    fn recorded(&self) -> Vec<String> {
        serde_json::from_str(&fs::read_to_string(self.path("arguments")).unwrap()).unwrap()
    }
}

fn resource(kind: &str, physical_id: &str) -> Value {
    json!({"ResourceType": kind, "PhysicalResourceId": physical_id, "LogicalResourceId": "X",
        "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": "2026-01-01T00:00:00Z"})
}

#[test]
fn deletes_the_stack_of_samconfig_with_prompts() {
    let mut destroy = Destroy::of("delete");
    destroy.configure(
        "[default.global.parameters]\nstack_name = \"other\"\nregion = \"eu-west-1\"\n\
         [default.deploy.parameters]\nstack_name = \"shop\"\nprofile = \"shop\"\n\
         [default.delete.parameters]\nstack_name = \"not-read-by-sam\"\n",
    );
    let (status, printed) = destroy.run(&[]);
    assert_eq!(destroy.recorded(), ["delete", "--stack-name", "shop", "--region", "eu-west-1"]);
    assert_eq!(fs::read_to_string(destroy.path("client")).unwrap(), "shop eu-west-1");
    assert_eq!((status, printed.as_str()), (0, "\nThe stack shop is deleted. No resources remain.\n"));
}

#[test]
fn stack_name_and_yes_override_samconfig() {
    let mut destroy = Destroy::of("delete");
    destroy.configure("[default.global.parameters]\nstack_name = \"poolkeeper\"\n");
    destroy.run(&["--stack-name", "shop", "--yes"]);
    assert_eq!(destroy.recorded(), ["delete", "--stack-name", "shop", "--s3-prefix", "shop", "--no-prompts"]);
    assert_eq!(fs::read_to_string(destroy.path("client")).unwrap(), "default us-east-1");
}

/// `make deploy` reads this variable, too.
#[test]
fn deletes_the_stack_in_the_region_of_the_environment() {
    let mut destroy = Destroy::of("delete");
    destroy.region = Some("eu-west-1");
    destroy.run(&["--stack-name", "shop"]);
    let expected = ["delete", "--stack-name", "shop", "--region", "eu-west-1", "--s3-prefix", "shop"];
    assert_eq!(destroy.recorded(), expected);
    assert_eq!(fs::read_to_string(destroy.path("client")).unwrap(), "default eu-west-1");
}

#[test]
fn make_passes_stack_and_yes() {
    let printed = |arguments: &[&str]| {
        let mut make = Command::new("make");
        make.args(["--silent", "--no-print-directory", "--dry-run", "destroy"]).args(arguments);
        for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "STACK", "YES"] {
            make.env_remove(variable);
        }
        let run = make.current_dir(root()).output().unwrap();
        String::from_utf8(run.stdout).unwrap()
    };
    let both = printed(&["STACK=shop", "YES=1"]);
    assert!(both.contains("destroy.py --stack-name 'shop' --yes\n"), "{both}");
    let neither = printed(&[]);
    assert!(!neither.contains("--stack-name") && !neither.contains("--yes"), "{neither}");
}

#[test]
fn finds_what_a_failed_first_deployment_created() {
    let mut destroy = Destroy::of_failed_deployment("retain", "poolkeeper-failed-create");
    destroy.exists_tagged("shop");
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    let found = format!(
        "  user pool      {POOL}\n  identity pool  id-1\n  IAM role       {ROLE}\n  IAM policy     {POLICY}\n\n\
         OnDelete=retain keeps them.\n"
    );
    assert!(status == 0 && printed.contains(&found), "{printed}");
    assert!(!printed.contains("failed-create") && !printed.contains("eu-west-1_b"), "{printed}");
}

#[test]
fn failed_deployment_keeps_its_pool_even_with_on_delete_delete() {
    for id in ["poolkeeper-failed-create", "shop-UserPool-1A2B3C"] {
        let mut destroy = Destroy::of_failed_deployment("delete", id);
        destroy.exists_tagged("shop");
        let (status, printed) = destroy.run(&["--stack-name", "shop"]);
        assert!(status == 1 && printed.contains(&format!("  user pool      {POOL}\n")), "{printed}");
        assert!(
            printed.contains("The first deployment failed. The next deployment adopts these resources.\n"),
            "{printed}"
        );
        assert!(!printed.contains(id), "{printed}");
    }
}

#[test]
fn does_not_list_resources_of_other_pools() {
    let mut destroy = Destroy::of_failed_deployment("retain", "poolkeeper-failed-create");
    destroy.exists_tagged("shop-b");
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    assert_eq!((status, printed.as_str()), (0, "\nThe stack shop is deleted. No resources remain.\n"));
}

#[test]
fn finds_the_pool_of_a_failed_verification_by_physical_id() {
    let mut destroy = Destroy::of_failed_deployment("retain", POOL);
    destroy.answers["DescribeUserPool"] = json!([{"UserPool": {"UserPoolTags": {}}}]);
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(status == 0 && printed.contains(&format!("  user pool      {POOL}\n\nOnDelete=retain")), "{printed}");
}

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/shop-AuthenticatedBoundary-1";

#[test]
fn deletes_the_boundary_unless_the_role_is_retained() {
    let mut destroy = Destroy::of("delete");
    destroy.resources(&[resource("Custom::PoolkeeperUserPool", POOL), resource("AWS::IAM::ManagedPolicy", BOUNDARY)]);
    let used = |count: u32| json!({"Policy": {"PermissionsBoundaryUsageCount": count, "Tags": []}});
    destroy.answers["GetPolicy"] = json!([used(0), error("NoSuchEntity")]);
    let versions =
        json!([{"VersionId": "v2", "IsDefaultVersion": true}, {"VersionId": "v1", "IsDefaultVersion": false}]);
    destroy.answers["ListPolicyVersions"] = json!([{"Versions": versions}]);
    destroy.answers["DeletePolicyVersion"] = json!([{}]);
    destroy.answers["DeletePolicy"] = json!([{}]);
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    assert_eq!((status, printed.as_str()), (0, "\nThe stack shop is deleted. No resources remain.\n"));

    // In this case, the fake AWS has no responses for a deletion.
    let mut destroy = Destroy::of("retain");
    destroy.exists_tagged("shop");
    destroy.resources(&[resource("Custom::PoolkeeperUserPool", POOL), resource("AWS::IAM::ManagedPolicy", BOUNDARY)]);
    destroy.answers["GetPolicy"] = json!([used(1)]);
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(status == 0 && printed.contains(&format!("  IAM boundary   {BOUNDARY}\n")), "{printed}");
}

#[test]
fn lists_a_pool_of_another_stack_with_its_owner() {
    let mut destroy = Destroy::of("delete");
    for (tags, owner) in [(json!({"poolkeeper:stack": "arn:other"}), "arn:other"), (json!({}), "no stack")] {
        destroy.answers["DescribeUserPool"] = json!([{"UserPool": {"UserPoolTags": tags}}]);
        let (status, printed) = destroy.run(&["--stack-name", "shop"]);
        assert!(status == 1 && printed.contains(&format!("The user pool belongs to {owner}, because ")), "{printed}");
    }
    destroy.answers["DescribeUserPool"] = json!([{"UserPool": {"UserPoolTags": {"poolkeeper:stack": STACK}}}]);
    let (_, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(printed.contains("OnDelete=delete did not delete these resources."), "{printed}");
}

#[test]
fn prints_how_to_keep_or_delete_the_table() {
    let name = "shop-RetainedRevocations-0123456789AB";
    let mut destroy = Destroy::of("retain");
    destroy.resources(&[resource("AWS::DynamoDB::Table", name), resource("AWS::Logs::LogGroup", "/aws/lambda/shop")]);
    destroy.answers["DescribeTable"] = json!([{"Table": {"TableName": name}}]);
    destroy.answers["DescribeLogGroups"] = json!([{"logGroups": [{"logGroupName": "/aws/lambda/shop"}]}]);
    let (status, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(status == 0 && printed.contains("To delete the tables and the log groups:\n"), "{printed}");
    assert!(printed.contains(&format!("\n  aws dynamodb delete-table --table-name {name}\n")), "{printed}");
    assert!(printed.ends_with(&format!(" deploy with RevocationTable={name}.\n")), "{printed}");

    destroy.answers["DescribeTable"] = json!([error("ResourceNotFoundException")]);
    let (_, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(printed.contains("To delete the log groups:\n") && !printed.contains("table"), "{printed}");
}

#[test]
fn prints_commands_that_delete_the_log_groups() {
    let name = "/aws/lambda/shop-admin-api-retained-51af3dc0";
    let mut destroy = Destroy::of("retain");
    destroy.resources(&[resource("AWS::Logs::LogGroup", name), resource("AWS::Logs::LogGroup", "/aws/lambda/gone")]);
    destroy.answers["DescribeLogGroups"] = json!([{"logGroups": [{"logGroupName": name}]}, {"logGroups": []}]);
    let (status, printed) = destroy.run(&["--stack-name", "shop", "--region", "eu-west-1"]);
    let command = format!("\n  aws logs delete-log-group --log-group-name {name} --region eu-west-1\n");
    assert!(status == 0 && printed.ends_with(&command), "{printed}");
    assert!(printed.contains(&format!("\n  log group      {name}\n")), "{printed}");
    assert!(!printed.contains("make destroy") && !printed.contains("gone"), "{printed}");

    destroy.exists_tagged("shop");
    let (_, printed) = destroy.run(&["--stack-name", "shop"]);
    assert!(printed.contains("then repeat make destroy."), "{printed}");
    assert!(printed.ends_with(&format!("--log-group-name {name}\n")), "{printed}");
}
