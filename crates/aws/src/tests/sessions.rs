//! Tests sign-up, sign-in, refresh and revocation: `SECRET_HASH`, user context and tokens.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthOutput;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool_client::DescribeUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::revoke_token::RevokeTokenOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AuthFlowType, AuthenticationResultType, ChallengeNameType, UserPoolClientType,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::{
    ChallengeName, ClientContext, CodeDelivery, Credentials, Registration, Sessions, SignIn,
};
use domain::user_pool::user::{Attributes, Username};

use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::json_error;
use crate::CognitoAppClient;
use crate::secret_hash::secret_hash;

mod challenges;

const CLIENT: &str = "client-1";

fn client_with_secret(secret: Option<&'static str>) -> Rule {
    mock!(Client::describe_user_pool_client).then_output(move || {
        let client = UserPoolClientType::builder().client_id(CLIENT).set_client_secret(secret.map(str::to_owned));
        DescribeUserPoolClientOutput::builder().user_pool_client(client.build()).build()
    })
}

fn hash_of(username: &str) -> String {
    secret_hash(&Secret::new("secret-1"), username, CLIENT)
}

fn sessions(rules: &[&Rule]) -> CognitoAppClient {
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, rules);
    CognitoAppClient::new(client, "pool", CLIENT)
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

fn credentials(username: &str, password: &str) -> Credentials {
    Credentials { username: name(username), password: Secret::new(password), context: ClientContext::default() }
}

fn tokens(refresh_token: Option<&str>) -> AuthenticationResultType {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"username":"real-mia","token_use":"access"}"#);
    AuthenticationResultType::builder()
        .access_token(format!("e30.{payload}.signature"))
        .id_token("id-token")
        .set_refresh_token(refresh_token.map(str::to_owned))
        .expires_in(3600)
        .build()
}

#[tokio::test]
async fn sign_in_sends_secret_hash_and_returns_the_real_username() {
    let describe = client_with_secret(Some("secret-1"));
    let sign_in = mock!(Client::admin_initiate_auth)
        .match_requests(|request| {
            let parameters = request.auth_parameters().unwrap();
            request.auth_flow() == Some(&AuthFlowType::AdminUserPasswordAuth)
                && parameters["USERNAME"] == "mia@example.com"
                && parameters["SECRET_HASH"] == hash_of("mia@example.com")
        })
        .then_output(|| AdminInitiateAuthOutput::builder().authentication_result(tokens(Some("refresh"))).build());
    let sessions = sessions(&[&describe, &sign_in]);
    for _ in 0..2 {
        let signed_in = sessions.sign_in(&credentials("mia@example.com", "Correct-Horse-1")).await.unwrap();
        let SignIn::Tokens(tokens) = signed_in else { unreachable!("{signed_in:?}") };
        assert_eq!((tokens.username.as_str(), tokens.expires_in_seconds), ("real-mia", 3600));
        assert_eq!(tokens.refresh_token.unwrap().expose(), "refresh");
    }
    assert_eq!(describe.num_calls(), 1, "the secret is read once");
}

#[tokio::test]
async fn a_client_without_a_secret_sends_no_secret_hash() {
    let describe = client_with_secret(None);
    let sign_in = mock!(Client::admin_initiate_auth)
        .match_requests(|request| !request.auth_parameters().unwrap().contains_key("SECRET_HASH"))
        .then_output(|| AdminInitiateAuthOutput::builder().authentication_result(tokens(None)).build());
    let signed_in = sessions(&[&describe, &sign_in]).sign_in(&credentials("mia", "x")).await;
    assert!(matches!(signed_in, Ok(SignIn::Tokens(_))));
}

