//! Which statements the policy of authenticated users can hold: named actions of one service on named resources.
//!
//! A statement has actions and resources only. `NotAction`, `NotResource`, `Effect` and `Condition` are unknown fields.

use super::Statement;

/// Services by which a role changes its own permissions, takes another role, or changes the account. No statement reaches them.
const REFUSED_SERVICES: [&str; 4] = ["account", "iam", "organizations", "sts"];

/// Services whose ARNs begin with the name of the resource. Those of other services begin with its type, such as `table/orders`.
const WITHOUT_TYPE: [&str; 3] = ["execute-api", "sns", "sqs"];

/// The one policy variable that an ARN may hold: the identity of the caller, which Cognito assigns.
const CALLER: &str = "${cognito-identity.amazonaws.com:sub}";

const WILDCARDS: [char; 2] = ['*', '?'];

impl Statement {
    /// The field that is too wide, with what is expected.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let expected_action = "must be single actions such as `s3:GetObject`, without wildcards, and of no service among account, iam, \
                               organizations and sts";
        let expected_resource = "must be ARNs that name a resource, such as `arn:aws:s3:::shop/*` or \
                                 `arn:aws:dynamodb:eu-west-1:123456789012:table/orders`; a wildcard can only follow a part of the name";
        let wrong = |field, expected: &str, found: Option<&String>| {
            (field, found.map_or_else(|| expected.to_owned(), |found| format!("{expected}; found `{found}`")))
        };
        let action = self.actions.iter().find(|action| !is_single_action(action));
        if self.actions.is_empty() || action.is_some() {
            return Some(wrong("authenticated_policy.actions", expected_action, action));
        }
        let resource = self.resources.iter().find(|resource| !names_a_resource(resource));
        if self.resources.is_empty() || resource.is_some() {
            return Some(wrong("authenticated_policy.resources", expected_resource, resource));
        }
        None
    }
}

