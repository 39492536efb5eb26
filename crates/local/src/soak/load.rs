//! Clients that send requests side by side, in rounds that leave no users behind.

use std::cell::RefCell;
use std::time::Instant;

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::local_aws::Invoked;

use super::round::{PASSWORD, Round};
use super::tally::{Kind, Tally};
use crate::deployment::{Deployment, FIRST_ADMIN};
use crate::failure::Failure;
use crate::invoke;

const AUTHORIZER_EVENT: &str = include_str!("../../../../events/authorizer/http-api.json");

/// The number of problems that stops the load.
pub(super) const MAX_PROBLEMS: usize = 10;

/// Sends requests and records their results.
pub struct Load<'a> {
    pub(super) deployment: &'a Deployment,
    admin_password: &'a Secret,
    tally: RefCell<Tally>,
}

impl<'a> Load<'a> {
    /// The load on this deployment, whose first administrator has this password.
    #[must_use]
    pub fn new(deployment: &'a Deployment, admin_password: &'a Secret) -> Self {
        Self { deployment, admin_password, tally: RefCell::default() }
    }

    /// Runs three clients of the API, which also invoke the authorizer, and one client that invokes the bootstrap. Each
    /// client begins its round `n` only if `goes_on(n)`, and stops after 10 problems of all clients.
    pub async fn run(&self, goes_on: impl Fn(u32) -> bool) {
        let goes_on = |round| goes_on(round) && self.tally.borrow().problems().len() < MAX_PROBLEMS;
        // The futures are boxed, because they are large.
        tokio::join!(
            Box::pin(self.call_api("soak-1", &goes_on)),
            Box::pin(self.call_api("soak-2", &goes_on)),
            Box::pin(self.call_api("soak-3", &goes_on)),
            Box::pin(self.call_bootstrap(&goes_on)),
        );
    }

    async fn call_api(&self, client: &str, goes_on: &impl Fn(u32) -> bool) {
        for number in (0..).take_while(|number| goes_on(*number)) {
            let name = format!("{client}-{number}");
            if let Some(admin) = self.sign_in_admin(&name).await {
                Round { load: self, admin, name }.run().await;
            }
        }
    }

    /// An access token of the first administrator. A token expires before the end of a long run.
    async fn sign_in_admin(&self, name: &str) -> Option<Secret> {
        let body = json!({"username": FIRST_ADMIN, "password": self.admin_password.expose()});
        let answer = self.api((Method::POST, "/v1/auth/sign-in"), name, None, Some(body), "200").await?;
        answer["tokens"]["access_token"].as_str().map(Secret::new)
    }

    async fn call_bootstrap(&self, goes_on: &impl Fn(u32) -> bool) {
        let pool = self.deployment.pool();
        // Nothing creates the planned pool.
        let planned = json!({"name": format!("{pool}.soak"), "sign_in": "username", "on_delete": "delete"});
        let verified = json!({"name": pool, "sign_in": "username", "mfa": "optional", "self_sign_up": true});
        for _ in (0..).take_while(|number| goes_on(*number)) {
            self.bootstrap("plan", &planned).await;
            self.bootstrap("verify", &verified).await;
        }
    }

    async fn bootstrap(&self, action: &str, spec: &Value) {
        let kind = Kind { function: "pool-bootstrap", call: format!("Invoke {action}"), expected: "succeeded" };
        let work = async {
            let invoked = self.invoke(kind.function, &json!({"action": action, "spec": spec})).await?;
            let result = if invoked.is_error { invoked.answer } else { "succeeded".to_owned() };
            Ok((result, Value::Null))
        };
        self.observe(kind.clone(), self.deployment.pool(), work).await;
    }

    /// Invokes the authorizer with a token, which it accepts or denies.
    pub(super) async fn authorize(&self, name: &str, token: &Secret, expected: &'static str) -> Option<()> {
        let kind = Kind { function: "authorizer", call: "Invoke".to_owned(), expected };
        let work = async {
            let event = AUTHORIZER_EVENT.replace("ACCESS_TOKEN", token.expose());
            let event = serde_json::from_str(&event).map_err(|_| Failure::unexpected("an event", "another text"))?;
            let invoked = self.invoke(kind.function, &event).await?;
            let answer: Value = serde_json::from_str(&invoked.answer).unwrap_or_default();
            let result = match answer["isAuthorized"].as_bool() {
                Some(true) => "authorized",
                Some(false) => "denied",
                None => &invoked.answer,
            };
            Ok((result.to_owned(), Value::Null))
        };
        self.observe(kind.clone(), name, work).await.map(drop)
    }

    /// The time includes the start of the program that sends the invocation.
    async fn invoke(&self, function: &str, event: &Value) -> Result<Invoked, Failure> {
        let function = self.deployment.stack.output(invoke::output_of(function)?)?;
        Ok(self.deployment.stack.send(&self.deployment.aws, function, &event.to_string()).await?)
    }

    /// Sends a request to the API. `{name}` in the route stands for `name`.
    pub(super) async fn api(
        &self,
        (method, route): (Method, &str),
        name: &str,
        token: Option<&Secret>,
        body: Option<Value>,
        expected: &'static str,
    ) -> Option<Value> {
        let function = if route.starts_with("/v1/auth/") { "auth-api" } else { "admin-api" };
        let kind = Kind { function, call: format!("{method} {route}"), expected };
        let work = async {
            let path = route.replace("{name}", name);
            let answer = self.deployment.api.call(method, &path, token, body.as_ref()).await?;
            Ok((answer.summary(), answer.into_body()))
        };
        self.observe(kind, name, work).await
    }

    /// Signs a user up through Cognito, as a front end does.
    pub(super) async fn sign_up(&self, name: &str, email: &str, expected: &'static str) -> Option<Value> {
        let kind = Kind { function: "pre-sign-up", call: "SignUp of Cognito".to_owned(), expected };
        let work = async {
            let request = json!({
                "ClientId": self.deployment.stack.output("WebClientId")?,
                "Username": name,
                "Password": PASSWORD,
                "UserAttributes": [{"Name": "email", "Value": email}],
            });
            let answer = self.deployment.aws.call_cognito("SignUp", &request).await?;
            let result = format!("{} {}", answer.status, answer.error());
            Ok((result.trim_end().to_owned(), answer.body))
        };
        self.observe(kind, name, work).await
    }

    /// Times a call, records its result, and returns the body if the result is as expected.
    async fn observe(
        &self,
        kind: Kind,
        name: &str,
        work: impl Future<Output = Result<(String, Value), Failure>>,
    ) -> Option<Value> {
        let started = Instant::now();
        let (result, body) = work.await.unwrap_or_else(|failure| (failure.with_causes(), Value::Null));
        let is_expected = self.tally.borrow_mut().add(kind, name, &result, started.elapsed());
        is_expected.then_some(body)
    }

    /// The number of calls and errors so far.
    pub(super) fn progress(&self) -> String {
        let tally = self.tally.borrow();
        format!("{} calls, {} errors", tally.count(), tally.problems().len())
    }

    /// The results.
    #[must_use]
    pub fn into_tally(self) -> Tally {
        self.tally.into_inner()
    }
}
