//! Paged lists: reads `limit` and `cursor`, and creates the next cursor.

use domain::user_pool::page::PageRequest;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::http::cursor::Cursors;
use crate::http::error::ApiError;

/// The maximum page size of Cognito, and the default.
const MAX_LIMIT: u8 = 60;

/// A cursor for the OpenAPI document's examples: well-formed, with an invalid HMAC.
pub(crate) const EXAMPLE_CURSOR: &str = "UNhY4JhezH9gQYqvDMWrWH9CwlcKiECVqejMrND2VFwiQ0FJU2xBSUlBUkxzQVFnRCI";

/// The parameters of a paged list without conditions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// The maximum number of results.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 60)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page size.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(pub(crate) u8);

impl Default for Limit {
    fn default() -> Self {
        Self(MAX_LIMIT)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // `u8::from_str` accepts a plus sign.
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'));
        limit.map(Self).ok_or_else(|| format!("must be a number between 1 and {MAX_LIMIT}"))
    }
}

/// The position of the next page. Cognito's token requires the same limit, so the limit of the first page is kept.
#[derive(Serialize, Deserialize)]
struct Position {
    page: String,
    limit: u8,
}

/// Returns the requested page. `list` identifies the list by its path, including the values of path parameters.
///
/// # Errors
/// Rejects a cursor of another list.
pub(crate) async fn page_request(
    cursors: &Cursors,
    list: &str,
    parameters: PageParameters,
) -> Result<PageRequest, ApiError> {
    let Some(cursor) = parameters.cursor else { return Ok(PageRequest { limit: parameters.limit.0, after: None }) };
    let Position { page, limit } = cursors.open(list, &cursor).await?;
    Ok(PageRequest { limit, after: Some(page) })
}

