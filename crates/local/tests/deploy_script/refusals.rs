//! Deployments that the script refuses before anything is built or uploaded.

use serde_json::{Value, json};

use super::account::{DECIDED, Deployment, Ran, error, stack};
use super::{check, evaluate, refuses};

/// The values of a stack that was deployed with `AutoConfirm=nobody`.
const CURRENT: [(&str, &str); 4] =
    [("PoolName", "shop"), ("SignIn", "username"), ("Aliases", "email,phone_number"), ("AutoConfirm", "nobody")];

#[test]
fn rejects_values_outside_of_their_constraints() {
    let table = [
        ("AutoConfirm=all", "AutoConfirm must be `everyone`, `trusted-domains`, `invited` or `nobody`, found `all`"),
        ("PoolName=my_pool", "PoolName must be 1 to 36 letters, digits and hyphens, found `my_pool`"),
        ("PoolName=", "PoolName must be 1 to 36 letters, digits and hyphens, found ``"),
        ("PasswordMinimumLength=5", "PasswordMinimumLength must be a number from 6 to 99, found `5`"),
        ("PasswordMinimumLength=100", "PasswordMinimumLength must be a number from 6 to 99, found `100`"),
        ("PasswordMinimumLength=twelve", "PasswordMinimumLength must be a number from 6 to 99, found `twelve`"),
        ("RequestBurst=0", "RequestBurst must be a number of at least 1, found `0`"),
        ("LogRetentionDays=2", "LogRetentionDays must be `1`, `3`, `5`, "),
        ("AllowedEmailDomains=a@b.com", "AllowedEmailDomains must be comma-separated domains, e.g. "),
        ("AllowedOrigins=https://a.com,https://b.com/x", "AllowedOrigins must be origins such as https://admin"),
        ("FirstAdminEmail=ops", "FirstAdminEmail must be an e-mail address or empty, found `ops`"),
        ("Aliases=email", "Aliases must be empty with SignIn=email, found `email`"),
    ];
    for (parameters, expected) in table {
        let decided = if parameters.starts_with("AutoConfirm") { "" } else { DECIDED };
        refuses(check(&format!("{decided} {parameters}")), expected);
    }
    let accepted = "PoolName=my-pool PasswordMinimumLength=6 RequestBurst=1 LogRetentionDays=3 AllowedEmailDomains=\"b.com, *.c.org\" \
                    AllowedOrigins=https://a.com,https://b.com FirstAdminEmail=ops@b.com SignIn=username Aliases=email";
    assert_eq!(check(&format!("{DECIDED} {accepted}")), Ok(String::new()));
}

#[test]
fn rejects_violations_of_rules() {
    let table = [
        ("AutoConfirm=trusted-domains", "AutoConfirm=trusted-domains requires TrustedEmailDomains"),
        ("AutoConfirm=nobody AutoVerifyEmail=invited", "AutoConfirm=nobody requires AutoVerifyEmail=nobody, because"),
        ("AutoConfirm=nobody AutoVerifyPhone=everyone", "AutoConfirm=nobody requires AutoVerifyPhone=nobody, because"),
        (
            "AutoConfirm=everyone AutoVerifyEmail=everyone SignIn=username Aliases=phone_number,email",
            "AutoVerifyEmail must not be everyone with the alias email",
        ),
        (
            "AutoConfirm=everyone AutoVerifyEmail=everyone FirstAdminEmail=ops@example.com",
            "FirstAdminEmail must be empty with AutoVerifyEmail=everyone",
        ),
        ("AutoConfirm=nobody AdminMfa=required", "AdminMfa=required requires Mfa=optional or Mfa=required"),
        ("AutoConfirm=nobody SessionGate=false RevocationTable=old", "RevocationTable must be empty with SessionGate"),
        ("AutoConfirm=nobody GateTokenUses=id GateScopes=a", "GateScopes must be empty with GateTokenUses=id"),
    ];
    for (parameters, expected) in table {
        refuses(check(parameters), expected);
    }
    for accepted in [
        "AutoConfirm=trusted-domains TrustedEmailDomains=example.com",
        "AutoConfirm=everyone AutoVerifyEmail=everyone SignIn=username Aliases=phone_number",
        "AutoConfirm=nobody AdminMfa=required Mfa=optional",
        "AutoConfirm=nobody GateTokenUses=access GateScopes=a",
    ] {
        assert_eq!(check(accepted), Ok(String::new()), "{accepted}");
    }
}

