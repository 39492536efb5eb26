//! Tests how the description of a pool is parsed.

use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::settings::{AttributeDescription, PasswordPolicy, PoolDescription, PoolSettings};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::fake_aws::{FakeAws, offline_aws};

async fn describe(pool: Value) -> Result<PoolDescription, UserPoolError> {
    let fake = FakeAws::answering([("DescribeUserPool", json!({ "UserPool": pool }))]);
    let description = offline_aws().await.with_http_client(fake.clone()).directory("pool").describe().await;
    assert_eq!(fake.sent("DescribeUserPool"), json!({"UserPoolId": "pool"}));
    description
}

#[tokio::test]
async fn reads_every_field_of_the_description() {
    let pool = json!({
        "Id": "eu-west-1_abc",
        "Name": "shop",
        "Arn": "arn:pool",
        "EstimatedNumberOfUsers": 42,
        "UsernameAttributes": ["email"],
        "AliasAttributes": ["preferred_username"],
        "AutoVerifiedAttributes": ["email"],
        "MfaConfiguration": "OPTIONAL",
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true, "UnusedAccountValidityDays": 9},
        "UsernameConfiguration": {"CaseSensitive": false},
        "DeletionProtection": "ACTIVE",
        "Policies": {"PasswordPolicy": {
            "MinimumLength": 12,
            "RequireLowercase": true,
            "RequireUppercase": false,
            "RequireNumbers": true,
            "RequireSymbols": false,
            "TemporaryPasswordValidityDays": 3,
        }},
        "SchemaAttributes": [
            {"Name": "email", "AttributeDataType": "String", "Required": true, "Mutable": true},
            {"Name": "custom:team", "AttributeDataType": "Number", "Required": false, "Mutable": false},
        ],
        "SmsConfiguration": {"SnsCallerArn": "arn:canary", "ExternalId": "canary"},
        "CreationDate": 1,
        "LastModifiedDate": 2,
    });
    let description = describe(pool).await.unwrap();
    assert!(!format!("{description:?}").contains("canary"));
    let attribute = |name: &str, kind: &str, required, mutable| AttributeDescription {
        name: name.to_owned(),
        kind: kind.to_owned(),
        required,
        mutable,
    };
    let expected = PoolDescription {
        id: "eu-west-1_abc".to_owned(),
        name: "shop".to_owned(),
        arn: Some("arn:pool".to_owned()),
        estimated_users: 42,
        username_attributes: vec!["email".to_owned()],
        aliases: vec!["preferred_username".to_owned()],
        auto_verified: vec!["email".to_owned()],
        mfa: "OPTIONAL".to_owned(),
        self_sign_up: false,
        case_sensitive: false,
        deletion_protection: true,
        password_policy: PasswordPolicy {
            minimum_length: 12,
            require_lowercase: true,
            require_uppercase: false,
            require_numbers: true,
            require_symbols: false,
            temporary_password_validity_days: 3,
        },
        attributes: vec![attribute("email", "String", true, true), attribute("custom:team", "Number", false, false)],
        created_at: OffsetDateTime::from_unix_timestamp(1).ok(),
        modified_at: OffsetDateTime::from_unix_timestamp(2).ok(),
    };
    assert_eq!(description, expected);
}

fn minimal_pool() -> Value {
    json!({"Id": "eu-west-1_abc", "Name": "shop", "Policies": {"PasswordPolicy": {}}})
}

#[tokio::test]
async fn missing_settings_have_cognitos_defaults() {
    let description = describe(minimal_pool()).await.unwrap();
    assert_eq!((description.mfa.as_str(), description.estimated_users), ("OFF", 0));
    assert!(description.self_sign_up && description.case_sensitive && !description.deletion_protection);
    let policy = description.password_policy;
    assert_eq!((policy.minimum_length, policy.temporary_password_validity_days), (8, 7));

    let mut older = minimal_pool();
    older["AdminCreateUserConfig"] = json!({"AllowAdminCreateUserOnly": false, "UnusedAccountValidityDays": 9});
    let policy = describe(older).await.unwrap().password_policy;
    assert_eq!(policy.temporary_password_validity_days, 9, "a pool with the older setting only");
}

#[tokio::test]
async fn descriptions_without_required_fields_are_errors() {
    for field in ["Id", "Name", "Policies"] {
        let mut pool = minimal_pool();
        pool.as_object_mut().unwrap().remove(field);
        assert_eq!(describe(pool).await.unwrap_err().reason, Reason::Internal, "{field}");
    }
    for attribute in [json!({"Name": "email"}), json!({"AttributeDataType": "String"})] {
        let mut pool = minimal_pool();
        pool["SchemaAttributes"] = json!([attribute]);
        assert_eq!(describe(pool).await.unwrap_err().reason, Reason::Internal);
    }
    assert_eq!(describe(Value::Null).await.unwrap_err().reason, Reason::Internal, "a response without a pool");
}
