//! `poolkeeper doctor` on the emulator, with planted faults.

use std::collections::BTreeSet;

use domain::doctor::Check;
use serde_json::{Value, json};
use testkit::fault_proxy::FaultProxy;
use testkit::local_aws::{LocalAws, Tooling as _};
use tokio::task::spawn_blocking;

use crate::{Run, TestMachine, text};

/// The documentation.
const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md"));

/// Plants a fault with the AWS SDK for Python.
const PLANT: &str = include_str!("plant.py");

/// The faults to plant in the deployment, one after the other. Each yields the finding of its name.
const FAULTS: [&str; 33] = [
    "deletion-protection",
    "unverified-update",
    "short-passwords",
    "temporary-passwords",
    "recovery-by-phone",
    "mail-quota",
    "trigger-not-permitted",
    "trigger-missing",
    "trigger-throttled",
    "trigger-open-permission",
    "sign-up-without-trigger",
    "user-existence-errors",
    "token-revocation",
    "password-flow",
    "admin-flow-on-public-client",
    "unrestricted-attributes",
    "implicit-grant",
    "long-access-tokens",
    "long-id-tokens",
    "long-refresh-tokens",
    "guests",
    "classic-flow",
    "token-check",
    "role-not-set",
    "role-missing",
    "trust-audience",
    "trust-method",
    "trust-open",
    "trust-other",
    "administrator-role",
    "quota-custom-attributes",
    "quota-callback-urls",
    "drift",
];

/// Like the default parameters of the template.
const SPEC: &str = r#"{
  "name": "shop", "auto_verified": ["email"], "self_sign_up": true, "groups": ["admins"],
  "pre_sign_up_function_arn": "FUNCTION", "verify": false
}"#;

struct Deployment {
    aws: LocalAws,
    machine: TestMachine,
    user_pool: String,
    identity_pool: String,
}

