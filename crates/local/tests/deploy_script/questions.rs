//! Questions, the confirmation and interruptions, in a pseudo-terminal.

use serde_json::{Value, json};

use super::account::{DECIDED, Deployment, error, event, stack};
use super::evaluate;

const CURRENT: [(&str, &str); 3] = [("PoolName", "shop"), ("AutoConfirm", "invited"), ("AccessTokenMinutes", "60")];
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
/// A fake `sam` that is interrupted after it created a change set.
const INTERRUPTED_SAM: &str = "#!/bin/sh\nkill -INT $PPID\n";
const CONFIRM: &str = "Deploy? [y/N]";

#[test]
fn asks_until_each_answer_is_valid() {
    let answers = [
        ("Stack name [poolkeeper]:", "9"),
        ("Stack name [poolkeeper]:", "shop"),
        ("PoolName [shop]:", "a_b"),
        ("PoolName [shop]:", ""),
        ("SelfSignUp [true]:", ""),
        ("AutoConfirm:", ""),
        ("AutoConfirm:", "trusted-domains"),
        ("TrustedEmailDomains [empty]:", ""),
        ("TrustedEmailDomains [empty]:", "example.com"),
        ("AllowedEmailDomains [empty]:", "a\\b"),
        ("AllowedEmailDomains [empty]:", "example.com"),
        ("FirstAdminEmail [empty]:", "ops"),
        ("FirstAdminEmail [empty]:", "ops@example.com"),
        ("AlarmEmail [empty]:", ""),
        (CONFIRM, "y"),
    ];
    let ran = Deployment::of_new_stack("").answer(&[], &answers);
    for error in [
        "  STACK must be at most 128 letters, digits and hyphens, beginning with a letter, found `9`\n",
        "  PoolName must be 1 to 36 letters, digits and hyphens, found `a_b`\n",
        "  AutoConfirm must be `everyone`, `trusted-domains`, `invited` or `nobody`, found ``\n",
        "  AutoConfirm=trusted-domains requires TrustedEmailDomains\n",
        "  AllowedEmailDomains: sam does not support a backslash in a value\n",
        "  FirstAdminEmail must be an e-mail address or empty, found `ops`\n",
    ] {
        assert!(ran.stdout.contains(error), "{error}: {}", ran.stdout);
    }
    let ran = ran.succeeded();
    let expected = [
        ("AlarmEmail", ""),
        ("AllowedEmailDomains", "example.com"),
        ("Architecture", "arm64"),
        ("AutoConfirm", "trusted-domains"),
        ("FirstAdminEmail", "ops@example.com"),
        ("PoolName", "shop"),
        ("SelfSignUp", "true"),
        ("TrustedEmailDomains", "example.com"),
    ];
    assert_eq!(ran.parameters(), expected.into());
    assert_eq!(ran.called("ExecuteChangeSet"), 1);
    for explained in ["  invited          users who present an invitation", "no user has access to the admin routes"] {
        assert!(ran.stdout.contains(explained), "{}", ran.stdout);
    }
}

#[test]
fn asks_only_for_what_is_missing_and_sensible() {
    let given = "PoolName=shop SelfSignUp=false FirstAdminEmail= AlarmEmail=";
    let ran =
        Deployment::of_new_stack(given).answer(&["--stack", "shop"], &[("AutoConfirm:", "nobody"), (CONFIRM, "yes")]);
    let ran = ran.succeeded();
    for not_asked in ["Stack name", "PoolName [", "AllowedEmailDomains [", "TrustedEmailDomains [", "FirstAdminEmail ["]
    {
        assert!(!ran.stdout.contains(not_asked), "{}", ran.stdout);
    }
    // What is given contradicts itself.
    let ran = Deployment::of_new_stack("AutoVerifyEmail=everyone FirstAdminEmail=ops@example.com")
        .answer(&["--stack", "shop"], &[]);
    assert!(ran.stdout.contains("make: FirstAdminEmail must be empty with AutoVerifyEmail=everyone"), "{}", ran.stdout);
}

