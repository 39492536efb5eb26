//! An axum service whose routes require an access token of a user pool.
//!
//! ```console
//! $ ISSUER=https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi CLIENT_ID=1example23456789 \
//!     cargo run --package token-verifier --example axum
//! $ curl --header "Authorization: Bearer $ACCESS_TOKEN" http://127.0.0.1:3000/me
//! ```

#![expect(clippy::disallowed_methods, reason = "unlike the library, a program reads the clock and the environment")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use token_verifier::{Claims, KeyCache, KeySet, KeySource, Policy, Rejection, TokenUse, VerifyError};

/// Downloads the keys of a user pool.
struct Jwks {
    client: reqwest::Client,
    url: String,
}

impl KeySource for Jwks {
    type Error = std::io::Error;

    async fn keys(&self) -> Result<KeySet, std::io::Error> {
        let response = self.client.get(&self.url).send().await.and_then(reqwest::Response::error_for_status);
        let document = async { response?.bytes().await }.await.map_err(std::io::Error::other)?;
        KeySet::parse(&document).map_err(std::io::Error::other)
    }
}

/// What the middleware needs for each request.
struct Gate<S: KeySource> {
    policy: Policy,
    keys: KeyCache<S>,
}

/// Rejects requests without a valid token, and passes the claims to the handlers.
async fn require_token<S: KeySource>(State(gate): State<Arc<Gate<S>>>, mut request: Request, next: Next) -> Response {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let token = values.next().and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let (Some(token), None) = (token, values.next()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match gate.keys.verify(&gate.policy, token, SystemTime::now()).await {
        Ok(claims) => {
            request.extensions_mut().insert(claims);
            next.run(request).await
        }
        Err(VerifyError::Rejected(Rejection::Scope | Rejection::Group)) => StatusCode::FORBIDDEN.into_response(),
        Err(VerifyError::Rejected(_)) => StatusCode::UNAUTHORIZED.into_response(),
        // The keys could not be downloaded, so the token can be valid.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn me(Extension(claims): Extension<Claims>) -> String {
    claims.username.unwrap_or(claims.sub)
}

fn router<S: KeySource>(gate: Gate<S>) -> Router {
    Router::new().route("/me", get(me)).route_layer(from_fn_with_state(Arc::new(gate), require_token::<S>))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::var("ISSUER")?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).build()?;
    let source = Jwks { client, url: format!("{issuer}/.well-known/jwks.json") };
    // Without this request, the first token would wait for the keys.
    let keys = source.keys().await?;
    let policy = Policy {
        issuer,
        clients: [std::env::var("CLIENT_ID")?].into(),
        token_uses: [TokenUse::Access].into(),
        ..Policy::default()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(Gate { policy, keys: KeyCache::new(source, keys) })).await?;
    Ok(())
}

#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests in tests/verification")]
#[path = "../tests/verification/pool.rs"]
mod pool;

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::{Value, json};
    use token_verifier::KeySetError;
    use tower::ServiceExt;

    use super::pool::{OTHER_POOL, POOL, access_claims, id_claims, policy, with};
    use super::*;

    struct Unreachable;

    impl KeySource for Unreachable {
        type Error = KeySetError;

        async fn keys(&self) -> Result<KeySet, KeySetError> {
            Err(KeySetError::Malformed)
        }
    }

    /// Sends a request with these `Authorization` headers.
    async fn status(headers: &[String]) -> StatusCode {
        let policy =
            Policy { token_uses: [TokenUse::Access].into(), groups: Some(["admins".to_owned()].into()), ..policy() };
        let router = router(Gate { policy, keys: KeyCache::new(Unreachable, POOL.keys()) });
        let request = headers.iter().fold(Request::get("/me"), |request, value| request.header("authorization", value));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    fn bearer(claims: Value) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let claims = with(with(claims, "iat", json!(now)), "exp", json!(now + 3600));
        format!("Bearer {}", POOL.token(&with(claims, "auth_time", json!(now))))
    }

    #[tokio::test]
    async fn accepts_access_tokens_only() {
        let valid = bearer(access_claims());
        let unknown_key = POOL.sign(&json!({"kid": "new", "alg": "RS256"}).to_string(), &access_claims().to_string());
        for (headers, expected) in [
            (vec![valid.clone()], StatusCode::OK),
            (vec![], StatusCode::UNAUTHORIZED),
            (vec![valid.clone(), valid.clone()], StatusCode::UNAUTHORIZED),
            (vec![valid.replace("Bearer ", "Basic ")], StatusCode::UNAUTHORIZED),
            (vec![bearer(id_claims())], StatusCode::UNAUTHORIZED),
            (vec![format!("Bearer {}", OTHER_POOL.token(&access_claims()))], StatusCode::UNAUTHORIZED),
            (vec![bearer(with(access_claims(), "cognito:groups", Value::Null))], StatusCode::FORBIDDEN),
            (vec![format!("Bearer {unknown_key}")], StatusCode::SERVICE_UNAVAILABLE),
        ] {
            assert_eq!(status(&headers).await, expected, "{headers:?}");
        }
    }
}
