//! Tests the requests and parsed responses of provisioning: pages, tags, updates and IAM documents.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool::DescribeUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool_client::DescribeUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::get_user_pool_mfa_config::GetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pool_clients::ListUserPoolClientsOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pools::ListUserPoolsOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool_client::UpdateUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, AttributeDataType, ExplicitAuthFlowsType, IssuerConfigurationType, IssuerType,
    LambdaConfigType, MessageTemplateType, PasswordPolicyType, SchemaAttributeType, SmsConfigurationType,
    TimeUnitsType, TokenValidityUnitsType, UserPoolClientDescription, UserPoolClientType, UserPoolDescriptionType,
    UserPoolMfaType, UserPoolPolicyType, UserPoolType, VerifiedAttributeType,
};
use aws_sdk_iam::operation::create_policy_version::CreatePolicyVersionOutput;
use aws_sdk_iam::operation::create_role::CreateRoleOutput;
use aws_sdk_iam::operation::delete_policy_version::DeletePolicyVersionOutput;
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::operation::list_policy_versions::ListPolicyVersionsOutput;
use aws_sdk_iam::types::builders::RoleBuilder;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, PolicyVersion, Role, Tag};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_types::DateTime;
use domain::error_chain::causes;
use domain::platform::{ClientState, Platform, TAG_KEY, UserPoolState};
use domain::policy_document::trust_policy;
use domain::spec::{ClientKind, ClientSpec, MfaMode, PoolAttributes, PoolName, SignInWith, Spec};
use serde_json::json;

use super::fake_aws::{FakeAws, offline_aws};
use crate::platform::iam::Iam;
use crate::platform::identity_pools::IdentityPools;
use crate::platform::user_pools::UserPools;

fn shop() -> PoolName {
    "shop".to_owned().try_into().unwrap()
}

fn spec() -> Spec {
    serde_json::from_value(json!({"name": "shop"})).unwrap()
}

/// Returns a pool with settings that no spec sets.
fn customized_pool(id: &str) -> UserPoolType {
    let policies = UserPoolPolicyType::builder()
        .password_policy(PasswordPolicyType::builder().minimum_length(8).password_history_size(5).build())
        .build();
    let template = MessageTemplateType::builder().email_subject("Welcome").build();
    UserPoolType::builder()
        .id(id)
        .arn(format!("arn:{id}"))
        .name("shop")
        .policies(policies)
        .user_pool_tags(TAG_KEY, "shop")
        .user_pool_tags("team", "blue")
        .mfa_configuration(UserPoolMfaType::Optional)
        .auto_verified_attributes(VerifiedAttributeType::PhoneNumber)
        .lambda_config(LambdaConfigType::builder().post_confirmation("arn:post").build())
        .admin_create_user_config(
            AdminCreateUserConfigType::builder()
                .invite_message_template(template)
                .unused_account_validity_days(3)
                .build(),
        )
        .schema_attributes(
            SchemaAttributeType::builder()
                .name("custom:team")
                .attribute_data_type(AttributeDataType::String)
                .mutable(true)
                .build(),
        )
        .build()
}

/// Returns the MFA settings of [`customized_pool`], which need a separate call.
fn mfa() -> Rule {
    mock!(Client::get_user_pool_mfa_config)
        .then_output(|| GetUserPoolMfaConfigOutput::builder().mfa_configuration(UserPoolMfaType::Optional).build())
}

