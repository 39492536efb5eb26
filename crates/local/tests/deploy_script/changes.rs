//! The words for a change set and for the events of its execution.

use serde_json::{Value, json};

use super::account::{DECIDED, Deployment, event};
use super::evaluate;

const DESCRIBE: &str = r#"
from deploy.changes import described
print(json.dumps(described("shop", given["changes"], given["values"])))
"#;

fn change(action: &str, id: &str, kind: &str, more: &Value) -> Value {
    let mut change = json!({"Action": action, "LogicalResourceId": id, "ResourceType": kind});
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change
}

fn details(evaluation: &str, name: &str, replacement: &str) -> Value {
    json!({"Replacement": replacement, "Details": [{"Evaluation": evaluation, "Target": {"Attribute": "Properties", "Name": name}}]})
}

/// The description of one change.
fn line(change: &Value, values: &Value) -> String {
    let lines = evaluate(DESCRIBE, &json!({"changes": [change], "values": values}));
    lines[2].as_str().unwrap().to_owned()
}

#[test]
fn describes_each_change_and_its_effect_on_data() {
    const TABLE: &str = "AWS::DynamoDB::Table";
    const LOGS: &str = "AWS::Logs::LogGroup";
    const POOL: &str = "Custom::PoolkeeperUserPool";
    let kept = json!({"OnDelete": "retain", "DeletionProtection": "true"});
    let replaced = json!({"Replacement": "True", "Details": []});
    let none = json!({});
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
            change("Remove", "RetainedRevocations", TABLE, &json!({"PolicyAction": "Retain"})),
            "  removes     RetainedRevocations (revocation table) - only from the stack; the resource and its data remain",
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
            change("Remove", "InvitationKey", "Custom::PoolkeeperInvitationKey", &none),
            "  DELETES     InvitationKey (invitation signing key) - invalidates all invitations",
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
            "  may change  only if a resource that they refer to is replaced: ApiStage",
        ),
        (change("Add", "Vpc", "AWS::EC2::VPC", &none), "  adds        AWS::EC2::VPC: Vpc"),
    ];
    for (change, expected) in &table {
        assert_eq!(line(change, &kept), *expected);
    }
    let deleted = json!({"OnDelete": "delete", "DeletionProtection": "false"});
    let pool = line(&change("Remove", "UserPool", POOL, &none), &deleted);
    assert!(pool.ends_with(" - deletes the user pool with all its users"), "{pool}");
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
    ]);
    let lines = evaluate(DESCRIBE, &json!({"changes": changes, "values": {}}));
    let lines: Vec<&str> = lines.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(lines[0], "Changes to the stack shop: 1 to add, 1 to change, 1 to replace, 1 to delete");
    assert!(lines[2].starts_with("  DELETES     OldRole") && lines[3].starts_with("  REPLACES    Api"), "{lines:?}");
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
}
