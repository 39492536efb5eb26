//! The key of invitations through the life of a stack: made, used, replaced, and gone when it is used no more.

use std::path::Path;

use domain::invitation::{Invitation, InvitationKeys, KeyName, OwningStack, SigningKey};
use local::arguments::Options;
use local::deployment::{POOL, Scene, parameters};
use serde_json::{Value, json};
use testkit::local_aws::{LocalAwsError, Stack, Tools};
use time::{Duration, OffsetDateTime};

const EMAIL: &str = "ivy@example.com";

/// The name of the key that the stack has of a version.
pub(crate) async fn name_of(scene: &Scene, version: u32) -> KeyName {
    let stack = OwningStack::of_id(&scene.stack.id(&scene.aws).await.unwrap()).unwrap();
    KeyName::of(&POOL.to_owned().try_into().unwrap(), &stack, version)
}

/// The private key of this name.
pub(crate) async fn key(scene: &Scene, name: &KeyName) -> Option<SigningKey> {
    scene.cognito.invitation_keys().read(name).await.unwrap().map(|stored| stored.key)
}

/// Deploys again, with these parameters changed.
async fn redeploy(scene: &Scene, template: &Path, changed: &[(&str, &str)]) {
    let changed = changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let parameters = parameters(&Options { port: None, parameters: changed });
    Stack::deploy(&scene.aws, POOL, template, &parameters).await.unwrap();
}

fn invitation(scene: &Scene, key: &SigningKey) -> String {
    let now = OffsetDateTime::now_utc();
    let invitation = Invitation {
        id: "1".to_owned(),
        user_pool_id: scene.stack.output("UserPoolId").unwrap().to_owned(),
        email: EMAIL.parse().unwrap(),
        issued_at: now,
        expires_at: now + Duration::hours(1),
    };
    invitation.sign(key).unwrap().expose().to_owned()
}

/// What the trigger, as it is deployed, makes of a sign-up.
async fn sign_up(scene: &Scene, invitation: Option<&str>) -> Result<Value, LocalAwsError> {
    let event = json!({
        "version": "1", "triggerSource": "PreSignUp_SignUp", "userName": "ivy",
        "userPoolId": scene.stack.output("UserPoolId").unwrap(),
        "request": {"userAttributes": {"email": EMAIL}, "clientMetadata": {"invitation": invitation}},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    });
    let trigger = scene.stack.output("PreSignUpFunctionArn").unwrap();
    let mut answer = scene.stack.invoke(&scene.aws, trigger, &event).await?;
    Ok(answer["response"].take())
}

fn flags(granted: bool) -> Value {
    json!({"autoConfirmUser": granted, "autoVerifyEmail": granted, "autoVerifyPhone": false})
}

#[tokio::test]
async fn the_trigger_takes_what_the_key_of_the_stack_has_signed_until_there_is_another_one() {
    let invited = [("AutoConfirm", "invited"), ("AutoVerifyEmail", "invited")];
    let scene = super::deploy(&invited).await;
    let (first_name, second_name) = (name_of(&scene, 1).await, name_of(&scene, 2).await);
    let first = key(&scene, &first_name).await.unwrap();
    let invited_by_first = invitation(&scene, &first);
    assert_eq!(sign_up(&scene, Some(&invited_by_first)).await.unwrap(), flags(true));
    assert_eq!(sign_up(&scene, None).await.unwrap(), flags(false), "not invited: by code");
    let forged = invitation(&scene, &SigningKey::from_seed(&[7; 32]));
    sign_up(&scene, Some(&forged)).await.unwrap_err();

    let template = Tools::find().unwrap().built_template().unwrap();
    redeploy(&scene, &template, &[invited[0], invited[1], ("InvitationKeyVersion", "2")]).await;
    assert!(key(&scene, &first_name).await.is_none(), "the old key is gone");
    let second = key(&scene, &second_name).await.unwrap();
    assert_eq!(sign_up(&scene, Some(&invitation(&scene, &second))).await.unwrap(), flags(true));
    sign_up(&scene, Some(&invited_by_first)).await.unwrap_err();

    let uninvited = [("AutoConfirm", "nobody"), ("AutoVerifyEmail", "nobody"), ("InvitationKeyVersion", "2")];
    redeploy(&scene, &template, &uninvited).await;
    assert!(key(&scene, &second_name).await.is_none(), "nothing needs it any more");
    assert_eq!(sign_up(&scene, Some(&invited_by_first)).await.unwrap(), flags(false), "means nothing here");
}
