use std::collections::BTreeSet;

use domain::search::PAGE_BUDGET;
use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::testing::{Answer, Api, Call, token};

fn names(body: &Value) -> Vec<&str> {
    body["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn get(api: &Api, query: &str) -> Answer {
    api.call(Call::get(&format!("/v1/users?{query}"))).await
}

/// The user names on the first page of a search.
async fn search(api: &Api, query: &str) -> Vec<String> {
    let answer = get(api, query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    names(&answer.body).into_iter().map(str::to_owned).collect()
}

/// The user names on each page of a search. Asserts the page budget and `ended_early` of each request.
async fn all_pages(api: &Api, query: &str) -> Vec<Vec<String>> {
    let limit: usize = query.split('&').find_map(|pair| pair.strip_prefix("limit=")).unwrap().parse().unwrap();
    let mut requests = Vec::new();
    let mut cursor = String::new();
    loop {
        let calls_before = api.pool.calls().len();
        let answer = get(api, &format!("{query}{cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let calls = api.pool.calls().split_off(calls_before);
        let pages = calls.iter().filter(|call| ["list", "members"].contains(call)).count();
        assert!((1..=PAGE_BUDGET).contains(&pages), "{calls:?}");

        let found = names(&answer.body);
        let (next, ended_early) = (answer.body["next_cursor"].as_str(), answer.body["ended_early"].as_bool().unwrap());
        let is_full = found.len() == limit;
        assert!(is_full || found.len() < limit && (ended_early || next.is_none()), "{}", answer.body);
        assert!(!ended_early || next.is_some() && pages == PAGE_BUDGET, "{}", answer.body);
        requests.push(found.into_iter().map(str::to_owned).collect());
        let Some(next) = next else { return requests };
        cursor = format!("&cursor={next}");
    }
}

/// An API with 10,000 more users. Every second one is in the group `even`, every third one is blue, and `custom:last`
/// marks the last one.
fn with_ten_thousand() -> (Api, Vec<String>) {
    let api = Api::new();
    let names: Vec<_> = (0..10_000).map(|number| format!("user-{number:04}")).collect();
    for (number, name) in names.iter().enumerate() {
        let groups: &[&str] = if number % 2 == 0 { &["even"] } else { &[] };
        let color = if number % 3 == 0 { "blue" } else { "red" };
        let is_last = (number == 9_999).to_string();
        let email = format!("{name}@many.example.com");
        let attributes = [("email", email.as_str()), ("custom:color", color), ("custom:last", &is_last)];
        api.pool.add_user(name, "Correct-1", groups, &attributes);
    }
    (api, names)
}

fn every(nth: usize, names: &[String]) -> Vec<String> {
    names.iter().step_by(nth).cloned().collect()
}

#[tokio::test]
async fn lists_ten_thousand_users_without_gaps_or_duplicates() {
    let (api, names) = with_ten_thousand();
    let requests = all_pages(&api, "email_prefix=user-&limit=60").await;
    assert_eq!(requests.concat(), names);
    // Each request reads one page of Cognito, because Cognito applies the filter.
    assert_eq!(api.pool.calls().iter().filter(|call| **call == "list").count(), requests.len());

    let all_users: BTreeSet<_> = all_pages(&api, "limit=60").await.concat().into_iter().collect();
    assert_eq!(all_users.len(), 10_005);
}

#[tokio::test]
async fn finds_every_third_of_ten_thousand_users_in_small_pages() {
    let (api, names) = with_ten_thousand();
    let requests = all_pages(&api, "custom_attribute=color%3Dblue&limit=7").await;
    assert_eq!(requests.concat(), every(3, &names));
    let (last, full) = requests.split_last().unwrap();
    assert!(full.iter().all(|page| page.len() == 7) && !last.is_empty());
}

#[tokio::test]
async fn lists_and_searches_the_members_of_a_large_group() {
    let (api, names) = with_ten_thousand();
    assert_eq!(all_pages(&api, "group=even&limit=60").await.concat(), every(2, &names));
    let blue = all_pages(&api, "group=even&custom_attribute=custom:color%3Dblue&limit=13").await;
    assert_eq!(blue.concat(), every(6, &names));
}

#[tokio::test]
async fn finds_one_of_ten_thousand_users_within_the_page_budget() {
    let (api, names) = with_ten_thousand();
    let requests = all_pages(&api, "custom_attribute=last%3Dtrue&limit=60").await;
    assert_eq!(requests.concat(), names[9_999..]);
    // 10,005 users, 600 per request.
    assert_eq!(requests.len(), 17);
}

#[tokio::test]
async fn the_default_limit_is_the_maximum() {
    let api = Api::new();
    for number in 0..70 {
        api.pool.add_user(&format!("user-{number:02}"), "Correct-1", &[], &[]);
    }
    let answer = api.call(Call::get("/v1/users").by(token("ray", "[readers]"))).await;
    assert_eq!(names(&answer.body).len(), 60);
    assert!(answer.body["next_cursor"].is_string());
    assert_eq!(answer.body["ended_early"], false);
}

/// Two users who differ in every search condition.
fn with_two_users() -> Api {
    let api = Api::new();
    let ada = [("email", "ada@one.example"), ("phone_number", "+15550101"), ("name", "Ada"), ("custom:team", "a=b")];
    let bob = [("email", "bob@two.example"), ("phone_number", "+15550102"), ("name", "Bob"), ("custom:team", "")];
    api.pool.set_clock(OffsetDateTime::UNIX_EPOCH + Duration::days(365));
    api.pool.add_user("ada", "Correct-1", &["one"], &ada);
    api.pool.set_clock(OffsetDateTime::UNIX_EPOCH + Duration::days(730));
    api.pool.add_user("bob", "Correct-1", &["two"], &bob);
    api.pool.set_status("bob", UserStatus::ForceChangePassword);
    api.pool.disable("bob");
    api
}

#[tokio::test]
async fn each_parameter_finds_matching_users_only() {
    let api = with_two_users();
    let table: [(&str, &[&str]); 21] = [
        ("username=ada", &["ada"]),
        ("username=ad", &[]),
        ("email=ada@one.example", &["ada"]),
        ("email=ada", &[]),
        ("email_prefix=ada@o", &["ada"]),
        ("phone_number=%2B15550101", &["ada"]),
        ("name=Ada", &["ada"]),
        ("status=FORCE_CHANGE_PASSWORD", &["bob"]),
        ("status=ARCHIVED", &[]),
        ("enabled=false", &["bob"]),
        ("enabled=true&email_prefix=a", &["ada"]),
        ("group=one", &["ada"]),
        ("custom_attribute=team=a=b", &["ada"]),
        ("custom_attribute=custom:team%3Da%3Db", &["ada"]),
        ("custom_attribute=team=", &["bob"]),
        ("custom_attribute=team=&custom_attribute=team=a=b", &[]),
        ("created_after=1971-06-01T00:00:00Z", &["bob"]),
        ("created_after=1970-06-01T00:00:00Z&created_before=1971-06-01T02:00:00%2B02:00", &["ada"]),
        ("created_before=1970-06-01T00:00:00Z&email_prefix=mia", &["mia"]),
        ("email=ada@one.example&email_prefix=ada&name=Ada&enabled=true&group=one", &["ada"]),
        ("email=ada@one.example&name=Bob", &[]),
    ];
    for (query, expected) in table {
        assert_eq!(search(&api, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn created_after_and_created_before_exclude_the_timestamp() {
    let api = with_two_users();
    let created_at = encoded(get(&api, "username=ada").await.body["users"][0]["created_at"].as_str().unwrap());
    for side in ["created_after", "created_before"] {
        assert!(search(&api, &format!("email_prefix=ada&{side}={created_at}")).await.is_empty(), "{side}");
    }
}

#[tokio::test]
async fn a_search_reads_only_the_pages_of_one_list() {
    let table = [
        ("email=mia@example.com", vec!["list"]),
        ("group=admins&email=mia@example.com", vec!["members"]),
        // Sealing the next cursor requires the key.
        ("limit=1", vec!["list", "cursor_key"]),
    ];
    for (query, calls) in table {
        let api = Api::new();
        get(&api, query).await;
        assert_eq!(api.pool.calls(), calls, "{query}");
    }
}

#[tokio::test]
async fn any_value_finds_exactly_the_user_who_has_it() {
    let values = [
        "plain",
        "pla",
        "plain ",
        " plain",
        "two words",
        "a\"b",
        "a\\\"b",
        "a\\b",
        "a\\\\b",
        "ends with \\",
        "\"",
        "\"\"",
        "\\",
        "\" or \"x\"=\"x",
        "\" or status = \"Enabled",
        "line\nline",
        "line\r\nline",
        "tab\ttab",
        "nul\0nul",
        "100%",
        "100%25",
        "%22",
        "a+b",
        "a b",
        "a&name=b",
        "a=b",
        "a;b",
        "a#b",
        "'; drop table users; --",
        "*",
        "?",
        "^=",
        "{}",
        "null",
        "caf\u{e9}",
        "cafe\u{301}",
        "\u{212b}",
        "\u{c5}",
        "stra\u{df}e",
        "strasse",
        "日本語",
        "👩‍👩‍👧",
        "👩",
        "\u{202e}abc",
        "\u{feff}",
        "\u{fffd}",
    ];
    let api = Api::new();
    for (number, value) in values.iter().enumerate() {
        let attributes = [("email", *value), ("name", value), ("phone_number", value), ("custom:value", value)];
        api.pool.add_user(&format!("user-{number:02}"), "Correct-1", &[], &attributes);
    }
    for (number, value) in values.iter().enumerate() {
        let owner = [format!("user-{number:02}")];
        let value = encoded(value);
        for query in [
            format!("email={value}"),
            format!("name={value}"),
            format!("phone_number={value}"),
            format!("custom_attribute=value={value}"),
            // The API compares the value; Cognito does not.
            format!("username={}&email_prefix={value}", owner[0]),
            format!("username={}&name={value}", owner[0]),
        ] {
            assert_eq!(search(&api, &query).await, owner, "{query}");
        }
        let with_prefix: Vec<_> = (values.iter().enumerate())
            .filter(|(_, other)| other.starts_with(values[number]))
            .map(|(other, _)| format!("user-{other:02}"))
            .collect();
        assert_eq!(search(&api, &format!("email_prefix={value}")).await, with_prefix, "{value}");
    }
}

#[tokio::test]
async fn any_user_name_finds_exactly_its_user() {
    let names = [
        "a\"b",
        "a\\b",
        "a\\",
        "\"",
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
    let api = Api::new();
    for name in names {
        api.pool.add_user(name, "Correct-1", &[], &[]);
    }
    for name in names {
        assert_eq!(search(&api, &format!("username={}", encoded(name))).await, [name]);
    }
}

#[tokio::test]
async fn a_cursor_requires_its_own_parameters_and_takes_any_limit() {
    let api = with_two_users();
    let query = "enabled=true&created_after=1960-01-01T00:00:00Z".to_owned();
    let first = get(&api, &format!("{query}&limit=2")).await;
    let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
    for (others, is_accepted) in [
        (query.clone(), true),
        // The same timestamp with another UTC offset.
        ("enabled=true&created_after=1960-01-01T02:00:00%2B02:00".to_owned(), true),
        (String::new(), false),
        ("enabled=true".to_owned(), false),
        ("enabled=false&created_after=1960-01-01T00:00:00Z".to_owned(), false),
        ("enabled=true&created_before=1960-01-01T00:00:00Z".to_owned(), false),
        ("enabled=true&created_after=1960-01-01T00:00:01Z".to_owned(), false),
        (format!("{query}&group=one"), false),
        (format!("{query}&custom_attribute=a="), false),
    ] {
        let answer = get(&api, &format!("{others}&limit=60&cursor={cursor}")).await;
        if is_accepted {
            assert_eq!(names(&answer.body), ["mia", "ray", "root", "vic"], "{others}");
        } else {
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!("cursor")), "{others}");
        }
    }
}

#[tokio::test]
async fn rejects_a_cursor_with_an_expired_pagination_token() {
    let api = Api::new();
    let first = get(&api, "limit=1").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    api.pool.fail("list", 1, Reason::InvalidRequest);
    let answer = get(&api, &format!("limit=1&cursor={cursor}")).await;
    assert_eq!((answer.status, &answer.body["field"]), (400, &json!("cursor")));
}

#[tokio::test]
async fn invalid_parameters_are_rejected_with_the_field() {
    let too_long = |field: &str, chars| format!("{field}={}", "x".repeat(chars));
    let mut table = vec![
        ("status=".to_owned(), "status"),
        ("status=confirmed".to_owned(), "status"),
        ("status=NEW_ONE".to_owned(), "status"),
        ("enabled=".to_owned(), "enabled"),
        ("enabled=1".to_owned(), "enabled"),
        ("enabled=True".to_owned(), "enabled"),
        ("enabled=on".to_owned(), "enabled"),
        ("group=".to_owned(), "group"),
        ("group=two%20words".to_owned(), "group"),
        (too_long("group", 129), "group"),
        ("custom_attribute=".to_owned(), "custom_attribute"),
        ("custom_attribute=team".to_owned(), "custom_attribute"),
        ("custom_attribute==blue".to_owned(), "custom_attribute"),
        ("custom_attribute=custom:=blue".to_owned(), "custom_attribute"),
        ("custom_attribute=two%20words=blue".to_owned(), "custom_attribute"),
        ("custom_attribute=poolkeeper_created=1".to_owned(), "custom_attribute"),
        ("custom_attribute=a=b&custom_attribute=a".to_owned(), "custom_attribute"),
        (format!("custom_attribute={}=", "x".repeat(21)), "custom_attribute"),
        (too_long("custom_attribute=a", 2049), "custom_attribute"),
        ("created_after=".to_owned(), "created_after"),
        ("created_after=2026-01-31".to_owned(), "created_after"),
        ("created_after=2026-01-31T12:00:00".to_owned(), "created_after"),
        ("created_after=2026-01-31T12:00:00+02:00".to_owned(), "created_after"),
        ("created_before=yesterday".to_owned(), "created_before"),
        ("created_before=1769860800".to_owned(), "created_before"),
    ];
    for (field, max_chars) in
        [("username", 128), ("email", 2048), ("email_prefix", 2048), ("phone_number", 2048), ("name", 2048)]
    {
        table.push((format!("{field}="), field));
        table.push((too_long(field, max_chars + 1), field));
    }
    table.push(("username=two%20words".to_owned(), "username"));
    let api = Api::new();
    for (query, field) in table {
        let answer = get(&api, &query).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{query}");
        assert_eq!(answer.body["field"], field, "{query}");
    }
    let calls: BTreeSet<_> = api.pool.calls().into_iter().collect();
    assert!(!calls.contains("list") && !calls.contains("members"), "{calls:?}");
}

#[tokio::test]
async fn accepts_values_of_the_maximum_length() {
    for query in [
        format!("username={}", encoded(&"\"".repeat(128))),
        format!("name={}", encoded(&"\u{fc}".repeat(2048))),
        format!("email={}", encoded(&"\\".repeat(2048))),
        format!("email_prefix={}", "x".repeat(2048)),
        format!("custom_attribute=custom:{}={}", "x".repeat(20), "y".repeat(2048)),
        "created_after=0000-01-01T00:00:00Z&created_before=9999-12-31T23:59:59-23:59".to_owned(),
    ] {
        let answer = get(&Api::new(), &query).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_unknown_group_is_not_found_and_an_empty_group_has_no_users() {
    let api = Api::new();
    api.pool.add_group("empty");
    assert!(search(&api, "group=empty").await.is_empty());
    let answer = get(&api, "group=no-such-group").await;
    assert_eq!((answer.status, answer.code()), (404, "group-not-found"));
}

#[tokio::test]
async fn a_failed_page_fails_the_request_except_later_throttling() {
    for (nth, reason, status, code) in [
        (1, Reason::Throttled, 429, "throttled"),
        // The response contains the users of earlier pages.
        (2, Reason::Throttled, 200, ""),
        (2, Reason::Unavailable, 502, "upstream-unavailable"),
        (2, Reason::DeadlineExceeded, 504, "deadline-exceeded"),
    ] {
        let api = Api::new();
        api.pool.list_in_pages_of(2);
        api.pool.fail("list", nth, reason);
        let answer = get(&api, "enabled=true").await;
        assert_eq!((answer.status, answer.code()), (status, code), "{nth}");
    }
}
