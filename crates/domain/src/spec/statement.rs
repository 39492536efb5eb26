//! Checks the statements of the policy of authenticated users: single actions on named resources.
//!
//! A statement has actions and resources only. `NotAction`, `NotResource`, `Effect` and `Condition` are unknown fields.

use super::Statement;

/// Services with which a role could change its permissions, assume another role or change the account. Their actions
/// are rejected.
const REFUSED_SERVICES: [&str; 4] = ["account", "iam", "organizations", "sts"];

/// Resources that contain other resources. Each row has the service, the prefix of the name in the ARN, and the
/// separator after the name. A wildcard is accepted only after the name and its separator. Other resources must be
/// named in full, because all resources of a type can share the first segments of their ARNs (`loadbalancer/app/`,
/// `user/default/`, `regional/webacl/`) or the first characters of their ids (`i-`).
///
/// `make oracle` compares the rows with AWS's service authorization data.
const CONTAINERS: [(&str, &str, char); 15] = [
    ("appsync", "apis/", '/'),
    ("chime", "app-instance/", '/'),
    ("cognito-sync", "identitypool/", '/'),
    ("dynamodb", "table/", '/'),
    ("es", "domain/", '/'),
    ("execute-api", "", '/'),
    ("iot", "topic/", '/'),
    ("iot", "topicfilter/", '/'),
    ("kinesisvideo", "channel/", '/'),
    ("kinesisvideo", "stream/", '/'),
    ("lambda", "function:", ':'),
    ("logs", "log-group:", ':'),
    // Bucket ARNs have neither a type nor an account. The other ARNs of S3 have both.
    ("s3", "", '/'),
    ("s3", "accesspoint/", '/'),
    ("states", "execution:", ':'),
];

/// The only policy variable that an ARN can contain: the identity of the caller, which Cognito assigns.
const CALLER: &str = "${cognito-identity.amazonaws.com:sub}";

const WILDCARDS: [char; 2] = ['*', '?'];

/// The wildcards of IAM and of MQTT topic filters.
const IOT_WILDCARDS: [char; 4] = ['*', '?', '#', '+'];

const EXPECTED_RESOURCE: &str = "must be ARNs that name a resource, such as `arn:aws:s3:::shop/*` or \
                                 `arn:aws:dynamodb:eu-west-1:123456789012:table/orders`, without wildcards before the name";

impl Statement {
    /// Returns the field that is not valid, with the expected value.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let expected_action = "must be single actions such as `s3:GetObject`, without wildcards; actions of account, iam, \
                               organizations and sts are not allowed";
        let action = self.actions.iter().find(|action| !is_single_action(action));
        if self.actions.is_empty() || action.is_some() {
            let found = action.map(|action| format!("; found `{action}`")).unwrap_or_default();
            return Some(("authenticated_policy.actions", format!("{expected_action}{found}")));
        }
        let problem = match self.resources.as_slice() {
            [] => Some(EXPECTED_RESOURCE.to_owned()),
            resources => resources.iter().find_map(|arn| Some(format!("{}; found `{arn}`", resource_fault(arn)?))),
        };
        problem.map(|problem| ("authenticated_policy.resources", problem))
    }
}

/// Ignores the case of the service, as IAM does.
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

/// Returns the problem of an ARN that does not name a resource, or has a wildcard anywhere but after the name of a
/// container.
fn resource_fault(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return Some(EXPECTED_RESOURCE.to_owned());
    };
    let is_plain =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let head = [partition, region, account].into_iter().all(is_plain) && !partition.is_empty();
    let resource = resource.replace(CALLER, "caller");
    // Any other variable could be empty, or contain a value that a user chose.
    let is_literal = !resource.contains('$') && !resource.contains(char::is_whitespace);
    if !head || !is_allowed_service(service) || !is_literal || !has_name(&resource) {
        return Some(EXPECTED_RESOURCE.to_owned());
    }
    let wildcards = if *service == "iot" { IOT_WILDCARDS.as_slice() } else { WILDCARDS.as_slice() };
    let (literal, _) = resource.split_once(wildcards)?;
    let containers: Vec<(&str, char)> = containers(service, !account.is_empty()).collect();
    if containers.iter().any(|(kind, end)| names_container(literal, kind, *end)) {
        return None;
    }
    let forms: Vec<String> = containers.iter().map(|(kind, end)| format!("`{kind}NAME{end}*`")).collect();
    Some(match forms.as_slice() {
        [] => format!("must name resources of {service} completely, without wildcards"),
        forms => format!("must have wildcards only after a complete name, for {service} {}", forms.join(" or ")),
    })
}

