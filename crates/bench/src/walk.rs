//! Walks: reads lists of generated users from the first page to the last, in one process each.

mod claims;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::claims::Claims;
use crate::cognito::users::{LARGEST_PAGE, Users};
use crate::error::BenchError;
use crate::events;
use crate::process::{Bench, Process};
use crate::subject::{Job, LIST_USERS, Program, Row};

/// The numbers of users.
const USERS: [usize; 2] = [10_000, 100_000];

/// The maximum number of Cognito pages that one request of `admin-api` reads, according to its documentation.
pub(crate) const BUDGET: usize = 10;

/// What a walk reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// All users.
    List,
    /// No user, by a condition that Cognito cannot evaluate.
    Search,
}

/// The result of a walk.
#[derive(Debug, Serialize)]
pub(crate) struct Walk {
    pub(crate) operation: &'static str,
    pub(crate) users: usize,
    /// Requests to `admin-api`.
    pub(crate) requests: usize,
    /// AWS calls of these requests.
    pub(crate) calls: usize,
    /// The most Cognito pages that a request read.
    pub(crate) most_pages: usize,
    /// The resident size after a tenth of the requests and at the end, in kilobytes of 1024 bytes.
    pub(crate) memory_kb: (u64, u64),
}

/// The body of a response.
#[derive(Deserialize)]
struct Body {
    users: Vec<User>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Search => "search without matches",
        }
    }

    /// The condition of the requests. Generated users have another team.
    fn condition(self) -> Option<(&'static str, &'static str)> {
        (self == Self::Search).then_some(("custom_attribute", "team=red"))
    }

    /// The number of requests for this number of users.
    fn requests(self, users: usize) -> usize {
        let pages = users.div_ceil(LARGEST_PAGE);
        match self {
            Self::List => pages,
            Self::Search => pages.div_ceil(BUDGET),
        }
    }
}

/// Walks with Poolkeeper's function of the row that lists users. Without this row there are no walks.
pub(crate) async fn measure(rows: &[Row], progress: impl Fn(String)) -> Result<Vec<Walk>, BenchError> {
    let mut walks = Vec::new();
    let Some((program, job)) = rows.iter().find(|row| row.name == LIST_USERS).and_then(Row::function) else {
        return Ok(walks);
    };
    for count in USERS {
        for kind in [Kind::List, Kind::Search] {
            progress(format!("{} of {count} users", kind.name()));
            walks.push(walk(program, job, kind, count).await?);
        }
    }
    Ok(walks)
}

async fn walk(program: &Program, job: &Job, kind: Kind, count: usize) -> Result<Walk, BenchError> {
    let failed = |problem| BenchError::Walk { walk: kind.name(), users: count, problem };
    let users = Arc::new(Users::new(count));
    let bench = Bench::start(Some(Arc::clone(&users))).await?;
    let mut process = Process::start(&bench, program, job, &[]).await?;
    // At startup, the function has sent a call that opens its connection.
    let calls_before = bench.cognito.calls();
    let calls = || bench.cognito.calls() - calls_before;
    let mut claims = Claims::new(count, if kind == Kind::List { count } else { 0 });
    let (mut requests, mut most_pages, mut early_memory_kb) = (0, 0, 0);
    let mut cursor: Option<String> = None;
    loop {
        let parameters = [Some(("limit", "60")), kind.condition(), cursor.as_deref().map(|cursor| ("cursor", cursor))];
        let parameters: Vec<_> = parameters.into_iter().flatten().collect();
        let pages_before = users.pages();
        let (response, _) = process.invoke_with(events::list_users(&parameters)?).await?;
        let body = body(&response).ok_or_else(|| failed(format!("unexpected response: {response}")))?;
        requests += 1;
        let pages = users.pages() - pages_before;
        most_pages = most_pages.max(pages);
        let names = body.users.iter().map(|user| user.username.as_str());
        claims.response(names, pages, calls()).map_err(failed)?;
        if requests == kind.requests(count).div_ceil(10) {
            early_memory_kb = process.memory_kb("VmRSS")?;
        }
        cursor = body.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    claims.end().map_err(failed)?;
    let memory_kb = (early_memory_kb, process.memory_kb("VmRSS")?);
    process.end().await?;
    Ok(Walk { operation: kind.name(), users: count, requests, calls: calls(), most_pages, memory_kb })
}

fn body(response: &Value) -> Option<Body> {
    serde_json::from_str(response["body"].as_str()?).ok()
}
