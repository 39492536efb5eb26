//! Enrollment, verification and removal of an authenticator app, and their errors.

use std::sync::Arc;

use domain::revocation::Scope;
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::{Mfa, SignInSecurity};
use serde_json::{Value, json};
use testkit::in_memory::{AUTHENTICATOR_SECRET, FACTOR_CODE};
use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

use crate::testing::{Answer, Api, Call};

const PATH: &str = "/v1/auth/me/totp";

async fn send(api: &Api, call: Call, token: &str) -> Answer {
    api.call(call.anonymous().header("authorization", &format!("Bearer {token}"))).await
}

async fn start(api: &Api, token: &str) -> Answer {
    send(api, Call::post(PATH, None), token).await
}

async fn verify_with(api: &Api, token: &str, body: &Value) -> Answer {
    send(api, Call::post("/v1/auth/me/totp/verify", Some(body)), token).await
}

async fn verify(api: &Api, token: &str) -> Answer {
    verify_with(api, token, &json!({"code": FACTOR_CODE})).await
}

async fn remove(api: &Api, token: &str) -> Answer {
    send(api, Call::delete(PATH), token).await
}

async fn sign_in(api: &Api) -> Value {
    let body = json!({"username": "mia", "password": "Password-of-mia-1"});
    api.call(Call::post("/v1/auth/sign-in", Some(&body)).anonymous()).await.body
}

async fn mfa(api: &Api) -> Mfa {
    api.pool.directory().mfa(&"mia".parse().unwrap()).await.unwrap()
}

async fn signed_in() -> (Api, String) {
    let api = Api::new();
    let token = api.sign_in("mia").await.access;
    (api, token)
}

/// `mia` has enrolled an authenticator app and signed in with its code.
async fn enrolled() -> (Api, String) {
    let (api, token) = signed_in().await;
    assert_eq!(start(&api, &token).await.status, 200);
    assert_eq!(verify(&api, &token).await.status, 204);
    let token = api.sign_in("mia").await.access;
    (api, token)
}

fn totp_only() -> Mfa {
    Mfa { enabled: vec![Factor::SoftwareTokenMfa], preferred: Some(Factor::SoftwareTokenMfa) }
}

#[tokio::test]
async fn a_verified_authenticator_is_the_preferred_factor() {
    let (api, token) = signed_in().await;
    let answer = start(&api, &token).await;
    let uri = format!("otpauth://totp/shop:mia%40example.com?secret={AUTHENTICATOR_SECRET}&issuer=shop");
    assert_eq!((answer.status, &answer.body), (200, &json!({"secret": AUTHENTICATOR_SECRET, "uri": uri})));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(mfa(&api).await, Mfa::default());

    let body = json!({"code": FACTOR_CODE, "device_name": "Mia's phone"});
    assert_eq!(verify_with(&api, &token, &body).await.status, 204);
    assert_eq!(mfa(&api).await, totp_only());
    assert_eq!(sign_in(&api).await["challenge"]["name"], "SOFTWARE_TOKEN_MFA");
}

#[tokio::test]
async fn enrolling_ends_all_earlier_sessions() {
    let api = Api::new();
    let [stolen, own] = [api.sign_in("mia").await, api.sign_in("mia").await];
    let other = api.sign_in("ray").await;
    assert_eq!(start(&api, &own.access).await.status, 200);
    assert!(api.pool.takes_token(&stolen.refresh), "an enrollment that is only started ends nothing");
    assert_eq!(verify(&api, &own.access).await.status, 204);
    for token in [&stolen.access, &stolen.refresh, &own.access, &own.refresh] {
        assert!(!api.pool.takes_token(token), "{token}");
    }
    for refresh_token in [&stolen.refresh, &own.refresh] {
        let body = json!({"username": "mia", "refresh_token": refresh_token});
        let answer = api.call(Call::post("/v1/auth/refresh", Some(&body)).anonymous()).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"));
    }
    assert!(api.pool.takes_token(&other.access) && api.pool.takes_token(&other.refresh));

    let token = api.sign_in("mia").await.access;
    assert_eq!(send(&api, Call::get("/v1/auth/me"), &token).await.body["preferred_factor"], "SOFTWARE_TOKEN_MFA");
}

#[tokio::test]
async fn with_gate_an_enrollment_ends_all_sessions_at_once() {
    for (fault, status, failed) in [(None, 204, Value::Null), (Some(Fault::Write(1)), 503, json!("revoke-tokens"))] {
        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        let token = api.sign_in("mia").await.access;
        start(&api, &token).await;
        revocations.set_fault(fault);
        let answer = verify(&api, &token).await;
        assert_eq!((answer.status, &answer.body["failed"]), (status, &failed));
        let user = Scope::User(api.sub_of("mia"));
        assert_eq!(revocations.all().contains_key(&user), status == 204);
        assert_eq!(api.pool.takes_token(&token), status != 204);
        let waited = if status == 204 { 1_100_000_000 } else { 0 };
        assert_eq!(api.wall_time().unix_timestamp_nanos(), waited, "the next sign-in is valid");
    }
}

