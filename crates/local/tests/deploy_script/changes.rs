//! The words for a change set and for the events of its execution.

use serde_json::{Value, json};

use super::account::{DECIDED, Deployment, event};
use super::evaluate;

const DESCRIBE: &str = r#"
from deploy.changes import described
print(json.dumps(described("shop", given["changes"], given["values"])))
"#;

const TABLE: &str = "AWS::DynamoDB::Table";
const KEY: &str = "Custom::PoolkeeperInvitationKey";
const LOGS: &str = "AWS::Logs::LogGroup";
const POOL: &str = "Custom::PoolkeeperUserPool";

fn change(action: &str, id: &str, kind: &str, more: &Value) -> Value {
    let mut change = json!({"Action": action, "LogicalResourceId": id, "ResourceType": kind});
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change
}

fn details(evaluation: &str, name: &str, replacement: &str) -> Value {
    json!({"Replacement": replacement, "Details": [{"Evaluation": evaluation, "Target": {"Attribute": "Properties", "Name": name}}]})
}

/// Details of a change that depends on a value that requires a replacement.
fn conditional(changed: &[&str]) -> Value {
    let detail = |evaluation: &str, name: &str, recreation: &str| {
        let target = json!({"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation});
        json!({"Evaluation": evaluation, "Target": target})
    };
    let mut details: Vec<Value> = changed.iter().map(|name| detail("Static", name, "Never")).collect();
    details.push(detail("Dynamic", "Name", "Always"));
    json!({"Replacement": "Conditional", "Details": details})
}

/// The description of one change.
fn line(change: &Value, values: &Value) -> String {
    let lines = evaluate(DESCRIBE, &json!({"changes": [change], "values": values}));
    lines[2].as_str().unwrap().to_owned()
}

#[test]
fn describes_each_change_and_its_effect_on_data() {
    let kept = json!({"OnDelete": "retain", "DeletionProtection": "true"});
    let replaced = json!({"Replacement": "True", "Details": []});
    let none = json!({});
    let retained = json!({"PolicyAction": "Retain", "PhysicalResourceId": "shop-revocations"});
    let table = [
        (change("Add", "Api", "AWS::ApiGatewayV2::Api", &none), "  adds        HTTP API: Api"),
        (
            change("Modify", "AdminApiFunction", "AWS::Lambda::Function", &details("Static", "Code", "False")),
            "  changes     AdminApiFunction (Lambda function): Code",
        ),
        (
            change("Modify", "Api", "AWS::ApiGatewayV2::Api", &replaced),
            "  REPLACES    Api (HTTP API) - the API gets another URL",
        ),
        (
            change("Remove", "Revocations", TABLE, &json!({"PolicyAction": "Delete"})),
            "  DELETES     Revocations (revocation table) - deletes all revocations, so that revoked tokens are valid until they expire",
        ),
        (
            change("Remove", "RetainedRevocations", TABLE, &retained),
            "  removes     RetainedRevocations (revocation table) - the table remains, but the stack no longer reads it, so that revoked tokens are valid until they expire",
        ),
        (
            change(
                "Modify",
                "RetainedRevocations",
                TABLE,
                &json!({"Replacement": "True", "PolicyAction": "ReplaceAndRetain"}),
            ),
            "  REPLACES    RetainedRevocations (revocation table) - the table remains, but the stack no longer reads it, so that revoked tokens are valid until they expire",
        ),
        (
            change("Remove", "RetainedAdminApiLogs", LOGS, &json!({"PolicyAction": "Retain"})),
            "  removes     RetainedAdminApiLogs (log group) - only from the stack; the resource and its data remain",
        ),
        (
            change("Remove", "AdminApiLogs", LOGS, &none),
            "  DELETES     AdminApiLogs (log group) - deletes its log records",
        ),
        (
            change(
                "Modify",
                "RetainedAdminApiLogs",
                LOGS,
                &json!({"Replacement": "True", "PolicyAction": "ReplaceAndRetain"}),
            ),
            "  REPLACES    RetainedAdminApiLogs (log group) - the old resource and its data remain outside of the stack",
        ),
        (
            change("Remove", "InvitationKey", KEY, &none),
            "  DELETES     InvitationKey (invitation signing key) - invalidates all invitations",
        ),
        (
            change("Modify", "InvitationKey", KEY, &details("Static", "Version", "Conditional")),
            "  REPLACES    InvitationKey (invitation signing key) - invalidates all invitations",
        ),
        (
            change("Modify", "InvitationKey", KEY, &details("Static", "ServiceTimeout", "Conditional")),
            "  changes     InvitationKey (invitation signing key): ServiceTimeout",
        ),
        (
            change("Remove", "AlarmSubscription", "AWS::SNS::Subscription", &none),
            "  DELETES     AlarmSubscription (SNS subscription) - alarms are not delivered until the subscription is confirmed again",
        ),
        (
            change("Modify", "UserPool", POOL, &details("Static", "Spec", "Conditional")),
            "  changes     UserPool (user pool with app clients, identity pool, role and policy): Spec - the bootstrap updates the pool and keeps its users",
        ),
        (
            change("Modify", "UserPool", POOL, &replaced),
            "  REPLACES    UserPool (user pool with app clients, identity pool, role and policy) - keeps the user pool, its users and its clients",
        ),
        (
            change("Modify", "ApiStage", "AWS::ApiGatewayV2::Stage", &details("Dynamic", "ApiId", "Conditional")),
            "  may change  only if a value that they refer to changes: ApiStage",
        ),
        (change("Add", "Vpc", "AWS::EC2::VPC", &none), "  adds        AWS::EC2::VPC: Vpc"),
    ];
    for (change, expected) in &table {
        assert_eq!(line(change, &kept), *expected);
    }
    let deleted = json!({"OnDelete": "delete", "DeletionProtection": "false"});
    let pool = line(&change("Remove", "UserPool", POOL, &none), &deleted);
    assert!(pool.ends_with(" - deletes the user pool with all its users"), "{pool}");
    let kept = line(
        &change("Remove", "RetainedRevocations", TABLE, &retained),
        &json!({"RevocationTable": "shop-revocations"}),
    );
    assert!(kept.ends_with(" - only from the stack; the resource and its data remain"), "{kept}");
}

#[test]
fn describes_possible_replacements_and_other_actions() {
    let none = json!({});
    let table = [
        (
            change("Modify", "Api", "AWS::ApiGatewayV2::Api", &conditional(&["Description"])),
            "  may replace Api (HTTP API): Description - the API gets another URL",
        ),
        (
            change("Modify", "AdminApiLogs", LOGS, &conditional(&[])),
            "  may replace AdminApiLogs (log group) - deletes its log records",
        ),
        (
            change("Modify", "AdminApiPermission", "AWS::Lambda::Permission", &conditional(&[])),
            "  may replace permission to invoke a function: AdminApiPermission",
        ),
        (
            change("Modify", "UserPool", POOL, &conditional(&["Spec"])),
            "  changes     UserPool (user pool with app clients, identity pool, role and policy): Spec - the bootstrap updates the pool and keeps its users",
        ),
        (change("Import", "AdminApiLogs", LOGS, &none), "  imports     AdminApiLogs (log group)"),
        (change("SyncWithActual", "AdminApiLogs", LOGS, &none), "  syncs       AdminApiLogs (log group)"),
        (change("Dynamic", "AdminApiLogs", LOGS, &none), "  undecided   AdminApiLogs (log group)"),
    ];
    for (change, expected) in &table {
        assert_eq!(line(change, &none), *expected);
    }
}

#[test]
fn counts_changes_and_names_iam_permissions() {
    let role = |action: &str, id: &str, more: &Value| change(action, id, "AWS::IAM::Role", more);
    let changes = json!([
        role("Add", "NewRole", &json!({})),
        role("Modify", "AdminApiRole", &details("Static", "Policies", "False")),
        role("Modify", "AuthApiRole", &details("Dynamic", "Policies", "False")),
        role("Remove", "OldRole", &json!({})),
        change("Modify", "Api", "AWS::ApiGatewayV2::Api", &json!({"Replacement": "True"})),
        change("Modify", "Logs", "AWS::Logs::LogGroup", &conditional(&["RetentionInDays"])),
    ]);
    let lines = evaluate(DESCRIBE, &json!({"changes": changes, "values": {}}));
    let lines: Vec<&str> = lines.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        lines[0],
        "Changes to the stack shop: 1 to add, 1 to change, 1 to replace, 1 to delete, 1 that may be replaced"
    );
    let first = ["  DELETES     OldRole", "  REPLACES    Api", "  may replace Logs"];
    assert!(lines[2..].iter().zip(first).all(|(line, start)| line.starts_with(start)), "{lines:?}");
    let permissions = [
        "New IAM permissions: NewRole",
        "Changed IAM permissions: AdminApiRole",
        "Possibly changed IAM permissions: AuthApiRole",
    ];
    assert_eq!(lines[lines.len() - 3..], permissions);
}

/// Every type of the template has words of its own.
#[test]
fn names_every_resource_type_of_the_template() {
    let code = r#"
from deploy.changes import KINDS
from deploy.template import read_template
types = {resource["Type"].replace("Serverless", "Lambda") for resource in read_template()["Resources"].values()}
print(json.dumps(sorted(types - KINDS.keys())))
"#;
    assert_eq!(evaluate(code, &Value::Null), json!([]));
}

#[test]
fn unchanged_stack_is_up_to_date() {
    let deployment = Deployment::of_stack(&[("PoolName", "shop"), ("AutoConfirm", "nobody")], "");
    deployment.sam_prints(&json!({"type": "result", "status": "no_changes", "message": "No changes to deploy."}));
    let ran = deployment.run().succeeded();
    assert!(
        ran.stdout.contains("\nThe stack shop is up to date.\n\n  API            https://api.example.com\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.called("ExecuteChangeSet"), 0);
}

#[test]
fn failed_deployment_names_the_reason_and_the_next_step() {
    let refusal = "Received response status [FAILED] from custom resource. Message returned: access denied: \
                   cognito-idp:CreateUserPool (RequestId: 5f1c)";
    let failing = |end: &str, deployment: &mut Deployment| {
        let events = [
            event("6", "shop", end, ""),
            event("5", "Api", "DELETE_COMPLETE", ""),
            event("4", "Api", "CREATE_FAILED", "Resource creation cancelled"),
            event("3", "UserPool", "CREATE_FAILED", refusal),
            event("2", "Api", "CREATE_IN_PROGRESS", ""),
        ];
        deployment.answers["DescribeStackEvents"] =
            json!([{"StackEvents": [event("1", "shop", "REVIEW_IN_PROGRESS", "")]}, {"StackEvents": events}]);
        deployment.run()
    };
    let ran = failing("ROLLBACK_COMPLETE", &mut Deployment::of_new_stack(DECIDED));
    let expected = "  failed    UserPool (Custom::PoolkeeperUserPool): access denied: cognito-idp:CreateUserPool\n  deleted   Api\n";
    assert!(ran.stdout.ends_with(expected), "{}", ran.stdout);
    let expected = "make: the deployment failed (state ROLLBACK_COMPLETE); the lines above name the reasons. Delete the stack with \
                    `make destroy STACK=shop`, then deploy again\n";
    assert_eq!((ran.status, ran.stderr.as_str()), (1, expected));

    let current = [("PoolName", "shop"), ("AutoConfirm", "nobody")];
    let ran = failing("UPDATE_ROLLBACK_COMPLETE", &mut Deployment::of_stack(&current, "Mfa=optional"));
    assert!(ran.stderr.starts_with("make: the update failed (state UPDATE_ROLLBACK_COMPLETE); the"), "{}", ran.stderr);
    let ran = failing("UPDATE_ROLLBACK_FAILED", &mut Deployment::of_stack(&current, "Mfa=optional"));
    let expected = "make: the rollback of the stack shop failed; run `aws cloudformation continue-update-rollback --stack-name shop";
    assert!(ran.stderr.starts_with(expected) && !ran.stderr.contains("works as before"), "{}", ran.stderr);
}