#[tokio::test]
async fn reads_the_client_secret_again_after_a_failure() {
    let failing = mock!(Client::describe_user_pool_client)
        .sequence()
        .http_response(|| json_error(400, "AccessDeniedException"))
        .output(|| {
            let client = UserPoolClientType::builder().client_secret("secret-1").build();
            DescribeUserPoolClientOutput::builder().user_pool_client(client).build()
        })
        .build();
    let sign_in = mock!(Client::admin_initiate_auth)
        .then_output(|| AdminInitiateAuthOutput::builder().authentication_result(tokens(None)).build());
    let sessions = sessions(&[&failing, &sign_in]);
    let error = sessions.sign_in(&credentials("mia", "x")).await.unwrap_err();
    assert_eq!((error.reason, error.operation), (Reason::PermissionMissing, "DescribeUserPoolClient"));
    assert!(sessions.sign_in(&credentials("mia", "x")).await.is_ok());
}

#[tokio::test]
async fn a_challenge_has_the_real_username_and_missing_attributes_only() {
    let describe = client_with_secret(None);
    let sign_in = mock!(Client::admin_initiate_auth).then_output(|| {
        AdminInitiateAuthOutput::builder()
            .challenge_name(ChallengeNameType::NewPasswordRequired)
            .session("session-1")
            .challenge_parameters("USER_ID_FOR_SRP", "real-mia")
            .challenge_parameters("requiredAttributes", r#"["userAttributes.birthdate","userAttributes.email"]"#)
            .challenge_parameters("userAttributes", r#"{"email":"mia@example.com","email_verified":"true"}"#)
            .build()
    });
    let answer = sessions(&[&describe, &sign_in]).sign_in(&credentials("mia", "x")).await.unwrap();
    let SignIn::Challenge(challenge) = answer else { unreachable!("{answer:?}") };
    assert_eq!((challenge.name, challenge.username.as_str()), (ChallengeName::NewPasswordRequired, "real-mia"));
    assert_eq!(challenge.missing_attributes, ["birthdate"]);
    assert_eq!((challenge.factors.len(), &challenge.code_sent_to), (0, &None));
    assert!(!format!("{challenge:?}").contains("session-1"));
}

#[tokio::test]
async fn refresh_hashes_the_real_username_and_returns_no_refresh_token() {
    let describe = client_with_secret(Some("secret-1"));
    let refresh = mock!(Client::admin_initiate_auth)
        .match_requests(|request| {
            let parameters = request.auth_parameters().unwrap();
            request.auth_flow() == Some(&AuthFlowType::RefreshTokenAuth)
                && parameters["REFRESH_TOKEN"] == "refresh"
                && parameters["SECRET_HASH"] == hash_of("real-mia")
        })
        .then_output(|| AdminInitiateAuthOutput::builder().authentication_result(tokens(None)).build());
    let refreshed = sessions(&[&describe, &refresh])
        .refresh(&name("real-mia"), &Secret::new("refresh"), &client_context())
        .await
        .unwrap();
    assert!(refreshed.refresh_token.is_none());
}

#[tokio::test]
async fn revocation_sends_the_client_secret_instead_of_a_hash() {
    let describe = client_with_secret(Some("secret-1"));
    let revoke = mock!(Client::revoke_token)
        .match_requests(|request| request.client_secret() == Some("secret-1") && request.token() == Some("refresh"))
        .then_output(|| RevokeTokenOutput::builder().build());
    sessions(&[&describe, &revoke]).revoke(&Secret::new("refresh")).await.unwrap();
}

#[tokio::test]
async fn unknown_user_and_wrong_password_get_the_same_error() {
    for code in ["UserNotFoundException", "NotAuthorizedException"] {
        let describe = client_with_secret(None);
        let reject = mock!(Client::admin_initiate_auth).then_http_response(move || json_error(400, code));
        let error = sessions(&[&describe, &reject]).sign_in(&credentials("mia", "x")).await.unwrap_err();
        assert_eq!(
            (error.reason, error.to_string().as_str()),
            (Reason::InvalidCredentials, "AdminInitiateAuth: the credentials are wrong")
        );
    }
}

#[tokio::test]
async fn malformed_tokens_are_an_error_that_does_not_contain_them() {
    let describe = client_with_secret(None);
    let sign_in = mock!(Client::admin_initiate_auth).then_output(|| {
        let tokens = AuthenticationResultType::builder().access_token("opaque-canary").id_token("id-canary").build();
        AdminInitiateAuthOutput::builder().authentication_result(tokens).build()
    });
    let error = sessions(&[&describe, &sign_in]).sign_in(&credentials("mia", "x")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Internal);
    assert!(!format!("{error:?}").contains("canary"));
}

fn client_context() -> ClientContext {
    ClientContext {
        ip_address: Some("203.0.113.7".to_owned()),
        server_name: "api.example.com".to_owned(),
        server_path: "/v1/auth/sign-in".to_owned(),
        headers: vec![("user-agent".to_owned(), "tests".to_owned())],
        device_data: Some("fingerprint".to_owned()),
    }
}

/// Returns a response body with tokens.
fn tokens_json() -> Value {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"username":"real-mia"}"#);
    json!({"AuthenticationResult": {
        "AccessToken": format!("e30.{payload}.signature"),
        "IdToken": "id-token",
        "RefreshToken": "refresh-2",
        "ExpiresIn": 3600,
    }})
}

/// Returns the description of the app client, with a secret and these settings.
fn described(with: &Value) -> Value {
    let mut client = json!({"ClientId": CLIENT, "ClientSecret": "secret-1"});
    client.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    json!({ "UserPoolClient": client })
}

async fn client_of(fake: &FakeAws) -> Box<dyn Sessions> {
    Box::new(offline_aws().await.with_http_client(fake.clone()).sessions("pool", CLIENT))
}

fn registration(context: ClientContext) -> Registration {
    Registration {
        username: name("mia@example.com"),
        password: Secret::new("Correct-Horse-1"),
        attributes: Attributes::from([("name".to_owned(), "Mia".to_owned())]),
        validation_data: Attributes::from([("invitation".to_owned(), "i-1".to_owned())]),
        client_metadata: Attributes::from([("from".to_owned(), "tests".to_owned())]),
        context,
    }
}

#[tokio::test]
async fn sign_up_sends_user_context_only_if_the_client_accepts_it() {
    let cases = [(json!({"EnablePropagateAdditionalUserContextData": true}), true), (json!({}), false)];
    for (client, accepts_context) in cases {
        let delivery = json!({"Destination": "m***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"});
        let signed_up = json!({"UserSub": "sub-1", "UserConfirmed": false, "CodeDeliveryDetails": delivery});
        let fake = FakeAws::answering([("DescribeUserPoolClient", described(&client)), ("SignUp", signed_up)]);
        let registered = client_of(&fake).await.sign_up(&registration(client_context())).await.unwrap();
        let sent_to = CodeDelivery {
            medium: "EMAIL".to_owned(),
            destination: "m***@e***".to_owned(),
            attribute: Some("email".to_owned()),
        };
        assert_eq!((registered.confirmed, registered.code_sent_to), (false, Some(sent_to)));
        let mut expected = json!({
            "ClientId": CLIENT,
            "SecretHash": hash_of("mia@example.com"),
            "Username": "mia@example.com",
            "Password": "Correct-Horse-1",
            "UserAttributes": [{"Name": "name", "Value": "Mia"}],
            "ValidationData": [{"Name": "invitation", "Value": "i-1"}],
            "ClientMetadata": {"from": "tests"},
        });
        if accepts_context {
            expected["UserContextData"] = json!({"IpAddress": "203.0.113.7", "EncodedData": "fingerprint"});
        }
        assert_eq!(fake.sent("SignUp"), expected);
    }
}

#[tokio::test]
async fn sign_up_without_context_sends_no_user_context() {
    let client = described(&json!({"EnablePropagateAdditionalUserContextData": true}));
    let signed_up = json!({"UserSub": "sub-1", "UserConfirmed": true});
    let fake = FakeAws::answering([("DescribeUserPoolClient", client), ("SignUp", signed_up)]);
    let registered = client_of(&fake).await.sign_up(&registration(ClientContext::default())).await.unwrap();
    assert_eq!((registered.confirmed, registered.code_sent_to), (true, None));
    assert_eq!(fake.sent("SignUp").get("UserContextData"), None);
}

/// Returns [`client_context`] as it is sent in calls with IAM authorization.
fn context_json() -> Value {
    json!({
        "IpAddress": "203.0.113.7",
        "ServerName": "api.example.com",
        "ServerPath": "/v1/auth/sign-in",
        "HttpHeaders": [{"headerName": "user-agent", "headerValue": "tests"}],
        "EncodedData": "fingerprint",
    })
}

#[tokio::test]
async fn sign_in_sends_context_data_only_with_an_ip_address() {
    let only_an_address = ClientContext { ip_address: Some("203.0.113.7".to_owned()), ..ClientContext::default() };
    let minimal_context = json!({"IpAddress": "203.0.113.7", "ServerName": "", "ServerPath": "", "HttpHeaders": []});
    let no_address = ClientContext { ip_address: None, ..client_context() };
    for (context, expected) in
        [(client_context(), Some(context_json())), (only_an_address, Some(minimal_context)), (no_address, None)]
    {
        let answers = [("DescribeUserPoolClient", described(&json!({}))), ("AdminInitiateAuth", tokens_json())];
        let fake = FakeAws::answering(answers);
        let credentials = Credentials { context, ..credentials("mia", "Correct-Horse-1") };
        client_of(&fake).await.sign_in(&credentials).await.unwrap();
        assert_eq!(fake.sent("AdminInitiateAuth").get("ContextData").cloned(), expected);
    }
}

#[tokio::test]
async fn only_token_rotation_uses_get_tokens_from_refresh_token() {
    for (feature, rotates) in [("ENABLED", true), ("DISABLED", false)] {
        let client = described(&json!({"RefreshTokenRotation": {"Feature": feature, "RetryGracePeriodSeconds": 0}}));
        let fake = FakeAws::answering([
            ("DescribeUserPoolClient", client),
            ("GetTokensFromRefreshToken", tokens_json()),
            ("AdminInitiateAuth", tokens_json()),
        ]);
        let tokens = client_of(&fake)
            .await
            .refresh(&name("real-mia"), &Secret::new("refresh-1"), &client_context())
            .await
            .unwrap();
        assert_eq!(tokens.username.as_str(), "real-mia");
        if rotates {
            assert_eq!(tokens.refresh_token.unwrap().expose(), "refresh-2");
            let expected = json!({"ClientId": CLIENT, "ClientSecret": "secret-1", "RefreshToken": "refresh-1"});
            assert_eq!(fake.sent("GetTokensFromRefreshToken"), expected);
            assert_eq!(fake.calls("AdminInitiateAuth"), 0);
        } else {
            let sent = fake.sent("AdminInitiateAuth");
            assert_eq!((&sent["AuthFlow"], &sent["ContextData"]), (&json!("REFRESH_TOKEN_AUTH"), &context_json()));
            assert_eq!(fake.calls("GetTokensFromRefreshToken"), 0);
        }
    }
}

#[tokio::test]
async fn rejects_reused_refresh_tokens() {
    for code in ["RefreshTokenReuseException", "NotAuthorizedException", "UserNotFoundException"] {
        let client = described(&json!({"RefreshTokenRotation": {"Feature": "ENABLED"}}));
        let fake = FakeAws::new(move |called| match called {
            "DescribeUserPoolClient" => Ok(super::response(200, client.to_string())),
            _ => Ok(json_error(400, code)),
        });
        let error =
            client_of(&fake).await.refresh(&name("real-mia"), &Secret::new("refresh-1"), &client_context()).await;
        assert_eq!(error.unwrap_err().reason, Reason::InvalidCredentials, "{code}");
    }
}