#[test]
fn update_asks_nothing_and_reuses_values_of_the_stack() {
    let deployment = Deployment::of_stack(&CURRENT, "AccessTokenMinutes=30");
    let ran = deployment.answer(&["--stack", "shop"], &[(CONFIRM, "y")]).succeeded();
    assert_eq!(ran.parameters(), [("AccessTokenMinutes", "30"), ("Architecture", "arm64")].into());
    let update = "Updates the stack shop (2 parameters keep their values).\n  AccessTokenMinutes: 60 -> 30\n";
    assert!(ran.stdout.contains(update), "{}", ran.stdout);
    assert_eq!(ran.called("ExecuteChangeSet"), 1);
    // A version of the template without AutoConfirm.
    let ran = Deployment::of_stack(&[("PoolName", "shop")], "").run();
    assert!(ran.refused().starts_with("PARAMETERS must set AutoConfirm"), "{}", ran.stderr);
    let asked = Deployment::of_stack(&[("PoolName", "shop")], "")
        .answer(&["--stack", "shop"], &[("AutoConfirm:", "nobody"), (CONFIRM, "y")]);
    assert_eq!(asked.succeeded().parameters()["AutoConfirm"], "nobody");
}

#[test]
fn interrupted_questions_build_nothing() {
    for key in [CTRL_C, CTRL_D] {
        for answers in
            [&[("Stack name [", key)][..], &[("Stack name [", "shop"), ("PoolName [", ""), ("SelfSignUp [", key)]]
        {
            let ran = Deployment::of_new_stack("").answer(&[], answers);
            assert_eq!((ran.status, ran.made.as_str()), (130, ""), "{}", ran.stdout);
            assert!(ran.stdout.contains("make deploy: stopped; nothing was deployed"), "{}", ran.stdout);
            assert!(ran.arguments.is_empty(), "{}", ran.stdout);
        }
    }
}

#[test]
fn only_yes_deploys_the_change_set() {
    for answer in ["", "no", "yse", CTRL_C, CTRL_D] {
        let mut deployment = Deployment::of_new_stack("AutoConfirm=nobody");
        deployment.answers["DescribeStacks"] = json!([
            error("ValidationError", "Stack with id shop does not exist"),
            {"Stacks": [stack("REVIEW_IN_PROGRESS", &[])]},
        ]);
        deployment.parameters += " PoolName=shop SelfSignUp=false FirstAdminEmail= AlarmEmail=";
        let ran = deployment.answer(&["--stack", "shop"], &[(CONFIRM, answer)]);
        assert_eq!((ran.status, ran.called("ExecuteChangeSet")), (130, 0), "{answer:?}: {}", ran.stdout);
        let deleted = (ran.called("DeleteChangeSet"), ran.called("DeleteStack"));
        assert_eq!(deleted, (1, 1), "{answer:?}: the change set and the stack that it created");
        assert!(ran.stdout.contains("make deploy: stopped; nothing was deployed"), "{answer:?}: {}", ran.stdout);

        let ran = Deployment::of_stack(&CURRENT, "").answer(&["--stack", "shop"], &[(CONFIRM, answer)]);
        let calls = [("ExecuteChangeSet", 0), ("DeleteChangeSet", 1), ("DeleteStack", 0)];
        assert!(calls.iter().all(|(name, count)| ran.called(name) == *count), "{answer:?}: {:?}", ran.calls);
    }
}

#[test]
fn keeps_a_stack_with_other_change_sets() {
    let mut deployment = Deployment::of_new_stack("AutoConfirm=nobody");
    deployment.answers["DescribeStacks"] = json!([{"Stacks": [stack("REVIEW_IN_PROGRESS", &[])]}]);
    deployment.sam_prints(&json!({"type": "result", "status": "failure", "error": {"message": "no bucket"}}));
    for (status, deleted) in [("CREATE_COMPLETE", 0), ("FAILED", 1)] {
        deployment.answers["ListChangeSets"] = json!([{"Summaries": [{"ChangeSetId": "other", "Status": status}]}]);
        let before = deployment.run();
        assert_eq!(before.stderr, "make: sam cannot create the change set: no bucket\n");
        assert_eq!((before.called("DeleteChangeSet"), before.called("DeleteStack")), (0, deleted), "{status}");
    }
}

