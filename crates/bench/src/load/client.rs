//! Clients, each of which sends one request at a time and obeys `Retry-After`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::IntoIter;

use hyper::body::Bytes;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::task::JoinSet;

use super::answer::Answer;
use super::ledger::{Kind, Ledger, Next, Request};
use crate::error::BenchError;
use crate::events::{Operation, set};
use crate::instance::Instance;

/// A caller with all permissions.
#[derive(Debug, Clone)]
pub(super) struct Administrator {
    pub(super) username: String,
    pub(super) sub: String,
}

/// What the clients share.
pub(super) struct Load {
    /// The free instances. The last one served the most recent request.
    instances: Mutex<Vec<Instance>>,
    /// The requests that no client has taken, with their callers.
    requests: Mutex<IntoIter<(Request, Administrator)>>,
    ledger: Mutex<Ledger>,
    progress: ProgressBar,
}

impl Load {
    pub(super) fn new(
        instances: Vec<Instance>,
        requests: Vec<(Request, Administrator)>,
        progress: ProgressBar,
    ) -> Self {
        let ledger = Ledger::new(requests.iter().map(|(request, _)| request.clone()));
        let requests = Mutex::new(requests.into_iter());
        Self { instances: Mutex::new(instances), requests, ledger: Mutex::new(ledger), progress }
    }

    /// Sends all requests with one client per instance, so that an instance is free for each request.
    pub(super) async fn send_all(self: &Arc<Self>) -> Result<(), BenchError> {
        let clients = lock(&self.instances).len();
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            tasks.spawn(Arc::clone(self).send_in_turn());
        }
        while let Some(client) = tasks.join_next().await {
            client.map_err(|error| BenchError::Load(format!("a client stopped: {error}")))??;
        }
        Ok(())
    }

    /// The requests and responses so far.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    async fn send_in_turn(self: Arc<Self>) -> Result<(), BenchError> {
        while let Some((request, administrator)) = self.next_request() {
            // A repeat is the same event, with the same idempotency key and by the same administrator.
            let event = event(&request, &administrator)?;
            while let Next::Repeat(delay) = self.send(&request, event.clone()).await? {
                tokio::time::sleep(delay).await;
            }
            self.progress.inc(1);
        }
        Ok(())
    }

    fn next_request(&self) -> Option<(Request, Administrator)> {
        lock(&self.requests).next()
    }

    async fn send(&self, request: &Request, event: Bytes) -> Result<Next, BenchError> {
        let free = lock(&self.instances).pop();
        let mut instance = free.ok_or_else(|| BenchError::Load(format!("no instance is free for the {request}")))?;
        self.ledger().send(request);
        let (response, _) = instance.invoke(event).await?;
        let answer = Answer::parse(&response).ok_or_else(|| {
            instance.failure(format!("its response is not from an HTTP API: {}", String::from_utf8_lossy(&response)))
        })?;
        lock(&self.instances).push(instance);
        Ok(self.ledger().receive(request, answer))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn event(request: &Request, administrator: &Administrator) -> Result<Bytes, BenchError> {
    let Administrator { username: caller, sub } = administrator;
    let username = &request.username;
    let mut event = match request.kind {
        Kind::Creation => Operation::CreateUser.http_api_by(caller, sub)?,
        Kind::Read => Operation::GetUser.http_api_by(caller, sub)?,
    };
    match request.kind {
        Kind::Creation => {
            let attributes = json!({"email": format!("{username}@example.com")});
            // A message would count against the daily quota of mail.
            let body = json!({"username": username, "attributes": attributes, "welcome_message": "suppress"});
            let body = body.to_string();
            set(&mut event, "/headers/content-length", json!(body.len().to_string()))?;
            set(&mut event, "/body", json!(body))?;
            event["headers"]["idempotency-key"] = json!(username);
        }
        Kind::Read => {
            let path = format!("/v1/users/{username}");
            set(&mut event, "/rawPath", json!(path))?;
            set(&mut event, "/requestContext/http/path", json!(path))?;
            set(&mut event, "/pathParameters/username", json!(username))?;
        }
    }
    Ok(event.to_string().into())
}
