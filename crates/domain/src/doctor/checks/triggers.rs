//! Checks whether Cognito can invoke the triggers of a user pool. A failed invocation fails the sign-up or sign-in.
//!
//! Lambda's developer guide describes the [states](https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html).

use serde_json::Value;

use super::policies::{allowing, conditions, matches, texts};
use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observed::{ObservedUserPool, Trigger};
use crate::platform::UserPool;

/// The service principal of user pools.
const COGNITO: &str = "cognito-idp.amazonaws.com";

const SOURCE_ARN: &str = "aws:SourceArn";
const SOURCE_ACCOUNT: &str = "aws:SourceAccount";

pub(super) fn findings(pool: &ObservedUserPool, triggers: &[Trigger], fixes: &Fixes<'_>) -> Vec<Finding> {
    triggers.iter().flat_map(|trigger| of_trigger(&pool.pool, trigger, fixes)).collect()
}

fn of_trigger(pool: &UserPool, trigger: &Trigger, fixes: &Fixes<'_>) -> Vec<Finding> {
    let (name, arn) = (trigger.name, &trigger.function_arn);
    let subject = format!("trigger {name} ({arn})");
    let Some(function) = &trigger.function else {
        let reason = "the function does not exist, so the trigger fails".to_owned();
        let fix = fixes.outside_spec(&format!("{} = \"FUNCTION_ARN\"", path(name)));
        return vec![Finding::new(Check::TriggerMissing, subject, reason, fix)];
    };
    let mut findings = Vec::new();
    let mut found =
        |check, reason: String, fix: String| findings.push(Finding::new(check, subject.clone(), reason, fix));
    // The output of this command contains the reason.
    let inspect = fixes.aws("lambda", &format!("get-function-configuration --function-name {arn}"));
    if let Some(state @ ("Failed" | "Inactive")) = function.state.as_deref() {
        let reason = format!("the state of the function is {state}, so the next invocation fails");
        found(Check::TriggerFailed, reason, inspect.clone());
    }
    if function.last_update_status.as_deref() == Some("Failed") {
        let reason = "the last update of the function failed, so it runs its previous code and settings".to_owned();
        found(Check::TriggerUpdateFailed, reason, inspect);
    }
    if function.reserved_concurrency == Some(0) {
        let command = format!("delete-function-concurrency --function-name {arn}");
        let reason = "the function has a reserved concurrency of 0, so Lambda rejects every invocation".to_owned();
        found(Check::TriggerThrottled, reason, fixes.aws("lambda", &command));
    }
    let (pool_id, pool_arn) = (&pool.id, &pool.arn);
    let permit = format!(
        "add-permission --function-name {arn} --statement-id cognito-{pool_id} --action lambda:InvokeFunction --principal \
         {COGNITO} --source-arn {pool_arn} --source-account {}",
        account(pool_arn)
    );
    let permits: Vec<&Value> = allowing(&function.policy).filter(|one| permits(one, pool_arn)).collect();
    if permits.is_empty() {
        let reason = "the function's resource policy does not allow Cognito to invoke it for this user pool".to_owned();
        found(Check::TriggerNotPermitted, reason, fixes.aws("lambda", &permit));
    }
    for statement in permits.into_iter().filter(|statement| is_open(statement)) {
        let id = statement.get("Sid").and_then(Value::as_str).unwrap_or("STATEMENT_ID");
        let remove = format!("remove-permission --function-name {arn} --statement-id {id}");
        found(
            Check::TriggerOpenPermission,
            format!("the statement {id} of the resource policy also allows user pools of other accounts"),
            format!("{} && {}", fixes.aws("lambda", &permit), fixes.aws("lambda", &remove)),
        );
    }
    findings
}

/// The account in an ARN.
fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// Whether a statement allows this pool to invoke the function. Conditions on other keys count as met.
fn permits(statement: &Value, pool_arn: &str) -> bool {
    let principal = statement.get("Principal");
    let services = principal.and_then(|principal| principal.get("Service"));
    let is_cognito = texts(principal).contains(&"*") || texts(services).contains(&COGNITO);
    let invokes = texts(statement.get("Action"))
        .into_iter()
        .any(|action| matches(&action.to_ascii_lowercase(), "lambda:invokefunction"));
    let accepts = |key, value: &str| {
        let lists = conditions(statement, is_equality, key);
        lists.iter().all(|patterns| patterns.iter().any(|pattern| matches(pattern, value)))
    };
    is_cognito && invokes && accepts(SOURCE_ARN, pool_arn) && accepts(SOURCE_ACCOUNT, account(pool_arn))
}

/// Whether a statement allows several accounts, because no condition contains an account without wildcards.
fn is_open(statement: &Value) -> bool {
    let arns = conditions(statement, is_equality, SOURCE_ARN);
    let accounts = conditions(statement, is_equality, SOURCE_ACCOUNT);
    !arns.iter().any(|arns| arns.iter().all(|arn| is_exact(account(arn))))
        && !accounts.iter().any(|ids| ids.iter().all(|id| is_exact(id)))
}

fn is_exact(account: &str) -> bool {
    !account.is_empty() && !account.contains(['*', '?'])
}

fn is_equality(operator: &str) -> bool {
    ["ArnLike", "ArnEquals", "StringLike", "StringEquals"].contains(&operator)
}

/// The jq path of a trigger.
fn path(name: &str) -> String {
    match name {
        "CustomEmailSender" | "CustomSMSSender" | "InboundFederation" => format!(".LambdaConfig.{name}.LambdaArn"),
        name => format!(".LambdaConfig.{name}"),
    }
}
