//! The text output of `plan`: a sign per resource, the reason, the fields that differ, and a count.

use std::collections::{BTreeMap, BTreeSet};

use domain::provision::{Difference, Plan, Planned, Verdict};
use serde_json::Value;

use crate::labels;
use crate::layout::wrap;

/// Spaces before the details of a resource.
const INDENT: usize = 4;

/// Formats a plan.
pub(crate) fn lines(plan: &Plan, width: usize) -> Vec<String> {
    let names = plan.resources.iter().map(|planned| labels::step(planned.step).len());
    let column = names.max().unwrap_or(0) + 4;
    let mut lines: Vec<String> = plan.resources.iter().flat_map(|planned| resource(planned, column, width)).collect();
    lines.push(String::new());
    lines.extend(wrap("", &count(plan), 2, width));
    lines
}

fn resource(planned: &Planned, column: usize, width: usize) -> Vec<String> {
    let sign = match planned.verdict {
        Verdict::Create => '+',
        Verdict::Change => '~',
        Verdict::Adopt => '>',
        Verdict::Leave => '=',
    };
    let head = format!("{:<column$}", format!("{sign} {}", labels::step(planned.step)));
    let mut lines = wrap(&head, &planned.reason, column, width);
    if let (Some(id), Verdict::Change | Verdict::Adopt) = (&planned.id, planned.verdict) {
        lines.extend(wrap(&" ".repeat(INDENT), &format!("id: {id}"), INDENT, width));
    }
    for Difference { field, current, wanted } in &planned.differences {
        push_difference(field, current, wanted, width, &mut lines);
    }
    lines
}

/// Adds a field with both values. Objects are reduced to the fields that differ.
pub(crate) fn push_difference(field: &str, current: &Value, wanted: &Value, width: usize, lines: &mut Vec<String>) {
    if let (Value::Object(current), Value::Object(wanted)) = (current, wanted) {
        for key in current.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
            let side = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
            let (current, wanted) = (side(current), side(wanted));
            if current != wanted {
                push_difference(&format!("{field}.{key}"), &current, &wanted, width, lines);
            }
        }
        return;
    }
    let indent = " ".repeat(INDENT);
    let line = format!("{indent}{field}: {} → {}", text(current), text(wanted));
    if console::measure_text_width(&line) <= width {
        lines.push(line);
        return;
    }
    lines.extend(wrap(&indent, &format!("{field}:"), INDENT, width));
    let sides = [("- ", current, wanted), ("+ ", wanted, current)];
    for (sign, side, other) in sides {
        for element in only_in(side, other) {
            lines.extend(wrap(&format!("{indent}  {sign}"), &text(element), INDENT + 4, width));
        }
    }
}

