//! Calls the routes that the demo omits, so that the recording contains every operation of the API.
//!
//! The request is also recorded if the emulator lacks the operation. `make test` checks it against AWS's data.

use domain::secret::Secret;
use local::deployment::{Deployment, FIRST_ADMIN};
use reqwest::Method;
use serde_json::{Value, json};

/// A user and a group that the demo created.
const USER: &str = "/v1/users/lou";
const GROUP: &str = "support";

const SESSION: &str = "a-session-that-is-not-known";

pub(crate) async fn that_the_demo_omits(deployment: &Deployment) {
    let api = &deployment.api;
    let sign_in = json!({"username": FIRST_ADMIN, "password": "First-Admin-1!"});
    let tokens = api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    let token = Secret::new(tokens["tokens"]["access_token"].as_str().unwrap());
    for (method, path, body, status) in admin_calls().into_iter().chain(auth_calls(&tokens["tokens"])) {
        let answer = api.call(method, &path, Some(&token), body.as_ref()).await.unwrap();
        if let Some(status) = status {
            answer.expect(status).unwrap();
        }
    }
}

/// A user changes the password and deletes the account.
pub(crate) async fn own_account(deployment: &Deployment) {
    const NAME: &str = "own";
    let api = &deployment.api;
    let [admin_password, first, second] = ["First-Admin-1!", "Correct-Horse-1", "Correct-Horse-2"];
    let sign_in = async |name: &str, password: &str| -> Secret {
        let credentials = json!({"username": name, "password": password});
        let tokens = api.auth("sign-in", &credentials).await.unwrap().expect(200).unwrap();
        Secret::new(tokens["tokens"]["access_token"].as_str().unwrap())
    };
    let admin = sign_in(FIRST_ADMIN, admin_password).await;
    let new = json!({"username": NAME, "password": first, "permanent": true});
    api.post("/v1/users", &admin, &new).await.unwrap().expect(201).unwrap();
    let token = sign_in(NAME, first).await;
    for (current, status) in [(second, 401), (first, 204)] {
        let change = json!({"current_password": current, "new_password": second});
        api.put("/v1/auth/me/password", &token, &change).await.unwrap().expect(status).unwrap();
    }
    api.delete("/v1/auth/me", &token).await.unwrap().expect_refusal(401, "invalid-credentials").unwrap();
    let token = sign_in(NAME, second).await;
    api.delete("/v1/auth/me", &token).await.unwrap().expect(204).unwrap();
    let deleted = api.get(&format!("/v1/users/{NAME}"), &admin).await.unwrap();
    deleted.expect_refusal(404, "user-not-found").unwrap();
}

/// The last field is the expected status, if the emulator has the operation and the user's state allows it.
type Call = (Method, String, Option<Value>, Option<u16>);

fn admin_calls() -> Vec<Call> {
    let group = format!("/v1/groups/{GROUP}");
    let change = json!({"description": "Answers questions", "precedence": 2});
    let device = "us-east-1_11111111-1111-4111-8111-111111111111";
    vec![
        // The cursor of the first of two pages is sealed with the secret of the backend client.
        (Method::GET, "/v1/users?limit=1".to_owned(), None, Some(200)),
        (Method::GET, "/v1/groups".to_owned(), None, Some(200)),
        (Method::GET, group.clone(), None, Some(200)),
        (Method::PATCH, group.clone(), Some(change), None),
        (Method::DELETE, format!("{USER}/groups/{GROUP}"), None, Some(204)),
        (Method::PATCH, USER.to_owned(), Some(json!({"attributes": {"name": "Lou", "nickname": null}})), None),
        (Method::PUT, format!("{USER}/mfa"), Some(json!({"enabled": ["SOFTWARE_TOKEN_MFA"]})), Some(200)),
        (Method::GET, format!("{USER}/devices"), None, None),
        (Method::DELETE, format!("{USER}/devices/{device}"), None, None),
        (Method::GET, format!("{USER}/auth-events"), None, None),
        (
            Method::PUT,
            format!("{USER}/identities/Google"),
            Some(json!({"user_id": "113489712349817234987"})),
            Some(200),
        ),
        (Method::DELETE, group, None, Some(204)),
    ]
}

fn auth_calls(tokens: &Value) -> Vec<Call> {
    let challenge = json!({"challenge": "MFA_SETUP", "username": "lou", "session": SESSION});
    let mut proof = challenge.clone();
    proof["code"] = json!("123456");
    proof["device_name"] = json!("Lou's phone");
    let calls = [
        ("forgot-password", Some(json!({"username": "lou"})), Some(200)),
        ("resend-code", Some(json!({"username": "lou"})), Some(200)),
        ("challenge", Some(challenge), None),
        ("challenge", Some(proof), None),
        ("attributes/email/code", None, None),
        ("attributes/email/verify", Some(json!({"code": "123456"})), None),
        ("sign-out", Some(json!({"refresh_token": tokens["refresh_token"]})), Some(200)),
    ];
    calls.map(|(route, body, status)| (Method::POST, format!("/v1/auth/{route}"), body, status)).into()
}
