//! Tests challenges, the responses to them, and the setup of an authenticator app.

use domain::user_pool::sessions::{Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, Factor};

use super::*;

/// Signs in while Cognito returns this challenge.
async fn sign_in_with_challenge(challenge: Value) -> SignIn {
    let fake =
        FakeAws::answering([("DescribeUserPoolClient", described(&json!({}))), ("AdminInitiateAuth", challenge)]);
    client_of(&fake).await.sign_in(&credentials("mia@example.com", "Correct-Horse-1")).await.unwrap()
}

async fn challenge(name: &str, parameters: Value) -> Challenge {
    let answer = sign_in_with_challenge(
        json!({"ChallengeName": name, "Session": "session-1", "ChallengeParameters": parameters}),
    );
    let SignIn::Challenge(challenge) = answer.await else { unreachable!("{name}") };
    assert_eq!(challenge.name.as_str(), name);
    assert_eq!(challenge.session.as_ref().unwrap().expose(), "session-1");
    challenge
}

#[tokio::test]
async fn a_challenge_contains_its_code_delivery() {
    let table = [("SMS_MFA", "SMS", "+*******0100"), ("EMAIL_OTP", "EMAIL", "m***@e***")];
    for (name, medium, destination) in table {
        let parameters = json!({
            "USER_ID_FOR_SRP": "real-mia",
            "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
            "CODE_DELIVERY_DESTINATION": destination,
        });
        let challenge = challenge(name, parameters).await;
        let delivery = CodeDelivery { medium: medium.to_owned(), destination: destination.to_owned(), attribute: None };
        assert_eq!((challenge.username.as_str(), challenge.code_sent_to), ("real-mia", Some(delivery)));
    }
}

