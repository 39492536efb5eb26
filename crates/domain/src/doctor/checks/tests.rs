//! Plants each fault in a healthy deployment, and expects exactly its finding. Next to each fault is a similar state
//! without a finding.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::findings;
use crate::doctor::{
    AssignedRole, Check, Drift, Finding, Function, MailSender, Observed, ObservedClient, ObservedIdentityPool,
    ObservedUserPool, Recovery, Severity, Trigger,
};
use crate::platform::{
    AppClient, ClientState, IdentityPool, IdentityPoolState, Provider, TAG_KEY, UserPool, UserPoolState,
};
use crate::policy_document::trust_policy;
use crate::provision::{Action, Difference, Plan, Planned, ProvisionError, Resource, STACK_TAG, Step, Verdict};
use crate::spec::{AttributeKind, ClientKind, ClientSpec, CustomAttribute, MfaMode, PoolAttributes, Spec, Verifiable};

const POOL: &str = "eu-west-1_AbCdEfGhI";
const POOL_ARN: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI";
const IDENTITY_POOL: &str = "eu-west-1:0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11";
const ROLE: &str = "arn:aws:iam::111122223333:role/poolkeeper.shop.eu-west-1";
const GUEST_ROLE: &str = "arn:aws:iam::111122223333:role/guests";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:shop-PreSignUp";

fn spec() -> Spec {
    let spec = json!({
        "name": "shop", "auto_verified": ["email"], "self_sign_up": true, "mfa": "optional",
        "pre_sign_up_function_arn": FUNCTION, "custom_attributes": ["team"],
    });
    serde_json::from_value(spec).unwrap()
}

fn client(kind: ClientKind) -> ObservedClient {
    let spec = spec();
    let attributes = PoolAttributes::new(&spec, &BTreeSet::new(), &BTreeSet::new());
    let state = ClientState::desired(kind, &ClientSpec::default(), &attributes);
    let flows = state.auth_flows.iter().map(|flow| json!(flow).as_str().unwrap().to_owned()).collect();
    let has_secret = kind == ClientKind::Backend;
    ObservedClient {
        name: format!("shop-{}", kind.as_str()),
        client: AppClient { id: format!("{}-1", kind.as_str()), has_secret, state, created_at: None },
        auth_flows: flows,
        uses_oauth: false,
        oauth_flows: BTreeSet::new(),
        callback_urls: Vec::new(),
    }
}

