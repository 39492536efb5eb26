//! `verify`: the proof, and waiting for IAM.

use super::*;

#[tokio::test]
async fn propagation_is_waited_out_with_little_waste_at_any_delay() {
    for delay in [0, 1500, 4000, 7900, 12_000, 30_000, 60_000] {
        let world = World::with_propagation(Duration::from_millis(delay));
        let receipt = world.apply(shop()).await.unwrap();
        let waited = world.clock.now();
        let waste = waited.saturating_sub(Duration::from_millis(delay));
        assert!(waste <= Duration::from_millis(2700), "delay {delay} ms: wasted {waste:?}");
        let credentials = report(&receipt, Step::Credentials);
        assert_eq!(u128::from(credentials.elapsed_ms), waited.as_millis(), "delay {delay} ms: {credentials:?}");
        assert_eq!(credentials.attempts > 1, delay > 0, "delay {delay} ms: {credentials:?}");
    }
}

#[tokio::test]
async fn waiting_for_propagation_ends_before_the_time_does_and_says_how_long_it_was() {
    let clock = VirtualClock::with_time(Duration::from_secs(30));
    let world = World { platform: InMemoryPlatform::new(&clock, Duration::from_hours(1)), clock };
    let failure = world.apply(shop()).await.unwrap_err();
    let ProvisionError::NotAssumable { role, identity_pool_id, gave_up } = &failure.error else {
        unreachable!("{failure}")
    };
    assert_eq!((role.as_str(), identity_pool_id.as_str()), ("poolkeeper.shop.eu-west-1", "eu-west-1:4"));
    assert_eq!(gave_up.last.class, ErrorClass::RoleNotAssumable);
    assert!(gave_up.attempts > 10 && gave_up.elapsed > Duration::from_secs(27), "{gave_up}");
    let told = failure.to_string();
    let parts =
        [role.as_str(), identity_pool_id, "19 attempts in 29.8 s", "the platform in memory says RoleNotAssumable"];
    assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    assert!(world.clock.time_left() > Duration::ZERO);
    assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "also after a failure");
}

#[tokio::test]
async fn another_fault_among_the_probes_does_not_end_the_waiting() {
    let other = [ErrorClass::Throttled, ErrorClass::OutcomeUnknown, ErrorClass::ExternalService];
    for class in other {
        let world = World::with_propagation(Duration::from_secs(12));
        world.platform.fail("credentials", 8, Fault::NotDone(class));
        let receipt = world.apply(shop()).await.unwrap();
        assert!(report(&receipt, Step::Credentials).attempts > 9, "{class:?}");
        assert!(world.clock.now() <= Duration::from_millis(14_700), "{class:?}: {:?}", world.clock.now());
    }
}

#[tokio::test]
async fn the_throw_away_user_is_deleted_also_when_the_time_is_up_and_not_at_the_first_attempt() {
    let clock = VirtualClock::with_time(Duration::from_secs(30));
    let world = World { platform: InMemoryPlatform::new(&clock, Duration::from_hours(1)), clock };
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users.fail("delete", 1, Reason::Throttled);
    users.fail("delete", 2, Reason::Unavailable);
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotAssumable { .. }), "{failure}");
    assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted);
}

#[tokio::test]
async fn what_is_wrong_with_a_role_that_was_made_moments_ago_is_looked_at_again_for_some_seconds() {
    for (age_s, at_least, at_most) in [(None, 0, 0), (Some(300), 0, 0), (Some(5), 4, 8)] {
        let world = World::with_propagation(Duration::from_secs(500));
        world.apply(with(&json!({"verify": false}))).await.unwrap();
        world.clock.sleep(Duration::from_secs(400)).await;
        let began = world.clock.now();
        {
            let mut state = world.platform.state();
            let role = state.roles.get_mut("poolkeeper.shop.eu-west-1").unwrap();
            role.entity.created_at = age_s.map(|age_s| world.clock.wall_time() - Duration::from_secs(age_s));
            role.policies.clear();
        }
        let failure = world.run(Action::Verify, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotAttached { .. }), "{age_s:?}: {failure}");
        let waited = world.clock.now().saturating_sub(began).as_secs();
        assert!((at_least..=at_most).contains(&waited), "{age_s:?}: {waited} s");
    }
}

