//! One round of calls of one client: users are created, changed, signed in and deleted, and requests are rejected.

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::load::Load;
use crate::deployment::DENIED_DOMAIN;

/// The password of all users of the load.
pub(super) const PASSWORD: &str = "Correct-Horse-1";

/// A round. Its users, one after the other, and its group have the same name, which no other round uses.
pub(super) struct Round<'a> {
    pub(super) load: &'a Load<'a>,
    /// An access token of an administrator.
    pub(super) admin: Secret,
    pub(super) name: String,
}

const USER: &str = "/v1/users/{name}";

impl Round<'_> {
    /// Runs until the first unexpected result.
    pub(super) async fn run(&self) {
        let done: Option<()> = async {
            // First, because a later revocation of the same second would deny the token.
            self.sign_in_and_out().await?;
            self.administer().await?;
            self.group().await?;
            self.delete().await?;
            self.sign_up().await
        }
        .await;
        if done.is_none() {
            self.delete_remaining().await;
        }
    }

    async fn admin(&self, method: Method, route: &str, body: Option<Value>, expected: &'static str) -> Option<Value> {
        self.load.api((method, route), &self.name, Some(&self.admin), body, expected).await
    }

    async fn auth(&self, route: &str, body: Value, expected: &'static str) -> Option<Value> {
        self.load.api((Method::POST, route), &self.name, None, Some(body), expected).await
    }

    fn address(&self) -> String {
        format!("{}@example.com", self.name)
    }

    fn new_user(&self) -> Value {
        json!({
            "username": self.name, "attributes": {"email": self.address()}, "password": PASSWORD, "permanent": true,
        })
    }

    async fn administer(&self) -> Option<()> {
        let new = self.new_user();
        for (method, route, body, expected) in [
            (Method::GET, USER, None, "404 user-not-found"),
            (Method::POST, "/v1/users", Some(new.clone()), "201"),
            (Method::POST, "/v1/users", Some(new), "409 user-exists"),
            (Method::GET, USER, None, "200"),
            (Method::GET, "/v1/users?email_prefix={name}", None, "200"),
            (Method::GET, "/v1/users?limit=1", None, "200"),
            (Method::PATCH, USER, Some(json!({"attributes": {"name": "Lou"}})), "204"),
            (Method::GET, "/v1/users/{name}/mfa", None, "200"),
            (Method::POST, "/v1/users/{name}/disable", None, "200"),
            (Method::POST, "/v1/users/{name}/enable", None, "200"),
            (Method::PUT, "/v1/users/{name}/password", Some(json!({"password": "weak"})), "422 invalid-password"),
            (Method::GET, "/v1/me", None, "200"),
            (Method::GET, "/v1/pool", None, "200"),
            (Method::POST, "/v1/invitations", Some(json!({"email": format!("new-{}", self.address())})), "201"),
        ] {
            self.admin(method, route, body, expected).await?;
        }
        Some(())
    }

    async fn group(&self) -> Option<()> {
        for (method, route, body, expected) in [
            (Method::PUT, "/v1/users/{name}/groups/{name}", None, "404 group-not-found"),
            (Method::POST, "/v1/groups", Some(json!({"name": self.name})), "201"),
            (Method::PUT, "/v1/users/{name}/groups/{name}", None, "204"),
            (Method::GET, "/v1/groups/{name}/users", None, "200"),
            (Method::GET, "/v1/users/{name}/groups", None, "200"),
            (Method::DELETE, "/v1/users/{name}/groups/{name}", None, "204"),
            (Method::DELETE, "/v1/groups/{name}", None, "204"),
        ] {
            self.admin(method, route, body, expected).await?;
        }
        Some(())
    }

    async fn sign_in_and_out(&self) -> Option<()> {
        self.admin(Method::POST, "/v1/users", Some(self.new_user()), "201").await?;
        let credentials = |password: &str| json!({"username": self.name, "password": password});
        self.auth("/v1/auth/sign-in", credentials("Wrong-Horse-1"), "401 invalid-credentials").await?;
        let answer = self.auth("/v1/auth/sign-in", credentials(PASSWORD), "200").await?;
        let token = |name: &str| answer["tokens"][name].as_str().unwrap_or_default();
        let access = Secret::new(token("access_token"));
        let get =
            async |route, token, expected| self.load.api((Method::GET, route), &self.name, token, None, expected).await;
        get("/v1/auth/me", Some(&access), "200").await?;
        get("/v1/users", Some(&access), "403 forbidden").await?;
        // API Gateway rejects the request itself, so the response has no error code.
        get("/v1/users", None, "401").await?;
        self.load.authorize(&self.name, &access, "authorized").await?;
        let refresh = json!({"username": self.name, "refresh_token": token("refresh_token")});
        self.auth("/v1/auth/refresh", refresh.clone(), "200").await?;
        let both = json!({"refresh_token": token("refresh_token"), "access_token": token("access_token")});
        self.auth("/v1/auth/sign-out", both, "200").await?;
        self.load.authorize(&self.name, &access, "denied").await?;
        self.auth("/v1/auth/refresh", refresh, "401 invalid-credentials").await?;
        self.admin(Method::POST, "/v1/users/{name}/sign-out", None, "200").await?;
        self.delete().await
    }

    /// Both ways to sign up reach the trigger.
    async fn sign_up(&self) -> Option<()> {
        let denied = format!("{}@{DENIED_DOMAIN}", self.name);
        self.load.sign_up(&self.name, &denied, "400 UserLambdaValidationException").await?;
        self.load.sign_up(&self.name, &self.address(), "200").await?;
        self.delete().await?;
        let user = |email: &str| json!({"username": self.name, "password": PASSWORD, "attributes": {"email": email}});
        self.auth("/v1/auth/sign-up", user(&denied), "422 sign-up-refused").await?;
        self.auth("/v1/auth/sign-up", user(&self.address()), "201").await?;
        self.delete().await
    }

    async fn delete(&self) -> Option<()> {
        self.admin(Method::DELETE, USER, None, "204").await.map(drop)
    }

    /// Deletes what an unfinished round created. The results are ignored, because it is unknown what exists.
    async fn delete_remaining(&self) {
        for kind in ["users", "groups"] {
            drop(self.load.deployment.api.delete(&format!("/v1/{kind}/{}", self.name), &self.admin).await);
        }
    }
}
