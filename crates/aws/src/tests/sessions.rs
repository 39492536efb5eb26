//! Sign-in: `SECRET_HASH`, challenges, refresh, and what becomes of tokens.

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

fn typed(username: &str, password: &str) -> Credentials {
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
async fn a_sign_in_proves_the_clients_secret_and_tells_the_real_user_name() {
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
        let signed_in = sessions.sign_in(&typed("mia@example.com", "Correct-Horse-1")).await.unwrap();
        let SignIn::Tokens(tokens) = signed_in else { unreachable!("{signed_in:?}") };
        assert_eq!((tokens.username.as_str(), tokens.expires_in_seconds), ("real-mia", 3600));
        assert_eq!(tokens.refresh_token.unwrap().expose(), "refresh");
    }
    assert_eq!(describe.num_calls(), 1, "the secret is read once");
}

#[tokio::test]
async fn a_client_without_a_secret_sends_no_hash() {
    let describe = client_with_secret(None);
    let sign_in = mock!(Client::admin_initiate_auth)
        .match_requests(|request| !request.auth_parameters().unwrap().contains_key("SECRET_HASH"))
        .then_output(|| AdminInitiateAuthOutput::builder().authentication_result(tokens(None)).build());
    let signed_in = sessions(&[&describe, &sign_in]).sign_in(&typed("mia", "x")).await;
    assert!(matches!(signed_in, Ok(SignIn::Tokens(_))));
}

#[tokio::test]
async fn a_secret_that_could_not_be_read_is_asked_for_again() {
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
    let refused = sessions.sign_in(&typed("mia", "x")).await.unwrap_err();
    assert_eq!((refused.reason, refused.operation), (Reason::PermissionMissing, "DescribeUserPoolClient"));
    assert!(sessions.sign_in(&typed("mia", "x")).await.is_ok());
}

#[tokio::test]
async fn a_challenge_names_the_real_user_and_only_what_is_missing() {
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
    let answer = sessions(&[&describe, &sign_in]).sign_in(&typed("mia", "x")).await.unwrap();
    let SignIn::Challenge(challenge) = answer else { unreachable!("{answer:?}") };
    assert_eq!((challenge.name, challenge.username.as_str()), (ChallengeName::NewPasswordRequired, "real-mia"));
    assert_eq!(challenge.missing_attributes, ["birthdate"]);
    assert_eq!((challenge.factors.len(), &challenge.code_sent_to), (0, &None));
    assert!(!format!("{challenge:?}").contains("session-1"));
}

#[tokio::test]
async fn a_refresh_hashes_the_real_name_and_brings_no_new_refresh_token() {
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
        .refresh(&name("real-mia"), &Secret::new("refresh"), &somewhere())
        .await
        .unwrap();
    assert!(refreshed.refresh_token.is_none());
}

