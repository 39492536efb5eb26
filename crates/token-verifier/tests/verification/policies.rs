use serde_json::{Value, json};
use token_verifier::{Policy, Rejection, TokenUse};

use crate::pool::{
    CLIENT, EXPIRES_AT, ISSUED_AT, POOL, SESSION, SUB, access_claims, at, id_claims, machine_claims, policy, verify,
    with,
};

#[test]
fn returns_the_claims_of_an_access_token() {
    let claims = verify(&POOL.token(&access_claims())).unwrap();
    assert_eq!((claims.token_use, claims.sub.as_str()), (TokenUse::Access, SUB));
    assert_eq!((claims.username.as_deref(), claims.client_id.as_str()), (Some("mia"), CLIENT));
    assert_eq!((claims.id.as_deref(), claims.session.as_deref()), (Some("j"), Some(SESSION)));
    assert_eq!(claims.groups, ["staff", "admins"]);
    assert_eq!(claims.scopes, ["aws.cognito.signin.user.admin", "shop/read"]);
    assert_eq!((claims.authenticated_at, claims.issued_at), (ISSUED_AT - 60, ISSUED_AT));
    assert_eq!((claims.expires_at, claims.not_before), (EXPIRES_AT, None));
    assert_eq!(claims.get::<String>("event_id").as_deref(), Some("e"));
}

#[test]
fn returns_the_claims_of_an_id_token() {
    let claims = verify(&POOL.token(&id_claims())).unwrap();
    assert_eq!(claims.token_use, TokenUse::Id);
    assert_eq!((claims.username.as_deref(), claims.client_id.as_str()), (Some("mia"), CLIENT));
    assert_eq!(claims.get::<String>("email").as_deref(), Some("mia@example.com"));
    assert_eq!(claims.get::<bool>("email_verified"), Some(true));
    assert_eq!((claims.get::<bool>("email"), claims.get::<String>("name")), (None, None));
    assert!(!format!("{claims:?}").contains("mia"), "{claims:?}");
    assert_eq!((claims.groups, claims.scopes), (vec![], vec![]));
}

#[test]
fn returns_the_claims_of_a_machine() {
    let claims = verify(&POOL.token(&machine_claims())).unwrap();
    assert_eq!((claims.sub.as_str(), claims.client_id.as_str()), (CLIENT, CLIENT));
    assert_eq!((claims.username, claims.session), (None, None));
    assert_eq!(claims.scopes, ["shop/read"]);
}

#[test]
fn accepts_tokens_for_own_resources_only() {
    let own = Policy { resources: ["https://shop.example".to_owned()].into(), ..policy() };
    for (audience, of_own, of_any) in [
        (Value::Null, None, None),
        (json!("https://shop.example"), None, Some(Rejection::Resource)),
        (json!(["https://bank.example", "https://shop.example"]), None, Some(Rejection::Resource)),
        (json!("https://bank.example"), Some(Rejection::Resource), Some(Rejection::Resource)),
        (json!(1), Some(Rejection::Claim("aud")), Some(Rejection::Claim("aud"))),
    ] {
        let token = POOL.token(&with(access_claims(), "aud", audience.clone()));
        for (policy, expected) in [(&own, of_own), (&policy(), of_any)] {
            let verified = policy.verify(&token, &POOL.keys(), at(ISSUED_AT));
            assert_eq!(verified.err(), expected, "{audience}");
        }
    }
}

#[test]
fn reads_scopes_of_access_tokens_only() {
    let claims = verify(&POOL.token(&with(id_claims(), "scope", json!("shop/read")))).unwrap();
    assert_eq!(claims.scopes, Vec::<String>::new());
}

#[test]
fn tokens_of_users_need_a_user_name() {
    for (claims, name) in [(access_claims(), "username"), (id_claims(), "cognito:username")] {
        let token = POOL.token(&with(claims, name, Value::Null));
        assert_eq!(verify(&token), Err(Rejection::Claim(name)));
    }
}

