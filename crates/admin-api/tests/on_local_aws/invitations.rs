//! Inviting on a service that reads filters itself: who holds an address is found, and nobody else is in the way.

use serde_json::json;

use crate::world::{Api, World};

/// An address as a user has it, and as somebody types it who invites.
const HELD: [(&str, &str); 7] = [
    ("ann@example.com", "ann@example.com"),
    ("bob@example.com", "Bob@EXAMPLE.com"),
    ("cid@b\u{fc}cher.example", "cid@xn--bcher-kva.example"),
    ("dan@xn--bcher-kva.example", "dan@b\u{fc}cher.example"),
    ("o'eve+1=2%22&x@example.com", "o'eve+1=2%22&x@example.com"),
    ("\"fay@home\"@example.com", "\"fay@home\"@example.com"),
    ("g\\us@example.com", "G\\us@example.com"),
];

async fn create(api: &Api, username: &str, email: &str, is_verified: bool) {
    let attributes = json!({"email": email, "email_verified": is_verified.to_string()});
    let body = json!({"username": username, "attributes": attributes, "invitation": "suppress"});
    let answer = api.call("POST", "/v1/users", Some(&body)).await;
    assert_eq!(answer.status, 201, "{username}: {answer:?}");
}

#[tokio::test]
async fn who_holds_an_address_is_found_in_whatever_spelling_and_only_once_it_is_verified() {
    let world = World::start().await;
    let api = world.api().await;
    let invite = async |email: &str| api.call("POST", "/v1/invitations", Some(&json!({"email": email}))).await;
    for (number, (held, typed)) in HELD.into_iter().enumerate() {
        let username = format!("user-{number}");
        create(&api, &username, held, false).await;
        let answer = invite(typed).await;
        assert_eq!((answer.status, answer.headers["cache-control"].as_str()), (201, Some("no-store")), "{answer:?}");

        let verified = json!({"attributes": {"email_verified": "true"}});
        assert_eq!(api.call("PATCH", &format!("/v1/users/{username}"), Some(&verified)).await.status, 204);
        let answer = invite(typed).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"), "{typed}: {answer:?}");
    }
    for email in ["an@example.com", "ann@example.co", "ann@example.com.org", "ann+1@example.com", "zoe@example.com"] {
        assert_eq!(invite(email).await.status, 201, "{email}");
    }
}
