//! What the clients sent and received, and whether it agrees with the users of the pool.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::answer::Answer;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Creation,
    Read,
}

/// A request that a client repeats until it is answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) username: String,
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Creation => "creation",
            Kind::Read => "read",
        };
        write!(formatter, "{kind} of {}", self.username)
    }
}

/// A violated expectation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Fault {
    #[error("{0} was answered 2xx, but the pool does not contain the user")]
    Lost(Request),
    #[error("{0} created {1} users")]
    Doubled(Request, usize),
    #[error("the pool contains the new user {0}, which no 2xx response accounts for")]
    Unaccounted(String),
    #[error("{0} was answered with another user: {1}")]
    WrongUser(Request, Value),
    #[error("{0} was answered {1}: {2}")]
    Status(Request, u16, Value),
    #[error("{0} was answered 429 without the seconds in Retry-After")]
    NoRetryAfter(Request),
    #[error(
        "{creations} creations and {reads} reads are unfinished at the time limit, for example the {first}, which was \
         answered 429 {throttled} times"
    )]
    Unfinished { creations: usize, reads: usize, first: Request, throttled: u32 },
}

/// What a client does after a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the next request.
    Continue,
    /// Send the same request again after this time.
    Repeat(Duration),
}

#[derive(Debug, Default)]
struct Entry {
    sent: u32,
    throttled: u32,
    is_finished: bool,
    /// Whether the last response is missing or a server error, so that the request may have taken effect.
    is_unknown: bool,
    /// The user in a 2xx response.
    user: Option<Value>,
}

/// The totals of one kind of request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) requests: u32,
    pub(super) finished: u32,
    /// Including repeats.
    pub(super) sent: u32,
    /// 429 responses.
    pub(super) throttled: u32,
}

/// The requests with their responses.
pub(super) struct Ledger {
    entries: BTreeMap<Request, Entry>,
    faults: Vec<Fault>,
}

impl Ledger {
    pub(super) fn new(requests: impl IntoIterator<Item = Request>) -> Self {
        let entries = requests.into_iter().map(|request| (request, Entry::default())).collect();
        Self { entries, faults: Vec::new() }
    }

    /// Records that a request is sent.
    pub(super) fn send(&mut self, request: &Request) {
        let entry = self.entry(request);
        entry.sent += 1;
        entry.is_unknown = true;
    }

    /// Records a response.
    pub(super) fn receive(&mut self, request: &Request, answer: Answer) -> Next {
        let Answer { status, retry_after, body } = answer;
        let entry = self.entry(request);
        entry.is_unknown = status >= 500;
        entry.throttled += u32::from(status == 429);
        if let (429, Some(delay)) = (status, retry_after) {
            return Next::Repeat(delay);
        }
        entry.is_finished = true;
        match status {
            200..300 => entry.user = Some(body),
            429 => self.faults.push(Fault::NoRetryAfter(request.clone())),
            _ => self.faults.push(Fault::Status(request.clone(), status, body)),
        }
        Next::Continue
    }

    fn entry(&mut self, request: &Request) -> &mut Entry {
        self.entries.entry(request.clone()).or_default()
    }

    /// The totals of one kind of request.
    pub(super) fn total(&self, kind: Kind) -> Total {
        let mut total = Total::default();
        for (_, entry) in self.entries.iter().filter(|(request, _)| request.kind == kind) {
            total.requests += 1;
            total.finished += u32::from(entry.is_finished);
            total.sent += entry.sent;
            total.throttled += entry.throttled;
        }
        total
    }

    /// Compares the responses with the pool: the `sub` of each user, and the name of each created user once per
    /// creation.
    pub(super) fn check(&self, subs: &HashMap<String, String>, created: &[String]) -> Vec<Fault> {
        let mut creations: BTreeMap<&str, usize> = BTreeMap::new();
        for username in created {
            *creations.entry(username).or_default() += 1;
        }
        let mut faults: Vec<_> = self.unfinished().into_iter().chain(self.faults.iter().cloned()).collect();
        for (request, entry) in &self.entries {
            let username = request.username.as_str();
            if request.kind == Kind::Creation {
                let count = creations.remove(username).unwrap_or(0);
                if count > 1 {
                    faults.push(Fault::Doubled(request.clone(), count));
                }
                if entry.user.is_none() && count > 0 && !entry.is_unknown {
                    faults.push(Fault::Unaccounted(username.to_owned()));
                }
                if entry.user.is_some() && (count == 0 || !subs.contains_key(username)) {
                    faults.push(Fault::Lost(request.clone()));
                    continue;
                }
            }
            if let Some(user) = entry.user.as_ref().filter(|user| !is_user(user, username, subs)) {
                faults.push(Fault::WrongUser(request.clone(), user.clone()));
            }
        }
        faults.extend(creations.into_keys().map(|username| Fault::Unaccounted(username.to_owned())));
        faults
    }

    fn unfinished(&self) -> Option<Fault> {
        let left = || self.entries.iter().filter(|(_, entry)| !entry.is_finished);
        let count = |kind| left().filter(|(request, _)| request.kind == kind).count();
        let (first, entry) = left().next()?;
        let (creations, reads) = (count(Kind::Creation), count(Kind::Read));
        Some(Fault::Unfinished { creations, reads, first: first.clone(), throttled: entry.throttled })
    }
}

/// Whether a response contains the user with this name.
fn is_user(body: &Value, username: &str, subs: &HashMap<String, String>) -> bool {
    let sub = subs.get(username).map(String::as_str);
    body["username"].as_str() == Some(username) && sub.is_some() && body["sub"].as_str() == sub
}

#[cfg(test)]
mod tests;
