//! A Cognito endpoint with in-memory users, which answers calls over a quota as Cognito does.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::{Value, json};

use super::quota::{Admission, Quotas, Usage};
use crate::cognito::answers::{self, Answer};
use crate::cognito::{field, operation};
use crate::events::token_owner;
use crate::pool::POOL_ID;
use crate::server::{Handler, response};

/// The endpoint.
pub(super) struct Endpoint {
    pool: Mutex<Pool>,
    /// Responses about the pool and its app client.
    settings: HashMap<&'static str, Answer>,
}

impl Endpoint {
    /// Creates an endpoint with these users. Its quotas are unused at the time `now`.
    pub(super) fn new(administrators: &[String], users: &[String], now: Instant) -> Self {
        let mut pool = Pool { quotas: Quotas::new(now), users: HashMap::new(), created: Vec::new() };
        for (names, group) in [(administrators, "admins"), (users, "customers")] {
            for name in names {
                pool.add(name, Vec::new(), "CONFIRMED", group);
            }
        }
        Self { pool: Mutex::new(pool), settings: answers::all() }
    }

    /// The `sub` of each user.
    pub(super) fn subs(&self) -> HashMap<String, String> {
        self.pool().users.iter().map(|(name, user)| (name.clone(), user.sub.clone())).collect()
    }

    /// The name of each created user, once per creation.
    pub(super) fn created(&self) -> Vec<String> {
        self.pool().created.clone()
    }

    /// The use of the quotas so far.
    pub(super) fn usage(&self) -> Vec<Usage> {
        self.pool().quotas.usage()
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, operation: &str, body: &Bytes, now: Instant) -> Result<Bytes, Failure> {
        let username = match operation {
            "GetUser" => field(body, "AccessToken").and_then(|token| token_owner(&token)),
            _ => field(body, "Username"),
        };
        let mut pool = self.pool();
        let read_user = username.as_deref().filter(|_| operation != "AdminCreateUser");
        match pool.quotas.admit(operation, read_user, now) {
            Admission::Admitted => {}
            Admission::Throttled => return Err(Failure("TooManyRequestsException", "Rate exceeded".to_owned())),
            Admission::UnknownOperation => {
                let message = format!("the endpoint of the load has no answer to {operation:?}");
                return Err(Failure("UnknownOperationException", message));
            }
        }
        let settings = self.settings.get(operation).filter(|_| operation.starts_with("Describe"));
        if let Some(answer) = settings.and_then(|settings| settings.body(body)) {
            return Ok(answer);
        }
        pool.answer(operation, &username.unwrap_or_default(), body).map(|answer| answer.to_string().into())
    }
}

impl Handler for Endpoint {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let content_type = [("content-type", "application/x-amz-json-1.1")];
        if head.method == Method::GET {
            // The request for public keys that opens the connection has no quota.
            return response(200, &content_type, Bytes::from_static(b"{\"keys\":[]}"));
        }
        match self.respond(operation(&head, &body), &body, Instant::now()) {
            Ok(answer) => response(200, &content_type, answer),
            Err(Failure(code, message)) => {
                response(400, &content_type, json!({"__type": code, "message": message}).to_string().into())
            }
        }
    }
}

