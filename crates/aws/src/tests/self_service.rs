//! Tests requests, parsed responses and errors of self-service.

use std::sync::Arc;

use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::self_service::{Myself, SelfService};
use domain::user_pool::sessions::{ClientContext, CodeDelivery, Factor, Sessions};
use domain::user_pool::sign_in_security::Mfa;
use domain::user_pool::user::Attributes;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::mia;
use crate::CognitoAppClient;
use crate::secret_hash::secret_hash;

const CLIENT: &str = "client-1";

async fn client(fake: &FakeAws) -> Arc<CognitoAppClient> {
    offline_aws().await.with_http_client(fake.clone()).app_client("pool", CLIENT)
}

fn token() -> Secret {
    super::access_token("pool", CLIENT)
}

fn code() -> Secret {
    Secret::new("123456")
}

fn client_context() -> ClientContext {
    ClientContext {
        ip_address: Some("203.0.113.7".to_owned()),
        server_name: "api.example.com".to_owned(),
        device_data: Some("fingerprint".to_owned()),
        ..ClientContext::default()
    }
}

fn delivery_json() -> Value {
    json!({"CodeDeliveryDetails": {"Destination": "m***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}})
}

fn delivery() -> CodeDelivery {
    CodeDelivery {
        medium: "EMAIL".to_owned(),
        destination: "m***@e***".to_owned(),
        attribute: Some("email".to_owned()),
    }
}

#[tokio::test]
async fn calls_by_username_send_secret_hash_and_accepted_user_context() {
    for takes_context in [true, false] {
        let described = json!({"UserPoolClient": {
            "ClientId": CLIENT,
            "ClientSecret": "secret-1",
            "EnablePropagateAdditionalUserContextData": takes_context,
        }});
        let fake = FakeAws::answering([
            ("DescribeUserPoolClient", described),
            ("ResendConfirmationCode", delivery_json()),
            ("ForgotPassword", delivery_json()),
        ]);
        let (client, context) = (client(&fake).await, client_context());
        client.confirm_sign_up(&mia(), &code(), &context).await.unwrap();
        assert_eq!(client.resend_code(&mia(), &context).await.unwrap(), Some(delivery()));
        assert_eq!(client.forgot_password(&mia(), &context).await.unwrap(), Some(delivery()));
        client.reset_password(&mia(), &code(), &Secret::new("Correct-Horse-2"), &context).await.unwrap();

        let table = [
            ("ConfirmSignUp", json!({"ConfirmationCode": "123456"})),
            ("ResendConfirmationCode", json!({})),
            ("ForgotPassword", json!({})),
            ("ConfirmForgotPassword", json!({"ConfirmationCode": "123456", "Password": "Correct-Horse-2"})),
        ];
        for (operation, mut expected) in table {
            expected["ClientId"] = json!(CLIENT);
            expected["Username"] = json!("mia");
            expected["SecretHash"] = json!(secret_hash(&Secret::new("secret-1"), "mia", CLIENT));
            if takes_context {
                expected["UserContextData"] = json!({"IpAddress": "203.0.113.7", "EncodedData": "fingerprint"});
            }
            assert_eq!(fake.sent(operation), expected, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_client_without_a_secret_sends_no_secret_hash() {
    let fake = FakeAws::answering([("DescribeUserPoolClient", json!({"UserPoolClient": {"ClientId": CLIENT}}))]);
    let sent_to = client(&fake).await.forgot_password(&mia(), &client_context()).await.unwrap();
    assert_eq!(sent_to, None, "Cognito returned no delivery details");
    assert_eq!(fake.sent("ForgotPassword"), json!({"ClientId": CLIENT, "Username": "mia"}));
}

#[tokio::test]
async fn reads_the_token_owner_with_supported_factors() {
    let user = json!({
        "Username": "real-mia",
        // The app client cannot read `sub`, which is a claim of the token.
        "UserAttributes": [{"Name": "name", "Value": "Mia"}],
        "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA", "WEB_AUTHN", "EMAIL_OTP"],
    });
    let fake = FakeAws::answering([("GetUser", user)]);
    let expected = Myself {
        username: "real-mia".parse().unwrap(),
        attributes: Attributes::from(
            [("name", "Mia"), ("sub", "sub-1")].map(|(name, value)| (name.into(), value.into())),
        ),
        factors: vec![Factor::SoftwareTokenMfa, Factor::EmailOtp],
        preferred_factor: Some(Factor::SoftwareTokenMfa),
        session: Some("session-1".to_owned()),
    };
    assert_eq!(client(&fake).await.myself(&token()).await.unwrap(), expected);
    assert_eq!(fake.sent("GetUser"), json!({"AccessToken": token().expose()}));
    assert_eq!(fake.calls("DescribeUserPoolClient"), 0, "a call with a token needs no client secret");

    let unnamed = client(&FakeAws::answering([])).await.myself(&token()).await;
    assert_eq!(unnamed.unwrap_err().reason, Reason::Internal, "a response without a user name");
}

#[tokio::test]
async fn changes_the_password_and_deletes_with_the_users_token() {
    let fake = FakeAws::answering([]);
    let own = client(&fake).await;
    own.change_password(&token(), &Secret::new("Old-1"), &Secret::new("New-1")).await.unwrap();
    let expected = json!({"AccessToken": token().expose(), "PreviousPassword": "Old-1", "ProposedPassword": "New-1"});
    assert_eq!(fake.sent("ChangePassword"), expected);
    own.delete_myself(&token()).await.unwrap();
    assert_eq!(fake.sent("DeleteUser"), json!({"AccessToken": token().expose()}));
}

#[tokio::test]
async fn verifies_attributes_with_the_users_token() {
    let fake = FakeAws::answering([("GetUserAttributeVerificationCode", delivery_json())]);
    let own = client(&fake).await;
    assert_eq!(own.send_attribute_code(&token(), "email").await.unwrap(), Some(delivery()));
    own.verify_attribute(&token(), "email", &code()).await.unwrap();
    let expected = json!({"AccessToken": token().expose(), "AttributeName": "email"});
    assert_eq!(fake.sent("GetUserAttributeVerificationCode"), expected);
    let expected = json!({"AccessToken": token().expose(), "AttributeName": "email", "Code": "123456"});
    assert_eq!(fake.sent("VerifyUserAttribute"), expected);

    let without_details = client(&FakeAws::answering([])).await.send_attribute_code(&token(), "email").await;
    assert_eq!(without_details.unwrap(), None, "Cognito's model does not require the details");
}

fn totp_only() -> Mfa {
    Mfa { enabled: vec![Factor::SoftwareTokenMfa], preferred: Some(Factor::SoftwareTokenMfa) }
}

#[tokio::test]
async fn enrolls_an_authenticator_with_the_users_token() {
    let fake = FakeAws::answering([
        ("AssociateSoftwareToken", json!({"SecretCode": "JBSWY3DPEHPK3PXP", "Session": "unused"})),
        ("VerifySoftwareToken", json!({"Status": "SUCCESS"})),
    ]);
    let own = client(&fake).await;
    let secret = own.start_totp(&token()).await.unwrap();
    assert_eq!(secret.expose(), "JBSWY3DPEHPK3PXP");
    assert!(!format!("{secret:?}").contains("JBSWY3DPEHPK3PXP"));
    own.verify_totp(&token(), &code(), Some("phone")).await.unwrap();
    own.set_own_mfa(&token(), &[Factor::EmailOtp], &totp_only()).await.unwrap();
    own.set_own_mfa(&token(), &[], &Mfa::default()).await.unwrap();

    assert_eq!(fake.sent("AssociateSoftwareToken"), json!({"AccessToken": token().expose()}));
    let expected = json!({"AccessToken": token().expose(), "UserCode": "123456", "FriendlyDeviceName": "phone"});
    assert_eq!(fake.sent("VerifySoftwareToken"), expected);
    let expected = json!({
        "AccessToken": token().expose(),
        "SoftwareTokenMfaSettings": {"Enabled": true, "PreferredMfa": true},
        "EmailMfaSettings": {"Enabled": false, "PreferredMfa": false},
    });
    assert_eq!(fake.sent("SetUserMFAPreference"), expected);
    assert_eq!(fake.calls("SetUserMFAPreference"), 1, "no call without a change");
    assert_eq!(fake.calls("DescribeUserPoolClient"), 0, "a call with a token needs no client secret");
}

#[tokio::test]
async fn an_unfinished_enrollment_is_an_error() {
    for (verified, expected) in [(json!({"Status": "ERROR"}), Reason::CodeMismatch), (json!({}), Reason::Internal)] {
        let own = client(&FakeAws::answering([("VerifySoftwareToken", verified)])).await;
        assert_eq!(own.verify_totp(&token(), &code(), None).await.unwrap_err().reason, expected);
    }
    let own = client(&FakeAws::answering([("AssociateSoftwareToken", json!({"Session": "canary"}))])).await;
    assert_eq!(own.start_totp(&token()).await.unwrap_err().reason, Reason::Internal);
}

/// Makes the call that sends the operation, while Cognito rejects it.
async fn rejected(operation: &'static str, error_code: &'static str, message: &'static str) -> UserPoolError {
    let fake = FakeAws::new(move |called| {
        let error = json!({"__type": error_code, "message": message});
        let (status, json) =
            if called == operation { (400, error) } else { (200, json!({"UserPoolClient": {"ClientId": CLIENT}})) };
        Ok(super::response(status, json.to_string()))
    });
    let (own, no_context) = (client(&fake).await, ClientContext::default());
    let error = match operation {
        "ConfirmSignUp" => own.confirm_sign_up(&mia(), &code(), &no_context).await.err(),
        "ResendConfirmationCode" => own.resend_code(&mia(), &no_context).await.err(),
        "ForgotPassword" => own.forgot_password(&mia(), &no_context).await.err(),
        _ => own.reset_password(&mia(), &code(), &Secret::new("x"), &no_context).await.err(),
    };
    let error = error.unwrap();
    assert_eq!(error.operation, operation);
    error
}

#[tokio::test]
async fn distinguishes_errors_of_one_code_by_message() {
    let confirmed = "User cannot be confirmed. Current status is CONFIRMED";
    let no_verified_address =
        "Cannot reset password for the user as there is no registered/verified email or phone_number";
    let wrong_state = "User password cannot be reset in the current state.";
    let table = [
        ("ConfirmSignUp", "NotAuthorizedException", confirmed, Reason::WrongState),
        ("ConfirmSignUp", "NotAuthorizedException", "Unable to verify secret hash for client 1", Reason::Internal),
        ("ResendConfirmationCode", "InvalidParameterException", "User is already confirmed.", Reason::WrongState),
        ("ResendConfirmationCode", "InvalidParameterException", "1 validation error", Reason::InvalidRequest),
        ("ForgotPassword", "NotAuthorizedException", wrong_state, Reason::WrongState),
        (
            "ForgotPassword",
            "NotAuthorizedException",
            "Client 1 is configured with secret but SECRET_HASH was not received",
            Reason::Internal,
        ),
        ("ForgotPassword", "InvalidParameterException", no_verified_address, Reason::WrongState),
    ];
    for (operation, code, message, expected) in table {
        assert_eq!(rejected(operation, code, message).await.reason, expected, "{operation}: {code} {message}");
    }
}

#[tokio::test]
async fn unknown_users_get_the_same_error_as_a_wrong_code() {
    for operation in ["ConfirmSignUp", "ConfirmForgotPassword"] {
        let unknown = rejected(operation, "UserNotFoundException", "User does not exist.").await;
        let wrong = rejected(operation, "CodeMismatchException", "Invalid verification code provided").await;
        assert_eq!((unknown.reason, unknown.to_string()), (wrong.reason, wrong.to_string()), "{operation}");
    }
    let disabled = rejected("ConfirmForgotPassword", "NotAuthorizedException", "User is disabled.").await;
    assert_eq!(disabled.reason, Reason::CodeMismatch);
}

#[tokio::test]
async fn never_sends_tokens_of_another_pool_or_client() {
    let issuer = |pool: &str| format!("https://cognito-idp.eu-central-1.amazonaws.com/{pool}");
    let claims = |pool: &str, client: &str, token_use: &str| json!({"iss": issuer(pool), "client_id": client, "token_use": token_use, "username": "mia"});
    let foreign = [
        super::access_token_with(&claims("other", CLIENT, "access")),
        super::access_token_with(&claims("my-pool", CLIENT, "access")),
        super::access_token_with(&claims("pool", "web", "access")),
        super::access_token_with(&claims("pool", CLIENT, "id")),
        super::access_token_with(&json!({})),
        Secret::new("opaque"),
        Secret::new("a.b.c"),
    ];
    for token in foreign {
        let fake = FakeAws::answering([]);
        let own = client(&fake).await;
        let outcomes = [
            own.myself(&token).await.map(drop),
            own.change_password(&token, &code(), &code()).await,
            own.delete_myself(&token).await,
            own.send_attribute_code(&token, "email").await.map(drop),
            own.verify_attribute(&token, "email", &code()).await,
            own.start_totp(&token).await.map(drop),
            own.verify_totp(&token, &code(), None).await,
            own.set_own_mfa(&token, &[], &totp_only()).await,
        ];
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(error) if error.reason == Reason::InvalidCredentials))
        );
        let calls = [
            "GetUser",
            "ChangePassword",
            "DeleteUser",
            "GetUserAttributeVerificationCode",
            "VerifyUserAttribute",
            "AssociateSoftwareToken",
            "VerifySoftwareToken",
            "SetUserMFAPreference",
        ];
        assert!(calls.iter().all(|call| fake.calls(call) == 0));
    }
}

#[tokio::test]
async fn signs_out_with_tokens_of_every_client_but_of_no_other_pool() {
    let claims = |pool: &str, client: &str, token_use: &str| {
        let issuer = format!("https://cognito-idp.eu-central-1.amazonaws.com/{pool}");
        super::access_token_with(&json!({"iss": issuer, "client_id": client, "token_use": token_use}))
    };
    for (token, is_accepted) in [
        (claims("pool", CLIENT, "access"), true),
        (claims("pool", "web", "access"), true),
        (claims("my-pool", "web", "access"), false),
        (claims("pool", "web", "id"), false),
        (Secret::new("opaque"), false),
    ] {
        let fake = FakeAws::answering([("GetUser", json!({"Username": "mia", "UserAttributes": []}))]);
        let own = client(&fake).await;
        let outcomes = [own.session_owner(&token).await.map(drop), own.sign_out_everywhere(&token).await];
        assert!(outcomes.iter().all(|outcome| outcome.is_ok() == is_accepted), "{outcomes:?}");
        let calls = usize::from(is_accepted);
        assert_eq!([fake.calls("GetUser"), fake.calls("GlobalSignOut")], [calls; 2]);
    }
}
