//! `GET /v1/users?limit=&cursor=`: page by page.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::UserView;
use crate::app::App;
use crate::error::ApiError;
use crate::pages::{next_cursor, page_request};
use crate::parameters::Parameters;

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users)]
pub(super) struct Answer {
    users: Vec<UserView>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

const LIST: &str = "users";

/// List users
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users",
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 60, description = "At most so many."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of users.", body = Answer)),
)]
pub(super) async fn handle(State(app): State<App>, parameters: Parameters) -> Result<Json<Answer>, ApiError> {
    let request = page_request(&app.cursors, LIST, parameters).await?;
    let page = app.pool.list(None, &request).await?;
    let next_cursor = next_cursor(&app.cursors, LIST, page.next).await?;
    Ok(Json(Answer { users: app.views(page.entries).await, next_cursor }))
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