#[test]
fn rejects_missing_and_invalid_claims() {
    for name in ["sub", "iss", "client_id", "token_use", "auth_time", "exp", "iat"] {
        let token = POOL.token(&with(access_claims(), name, Value::Null));
        assert_eq!(verify(&token), Err(Rejection::Claim(name)), "without {name}");
    }
    for (name, value) in [
        ("exp", json!("1800003600")),
        ("exp", json!(1_800_003_600.5)),
        ("exp", json!(-1)),
        ("iat", json!(true)),
        ("nbf", json!("0")),
        ("iss", json!([crate::pool::ISSUER])),
        ("client_id", json!([CLIENT])),
        ("cognito:groups", json!("admins")),
        ("cognito:groups", json!([1])),
        ("scope", json!(["shop/read"])),
        ("origin_jti", json!(1)),
        ("username", json!({})),
    ] {
        let token = POOL.token(&with(access_claims(), name, value.clone()));
        assert_eq!(verify(&token), Err(Rejection::Claim(name)), "{name}: {value}");
    }
    let audiences = POOL.token(&with(id_claims(), "aud", json!([CLIENT, "another"])));
    assert_eq!(verify(&audiences), Err(Rejection::Claim("aud")));
}

#[test]
fn rejects_what_the_policy_does_not_accept() {
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHI";
    let any = policy();
    let id_only = Policy { token_uses: [TokenUse::Id].into(), ..policy() };
    let access_only = Policy { token_uses: [TokenUse::Access].into(), ..policy() };
    let scope = |scope: &str| Policy { scopes: Some([scope.to_owned(), "none".to_owned()].into()), ..policy() };
    let group = |group: &str| Policy { groups: Some([group.to_owned(), "none".to_owned()].into()), ..policy() };
    let nothing = Policy::default();
    let no_scope = Policy { scopes: Some([].into()), ..policy() };
    let no_group = Policy { groups: Some([].into()), ..policy() };
    for (policy, claims, expected) in [
        (&any, with(access_claims(), "iss", json!(issuer)), Some(Rejection::Issuer)),
        (&nothing, with(access_claims(), "iss", json!("")), Some(Rejection::Issuer)),
        (&any, with(access_claims(), "token_use", json!("refresh")), Some(Rejection::TokenUse)),
        (&id_only, access_claims(), Some(Rejection::TokenUse)),
        (&access_only, id_claims(), Some(Rejection::TokenUse)),
        (&any, with(access_claims(), "client_id", json!("another")), Some(Rejection::Client)),
        (&any, with(id_claims(), "aud", json!("another")), Some(Rejection::Client)),
        (&scope("shop/read"), access_claims(), None),
        (&scope("shop"), access_claims(), Some(Rejection::Scope)),
        (&scope("shop/read"), id_claims(), Some(Rejection::Scope)),
        (&group("admins"), access_claims(), None),
        (&group("admin"), access_claims(), Some(Rejection::Group)),
        (&group("admins"), id_claims(), Some(Rejection::Group)),
        (&no_scope, access_claims(), Some(Rejection::Scope)),
        (&no_group, access_claims(), Some(Rejection::Group)),
    ] {
        let verified = policy.verify(&POOL.token(&claims), &POOL.keys(), at(ISSUED_AT));
        assert_eq!(verified.err(), expected, "{policy:?} {claims}");
    }
}

#[test]
fn tolerates_a_clock_behind_but_no_expired_token() {
    let starts = |nbf: u64| with(access_claims(), "nbf", json!(nbf));
    for (claims, now, expected) in [
        (access_claims(), ISSUED_AT - 31, Some(Rejection::NotYetValid)),
        (access_claims(), ISSUED_AT - 30, None),
        (starts(ISSUED_AT + 31), ISSUED_AT, Some(Rejection::NotYetValid)),
        (starts(ISSUED_AT + 30), ISSUED_AT, None),
        (starts(0), ISSUED_AT - 31, Some(Rejection::NotYetValid)),
        (access_claims(), EXPIRES_AT - 1, None),
        (access_claims(), EXPIRES_AT, Some(Rejection::Expired)),
        (with(access_claims(), "exp", json!(u64::MAX)), u64::MAX >> 24, None),
        (access_claims(), 0, Some(Rejection::NotYetValid)),
    ] {
        let verified = policy().verify(&POOL.token(&claims), &POOL.keys(), at(now));
        assert_eq!(verified.err(), expected, "{claims} at {now}");
    }
}