/// Searches for values of the rule's parameters that violate each assertion.
const VIOLATIONS: &str = r#"
import itertools
from deploy.template import allowed_values, defaults, expectation, read_template, references, violations

template = read_template()
def candidates(name):
    parameter = template["Parameters"][name]
    values = allowed_values(parameter) or ["", "1", "a-1", "example.com", "ops@example.com", "https://example.com",
        "arn:aws:sns:eu-west-1:123456789012:alarms", "eu-west-1_a1", "/a/secret", "name", "rate(1 day)"]
    return [value for value in values if expectation(parameter, value) is None]

found = {}
for rule in template["Rules"].values():
    for assertion in rule["Assertions"]:
        names = sorted(references(rule.get("RuleCondition")) | references(assertion["Assert"]))
        for values in itertools.product(*map(candidates, names)):
            given = dict(zip(names, values))
            effective = {**defaults(template), "AutoConfirm": "everyone", **given}
            if assertion["AssertDescription"] in [text for _, text in violations(template, effective)]:
                found[assertion["AssertDescription"]] = {"AutoConfirm": "everyone", **given}
                break
        else:
            found[assertion["AssertDescription"]] = None
print(json.dumps(found))
"#;

#[test]
fn every_assertion_of_the_template_is_refused_with_its_description() {
    let found = evaluate(VIOLATIONS, &Value::Null);
    assert!(found.as_object().unwrap().len() >= 16, "{found}");
    for (description, values) in found.as_object().unwrap() {
        let values = values.as_object().unwrap_or_else(|| unreachable!("no values violate: {description}"));
        let pairs = values.iter().map(|(name, value)| format!("{name}=\"{}\"", value.as_str().unwrap()));
        let refused = check(&pairs.collect::<Vec<_>>().join(" ")).unwrap_err();
        assert!(refused.starts_with("make: ") && refused.contains(description), "{description}: {refused}");
    }
}

/// Functions that CloudFormation permits in rules, on two parameters.
#[test]
fn evaluates_functions_of_rules() {
    let (a, b) = (json!({"Ref": "A"}), json!({"Ref": "B"}));
    let equals = |value: &str| json!({"Fn::Equals": [a, value]});
    let table = json!([
        [equals("1"), true],
        [equals("2"), false],
        [{"Fn::Equals": [a, b]}, false],
        [{"Fn::Not": [equals("2")]}, true],
        [{"Fn::And": [equals("1"), {"Fn::Not": [equals("1")]}]}, false],
        [{"Fn::Or": [equals("2"), equals("1")]}, true],
        [{"Fn::Contains": [["1", "3"], a]}, true],
        [{"Fn::Contains": [["1", "3"], b]}, false],
    ]);
    let code = r#"
from deploy.template import evaluate
print(json.dumps([evaluate(expression, {"A": "1", "B": "2"}) for expression, _ in given]))
"#;
    let expected: Vec<&Value> = table.as_array().unwrap().iter().map(|row| &row[1]).collect();
    assert_eq!(evaluate(code, &table), json!(expected));
}

#[test]
fn rejects_roles_of_groups_that_do_not_exist() {
    let expected = "Roles names the group `support`, which Groups does not list; add it to Groups, found `admins`";
    for roles in [
        "Roles=admins=all,support=users:read",
        r#"Roles={"admins":["all"],"support":[]}"#,
        "Roles=admins=users:read+users:groups:support",
    ] {
        refuses(check(&format!("{DECIDED} {roles}")), expected);
        assert_eq!(check(&format!("{DECIDED} {roles} Groups=\"admins, support\"")), Ok(String::new()), "{roles}");
    }
    refuses(check(&format!("{DECIDED} Groups=staff")), "Roles names the group `admins`");
    let administrator = format!("{DECIDED} Groups=staff FirstAdminEmail=ops@example.com");
    assert_eq!(check(&administrator), Ok(String::new()), "the first administrator creates the group");
    // Later, administrators create groups.
    Deployment::of_stack(&CURRENT, "Roles=support=users:read").run().succeeded();
}