#[tokio::test]
async fn a_revocation_sends_the_clients_secret_itself() {
    let describe = client_with_secret(Some("secret-1"));
    let revoke = mock!(Client::revoke_token)
        .match_requests(|request| request.client_secret() == Some("secret-1") && request.token() == Some("refresh"))
        .then_output(|| RevokeTokenOutput::builder().build());
    sessions(&[&describe, &revoke]).revoke(&Secret::new("refresh")).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_refused_alike() {
    for code in ["UserNotFoundException", "NotAuthorizedException"] {
        let describe = client_with_secret(None);
        let refuse = mock!(Client::admin_initiate_auth).then_http_response(move || json_error(400, code));
        let error = sessions(&[&describe, &refuse]).sign_in(&typed("mia", "x")).await.unwrap_err();
        assert_eq!(
            (error.reason, error.to_string().as_str()),
            (Reason::InvalidCredentials, "AdminInitiateAuth: the credentials are wrong")
        );
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_read_are_an_error_and_stay_out_of_it() {
    let describe = client_with_secret(None);
    let sign_in = mock!(Client::admin_initiate_auth).then_output(|| {
        let tokens = AuthenticationResultType::builder().access_token("opaque-canary").id_token("id-canary").build();
        AdminInitiateAuthOutput::builder().authentication_result(tokens).build()
    });
    let error = sessions(&[&describe, &sign_in]).sign_in(&typed("mia", "x")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Internal);
    assert!(!format!("{error:?}").contains("canary"));
}

/// What a person's request is known to come from.
fn somewhere() -> ClientContext {
    ClientContext {
        ip_address: Some("203.0.113.7".to_owned()),
        server_name: "api.example.com".to_owned(),
        server_path: "/v1/auth/sign-in".to_owned(),
        headers: vec![("user-agent".to_owned(), "tests".to_owned())],
        device_data: Some("fingerprint".to_owned()),
    }
}

/// The contents of an answer with tokens.
fn tokens_on_the_wire() -> Value {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"username":"real-mia"}"#);
    json!({"AuthenticationResult": {
        "AccessToken": format!("e30.{payload}.signature"),
        "IdToken": "id-token",
        "RefreshToken": "refresh-2",
        "ExpiresIn": 3600,
    }})
}

/// The app client, set up with this beside its secret.
fn set_up(with: &Value) -> Value {
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
async fn a_sign_up_tells_where_the_person_is_only_to_a_client_that_takes_it() {
    let cases = [(json!({"EnablePropagateAdditionalUserContextData": true}), true), (json!({}), false)];
    for (client, is_told) in cases {
        let delivery = json!({"Destination": "m***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"});
        let signed_up = json!({"UserSub": "sub-1", "UserConfirmed": false, "CodeDeliveryDetails": delivery});
        let fake = FakeAws::answering([("DescribeUserPoolClient", set_up(&client)), ("SignUp", signed_up)]);
        let registered = client_of(&fake).await.sign_up(&registration(somewhere())).await.unwrap();
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
        if is_told {
            expected["UserContextData"] = json!({"IpAddress": "203.0.113.7", "EncodedData": "fingerprint"});
        }
        assert_eq!(fake.sent("SignUp"), expected);
    }
}

#[tokio::test]
async fn a_sign_up_from_nowhere_tells_nothing_of_it() {
    let client = set_up(&json!({"EnablePropagateAdditionalUserContextData": true}));
    let signed_up = json!({"UserSub": "sub-1", "UserConfirmed": true});
    let fake = FakeAws::answering([("DescribeUserPoolClient", client), ("SignUp", signed_up)]);
    let registered = client_of(&fake).await.sign_up(&registration(ClientContext::default())).await.unwrap();
    assert_eq!((registered.confirmed, registered.code_sent_to), (true, None));
    assert_eq!(fake.sent("SignUp").get("UserContextData"), None);
}

/// [`somewhere`], for calls that need rights.
fn somewhere_on_the_wire() -> Value {
    json!({
        "IpAddress": "203.0.113.7",
        "ServerName": "api.example.com",
        "ServerPath": "/v1/auth/sign-in",
        "HttpHeaders": [{"headerName": "user-agent", "headerValue": "tests"}],
        "EncodedData": "fingerprint",
    })
}

#[tokio::test]
async fn a_sign_in_tells_where_the_person_is_where_an_address_is_known() {
    let only_an_address = ClientContext { ip_address: Some("203.0.113.7".to_owned()), ..ClientContext::default() };
    let least = json!({"IpAddress": "203.0.113.7", "ServerName": "", "ServerPath": "", "HttpHeaders": []});
    let no_address = ClientContext { ip_address: None, ..somewhere() };
    for (context, expected) in
        [(somewhere(), Some(somewhere_on_the_wire())), (only_an_address, Some(least)), (no_address, None)]
    {
        let answers = [("DescribeUserPoolClient", set_up(&json!({}))), ("AdminInitiateAuth", tokens_on_the_wire())];
        let fake = FakeAws::answering(answers);
        let credentials = Credentials { context, ..typed("mia", "Correct-Horse-1") };
        client_of(&fake).await.sign_in(&credentials).await.unwrap();
        assert_eq!(fake.sent("AdminInitiateAuth").get("ContextData").cloned(), expected);
    }
}

#[tokio::test]
async fn a_client_that_rotates_refresh_tokens_gets_a_new_one_and_any_other_asks_the_old_way() {
    for (feature, rotates) in [("ENABLED", true), ("DISABLED", false)] {
        let client = set_up(&json!({"RefreshTokenRotation": {"Feature": feature, "RetryGracePeriodSeconds": 0}}));
        let fake = FakeAws::answering([
            ("DescribeUserPoolClient", client),
            ("GetTokensFromRefreshToken", tokens_on_the_wire()),
            ("AdminInitiateAuth", tokens_on_the_wire()),
        ]);
        let tokens =
            client_of(&fake).await.refresh(&name("real-mia"), &Secret::new("refresh-1"), &somewhere()).await.unwrap();
        assert_eq!(tokens.username.as_str(), "real-mia");
        if rotates {
            assert_eq!(tokens.refresh_token.unwrap().expose(), "refresh-2");
            let expected = json!({"ClientId": CLIENT, "ClientSecret": "secret-1", "RefreshToken": "refresh-1"});
            assert_eq!(fake.sent("GetTokensFromRefreshToken"), expected);
            assert_eq!(fake.calls("AdminInitiateAuth"), 0);
        } else {
            let sent = fake.sent("AdminInitiateAuth");
            assert_eq!(
                (&sent["AuthFlow"], &sent["ContextData"]),
                (&json!("REFRESH_TOKEN_AUTH"), &somewhere_on_the_wire())
            );
            assert_eq!(fake.calls("GetTokensFromRefreshToken"), 0);
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_was_used_before_is_refused() {
    for code in ["RefreshTokenReuseException", "NotAuthorizedException", "UserNotFoundException"] {
        let client = set_up(&json!({"RefreshTokenRotation": {"Feature": "ENABLED"}}));
        let fake = FakeAws::new(move |called| match called {
            "DescribeUserPoolClient" => Ok(super::response(200, client.to_string())),
            _ => Ok(json_error(400, code)),
        });
        let refused = client_of(&fake).await.refresh(&name("real-mia"), &Secret::new("refresh-1"), &somewhere()).await;
        assert_eq!(refused.unwrap_err().reason, Reason::InvalidCredentials, "{code}");
    }
}
