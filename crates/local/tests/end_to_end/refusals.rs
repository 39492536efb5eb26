//! Requests that must not get through.

use domain::secret::Secret;
use local::scene::Scene;
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

async fn sign_in(scene: &Scene, username: &str) -> Value {
    let body = json!({"username": username, "password": PASSWORD});
    scene.api.auth("sign-in", &body).await.unwrap().expect(200).unwrap()["tokens"].clone()
}
