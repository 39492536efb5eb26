//! Sign-in: `SECRET_HASH`, challenges, refresh, and what becomes of tokens.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_respond_to_auth_challenge::AdminRespondToAuthChallengeOutput;
use aws_sdk_cognitoidentityprovider::operation::describe_user_pool_client::DescribeUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::revoke_token::RevokeTokenOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AuthFlowType, AuthenticationResultType, ChallengeNameType, UserPoolClientType,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::sessions::{NewPassword, Sessions, SignIn};
use domain::user::{Attributes, Username};
use domain::user_pool_error::Reason;

use super::json_error;
use crate::CognitoSessions;
use crate::secret_hash::secret_hash;

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

fn sessions(rules: &[&Rule]) -> CognitoSessions {
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, rules);
    CognitoSessions::new(client, "pool", CLIENT)
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
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
        let signed_in = sessions.sign_in(&name("mia@example.com"), &Secret::new("Correct-Horse-1")).await.unwrap();
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
    let signed_in = sessions(&[&describe, &sign_in]).sign_in(&name("mia"), &Secret::new("x")).await;
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
    let refused = sessions.sign_in(&name("mia"), &Secret::new("x")).await.unwrap_err();
    assert_eq!((refused.reason, refused.operation), (Reason::Internal, "DescribeUserPoolClient"));
    assert!(sessions.sign_in(&name("mia"), &Secret::new("x")).await.is_ok());
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
            .challenge_parameters("OTHER", "kept")
            .build()
    });
    let answer = sessions(&[&describe, &sign_in]).sign_in(&name("mia"), &Secret::new("x")).await.unwrap();
    let SignIn::Challenge(challenge) = answer else { unreachable!("{answer:?}") };
    assert_eq!((challenge.name.as_str(), challenge.username.as_str()), ("NEW_PASSWORD_REQUIRED", "real-mia"));
    assert_eq!(challenge.missing_attributes, ["birthdate"]);
    assert_eq!(challenge.parameters, Attributes::from([("OTHER".to_owned(), "kept".to_owned())]));
    assert!(!format!("{challenge:?}").contains("session-1"));
}

#[tokio::test]
async fn the_answer_to_the_challenge_carries_prefixed_attributes_and_the_hash_of_the_real_name() {
    let describe = client_with_secret(Some("secret-1"));
    let respond = mock!(Client::admin_respond_to_auth_challenge)
        .match_requests(|request| {
            let responses = request.challenge_responses().unwrap();
            request.session() == Some("session-1")
                && request.challenge_name() == Some(&ChallengeNameType::NewPasswordRequired)
                && responses["USERNAME"] == "real-mia"
                && responses["NEW_PASSWORD"] == "Correct-Horse-2"
                && responses["userAttributes.birthdate"] == "2000-01-01"
                && responses["SECRET_HASH"] == hash_of("real-mia")
        })
        .then_output(|| AdminRespondToAuthChallengeOutput::builder().authentication_result(tokens(Some("r"))).build());
    let answer = NewPassword {
        username: name("real-mia"),
        session: Secret::new("session-1"),
        new_password: Secret::new("Correct-Horse-2"),
        attributes: Attributes::from([("birthdate".to_owned(), "2000-01-01".to_owned())]),
    };
    let signed_in = sessions(&[&describe, &respond]).set_new_password(&answer).await;
    assert!(matches!(signed_in, Ok(SignIn::Tokens(_))));
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
    let refreshed = sessions(&[&describe, &refresh]).refresh(&name("real-mia"), &Secret::new("refresh")).await.unwrap();
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
        let error = sessions(&[&describe, &refuse]).sign_in(&name("mia"), &Secret::new("x")).await.unwrap_err();
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
    let error = sessions(&[&describe, &sign_in]).sign_in(&name("mia"), &Secret::new("x")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Internal);
    assert!(!format!("{error:?}").contains("canary"));
}