#[test]
fn rejects_changes_of_fixed_parameters() {
    for (parameters, expected) in [
        ("PoolName=other", "PoolName cannot be changed: the stack has `shop`, found `other`"),
        ("SignIn=email Aliases=", "SignIn cannot be changed: the stack has `username`, found `email`"),
        ("Aliases=email", "Aliases cannot be changed: the stack has `email,phone_number`, found `email`"),
    ] {
        let ran = Deployment::of_stack(&CURRENT, parameters).run();
        assert!(ran.refused().starts_with(expected), "{}", ran.stderr);
    }
    Deployment::of_stack(&CURRENT, "PoolName=shop Aliases=phone_number,email").run().succeeded();
}

#[test]
fn template_calls_the_fixed_parameters_fixed() {
    let code = r#"
from deploy.checks import FIXED
from deploy.template import read_template
parameters = read_template()["Parameters"]
described = [name for name, it in parameters.items() if "Cannot be changed later" in it.get("Description", "")]
print(json.dumps(described == list(FIXED)))
"#;
    assert_eq!(evaluate(code, &Value::Null), json!(true));
}

#[test]
fn checks_current_values_of_the_stack_against_new_rules() {
    let current = [("PoolName", "shop"), ("AutoConfirm", "everyone"), ("AutoVerifyEmail", "everyone")];
    let ran = Deployment::of_stack(&current, "FirstAdminEmail=ops@example.com").run();
    assert!(ran.refused().starts_with("FirstAdminEmail must be empty with AutoVerifyEmail=everyone"), "{}", ran.stderr);
    let ran = Deployment::of_stack(&[("PoolName", "shop"), ("AutoConfirm", "all")], "").run();
    assert!(ran.refused().contains("found `all`, the current value of the stack"), "{}", ran.stderr);
}

#[test]
fn rejects_settings_for_emulators_on_aws() {
    for (parameters, expected) in [
        ("LimitRights=false", "LimitRights must be true on AWS"),
        ("LocalReplyHost=127.0.0.1", "LocalReplyHost must be empty on AWS"),
    ] {
        let ran = Deployment::of_new_stack(&format!("{DECIDED} {parameters}")).run();
        assert!(ran.refused().starts_with(expected), "{}", ran.stderr);
    }
    let mut deployment = Deployment::of_new_stack(DECIDED);
    deployment.environment = vec![("AWS_ENDPOINT_URL", "http://localhost:4566")];
    let ran = deployment.run().succeeded();
    assert_eq!((ran.parameters()["LimitRights"], ran.parameters()["LocalReplyHost"]), ("false", "localhost"));
}

#[test]
fn rejects_topic_of_another_region() {
    let with_topic = |region: &str| {
        let topic = format!("AlarmTopicArn=arn:aws:sns:{region}:123456789012:alarms");
        Deployment::of_new_stack(&format!("{DECIDED} {topic}")).run()
    };
    let refused = with_topic("sa-east-1");
    assert!(refused.refused().starts_with("AlarmTopicArn must be a topic in the Region"), "{}", refused.stderr);
    with_topic("eu-west-1").succeeded();
}

fn with_status(status: &str) -> Ran {
    let mut deployment = Deployment::of_stack(&CURRENT, "");
    deployment.answers["DescribeStacks"] = json!([{"Stacks": [stack(status, &CURRENT)]}]);
    deployment.run()
}

