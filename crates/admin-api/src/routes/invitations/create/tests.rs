use domain::invitation::{Claim, InvitationError};
use domain::search::PAGE_BUDGET;
use domain::sign_up::EmailAddress;
use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::logs::Logs;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::testing::{Answer, Api, Call, USER_POOL_ID, token};

const PATH: &str = "/v1/invitations";
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

async fn create(api: &Api, body: &Value) -> Answer {
    api.call(Call::post(PATH, Some(body))).await
}

async fn invite(api: &Api, email: &str) -> Answer {
    create(api, &json!({"email": email})).await
}

/// Checks a token as the trigger does at a sign-up with this address.
fn check(api: &Api, token: &Value, email: &str, now: OffsetDateTime) -> Result<(), InvitationError> {
    let email: EmailAddress = email.parse().unwrap();
    let claim = Claim { user_pool_id: USER_POOL_ID, email: &email };
    claim.check(token.as_str().unwrap(), &api.invitation_key.public_key(), now).map(drop)
}

/// The number of calls that list users.
fn list_calls(api: &Api) -> usize {
    api.pool.calls().iter().filter(|call| **call == "list").count()
}

/// An API with another user, who has this address.
fn with_holder(email: &str, verified: &str) -> Api {
    let api = Api::new();
    api.pool.add_user("hal", "Password-of-hal-1", &[], &[("email", email), ("email_verified", verified)]);
    api
}

#[tokio::test]
async fn the_token_is_valid_for_the_invited_address() {
    let api = Api::new();
    let answer = invite(&api, "New@Example.com").await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")));
    let expected = json!({
        "id": answer.body["id"], "email": "new@example.com", "user_pool_id": USER_POOL_ID,
        "issued_at": "1970-01-01T00:00:00Z", "expires_at": "1970-01-08T00:00:00Z",
        "invitation": answer.body["invitation"],
    });
    assert_eq!(answer.body, expected);

    let token = &answer.body["invitation"];
    for email in ["new@example.com", "NEW@example.COM"] {
        assert_eq!(check(&api, token, email, NOW), Ok(()), "{email}");
    }
    assert_eq!(check(&api, token, "other@example.com", NOW), Err(InvitationError::OtherAddress));
    assert_eq!(check(&api, token, "new@example.com", NOW + Duration::days(7)), Err(InvitationError::Expired));
}

#[tokio::test]
async fn an_invitation_expires_after_the_requested_hours() {
    for (hours, expected) in [(json!(null), 168), (json!(1), 1), (json!(24), 24), (json!(720), 720), (json!(36.0), 36)]
    {
        let api = Api::new();
        api.days_pass(3).await;
        // The token's timestamps are in seconds.
        api.time_passes(std::time::Duration::from_millis(700)).await;
        let answer = create(&api, &json!({"email": "new@example.com", "valid_for_hours": hours})).await;
        assert_eq!(answer.status, 201, "{hours}");
        let [issued_at, expires_at] = ["issued_at", "expires_at"]
            .map(|name| OffsetDateTime::parse(answer.body[name].as_str().unwrap(), &Rfc3339).unwrap());
        assert_eq!(issued_at, NOW + Duration::days(3), "{hours}");
        assert_eq!(expires_at - issued_at, Duration::hours(expected), "{hours}");
        let token = &answer.body["invitation"];
        assert_eq!(check(&api, token, "new@example.com", expires_at - Duration::SECOND), Ok(()), "{hours}");
        assert_eq!(check(&api, token, "new@example.com", expires_at), Err(InvitationError::Expired), "{hours}");
    }
}

#[tokio::test]
async fn each_request_creates_another_valid_invitation() {
    let api = Api::new();
    let [first, second] = [invite(&api, "new@example.com").await, invite(&api, "new@example.com").await];
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.body["id"], second.body["id"]);
    for answer in [&first, &second] {
        assert_eq!(check(&api, &answer.body["invitation"], "new@example.com", NOW), Ok(()));
    }
    assert!(api.pool.user("new@example.com").is_none(), "no user is created");
}

#[test]
fn the_example_is_a_valid_invitation() {
    let example = super::Answer::example();
    let issued_at = OffsetDateTime::parse(example["issued_at"].as_str().unwrap(), &Rfc3339).unwrap();
    assert_eq!(check(&Api::new(), &example["invitation"], example["email"].as_str().unwrap(), issued_at), Ok(()));
    assert_eq!(example["user_pool_id"], USER_POOL_ID);
}

