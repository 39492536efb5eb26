//! Generators of arbitrary JSON and of events that resemble Cognito's.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// Arbitrary JSON text, including numbers beyond floats, lone surrogates and duplicate members.
pub(crate) fn json() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        string(),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            members(inner).prop_map(|members| object(&members)),
        ]
    })
}

/// A JSON string, sometimes one that the handler reads or that a Rust string cannot represent.
fn string() -> impl Strategy<Value = String> + Clone {
    let words = [
        "triggerSource",
        "response",
        "autoConfirmUser",
        "autoVerifyEmail",
        "PreSignUp_SignUp",
        "request",
        "userAttributes",
        "email",
        "mia@example.com",
        "clientMetadata",
        "invitation",
        "\\ud800",
        "\\u0000",
    ];
    prop_oneof![
        3 => any::<String>().prop_map(|text| Value::from(text).to_string()),
        1 => prop::sample::select(words.to_vec()).prop_map(|word| format!("\"{word}\"")),
    ]
}

/// Members of an object, as JSON text.
pub(crate) fn members(value: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Vec<String>> + Clone {
    vec((string(), value).prop_map(|(name, value)| format!("{name}:{value}")), 0..6)
}

/// An object of these members.
pub(crate) fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

/// An event with the members that the handler reads, in any order, some of them missing, duplicate or invalid.
pub(crate) fn event() -> impl Strategy<Value = String> {
    let attributes = some_of(vec![
        named("email", prop_oneof![4 => address(), 1 => json()]),
        named("phone_number", prop_oneof![2 => Just("\"+15555550100\"".to_owned()), 1 => json()]),
        named("custom:x", json()),
    ]);
    let request = some_of(vec![
        named("userAttributes", prop_oneof![8 => attributes, 1 => json()]),
        named("clientMetadata", prop_oneof![4 => metadata(), 1 => json()]),
        named("validationData", prop_oneof![4 => metadata(), 1 => json()]),
    ]);
    let flag = || prop_oneof![3 => Just("false".to_owned()), 1 => Just("null".to_owned()), 1 => Just("true".to_owned()), 1 => json()];
    let response = some_of(vec![
        named("autoConfirmUser", flag()),
        named("autoVerifyEmail", flag()),
        named("autoVerifyPhone", flag()),
        named("new", json()),
    ]);
    let sources = ["PreSignUp_SignUp", "PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider", "PreSignUp_New"];
    let sources = sources.map(|source| format!("\"{source}\""));
    let source = prop_oneof![6 => Just(sources[0].clone()), 3 => prop::sample::select(sources.to_vec()), 1 => json()];
    let users = ["\"Google_1\"", "\"google_1\"", "\"GoogleEvil_1\"", "\"mia\""].map(str::to_owned);
    some_of(vec![
        named("triggerSource", source),
        named("userPoolId", prop_oneof![8 => Just("\"eu-central-1_Ab12Cd34E\"".to_owned()), 1 => json()]),
        named("userName", prop_oneof![8 => prop::sample::select(users.to_vec()), 1 => json()]),
        named("request", prop_oneof![12 => request, 1 => json()]),
        named("response", prop_oneof![8 => response, 1 => json()]),
        named("version", json()),
    ])
}

/// Addresses in and around the domains that the policies name, as JSON.
fn address() -> impl Strategy<Value = String> + Clone {
    let local_parts = ["mia", "Mia", "kim", "", "a@b", "\"a@b\"", "mia\u{200b}", "mia "];
    let domains = [
        "example.com",
        "EXAMPLE.com",
        "mail.example.com",
        "hr.example.com",
        "x.hr.example.com",
        "example.org",
        "evilexample.com",
        "example.com.evil.org",
        "bücher.example",
        "xn--bcher-kva.example",
        "ｅxample.com",
        "example.com.",
        "exa\u{ad}mple.com",
    ];
    let text = (prop::sample::select(local_parts.to_vec()), prop::sample::select(domains.to_vec()));
    text.prop_map(|(local_part, domain)| Value::from(format!("{local_part}@{domain}")).to_string())
}

/// Client metadata or validation data, often with one of the invitations of events/.
fn metadata() -> impl Strategy<Value = String> + Clone {
    let cases = testkit::events::all("pre-sign-up").into_iter();
    let tokens = cases.filter_map(|(_, event)| {
        let event: Value = serde_json::from_str(&event).unwrap();
        Some(event.pointer("/request/clientMetadata/invitation")?.to_string())
    });
    let tokens: Vec<String> = tokens.collect();
    some_of(vec![
        named("invitation", prop_oneof![6 => prop::sample::select(tokens), 1 => json()]),
        named("plan", json()),
    ])
}

fn named(name: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    value.prop_map(move |value| format!("\"{name}\":{value}")).boxed()
}

/// An object with most of these members, in any order, some of them twice.
fn some_of(members: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let count = || prop_oneof![2 => Just(0..0), 24 => Just(0..1), 1 => Just(0..2)];
    let members: Vec<_> = members
        .into_iter()
        .map(|member| count().prop_flat_map(move |times| vec(member.clone(), times.len())))
        .collect();
    members.prop_map(|members| members.concat()).prop_shuffle().prop_map(|members| object(&members)).boxed()
}
