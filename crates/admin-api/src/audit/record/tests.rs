//! Tests the content of audit records, and that no secret reaches a log.

use std::sync::Arc;

use domain::revocation::{Revocation, Revocations, Scope};
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::ChallengeName;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::in_memory::{AUTHENTICATOR_SECRET, CODE, FACTOR_CODE, RESET_CODE};
use testkit::in_memory_revocations::InMemoryRevocations;
use testkit::logs::Logs;

use crate::testing::{Api, Call, iam, token};

/// The audit record of one call, without the time.
async fn record_of(api: &Api, call: Call) -> Option<Value> {
    let logs = Logs::capture();
    api.call(call).await;
    let mut records: Vec<Value> = logs.lines().into_iter().filter(|line| line["target"] == "audit").collect();
    assert!(records.len() <= 1, "{records:?}");
    let mut fields = records.pop()?["fields"].take();
    assert_eq!(fields.as_object_mut().unwrap().remove("message"), Some(json!("audit")));
    Some(fields)
}

#[tokio::test]
async fn records_write_with_caller_action_user_and_fields() {
    let api = Api::new();
    let body = json!({"attributes": {"name": "Mia Canary", "email_verified": null}});
    let record = record_of(&api, Call::patch("/v1/users/mia@example.com", &body)).await.unwrap();
    let expected = json!({
        "action": "PATCH /v1/users/{username}", "caller": "root", "caller_sub": api.sub_of("root"),
        "user": "mia", "user_sub": api.sub_of("mia"), "fields": "name email_verified",
        "outcome": "success", "request_id": "request-1"
    });
    assert_eq!(record, expected);

    // The second request finds the user that the first one created.
    for _ in 0..2 {
        let create = Call::post("/v1/users", Some(&json!({"username": "new"}))).header("idempotency-key", "1");
        let record = record_of(&api, create).await.unwrap();
        let sub = json!(api.sub_of("new"));
        assert_eq!((&record["outcome"], &record["user_sub"]), (&json!("success"), &sub));
    }
}

/// The metrics of one call.
async fn metrics_of(api: &Api, call: Call) -> Vec<String> {
    let logs = Logs::capture();
    api.call(call).await;
    let metric = |mut line: Value| {
        let fields = line["fields"].take();
        let (name, _) = fields.as_object().unwrap().iter().find(|(_, value)| **value == 1).unwrap();
        fields["result"].as_str().map_or_else(|| name.clone(), |result| format!("{name} {result}"))
    };
    logs.lines().into_iter().filter(|line| line["target"] == "metrics").map(metric).collect()
}

#[tokio::test]
async fn counts_records_writes_mails_and_mails_over_the_quota() {
    let api = Api::new();
    let disable = || Call::post("/v1/users/mia/disable", None);
    let forgot_password = || Call::post("/v1/auth/forgot-password", Some(&json!({"username": "mia"}))).anonymous();
    assert_eq!(metrics_of(&api, disable()).await, ["AuditRecords", "AdminWrites success"]);
    assert_eq!(
        metrics_of(&api, disable().by(token("ray", "[readers]"))).await,
        ["AuditRecords", "AdminWrites rejected"]
    );
    let failing = Api::new();
    failing.pool.fail("disable", 1, Reason::Unavailable);
    assert_eq!(metrics_of(&failing, disable()).await, ["AuditRecords", "AdminWrites failure"]);
    assert_eq!(metrics_of(&api, Call::get("/v1/users")).await, ["AuditRecords"]);
    assert_eq!(metrics_of(&api, Call::get("/v1/users/mia")).await, [""; 0]);

    let create = |username: &str, rest: Value| {
        let mut body = json!({"username": username, "attributes": {"email": format!("{username}@example.com")}});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Call::post("/v1/users", Some(&body))
    };
    let written = ["AuditRecords", "AdminWrites success"];
    assert_eq!(metrics_of(&api, create("new", json!({}))).await, ["Mails", written[0], written[1]]);
    assert_eq!(metrics_of(&api, create("other", json!({"welcome_message": "suppress"}))).await, written);
    for path in ["/v1/users/new/resend-invitation", "/v1/users/mia/reset-password"] {
        assert_eq!(metrics_of(&api, Call::post(path, None)).await, ["Mails", written[0], written[1]], "{path}");
    }

    let api = Api::new();
    assert_eq!(metrics_of(&api, forgot_password()).await, ["Mails"]);
    api.pool.fail("forgot_password", 1, Reason::MailQuotaExceeded);
    assert_eq!(metrics_of(&api, forgot_password()).await, ["MailQuotaExceeded"]);
}

