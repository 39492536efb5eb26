//! The router with the middleware of all routes.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::Response;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent};
use tower::util::MapRequest;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::json::MAX_BODY_BYTES;
use crate::http::{gateway, problem};
use crate::routes;
use crate::settings::Served;

/// The service for requests from API Gateway.
pub type Service = MapRequest<Router, fn(lambda_http::Request) -> lambda_http::Request>;

/// Creates the service for these routes of the app.
#[must_use]
pub fn service(app: App, served: Served) -> Service {
    let router = routes::of(served)
        .into_iter()
        .fold(Router::new(), |router, route| router.route(&route.path.clone(), route.guarded(&app)))
        .fallback(|| async { ApiError::RouteNotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer((from_fn(problem::render), DefaultBodyLimit::max(MAX_BODY_BYTES)))
        .with_state(app);
    MapRequest::new(router, gateway::restore_request)
}

/// The Lambda handler.
pub type Lambda =
    MapRequest<Adapter<'static, Response, Service>, fn(LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest>>;

/// Creates the handler for Lambda events.
#[must_use]
pub fn lambda(service: Service) -> Lambda {
    MapRequest::new(Adapter::from(service), gateway::normalize_event)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::http::json::MAX_BODY_BYTES;
    use crate::settings::Served;
    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn serves_configured_routes_only() {
        let table = [
            (Served::Admin, "/v1/users", 200),
            (Served::Admin, "/v1/me", 200),
            (Served::Admin, "/v1/auth/sign-in", 404),
            (Served::Auth, "/v1/users", 404),
            (Served::Auth, "/v1/me", 404),
            (Served::Auth, "/v1/auth/sign-in", 405),
            (Served::All, "/v1/auth/sign-in", 405),
            (Served::All, "/", 404),
            (Served::All, "/v1/users/", 404),
            (Served::All, "/v1/users/mia/nothing", 404),
            (Served::All, "/V1/users", 404),
        ];
        for (served, path, status) in table {
            let answer = Api::serving(served).call(Call::get(path)).await;
            assert_eq!(answer.status, status, "{served:?} {path}");
            let code = match status {
                404 => "not-found",
                405 => "method-not-allowed",
                _ => "",
            };
            assert_eq!(answer.code(), code, "{served:?} {path}");
        }
    }

    #[tokio::test]
    async fn names_allowed_methods() {
        let answer = Api::new().call(Call::put("/v1/users/mia", &json!({}))).await;
        assert_eq!((answer.status, answer.code()), (405, "method-not-allowed"));
        let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PATCH"]);
    }

    #[tokio::test]
    async fn rejects_body_without_json_content_type() {
        let body = json!({"username": "new"});
        for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
            let api = Api::new();
            let answer = api.call(Call::post("/v1/users", Some(&body)).content_type(content_type)).await;
            assert_eq!((answer.status, answer.code()), (415, "unsupported-media-type"), "{content_type:?}");
            assert_eq!(api.pool.user("new"), None);
        }
    }

    #[tokio::test]
    async fn accepts_body_up_to_its_maximum_size() {
        let of_size = |bytes: usize| {
            let empty = json!({"username": "new", "attributes": {"name": ""}}).to_string();
            json!({"username": "new", "attributes": {"name": "x".repeat(bytes - empty.len())}})
        };
        let fits = Api::new().call(Call::post("/v1/users", Some(&of_size(MAX_BODY_BYTES)))).await;
        assert_eq!((fits.status, &fits.body["field"]), (400, &json!("attributes.name")));
        let too_large = Api::new().call(Call::post("/v1/users", Some(&of_size(MAX_BODY_BYTES + 1)))).await;
        assert_eq!((too_large.status, too_large.code()), (413, "body-too-large"));
    }

    #[tokio::test]
    async fn rejects_missing_and_invalid_json() {
        for body in ["", "not json", "{", "{}{}"] {
            let call = Call::post("/v1/users", Some(&Value::Null)).raw_body(body.to_owned());
            let answer = Api::new().call(call).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
        }
    }
}