#[tokio::test]
async fn rejects_the_verified_address_of_any_user() {
    let statuses = [
        UserStatus::Confirmed,
        UserStatus::Unconfirmed,
        UserStatus::ForceChangePassword,
        UserStatus::ResetRequired,
        UserStatus::ExternalProvider,
        UserStatus::Other("ARCHIVED".to_owned()),
    ];
    for status in statuses {
        for is_enabled in [true, false] {
            let api = with_holder("hal@example.com", "true");
            api.pool.set_status("hal", status.clone());
            if !is_enabled {
                api.pool.disable("hal");
            }
            let answer = invite(&api, "hal@example.com").await;
            assert_eq!((answer.status, answer.code()), (409, "alias-exists"), "{status:?} {is_enabled}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("The e-mail address is the verified address of a user"), "{detail}");
            assert!(!answer.body.to_string().contains("hal"), "nothing is said of the holder: {}", answer.body);
            assert_eq!(api.invitation_key.calls(), 0);
        }
    }
}

#[tokio::test]
async fn rejects_a_verified_address_in_any_spelling() {
    let long =
        format!("hal@{}.example.com", ["x".repeat(60), "y".repeat(60), "z".repeat(60), "w".repeat(54)].join("."));
    for (held, requested) in [
        ("hal@example.com", "HAL@Example.com"),
        ("Hal@Example.COM", "hal@example.com"),
        ("hal@xn--bcher-kva.example", "hal@bücher.example"),
        ("hal@bücher.example", "Hal@xn--bcher-kva.example"),
        ("hal@bücher.example", "hal@BÜCHER.example"),
        ("hal@BÜCHER.example", "hal@BÜCHER.example"),
        // This address is too long for a filter of Cognito.
        (&long, &long),
    ] {
        let answer = invite(&with_holder(held, "true"), requested).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"), "{held} {requested}");
        assert_eq!(invite(&with_holder(held, "false"), requested).await.status, 201, "{held} {requested}");
    }
}

#[tokio::test]
async fn accepts_unverified_and_other_addresses() {
    for (email, verified) in [
        ("new@example.com", "false"),
        ("new@example.com", ""),
        ("new@example.org", "true"),
        ("new@example.com.org", "true"),
        ("ne@example.com", "true"),
        ("new+1@example.com", "true"),
    ] {
        assert_eq!(invite(&with_holder(email, verified), "new@example.com").await.status, 201, "{email} {verified}");
    }
}

/// Many users can have the same unverified address, and Cognito can list them before the user with the verified
/// address.
#[tokio::test]
async fn finds_the_holder_among_users_with_the_unverified_address() {
    let with_unverified = |count: usize, holder: Option<&str>| {
        let api = Api::new();
        for number in 0..count {
            let attributes = [("email", "new@example.com"), ("email_verified", "false")];
            api.pool.add_user(&format!("unverified-{number:04}"), "Correct-1", &[], &attributes);
        }
        if let Some(name) = holder {
            let attributes = [("email", "new@example.com"), ("email_verified", "true")];
            api.pool.add_user(name, "Correct-1", &[], &attributes);
        }
        api
    };
    for count in [59, 60, 61, 180, 599] {
        let api = with_unverified(count, Some("zoe"));
        let answer = invite(&api, "new@example.com").await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"), "{count}");
        assert_eq!(list_calls(&api), (count + 1).div_ceil(60), "{count}");

        let api = with_unverified(count, None);
        assert_eq!(invite(&api, "new@example.com").await.status, 201, "{count}");
    }
    // The search stops at the user with the verified address.
    let api = with_unverified(599, Some("ann"));
    assert_eq!(invite(&api, "new@example.com").await.code(), "alias-exists");
    assert_eq!(list_calls(&api), 1);
}

#[tokio::test]
async fn rejects_an_address_if_not_all_users_can_be_checked() {
    for email in ["new@example.com", "New@Example.com"] {
        let api = Api::new();
        for number in 0..PAGE_BUDGET {
            api.pool.add_user(&format!("user-{number:02}"), "Correct-1", &[], &[]);
        }
        api.pool.list_in_pages_of(1);
        let answer = invite(&api, email).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{email}");
        assert!(answer.body["detail"].as_str().unwrap().contains("Too many users"), "{}", answer.body);
        assert_eq!((list_calls(&api), api.invitation_key.calls()), (PAGE_BUDGET, 0), "{email}");

        // The last page within the budget is still checked.
        api.pool.list_in_pages_of(2);
        assert_eq!(invite(&api, email).await.status, 201, "{email}");
    }
}

#[tokio::test]
async fn rejects_an_address_if_any_page_fails() {
    for (reason, status, code) in [
        (Reason::Throttled, 429, "throttled"),
        (Reason::Unavailable, 502, "upstream-unavailable"),
        (Reason::DeadlineExceeded, 504, "deadline-exceeded"),
        (Reason::Internal, 500, "internal"),
    ] {
        for nth in [1, 2, 5, 6] {
            let api = Api::new();
            // The pool has five users, and the search reads them for two spellings.
            api.pool.list_in_pages_of(1);
            api.pool.fail("list", nth, reason);
            let answer = invite(&api, "New@example.com").await;
            assert_eq!((answer.status, answer.code()), (status, code), "{nth}");
            assert_eq!(answer.header("retry-after").is_some(), status == 429, "{nth}");
            assert_eq!(api.invitation_key.calls(), 0, "{nth}");
        }
    }
}

#[tokio::test]
async fn rejects_requests_if_the_pool_accepts_no_invitations() {
    let api = Api::without_invitations();
    for email in ["new@example.com", "mia@example.com"] {
        let answer = invite(&api, email).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{email}");
        assert_eq!(answer.body["detail"], "The sign-up policy of this pool does not use invitations.");
    }
    assert_eq!(list_calls(&api), 0);
}

#[tokio::test]
async fn errors_of_the_key_are_never_errors_of_the_caller() {
    for (reason, status, code, retry_after) in [
        (Reason::Throttled, 429, "throttled", Some("1")),
        (Reason::LimitReached, 429, "throttled", Some("900")),
        (Reason::Unavailable, 502, "upstream-unavailable", None),
        (Reason::DeadlineExceeded, 504, "deadline-exceeded", None),
        (Reason::Internal, 500, "internal", None),
        (Reason::InvalidRequest, 500, "internal", None),
        (Reason::InvalidCredentials, 500, "internal", None),
        (Reason::UserNotFound, 500, "internal", None),
        (Reason::AliasExists, 500, "internal", None),
    ] {
        let api = Api::new();
        api.invitation_key.fail(1, reason);
        let answer = invite(&api, "new@example.com").await;
        assert_eq!((answer.status, answer.code()), (status, code), "{reason:?}");
        assert_eq!(answer.header("retry-after"), retry_after, "{reason:?}");
        assert_eq!(answer.body.get("invitation"), None, "{reason:?}");
    }
}

#[tokio::test]
async fn the_key_is_read_only_for_an_invitation() {
    let api = Api::new();
    api.call(Call::get("/v1/users")).await;
    create(&api, &json!({"email": "mia"})).await;
    invite(&api, "mia@example.com").await;
    api.call(Call::post(PATH, Some(&json!({"email": "new@example.com"}))).by(token("ray", "[readers]"))).await;
    assert_eq!(api.invitation_key.calls(), 0);
    invite(&api, "new@example.com").await;
    assert_eq!(api.invitation_key.calls(), 1);
}

#[tokio::test]
async fn the_token_reaches_no_log() {
    let api = Api::new();
    let logs = Logs::capture();
    let answer = create(&api, &json!({"email": "New@example.com", "valid_for_hours": 1})).await;
    let token = answer.body["invitation"].as_str().unwrap();
    let sign_up = |username: &str, password: &str| {
        json!({
            "username": username, "password": password, "attributes": {"email": "new@example.com"},
            "client_metadata": {"invitation": token}, "validation_data": {"invitation": token},
        })
    };
    let mut misplaced = sign_up("new", "Correct-1");
    misplaced["invitation"] = json!(token);
    let calls = [
        (sign_up("new", "weak"), 422),
        (misplaced, 400),
        (sign_up("new", "Correct-1"), 201),
        (sign_up("new", "Correct-1"), 409),
    ];
    for (body, status) in calls {
        assert_eq!(api.call(Call::post("/v1/auth/sign-up", Some(&body)).anonymous()).await.status, status);
    }
    api.pool.refuse_sign_ups();
    let refused = Call::post("/v1/auth/sign-up", Some(&sign_up("other", "Correct-1"))).anonymous();
    assert_eq!(api.call(refused).await.status, 422);
    assert_eq!(create(&api, &json!({"email": token})).await.status, 400);
    assert_eq!(create(&api, &json!({"email": "new@example.com", "valid_for_hours": token})).await.status, 400);

    let written = logs.text();
    assert_eq!(logs.lines().iter().filter(|line| line["target"] == "audit").count(), 8);
    for part in token.split('.') {
        assert!(!written.contains(part), "{part} in {written}");
    }
}