#[tokio::test]
async fn finds_pools_by_name_and_tag_on_every_page() {
    let page = |ids: &'static [(&'static str, &'static str)], next: Option<&'static str>| {
        let pools = ids.iter().map(|(id, name)| UserPoolDescriptionType::builder().id(*id).name(*name).build());
        ListUserPoolsOutput::builder()
            .set_user_pools(Some(pools.collect()))
            .set_next_token(next.map(str::to_owned))
            .build()
    };
    let first = mock!(Client::list_user_pools)
        .match_requests(|request| request.next_token().is_none())
        .then_output(move || page(&[("eu-west-1_other", "blog"), ("eu-west-1_untagged", "shop")], Some("more")));
    let second = mock!(Client::list_user_pools)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(move || page(&[("eu-west-1_owned", "shop")], None));
    let untagged = mock!(Client::describe_user_pool)
        .match_requests(|request| request.user_pool_id() == Some("eu-west-1_untagged"))
        .then_output(|| {
            let mut pool = customized_pool("eu-west-1_untagged");
            pool.user_pool_tags = None;
            DescribeUserPoolOutput::builder().user_pool(pool).build()
        });
    let owned = mock!(Client::describe_user_pool)
        .match_requests(|request| request.user_pool_id() == Some("eu-west-1_owned"))
        .then_output(|| DescribeUserPoolOutput::builder().user_pool(customized_pool("eu-west-1_owned")).build());
    let client =
        mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&first, &second, &untagged, &owned, &mfa()]);
    let found = UserPools::new(client).find(&shop()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].state.sign_in), ("eu-west-1_owned", SignInWith::Username));
    assert!(found[0].state.case_sensitive, "the default of the API");
    assert_eq!(found[0].custom_attributes[0].name, "team");
}

#[tokio::test]
async fn ignores_a_pool_deleted_after_it_was_listed() {
    let list = mock!(Client::list_user_pools).then_output(|| {
        let pools = ["eu-west-1_gone", "eu-west-1_owned"]
            .map(|id| UserPoolDescriptionType::builder().id(id).name("shop").build());
        ListUserPoolsOutput::builder().set_user_pools(Some(pools.into())).build()
    });
    let gone = mock!(Client::describe_user_pool)
        .match_requests(|request| request.user_pool_id() == Some("eu-west-1_gone"))
        .then_http_response(|| super::json_error(400, "ResourceNotFoundException"));
    let owned = mock!(Client::describe_user_pool)
        .match_requests(|request| request.user_pool_id() == Some("eu-west-1_owned"))
        .then_output(|| DescribeUserPoolOutput::builder().user_pool(customized_pool("eu-west-1_owned")).build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&list, &gone, &owned, &mfa()]);
    let found = UserPools::new(client).find(&shop()).await.unwrap();
    assert_eq!(found.iter().map(|pool| pool.id.as_str()).collect::<Vec<_>>(), ["eu-west-1_owned"]);
}

#[tokio::test]
async fn reads_the_issuer_and_the_sms_role_of_a_pool() {
    let found = async |kind: Option<IssuerType>| {
        let list = mock!(Client::list_user_pools).then_output(|| {
            let pool = UserPoolDescriptionType::builder().id("eu-west-1_owned").name("shop").build();
            ListUserPoolsOutput::builder().user_pools(pool).build()
        });
        let describe = mock!(Client::describe_user_pool).then_output(move || {
            let mut pool = customized_pool("eu-west-1_owned");
            pool.issuer_configuration =
                kind.clone().map(|kind| IssuerConfigurationType::builder().r#type(kind).build());
            let sms = SmsConfigurationType::builder().sns_caller_arn("arn:aws:iam::123456789012:role/sms").build();
            pool.sms_configuration = Some(sms);
            DescribeUserPoolOutput::builder().user_pool(pool).build()
        });
        let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&list, &describe, &mfa()]);
        UserPools::new(client).find(&shop()).await
    };
    let original = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_owned";
    let updated = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_owned";
    for (kind, issuer) in
        [(None, original), (Some(IssuerType::Original), original), (Some(IssuerType::Updated), updated)]
    {
        let pool = found(kind).await.unwrap().remove(0);
        assert_eq!(pool.issuer, issuer);
        assert_eq!(pool.sms_role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/sms"));
    }
    let unknown = found(Some("LATER".into())).await.unwrap_err();
    assert!(causes(&unknown).contains("IssuerConfiguration"), "{unknown}");
}

