//! `verify`: the sign-in of the test user and IAM propagation.

use super::*;

#[tokio::test]
async fn waits_little_longer_than_any_propagation_delay() {
    for delay in [0, 1500, 4000, 7900, 12_000, 30_000, 60_000] {
        let harness = Harness::with_propagation(Duration::from_millis(delay));
        let receipt = harness.apply(shop()).await.unwrap();
        let waited = harness.clock.now();
        let waste = waited.saturating_sub(Duration::from_millis(delay));
        assert!(waste <= Duration::from_millis(2700), "delay {delay} ms: wasted {waste:?}");
        let credentials = report(&receipt, Step::Credentials);
        assert_eq!(u128::from(credentials.elapsed_ms), waited.as_millis(), "delay {delay} ms: {credentials:?}");
        assert_eq!(credentials.attempts > 1, delay > 0, "delay {delay} ms: {credentials:?}");
    }
}

#[tokio::test]
async fn stops_waiting_before_the_deadline_and_reports_the_time() {
    let clock = VirtualClock::with_time(Duration::from_secs(30));
    let harness = Harness { platform: InMemoryPlatform::new(&clock, Duration::from_hours(1)), clock };
    let failure = harness.apply(shop()).await.unwrap_err();
    let ProvisionError::NotAssumable { role, identity_pool_id, gave_up } = &failure.error else {
        unreachable!("{failure}")
    };
    assert_eq!((role.as_str(), identity_pool_id.as_str()), ("poolkeeper.shop.eu-west-1", "eu-west-1:4"));
    assert_eq!(gave_up.last.class, ErrorClass::RoleNotAssumable);
    assert!(gave_up.attempts > 10 && gave_up.elapsed > Duration::from_secs(27), "{gave_up}");
    let message = failure.to_string();
    let parts =
        [role.as_str(), identity_pool_id, "19 attempts in 29.8 s", "the platform in memory says RoleNotAssumable"];
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    assert!(harness.clock.time_left() > Duration::ZERO);
    assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "also after a failure");
}

#[tokio::test]
async fn other_transient_faults_do_not_end_the_wait() {
    let other = [ErrorClass::Throttled, ErrorClass::OutcomeUnknown, ErrorClass::ExternalService];
    for class in other {
        let harness = Harness::with_propagation(Duration::from_secs(12));
        harness.platform.fail("credentials", 8, Fault::NotDone(class));
        let receipt = harness.apply(shop()).await.unwrap();
        assert!(report(&receipt, Step::Credentials).attempts > 9, "{class:?}");
        assert!(harness.clock.now() <= Duration::from_millis(14_700), "{class:?}: {:?}", harness.clock.now());
    }
}

#[tokio::test]
async fn deletes_the_test_user_after_the_deadline_with_retries() {
    let clock = VirtualClock::with_time(Duration::from_secs(30));
    let harness = Harness { platform: InMemoryPlatform::new(&clock, Duration::from_hours(1)), clock };
    harness.apply(unverified()).await.unwrap();
    let users = harness.users();
    users.fail("delete", 1, Reason::Throttled);
    users.fail("delete", 2, Reason::Unavailable);
    let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotAssumable { .. }), "{failure}");
    assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted);
}

#[tokio::test]
async fn rechecks_a_new_role_for_some_seconds() {
    for (age_s, at_least, at_most) in [(None, 0, 0), (Some(300), 0, 0), (Some(5), 4, 8)] {
        let harness = Harness::with_propagation(Duration::from_secs(500));
        harness.apply(unverified()).await.unwrap();
        harness.clock.sleep(Duration::from_secs(400)).await;
        let began = harness.clock.now();
        {
            let mut state = harness.platform.state();
            let role = state.roles.get_mut("poolkeeper.shop.eu-west-1").unwrap();
            role.entity.created_at = age_s.map(|age_s| harness.clock.wall_time() - Duration::from_secs(age_s));
            role.policies.clear();
        }
        let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotAttached { .. }), "{age_s:?}: {failure}");
        let waited = harness.clock.now().saturating_sub(began).as_secs();
        assert!((at_least..=at_most).contains(&waited), "{age_s:?}: {waited} s");
    }
}

