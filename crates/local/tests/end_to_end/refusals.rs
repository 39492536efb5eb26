//! Requests that must not get through.

use domain::secret::Secret;
use local::deployment::{FIRST_ADMIN, Scene};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "Correct-Horse-1";

/// No token, rubbish for one, the wrong kind of one, and one of somebody in no group.
pub(crate) async fn without_a_right_token(scene: &Scene) {
    let api = &scene.api;
    api.call(Method::GET, "/v1/users", None, None).await.unwrap().expect(401).unwrap();
    api.get("/v1/users", &Secret::new("rubbish")).await.unwrap().expect(401).unwrap();

    // `ann` of the demo is in no group.
    let tokens = sign_in(scene, "ann").await;
    let secret = |name: &str| Secret::new(tokens[name].as_str().unwrap());
    api.get("/v1/users", &secret("id_token")).await.unwrap().expect_refusal(401, "unauthenticated").unwrap();
    let outsider = secret("access_token");
    for path in ["/v1/users", "/v1/users/ann", "/v1/users/nobody"] {
        api.get(path, &outsider).await.unwrap().expect_refusal(403, "forbidden").unwrap();
    }
    let new_user = json!({"username": "eve", "password": {"value": PASSWORD, "permanent": true}});
    api.post("/v1/users", &outsider, &new_user).await.unwrap().expect_refusal(403, "forbidden").unwrap();
    api.delete("/v1/users/mia", &outsider).await.unwrap().expect_refusal(403, "forbidden").unwrap();
}

/// The backend client has a secret: Cognito takes nothing from it without the right hash, and our API makes the hash of the name
/// that it is told.
pub(crate) async fn with_a_wrong_secret_hash(scene: &Scene) {
    let client = scene.stack.output("BackendClientId").unwrap();
    for hash in [None, Some("d3Jvbmc=")] {
        let mut sign_up = json!({"ClientId": client, "Username": "eve", "Password": PASSWORD});
        if let Some(hash) = hash {
            sign_up["SecretHash"] = json!(hash);
        }
        let answer = scene.aws.call_cognito("SignUp", &sign_up).await.unwrap();
        assert_eq!((answer.status, answer.error()), (400, "NotAuthorizedException"), "{hash:?}");
    }

    let tokens = sign_in(scene, "ann").await;
    let refresh = json!({"username": "kim", "refresh_token": tokens["refresh_token"]});
    scene.api.auth("refresh", &refresh).await.unwrap().expect_refusal(401, "invalid-credentials").unwrap();
}

/// What `make dev` says about ministack. If one of these succeeds, ministack has learned the operation.
pub(crate) async fn where_the_emulator_lacks_the_operation(scene: &Scene) {
    let of = async |username, password| {
        let tokens = sign_in_with(scene, username, password).await;
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
        let answer = scene.api.call(method, path, Some(token), body.as_ref()).await.unwrap();
        assert_eq!(answer.summary(), "501 not-supported-by-endpoint", "{path}");
    }
}

async fn sign_in(scene: &Scene, username: &str) -> Value {
    sign_in_with(scene, username, PASSWORD).await
}

async fn sign_in_with(scene: &Scene, username: &str, password: &str) -> Value {
    let body = json!({"username": username, "password": password});
    scene.api.auth("sign-in", &body).await.unwrap().expect(200).unwrap()["tokens"].clone()
}