#[tokio::test]
async fn pool_update_preserves_settings_outside_the_spec() {
    let describe = mock!(Client::describe_user_pool)
        .then_output(|| DescribeUserPoolOutput::builder().user_pool(customized_pool("owned")).build());
    let update = mock!(Client::update_user_pool)
        .match_requests(|request| {
            let admin = request.admin_create_user_config().unwrap();
            let policy = request.policies().unwrap().password_policy().unwrap();
            let lambda = request.lambda_config().unwrap();
            request.mfa_configuration() == Some(&UserPoolMfaType::Optional)
                && request.user_pool_tags().unwrap().get("team").is_some_and(|value| value == "blue")
                && request.pool_name() == Some("shop")
                && admin.invite_message_template().unwrap().email_subject() == Some("Welcome")
                && admin.unused_account_validity_days() == 0
                && admin.allow_admin_create_user_only()
                && policy.password_history_size() == Some(5)
                && policy.minimum_length() == Some(12)
                && lambda.post_confirmation() == Some("arn:post")
                && lambda.pre_sign_up() == Some("arn:pre")
                && lambda.user_migration() == Some("arn:migration")
                && request.auto_verified_attributes().is_empty()
        })
        .then_output(|| UpdateUserPoolOutput::builder().build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&describe, &update]);
    let mut wanted = UserPoolState::desired(&spec());
    wanted.pre_sign_up_function_arn = Some("arn:pre".to_owned());
    wanted.user_migration_function_arn = Some("arn:migration".to_owned());
    UserPools::new(client).update("owned", &wanted).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

fn customized_client() -> UserPoolClientType {
    let units = TokenValidityUnitsType::builder()
        .access_token(TimeUnitsType::Hours)
        .id_token(TimeUnitsType::Seconds)
        .refresh_token(TimeUnitsType::Hours)
        .build();
    UserPoolClientType::builder()
        .client_id("client-1")
        .client_name("shop-web")
        .access_token_validity(2)
        .id_token_validity(900)
        .refresh_token_validity(48)
        .token_validity_units(units)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserSrpAuth)
        .callback_urls("https://example.com/callback")
        .allowed_o_auth_scopes("openid")
        .enable_token_revocation(false)
        .auth_session_validity(5)
        .build()
}

#[tokio::test]
async fn converts_token_lifetimes_from_every_unit() {
    let list = mock!(Client::list_user_pool_clients).then_output(|| {
        let named = |name: &str, id: &str| UserPoolClientDescription::builder().client_name(name).client_id(id).build();
        let clients = [named("shop-backend", "client-0"), named("shop-web", "client-1")];
        ListUserPoolClientsOutput::builder().set_user_pool_clients(Some(clients.to_vec())).build()
    });
    let describe = mock!(Client::describe_user_pool_client)
        .match_requests(|request| request.client_id() == Some("client-1"))
        .then_output(|| DescribeUserPoolClientOutput::builder().user_pool_client(customized_client()).build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&list, &describe]);
    let found = UserPools::new(client).clients("owned", "shop-web").await.unwrap();
    assert_eq!(found.len(), 1);
    let state = &found[0].state;
    assert_eq!((state.access_token_minutes, state.id_token_minutes, state.refresh_token_days), (120, 15, 2));
    assert!(!found[0].has_secret && !state.prevent_user_existence_errors && !state.token_revocation);
}

#[tokio::test]
async fn only_new_clients_with_a_secret_accept_user_context() {
    for (with_secret, takes_context) in [(true, Some(json!(true))), (false, None)] {
        let created = json!({"UserPoolClient": {"ClientId": "client-1"}});
        let fake = FakeAws::answering([("CreateUserPoolClient", created)]);
        let platform = offline_aws().await.with_http_client(fake.clone()).platform();
        let wanted = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
        platform.create_client("owned", "shop-web", with_secret, &wanted).await.unwrap();
        let sent = fake.sent("CreateUserPoolClient");
        assert_eq!(sent["GenerateSecret"], with_secret);
        assert_eq!(sent.get("EnablePropagateAdditionalUserContextData").cloned(), takes_context);
    }
}

