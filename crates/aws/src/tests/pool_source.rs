//! Sets each field of the service model, and checks that a backup contains it or names it. A new field in the model fails
//! these tests until `platform/pool_source.rs` names it or the field is listed here.

use domain::backup::PoolSource as _;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::sdk_source::{Member, Sdk};

/// The fields of a user pool that a backup contains, that [`user_pool`] sets, or that are no settings.
const USER_POOL: [&str; 15] = [
    "Id",
    "Name",
    "Arn",
    "DeletionProtection",
    "Status",
    "LastModifiedDate",
    "CreationDate",
    "SchemaAttributes",
    "AutoVerifiedAttributes",
    "AliasAttributes",
    "UsernameConfiguration",
    "MfaConfiguration",
    "EstimatedNumberOfUsers",
    "SmsConfigurationFailure",
    "EmailConfigurationFailure",
];

/// The fields of an app client that a backup contains, or that are no settings.
const CLIENT: [&str; 14] = [
    "UserPoolId",
    "ClientName",
    "ClientId",
    "ClientSecret",
    "LastModifiedDate",
    "CreationDate",
    "RefreshTokenValidity",
    "AccessTokenValidity",
    "IdTokenValidity",
    "TokenValidityUnits",
    "ReadAttributes",
    "WriteAttributes",
    "ExplicitAuthFlows",
    "PreventUserExistenceErrors",
];

/// A user pool as Poolkeeper creates it, with this field.
fn user_pool(field: &str, value: Value) -> Value {
    let mut pool = json!({
        "Id": "eu-west-1_1", "Name": "shop", "Arn": "arn", "Policies": {"PasswordPolicy": {"MinimumLength": 12}},
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]}
    });
    pool[field] = value;
    pool
}

async fn named(pool: Value, mfa: Value) -> Vec<String> {
    let fake = FakeAws::answering([
        ("DescribeUserPool", json!({ "UserPool": pool })),
        ("GetUserPoolMfaConfig", mfa),
        ("ListIdentityProviders", json!({"Providers": [{"ProviderName": "Okta"}]})),
    ]);
    let platform = offline_aws().await.with_http_client(fake).platform();
    let mut settings = platform.described_user_pool("eu-west-1_1").await.unwrap().unwrap().other_settings;
    assert_eq!(settings.pop().as_deref(), Some("identity provider Okta"));
    settings
}

async fn named_of_client(client: Value) -> Vec<String> {
    let fake = FakeAws::answering([
        ("ListUserPoolClients", json!({"UserPoolClients": [{"ClientId": "1", "ClientName": "web"}]})),
        ("DescribeUserPoolClient", json!({ "UserPoolClient": client })),
    ]);
    let platform = offline_aws().await.with_http_client(fake).platform();
    let mut clients = platform.described_clients("eu-west-1_1").await.unwrap();
    clients.remove(0).other_settings
}

#[tokio::test]
async fn every_setting_of_a_user_pool_is_described_or_named() {
    let sdk = Sdk::of("cognitoidentityprovider");
    assert_eq!(named(user_pool("Name", "shop".into()), json!({})).await, Vec::<String>::new());
    for member in sdk.members_of_type("UserPoolType") {
        let Member { name, .. } = &member;
        let value = match name.as_str() {
            "Id" => "eu-west-1_1".into(),
            _ => sdk.complete(std::slice::from_ref(&member))[name].clone(),
        };
        let named = named(user_pool(name, value), json!({})).await;
        let is_named = named.iter().any(|setting| setting.starts_with(name.as_str()));
        assert!(is_named != USER_POOL.contains(&name.as_str()), "{name}: {named:?}");
    }
    for member in sdk.members_of_type("LambdaConfigType") {
        let Member { name, .. } = &member;
        let config = sdk.complete(std::slice::from_ref(&member));
        let named = named(user_pool("LambdaConfig", config), json!({})).await;
        let is_in_spec = ["PreSignUp", "UserMigration"].contains(&name.as_str());
        let expected = if is_in_spec { vec![] } else { vec![format!("LambdaConfig.{name}")] };
        assert_eq!(named, expected);
    }
    for member in sdk.members_of_operation("GetUserPoolMfaConfig", "Output") {
        let Member { name, .. } = &member;
        if ["MfaConfiguration", "SoftwareTokenMfaConfiguration"].contains(&name.as_str()) || name.starts_with('_') {
            continue;
        }
        let mfa = sdk.complete(std::slice::from_ref(&member));
        assert_eq!(named(user_pool("Name", "shop".into()), mfa).await, [name.as_str()]);
    }
}

