//! Requests that must be rejected.

use domain::secret::Secret;
use local::deployment::{Deployment, FIRST_ADMIN};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "Correct-Horse-1";

/// Requests without a token, with an invalid one, with an ID token, and with the token of a user without groups.
pub(crate) async fn without_a_valid_token(deployment: &Deployment) {
    let api = &deployment.api;
    api.call(Method::GET, "/v1/users", None, None).await.unwrap().expect(401).unwrap();
    api.get("/v1/users", &Secret::new("rubbish")).await.unwrap().expect(401).unwrap();

    // `ann` of the demo is in no group.
    let tokens = sign_in(deployment, "ann").await;
    let secret = |name: &str| Secret::new(tokens[name].as_str().unwrap());
    api.get("/v1/users", &secret("id_token")).await.unwrap().expect_refusal(401, "unauthenticated").unwrap();
    let outsider = secret("access_token");
    for path in ["/v1/users", "/v1/users/ann", "/v1/users/nobody"] {
        api.get(path, &outsider).await.unwrap().expect_refusal(403, "forbidden").unwrap();
    }
    let new_user = json!({"username": "eve", "password": PASSWORD, "permanent": true});
    api.post("/v1/users", &outsider, &new_user).await.unwrap().expect_refusal(403, "forbidden").unwrap();
    api.delete("/v1/users/mia", &outsider).await.unwrap().expect_refusal(403, "forbidden").unwrap();
}

/// Cognito rejects calls of the backend client without the right secret hash. The API computes the hash from the
/// requested user name.
pub(crate) async fn with_a_wrong_secret_hash(deployment: &Deployment) {
    let client = deployment.stack.output("BackendClientId").unwrap();
    for hash in [None, Some("d3Jvbmc=")] {
        let mut sign_up = json!({"ClientId": client, "Username": "eve", "Password": PASSWORD});
        if let Some(hash) = hash {
            sign_up["SecretHash"] = json!(hash);
        }
        let answer = deployment.aws.call_cognito("SignUp", &sign_up).await.unwrap();
        assert_eq!((answer.status, answer.error()), (400, "NotAuthorizedException"), "{hash:?}");
    }

    let tokens = sign_in(deployment, "ann").await;
    let refresh = json!({"username": "kim", "refresh_token": tokens["refresh_token"]});
    deployment.api.auth("refresh", &refresh).await.unwrap().expect_refusal(401, "invalid-credentials").unwrap();
}

/// The limits of ministack that `make dev` prints. If a call succeeds, ministack supports the operation now.
pub(crate) async fn where_the_emulator_lacks_the_operation(deployment: &Deployment) {
    let of = async |username, password| {
        let tokens = sign_in_with(deployment, username, password).await;
        Secret::new(tokens["access_token"].as_str().unwrap())
    };
    let (admin, own) = (of(FIRST_ADMIN, "First-Admin-1!").await, of("ann", PASSWORD).await);
    for (method, path, token, body) in [
        (Method::PATCH, "/v1/groups/admins", &admin, Some(json!({"description": "x"}))),
        (Method::PATCH, "/v1/users/ann", &admin, Some(json!({"attributes": {"nickname": null}}))),
        (Method::GET, "/v1/users/ann/devices", &admin, None),
        (Method::DELETE, "/v1/users/ann/devices/us-east-1_11111111-1111-4111-8111-111111111111", &admin, None),
        (Method::POST, "/v1/auth/attributes/email/code", &own, None),
        (Method::POST, "/v1/auth/attributes/email/verify", &own, Some(json!({"code": "123456"}))),
    ] {
        let answer = deployment.api.call(method, path, Some(token), body.as_ref()).await.unwrap();
        assert_eq!(answer.summary(), "501 not-supported-by-endpoint", "{path}");
    }
}

async fn sign_in(deployment: &Deployment, username: &str) -> Value {
    sign_in_with(deployment, username, PASSWORD).await
}

async fn sign_in_with(deployment: &Deployment, username: &str, password: &str) -> Value {
    let body = json!({"username": username, "password": password});
    deployment.api.auth("sign-in", &body).await.unwrap().expect(200).unwrap()["tokens"].clone()
}
