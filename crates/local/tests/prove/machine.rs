//! The machine on which `make prove` runs, and what the run leaves in the emulator.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use testkit::local_aws::{LocalAws, Tooling as _};

/// Every statement with its verdict on the emulator and the beginning of its observation.
pub(crate) const STATEMENTS: [(&str, &str, &str); 16] = [
    (
        "The bootstrap creates resources with the tag of its own pool",
        NOT_PROVED,
        "not emulated (the emulator returned: own tag: {",
    ),
    (
        "The tag allows updates",
        NOT_PROVED,
        "not emulated (the emulator returned: user pool updated, identity pool updated, tags {",
    ),
    (
        "With an additional tag",
        NOT_PROVED,
        "not emulated (the emulator returned: user pool updated, identity pool updated, tags {",
    ),
    (
        "UpdateUserPool without UserPoolTags",
        NOT_PROVED,
        "not emulated (the emulator returned: tags: 2 before the update, 2 after the update) |",
    ),
    (
        "UpdateIdentityPool without IdentityPoolTags",
        NOT_PROVED,
        "not emulated (the emulator returned: tags: 1 before the update, 1 after the update) |",
    ),
    (
        "Cognito rejects autoVerifyEmail without autoConfirmUser",
        NOT_PROVED,
        "not emulated (the emulator returned: the sign-up succeeded) |",
    ),
    (
        "UpdateUserPool with an SmsConfiguration",
        NOT_PROVED,
        "not emulated (the emulator returned: allowed with a role in PassableRoleArns and with another role) |",
    ),
    (
        "UpdateGroup with a RoleArn",
        NOT_PROVED,
        "not emulated (the emulator returned: with a role in PassableRoleArns: 501 not-supported-by-endpoint; with another role: 501 \
         not-supported-by-endpoint) |",
    ),
    (
        "`#` and `+` work in user names",
        PROVED,
        "prove%231: 200; prove+1: 200; prove%2B1: 200; prove/1 by sub: \"prove/1\"; prove%2F1: 404",
    ),
    (
        "A preflight request from an allowed origin",
        NOT_PROVED,
        "not emulated (the emulator returned: /v1/users: 403 without CORS headers for https://prove.example, 403 without CORS headers",
    ),
    (
        "ListUsers accepts quotes",
        PROVED,
        "the filters for `\"quoted\"`, `back\\slash` and `end\\` each find exactly one user |",
    ),
    (
        "The authorizer's group claim",
        PROVED,
        r#"["admins", "claims"]: 200; ["x,admins", "[admins]"]: 403 forbidden; []: 403 forbidden |"#,
    ),
    ("CloudWatch receives log lines", NOT_PROVED, "not emulated (the emulator returned: lines by level: {"),
    (
        "The columns of import jobs",
        NOT_PROVED,
        "not emulated (the emulator returned: the endpoint does not support import jobs) |",
    ),
    ("Import jobs of Cognito create users with password hashes", NOT_PROVED, "no import job is created"),
    ("The bootstrap receives credentials of a new role", NOT_PROVED, "not emulated (the emulator returned: 0."),
];

const PROVED: &str = "proved";
const NOT_PROVED: &str = "not proved";