#[tokio::test]
async fn a_new_client_has_its_attribute_lists() {
    let created = json!({"UserPoolClient": {"ClientId": "client-1"}});
    let fake = FakeAws::answering([("CreateUserPoolClient", created)]);
    let platform = offline_aws().await.with_http_client(fake.clone()).platform();
    let mut wanted = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
    wanted.write_attributes = ["email", "name"].map(str::to_owned).into();
    wanted.read_attributes = ["custom:team", "email"].map(str::to_owned).into();
    platform.create_client("owned", "shop-web", false, &wanted).await.unwrap();
    let sent = fake.sent("CreateUserPoolClient");
    assert_eq!(sent["WriteAttributes"], json!(["email", "name"]));
    assert_eq!(sent["ReadAttributes"], json!(["custom:team", "email"]));
}

#[tokio::test]
async fn client_update_preserves_settings_outside_the_spec() {
    let describe = mock!(Client::describe_user_pool_client)
        .then_output(|| DescribeUserPoolClientOutput::builder().user_pool_client(customized_client()).build());
    let update = mock!(Client::update_user_pool_client)
        .match_requests(|request| {
            request.callback_urls() == ["https://example.com/callback"]
                && request.allowed_o_auth_scopes() == ["openid"]
                && request.enable_token_revocation() == Some(true)
                && request.auth_session_validity() == Some(5)
                && request.client_name() == Some("shop-web")
                && request.access_token_validity() == Some(60)
                && request.token_validity_units().unwrap().access_token() == Some(&TimeUnitsType::Minutes)
                && request.explicit_auth_flows().len() == 3
        })
        .then_output(|| UpdateUserPoolClientOutput::builder().build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&describe, &update]);
    let wanted = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
    UserPools::new(client).update_client("owned", "client-1", &wanted).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn setting_the_role_preserves_the_guest_role_and_the_mappings() {
    use aws_sdk_cognitoidentity::Client;
    use aws_sdk_cognitoidentity::operation::get_identity_pool_roles::GetIdentityPoolRolesOutput;
    use aws_sdk_cognitoidentity::operation::set_identity_pool_roles::SetIdentityPoolRolesOutput;
    use aws_sdk_cognitoidentity::types::{RoleMapping, RoleMappingType};

    let mapping = || RoleMapping::builder().r#type(RoleMappingType::Token).build().unwrap();
    let get = mock!(Client::get_identity_pool_roles).then_output(move || {
        GetIdentityPoolRolesOutput::builder()
            .roles("unauthenticated", "arn:guest")
            .role_mappings("idp", mapping())
            .build()
    });
    let set = mock!(Client::set_identity_pool_roles)
        .match_requests(|request| {
            let roles = request.roles().unwrap();
            roles["unauthenticated"] == "arn:guest"
                && roles["authenticated"] == "arn:role"
                && request.role_mappings().unwrap().contains_key("idp")
        })
        .then_output(|| SetIdentityPoolRolesOutput::builder().build());
    let client = mock_client!(aws_sdk_cognitoidentity, RuleMode::MatchAny, [&get, &set]);
    IdentityPools::new(client, "eu-west-1").set_authenticated_role("pool", "arn:role").await.unwrap();
    assert_eq!(set.num_calls(), 1);
}