#[test]
fn interrupted_sam_leaves_no_change_set() {
    let listed = |sets: &[(&str, &str)]| {
        let summaries = sets.iter().map(|(id, status)| json!({"ChangeSetId": id, "Status": status}));
        json!({"Summaries": summaries.collect::<Vec<_>>()})
    };
    let missing = || error("ValidationError", "Stack with id shop does not exist");
    let mut deployment = Deployment::of_new_stack(DECIDED);
    deployment.sam = INTERRUPTED_SAM;
    deployment.answers["DescribeStacks"] = json!([missing(), {"Stacks": [stack("REVIEW_IN_PROGRESS", &[])]}]);
    deployment.answers["ListChangeSets"] =
        json!([missing(), listed(&[("new", "CREATE_IN_PROGRESS")]), listed(&[("new", "DELETE_PENDING")])]);
    let ran = deployment.run();
    assert_eq!((ran.status, ran.stderr.as_str()), (130, "\nmake deploy: stopped; nothing was deployed\n"));
    assert_eq!((ran.called("DeleteChangeSet"), ran.called("DeleteStack")), (1, 1), "{:?}", ran.calls);
    assert_eq!(ran.called("DescribeChangeSet"), 1, "waits until the change set is created");

    let other = ("other", "CREATE_COMPLETE");
    for (after, deleted) in [(listed(&[other, ("new", "FAILED")]), 1), (listed(&[other]), 0)] {
        let mut deployment = Deployment::of_stack(&CURRENT, "");
        deployment.sam = INTERRUPTED_SAM;
        deployment.answers["ListChangeSets"] = json!([listed(&[other]), after]);
        let ran = deployment.run();
        assert_eq!((ran.status, ran.called("ExecuteChangeSet")), (130, 0), "{}", ran.stderr);
        assert_eq!((ran.called("DeleteChangeSet"), ran.called("DeleteStack")), (deleted, 0), "{:?}", ran.calls);
    }
}

#[test]
fn failed_deletion_of_the_change_set_keeps_the_first_error() {
    let mut deployment = Deployment::of_stack(&CURRENT, "");
    deployment.answers["DescribeChangeSet"] = json!([error("AccessDenied", "not authorized to describe")]);
    deployment.answers["DeleteChangeSet"] = json!([error("AccessDenied", "not authorized to delete")]);
    let ran = deployment.run();
    assert!(
        ran.stderr.starts_with("make: a call to AWS failed: ") && ran.stderr.contains("to describe"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("\nWarning: the change set could not be deleted: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("not authorized to delete"), "{}", ran.stdout);
}

#[test]
fn rejected_execution_deletes_the_change_set() {
    let mut deployment = Deployment::of_stack(&CURRENT, "");
    deployment.answers["ExecuteChangeSet"] = json!([error("AccessDenied", "not authorized")]);
    let ran = deployment.run();
    let expected = "make: CloudFormation does not execute the change set; nothing was deployed: ";
    assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
    assert_eq!(ran.called("DeleteChangeSet"), 1);
}

#[test]
fn interrupted_or_lost_deployment_continues() {
    let mut deployment = Deployment::of_stack(&CURRENT, "");
    let old = json!({"StackEvents": [event("1", "shop", "UPDATE_COMPLETE", "")]});
    for (answer, status, expected) in [
        (json!("Ctrl-C"), 130, "\nmake deploy: stopped waiting; CloudFormation continues with the stack shop\n"),
        (
            error("ExpiredToken", "the token is expired"),
            1,
            "make: lost contact with AWS; CloudFormation continues with the stack shop: An error occurred (ExpiredToken)",
        ),
    ] {
        deployment.answers["DescribeStackEvents"] = json!([old, answer]);
        let ran = deployment.run();
        assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
        assert_eq!((ran.status, ran.called("DeleteChangeSet")), (status, 0), "{:?}", ran.calls);
    }
}

#[test]
fn interrupted_next_steps_report_the_deployment() {
    let mut deployment = Deployment::of_stack(&CURRENT, "");
    let current = json!({"Stacks": [stack("UPDATE_COMPLETE", &CURRENT)]});
    deployment.answers["DescribeStacks"] = json!([current, "Ctrl-C"]);
    let ran = deployment.run();
    assert_eq!((ran.status, ran.stderr.as_str()), (130, "\nmake deploy: stopped; the stack shop is deployed\n"));
}

#[test]
fn explains_every_value_of_the_questions() {
    let code = r#"
from deploy.questions import VALUES
from deploy.template import allowed_values, read_template
parameters = read_template()["Parameters"]
print(json.dumps([name for name, values in VALUES.items() if list(values) != allowed_values(parameters[name])]))
"#;
    assert_eq!(evaluate(code, &Value::Null), json!([]));
}
