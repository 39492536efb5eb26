//! Answers to each challenge, and invalid answers.

use domain::user_pool::error::Reason;
use domain::user_pool::sessions::{ChallengeName, Factor};
use domain::user_pool::sign_in_security::{Mfa, SignInSecurity};
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::in_memory::{AUTHENTICATOR_SECRET, FACTOR_CODE};
use testkit::logs::Logs;

use crate::testing::{Answer, Api, Call};

const PATH: &str = "/v1/auth/challenge";

async fn answer_with(api: &Api, body: &Value) -> Answer {
    api.call(Call::post(PATH, Some(body)).anonymous()).await
}

/// The challenge that `mia` receives at sign-in.
async fn challenge_of(api: &Api) -> Value {
    let body = json!({"username": "mia", "password": "Password-of-mia-1"});
    let mut sign_in = api.call(Call::post("/v1/auth/sign-in", Some(&body)).anonymous()).await;
    assert_eq!(sign_in.status, 200);
    sign_in.body["challenge"].take()
}

/// Signs `mia` in with a temporary password. Returns the answer to the challenge.
async fn challenged() -> (Api, Value) {
    let api = Api::new();
    api.pool.set_status("mia", UserStatus::ForceChangePassword);
    let session = challenge_of(&api).await["session"].take();
    let body = json!({
        "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": session, "new_password": "Permanent-1"
    });
    (api, body)
}