#[tokio::test]
async fn identity_pool_update_omits_an_empty_developer_name() {
    use aws_sdk_cognitoidentity::Client;
    use aws_sdk_cognitoidentity::operation::describe_identity_pool::DescribeIdentityPoolOutput;
    use aws_sdk_cognitoidentity::operation::update_identity_pool::UpdateIdentityPoolOutput;
    use domain::platform::IdentityPoolState;

    let describe = mock!(Client::describe_identity_pool).then_output(|| {
        DescribeIdentityPoolOutput::builder()
            .identity_pool_id("pool")
            .identity_pool_name("shop")
            .allow_unauthenticated_identities(false)
            .developer_provider_name("")
            .saml_provider_arns("arn:saml")
            .build()
            .unwrap()
    });
    let update = mock!(Client::update_identity_pool)
        .match_requests(|request| {
            request.developer_provider_name().is_none() && request.saml_provider_arns() == ["arn:saml"]
        })
        .then_output(|| {
            UpdateIdentityPoolOutput::builder()
                .identity_pool_id("pool")
                .identity_pool_name("shop")
                .allow_unauthenticated_identities(false)
                .build()
                .unwrap()
        });
    let client = mock_client!(aws_sdk_cognitoidentity, RuleMode::MatchAny, [&describe, &update]);
    let wanted = IdentityPoolState { guests: false, classic_flow: false, providers: [].into() };
    IdentityPools::new(client, "eu-west-1").update("pool", &wanted).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

/// Returns a role with the fields that every role has.
fn role(trust: &str) -> RoleBuilder {
    let role = Role::builder().path("/").role_name("role").role_id("id").arn("arn:role");
    role.create_date(DateTime::from_secs(0)).assume_role_policy_document(trust)
}

#[tokio::test]
async fn reads_a_percent_encoded_trust_policy() {
    let trust = trust_policy("pool").to_string();
    let encoded = percent_encoding::utf8_percent_encode(&trust, percent_encoding::NON_ALPHANUMERIC).to_string();
    let rule = mock!(aws_sdk_iam::Client::get_role).then_output(move || {
        let role = role(&encoded).tags(Tag::builder().key(TAG_KEY).value("shop").build().unwrap());
        GetRoleOutput::builder().role(role.build().unwrap()).build()
    });
    let found = Iam::new(mock_client!(aws_sdk_iam, [&rule])).role("role").await.unwrap().unwrap();
    assert_eq!((found.document, found.tagged.as_deref()), (trust_policy("pool"), Some("shop")));
}

#[tokio::test]
async fn creates_and_reads_a_role_with_its_boundary() {
    const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";
    for boundary in [Some(BOUNDARY), None] {
        let bounded = move || {
            let attached = AttachedPermissionsBoundary::builder().permissions_boundary_arn(BOUNDARY).build();
            role("{}").set_permissions_boundary(boundary.map(|_| attached)).build().unwrap()
        };
        let create = mock!(aws_sdk_iam::Client::create_role)
            .match_requests(move |request| request.permissions_boundary() == boundary)
            .then_output(move || CreateRoleOutput::builder().role(bounded()).build());
        let get =
            mock!(aws_sdk_iam::Client::get_role).then_output(move || GetRoleOutput::builder().role(bounded()).build());
        let iam = Iam::new(mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&create, &get]));
        let created = iam.create_role("role", &json!({}), &shop(), boundary).await.unwrap();
        let found = iam.role("role").await.unwrap().unwrap();
        assert_eq!((created.boundary.as_deref(), found.boundary.as_deref()), (boundary, boundary));
    }
}

#[tokio::test]
async fn a_sixth_policy_version_replaces_the_oldest_unused_one() {
    let version = |id: &str, age: i64, default: bool| {
        let created = DateTime::from_secs(age);
        PolicyVersion::builder().version_id(id).create_date(created).is_default_version(default).build()
    };
    let list = mock!(aws_sdk_iam::Client::list_policy_versions).then_output(move || {
        let versions = [("v5", 5, false), ("v1", 1, true), ("v2", 2, false), ("v4", 4, false), ("v3", 3, false)];
        let versions = versions.map(|(id, age, default)| version(id, age, default));
        ListPolicyVersionsOutput::builder().set_versions(Some(versions.to_vec())).build()
    });
    let delete = mock!(aws_sdk_iam::Client::delete_policy_version)
        .match_requests(|request| request.version_id() == Some("v2"))
        .then_output(|| DeletePolicyVersionOutput::builder().build());
    let create = mock!(aws_sdk_iam::Client::create_policy_version)
        .match_requests(|request| request.set_as_default() == Some(true))
        .then_output(|| CreatePolicyVersionOutput::builder().build());
    let client = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&list, &delete, &create]);
    Iam::new(client).update_policy("arn:policy", &json!({})).await.unwrap();
    assert_eq!((delete.num_calls(), create.num_calls()), (1, 1));
}