#[tokio::test]
async fn records_no_results_for_revoked_caller() {
    let revocations = Arc::<InMemoryRevocations>::default();
    let api = Api::with_revocations(&revocations);
    revocations.revoke(&Scope::Pool, Revocation::of_sign_ins_until(1000), 0).await.unwrap();
    let record = record_of(&api, Call::get("/v1/users")).await.unwrap();
    assert_eq!((&record["outcome"], record.get("results")), (&json!("unauthenticated"), None));
}

#[tokio::test]
async fn records_group_of_forbidden_write() {
    let api = Api::new();
    let delete = Call::delete("/v1/groups/visitors").by(token("ray", "[readers]"));
    let record = record_of(&api, delete).await.unwrap();
    let expected = json!({
        "action": "DELETE /v1/groups/{group}", "caller": "ray", "caller_sub": api.sub_of("ray"), "group": "visitors",
        "outcome": "forbidden", "request_id": "request-1"
    });
    assert_eq!(record, expected);

    let body = json!({"name": "new", "precedence": 7});
    let record = record_of(&api, Call::post("/v1/groups", Some(&body))).await.unwrap();
    assert_eq!((&record["group"], &record["fields"]), (&json!("new"), &json!("precedence")));
}

#[tokio::test]
async fn records_code_of_forbidden_and_failed_write() {
    let api = Api::new();
    let delete = Call::delete("/v1/users/mia");
    let record = record_of(&api, delete.clone().by(token("ray", "[readers]"))).await.unwrap();
    assert_eq!(
        (&record["caller"], &record["user"], &record["outcome"]),
        (&json!("ray"), &json!("mia"), &json!("forbidden"))
    );

    let record = record_of(&api, delete.clone().anonymous()).await.unwrap();
    assert_eq!((record.get("caller"), &record["outcome"]), (None, &json!("unauthenticated")));

    api.pool.fail("delete", 1, Reason::Throttled);
    let record = record_of(&api, delete).await.unwrap();
    assert_eq!((&record["caller"], &record["outcome"]), (&json!("root"), &json!("throttled")));
}

#[tokio::test]
async fn records_completed_steps_of_partial_failure() {
    let api = Api::new();
    api.pool.fail("add_to_group", 1, Reason::Throttled);
    let body = json!({"username": "new", "groups": ["readers"]});
    let record = record_of(&api, Call::post("/v1/users", Some(&body))).await.unwrap();
    assert_eq!((&record["outcome"], &record["completed"]), (&json!("throttled"), &json!("create-user")));
}

#[tokio::test]
async fn records_invitation_with_id_and_hash_of_address() {
    let api = Api::new();
    let invite = |body: Value| Call::post("/v1/invitations", Some(&body));
    let logs = Logs::capture();
    let issued = api.call(invite(json!({"email": "New@Example.com", "valid_for_hours": 24}))).await;
    let fields = format!("valid_for_hours invitation:{}", issued.body["id"].as_str().unwrap());
    let record = logs.lines().into_iter().find(|line| line["target"] == "audit").unwrap();
    let expected = json!({
        "message": "audit", "action": "POST /v1/invitations", "caller": "root", "caller_sub": api.sub_of("root"),
        "user": "sha256:f0030501023327437b06e5c6f87df7871b8e704ae608d1d0b7b24fdd2a06c716", "fields": fields,
        "outcome": "success", "request_id": "request-1"
    });
    assert_eq!(record["fields"], expected);

    let taken = record_of(&api, invite(json!({"email": "mia@example.com"}))).await.unwrap();
    let expected = json!({
        "action": "POST /v1/invitations", "caller": "root", "caller_sub": api.sub_of("root"),
        "user": "sha256:99857fe111df1f77228c50bacc8acf00afc1516d7c38fe9089f02a1e7e0d512d", "outcome": "alias-exists",
        "request_id": "request-1"
    });
    assert_eq!(taken, expected);

    // The value is not an e-mail address.
    let malformed = record_of(&api, invite(json!({"email": "Canary-typed-1"}))).await.unwrap();
    assert_eq!((malformed.get("user"), &malformed["outcome"]), (None, &json!("invalid-request")));
    let refused = invite(json!({"email": "new@example.com"})).by(token("ray", "[readers]"));
    let refused = record_of(&api, refused).await.unwrap();
    assert_eq!((refused.get("user"), &refused["outcome"]), (None, &json!("forbidden")));
}

