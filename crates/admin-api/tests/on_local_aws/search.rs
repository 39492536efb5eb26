//! Tests the search on the emulator, which evaluates filters. Each value finds exactly its user.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::harness::{Api, Harness};

/// Values that differ even if case is ignored, because Cognito ignores case in most attributes.
const VALUES: [&str; 30] = [
    "plain",
    "plai",
    "plain ",
    "two words",
    "a\"b",
    "a\\\"b",
    "a\\b",
    "a\\\\b",
    "ends with \\",
    "\"",
    "\\",
    "\" or \"x\"=\"x",
    "\" or name ^= \"",
    "line\nline",
    "line\r\nline",
    "tab\ttab",
    "100%",
    "%22",
    "a+b",
    "a&name=b",
    "a'b",
    "*",
    "^=",
    "mia@",
    "caf\u{e9}",
    "cafe\u{301}",
    "日本語",
    "👩‍👩‍👧",
    "👩",
    "\u{202e}abc",
];

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn search(api: &Api, query: &str) -> Vec<String> {
    let answer = api.call("GET", &format!("/v1/users?{query}"), None).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    assert_eq!((&answer.body["next_cursor"], &answer.body["ended_early"]), (&json!(null), &json!(false)), "{query}");
    let users = answer.body["users"].as_array().unwrap();
    users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

async fn create(api: &Api, username: &str, attributes: serde_json::Value) {
    let body = json!({"username": username, "attributes": attributes, "welcome_message": "suppress"});
    let answer = api.call("POST", "/v1/users", Some(&body)).await;
    assert_eq!(answer.status, 201, "{username}: {answer:?}");
}

#[tokio::test]
async fn any_value_finds_exactly_its_user() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    for (number, value) in VALUES.iter().enumerate() {
        let email = format!("{value}@example.com");
        create(&api, &format!("user-{number:02}"), json!({"name": value, "email": email, "custom:team": value})).await;
    }
    for (number, value) in VALUES.iter().enumerate() {
        let whose = [format!("user-{number:02}")];
        let email = format!("{value}@example.com");
        for query in [
            format!("name={}", encoded(value)),
            format!("email={}", encoded(&email)),
            // No other value has this prefix.
            format!("email_prefix={}", encoded(email.trim_end_matches(".com"))),
            format!("custom_attribute=team={}", encoded(value)),
            format!("username=user-{number:02}&name={}", encoded(value)),
            format!("status=FORCE_CHANGE_PASSWORD&enabled=true&name={}", encoded(value)),
        ] {
            assert_eq!(search(&api, &query).await, whose, "{query}");
        }
    }
    assert_eq!(search(&api, "status=CONFIRMED").await, ["root"]);
    assert_eq!(search(&api, "group=admins&status=CONFIRMED&username=root").await, ["root"]);
}

#[tokio::test]
async fn any_user_name_finds_exactly_its_user() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    let names = [
        "a\"b",
        "a\\b",
        "a\\",
        "\"",
        "\\\"",
        "caf\u{e9}",
        "cafe\u{301}",
        "日本語",
        "👩",
        "100%",
        "a+b",
        "a&b=c",
        "a'b",
        "Ada",
        "ada",
    ];
    for name in names {
        create(&api, name, json!({})).await;
    }
    for name in names {
        assert_eq!(search(&api, &format!("username={}", encoded(name))).await, [name]);
    }
}

/// Reads all pages of a list. Returns the user names and the number of pages.
async fn read_all(api: &Api, query: &str) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = api.call("GET", &format!("/v1/users?{query}{cursor}"), None).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let users = answer.body["users"].as_array().unwrap();
        names.extend(users.iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = answer.body["next_cursor"].as_str() else { return (names, pages) };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    let all: Vec<String> = (0..130).map(|number| format!("user-{number:03}")).collect();
    for (number, name) in all.iter().enumerate() {
        let team = if number % 3 == 0 { "blue" } else { "red" };
        create(&api, name, json!({"name": "Somebody", "email": format!("{name}@example.com"), "custom:team": team}))
            .await;
        if number % 2 == 0 {
            let path = format!("/v1/users/{name}/groups/support");
            assert_eq!(api.call("PUT", &path, None).await.status, 204);
        }
    }
    let is = |every: usize| all.iter().step_by(every).cloned().collect::<Vec<_>>();
    for (query, expected, pages) in [
        ("name=Somebody&limit=50", is(1), 3),
        ("name=Somebody&custom_attribute=team%3Dblue&limit=7", is(3), 7),
        ("group=support&limit=50", is(2), 2),
        ("group=support&custom_attribute=team%3Dblue&limit=10", is(6), 3),
    ] {
        let (mut found, read) = read_all(&api, query).await;
        found.sort();
        assert_eq!(found, expected, "{query}");
        assert!((pages..=pages + 1).contains(&read), "{query}: {read} pages");
    }
}