#[tokio::test]
async fn a_challenge_offers_supported_factors_only() {
    let table = [
        ("SELECT_MFA_TYPE", "MFAS_CAN_CHOOSE", r#"["SMS_MFA","SOFTWARE_TOKEN_MFA","EMAIL_OTP","WEB_AUTHN"]"#, 3),
        ("SELECT_MFA_TYPE", "MFAS_CAN_CHOOSE", r#"["EMAIL_MFA"]"#, 1),
        ("MFA_SETUP", "MFAS_CAN_SETUP", r#"["SOFTWARE_TOKEN_MFA"]"#, 1),
        ("MFA_SETUP", "MFAS_CAN_SETUP", "no list", 0),
    ];
    for (name, parameter, list, expected) in table {
        let challenge = challenge(name, json!({ parameter: list })).await;
        assert_eq!(challenge.factors.len(), expected, "{list}");
        assert_eq!(challenge.username.as_str(), "mia@example.com", "Cognito returned no other name");
    }
    let chosen = challenge("SELECT_MFA_TYPE", json!({"MFAS_CAN_CHOOSE": r#"["SMS_MFA","EMAIL_OTP"]"#})).await;
    assert_eq!(chosen.factors, [Factor::SmsMfa, Factor::EmailOtp]);
}

#[tokio::test]
async fn unsupported_challenges_are_returned_by_name() {
    for name in ["CUSTOM_CHALLENGE", "WEB_AUTHN", "UNKNOWN"] {
        let answer =
            sign_in_with_challenge(json!({"ChallengeName": name, "Session": "s", "ChallengeParameters": {}})).await;
        assert!(matches!(&answer, SignIn::Unsupported(unknown) if unknown == name), "{answer:?}");
    }
}

#[tokio::test]
async fn a_response_without_tokens_and_challenge_is_an_error() {
    let fake = FakeAws::answering([("DescribeUserPoolClient", described(&json!({})))]);
    let error = client_of(&fake).await.sign_in(&credentials("mia", "x")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Internal);
}

fn challenge_answer(response: ChallengeResponse) -> ChallengeAnswer {
    ChallengeAnswer {
        username: name("real-mia"),
        session: Secret::new("session-1"),
        response,
        context: ClientContext { ip_address: Some("203.0.113.7".to_owned()), ..ClientContext::default() },
    }
}

#[tokio::test]
async fn challenge_responses_contain_the_real_username_and_its_hash() {
    let code = |factor| ChallengeResponse::Code { factor, code: Secret::new("123456") };
    let new_password = ChallengeResponse::NewPassword {
        new_password: Secret::new("Correct-Horse-2"),
        attributes: Attributes::from([("birthdate".to_owned(), "2000-01-01".to_owned())]),
    };
    let table = [
        (
            new_password,
            "NEW_PASSWORD_REQUIRED",
            json!({"NEW_PASSWORD": "Correct-Horse-2", "userAttributes.birthdate": "2000-01-01"}),
        ),
        (code(Factor::SmsMfa), "SMS_MFA", json!({"SMS_MFA_CODE": "123456"})),
        (code(Factor::SoftwareTokenMfa), "SOFTWARE_TOKEN_MFA", json!({"SOFTWARE_TOKEN_MFA_CODE": "123456"})),
        (code(Factor::EmailOtp), "EMAIL_OTP", json!({"EMAIL_OTP_CODE": "123456"})),
        (ChallengeResponse::SelectFactor(Factor::EmailOtp), "SELECT_MFA_TYPE", json!({"ANSWER": "EMAIL_OTP"})),
    ];
    for (response, challenge, mut responses) in table {
        let fake = FakeAws::answering([
            ("DescribeUserPoolClient", described(&json!({}))),
            ("AdminRespondToAuthChallenge", tokens_json()),
        ]);
        let signed_in = client_of(&fake).await.answer_challenge(&challenge_answer(response)).await.unwrap();
        assert!(matches!(signed_in, SignIn::Tokens(_)), "{challenge}");
        responses["USERNAME"] = json!("real-mia");
        responses["SECRET_HASH"] = json!(hash_of("real-mia"));
        let expected = json!({
            "UserPoolId": "pool",
            "ClientId": CLIENT,
            "ChallengeName": challenge,
            "Session": "session-1",
            "ChallengeResponses": responses,
            "ContextData": {"IpAddress": "203.0.113.7", "ServerName": "", "ServerPath": "", "HttpHeaders": []},
        });
        assert_eq!(fake.sent("AdminRespondToAuthChallenge"), expected);
    }
}

#[tokio::test]
async fn a_response_can_lead_to_another_challenge() {
    let next = json!({"ChallengeName": "SMS_MFA", "Session": "session-2", "ChallengeParameters": {}});
    let fake =
        FakeAws::answering([("DescribeUserPoolClient", described(&json!({}))), ("AdminRespondToAuthChallenge", next)]);
    let response = ChallengeResponse::SelectFactor(Factor::SmsMfa);
    let next = client_of(&fake).await.answer_challenge(&challenge_answer(response)).await.unwrap();
    let SignIn::Challenge(next) = next else { unreachable!("{next:?}") };
    assert_eq!((next.name, next.username.as_str()), (ChallengeName::SmsMfa, "real-mia"));
    assert_eq!(next.session.unwrap().expose(), "session-2");
}

#[tokio::test]
async fn totp_setup_uses_the_session_of_the_previous_step() {
    let started = json!({"SecretCode": "JBSWY3DPEHPK3PXP", "Session": "session-2"});
    let verified = json!({"Status": "SUCCESS", "Session": "session-3"});
    let fake = FakeAws::answering([
        ("DescribeUserPoolClient", described(&json!({}))),
        ("AssociateSoftwareToken", started),
        ("VerifySoftwareToken", verified),
        ("AdminRespondToAuthChallenge", tokens_json()),
    ]);
    let sessions = client_of(&fake).await;
    let setup = sessions.answer_challenge(&challenge_answer(ChallengeResponse::BeginSetup)).await.unwrap();
    assert!(!format!("{setup:?}").contains("JBSWY3DPEHPK3PXP"), "debug output contains the secret");
    let SignIn::Challenge(setup) = setup else { unreachable!("{setup:?}") };
    assert_eq!((setup.name, setup.username.as_str()), (ChallengeName::MfaSetup, "real-mia"));
    assert_eq!(setup.factors, [Factor::SoftwareTokenMfa]);
    assert_eq!(setup.authenticator_secret.unwrap().expose(), "JBSWY3DPEHPK3PXP");
    assert_eq!(fake.sent("AssociateSoftwareToken"), json!({"Session": "session-1"}));

    let finish = ChallengeResponse::FinishSetup { code: Secret::new("123456"), device_name: Some("phone".to_owned()) };
    let answer = ChallengeAnswer { session: setup.session.unwrap(), ..challenge_answer(finish) };
    assert!(matches!(sessions.answer_challenge(&answer).await.unwrap(), SignIn::Tokens(_)));
    let expected = json!({"Session": "session-2", "UserCode": "123456", "FriendlyDeviceName": "phone"});
    assert_eq!(fake.sent("VerifySoftwareToken"), expected);
    let responded = fake.sent("AdminRespondToAuthChallenge");
    assert_eq!((&responded["ChallengeName"], &responded["Session"]), (&json!("MFA_SETUP"), &json!("session-3")));
    let expected = json!({"USERNAME": "real-mia", "SECRET_HASH": hash_of("real-mia")});
    assert_eq!(responded["ChallengeResponses"], expected);
}

#[tokio::test]
async fn an_unfinished_totp_setup_is_an_error() {
    let table = [
        (json!({"Status": "ERROR", "Session": "s"}), Reason::CodeMismatch),
        (json!({"Status": "SUCCESS"}), Reason::Internal),
        (json!({"Session": "s"}), Reason::Internal),
    ];
    for (verified, expected) in table {
        let fake = FakeAws::answering([("VerifySoftwareToken", verified.clone())]);
        let finish = ChallengeResponse::FinishSetup { code: Secret::new("123456"), device_name: None };
        let error = client_of(&fake).await.answer_challenge(&challenge_answer(finish)).await.unwrap_err();
        assert_eq!((error.reason, error.operation), (expected, "VerifySoftwareToken"), "{verified}");
        assert_eq!(fake.calls("AdminRespondToAuthChallenge"), 0, "{verified}");
    }
    for started in [json!({"SecretCode": "canary"}), json!({"Session": "canary"})] {
        let fake = FakeAws::answering([("AssociateSoftwareToken", started)]);
        let begin = challenge_answer(ChallengeResponse::BeginSetup);
        let error = client_of(&fake).await.answer_challenge(&begin).await.unwrap_err();
        assert_eq!(error.reason, Reason::Internal);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
