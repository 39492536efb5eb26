//! Faults of a deployment.

use serde_json::{Value, json};

use super::deployment::{
    IDENTITY_POOL, POOL, POOL_ARN, ROLE, add_custom_attributes, add_guest_role, add_trust, backend, client, condition,
    function, identity_pool, permit, planned, set_server_side_token_check, state, trust, trust_condition, web,
};
use crate::doctor::{Check, MailSender, Observed, Recovery};
use crate::provision::{Action, Difference, Plan, ProvisionError, Resource, Verdict};
use crate::spec::{ClientKind, MfaMode};

pub(super) type Change = fn(&mut Observed);

/// Each fault, and a similar state without one.
pub(super) const FAULTS: &[(Check, Change, Change)] = &[
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
