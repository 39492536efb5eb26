//! When a failed call is made again, in tables of classes, situations and rights.

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// Total waiting until `decide` gives up, and the attempts made by then, where attempts themselves take no time.
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
fn propagation_is_probed_densely_and_then_every_two_seconds_while_time_lasts() {
    let (waits, elapsed) = waits(ErrorClass::RoleNotAssumable, Situation::AwaitingPropagation, Duration::from_mins(1));
    assert_eq!(waits[..6], [250, 500, 1000, 2000, 2000, 2000]);
    assert!(elapsed < Duration::from_mins(1) && elapsed > Duration::from_secs(57), "{elapsed:?}");
}

#[test]
fn an_unassumable_role_is_hopeless_before_trust_and_wiring_were_checked() {
    for situation in [Situation::Settled, Situation::JustCreated, Situation::JustDetached] {
        assert_eq!(waits(ErrorClass::RoleNotAssumable, situation, HOUR).0, []);
    }
}

#[test]
fn a_missing_entity_is_awaited_only_right_after_its_creation_and_not_for_long() {
    assert_eq!(waits(ErrorClass::NotFound, Situation::Settled, HOUR).0, []);
    let (_, elapsed) = waits(ErrorClass::NotFound, Situation::JustCreated, HOUR);
    assert!(elapsed >= VISIBILITY_LIMIT && elapsed <= VISIBILITY_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn a_conflict_is_awaited_only_right_after_a_detachment_and_not_for_long() {
    for situation in [Situation::Settled, Situation::JustCreated, Situation::AwaitingPropagation] {
        assert_eq!(waits(ErrorClass::Conflict, situation, HOUR).0, [250, 500], "{situation:?}");
    }
    let (_, elapsed) = waits(ErrorClass::Conflict, Situation::JustDetached, HOUR);
    assert!(elapsed >= DETACHMENT_LIMIT && elapsed <= DETACHMENT_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn bounded_classes_stop_at_their_number_of_attempts() {
    assert_eq!(waits(ErrorClass::ConcurrentModification, Situation::Settled, HOUR).0, [50, 100, 200, 400]);
    assert_eq!(waits(ErrorClass::ExternalService, Situation::Settled, HOUR).0, [250, 500]);
    assert_eq!(waits(ErrorClass::Throttled, Situation::Settled, HOUR).0, [500, 1000, 2000, 4000, 8000]);
    let (_, elapsed) = waits(ErrorClass::PrincipalNotVisibleYet, Situation::Settled, HOUR);
    assert!(elapsed >= PRINCIPAL_LIMIT && elapsed <= PRINCIPAL_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn an_unknown_outcome_is_repeated_a_few_times_and_never_for_a_create() {
    for rights in [Rights::Settled, Rights::JustGranted] {
        assert_eq!(waits(ErrorClass::OutcomeUnknown, Situation::Creating.with(rights), HOUR).0, [], "{rights:?}");
        for situation in [Situation::Settled, Situation::JustCreated, Situation::AwaitingPropagation] {
            let (waits, _) = waits(ErrorClass::OutcomeUnknown, situation.with(rights), HOUR);
            assert_eq!(waits, [250, 500, 1000], "{situation:?}, {rights:?}");
        }
    }
}

#[test]
fn a_trigger_that_cannot_be_called_is_awaited_and_not_for_long() {
    let (_, elapsed) = waits(ErrorClass::TriggerNotInvoked, Situation::Creating, HOUR);
    assert!(elapsed >= TRIGGER_LIMIT && elapsed <= TRIGGER_LIMIT + PROBE_INTERVAL, "{elapsed:?}");
}

#[test]
fn retries_a_denied_call_for_30_s_and_only_if_the_right_may_be_new() {
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
fn nothing_else_is_ever_repeated() {
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
fn giving_up_says_how_often_and_how_long_was_tried_where_it_was_more_than_once() {
    let gave_up = |attempts| GaveUp { attempts, elapsed: Duration::from_millis(4250), last: "CreateRole failed" };
    assert_eq!(gave_up(1).to_string(), "CreateRole failed");
    assert_eq!(gave_up(3).to_string(), "CreateRole failed, after 3 attempts in 4.2 s");
}

#[test]
fn jitter_shortens_a_wait_and_never_lengthens_it() {
    let wait = |jitter| decide(ErrorClass::Throttled, Situation::Settled, 1, Duration::ZERO, HOUR, jitter);
    assert_eq!(wait(0.0), Next::Wait(Duration::from_millis(500)));
    assert_eq!(wait(1.0), Next::Wait(Duration::from_millis(400)));
    assert_eq!(wait(7.0), Next::Wait(Duration::from_millis(400)));
}