#[tokio::test]
async fn setting_mfa_enables_totp_and_preserves_other_factors_unless_off() {
    let config = json!({
        "MfaConfiguration": "OPTIONAL",
        "SmsMfaConfiguration": {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}},
        "EmailMfaConfiguration": {"Subject": "Your code"},
        "WebAuthnConfiguration": {"RelyingPartyId": "example.com"},
    });
    for (mfa, expected) in [(MfaMode::Optional, "OPTIONAL"), (MfaMode::Required, "ON"), (MfaMode::Off, "OFF")] {
        let fake = FakeAws::answering([("GetUserPoolMfaConfig", config.clone())]);
        offline_aws().await.with_http_client(fake.clone()).platform().set_mfa("pool-1", mfa).await.unwrap();
        let sent = fake.sent("SetUserPoolMfaConfig");
        assert_eq!((&sent["MfaConfiguration"], &sent["UserPoolId"]), (&json!(expected), &json!("pool-1")));
        assert_eq!(sent["WebAuthnConfiguration"], config["WebAuthnConfiguration"], "{mfa:?}");
        // Cognito: "can't turn off MFA and configure an MFA together".
        let with = |factor: &str| (mfa != MfaMode::Off).then(|| config[factor].clone());
        for factor in ["SmsMfaConfiguration", "EmailMfaConfiguration"] {
            assert_eq!(sent.get(factor).cloned(), with(factor), "{mfa:?}: {factor}");
        }
        let totp = (mfa != MfaMode::Off).then(|| json!({"Enabled": true}));
        assert_eq!(sent.get("SoftwareTokenMfaConfiguration").cloned(), totp, "{mfa:?}");
    }
}

#[tokio::test]
async fn reads_the_mfa_mode_with_its_factors() {
    let table = [
        ("OFF", true, MfaMode::Off, 0),
        ("OPTIONAL", true, MfaMode::Optional, 1),
        ("OPTIONAL", false, MfaMode::WithoutTotp, 1),
        ("ON", true, MfaMode::Required, 1),
        ("ON", false, MfaMode::WithoutTotp, 1),
    ];
    for (configuration, totp, expected, calls) in table {
        let pool = json!({"UserPool": {
            "Id": "eu-west-1_1", "Arn": "arn:pool", "Name": "shop", "UserPoolTags": {TAG_KEY: "shop"},
            "Policies": {"PasswordPolicy": {}}, "MfaConfiguration": configuration,
        }});
        let config = json!({"MfaConfiguration": configuration, "SoftwareTokenMfaConfiguration": {"Enabled": totp}});
        let fake = FakeAws::answering([
            ("ListUserPools", json!({"UserPools": [{"Id": "eu-west-1_1", "Name": "shop"}]})),
            ("DescribeUserPool", pool),
            ("GetUserPoolMfaConfig", config),
        ]);
        let found = offline_aws().await.with_http_client(fake.clone()).platform().user_pools(&shop()).await.unwrap();
        assert_eq!((found[0].state.mfa, fake.calls("GetUserPoolMfaConfig")), (expected, calls), "{configuration}");
    }
}

#[tokio::test]
async fn reads_the_attributes_that_identity_providers_map() {
    let provider = json!({"IdentityProvider": {
        "ProviderName": "Google", "ProviderDetails": {"client_secret": "s3cret"},
        "AttributeMapping": {"email": "email", "custom:department": "department"},
    }});
    let fake = FakeAws::answering([
        ("ListIdentityProviders", json!({"Providers": [{"ProviderName": "Google"}]})),
        ("DescribeIdentityProvider", provider),
    ]);
    let platform = offline_aws().await.with_http_client(fake.clone()).platform();
    let mapped = platform.mapped_attributes("pool-1").await.unwrap();
    assert_eq!(mapped.iter().map(String::as_str).collect::<Vec<_>>(), ["custom:department", "email"]);
    assert_eq!(fake.sent("DescribeIdentityProvider"), json!({"UserPoolId": "pool-1", "ProviderName": "Google"}));
    let none = FakeAws::answering([("ListIdentityProviders", json!({"Providers": []}))]);
    let platform = offline_aws().await.with_http_client(none).platform();
    assert!(platform.mapped_attributes("pool-1").await.unwrap().is_empty());
}
