//! Tests that a stack creates, uses, replaces and deletes the invitation signing key.

use std::path::Path;

use domain::invitation::{Invitation, InvitationKeys, KeyName, OwningStack, SigningKey};
use local::arguments::Options;
use local::deployment::{Deployment, POOL, parameters};
use serde_json::{Value, json};
use testkit::local_aws::{LocalAwsError, Stack, Tools};
use time::{Duration, OffsetDateTime};

const EMAIL: &str = "ivy@example.com";

/// The name of the stack's key with this version.
pub(crate) async fn name_of(deployment: &Deployment, version: u32) -> KeyName {
    let stack = OwningStack::of_id(&deployment.stack.id(&deployment.aws).await.unwrap()).unwrap();
    KeyName::of(&POOL.to_owned().try_into().unwrap(), &stack, version)
}

/// Reads the private key with this name.
pub(crate) async fn key(deployment: &Deployment, name: &KeyName) -> Option<SigningKey> {
    deployment.cognito.invitation_keys().read(name).await.unwrap().map(|stored| stored.key)
}

/// Deploys again with these parameters changed.
async fn redeploy(deployment: &Deployment, template: &Path, changed: &[(&str, &str)]) {
    let changed = changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let parameters = parameters(&Options { port: None, parameters: changed });
    Stack::deploy(&deployment.aws, POOL, template, &parameters).await.unwrap();
}

fn invitation(deployment: &Deployment, key: &SigningKey) -> String {
    let now = OffsetDateTime::now_utc();
    let invitation = Invitation {
        id: "1".to_owned(),
        user_pool_id: deployment.stack.output("UserPoolId").unwrap().to_owned(),
        email: EMAIL.parse().unwrap(),
        issued_at: now,
        expires_at: now + Duration::hours(1),
    };
    invitation.sign(key).unwrap().expose().to_owned()
}

/// Invokes the deployed trigger with a sign-up.
async fn sign_up(deployment: &Deployment, invitation: Option<&str>) -> Result<Value, LocalAwsError> {
    let event = json!({
        "version": "1", "triggerSource": "PreSignUp_SignUp", "userName": "ivy",
        "userPoolId": deployment.stack.output("UserPoolId").unwrap(),
        "request": {"userAttributes": {"email": EMAIL}, "clientMetadata": {"invitation": invitation}},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    });
    let trigger = deployment.stack.output("PreSignUpFunctionArn").unwrap();
    let mut answer = deployment.stack.invoke(&deployment.aws, trigger, &event).await?;
    Ok(answer["response"].take())
}

fn flags(granted: bool) -> Value {
    json!({"autoConfirmUser": granted, "autoVerifyEmail": granted, "autoVerifyPhone": false})
}

#[tokio::test]
async fn trigger_accepts_invitations_signed_by_the_current_key_only() {
    let invited = [("AutoConfirm", "invited"), ("AutoVerifyEmail", "invited")];
    let deployment = super::deploy(&invited).await;
    let (first_name, second_name) = (name_of(&deployment, 1).await, name_of(&deployment, 2).await);
    let first = key(&deployment, &first_name).await.unwrap();
    let invited_by_first = invitation(&deployment, &first);
    assert_eq!(sign_up(&deployment, Some(&invited_by_first)).await.unwrap(), flags(true));
    assert_eq!(sign_up(&deployment, None).await.unwrap(), flags(false), "not invited");
    let forged = invitation(&deployment, &SigningKey::from_seed(&[7; 32]));
    sign_up(&deployment, Some(&forged)).await.unwrap_err();

    let template = Tools::find().unwrap().built_template().unwrap();
    redeploy(&deployment, &template, &[invited[0], invited[1], ("InvitationKeyVersion", "2")]).await;
    assert!(key(&deployment, &first_name).await.is_none(), "the old key is deleted");
    let second = key(&deployment, &second_name).await.unwrap();
    assert_eq!(sign_up(&deployment, Some(&invitation(&deployment, &second))).await.unwrap(), flags(true));
    sign_up(&deployment, Some(&invited_by_first)).await.unwrap_err();

    let uninvited = [("AutoConfirm", "nobody"), ("AutoVerifyEmail", "nobody"), ("InvitationKeyVersion", "2")];
    redeploy(&deployment, &template, &uninvited).await;
    assert!(key(&deployment, &second_name).await.is_none(), "the unused key is deleted");
    assert_eq!(sign_up(&deployment, Some(&invited_by_first)).await.unwrap(), flags(false), "the invitation is ignored");
}