/// An error code of Cognito and its message.
#[derive(Debug, PartialEq, Eq)]
struct Failure(&'static str, String);

struct Pool {
    quotas: Quotas,
    users: HashMap<String, User>,
    created: Vec<String>,
}

struct User {
    sub: String,
    /// The attributes without `sub`.
    attributes: Vec<Value>,
    status: &'static str,
    group: &'static str,
    /// Seconds since 1970.
    created_at: f64,
}

impl Pool {
    fn add(&mut self, name: &str, attributes: Vec<Value>, status: &'static str, group: &'static str) {
        let sub = format!("7f9d4c1e-0000-4000-8000-{:012}", self.users.len());
        let created_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        self.users.insert(name.to_owned(), User { sub, attributes, status, group, created_at });
    }

    fn answer(&mut self, operation: &str, name: &str, request: &Bytes) -> Result<Value, Failure> {
        if operation == "AdminCreateUser" {
            return self.create(name, request);
        }
        let user = self.users.get(name);
        let user = user.ok_or_else(|| Failure("UserNotFoundException", "User does not exist.".to_owned()))?;
        Ok(match operation {
            "AdminListGroupsForUser" => json!({"Groups": [{"GroupName": user.group, "UserPoolId": POOL_ID}]}),
            _ => user.answer(name, "UserAttributes"),
        })
    }

    fn create(&mut self, name: &str, request: &Bytes) -> Result<Value, Failure> {
        if self.users.contains_key(name) {
            return Err(Failure("UsernameExistsException", "User account already exists".to_owned()));
        }
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let attributes = request["UserAttributes"].as_array().cloned().unwrap_or_default();
        self.add(name, attributes, "FORCE_CHANGE_PASSWORD", "customers");
        self.created.push(name.to_owned());
        Ok(json!({"User": self.users.get(name).map(|user| user.answer(name, "Attributes"))}))
    }
}

impl User {
    /// The user as a response contains it, with the attributes in this field.
    fn answer(&self, name: &str, attributes_field: &str) -> Value {
        let sub = json!({"Name": "sub", "Value": self.sub});
        let attributes: Vec<_> = [&sub].into_iter().chain(&self.attributes).collect();
        json!({
            "Username": name, attributes_field: attributes, "Enabled": true, "UserStatus": self.status,
            "UserCreateDate": self.created_at, "UserLastModifiedDate": self.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn endpoint(now: Instant) -> Endpoint {
        Endpoint::new(&["alex".to_owned()], &["mia".to_owned()], now)
    }

    fn call(endpoint: &Endpoint, operation: &str, request: &Value, now: Instant) -> Result<Value, &'static str> {
        let answer = endpoint.respond(operation, &request.to_string().into(), now);
        answer.map(|answer| serde_json::from_slice(&answer).unwrap()).map_err(|Failure(code, _)| code)
    }

    #[test]
    fn creates_a_user_once_and_returns_the_attributes() {
        let now = Instant::now();
        let endpoint = endpoint(now);
        let email = json!({"Name": "email", "Value": "new@example.com"});
        let request = json!({"Username": "new", "UserAttributes": [email]});
        assert_eq!(call(&endpoint, "AdminGetUser", &request, now), Err("UserNotFoundException"));
        call(&endpoint, "AdminCreateUser", &request, now).unwrap();
        assert_eq!(call(&endpoint, "AdminCreateUser", &request, now), Err("UsernameExistsException"));
        let found = call(&endpoint, "AdminGetUser", &request, now).unwrap();
        let sub = json!({"Name": "sub", "Value": endpoint.subs()["new"]});
        assert_eq!(found["UserAttributes"], json!([sub, email]));
        assert_eq!(endpoint.created(), ["new"]);
    }

    #[test]
    fn a_throttled_creation_creates_no_user() {
        let now = Instant::now();
        let endpoint = endpoint(now);
        let create = |number: u32, time| {
            call(&endpoint, "AdminCreateUser", &json!({"Username": format!("new-{number}")}), time).err()
        };
        for number in 0..50 {
            assert_eq!(create(number, now), None, "{number}");
        }
        assert_eq!(create(50, now), Some("TooManyRequestsException"));
        assert!(!endpoint.subs().contains_key("new-50"));
        assert_eq!(create(50, now + Duration::from_millis(20)), None);
        assert_eq!(endpoint.created().len(), 51);
    }

    #[test]
    fn answers_about_the_caller_the_groups_and_the_settings() {
        let now = Instant::now();
        let endpoint = endpoint(now);
        // {"username":"alex"}
        let caller = call(&endpoint, "GetUser", &json!({"AccessToken": "e30.eyJ1c2VybmFtZSI6ImFsZXgifQ.e30"}), now);
        assert_eq!(caller.unwrap()["Username"], "alex");
        for (user, group) in [("alex", "admins"), ("mia", "customers")] {
            let groups = call(&endpoint, "AdminListGroupsForUser", &json!({"Username": user}), now).unwrap();
            assert_eq!(groups["Groups"][0]["GroupName"], group);
        }
        let client = json!({"ClientId": crate::pool::CLIENT_ID});
        let client = call(&endpoint, "DescribeUserPoolClient", &client, now).unwrap();
        assert_eq!(client["UserPoolClient"]["ClientSecret"], "secret");
        assert_eq!(call(&endpoint, "ListUsers", &json!({}), now), Err("UnknownOperationException"));
    }
}