/// Returns the cursor to the page that begins at `next`; `None` if there is no such page.
pub(crate) async fn next_cursor(
    cursors: &Cursors,
    list: &str,
    request: &PageRequest,
    next: Option<String>,
) -> Result<Option<String>, ApiError> {
    match next {
        Some(page) => cursors.seal(list, &Position { page, limit: request.limit }).await.map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use domain::jobs::keys;
    use domain::user_pool::error::Reason;
    use serde_json::Value;
    use testkit::in_memory_jobs::{RUNNING_JOB, SUCCEEDED_JOB};

    use crate::testing::pages::walk;
    use crate::testing::{Api, Call, token};

    /// The path, the call to the user pool if there is one, the field with the entries, the field that identifies an
    /// entry, and the values of that field in order.
    type List = (&'static str, Option<&'static str>, &'static str, &'static str, &'static [&'static str]);

    /// Each paged list, with entries in [`api`].
    const LISTS: [List; 7] = [
        ("/v1/users", Some("list"), "users", "username", &["abe", "cleo", "eve", "mia", "ray", "root", "vic", "zoe"]),
        ("/v1/groups", Some("list_groups"), "groups", "name", &["admins", "creators", "readers", "visitors"]),
        ("/v1/groups/readers/users", Some("members"), "users", "username", &["abe", "eve", "ray", "zoe"]),
        (
            "/v1/users/mia/devices",
            Some("devices"),
            "devices",
            "key",
            &["eu-central-1_0", "eu-central-1_1", "eu-central-1_2"],
        ),
        ("/v1/jobs", None, "jobs", "id", &[RUNNING_JOB, SUCCEEDED_JOB, THIRD_JOB]),
        (
            "/v1/jobs/import-50d858e0985ecc7f60418aaf0cc5ab58/results",
            None,
            "results",
            "url",
            &[
                "https://jobs.example/jobs/import-50d858e0985ecc7f60418aaf0cc5ab58/results/0000000001.jsonl?download",
                "https://jobs.example/jobs/import-50d858e0985ecc7f60418aaf0cc5ab58/results/0000000101.jsonl?download",
                "https://jobs.example/jobs/import-50d858e0985ecc7f60418aaf0cc5ab58/results/0000000201.jsonl?download",
            ],
        ),
        ("/v1/users/mia/auth-events", Some("auth_events"), "events", "id", &["mia-2", "mia-1", "mia-0"]),
    ];

    /// The same lists of another user or group, and of a search.
    const OTHERS: [&str; 5] = [
        "/v1/groups/visitors/users",
        "/v1/users/ray/devices",
        "/v1/users/ray/auth-events",
        "/v1/users?enabled=true",
        "/v1/jobs/import-a0d858e0985ecc7f60418aaf0cc5ab58/results",
    ];

    const THIRD_JOB: &str = "import-b0d858e0985ecc7f60418aaf0cc5ab58";

    fn api() -> Api {
        let api = Api::new();
        for name in ["abe", "eve", "zoe"] {
            api.pool.add_user(name, "Correct-1", &["readers", "visitors"], &[]);
        }
        for (username, number) in ["mia", "ray"].into_iter().flat_map(|name| (0..3).map(move |number| (name, number))) {
            api.pool.add_device(username, &format!("eu-central-1_{number}"));
            api.pool.add_auth_event(username, &format!("{username}-{number}"), "SignIn");
        }
        api.jobs.add(THIRD_JOB.parse().unwrap());
        for first_line in [1, 2] {
            api.jobs.put(&keys::result(&SUCCEEDED_JOB.parse().unwrap(), first_line), "{}");
        }
        api
    }

    #[test]
    fn the_table_contains_every_list_with_a_cursor() {
        let document = crate::openapi::value();
        let parameters = |item: &Value| item["get"]["parameters"].to_string();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.values().filter(|item| parameters(item).contains(r#""cursor""#)).count(), LISTS.len());
    }

    #[tokio::test]
    async fn every_entry_is_on_exactly_one_page() {
        for (path, _, entries, id, expected) in LISTS {
            let found = walk(&api(), path, entries).await;
            assert_eq!(found.iter().map(|entry| &entry[id]).collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_cursor_is_valid_for_its_own_list_only() {
        let api = api();
        let call = async |path: &str, parameter: &str| {
            let separator = if path.contains('?') { '&' } else { '?' };
            api.call(Call::get(&format!("{path}{separator}{parameter}"))).await
        };
        let paths: Vec<_> = LISTS.into_iter().map(|(path, ..)| path).chain(OTHERS).collect();
        for own in &paths {
            let first = call(own, "limit=1").await;
            let cursor = format!("cursor={}", first.body["next_cursor"].as_str().unwrap());
            for path in &paths {
                let answer = call(path, &cursor).await;
                let expected = if path == own { (200, None) } else { (400, Some("cursor")) };
                assert_eq!((answer.status, answer.body["field"].as_str()), expected, "{own}: {path}");
            }
        }
    }

    #[tokio::test]
    async fn rejects_invalid_parameters_after_authorization() {
        for (path, operation, ..) in LISTS {
            let api = api();
            for (query, field) in [
                ("limit=0", "limit"),
                ("limit=61", "limit"),
                ("limit=-1", "limit"),
                ("limit=%2B1", "limit"),
                ("limit=ten", "limit"),
                ("limit=", "limit"),
                ("limit=1&limit=1", "limit"),
                ("cursor=", "cursor"),
                ("cursor=***", "cursor"),
                ("cursor=a&cursor=a", "cursor"),
                ("Limit=1", "Limit"),
                ("filter=email", "filter"),
            ] {
                let call = Call::get(&format!("{path}?{query}"));
                let answer = api.call(call.clone()).await;
                assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{call}");
                assert_eq!(answer.body["field"], field, "{call}");
                let answer = api.call(call.by(token("vic", "[visitors]"))).await;
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}?{query}");
            }
            let is_called = operation.is_some_and(|operation| api.pool.calls().contains(&operation));
            assert!(!is_called && api.jobs.calls() == 0, "{path}");
        }
    }

    #[tokio::test]
    async fn throttled_lists_set_retry_after() {
        for (path, operation, ..) in LISTS {
            let Some(operation) = operation else { continue };
            let api = api();
            api.pool.fail(operation, 1, Reason::Throttled);
            let answer = api.call(Call::get(path)).await;
            assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{path}");
        }
    }
}