/// A machine with access to the emulator.
pub(crate) fn machine(endpoint_url: &str) -> TestMachine {
    TestMachine::bare()
        .with("AWS_ENDPOINT_URL", endpoint_url)
        .with("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
        .with("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
        .with("AWS_REGION", LocalAws::REGION)
}

async fn plant(aws: &LocalAws, fault: &str, user_pool: &str, identity_pool: &str) -> String {
    let output = aws.run("python", &["-c", PLANT, fault, user_pool, identity_pool], None).await.unwrap();
    assert!(output.succeeded, "{fault}: {}", output.last_lines());
    output.stdout.trim().to_owned()
}

impl Deployment {
    async fn create() -> Self {
        let aws = LocalAws::start(None).await.unwrap();
        let machine = machine(aws.endpoint_url());
        let function = plant(&aws, "create-function", "", "").await;
        let spec = machine.file("pool.json", &SPEC.replace("FUNCTION", &function));
        let receipt = machine.run(&["apply", "--spec", text(&spec), "--json"]).expect(0).json();
        let id = |name: &str| receipt[name].as_str().unwrap().to_owned();
        let (user_pool, identity_pool) = (id("user_pool_id"), id("identity_pool_id"));
        let deployment = Self { aws, machine, user_pool, identity_pool };
        deployment.plant("permit-function").await;
        deployment
    }

    async fn plant(&self, fault: &str) {
        plant(&self.aws, fault, &self.user_pool, &self.identity_pool).await;
    }

    fn by_id(&self) -> Run {
        self.machine.run(&["doctor", "--user-pool-id", &self.user_pool, "--json"])
    }
}

fn checks(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn finds_each_planted_fault_and_nothing_in_a_fresh_deployment() {
    let deployment = Deployment::create().await;
    let spec = deployment.machine.home.path().join("pool.json");
    let with_spec = ["doctor", "--spec", text(&spec)];
    let fresh = deployment.machine.run(&with_spec).expect(0);
    assert_eq!(fresh.stdout, "No errors or warnings. 2 notes; --all prints the notes.\n");
    let fresh = deployment.machine.run(&[&with_spec[..], &["--json", "--all"]].concat()).expect(0).json();
    assert_eq!(checks(&fresh), ["mail-sender", "mfa-off"].map(str::to_owned).into());
    assert_eq!((&fresh["errors"], &fresh["warnings"], &fresh["notes"]), (&json!(0), &json!(0), &json!(2)));
    deployment.plant("insecure-callback").await;
    let by_id = ["doctor", "--user-pool-id", &deployment.user_pool, "--json", "--all"];
    let noted = deployment.machine.run(&by_id).expect(0).json();
    assert_eq!(checks(&noted), ["insecure-callback", "mail-sender", "mfa-off"].map(str::to_owned).into());

    let mut expected = BTreeSet::new();
    for fault in FAULTS {
        let report = if fault == "drift" {
            deployment.machine.run(&[&with_spec[..], &["--json"]].concat()).expect(6).json()
        } else {
            deployment.plant(fault).await;
            deployment.by_id().expect(6).json()
        };
        expected.insert(fault.to_owned());
        assert_eq!(checks(&report), expected, "{fault}");
    }
    let text = deployment.machine.run(&with_spec).expect(6).stdout;
    let ids = [(&deployment.user_pool, "USER_POOL"), (&deployment.identity_pool, "IDENTITY_POOL")];
    let text = ids.iter().fold(text, |text, (id, name)| text.replace(id.as_str(), name));
    assert!(text.contains("✗ trust-audience  role poolkeeper.shop.us-east-1\n"), "{text}");
    assert!(text.contains(r#""cognito-identity.amazonaws.com:aud":"IDENTITY_POOL""#), "{text}");
}

#[tokio::test]
async fn finds_the_pool_of_a_spec_or_stack_and_reports_conflicts() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = machine(aws.endpoint_url());
    let spec =
        |name: &str| format!(r#"{{"name": "{name}", "case_sensitive": true, "self_sign_up": true, "verify": false}}"#);
    let doctor =
        |arguments: &[&str], code: i32| machine.run(&[&["doctor", "--json"], arguments].concat()).expect(code).json();
    let file = machine.file("pool.json", &spec("shop"));
    let missing = doctor(&["--spec", text(&file)], 1);
    assert_eq!(
        missing["error"],
        "user pool shop with the tag `poolkeeper:pool` does not exist in this account and Region"
    );
    doctor(&["--user-pool-id", "us-east-1_Missing00"], 1);
    doctor(&["--stack", "shop"], 1);

    let receipt = machine.run(&["apply", "--spec", text(&file), "--json"]).expect(0).json();
    let first = receipt["user_pool_id"].as_str().unwrap().to_owned();
    let by_choice = ["case-sensitive-names", "sign-up-without-trigger", "unverified-sign-in-attribute"];
    assert_eq!(checks(&doctor(&["--spec", text(&file)], 6)), by_choice.map(str::to_owned).into());
    let changed = machine.file("changed.json", &spec("shop").replace("\"case_sensitive\": true, ", ""));
    let conflict = doctor(&["--spec", text(&changed)], 6);
    assert!(checks(&conflict).contains("drift-blocked"), "{conflict}");

    plant(&aws, "own-by-stack", &first, "").await;
    assert_eq!(doctor(&["--stack", "shop"], 6)["user_pool_id"], first.as_str());
    doctor(&["--stack", "shop-2"], 1);
    let another = machine.file("another.json", &spec("shop.another"));
    let receipt = machine.run(&["apply", "--spec", text(&another), "--json"]).expect(0).json();
    plant(&aws, "own-by-stack", receipt["user_pool_id"].as_str().unwrap(), "").await;
    let several = doctor(&["--stack", "shop"], 1);
    let error = several["error"].as_str().unwrap();
    assert!(error.starts_with("several user pools belong to the stack shop: "), "{error}");
    assert!(error.ends_with("; select one with `--user-pool-id`"), "{error}");
}

/// Operations that only some deployments need: MFA, identity providers, and the first administrator of a spec.
const UNCALLED: [&str; 4] =
    ["AdminGetUser", "AdminListGroupsForUser", "DescribeIdentityProvider", "GetUserPoolMfaConfig"];

/// Requests to Lambda, whose operations the proxy does not name.
const OF_LAMBDA: [&str; 3] = ["GetFunctionConcurrency", "GetFunctionConfiguration", "GetPolicy"];

#[tokio::test]
async fn makes_only_the_documented_reads() {
    let deployment = Deployment::create().await;
    deployment.plant("own-by-stack").await;
    let proxy = FaultProxy::start(deployment.aws.endpoint_url()).await.unwrap();
    let behind_proxy = machine(proxy.endpoint_url());
    let (spec, user_pool) = (deployment.machine.home.path().join("pool.json"), deployment.user_pool.clone());
    // The proxy runs in this thread.
    let run_all = move || {
        for target in [["--spec", text(&spec)], ["--stack", "shop"], ["--user-pool-id", &user_pool]] {
            behind_proxy.run(&[&["doctor"], &target[..]].concat()).expect(0);
        }
    };
    spawn_blocking(run_all).await.unwrap();
    let called = proxy.calls().into_iter().map(|call| call.operation);
    let called: BTreeSet<String> = called.chain(UNCALLED.into_iter().chain(OF_LAMBDA).map(str::to_owned)).collect();
    let is_read =
        |name: &String| ["Describe", "Get", "List", "AdminGet", "AdminList"].iter().any(|read| name.starts_with(read));
    assert!(called.iter().all(is_read), "{called:?}");

    let (_, policy) = PAGE.split_once("## Permissions").unwrap();
    let policy = policy.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let actions = policy["Statement"].as_array().unwrap().iter().flat_map(|one| one["Action"].as_array().unwrap());
    let documented = actions.map(|action| action.as_str().unwrap().split_once(':').unwrap().1.to_owned());
    assert_eq!(documented.collect::<BTreeSet<_>>(), called);
}

#[test]
fn page_lists_every_check_with_its_severity() {
    let (_, table) = PAGE.split_once("\n## Checks\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let documented: Vec<_> = rows.map(|(check, rest)| (check, rest.split(" | ").next().unwrap())).collect();
    let checks: Vec<_> = Check::ALL.iter().map(|check| (check.as_str(), check.severity().as_str())).collect();
    assert_eq!(documented, checks);
}