#[tokio::test]
async fn records_aws_principal_on_public_routes() {
    let arn = "arn:aws:iam::123456789012:role/shop";
    let body = json!({"username": "mia", "password": "Password-of-mia-1"});
    let call = Call::post("/v1/auth/sign-in", Some(&body)).by(iam(arn));
    assert_eq!(record_of(&Api::new(), call).await.unwrap()["caller"], arn);
}

#[tokio::test]
async fn does_not_record_invalid_user_name() {
    let path = format!("/v1/users/{}", "x".repeat(5000));
    let record = record_of(&Api::new(), Call::delete(&path)).await.unwrap();
    assert_eq!((record.get("user"), &record["outcome"]), (None, &json!("invalid-request")));
}

#[tokio::test]
async fn does_not_record_reads_of_one_resource() {
    for path in ["/v1/users/mia", "/v1/users/nobody", "/v1/groups/readers", "/v1/pool", "/v1/me"] {
        assert_eq!(record_of(&Api::new(), Call::get(path)).await, None, "{path}");
    }
}

#[tokio::test]
async fn records_lists_and_searches_without_values() {
    let api = Api::new();
    let by_ray = |path: &str| Call::get(path).by(token("ray", "[readers]"));
    let search =
        "/v1/users?email_prefix=canary&enabled=true&custom_attribute=canary%3Dx&custom_attribute=b%3Dy&limit=9";
    let table = [
        (by_ray("/v1/users"), json!({"caller": "ray", "results": 5, "outcome": "success"})),
        (
            by_ray(search),
            json!({
                "caller": "ray", "fields": "custom_attribute email_prefix enabled", "results": 0, "outcome": "success"
            }),
        ),
        (by_ray("/v1/users?canary=1"), json!({"caller": "ray", "outcome": "invalid-request"})),
        (by_ray("/v1/groups"), json!({"caller": "ray", "outcome": "forbidden"})),
        (Call::get("/v1/groups"), json!({"caller": "root", "results": 4, "outcome": "success"})),
        (
            Call::get("/v1/groups/readers/users"),
            json!({"caller": "root", "group": "readers", "results": 1, "outcome": "success"}),
        ),
        (
            Call::get("/v1/users/ray/groups"),
            json!({"caller": "root", "user": "ray", "results": 1, "outcome": "success"}),
        ),
        (
            Call::get("/v1/users/ray/devices"),
            json!({"caller": "root", "user": "ray", "results": 0, "outcome": "success"}),
        ),
        (
            Call::get("/v1/users/ray/auth-events"),
            json!({"caller": "root", "user": "ray", "results": 0, "outcome": "success"}),
        ),
        (Call::get("/v1/users").anonymous(), json!({"outcome": "unauthenticated"})),
    ];
    for (call, expected) in table {
        let mut record = record_of(&api, call).await.unwrap();
        let action = record.as_object_mut().unwrap().remove("action").unwrap();
        record.as_object_mut().unwrap().retain(|name, _| !["request_id", "caller_sub"].contains(&name.as_str()));
        assert_eq!(record, expected, "{action}");
    }
}