/// An API whose user `mia` has these second factors.
async fn with_factors(enabled: &[Factor]) -> Api {
    let api = Api::new();
    api.pool.set_up_authenticator("mia");
    let number = [("phone_number", "+15550100"), ("phone_number_verified", "true")];
    let number = number.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let changes = domain::user_pool::directory::AttributeChanges { set: number.into(), remove: vec![] };
    let mia = "mia".parse().unwrap();
    domain::user_pool::directory::Directory::change_attributes(&api.pool.directory(), &mia, &changes).await.unwrap();
    let mfa = Mfa { enabled: enabled.to_vec(), preferred: None };
    api.pool.directory().set_mfa(&mia, &mfa).await.unwrap();
    api
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// A complete answer to each challenge, for the session `open-session`.
fn answers() -> [(ChallengeName, Value); 7] {
    let answer = |name: ChallengeName, fields: Value| {
        let mut body = json!({"challenge": name.as_str(), "username": "mia", "session": "open-session"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        (name, body)
    };
    [
        answer(ChallengeName::NewPasswordRequired, json!({"new_password": "Permanent-1"})),
        answer(ChallengeName::SmsMfa, json!({"code": FACTOR_CODE})),
        answer(ChallengeName::SoftwareTokenMfa, json!({"code": FACTOR_CODE})),
        answer(ChallengeName::EmailOtp, json!({"code": FACTOR_CODE})),
        answer(ChallengeName::SelectMfaType, json!({"factor": "SMS_MFA"})),
        answer(ChallengeName::MfaSetup, json!({})),
        answer(ChallengeName::MfaSetup, json!({"code": FACTOR_CODE, "device_name": "Phone"})),
    ]
}

#[tokio::test]
async fn a_new_password_returns_tokens_and_consumes_the_session() {
    let (api, body) = challenged().await;
    let answer = answer_with(&api, &body).await;
    assert_eq!((answer.status, &answer.body["tokens"]["username"]), (200, &json!("mia")));
    assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
    assert!(api.pool.has_password("mia", "Permanent-1"));

    let again = answer_with(&api, &with(body, "new_password", json!("Permanent-2"))).await;
    assert_eq!((again.status, again.code()), (401, "invalid-credentials"));
    assert!(api.pool.has_password("mia", "Permanent-1"));
}

#[tokio::test]
async fn missing_attributes_are_required_and_set() {
    let (api, body) = challenged().await;
    api.pool.require_attribute("birthdate");
    let answer = answer_with(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request"));

    let answer = answer_with(&api, &with(body, "attributes", json!({"birthdate": "1990-01-01"}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(api.pool.attributes_of("mia")["birthdate"], "1990-01-01");
}

#[tokio::test]
async fn rejects_attributes_that_are_not_write_attributes() {
    let unlisted = ["custom:role", "custom:poolkeeper_created", "email_verified", "sub"];
    let listed = ["custom:role", "custom:poolkeeper_created", "email_verified", "birthdate"];
    let lists: [(Option<&[&str]>, [&str; 4]); 2] =
        [(None, unlisted), (Some(&["name", "custom:team", "custom:poolkeeper_created"]), listed)];
    for (list, rejected) in lists {
        for name in rejected {
            let (api, body) = challenged().await;
            if let Some(names) = list {
                api.pool.limit_write_attributes(names);
            }
            let attributes = json!({"name": "Mia", name: "Canary"});
            let answer = answer_with(&api, &with(body, "attributes", attributes)).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(format!("attributes.{name}"))), "{list:?}");
            assert!(!answer.body.to_string().contains("Canary"), "{}", answer.body);
            assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::ForceChangePassword, "{name}");
            assert!(!api.pool.calls().contains(&"answer_challenge"), "{name}");
        }
    }
}

#[tokio::test]
async fn listed_custom_attributes_are_set_with_a_new_password() {
    let (api, body) = challenged().await;
    api.pool.limit_write_attributes(&["custom:team"]);
    let answer = answer_with(&api, &with(body, "attributes", json!({"custom:team": "blue"}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(api.pool.attributes_of("mia")["custom:team"], "blue");
}

#[tokio::test]
async fn no_attribute_is_set_if_the_write_attributes_are_unknown() {
    let (api, body) = challenged().await;
    api.pool.fail("write_attributes", 1, Reason::Unavailable);
    let answer = answer_with(&api, &with(body.clone(), "attributes", json!({"name": "Mia"}))).await;
    assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
    assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::ForceChangePassword);
    assert_eq!(answer_with(&api, &body).await.status, 200, "without attributes there is nothing to check");
}

#[tokio::test]
async fn wrong_sessions_wrong_names_and_weak_passwords_change_nothing() {
    for (field, value, status, code) in [
        ("session", "made-up", 401, "invalid-credentials"),
        ("username", "ray", 401, "invalid-credentials"),
        ("username", "nobody", 401, "invalid-credentials"),
        ("new_password", "weak", 422, "invalid-password"),
    ] {
        let (api, body) = challenged().await;
        let answer = answer_with(&api, &with(body, field, json!(value))).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{field}");
        assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::ForceChangePassword, "{field}");
        assert!(api.pool.has_password("ray", "Password-of-ray-1"), "{field}");
    }
}

#[tokio::test]
async fn the_session_accepts_the_correct_code_after_a_wrong_one() {
    for (factor, destination) in [
        (Factor::SmsMfa, json!("+*******0100")),
        (Factor::SoftwareTokenMfa, json!(null)),
        (Factor::EmailOtp, json!("m***@e***")),
    ] {
        let api = with_factors(&[factor]).await;
        let challenge = challenge_of(&api).await;
        assert_eq!(challenge["name"], factor.as_str());
        assert_eq!(challenge["code_sent_to"]["destination"], destination, "{factor:?}");
        let body = json!({
            "challenge": challenge["name"], "username": challenge["username"], "session": challenge["session"],
            "code": "123457"
        });
        let answer = answer_with(&api, &body).await;
        assert_eq!((answer.status, answer.code()), (422, "code-mismatch"), "{factor:?}");
        let answer = answer_with(&api, &with(body, "code", json!(FACTOR_CODE))).await;
        assert_eq!((answer.status, &answer.body["tokens"]["username"]), (200, &json!("mia")), "{factor:?}");
    }
}

#[tokio::test]
async fn users_with_several_factors_choose_one() {
    let api = with_factors(&[Factor::SmsMfa, Factor::SoftwareTokenMfa]).await;
    let challenge = challenge_of(&api).await;
    assert_eq!(
        (&challenge["name"], &challenge["factors"]),
        (&json!("SELECT_MFA_TYPE"), &json!(["SMS_MFA", "SOFTWARE_TOKEN_MFA"]))
    );
    let body = json!({
        "challenge": "SELECT_MFA_TYPE", "username": "mia", "session": challenge["session"], "factor": "EMAIL_OTP"
    });
    let answer = answer_with(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request"));

    let answer = answer_with(&api, &with(body, "factor", json!("SOFTWARE_TOKEN_MFA"))).await;
    let next = &answer.body["challenge"];
    assert_eq!((answer.status, &next["name"]), (200, &json!("SOFTWARE_TOKEN_MFA")));
    let body = json!({
        "challenge": "SOFTWARE_TOKEN_MFA", "username": "mia", "session": next["session"], "code": FACTOR_CODE
    });
    assert!(answer_with(&api, &body).await.body["tokens"].is_object());
}

#[tokio::test]
async fn an_authenticator_app_is_set_up_in_two_steps() {
    let api = Api::new();
    api.pool.require_mfa();
    let challenge = challenge_of(&api).await;
    assert_eq!((&challenge["name"], &challenge["factors"]), (&json!("MFA_SETUP"), &json!(["SOFTWARE_TOKEN_MFA"])));
    let begin = json!({"challenge": "MFA_SETUP", "username": "mia", "session": challenge["session"]});
    let too_early = with(begin.clone(), "code", json!(FACTOR_CODE));
    assert_eq!(answer_with(&api, &too_early).await.code(), "invalid-credentials");

    let answer = answer_with(&api, &begin).await;
    let next = &answer.body["challenge"];
    assert_eq!((answer.status, &next["name"]), (200, &json!("MFA_SETUP")));
    assert_eq!(next["authenticator_secret"], AUTHENTICATOR_SECRET);
    assert_ne!(next["session"], challenge["session"]);

    let finish = with(with(begin, "session", next["session"].clone()), "code", json!("123457"));
    assert_eq!(answer_with(&api, &finish).await.code(), "code-mismatch");
    let finish = with(with(finish, "code", json!(FACTOR_CODE)), "device_name", json!("Mia's phone"));
    let answer = answer_with(&api, &finish).await;
    assert_eq!((answer.status, &answer.body["tokens"]["username"]), (200, &json!("mia")));
    let mfa = api.pool.directory().mfa(&"mia".parse().unwrap()).await.unwrap();
    assert_eq!(mfa.enabled, [Factor::SoftwareTokenMfa]);
}

/// The setup requires only the session, so the user name in the request is not verified.
#[tokio::test]
async fn audit_of_a_started_setup_omits_the_unverified_user_name() {
    let api = Api::new();
    api.pool.require_mfa();
    let session = challenge_of(&api).await["session"].take();
    let logs = Logs::capture();
    let begin = json!({"challenge": "MFA_SETUP", "username": "root", "session": session});
    let answer = answer_with(&api, &begin).await;
    assert_eq!((answer.status, &answer.body["challenge"]["username"]), (200, &json!("root")));
    let session = &answer.body["challenge"]["session"];
    let finish = |username: &str| json!({"challenge": "MFA_SETUP", "username": username, "session": session, "code": FACTOR_CODE});
    assert_eq!(answer_with(&api, &finish("root")).await.code(), "invalid-credentials");
    assert!(answer_with(&api, &finish("mia")).await.body["tokens"].is_object());
    let records = logs.lines().into_iter().filter(|line| line["target"] == "audit");
    let users: Vec<Value> = records.map(|mut line| line["fields"]["user"].take()).collect();
    assert_eq!(users, [json!(null), json!(null), json!("mia")]);
}

#[tokio::test]
async fn rejects_answers_to_another_challenge() {
    for (open, _) in answers() {
        for (answered, body) in answers() {
            let api = with_factors(&[Factor::SmsMfa, Factor::SoftwareTokenMfa]).await;
            api.pool.open_challenge("mia", "open-session", open);
            let answer = answer_with(&api, &body).await;
            // The setup cannot be finished before it is started.
            let is_accepted = open == answered && !(open == ChallengeName::MfaSetup && body["code"].is_string());
            let expected = if is_accepted { (200, "") } else { (401, "invalid-credentials") };
            assert_eq!((answer.status, answer.code()), expected, "{open:?} with {body}");
        }
    }
}

#[tokio::test]
async fn rejects_other_challenges_and_lists_the_known_ones() {
    let (api, body) = challenged().await;
    for other in
        [json!("CUSTOM_CHALLENGE"), json!("sms_mfa"), json!(""), json!({"SMS_MFA": null}), json!(7), json!(null)]
    {
        let answer = answer_with(&api, &with(body.clone(), "challenge", other.clone())).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("challenge")), "{other}");
    }
    let answer = answer_with(&api, &with(body, "challenge", json!("CUSTOM_CHALLENGE"))).await;
    let known = "Must be one of `NEW_PASSWORD_REQUIRED`, `SMS_MFA`, `SOFTWARE_TOKEN_MFA`, \
        `EMAIL_OTP`, `SELECT_MFA_TYPE`, `MFA_SETUP`.";
    assert_eq!(answer.body["detail"], known);
}

#[tokio::test]
async fn each_form_accepts_only_its_own_fields() {
    let all = ["challenge", "username", "session", "new_password", "attributes", "code", "factor", "device_name"];
    for (challenge, body) in answers() {
        let api = Api::new();
        for field in all {
            let (mut broken, place) = (body.clone(), format!("{challenge:?} {field}"));
            let is_present = broken.as_object_mut().unwrap().remove(field).is_some();
            let is_optional = field == "device_name" || (field == "code" && challenge == ChallengeName::MfaSetup);
            let can_be_added = match challenge {
                ChallengeName::NewPasswordRequired => field == "attributes",
                // With a code, the body finishes the setup.
                ChallengeName::MfaSetup => field == "code",
                _ => false,
            };
            if is_present && !is_optional {
                let answer = answer_with(&api, &broken).await;
                assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "without {place}");
                assert_eq!(answer.body["detail"], "Missing field.", "without {place}");
            }
            if !is_present && !can_be_added {
                let answer = answer_with(&api, &with(body.clone(), field, json!("Canary"))).await;
                let named = if field == "device_name" && challenge == ChallengeName::MfaSetup { "code" } else { field };
                assert_eq!((answer.status, &answer.body["field"]), (400, &json!(named)), "with {place}");
                assert!(!answer.body.to_string().contains("Canary"), "with {place}");
            }
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn invalid_values_are_rejected_with_the_field_and_not_repeated() {
    let [new_password, sms, _, _, select, begin, finish] = answers().map(|(_, body)| body);
    let api = Api::new();
    for (body, field, value) in [
        (&new_password, "username", json!("Canary Canary")),
        (&new_password, "new_password", json!(" Canary")),
        (&new_password, "attributes.email", json!({"email": ["Canary"]})),
        (&new_password, "session", json!("")),
        (&sms, "session", json!("Canary".repeat(400))),
        (&sms, "session", json!(null)),
        (&sms, "code", json!("Canary Canary")),
        (&sms, "code", json!(123_456)),
        (&sms, "new_password", json!(null)),
        (&select, "factor", json!("Canary")),
        (&select, "factor", json!({"SMS_MFA": null})),
        (&begin, "attributes", json!(null)),
        (&finish, "code", json!("Canary")),
        (&finish, "code", json!("1234567")),
        (&finish, "device_name", json!(["Canary"])),
    ] {
        let (top, _) = field.split_once('.').unwrap_or((field, ""));
        let answer = answer_with(&api, &with(body.clone(), top, value.clone())).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{value}");
        assert!(!answer.body.to_string().contains("Canary"), "{}", answer.body);
    }
    assert_eq!(api.pool.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn rejects_duplicate_fields_and_bodies_that_are_not_objects() {
    let api = Api::new();
    let send = async |text: String| api.call(Call::post(PATH, Some(&json!({}))).raw_body(text).anonymous()).await;
    let rest = r#""username": "mia", "session": "open-session""#;
    for (field, text) in [
        ("challenge", format!(r#"{{"challenge": "SMS_MFA", "challenge": "EMAIL_OTP", {rest}, "code": "1"}}"#)),
        ("code", format!(r#"{{"challenge": "SMS_MFA", {rest}, "code": "1", "code": "2"}}"#)),
        ("session", format!(r#"{{"challenge": "SMS_MFA", {rest}, "code": "1", "session": "2"}}"#)),
        ("factor", format!(r#"{{"challenge": "SELECT_MFA_TYPE", {rest}, "factor": "SMS_MFA", "factor": "SMS_MFA"}}"#)),
    ] {
        let answer = send(text).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)));
        assert_eq!(answer.body["detail"], "Duplicate field.", "{field}");
    }
    for text in ["[]", r#"["SMS_MFA", null, null]"#, "null", "", "{"] {
        let answer = send(text.to_owned()).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{text}");
    }
}

#[tokio::test]
async fn unsupported_challenges_are_named() {
    let (api, body) = challenged().await;
    api.pool.ask_for("CUSTOM_CHALLENGE");
    let answer = answer_with(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (409, "unsupported-challenge"));
    assert!(answer.body["detail"].as_str().unwrap().contains("`CUSTOM_CHALLENGE`"), "{}", answer.body);
}