#[tokio::test]
async fn requires_two_successes_in_a_row() {
    let harness = Harness::new();
    harness.platform.fail("credentials", 2, Fault::NotDone(ErrorClass::RoleNotAssumable));
    let receipt = harness.apply(shop()).await.unwrap();
    assert!(report(&receipt, Step::Credentials).attempts > 1);
    let calls = harness.platform.calls();
    assert_eq!(calls.iter().filter(|call| **call == "credentials").count(), 4);
}

#[tokio::test]
async fn reports_an_unassumable_role_without_waiting() {
    let role = "poolkeeper.shop.eu-west-1";
    let pointers = [
        ("/Statement/0/Principal/Federated", "`Principal.Federated`"),
        ("/Statement/0/Action", "`Action`"),
        ("/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud", ":aud`"),
        ("/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr", ":amr`"),
    ];
    for (pointer, expected) in pointers {
        let harness = Harness::provisioned().await;
        *harness.platform.state().roles.get_mut(role).unwrap().entity.document.pointer_mut(pointer).unwrap() =
            json!("something-else");
        let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
        assert!(failure.to_string().contains(expected), "{pointer}: {failure}");
        assert_eq!(harness.clock.now(), Duration::ZERO, "{pointer}: no wait for a permanent error");
        let probes = harness.platform.calls().iter().filter(|call| **call == "credentials").count();
        assert_eq!(probes, 1, "{pointer}");
    }
}

#[tokio::test]
async fn reports_a_role_that_the_identity_pool_does_not_use() {
    let harness = Harness::provisioned().await;
    harness.platform.state().authenticated_roles.clear();
    let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::RoleNotSet { found: None, .. }), "{failure}");
    assert_eq!(harness.clock.now(), Duration::ZERO, "no wait for a permanent error");
    assert_eq!(harness.platform.calls().iter().filter(|call| **call == "credentials").count(), 1);
}

#[tokio::test]
async fn creates_the_test_user_as_administrator_without_sign_up() {
    let harness = Harness::new();
    let receipt = harness.apply(with(&json!({"self_sign_up": false}))).await.unwrap();
    let sign_up = report(&receipt, Step::SignUp);
    assert!(sign_up.detail.as_ref().unwrap().contains("AdminCreateUser"), "{sign_up:?}");
    assert_eq!(report(&receipt, Step::CallerIdentity).outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn an_exceeded_mail_quota_does_not_fail_the_proof() {
    let harness = Harness::provisioned().await;
    let users = harness.users();
    users.fail("sign_up", 1, Reason::MailQuotaExceeded);

    let receipt = harness.run(Action::Verify, shop()).await.unwrap();

    let sign_up = report(&receipt, Step::SignUp);
    assert_eq!((sign_up.outcome, sign_up.attempts), (Outcome::NotProved, 1));
    let detail = sign_up.detail.as_ref().unwrap();
    assert!(
        detail.starts_with("sign-up not proved, because the mail quota") && detail.contains("Amazon SES"),
        "{detail}"
    );
    assert_eq!(report(&receipt, Step::CallerIdentity).outcome, Outcome::Succeeded);
    assert_eq!(report(&receipt, Step::CleanUp).outcome, Outcome::Deleted);
}

#[tokio::test]
async fn another_exceeded_limit_fails_the_proof() {
    let harness = Harness::provisioned().await;
    let users = harness.users();
    users.fail("sign_up", 1, Reason::LimitReached);
    let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::SignUp).outcome, Outcome::Failed);
}

#[tokio::test]
async fn verify_deletes_its_user_after_any_failure() {
    for operation in ["sign_up", "confirm", "sign_in"] {
        let harness = Harness::provisioned().await;
        let users = harness.users();
        // Inject more faults than there are attempts.
        (1..10).for_each(|nth| users.fail(operation, nth, Reason::Unavailable));
        let failure = harness.run(Action::Verify, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::Users(_)), "{operation}: {failure}");
        assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "{operation}");
        assert!(users.calls().contains(&"delete"), "{operation}");
    }
}

