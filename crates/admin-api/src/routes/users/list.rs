//! `GET /v1/users?limit=&cursor=`: page by page.

use axum::Json;
use axum::extract::{Query, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::directory::PageRequest;
use serde::Serialize;

use super::UserView;
use crate::app::App;
use crate::error::ApiError;

/// The most that Cognito gives in one page, and what it is without a limit.
const MAX_LIMIT: u8 = 60;

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    users: Vec<UserView>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

pub(super) async fn handle(
    State(app): State<App>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Answer>, ApiError> {
    let page = app.directory.list(&page_request(&parameters)?).await?;
    let users = page.users.into_iter().map(UserView::from).collect();
    Ok(Json(Answer { users, next_cursor: page.next.map(|next| URL_SAFE_NO_PAD.encode(next)) }))
}

fn page_request(parameters: &[(String, String)]) -> Result<PageRequest, ApiError> {
    let mut limit = None;
    let mut after = None;
    for (name, value) in parameters {
        let is_repeated = match name.as_str() {
            "limit" => limit.replace(read_limit(value)?).is_some(),
            "cursor" => after.replace(read_cursor(value)?).is_some(),
            unknown => {
                return Err(ApiError::invalid(unknown, "There is no such parameter; expected `limit` or `cursor`."));
            }
        };
        if is_repeated {
            return Err(ApiError::invalid(name, "The parameter is there twice."));
        }
    }
    Ok(PageRequest { limit: limit.unwrap_or(MAX_LIMIT), after })
}

fn read_limit(text: &str) -> Result<u8, ApiError> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| ApiError::invalid("limit", format!("Expected a number from 1 to {MAX_LIMIT}.")))
}

/// The user pool's own token, which holds characters that mean something in a URL.
fn read_cursor(text: &str) -> Result<String, ApiError> {
    let token = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| ApiError::invalid("cursor", "Expected the `next_cursor` of the page before."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Api, Call, token};

    fn names(body: &Value) -> Vec<&str> {
        body["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn everybody_is_on_exactly_one_page() {
        let api = Api::new();
        let mut path = "/v1/users?limit=3".to_owned();
        let mut seen = Vec::new();
        loop {
            let answer = api.call(Call::get(&path)).await;
            assert_eq!(answer.status, 200);
            let page = names(&answer.body);
            assert!(page.len() <= 3);
            seen.extend(page.into_iter().map(str::to_owned));
            let Some(cursor) = answer.body["next_cursor"].as_str() else { break };
            path = format!("/v1/users?limit=3&cursor={cursor}");
        }
        assert_eq!(seen, ["cleo", "mia", "ray", "root", "vic"]);
    }

    #[tokio::test]
    async fn without_a_limit_a_page_is_as_long_as_it_can_be() {
        let api = Api::new();
        for number in 0..70 {
            api.pool.add_user(&format!("user-{number:02}"), "Correct-1", &[], &[]);
        }
        let answer = api.call(Call::get("/v1/users").by(token("ray", "[readers]"))).await;
        assert_eq!(names(&answer.body).len(), 60);
        assert!(answer.body["next_cursor"].is_string());
    }

    #[tokio::test]
    async fn wrong_parameters_are_named() {
        let table = [
            ("limit=0", "limit"),
            ("limit=61", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=***", "cursor"),
            ("filter=email", "filter"),
        ];
        let api = Api::new();
        for (query, field) in table {
            let answer = api.call(Call::get(&format!("/v1/users?{query}"))).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{query}");
            assert_eq!(answer.body["field"], field, "{query}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_cursor_that_the_user_pool_did_not_give_is_refused() {
        let answer = Api::new().call(Call::get("/v1/users?cursor=Zm9yZ2Vk")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
    }

    #[tokio::test]
    async fn who_may_not_read_gets_no_list() {
        let answer = Api::new().call(Call::get("/v1/users").by(token("vic", "[visitors]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(answer.body["users"], json!(null));
    }
}