#[tokio::test]
async fn parts_of_settings_without_a_field_are_named() {
    for (field, value, expected) in [
        (
            "Policies",
            json!({"PasswordPolicy": {"PasswordHistorySize": 3}}),
            "Policies.PasswordPolicy.PasswordHistorySize",
        ),
        (
            "Policies",
            json!({"PasswordPolicy": {}, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}),
            "Policies.SignInPolicy",
        ),
        (
            "SchemaAttributes",
            json!([{"Name": "dev:custom:x", "DeveloperOnlyAttribute": true, "AttributeDataType": "String"}]),
            "attribute dev:custom:x",
        ),
        (
            "SchemaAttributes",
            json!([{"Name": "custom:x", "AttributeDataType": "String", "StringAttributeConstraints": {"MaxLength": "20"}}]),
            "attribute custom:x: constraints",
        ),
        (
            "SchemaAttributes",
            json!([{"Name": "custom:n", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MinValue": "1"}}]),
            "attribute custom:n: constraints",
        ),
        (
            "SchemaAttributes",
            json!([{"Name": "email", "AttributeDataType": "String", "Mutable": false}]),
            "attribute email: Mutable",
        ),
        (
            "AdminCreateUserConfig",
            json!({"InviteMessageTemplate": {"EmailSubject": "Hi"}}),
            "AdminCreateUserConfig.InviteMessageTemplate",
        ),
        ("UsernameAttributes", json!(["phone_number"]), "UsernameAttributes: phone_number"),
    ] {
        assert_eq!(named(user_pool(field, value), json!({})).await, [expected]);
    }
    for (field, value) in [
        (
            "SchemaAttributes",
            json!([{"Name": "custom:x", "AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "0", "MaxLength": "2048"}}]),
        ),
        ("Policies", json!({"PasswordPolicy": {}, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}})),
        ("VerificationMessageTemplate", json!({"DefaultEmailOption": "CONFIRM_WITH_CODE"})),
        ("EmailConfiguration", json!({"EmailSendingAccount": "COGNITO_DEFAULT"})),
        ("UserPoolTier", json!("ESSENTIALS")),
        ("UserPoolTags", json!({"poolkeeper:pool": "shop", "aws:cloudformation:stack-id": "x"})),
    ] {
        assert_eq!(named(user_pool(field, value), json!({})).await, Vec::<String>::new(), "{field}");
    }
}

#[tokio::test]
async fn every_setting_of_an_app_client_is_described_or_named() {
    let sdk = Sdk::of("cognitoidentityprovider");
    let client = |field: &str, value: Value| {
        let mut client = json!({"ClientId": "1", "ClientName": "web", "EnableTokenRevocation": true});
        client[field] = value;
        client
    };
    assert_eq!(named_of_client(client("ClientId", "1".into())).await, Vec::<String>::new());
    for member in sdk.members_of_type("UserPoolClientType") {
        let Member { name, .. } = &member;
        let value = match name.as_str() {
            "EnableTokenRevocation" => false.into(),
            "AuthSessionValidity" => 15.into(),
            "ExplicitAuthFlows" => json!(["ALLOW_USER_SRP_AUTH"]),
            _ => sdk.complete(std::slice::from_ref(&member))[name].clone(),
        };
        let named = named_of_client(client(name, value)).await;
        let is_named = named.iter().any(|setting| setting.starts_with(name.as_str()));
        assert!(is_named != CLIENT.contains(&name.as_str()), "{name}: {named:?}");
    }
    for (field, value, expected) in [
        ("ExplicitAuthFlows", json!(["ADMIN_NO_SRP_AUTH"]), "ExplicitAuthFlows: flows with an old name"),
        ("EnablePropagateAdditionalUserContextData", json!(true), "EnablePropagateAdditionalUserContextData"),
    ] {
        assert_eq!(named_of_client(client(field, value)).await, [expected]);
    }
    let units = json!({"AccessToken": "seconds", "IdToken": "minutes", "RefreshToken": "hours"});
    let mut short = client("TokenValidityUnits", units);
    short["AccessTokenValidity"] = 301.into();
    short["IdTokenValidity"] = 7.into();
    short["RefreshTokenValidity"] = 30.into();
    assert_eq!(named_of_client(short).await, ["AccessTokenValidity: seconds", "RefreshTokenValidity: parts of a day"]);
}