#[tokio::test]
async fn one_success_is_not_believed_before_a_second_one() {
    let world = World::new();
    world.platform.fail("credentials", 2, Fault::NotDone(ErrorClass::RoleNotAssumable));
    let receipt = world.apply(shop()).await.unwrap();
    assert!(report(&receipt, Step::Credentials).attempts > 1);
    let calls = world.platform.calls();
    assert_eq!(calls.iter().filter(|call| **call == "credentials").count(), 4);
}

#[tokio::test]
async fn a_role_that_can_never_be_taken_is_named_within_two_calls_and_without_waiting() {
    let role = "poolkeeper.shop.eu-west-1";
    let pointers = [
        ("/Statement/0/Principal/Federated", "`Principal.Federated`"),
        ("/Statement/0/Action", "`Action`"),
        ("/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud", ":aud`"),
        ("/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr", ":amr`"),
    ];
    for (pointer, expected) in pointers {
        let world = World::new();
        world.apply(with(&json!({"verify": false}))).await.unwrap();
        *world.platform.state().roles.get_mut(role).unwrap().entity.document.pointer_mut(pointer).unwrap() =
            json!("something-else");
        let failure = world.run(Action::Verify, shop()).await.unwrap_err();
        assert!(failure.to_string().contains(expected), "{pointer}: {failure}");
        assert_eq!(world.clock.now(), Duration::ZERO, "{pointer}: no waiting for what never comes");
        let probes = world.platform.calls().iter().filter(|call| **call == "credentials").count();
        assert_eq!(probes, 1, "{pointer}");
    }
}

#[tokio::test]
async fn a_role_that_the_identity_pool_does_not_hand_out_is_named() {
    let world = World::new();
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    world.platform.state().authenticated_roles.clear();
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::RoleNotSet { found: None, .. }), "{failure}");
    assert_eq!(world.clock.now(), Duration::ZERO, "no waiting for what never comes");
    assert_eq!(world.platform.calls().iter().filter(|call| **call == "credentials").count(), 1);
}

#[tokio::test]
async fn verify_makes_its_user_as_administrator_where_people_cannot_sign_up() {
    let world = World::new();
    let receipt = world.apply(with(&json!({"self_sign_up": false}))).await.unwrap();
    let sign_up = report(&receipt, Step::SignUp);
    assert!(sign_up.detail.as_ref().unwrap().contains("as administrator"), "{sign_up:?}");
    assert_eq!(report(&receipt, Step::CallerIdentity).outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn a_used_up_mail_quota_does_not_fail_the_proof() {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users.fail("sign_up", 1, Reason::MailQuotaExceeded);

    let receipt = world.run(Action::Verify, shop()).await.unwrap();

    let sign_up = report(&receipt, Step::SignUp);
    assert_eq!((sign_up.outcome, sign_up.attempts), (Outcome::NotProved, 1));
    let detail = sign_up.detail.as_ref().unwrap();
    assert!(detail.starts_with("sign-up not proved: mail quota") && detail.contains("Amazon SES"), "{detail}");
    assert_eq!(report(&receipt, Step::CallerIdentity).outcome, Outcome::Succeeded);
    assert_eq!(report(&receipt, Step::CleanUp).outcome, Outcome::Deleted);
}

#[tokio::test]
async fn another_used_up_limit_fails_the_proof() {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users.fail("sign_up", 1, Reason::LimitReached);
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::SignUp).outcome, Outcome::Failed);
}

#[tokio::test]
async fn verify_leaves_nobody_behind_wherever_it_fails() {
    for operation in ["sign_up", "confirm", "sign_in"] {
        let world = World::new();
        let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
        let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
        // More often than anything is repeated.
        (1..10).for_each(|nth| users.fail(operation, nth, Reason::Unavailable));
        let failure = world.run(Action::Verify, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::Users(_)), "{operation}: {failure}");
        assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "{operation}");
        assert!(users.calls().contains(&"delete"), "{operation}");
    }
}