#[tokio::test]
async fn records_own_account_operations_with_verified_user_name() {
    let api = Api::new();
    api.pool.add_user("abe", "Password-of-abe-1", &[], &[("phone_number", "+15550100")]);
    api.pool.set_status("abe", UserStatus::Unconfirmed);
    let token = api.sign_in("mia").await.access;
    let post = |path: &str, body: Value| Call::post(&format!("/v1/auth/{path}"), Some(&body)).anonymous();
    let reset =
        |code: &str| post("reset-password", json!({"username": "mia", "code": code, "new_password": "Permanent-1"}));
    let own = |call: Call| call.header("x-access-token", &token);
    let table = [
        (post("confirm-sign-up", json!({"username": "abe", "code": "123457"})), json!({"outcome": "code-mismatch"})),
        (
            post("confirm-sign-up", json!({"username": "abe", "code": CODE})),
            json!({"user": "abe", "outcome": "success"}),
        ),
        (post("confirm-sign-up", json!({"username": "abe", "code": CODE})), json!({"outcome": "wrong-state"})),
        // Cognito simulates a delivery for an unknown user, so the response does not disclose whether the user exists.
        (post("forgot-password", json!({"username": "mia"})), json!({"outcome": "success"})),
        (post("forgot-password", json!({"username": "Canary-typed-1"})), json!({"outcome": "success"})),
        (post("resend-code", json!({"username": "Canary-typed-1"})), json!({"outcome": "success"})),
        (reset("123457"), json!({"fields": "permanent_password", "outcome": "code-mismatch"})),
        (reset(RESET_CODE), json!({"user": "mia", "fields": "permanent_password", "outcome": "success"})),
        // The API does not read the owner of the token.
        (own(Call::post("/v1/auth/attributes/email/code", None)), json!({"fields": "email", "outcome": "success"})),
        (
            own(post("attributes/email/verify", json!({"code": "123457"}))),
            json!({"fields": "email", "outcome": "code-mismatch"}),
        ),
        (
            own(Call::post("/v1/auth/me/totp", None)),
            json!({"user": "mia", "fields": "authenticator", "outcome": "success"}),
        ),
        (
            own(post("me/totp/verify", json!({"code": "654321"}))),
            json!({"user": "mia", "fields": "authenticator", "outcome": "code-mismatch"}),
        ),
        (
            own(Call::delete("/v1/auth/me/totp")),
            json!({"user": "mia", "fields": "authenticator", "outcome": "success"}),
        ),
    ];
    for (call, expected) in table {
        let mut record = record_of(&api, call).await.unwrap();
        let action = record.as_object_mut().unwrap().remove("action").unwrap();
        record.as_object_mut().unwrap().remove("request_id");
        assert_eq!(record, expected, "{action}");
    }
    assert_eq!(record_of(&api, own(Call::get("/v1/auth/me"))).await, None);
}

#[tokio::test]
async fn records_sign_in_name_only_if_the_user_exists() {
    let api = Api::new();
    let sign_in = |username: &str, password: &str| {
        let body = json!({"username": username, "password": password});
        Call::post("/v1/auth/sign-in", Some(&body)).anonymous()
    };
    let record = record_of(&api, sign_in("mia@example.com", "Password-of-mia-1")).await.unwrap();
    assert_eq!((&record["user"], &record["outcome"]), (&json!("mia"), &json!("success")));

    let record = record_of(&api, sign_in("Canary-Password-1", "mia")).await.unwrap();
    assert_eq!((record.get("user"), &record["outcome"]), (None, &json!("invalid-credentials")));
}