#[tokio::test]
async fn deletes_only_stale_test_users_of_killed_runs() {
    let harness = Harness::with_clock(&VirtualClock::with_time(Duration::from_hours(2)));
    harness.apply(unverified()).await.unwrap();
    let users = harness.users();
    let left_behind = "success+poolkeeper-00@simulator.amazonses.com";
    let others = [("eve", "success+poolkeeper-00@example.com"), ("ann", "success@simulator.amazonses.com")];
    users.add_user("left-behind", "Correct-1", &[], &[("email", left_behind)]);
    for (name, address) in others {
        users.add_user(name, "Correct-1", &[], &[("email", address)]);
    }

    let receipt = harness.run(Action::Verify, shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::CleanUp).detail, None);
    assert!(users.user("left-behind").is_some(), "its run may still be active");

    harness.clock.sleep(Duration::from_mins(61)).await;
    let receipt = harness.run(Action::Verify, shop()).await.unwrap();
    let detail = report(&receipt, Step::CleanUp).detail.clone().unwrap();
    assert_eq!(detail, "also deleted test users of interrupted runs: 1");
    assert!(users.user("left-behind").is_none() && others.iter().all(|(name, _)| users.user(name).is_some()));
}

#[tokio::test]
async fn a_failed_sweep_does_not_fail_the_proof() {
    let harness = Harness::provisioned().await;
    let users = harness.users();
    users.fail("with_email_prefix", 1, Reason::Internal);
    let receipt = harness.run(Action::Verify, shop()).await.unwrap();
    assert!(report(&receipt, Step::CleanUp).detail.as_ref().unwrap().contains("were not deleted"), "{receipt:?}");
}

#[tokio::test]
async fn verify_names_the_missing_pool() {
    let failure = Harness::new().run(Action::Verify, shop()).await.unwrap_err();
    assert_eq!(failure.to_string(), "user pool shop does not exist; run `apply` first");
}

#[tokio::test]
async fn throttling_does_not_fail_the_proof() {
    let harness = Harness::provisioned().await;
    let users = harness.users();
    for operation in ["sign_up", "confirm", "sign_in", "delete"] {
        users.fail(operation, 1, Reason::Throttled);
    }
    let receipt = harness.run(Action::Verify, shop()).await.unwrap();
    for step in [Step::SignUp, Step::Confirm, Step::SignIn] {
        assert_eq!(report(&receipt, step).attempts, 2, "{step}");
    }
}

#[tokio::test]
async fn enrolls_a_second_factor_if_the_pool_requires_it() {
    let harness = Harness::new();
    let receipt = harness.apply(with(&json!({"mfa": "required"}))).await.unwrap();
    let sign_in = report(&receipt, Step::SignIn);
    assert_eq!((sign_in.outcome, sign_in.detail.as_deref()), (Outcome::Succeeded, Some("enrolled a second factor")));
    assert!(receipt.caller_arn.is_some());
    let optional = Harness::new().apply(shop()).await.unwrap();
    assert_eq!(report(&optional, Step::SignIn).detail, None);
}

#[tokio::test]
async fn a_rejected_enrollment_fails_and_deletes_the_user() {
    for nth in [1, 2] {
        let harness = Harness::new();
        harness.platform.fail("users.answer_challenge", nth, Fault::NotDone(ErrorClass::Forbidden));
        let failure = harness.apply(with(&json!({"mfa": "required"}))).await.unwrap_err();
        assert_eq!(report(&failure.receipt, Step::SignIn).outcome, Outcome::Failed, "{nth}");
        assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "{nth}");
    }
}

#[tokio::test]
async fn the_proof_signs_up_with_attributes_that_users_can_write() {
    let harness = Harness::new();
    let spec = || {
        let backend = json!({"write_attributes": ["name"]});
        with(&json!({"sign_in": "username", "verify": false, "clients": {"backend": backend, "web": {}}}))
    };
    let pool_id = harness.run(Action::Apply, spec()).await.unwrap().user_pool_id.unwrap();
    harness.platform.state().users[&pool_id].limit_write_attributes(&["name"]);
    // The spec of a stack's verification contains no client settings.
    let receipt = harness.run(Action::Verify, with(&json!({"sign_in": "username"}))).await.unwrap();
    let sign_up = report(&receipt, Step::SignUp);
    assert_eq!((sign_up.outcome, &sign_up.detail), (Outcome::Succeeded, &None));
}