#[tokio::test]
async fn a_failed_sign_out_is_reported_with_the_next_step() {
    for (reason, status, code) in [
        (Reason::Throttled, 429, "throttled"),
        (Reason::Unavailable, 502, "upstream-unavailable"),
        (Reason::UserNotConfirmed, 403, "user-not-confirmed"),
    ] {
        let (api, token) = signed_in().await;
        let stolen = api.sign_in("mia").await.refresh;
        start(&api, &token).await;
        api.pool.fail("sign_out_everywhere", 1, reason);
        let answer = verify(&api, &token).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        let completed = json!(["verify", "switch-on"]);
        assert_eq!((&answer.body["completed"], &answer.body["failed"]), (&completed, &json!("sign-out")));
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains("The authenticator app is active, and earlier sessions are still valid"), "{detail}");
        assert!(detail.contains("POST /v1/auth/sign-out"), "{detail}");
        assert_eq!(mfa(&api).await, totp_only());
        assert!(api.pool.takes_token(&stolen));

        let body = json!({"access_token": token});
        assert_eq!(api.call(Call::post("/v1/auth/sign-out", Some(&body)).anonymous()).await.status, 200);
        assert!(!api.pool.takes_token(&stolen));
    }
}

#[tokio::test]
async fn without_an_email_address_the_uri_contains_the_user_name() {
    let api = Api::new();
    let token = api.sign_in("ray").await.access;
    let uri = start(&api, &token).await.body["uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("otpauth://totp/shop:ray?secret="), "{uri}");
}

#[tokio::test]
async fn an_authenticator_is_never_replaced_without_its_removal() {
    let (api, token) = enrolled().await;
    for answer in [start(&api, &token).await, verify(&api, &token).await] {
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
        assert!(answer.body["detail"].as_str().unwrap().contains("DELETE /v1/auth/me/totp"), "{}", answer.body);
    }
    let writes =
        ["start_totp", "verify_totp"].map(|call| api.pool.calls().iter().filter(|made| **made == call).count());
    assert_eq!(writes, [1, 1]);
    assert_eq!(sign_in(&api).await["challenge"]["name"], "SOFTWARE_TOKEN_MFA");

    assert_eq!(remove(&api, &token).await.status, 204);
    assert_eq!(start(&api, &token).await.status, 200);
}

#[tokio::test]
async fn an_unfinished_enrollment_of_another_client_can_be_repeated() {
    let (api, token) = enrolled().await;
    // At Cognito's own endpoint, the user starts an enrollment. Sign-ins then request no code, although Cognito still
    // lists the factor.
    api.pool.start_authenticator("mia");
    assert!(sign_in(&api).await["tokens"].is_object());
    assert_eq!(mfa(&api).await, totp_only());
    let stuck = remove(&api, &token).await;
    assert_eq!((stuck.status, stuck.code()), (409, "wrong-state"));
    assert_eq!(start(&api, &token).await.status, 200);
    assert_eq!(verify(&api, &token).await.status, 204);
    assert_eq!(sign_in(&api).await["challenge"]["name"], "SOFTWARE_TOKEN_MFA");
    let token = api.sign_in("mia").await.access;
    assert_eq!(remove(&api, &token).await.status, 204);
}

#[tokio::test]
async fn no_enrollment_starts_if_the_check_of_the_old_one_fails() {
    let (api, token) = enrolled().await;
    api.pool.fail("set_own_mfa", 1, Reason::Unavailable);
    let answer = start(&api, &token).await;
    assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
    assert_eq!(sign_in(&api).await["challenge"]["name"], "SOFTWARE_TOKEN_MFA");
}

#[tokio::test]
async fn removal_disables_the_authenticator_and_keeps_other_factors() {
    let (api, token) = enrolled().await;
    let both = Mfa { enabled: vec![Factor::SoftwareTokenMfa, Factor::EmailOtp], preferred: Some(Factor::EmailOtp) };
    api.pool.directory().set_mfa(&"mia".parse().unwrap(), &both).await.unwrap();
    for time in ["once", "twice"] {
        assert_eq!(remove(&api, &token).await.status, 204, "{time}");
        let expected = Mfa { enabled: vec![Factor::EmailOtp], preferred: Some(Factor::EmailOtp) };
        assert_eq!(mfa(&api).await, expected, "{time}");
    }
    assert_eq!(api.pool.calls().iter().filter(|call| **call == "set_own_mfa").count(), 2);
}

#[tokio::test]
async fn wrong_codes_enable_nothing() {
    let (api, token) = signed_in().await;
    let unstarted = verify(&api, &token).await;
    assert_eq!((unstarted.status, unstarted.code()), (422, "code-mismatch"));
    start(&api, &token).await;
    let wrong = verify_with(&api, &token, &json!({"code": "654321"})).await;
    assert_eq!((wrong.status, wrong.code()), (422, "code-mismatch"));
    assert_eq!(mfa(&api).await, Mfa::default());
    assert_eq!(verify(&api, &token).await.status, 204, "a wrong code can be entered again");
}

#[tokio::test]
async fn rejects_an_enrollment_if_the_pool_offers_no_totp() {
    let (api, token) = signed_in().await;
    api.pool.offer_no_totp();
    let answer = start(&api, &token).await;
    assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
}

#[tokio::test]
async fn a_failed_switch_on_is_reported_with_the_next_step() {
    for (reason, status, code) in
        [(Reason::Throttled, 429, "throttled"), (Reason::Unavailable, 502, "upstream-unavailable")]
    {
        let (api, token) = signed_in().await;
        start(&api, &token).await;
        api.pool.fail("set_own_mfa", 1, reason);
        let answer = verify(&api, &token).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!((&answer.body["completed"], &answer.body["failed"]), (&json!(["verify"]), &json!("switch-on")));
        assert!(answer.body["detail"].as_str().unwrap().contains("`POST /v1/auth/me/totp`"), "{}", answer.body);
        assert!(api.pool.takes_token(&token), "a switch-on that fails ends no session");
        assert_eq!(mfa(&api).await, Mfa::default());
        assert_eq!(start(&api, &token).await.status, 200);
        assert_eq!(verify(&api, &token).await.status, 204);
    }
}