/// Sends passwords and tokens to every route in this table, in requests that succeed and in requests that fail.
#[tokio::test]
async fn no_secret_is_ever_logged() {
    let api = Api::new();
    let logs = Logs::capture();
    let tokens = api.sign_in("mia").await;
    let secret = |name: &str| json!(format!("Canary-{name}-1"));
    let both = json!({"access_token": secret("access"), "refresh_token": secret("refresh")});
    let invited = |username: &str, password: &str| {
        let facts = json!({"invitation": secret("invitation")});
        json!({"username": username, "password": password, "client_metadata": facts, "validation_data": facts})
    };
    let calls = [
        Call::post(
            "/v1/users",
            Some(&json!({
                "username": "a", "password": secret("created"), "permanent": true, "groups": ["no-such-group"]
            })),
        ),
        Call::post("/v1/users", Some(&json!({"username": "b", "password": [secret("misplaced")]}))),
        Call::put("/v1/users/mia/password", &json!({"password": secret("set"), "permanent": false})),
        Call::put("/v1/users/mia/password", &json!({"password": secret("set"), "permanent": secret("misplaced")})),
        Call::put("/v1/users/mia/password", &json!({"password": "canary", "permanent": true})),
        Call::post("/v1/auth/sign-up", Some(&json!({"username": "c", "password": secret("signed-up")}))),
        Call::post("/v1/auth/sign-up", Some(&invited("c", "Correct-1"))),
        Call::post("/v1/auth/sign-up", Some(&invited("d", "Correct-1"))),
        Call::post("/v1/auth/sign-up", Some(&invited("e", "weak"))),
        Call::post("/v1/invitations", Some(&json!({"email": secret("misplaced")}))),
        Call::post("/v1/invitations", Some(&json!({"email": "f@example.com", "valid_for_hours": secret("misplaced")}))),
        Call::post("/v1/auth/sign-in", Some(&json!({"username": "c", "password": secret("signed-up")}))),
        Call::post("/v1/auth/sign-in", Some(&json!({"username": "mia", "password": secret("set")}))),
        Call::post("/v1/auth/sign-in", Some(&json!({"username": secret("typed"), "password": "mia"}))),
        Call::post(
            "/v1/auth/challenge",
            Some(&json!({
                "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": secret("session"),
                "new_password": secret("new")
            })),
        ),
        Call::post("/v1/auth/refresh", Some(&json!({"username": "mia", "refresh_token": secret("refresh")}))),
        Call::post("/v1/auth/refresh", Some(&json!({"username": "mia", "refresh_token": tokens.refresh}))),
        Call::post("/v1/auth/sign-out", Some(&both)),
        Call::post("/v1/auth/sign-out", Some(&json!({"access_token": tokens.access}))),
        Call::post("/v1/auth/sign-out", Some(&json!({"access_token": secret("access")}))),
        Call::post("/v1/auth/sign-in", None).raw_body("Canary-raw-1".to_owned()).content_type(Some("application/json")),
    ];
    api.pool.set_status("mia", UserStatus::Confirmed);
    let calls: Vec<Call> = calls.into_iter().chain(own_account_calls(&api)).collect();
    let calls_made = calls.len();
    for call in calls {
        make(&api, call).await;
    }
    for token in [CANARY_TOKEN, "Canary-header-1", "Canary header"] {
        for header in ["x-access-token", "authorization"] {
            let value = if header == "authorization" { format!("Bearer {token}") } else { token.to_owned() };
            make(&api, Call::get("/v1/auth/me").anonymous().header(header, &value)).await;
        }
    }
    let written = logs.text();
    assert_eq!(logs.lines().iter().filter(|line| line["target"] == "audit").count(), calls_made);
    let tokens = ["access-token-", "refresh-token-", "id-token-"];
    let others = ["canary", "password-of", "session-", &AUTHENTICATOR_SECRET.to_lowercase()];
    for secret in tokens.into_iter().chain(others) {
        assert!(!written.to_lowercase().contains(secret), "{secret} in {written}");
    }
}

/// Makes a call and asserts that a failure contains no secrets. Returns whether the call succeeded.
async fn make(api: &Api, call: Call) -> bool {
    let answer = api.call(call).await;
    let is_success = answer.status < 400;
    assert!(is_success || !answer.body.to_string().to_lowercase().contains("canary"), "{}", answer.body);
    is_success
}

const CANARY_TOKEN: &str = "Canary-access-2";