/// IAM compares services and actions without regard to case.
fn is_single_action(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    is_allowed_service(service) && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_allowed_service(service: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !service.is_empty()
        && service.bytes().all(is_plain)
        && !REFUSED_SERVICES.iter().any(|refused| refused.eq_ignore_ascii_case(service))
}

/// Whether an ARN has a wildcard only after a part of the resource's own name: not in front of the resource, not for a whole type.
fn names_a_resource(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else { return false };
    let is_plain =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let head = [partition, region, account].into_iter().all(is_plain) && !partition.is_empty();
    let resource = resource.replace(CALLER, "caller");
    // Any other variable could be empty, or hold what a user chose.
    if !head || !is_allowed_service(service) || resource.contains('$') || resource.contains(char::is_whitespace) {
        return false;
    }
    let (first, rest) = match resource.split_once(['/', ':']) {
        Some((first, rest)) => (first, Some(rest)),
        None => (resource.as_str(), None),
    };
    let is_bucket = *service == "s3" && account.is_empty();
    match rest {
        // A bucket, an API or a topic by name; what is in it may be a wildcard.
        _ if is_bucket || WITHOUT_TYPE.contains(service) => !first.is_empty() && !first.contains(WILDCARDS),
        Some(name) => !first.is_empty() && !first.contains(WILDCARDS) && begins_with_name(name),
        None => !first.is_empty() && !first.contains(WILDCARDS),
    }
}

/// Whether a letter or digit stands before the first wildcard.
fn begins_with_name(name: &str) -> bool {
    let literal = name.split(WILDCARDS).next().unwrap_or_default();
    literal.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::Spec;

    const FINE: &str = "arn:aws:s3:::shop/*";

    fn fault(action: &str, resource: &str) -> Option<&'static str> {
        let statement = Statement { actions: vec![action.to_owned()], resources: vec![resource.to_owned()] };
        statement.fault().map(|(field, _)| field)
    }

    #[test]
    fn accepts_single_actions_on_named_resources() {
        for action in ["s3:GetObject", "dynamodb:Query", "execute-api:Invoke", "cognito-identity:GetId", "S3:getobject"]
        {
            assert_eq!(fault(action, FINE), None, "{action}");
        }
        for resource in [
            FINE,
            "arn:aws:s3:::shop",
            "arn:aws:s3:::shop/${cognito-identity.amazonaws.com:sub}/*",
            "arn:aws-cn:s3:::shop/*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/*",
            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*",
            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/*",
            "arn:aws:iot:eu-west-1:123456789012:client/${cognito-identity.amazonaws.com:sub}",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/front-end:*",
            "arn:aws:sqs:eu-west-1:123456789012:orders",
        ] {
            assert_eq!(fault("s3:GetObject", resource), None, "{resource}");
        }
    }

    #[test]
    fn rejects_wildcards_in_actions_and_services_that_grant_permissions() {
        let wide = [
            "*",
            "**",
            "s3",
            "s3:",
            "s3:*",
            "s3:?*",
            "s3:Get*",
            "s3:GetObjec?",
            "*:GetObject",
            "s?:GetObject",
            ":GetObject",
        ];
        let granting = [
            "iam:*e*",
            "iam:PassRole",
            "IAM:CreateUser",
            "Iam:getuser",
            "sts:AssumeRole",
            "STS:assumerole",
            "sts:GetSessionToken",
            "organizations:LeaveOrganization",
            "account:CloseAccount",
            "Account:closeaccount",
        ];
        let malformed = [
            "",
            " s3:GetObject",
            "s3:GetObject ",
            "s3:Get Object",
            "s3:a:b",
            "s3::GetObject",
            "ｉam:PassRole",
            "s3:${x}",
        ];
        for action in wide.into_iter().chain(granting).chain(malformed) {
            assert_eq!(fault(action, FINE), Some("authenticated_policy.actions"), "{action}");
        }
    }

    #[test]
    fn rejects_resources_that_cover_everything_of_a_service() {
        for resource in [
            "*",
            "**",
            "?",
            "",
            "shop",
            "*:*",
            "arn:*",
            "arn:aws:*",
            "arn:aws:s3:::*",
            "arn:aws:s3:::*/*",
            "arn:aws:s3:::?*/x",
            "arn:aws:s3:::**/*",
            "arn:aws:s3:::/*",
            "arn:aws:s3:::",
            "arn:aws:s3:::s*",
            "arn:aws:s3:::shop*/x",
            "arn:*:s3:::shop",
            "arn:aws*:s3:::shop",
            "arn::s3:::shop",
            "arn:aws:*:::shop",
            "arn:aws:s?:::shop",
            "arn:aws::::shop",
            "ARN:aws:s3:::shop",
            "arn:aws:s3:::${aws:username}",
            "arn:aws:s3:::${*}/x",
            "arn:aws:s3:::sh op",
            "arn:aws:dynamodb:eu-west-1:123456789012:*",
            "arn:aws:dynamodb:eu-west-1:123456789012:*/*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/?*",
            "arn:aws:dynamodb:eu-west-1:123456789012:t*/orders",
            "arn:aws:dynamodb:*:123456789012:table/orders",
            "arn:aws:dynamodb:eu-west-1:*:table/orders",
            "arn:aws:dynamodb:eu-west-?:123456789012:table/orders",
            "arn:aws:lambda:eu-west-1:123456789012:function:*",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/*",
            "arn:aws:execute-api:eu-west-1:123456789012:*/*",
            "arn:aws:sqs:eu-west-1:123456789012:*",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/*",
            "arn:aws:s3:eu-west-1:123456789012:t*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table*",
            "arn:aws:lambda:eu-west-1:123456789012:function?orders",
            "arn:aws:iam::123456789012:role/Admin",
            "arn:aws:sts::123456789012:assumed-role/Admin/x",
            "arn:aws:Organizations::123456789012:account/o/1",
        ] {
            assert_eq!(fault("s3:GetObject", resource), Some("authenticated_policy.resources"), "{resource}");
        }
    }

    #[test]
    fn a_statement_has_no_field_that_turns_it_round() {
        for field in
            ["NotAction", "NotResource", "not_actions", "not_resources", "Effect", "effect", "Condition", "Principal"]
        {
            let statement =
                serde_json::json!({"actions": ["s3:GetObject"], "resources": [FINE], field: ["s3:PutObject"]});
            let spec = serde_json::json!({"name": "shop", "authenticated_policy": [statement]});
            let error = serde_json::from_value::<Spec>(spec).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{field}: {error}");
        }
        for (actions, resources) in [(vec![], vec![FINE.to_owned()]), (vec!["s3:GetObject".to_owned()], vec![])] {
            assert!(Statement { actions, resources }.fault().is_some());
        }
    }

    /// IAM's matching of a pattern with `*` and `?`.
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) if matches(rest, text) => true,
            (Some((b'*', _)), Some((_, others))) => matches(pattern, others),
            (Some((b'?', rest)), Some((_, others))) => matches(rest, others),
            (Some((one, rest)), Some((other, others))) => one.eq_ignore_ascii_case(other) && matches(rest, others),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn no_accepted_action_reaches_a_granting_service(action in "([a-zA-Z*?]{0,3}(iam|sts|IAM|Sts|account|organizations)?[a-z*?-]{0,2}):[A-Za-z*?]{0,12}") {
            if fault(&action, FINE).is_none() {
                for target in ["iam:PassRole", "sts:AssumeRole", "organizations:LeaveOrganization", "account:CloseAccount"] {
                    prop_assert!(!matches(action.as_bytes(), target.as_bytes()), "{} reaches {}", action, target);
                }
                prop_assert!(!action.contains(WILDCARDS));
            }
        }

        #[test]
        fn no_accepted_resource_covers_two_unrelated_names(
            service in "(s3|dynamodb|lambda|sqs|execute-api)",
            place in "(::|eu-west-1:123456789012:|\\*:\\*:|:\\?:|eu-west-1:\\*:)",
            resource in "[a-z*?]{0,3}([/:][a-z*?/:]{0,6})?",
        ) {
            let arn = format!("arn:aws:{service}:{place}{resource}");
            if fault("s3:GetObject", &arn).is_none() {
                // Names that share no first letter, in every form that the service has.
                let is_bucket = service == "s3" && place == "::";
                let is_named = is_bucket || WITHOUT_TYPE.contains(&service.as_str());
                let kinds: &[&str] = if is_named { &[""] } else { &["", "table/", "function:", "t/", "t:"] };
                let head = arn.split(':').take(5).collect::<Vec<_>>().join(":");
                let covers = |name: &str| {
                    let forms = kinds.iter().flat_map(|kind| ["", "/x", "/a/b", ":x"].map(|inside| format!("{kind}{name}{inside}")));
                    forms.into_iter().any(|form| matches(arn.as_bytes(), format!("{head}:{form}").as_bytes()))
                };
                prop_assert!(!(covers("0123") && covers("9876")), "{} covers unrelated names", arn);
            }
        }
    }
}