/// The elements of the first array that are missing in the second; the first value itself if they are not both arrays.
fn only_in<'a>(side: &'a Value, other: &'a Value) -> Vec<&'a Value> {
    match (side, other) {
        (Value::Array(one), Value::Array(other))
            if one.iter().any(|it| !other.contains(it)) || one.len() < other.len() =>
        {
            one.iter().filter(|it| !other.contains(it)).collect()
        }
        _ => vec![side],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(elements) if elements.is_empty() => "none".to_owned(),
        Value::Array(elements) if !elements.iter().any(|it| it.is_object() || it.is_array()) => {
            elements.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Value::Object(fields) => {
            // Sorted, because `serde_json` keeps the order only if another crate enables `preserve_order`.
            let fields = fields.iter().collect::<BTreeMap<_, _>>().into_iter().map(|(field, value)| match value {
                Value::Object(_) => format!("{field} ({})", text(value)),
                _ => format!("{field} {}", text(value)),
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn count(plan: &Plan) -> String {
    if plan.changes == 0 {
        return "No changes.".to_owned();
    }
    let of = |verdict| plan.resources.iter().filter(|planned| planned.verdict == verdict).count();
    let counts = [
        (of(Verdict::Create), "to create"),
        (of(Verdict::Adopt), "to adopt"),
        (of(Verdict::Change), "to change"),
        (of(Verdict::Leave), "unchanged"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("Plan: {}.", counts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use domain::provision::{Action, Step};
    use serde_json::json;

    use super::*;
    use crate::layout::UNLIMITED;

    fn planned(step: Step, verdict: Verdict, reason: &str, differences: &[(&str, Value, Value)]) -> Planned {
        let id = (verdict != Verdict::Create).then(|| "us-east-1_AbCdEfGhI".to_owned());
        let differences = differences
            .iter()
            .map(|(field, current, wanted)| Difference {
                field: (*field).to_owned(),
                current: current.clone(),
                wanted: wanted.clone(),
            })
            .collect();
        Planned { step, verdict, id, reason: reason.to_owned(), differences }
    }

    fn plan(resources: Vec<Planned>) -> Plan {
        let changes = resources.iter().filter(|planned| planned.verdict != Verdict::Leave).count();
        Plan { action: Action::Plan, changes, resources }
    }

    fn mixed() -> Plan {
        let flows = |flows: &[&str]| json!(flows);
        let provider = |client: &str| json!({"user_pool_id": "us-east-1_AbCdEfGhI", "client_id": client, "server_side_token_check": true});
        plan(vec![
            planned(
                Step::UserPool,
                Verdict::Change,
                "2 fields differ",
                &[
                    (
                        "password_policy",
                        json!({"minimum_length": 12, "require_symbols": true}),
                        json!({"minimum_length": 8, "require_symbols": true}),
                    ),
                    (
                        "pre_sign_up_function_arn",
                        Value::Null,
                        json!("arn:aws:lambda:us-east-1:000000000000:function:poolkeeper-shop-PreSignUp-AbCdEf"),
                    ),
                ],
            ),
            planned(
                Step::WebClient,
                Verdict::Change,
                "auth_flows differs",
                &[(
                    "auth_flows",
                    flows(&["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]),
                    flows(&["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]),
                )],
            ),
            planned(Step::Groups, Verdict::Leave, "the spec lists no groups", &[]),
            planned(
                Step::IdentityPool,
                Verdict::Change,
                "providers differs",
                &[(
                    "providers",
                    json!([provider("a1b2c3d4e5f6g7h8i9j0k1l2m3")]),
                    json!([provider("a1b2c3d4e5f6g7h8i9j0k1l2m3"), provider("(known after apply)")]),
                )],
            ),
            planned(
                Step::Role,
                Verdict::Adopt,
                "left by an interrupted run: owned by this pool, but nothing refers to it",
                &[],
            ),
            planned(
                Step::IdentityPoolRole,
                Verdict::Create,
                "the identity pool has no role for authenticated users",
                &[],
            ),
        ])
    }

    #[test]
    fn shows_changes_reasons_and_counts() {
        insta::assert_snapshot!(lines(&mixed(), 80).join("\n"));
    }

    #[test]
    fn wraps_on_a_terminal_but_not_in_a_pipe() {
        for width in [40, 60, 80, 120] {
            assert!(lines(&mixed(), width).iter().all(|line| measure_text_width(line) <= width), "{width}");
        }
        let in_a_pipe = lines(&mixed(), UNLIMITED);
        let flows = "    auth_flows: ALLOW_USER_SRP_AUTH, ALLOW_USER_AUTH, ALLOW_REFRESH_TOKEN_AUTH → ALLOW_USER_SRP_AUTH, \
                     ALLOW_REFRESH_TOKEN_AUTH";
        assert!(in_a_pipe.iter().any(|line| line == flows), "{in_a_pipe:#?}");
    }

    #[test]
    fn says_when_there_are_no_changes() {
        let plan = plan(vec![planned(Step::UserPool, Verdict::Leave, "up to date", &[])]);
        assert_eq!(lines(&plan, 80), ["= user pool  up to date", "", "No changes."]);
    }
}