fn permission(condition: &Value) -> Value {
    json!({
        "Sid": "cognito", "Effect": "Allow", "Principal": {"Service": "cognito-idp.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": FUNCTION, "Condition": condition,
    })
}

fn condition(arn: &str, account: &str) -> Value {
    json!({"ArnLike": {"AWS:SourceArn": arn}, "StringEquals": {"AWS:SourceAccount": account}})
}

fn role(trust: Value) -> AssignedRole {
    AssignedRole { trust: Some(trust), policies: BTreeSet::from([format!("{ROLE}/policy")]) }
}

/// A deployment by the spec, with Amazon SES.
fn healthy() -> Observed {
    let spec = spec();
    let provider =
        Provider { user_pool_id: POOL.to_owned(), client_id: "web-1".to_owned(), server_side_token_check: true };
    Observed {
        region: "eu-west-1".to_owned(),
        user_pool: ObservedUserPool {
            pool: UserPool {
                id: POOL.to_owned(),
                arn: POOL_ARN.to_owned(),
                issuer: String::new(),
                sms_role_arn: None,
                state: UserPoolState::desired(&spec),
                custom_attributes: spec.all_custom_attributes(),
                required_attributes: BTreeSet::new(),
                tags: [(TAG_KEY.to_owned(), "shop".to_owned())].into(),
                created_at: None,
            },
            sign_in_attributes: [Verifiable::Email].into(),
            verified_before_update: [Verifiable::Email].into(),
            recovery: Some(Recovery::Other),
            mail_sender: MailSender::Own,
            estimated_users: 1000,
            triggers: [("PreSignUp", FUNCTION.to_owned())].into(),
        },
        clients: vec![client(ClientKind::Backend), client(ClientKind::Web)],
        groups: 2,
        identity_providers: 1,
        identity_pools: vec![ObservedIdentityPool {
            name: "shop".to_owned(),
            pool: IdentityPool {
                id: IDENTITY_POOL.to_owned(),
                state: IdentityPoolState { guests: false, classic_flow: false, providers: [provider].into() },
            },
            authenticated_role_arn: Some(ROLE.to_owned()),
            guest_role_arn: None,
            roles: [(ROLE.to_owned(), role(trust_policy(IDENTITY_POOL)))].into(),
        }],
        triggers: vec![Trigger {
            name: "PreSignUp",
            function_arn: FUNCTION.to_owned(),
            function: Some(Function {
                state: Some("Active".to_owned()),
                last_update_status: Some("Successful".to_owned()),
                reserved_concurrency: None,
                policy: json!({"Statement": [permission(&condition(POOL_ARN, "111122223333"))]}),
            }),
        }],
        drift: Some(Drift {
            file: "pool.json".to_owned(),
            plan: Ok(Plan { action: Action::Plan, changes: 0, resources: vec![planned(Verdict::Leave, &[])] }),
        }),
    }
}

fn planned(verdict: Verdict, differences: &[Difference]) -> Planned {
    let (step, id, reason) = (Step::WebClient, Some("web-1".to_owned()), "up to date".to_owned());
    Planned { step, verdict, id, reason, differences: differences.to_vec() }
}

fn examine(change: fn(&mut Observed)) -> Vec<Finding> {
    let mut observed = healthy();
    change(&mut observed);
    findings(&observed)
}

fn state(observed: &mut Observed) -> &mut UserPoolState {
    &mut observed.user_pool.pool.state
}

fn backend(observed: &mut Observed) -> &mut ObservedClient {
    &mut observed.clients[0]
}

fn web(observed: &mut Observed) -> &mut ObservedClient {
    &mut observed.clients[1]
}

fn function(observed: &mut Observed) -> &mut Function {
    observed.triggers[0].function.as_mut().unwrap()
}

fn permit(observed: &mut Observed, condition: &Value) {
    function(observed).policy = json!({"Statement": [permission(condition)]});
}

fn identity_pool(observed: &mut Observed) -> &mut ObservedIdentityPool {
    &mut observed.identity_pools[0]
}

fn trust(observed: &mut Observed) -> &mut Value {
    identity_pool(observed).roles.get_mut(ROLE).unwrap().trust.as_mut().unwrap()
}

fn trust_condition(observed: &mut Observed) -> &mut Value {
    &mut trust(observed)["Statement"][0]["Condition"]
}

fn add_trust(observed: &mut Observed, effect: &str, mut statement: Value) {
    statement["Effect"] = json!(effect);
    statement["Action"] = json!("sts:AssumeRole");
    trust(observed)["Statement"].as_array_mut().unwrap().push(statement);
}

fn set_server_side_token_check(observed: &mut Observed, user_pool_id: &str) {
    let (user_pool_id, client_id) = (user_pool_id.to_owned(), "web-2".to_owned());
    let provider = Provider { user_pool_id, client_id, server_side_token_check: false };
    identity_pool(observed).pool.state.providers.insert(provider);
}

fn add_guest_role(observed: &mut Observed, method: &str) {
    let mut document = trust_policy(IDENTITY_POOL);
    document["Statement"][0]["Condition"]["ForAnyValue:StringLike"]["cognito-identity.amazonaws.com:amr"] =
        json!(method);
    identity_pool(observed).guest_role_arn = Some(GUEST_ROLE.to_owned());
    identity_pool(observed).roles.insert(GUEST_ROLE.to_owned(), role(document));
}

fn add_custom_attributes(observed: &mut Observed, total: usize) {
    let attribute = CustomAttribute { name: "a".to_owned(), kind: AttributeKind::String, mutable: true };
    observed.user_pool.pool.custom_attributes = vec![attribute; total];
}

type Change = fn(&mut Observed);

/// Each fault, and a similar state without one.
const FAULTS: &[(Check, Change, Change)] = &[
    (Check::CaseSensitiveNames, |it| state(it).case_sensitive = true, |it| state(it).case_sensitive = false),
    (Check::DeletionProtection, |it| state(it).deletion_protection = false, |it| state(it).deletion_protection = true),
    (
        Check::UnverifiedUpdate,
        |it| it.user_pool.verified_before_update.clear(),
        |it| {
            // Cognito accepts only auto-verified attributes here.
            it.user_pool.verified_before_update.clear();
            state(it).auto_verified.clear();
        },
    ),
    (
        Check::SignUpWithoutTrigger,
        |it| state(it).pre_sign_up_function_arn = None,
        |it| {
            state(it).pre_sign_up_function_arn = None;
            state(it).self_sign_up = false;
        },
    ),
    (
        Check::ShortPasswords,
        |it| state(it).password_policy.minimum_length = 7,
        |it| state(it).password_policy.minimum_length = 8,
    ),
    (
        Check::TemporaryPasswords,
        |it| state(it).password_policy.temporary_password_validity_days = 8,
        |it| state(it).password_policy.temporary_password_validity_days = 7,
    ),
    (Check::RecoveryByPhone, |it| it.user_pool.recovery = Some(Recovery::Phone), |it| it.user_pool.recovery = None),
    (
        Check::RecoveryByPhone,
        |it| {
            it.user_pool.recovery = None;
            it.user_pool.pool.sms_role_arn = Some(ROLE.to_owned());
        },
        |it| it.user_pool.pool.sms_role_arn = Some(ROLE.to_owned()),
    ),
    (
        Check::MailQuota,
        |it| {
            it.user_pool.mail_sender = MailSender::CognitoDefault;
            it.user_pool.estimated_users = 51;
        },
        |it| it.user_pool.estimated_users = 51,
    ),
    (
        Check::MailSender,
        |it| {
            it.user_pool.mail_sender = MailSender::CognitoDefault;
            it.user_pool.estimated_users = 50;
        },
        |it| it.user_pool.estimated_users = 50,
    ),
    (Check::MfaOff, |it| state(it).mfa = MfaMode::Off, |it| state(it).mfa = MfaMode::Required),
    (Check::TriggerMissing, |it| it.triggers[0].function = None, |it| it.triggers.clear()),
    (
        Check::TriggerFailed,
        |it| function(it).state = Some("Inactive".to_owned()),
        |it| function(it).state = Some("Pending".to_owned()),
    ),
    (
        Check::TriggerUpdateFailed,
        |it| function(it).last_update_status = Some("Failed".to_owned()),
        |it| function(it).last_update_status = Some("InProgress".to_owned()),
    ),
    (
        Check::TriggerThrottled,
        |it| function(it).reserved_concurrency = Some(0),
        |it| function(it).reserved_concurrency = Some(1),
    ),
    (Check::TriggerNotPermitted, |it| function(it).policy = Value::Null, |_| {}),
    (
        Check::TriggerNotPermitted,
        |it| permit(it, &condition(&POOL_ARN.replace("AbC", "XyZ"), "111122223333")),
        |it| permit(it, &condition("arn:aws:cognito-idp:*:111122223333:userpool/*", "111122223333")),
    ),
    (
        Check::TriggerNotPermitted,
        |it| permit(it, &condition(POOL_ARN, "444455556666")),
        |it| permit(it, &json!({"ArnEquals": {"aws:sourcearn": [POOL_ARN.replace("AbC", "XyZ"), POOL_ARN]}})),
    ),
    (
        Check::TriggerNotPermitted,
        |it| function(it).policy["Statement"][0]["Effect"] = json!("Deny"),
        |it| function(it).policy["Statement"][0]["Action"] = json!(["lambda:Invoke*"]),
    ),
    (
        Check::TriggerNotPermitted,
        |it| function(it).policy["Statement"][0]["Action"] = json!("lambda:GetFunction"),
        |it| function(it).policy["Statement"][0]["Action"] = json!("lambda:*"),
    ),
    (
        Check::TriggerNotPermitted,
        |it| function(it).policy["Statement"][0]["Principal"] = json!({"Service": "s3.amazonaws.com"}),
        |it| function(it).policy["Statement"][0]["Principal"] = json!("*"),
    ),
    (
        Check::TriggerOpenPermission,
        |it| permit(it, &json!({})),
        |it| permit(it, &json!({"StringEquals": {"AWS:SourceAccount": "111122223333"}})),
    ),
    (
        Check::TriggerOpenPermission,
        |it| permit(it, &json!({"StringLike": {"AWS:SourceAccount": "*"}})),
        |it| permit(it, &json!({"StringLike": {"AWS:SourceAccount": "111122223333"}})),
    ),
    (
        Check::TriggerOpenPermission,
        |it| permit(it, &json!({"StringLike": {"AWS:SourceAccount": ["111122223333", "11112222333?"]}})),
        |it| permit(it, &json!({"StringLike": {"AWS:SourceAccount": ["111122223333", "444455556666"]}})),
    ),
    (
        Check::TriggerOpenPermission,
        |it| permit(it, &json!({"ArnLike": {"AWS:SourceArn": "arn:aws:cognito-idp:*:*:userpool/*"}})),
        |it| permit(it, &json!({"ArnLike": {"AWS:SourceArn": "arn:aws:cognito-idp:*:111122223333:userpool/*"}})),
    ),
    (
        Check::UserExistenceErrors,
        |it| web(it).client.state.prevent_user_existence_errors = false,
        |it| web(it).client.state.prevent_user_existence_errors = true,
    ),
    (
        Check::TokenRevocation,
        |it| backend(it).client.state.token_revocation = false,
        |it| backend(it).client.state.token_revocation = true,
    ),
    (
        Check::PasswordFlow,
        |it| _ = web(it).auth_flows.insert("ALLOW_USER_PASSWORD_AUTH".to_owned()),
        |it| _ = backend(it).auth_flows.insert("ALLOW_USER_PASSWORD_AUTH".to_owned()),
    ),
    (
        Check::PasswordFlow,
        |it| web(it).auth_flows = ["USER_PASSWORD_AUTH".to_owned()].into(),
        |it| web(it).auth_flows = ["CUSTOM_AUTH_FLOW_ONLY".to_owned()].into(),
    ),
    (
        Check::AdminFlowOnPublicClient,
        |it| _ = web(it).auth_flows.insert("ALLOW_ADMIN_USER_PASSWORD_AUTH".to_owned()),
        |it| _ = backend(it).auth_flows.insert("ALLOW_ADMIN_USER_PASSWORD_AUTH".to_owned()),
    ),
    (
        Check::AdminFlowOnPublicClient,
        |it| web(it).auth_flows = ["ADMIN_NO_SRP_AUTH".to_owned()].into(),
        |it| backend(it).auth_flows = ["ADMIN_NO_SRP_AUTH".to_owned()].into(),
    ),
    (
        Check::UnrestrictedAttributes,
        |it| web(it).client.state.write_attributes.clear(),
        |it| {
            web(it).client.state.write_attributes.clear();
            it.user_pool.pool.custom_attributes.clear();
        },
    ),
    (
        Check::ImplicitGrant,
        |it| {
            web(it).uses_oauth = true;
            web(it).oauth_flows = ["code".to_owned(), "implicit".to_owned()].into();
        },
        |it| {
            web(it).uses_oauth = true;
            web(it).oauth_flows = ["code".to_owned()].into();
        },
    ),
    (
        Check::InsecureCallback,
        |it| web(it).callback_urls = vec!["HTTP://localhost:3000".to_owned()],
        |it| web(it).callback_urls = vec!["https://shop.example.com".to_owned(), "shop://signed-in".to_owned()],
    ),
    (
        Check::LongAccessTokens,
        |it| web(it).client.state.access_token_minutes = 61,
        |it| web(it).client.state.access_token_minutes = 60,
    ),
    (
        Check::LongIdTokens,
        |it| web(it).client.state.id_token_minutes = 61,
        |it| web(it).client.state.id_token_minutes = 60,
    ),
    (
        Check::LongRefreshTokens,
        |it| web(it).client.state.refresh_token_days = 91,
        |it| web(it).client.state.refresh_token_days = 90,
    ),
    (Check::Guests, |it| identity_pool(it).pool.state.guests = true, |it| add_guest_role(it, "unauthenticated")),
    (
        Check::ClassicFlow,
        |it| identity_pool(it).pool.state.classic_flow = true,
        |it| identity_pool(it).pool.state.classic_flow = false,
    ),
    (
        Check::TokenCheck,
        |it| set_server_side_token_check(it, POOL),
        |it| set_server_side_token_check(it, "eu-west-1_Other"),
    ),
    (Check::RoleNotSet, |it| identity_pool(it).authenticated_role_arn = None, |it| it.identity_pools.clear()),
    (
        Check::RoleMissing,
        |it| identity_pool(it).roles.get_mut(ROLE).unwrap().trust = None,
        |it| identity_pool(it).roles.get_mut(ROLE).unwrap().policies.clear(),
    ),
    (
        Check::TrustAudience,
        |it| _ = trust_condition(it).as_object_mut().unwrap().remove("StringEquals"),
        |it| trust_condition(it)["StringEquals"]["cognito-identity.amazonaws.com:aud"] = json!([IDENTITY_POOL]),
    ),
    (
        Check::TrustAudience,
        |it| trust_condition(it)["StringEquals"]["cognito-identity.amazonaws.com:aud"] = json!([IDENTITY_POOL, "x"]),
        |it| trust_condition(it)["StringEquals"]["aws:RequestedRegion"] = json!("eu-west-1"),
    ),
    (
        Check::TrustAudience,
        |it| {
            // The second statement has no audience.
            let mut statement = trust(it)["Statement"][0].clone();
            statement["Condition"].as_object_mut().unwrap().remove("StringEquals");
            trust(it)["Statement"].as_array_mut().unwrap().push(statement);
        },
        |it| {
            let mut statement = trust(it)["Statement"][0].clone();
            statement["Effect"] = json!("Deny");
            trust(it)["Statement"].as_array_mut().unwrap().push(statement);
        },
    ),
    (
        Check::TrustMethod,
        |it| _ = trust_condition(it).as_object_mut().unwrap().remove("ForAnyValue:StringLike"),
        |it| {
            let method = trust_condition(it)["ForAnyValue:StringLike"].take();
            trust_condition(it)["ForAnyValue:StringEquals"] = method;
        },
    ),
    (Check::TrustMethod, |it| add_guest_role(it, "authenticated"), |it| add_guest_role(it, "unauthenticated")),
    (
        Check::TrustOpen,
        |it| add_trust(it, "Allow", json!({"Principal": "*"})),
        |it| add_trust(it, "Deny", json!({"Principal": "*"})),
    ),
    (
        Check::TrustOpen,
        |it| add_trust(it, "Allow", json!({"Principal": {"AWS": "*"}})),
        |it| add_trust(it, "Deny", json!({"Principal": {"AWS": "*"}})),
    ),
    (
        Check::TrustOpen,
        |it| add_trust(it, "Allow", json!({"Principal": {"AWS": ["arn:aws:iam::444455556666:root", "*"]}})),
        |it| add_trust(it, "Deny", json!({"Principal": {"AWS": ["arn:aws:iam::444455556666:root", "*"]}})),
    ),
    (
        Check::TrustOpen,
        |it| add_trust(it, "Allow", json!({"NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}})),
        |it| add_trust(it, "Deny", json!({"NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}})),
    ),
    (
        Check::TrustOther,
        |it| add_trust(it, "Allow", json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}})),
        |it| {
            let statement = trust(it)["Statement"][0].clone();
            trust(it)["Statement"] = statement;
        },
    ),
    (Check::TrustOther, |it| trust(it)["Statement"][0]["Effect"] = json!("Deny"), |_| {}),
    (
        Check::AdministratorRole,
        |it| {
            let policy = "arn:aws:iam::aws:policy/AdministratorAccess".to_owned();
            identity_pool(it).roles.get_mut(ROLE).unwrap().policies.insert(policy);
        },
        |it| {
            let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
            identity_pool(it).roles.get_mut(ROLE).unwrap().policies.insert(policy);
        },
    ),
    (Check::QuotaUsers, |it| it.user_pool.estimated_users = 32_000_000, |it| it.user_pool.estimated_users = 31_999_999),
    (
        Check::QuotaAppClients,
        |it| it.clients = vec![client(ClientKind::Web); 800],
        |it| it.clients = vec![client(ClientKind::Web); 799],
    ),
    (Check::QuotaGroups, |it| it.groups = 8_000, |it| it.groups = 7_999),
    (Check::QuotaIdentityProviders, |it| it.identity_providers = 240, |it| it.identity_providers = 239),
    (Check::QuotaCustomAttributes, |it| add_custom_attributes(it, 40), |it| add_custom_attributes(it, 39)),
    (
        Check::QuotaCallbackUrls,
        |it| web(it).callback_urls = vec!["https://shop.example.com".to_owned(); 80],
        |it| web(it).callback_urls = vec!["https://shop.example.com".to_owned(); 79],
    ),
    (
        Check::Drift,
        |it| {
            let field = "access_token_minutes".to_owned();
            let difference = Difference { field, current: json!(30), wanted: json!(60) };
            let resources = vec![planned(Verdict::Change, &[difference])];
            it.drift.as_mut().unwrap().plan = Ok(Plan { action: Action::Plan, changes: 1, resources });
        },
        |it| it.drift = None,
    ),
    (
        Check::DriftBlocked,
        |it| {
            let error = ProvisionError::NotOwned { resource: Resource::Role, id: ROLE.to_owned() };
            it.drift.as_mut().unwrap().plan = Err(error);
        },
        |_| {},
    ),
];

#[test]
fn each_fault_yields_exactly_its_finding() {
    for (number, (check, plant, similar)) in FAULTS.iter().enumerate() {
        let found = examine(*plant);
        assert_eq!(found.iter().map(|it| it.check).collect::<Vec<_>>(), [*check], "row {number}: {found:#?}");
        let [finding] = found.as_slice() else { unreachable!() };
        assert!(!finding.reason.is_empty() && !finding.fix.contains("FILE"), "{finding:#?}");
        assert_eq!(examine(*similar), [], "row {number}, {}", check.as_str());
    }
}

#[test]
fn healthy_deployment_has_no_findings() {
    assert_eq!(examine(|_| {}), []);
}

#[test]
fn unverified_sign_in_attribute_is_found_with_open_sign_up() {
    let plant: Change = |it| {
        state(it).auto_verified.clear();
        state(it).pre_sign_up_function_arn = None;
    };
    let checks = examine(plant).into_iter().map(|it| it.check).collect::<Vec<_>>();
    assert_eq!(checks, [Check::UnverifiedSignInAttribute, Check::SignUpWithoutTrigger]);
    let without_sign_up = examine(|it| {
        state(it).auto_verified.clear();
        state(it).self_sign_up = false;
    });
    assert_eq!(without_sign_up, []);
}

#[test]
fn trust_policy_without_identity_pools_is_found_beside_its_principals() {
    let found = |principal: Value| {
        let mut observed = healthy();
        trust(&mut observed)["Statement"] = json!([]);
        add_trust(&mut observed, "Allow", json!({"Principal": principal}));
        findings(&observed).into_iter().map(|it| (it.check, it.reason)).collect::<Vec<_>>()
    };
    let open = (Check::TrustOpen, "everyone with an AWS account can assume the role".to_owned());
    let no_identity_pool =
        (Check::TrustOther, "the trust policy does not allow identity pools to assume the role".to_owned());
    let other = (
        Check::TrustOther,
        "the trust policy allows principals other than `cognito-identity.amazonaws.com`".to_owned(),
    );
    assert_eq!(found(json!("*")), std::slice::from_ref(&open));
    assert_eq!(found(json!({"AWS": "*"})), [open, no_identity_pool.clone()]);
    assert_eq!(found(json!({"AWS": "arn:aws:iam::444455556666:root"})), [no_identity_pool, other]);
}

#[test]
fn open_trust_with_conditions_is_found_with_them() {
    let found = examine(|it| trust(it)["Statement"][0]["Principal"] = json!("*"));
    let [finding] = found.as_slice() else { unreachable!("{found:#?}") };
    assert_eq!(finding.check, Check::TrustOpen);
    assert!(finding.reason.contains("who meets the statement's conditions"), "{finding:#?}");
}

#[test]
fn every_check_has_a_fault() {
    let covered: BTreeSet<Check> = FAULTS.iter().map(|(check, ..)| *check).collect();
    let missing: Vec<_> = Check::ALL.iter().filter(|check| !covered.contains(check)).collect();
    assert_eq!(missing, [&Check::UnverifiedSignInAttribute], "covered by a test of its own");
}

#[test]
fn findings_are_sorted_by_severity() {
    let found = examine(|it| {
        state(it).mfa = MfaMode::Off;
        state(it).deletion_protection = false;
        it.triggers[0].function = None;
    });
    let severities = found.iter().map(|it| it.severity).collect::<Vec<_>>();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Info]);
}

#[test]
fn fixes_depend_on_who_sets_the_field() {
    let fix = |tags: &[(&str, &str)]| {
        let mut observed = healthy();
        state(&mut observed).deletion_protection = false;
        identity_pool(&mut observed).pool.state.guests = true;
        observed.user_pool.pool.tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        findings(&observed).into_iter().map(|it| it.fix).collect::<Vec<_>>()
    };
    let stack_id = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-prod/0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11";
    let apply = "poolkeeper apply --region eu-west-1 --spec pool.json  # with ";
    let by_spec = fix(&[(TAG_KEY, "shop")]);
    assert_eq!(
        by_spec,
        [
            format!("{apply}\"deletion_protection\": true in the spec"),
            format!("{apply}\"identity_pool\": {{\"guests\": false}} in the spec"),
        ]
    );
    let by_stack = fix(&[(TAG_KEY, "shop"), (STACK_TAG, stack_id)]);
    let deploy = "sam deploy --region eu-west-1 --stack-name shop-prod --parameter-overrides DeletionProtection=true";
    assert_eq!(by_stack[0], deploy);
    let by_hand = fix(&[]);
    assert!(
        by_hand[0].contains("| .DeletionProtection = \"ACTIVE\"' | aws cognito-idp update-user-pool"),
        "{by_hand:?}"
    );
    // The template does not set the field.
    assert_eq!(by_stack[1], by_hand[1]);
    assert!(
        by_hand[1].contains("| .AllowUnauthenticatedIdentities = false' | aws cognito-identity update-identity-pool"),
        "{by_hand:?}"
    );
}