/// Calls of the routes under `/v1/auth`, with a secret in every field and header that can contain one. Each route
/// succeeds at least once.
fn own_account_calls(api: &Api) -> Vec<Call> {
    let secret = |name: &str| format!("Canary-{name}-1");
    let post = |path: &str, body: Value| Call::post(&format!("/v1/auth/{path}"), Some(&body)).anonymous();
    let own = |call: Call| call.header("x-access-token", CANARY_TOKEN);
    api.pool.add_user("abe", "Password-of-abe-1", &[], &[]);
    api.pool.set_status("abe", UserStatus::Unconfirmed);
    api.pool.give_tokens("root", CANARY_TOKEN, "Canary-refresh-2");
    for (session, name) in [
        ("Canary-session-2", ChallengeName::NewPasswordRequired),
        ("Canary-session-3", ChallengeName::SmsMfa),
        ("Canary-session-4", ChallengeName::MfaSetup),
    ] {
        api.pool.open_challenge("ray", session, name);
    }
    let answer = |challenge: &str, session: &str, field: &str, value: Value| {
        let mut body = json!({"challenge": challenge, "username": "ray", "session": session});
        body[field] = value;
        post("challenge", body)
    };
    let reset = |username: &str, code: &str, new_password: &str| {
        post("reset-password", json!({"username": username, "code": code, "new_password": new_password}))
    };
    let setup_answer = json!({"username": "ray", "session": secret("session"), "challenge": "MFA_SETUP"});
    let proof = |code: &str, device_name: Value| {
        let mut body = setup_answer.clone();
        body["code"] = json!(code);
        body["device_name"] = device_name;
        post("challenge", body)
    };
    vec![
        post("confirm-sign-up", json!({"username": "abe", "code": secret("code")})),
        post("confirm-sign-up", json!({"username": "abe", "code": "Canary code"})),
        post("confirm-sign-up", json!({"username": secret("typed"), "code": CODE})),
        post("confirm-sign-up", json!({"username": "abe", "code": CODE})),
        post("resend-code", json!({"username": secret("typed")})),
        post("resend-code", json!({"username": "Canary typed"})),
        post("forgot-password", json!({"username": secret("typed")})),
        post("forgot-password", json!({"username": "root"})).header("x-device-data", "Canary-device-data"),
        reset("root", "Canary-code-1", "Canary-reset-1"),
        reset("root", "Canary code", "Canary-reset-1"),
        reset("root", RESET_CODE, "canary"),
        reset("root", RESET_CODE, " canary"),
        reset("Canary-typed-1", RESET_CODE, "Canary-reset-1"),
        reset("root", RESET_CODE, "Canary-reset-1"),
        post("sign-in", json!({"username": "root", "password": secret("reset")})),
        post("sign-in", json!({"username": "ray", "password": secret("wrong"), "remember": "Canary"})),
        answer("CANARY", "Canary-session-2", "code", json!(FACTOR_CODE)),
        answer("NEW_PASSWORD_REQUIRED", "Canary-session-2", "code", json!(secret("code"))),
        answer("NEW_PASSWORD_REQUIRED", "Canary-session-2", "new_password", json!("canary")),
        answer("NEW_PASSWORD_REQUIRED", "Canary-session-2", "new_password", json!(secret("new"))),
        answer("SMS_MFA", "Canary-session-3", "code", json!(secret("code"))),
        answer("SMS_MFA", "Canary-session-3", "code", json!("Canary code")),
        answer("SMS_MFA", "Canary-session-3", "code", json!(FACTOR_CODE)),
        answer("SELECT_MFA_TYPE", "Canary-session-1", "factor", json!("CANARY")),
        answer("SELECT_MFA_TYPE", "Canary-session-1", "factor", json!("SMS_MFA")),
        answer("MFA_SETUP", "Canary-session-4", "username", json!("ray")),
        proof("Canary", json!("Canary-device-1")),
        proof(FACTOR_CODE, json!("Canary-device-1")),
        proof(FACTOR_CODE, json!(["Canary-device-1"])),
        post("refresh", json!({"username": "root", "refresh_token": "Canary-refresh-2"})),
        post("refresh", json!({"username": secret("typed"), "refresh_token": "Canary refresh"})),
        own(Call::post("/v1/auth/attributes/email/code", None)),
        own(Call::post("/v1/auth/attributes/phone_number/code", None)),
        own(Call::post("/v1/auth/attributes/Canary-name-1/code", None)),
        Call::post("/v1/auth/attributes/email/code", None).header("authorization", "Bearer Canary-header-1"),
        Call::post("/v1/auth/attributes/email/code", None).header("authorization", "Canary-header-1"),
        own(post("attributes/email/verify", json!({"code": secret("code")}))),
        own(post("attributes/email/verify", json!({"code": "Canary code"}))),
        own(post("attributes/email/verify", json!({"code": CODE}))),
        post("attributes/email/verify", json!({"code": CODE})).header("x-access-token", "Canary-header-1"),
        own(Call::post("/v1/auth/me/totp", None)),
        own(post("me/totp/verify", json!({"code": "654321", "device_name": "Canary-device-2"}))),
        own(post("me/totp/verify", json!({"code": "Canary"}))),
        own(Call::delete("/v1/auth/me/totp")),
        // This call revokes the token.
        own(post("me/totp/verify", json!({"code": FACTOR_CODE, "device_name": "Canary-device-2"}))),
        own(Call::post("/v1/auth/me/totp", None)),
        answer("NEW_PASSWORD_REQUIRED", "Canary-session-1", "attributes", json!({"custom:x": "Canary-value-1"})),
        post("sign-out", json!({"refresh_token": "Canary refresh"})),
        post("sign-out", json!({"refresh_token": "Canary-refresh-3"})),
    ]
}