/// Lists the emulator's resources, without those of `sam` itself.
const COUNT: &str = r#"
import boto3, json
stacks = [s["StackName"] for s in boto3.client("cloudformation").describe_stacks()["Stacks"]]
found = {
    "stacks": [name for name in stacks if name != "aws-sam-cli-managed-default"],
    "user pools": [p["Name"] for p in boto3.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
    "identity pools": [p["IdentityPoolName"] for p in boto3.client("cognito-identity").list_identity_pools(MaxResults=60)["IdentityPools"]],
    "roles": [r["RoleName"] for r in boto3.client("iam").list_roles()["Roles"]],
    "policies": [p["PolicyName"] for p in boto3.client("iam").list_policies(Scope="Local")["Policies"]],
    "functions": [f["FunctionName"] for f in boto3.client("lambda").list_functions()["Functions"]],
    "APIs": [a["Name"] for a in boto3.client("apigatewayv2").get_apis()["Items"]],
    "log groups": [g["logGroupName"] for g in boto3.client("logs").describe_log_groups()["logGroups"]],
    "tables": boto3.client("dynamodb").list_tables()["TableNames"],
    "parameters": [p["Name"] for p in boto3.client("ssm").describe_parameters()["Parameters"]],
    "objects": [
        o["Key"]
        for b in boto3.client("s3").list_buckets()["Buckets"]
        for o in boto3.client("s3").list_objects_v2(Bucket=b["Name"]).get("Contents", [])
    ],
}
print(json.dumps(found))
"#;

async fn found(aws: &LocalAws) -> Value {
    let counted = aws.run("python", &["-c", COUNT], None).await.unwrap();
    assert!(counted.succeeded, "{}", counted.stderr);
    serde_json::from_str(&counted.stdout).unwrap()
}

/// Asserts that a run has left nothing in the emulator.
pub(crate) async fn expect_nothing_left(aws: &LocalAws) {
    for (kind, names) in found(aws).await.as_object().unwrap() {
        assert!(names.as_array().unwrap().is_empty(), "{kind}: {names}");
    }
}

/// Whether a stack exists.
pub(crate) async fn stack_exists(aws: &LocalAws, name: &str) -> bool {
    found(aws).await["stacks"].as_array().unwrap().iter().any(|stack| stack == name)
}

/// A home directory and an environment without the settings of the developer.
pub(crate) struct TestMachine {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// A finished run.
pub(crate) struct Run {
    code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running program.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    seen: String,
}

impl TestMachine {
    /// A machine without region and credentials.
    pub(crate) fn bare() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A machine with credentials, and an emulator in place of AWS.
    pub(crate) fn with_credentials(endpoint_url: &str) -> Self {
        Self::bare()
            .with("AWS_ENDPOINT_URL", endpoint_url)
            .with("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
            .with("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
            .with("AWS_REGION", LocalAws::REGION)
    }

    /// Adds an environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Makes the report unwritable, by a file at the path of its directory.
    pub(crate) fn block_report(&self) {
        std::fs::write(self.home.path().join("prove"), "").unwrap();
    }

    fn report_path(&self) -> PathBuf {
        self.home.path().join("prove/report.md")
    }

    pub(crate) fn has_report(&self) -> bool {
        self.report_path().exists()
    }

    pub(crate) fn report(&self) -> String {
        std::fs::read_to_string(self.report_path()).unwrap()
    }

    /// Starts `local prove` with an input.
    #[expect(clippy::disallowed_methods, reason = "the program finds its tools by variables of cargo and make")]
    pub(crate) fn start(&self, arguments: &[&str], input: &str) -> Running {
        let from_make = ["PATH", "CARGO_TARGET_DIR"].into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .arg("prove")
            .args(arguments)
            .arg("--report")
            .arg(self.report_path())
            .current_dir(self.home.path())
            .env_clear()
            .envs(from_make)
            .env("HOME", self.home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running { child, stdout, seen: String::new() }
    }

    /// Runs `local prove` until it exits.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Run {
        self.start(arguments, input).finish()
    }
}

impl Running {
    /// Reads until a line contains this text, and returns the line.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.stdout.read_line(&mut line).unwrap();
            self.seen.push_str(&line);
            assert!(length > 0, "it ended before {text:?}:\n{}", self.seen);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The word after this text.
    pub(crate) fn name_after(&mut self, text: &str) -> String {
        let line = self.wait_for(text);
        let (_, rest) = line.split_once(text).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Whether the program is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends SIGINT.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits until the program exits.
    pub(crate) fn finish(mut self) -> Run {
        std::io::Read::read_to_string(&mut self.stdout, &mut self.seen).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: self.seen,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts the exit code and shows the output if it differs.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
    }
}
