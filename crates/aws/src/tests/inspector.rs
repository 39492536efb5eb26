//! Tests the reads of `poolkeeper doctor`.

use domain::doctor::{Inspector as _, MailSender, Recovery};
use domain::spec::Verifiable;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use crate::AwsPlatform;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:shop-PreSignUp";

async fn platform(fake: FakeAws) -> AwsPlatform {
    offline_aws().await.with_http_client(fake).platform()
}

#[tokio::test]
async fn reads_state_concurrency_and_policy_of_a_function() {
    let statement = json!({"Statement": [{"Effect": "Allow"}]});
    let fake = FakeAws::answering([
        ("GetFunctionConfiguration", json!({"State": "Inactive", "LastUpdateStatus": "Failed"})),
        ("GetFunctionConcurrency", json!({"ReservedConcurrentExecutions": 0})),
        ("GetPolicy", json!({"Policy": statement.to_string()})),
    ]);
    let platform = platform(fake).await;
    let function = platform.function(FUNCTION).await.unwrap().unwrap();
    assert_eq!(function.state.as_deref(), Some("Inactive"));
    assert_eq!(function.last_update_status.as_deref(), Some("Failed"));
    assert_eq!((function.reserved_concurrency, function.policy), (Some(0), statement));
}

#[tokio::test]
async fn function_without_policy_permits_nothing() {
    let fake = FakeAws::rejecting("GetPolicy", "ResourceNotFoundException", "");
    let platform = platform(fake).await;
    let function = platform.function(FUNCTION).await.unwrap().unwrap();
    assert_eq!((function.reserved_concurrency, function.policy), (None, Value::Null));
}

#[tokio::test]
async fn missing_function_is_none() {
    let fake = FakeAws::rejecting("GetFunctionConfiguration", "ResourceNotFoundException", "");
    let platform = platform(fake.clone()).await;
    assert!(platform.function(FUNCTION).await.unwrap().is_none());
    assert_eq!((fake.calls("GetFunctionConfiguration"), fake.calls("GetPolicy")), (1, 0));
}

fn user_pool(settings: &Value) -> Value {
    let mut pool = json!({
        "Id": "eu-west-1_AbCdEfGhI", "Arn": "arn:pool", "Policies": {"PasswordPolicy": {}},
        "UsernameAttributes": ["phone_number"], "AliasAttributes": ["email", "preferred_username"],
    });
    pool.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({"UserPool": pool})
}

#[tokio::test]
async fn reads_settings_that_provisioning_ignores() {
    let settings = json!({
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
        "AccountRecoverySetting": {"RecoveryMechanisms": [
            {"Priority": 2, "Name": "verified_phone_number"}, {"Priority": 1, "Name": "verified_email"},
        ]},
        "EstimatedNumberOfUsers": 51,
        "LambdaConfig": {
            "PreTokenGeneration": "arn:v1",
            "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": "arn:v2"},
            "CustomEmailSender": {"LambdaVersion": "V1_0", "LambdaArn": "arn:mail"},
        },
    });
    let platform = platform(FakeAws::answering([("DescribeUserPool", user_pool(&settings))])).await;
    let pool = platform.observed_user_pool("eu-west-1_AbCdEfGhI").await.unwrap().unwrap();
    assert_eq!(pool.sign_in_attributes, [Verifiable::Email, Verifiable::PhoneNumber].into());
    assert_eq!(pool.verified_before_update, [Verifiable::Email].into());
    assert_eq!((pool.recovery, pool.mail_sender), (Some(Recovery::Other), MailSender::Own));
    assert_eq!(pool.estimated_users, 51);
    let triggers = [("CustomEmailSender", "arn:mail".to_owned()), ("PreTokenGeneration", "arn:v2".to_owned())];
    assert_eq!(pool.triggers, triggers.into());
}

#[tokio::test]
async fn absent_settings_are_the_defaults_of_cognito() {
    let platform = platform(FakeAws::answering([("DescribeUserPool", user_pool(&json!({})))])).await;
    let pool = platform.observed_user_pool("eu-west-1_AbCdEfGhI").await.unwrap().unwrap();
    assert_eq!((pool.recovery, pool.mail_sender), (None, MailSender::CognitoDefault));
    assert!(pool.pool.state.case_sensitive && !pool.pool.state.deletion_protection && pool.triggers.is_empty());
}
