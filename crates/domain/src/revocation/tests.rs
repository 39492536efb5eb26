use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn token(signed_in_at: u64, issued_at: u64) -> Token<'static> {
    Token {
        client_id: "web",
        user: Some(TokenUser { sub: "mia", session: Some("session-1") }),
        signed_in_at,
        issued_at,
    }
}

fn check(token: &Token<'_>, revocations: &[(Scope, Revocation)]) -> Result<(), Denial> {
    let revocations: BTreeMap<_, _> = revocations.iter().cloned().collect();
    token.check(|scope| revocations.get(scope).copied())
}

#[test]
fn every_scope_denies_on_its_own() {
    let scopes = [
        (Scope::Pool, Scope::Pool),
        (Scope::Client("web".to_owned()), Scope::Client("mobile".to_owned())),
        (Scope::User("mia".to_owned()), Scope::User("tim".to_owned())),
        (Scope::Session("session-1".to_owned()), Scope::Session("session-2".to_owned())),
    ];
    for (own, other) in scopes {
        let until_now = Revocation::of_sign_ins_until(NOW);
        assert_eq!(check(&token(NOW, NOW), &[(own.clone(), until_now)]), Err(Denial::Revoked(own.clone())));
        if own != other {
            assert_eq!(check(&token(NOW, NOW), &[(other, until_now)]), Ok(()), "{own:?}");
        }
    }
}

#[test]
fn revocation_includes_its_second() {
    let user = Scope::User("mia".to_owned());
    let sign_ins = Revocation::of_sign_ins_until(NOW);
    let tokens = Revocation::of_tokens_until(NOW);
    for (revocation, signed_in_at, issued_at, is_denied) in [
        (sign_ins, NOW - 1, NOW + 500, true),
        (sign_ins, NOW, NOW + 500, true),
        (sign_ins, NOW + 1, NOW + 1, false),
        (tokens, NOW - 1, NOW, true),
        (tokens, NOW - 1, NOW + 1, false),
        (Revocation::ALL, u64::MAX, u64::MAX, true),
        (Revocation::default(), 0, 0, false),
    ] {
        let denied = check(&token(signed_in_at, issued_at), &[(user.clone(), revocation)]).is_err();
        assert_eq!(denied, is_denied, "{revocation:?} of a token of {signed_in_at}, {issued_at}");
    }
}

/// Two known errors of other implementations: a revocation of the realm that an older one of the client replaces, and
/// the reverse.
#[test]
fn older_revocation_of_another_scope_changes_nothing() {
    let client = Scope::Client("web".to_owned());
    let [older, newer] = [NOW - 100, NOW].map(Revocation::of_sign_ins_until);
    let of_between = token(NOW - 50, NOW - 50);
    for (of_pool, of_client, denied_by) in [(newer, older, Scope::Pool), (older, newer, client.clone())] {
        let revocations = [(Scope::Pool, of_pool), (client.clone(), of_client)];
        assert_eq!(check(&of_between, &revocations), Err(Denial::Revoked(denied_by)));
    }
}

#[test]
fn tokens_of_users_need_a_session() {
    let mut of_user = token(NOW, NOW);
    of_user.user = Some(TokenUser { sub: "mia", session: None });
    assert_eq!(check(&of_user, &[]), Err(Denial::NoSession));
    let of_client = Token { user: None, ..of_user };
    assert_eq!(check(&of_client, &[]), Ok(()));
    assert_eq!(check(&of_client, &[(Scope::Pool, Revocation::ALL)]), Err(Denial::Revoked(Scope::Pool)));
}

#[test]
fn denials_contain_no_identifier() {
    let denial = Denial::Revoked(Scope::User("mia".to_owned()));
    assert_eq!(denial.to_string(), "the token is revoked by user");
}

/// A revocation that an operator requests.
#[derive(Debug, Clone)]
struct Event {
    scope: Scope,
    revocation: Revocation,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let scopes = prop_oneof![
        Just(Scope::Pool),
        prop_oneof!["web", "mobile"].prop_map(Scope::Client),
        prop_oneof!["mia", "tim"].prop_map(Scope::User),
        "session-[12]".prop_map(Scope::Session),
    ];
    let revocations = prop_oneof![
        (0_u64..20).prop_map(Revocation::of_sign_ins_until),
        (0_u64..20).prop_map(Revocation::of_tokens_until),
        Just(Revocation::ALL),
    ];
    let event = (scopes, revocations).prop_map(|(scope, revocation)| Event { scope, revocation });
    proptest::collection::vec(event, 0..12)
}

/// The items of the table after these events.
fn merged<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<Scope, Revocation> {
    let mut items = BTreeMap::new();
    for event in events {
        let item: &mut Revocation = items.entry(event.scope.clone()).or_default();
        *item = item.and(event.revocation);
    }
    items
}

proptest! {
    /// The model keeps all events, and denies a token if any of them does.
    #[test]
    fn merged_items_deny_what_any_event_denies(
        events in events(), signed_in_at in 0_u64..20, age in 0_u64..20, client in "web|mobile", sub in "mia|tim",
        session in "session-[12]",
    ) {
        let user = Some(TokenUser { sub: &sub, session: Some(&session) });
        let token = Token { client_id: &client, user, signed_in_at, issued_at: signed_in_at + age };
        let applies = |scope: &Scope| match scope {
            Scope::Pool => true,
            Scope::Client(id) => *id == client,
            Scope::User(id) => *id == sub,
            Scope::Session(id) => *id == session,
        };
        let is_denied = events.iter().filter(|event| applies(&event.scope)).any(|event| {
            let Revocation { signed_in_until, issued_until } = event.revocation;
            signed_in_until.is_some_and(|second| second >= token.signed_in_at)
                || issued_until.is_some_and(|second| second >= token.issued_at)
        });
        let items = merged(&events);
        prop_assert_eq!(token.check(|scope| items.get(scope).copied()).is_err(), is_denied);
    }

    #[test]
    fn items_do_not_depend_on_the_order_or_on_repetitions(events in events()) {
        let reversed_and_repeated = events.iter().rev().chain(&events);
        prop_assert_eq!(merged(&events), merged(reversed_and_repeated));
    }
}

#[test]
fn combination_has_the_later_time_of_each_field() {
    let times = [None, Some(0), Some(7), Some(u64::MAX)];
    for first in times {
        for second in times {
            for other in times {
                let sign_ins = |signed_in_until| Revocation { signed_in_until, issued_until: other };
                assert_eq!(sign_ins(first).and(sign_ins(second)), sign_ins(first.max(second)));
                let tokens = |issued_until| Revocation { signed_in_until: other, issued_until };
                assert_eq!(tokens(first).and(tokens(second)), tokens(first.max(second)));
            }
        }
    }
    // `None` denies less than the first second.
    assert_eq!(Revocation::default().and(Revocation::of_sign_ins_until(0)), Revocation::of_sign_ins_until(0));
}