/// Whether a resource has a first segment that is followed by more than separators.
fn has_name(resource: &str) -> bool {
    match resource.split_once(['/', ':']) {
        Some((first, rest)) => !first.is_empty() && !rest.trim_matches(['/', ':']).is_empty(),
        None => !resource.is_empty(),
    }
}

/// The prefixes and separators of the service's containers.
fn containers(service: &str, has_account: bool) -> impl Iterator<Item = (&'static str, char)> {
    let of_service = CONTAINERS.iter().filter(move |(owner, ..)| *owner == service);
    of_service
        .filter(move |(owner, kind, _)| *owner != "s3" || kind.is_empty() != has_account)
        .map(|(_, kind, end)| (*kind, *end))
}

/// Whether the text before the first wildcard contains the complete name of a container and the separator.
fn names_container(literal: &str, kind: &str, end: char) -> bool {
    let name = literal.strip_prefix(kind).and_then(|rest| rest.split_once(end));
    name.is_some_and(|(name, _)| !name.is_empty())
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
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-?",
            "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEfGhI",
            "arn:aws:cognito-sync:eu-west-1:123456789012:identitypool/eu-west-1:0a1b/identity/${cognito-identity.amazonaws.com:sub}/*",
            "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/0123456789abcdef",
            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*",
            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/*",
            "arn:aws:iot:eu-west-1:123456789012:client/${cognito-identity.amazonaws.com:sub}",
            "arn:aws:iot:eu-west-1:123456789012:topic/shop/*",
            "arn:aws:iot:eu-west-1:123456789012:topic/${cognito-identity.amazonaws.com:sub}/*",
            "arn:aws:iot:eu-west-1:123456789012:topicfilter/shop/#",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders:*",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/front-end:*",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/shop/object/*",
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
    fn rejects_resources_that_do_not_name_one_resource() {
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
            // Wildcards inside a name. AWS's ids have a common prefix, and names can be guessed.
            "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_*",
            "arn:aws:cognito-identity:eu-west-1:123456789012:identitypool/eu-west-1:*",
            "arn:aws:ec2:eu-west-1:123456789012:instance/i-*",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-*",
            "arn:aws:sns:eu-west-1:123456789012:shop-*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/order?/index/by-day",
            "arn:aws:lambda:eu-west-1:123456789012:function:shop-*",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders*:1",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/*",
            "arn:aws:iot:eu-west-1:123456789012:client/${cognito-identity.amazonaws.com:sub}*",
            "arn:aws:s3:::${cognito-identity.amazonaws.com:sub}*",
            // Segments that all resources of a type share.
            "arn:aws:clouddirectory:eu-west-1:123456789012:schema/development/*",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/*",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/net/*",
            "arn:aws:events:eu-west-1:123456789012:rule/default/*",
            "arn:aws:healthlake:eu-west-1:123456789012:datastore/fhir/*",
            "arn:aws:inspector2:eu-west-1:123456789012:owner/123456789012/*",
            "arn:aws:quicksight:eu-west-1:123456789012:user/default/*",
            "arn:aws:s3:eu-west-1:123456789012:access-grants/default/*",
            "arn:aws:s3:eu-west-1:123456789012:access-grants/default/grant/*",
            "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/*",
            // No name before the wildcard, or not the name of a container.
            "arn:aws:dynamodb:eu-west-1:123456789012:table//*",
            "arn:aws:dynamodb:eu-west-1:123456789012:global-table/orders/*",
            "arn:aws:lambda:eu-west-1:123456789012:function::*",
            "arn:aws:logs:eu-west-1:123456789012:log-group::*",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/",
            "arn:aws:dynamodb::123456789012:orders/*",
            // Wildcards of MQTT.
            "arn:aws:iot:eu-west-1:123456789012:topicfilter/#",
            "arn:aws:iot:eu-west-1:123456789012:topicfilter/+/orders",
            "arn:aws:iot:eu-west-1:123456789012:topicfilter/shop+/*",
            "arn:aws:iot:eu-west-1:123456789012:topic/$aws/*",
        ] {
            assert_eq!(fault("s3:GetObject", resource), Some("authenticated_policy.resources"), "{resource}");
        }
    }

    #[test]
    fn explains_a_rejected_wildcard_with_the_forms_of_its_service() {
        let scope = "eu-west-1:123456789012";
        for (arn, problem) in [
            (
                format!("arn:aws:ec2:{scope}:instance/i-*"),
                "must name resources of ec2 completely, without wildcards; found `",
            ),
            (
                format!("arn:aws:dynamodb:{scope}:table/shop-*"),
                "must have wildcards only after a complete name, for dynamodb `table/NAME/*`; found `",
            ),
            (
                format!("arn:aws:iot:{scope}:topicfilter/#"),
                "must have wildcards only after a complete name, for iot `topic/NAME/*` or `topicfilter/NAME/*`; found `",
            ),
            (
                "arn:aws:s3:::shop*".to_owned(),
                "must have wildcards only after a complete name, for s3 `NAME/*`; found `",
            ),
            (
                format!("arn:aws:s3:{scope}:access-grants/default/*"),
                "must have wildcards only after a complete name, for s3 `accesspoint/NAME/*`; found `",
            ),
            ("arn:aws:dynamodb:*:123456789012:table/orders".to_owned(), "must be ARNs that name a resource, such as"),
        ] {
            let found = resource_fault(&arn).map(|problem| format!("{problem}; found `{arn}`"));
            let statement =
                Statement { actions: vec!["s3:GetObject".to_owned()], resources: vec![FINE.to_owned(), arn] };
            let (field, message) = statement.fault().unwrap();
            assert_eq!((field, Some(&message)), ("authenticated_policy.resources", found.as_ref()));
            assert!(message.starts_with(problem), "{message}");
        }
    }

    #[test]
    fn rejects_fields_that_invert_a_statement() {
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
        fn accepted_actions_never_reach_rejected_services(action in "([a-zA-Z*?]{0,3}(iam|sts|IAM|Sts|account|organizations)?[a-z*?-]{0,2}):[A-Za-z*?]{0,12}") {
            if fault(&action, FINE).is_none() {
                for target in ["iam:PassRole", "sts:AssumeRole", "organizations:LeaveOrganization", "account:CloseAccount"] {
                    prop_assert!(!matches(action.as_bytes(), target.as_bytes()), "{} reaches {}", action, target);
                }
                prop_assert!(!action.contains(WILDCARDS));
            }
        }

        #[test]
        fn accepted_resources_never_cover_two_names(
            service in "(s3|dynamodb|lambda|sqs|execute-api|ec2|elasticloadbalancing|cognito-idp)",
            scope in "(::|eu-west-1:123456789012:|\\*:\\*:|\\?:|eu-west-1:\\*:)",
            kind in "(table/|function:|instance/|loadbalancer/|loadbalancer/app/|userpool/|accesspoint/|access-grants/default/|)",
            resource in "[a-z*?]{0,3}([/:][a-z*?/:]{0,6})?",
        ) {
            let arn = format!("arn:aws:{service}:{scope}{kind}{resource}");
            if fault("s3:GetObject", &arn).is_none() {
                // The number of segments up to the name.
                let length = match (service.as_str(), kind.as_str()) {
                    ("s3", _) if scope == "::" => 1,
                    ("sqs" | "execute-api", _) => 1,
                    (_, "loadbalancer/app/" | "access-grants/default/") => 3,
                    _ => 2,
                };
                // The segments up to the name, with the wildcards replaced.
                let named = |filling: &str| {
                    let full = arn.replace(WILDCARDS, filling);
                    let (head, rest) = full.split_at(arn.len() - kind.len() - resource.len());
                    (head.to_owned(), rest.split(['/', ':']).take(length).map(str::to_owned).collect::<Vec<_>>())
                };
                let one = named("x");
                prop_assert!(["y", "xy", "x/y", "y:x"].iter().all(|filling| named(filling) == one), "{} covers two names", arn);
            }
        }
    }
}
