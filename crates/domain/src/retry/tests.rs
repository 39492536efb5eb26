//! Retry decisions, in tables of classes, situations and permissions.

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// The waits until `decide` gives up, and their sum, if attempts take no time.
fn waits(class: ErrorClass, context: impl Into<Context>, time_left: Duration) -> (Vec<u128>, Duration) {
    let context = context.into();
    let (mut elapsed, mut waits) = (Duration::ZERO, Vec::new());
    while let Next::Wait(wait) =
        decide(class, context, u32::try_from(waits.len()).unwrap() + 1, elapsed, time_left.saturating_sub(elapsed), 0.0)
    {
        elapsed += wait;
        waits.push(wait.as_millis());
    }
    (waits, elapsed)
}

#[test]
fn probes_propagation_with_short_waits_and_then_every_two_seconds() {
    let (waits, elapsed) = waits(ErrorClass::RoleNotAssumable, Situation::AwaitingPropagation, Duration::from_mins(1));
    assert_eq!(waits[..6], [250, 500, 1000, 2000, 2000, 2000]);
    assert!(elapsed < Duration::from_mins(1) && elapsed > Duration::from_secs(57), "{elapsed:?}");
}

#[test]
fn does_not_retry_an_unassumable_role_before_its_check() {
    for situation in [Situation::Settled, Situation::JustCreated, Situation::JustDetached] {
        assert_eq!(waits(ErrorClass::RoleNotAssumable, situation, HOUR).0, []);
    }
}

#[test]
fn retries_a_missing_entity_briefly_and_only_after_its_creation() {
    assert_eq!(waits(ErrorClass::NotFound, Situation::Settled, HOUR).0, []);
    let (_, elapsed) = waits(ErrorClass::NotFound, Situation::JustCreated, HOUR);
    assert!(elapsed >= VISIBILITY_LIMIT && elapsed <= VISIBILITY_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn retries_a_delete_conflict_longer_only_after_a_detachment() {
    for situation in [Situation::Settled, Situation::JustCreated, Situation::AwaitingPropagation] {
        assert_eq!(waits(ErrorClass::Conflict, situation, HOUR).0, [250, 500], "{situation:?}");
    }
    let (_, elapsed) = waits(ErrorClass::Conflict, Situation::JustDetached, HOUR);
    assert!(elapsed >= DETACHMENT_LIMIT && elapsed <= DETACHMENT_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn limits_the_attempts_of_each_transient_class() {
    assert_eq!(waits(ErrorClass::ConcurrentModification, Situation::Settled, HOUR).0, [50, 100, 200, 400]);
    assert_eq!(waits(ErrorClass::ExternalService, Situation::Settled, HOUR).0, [250, 500]);
    assert_eq!(waits(ErrorClass::Throttled, Situation::Settled, HOUR).0, [500, 1000, 2000, 4000, 8000]);
    let (_, elapsed) = waits(ErrorClass::PrincipalNotVisibleYet, Situation::Settled, HOUR);
    assert!(elapsed >= PRINCIPAL_LIMIT && elapsed <= PRINCIPAL_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn retries_an_unknown_outcome_but_never_of_a_create() {
    for rights in [Rights::Settled, Rights::JustGranted] {
        assert_eq!(waits(ErrorClass::OutcomeUnknown, Situation::Creating.with(rights), HOUR).0, [], "{rights:?}");
        for situation in [Situation::Settled, Situation::JustCreated, Situation::AwaitingPropagation] {
            let (waits, _) = waits(ErrorClass::OutcomeUnknown, situation.with(rights), HOUR);
            assert_eq!(waits, [250, 500, 1000], "{situation:?}, {rights:?}");
        }
    }
}

#[test]
fn retries_a_failed_trigger_invocation_briefly() {
    let (_, elapsed) = waits(ErrorClass::TriggerNotInvoked, Situation::Creating, HOUR);
    assert!(elapsed >= TRIGGER_LIMIT && elapsed <= TRIGGER_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn retries_a_denied_call_for_30_s_if_permissions_may_be_new() {
    for situation in [
        Situation::Settled,
        Situation::Creating,
        Situation::JustCreated,
        Situation::JustDetached,
        Situation::AwaitingPropagation,
    ] {
        let just_granted = situation.with(Rights::JustGranted);
        let (probes, elapsed) = waits(ErrorClass::Forbidden, just_granted, HOUR);
        assert_eq!(probes[..6], [250, 500, 1000, 2000, 2000, 2000], "{situation:?}");
        assert!(elapsed <= PERMISSION_LIMIT && elapsed + PROBE_INTERVAL >= PERMISSION_LIMIT, "{elapsed:?}");
        let (_, elapsed) = waits(ErrorClass::Forbidden, just_granted, Duration::from_secs(10));
        assert!(elapsed < Duration::from_secs(10), "no longer than there is time: {elapsed:?}");
        assert_eq!(waits(ErrorClass::Forbidden, situation, HOUR).0, [], "{situation:?}");
    }
}

#[test]
fn never_retries_permanent_errors() {
    for class in [
        ErrorClass::AlreadyExists,
        ErrorClass::QuotaExceeded,
        ErrorClass::SignUpRefused,
        ErrorClass::Invalid,
        ErrorClass::Unexpected,
    ] {
        for situation in [Situation::Settled, Situation::JustCreated, Situation::AwaitingPropagation] {
            for rights in [Rights::Settled, Rights::JustGranted] {
                let (waits, _) = waits(class, situation.with(rights), HOUR);
                assert_eq!(waits, [], "{class:?}, {situation:?}, {rights:?}");
            }
        }
    }
}

#[test]
fn reports_attempts_and_time_after_more_than_one_attempt() {
    let gave_up = |attempts| GaveUp { attempts, elapsed: Duration::from_millis(4250), last: "CreateRole failed" };
    assert_eq!(gave_up(1).to_string(), "CreateRole failed");
    assert_eq!(gave_up(3).to_string(), "CreateRole failed, after 3 attempts in 4.2 s");
}

#[test]
fn jitter_only_shortens_waits() {
    let wait = |jitter| decide(ErrorClass::Throttled, Situation::Settled, 1, Duration::ZERO, HOUR, jitter);
    assert_eq!(wait(0.0), Next::Wait(Duration::from_millis(500)));
    assert_eq!(wait(1.0), Next::Wait(Duration::from_millis(400)));
    assert_eq!(wait(7.0), Next::Wait(Duration::from_millis(400)));
}