#[test]
fn rejects_stacks_that_cannot_be_updated() {
    for (status, expected) in [
        (
            "ROLLBACK_COMPLETE",
            "the first deployment of the stack shop failed; delete it with `make destroy STACK=shop`",
        ),
        (
            "ROLLBACK_FAILED",
            "the rollback of the first deployment of the stack shop failed; delete it with `make destroy",
        ),
        ("DELETE_FAILED", "the deletion of the stack shop failed; repeat `make destroy STACK=shop`"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "the rollback of the stack shop failed; run `aws cloudformation continue-update-roll",
        ),
        ("UPDATE_IN_PROGRESS", "another operation on the stack shop is running (state UPDATE_IN_PROGRESS); wait until"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "another operation on the stack shop is running"),
    ] {
        let ran = with_status(status);
        assert!(ran.refused().starts_with(expected) && ran.refused().contains(status), "{}", ran.stderr);
    }
    for status in ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"] {
        with_status(status).succeeded();
    }
}

#[test]
fn rejects_stacks_of_other_applications() {
    let ran = Deployment::of_stack(&[("VpcId", "vpc-1")], DECIDED).run();
    assert!(
        ran.refused().starts_with("the stack shop does not belong to Poolkeeper; use another STACK"),
        "{}",
        ran.stderr
    );
    let ran = Deployment::of_new_stack(DECIDED).run_with(&["--stack", "my_shop", "--yes"]);
    assert!(ran.refused().starts_with("STACK must be at most 128 letters, digits and hyphens"), "{}", ran.stderr);
}

#[test]
fn rejects_missing_and_expired_credentials() {
    let mut deployment = Deployment::of_new_stack(DECIDED);
    deployment.answers["GetCallerIdentity"] = json!([error("ExpiredToken", "The security token is expired")]);
    let ran = deployment.run();
    assert!(ran.refused().starts_with("AWS rejects the credentials (ExpiredToken); sign in, e.g. "), "{}", ran.stderr);

    deployment.answers["GetCallerIdentity"] =
        json!([{"Account": "1", "Arn": "arn:aws-cn:iam::123456789012:user/ops", "UserId": "A"}]);
    let ran = deployment.run();
    assert!(ran.refused().contains("(partition aws), found the partition aws-cn"), "{}", ran.stderr);

    // Without an answer, the call fails before it reaches the network.
    deployment.answers.as_object_mut().unwrap().remove("GetCallerIdentity");
    deployment.environment = vec![("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let ran = deployment.run();
    assert!(ran.refused().starts_with("no usable AWS credentials ("), "{}", ran.stderr);

    let deployment = Deployment::of_new_stack(DECIDED);
    deployment.configure("[default.global.parameters]\nprofile = \"shop\"\n");
    let ran = deployment.run();
    assert!(ran.refused().contains("profile (shop) could not be found"), "{}", ran.stderr);
    deployment.configure("");
    let ran = deployment.run();
    assert!(ran.refused().starts_with("no Region is configured; set AWS_REGION"), "{}", ran.stderr);
}

#[test]
fn deploys_without_a_terminal_only_with_yes() {
    let ran = Deployment::of_new_stack(DECIDED).run_with(&["--stack", "shop"]);
    assert!(ran.refused().starts_with("standard input is not a terminal; set YES=1"), "{}", ran.stderr);
    assert!(ran.calls.is_empty(), "{:?}", ran.calls);
    let ran = Deployment::of_new_stack(DECIDED).run().succeeded();
    let place = "Deploys to the account 123456789012, Region eu-west-1, as arn:aws:iam::123456789012:user/ops.";
    assert!(ran.stdout.starts_with(place), "{}", ran.stdout);
    assert_eq!(ran.called("ExecuteChangeSet"), 1);
}

#[test]
fn warns_about_a_deletion_that_keeps_the_pool() {
    let warning =
        "Warning: With DeletionProtection=true, deleting the stack keeps the user pool despite OnDelete=delete";
    let ran = Deployment::of_new_stack("AutoConfirm=nobody OnDelete=delete").run().succeeded();
    assert!(ran.stdout.contains(warning), "{}", ran.stdout);
    let ran = Deployment::of_new_stack("AutoConfirm=nobody OnDelete=delete DeletionProtection=false").run().succeeded();
    assert!(!ran.stdout.contains("Warning"), "{}", ran.stdout);
}