#[tokio::test]
async fn who_a_killed_run_left_behind_is_deleted_an_hour_later_and_nobody_else() {
    let world = World::with_clock(&VirtualClock::with_time(Duration::from_hours(2)));
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    let left_behind = "success+poolkeeper-00@simulator.amazonses.com";
    let others = [("eve", "success+poolkeeper-00@example.com"), ("ann", "success@simulator.amazonses.com")];
    users.add_user("left-behind", "Correct-1", &[], &[("email", left_behind)]);
    for (name, address) in others {
        users.add_user(name, "Correct-1", &[], &[("email", address)]);
    }

    let receipt = world.run(Action::Verify, shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::CleanUp).detail, None);
    assert!(users.user("left-behind").is_some(), "it may be at work now");

    world.clock.sleep(Duration::from_mins(61)).await;
    let receipt = world.run(Action::Verify, shop()).await.unwrap();
    let told = report(&receipt, Step::CleanUp).detail.clone().unwrap();
    assert_eq!(told, "and 1 that killed runs had left behind");
    assert!(users.user("left-behind").is_none() && others.iter().all(|(name, _)| users.user(name).is_some()));
}

#[tokio::test]
async fn a_sweep_that_fails_does_not_fail_the_proof() {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users.fail("with_email_prefix", 1, Reason::Internal);
    let receipt = world.run(Action::Verify, shop()).await.unwrap();
    assert!(report(&receipt, Step::CleanUp).detail.as_ref().unwrap().contains("stays"), "{receipt:?}");
}

#[tokio::test]
async fn verify_without_a_pool_says_what_is_missing() {
    let failure = World::new().run(Action::Verify, shop()).await.unwrap_err();
    assert_eq!(failure.to_string(), "there is no user pool shop; run `apply` first");
}

#[tokio::test]
async fn throttling_does_not_fail_the_proof() {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    for operation in ["sign_up", "confirm", "sign_in", "delete"] {
        users.fail(operation, 1, Reason::Throttled);
    }
    let receipt = world.run(Action::Verify, shop()).await.unwrap();
    for step in [Step::SignUp, Step::Confirm, Step::SignIn] {
        assert_eq!(report(&receipt, step).attempts, 2, "{step}");
    }
}

#[tokio::test]
async fn a_role_without_its_policy_is_named_where_it_cannot_be_taken() {
    let world = World::with_propagation(Duration::from_secs(5));
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    world.platform.state().roles.get_mut("poolkeeper.shop.eu-west-1").unwrap().policies.clear();
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotAttached { .. }), "{failure}");
}

#[tokio::test]
async fn the_proof_enrolls_a_second_factor_where_the_pool_requires_one() {
    let world = World::new();
    let receipt = world.apply(with(&json!({"mfa": "required"}))).await.unwrap();
    let sign_in = report(&receipt, Step::SignIn);
    assert_eq!((sign_in.outcome, sign_in.detail.as_deref()), (Outcome::Succeeded, Some("enrolled a second factor")));
    assert!(receipt.caller_arn.is_some());
    let optional = World::new().apply(shop()).await.unwrap();
    assert_eq!(report(&optional, Step::SignIn).detail, None);
}

#[tokio::test]
async fn a_refused_enrolment_fails_the_proof_and_leaves_nobody_behind() {
    for nth in [1, 2] {
        let world = World::new();
        world.platform.fail("users.answer_challenge", nth, Fault::NotDone(ErrorClass::Forbidden));
        let failure = world.apply(with(&json!({"mfa": "required"}))).await.unwrap_err();
        assert_eq!(report(&failure.receipt, Step::SignIn).outcome, Outcome::Failed, "{nth}");
        assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "{nth}");
    }
}

#[tokio::test]
async fn the_proof_signs_up_with_attributes_that_users_can_write() {
    let world = World::new();
    let spec = || {
        let backend = json!({"write_attributes": ["name"]});
        with(&json!({"sign_in": "username", "verify": false, "clients": {"backend": backend, "web": {}}}))
    };
    let pool_id = world.run(Action::Apply, spec()).await.unwrap().user_pool_id.unwrap();
    world.platform.state().users[&pool_id].limit_write_attributes(&["name"]);
    // The verification of a stack knows nothing of the clients.
    let receipt = world.run(Action::Verify, with(&json!({"sign_in": "username"}))).await.unwrap();
    let sign_up = report(&receipt, Step::SignUp);
    assert_eq!((sign_up.outcome, &sign_up.detail), (Outcome::Succeeded, &None));
}
