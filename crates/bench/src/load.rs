//! `bench load`: drives instances of `admin-api` as Lambda does, against a Cognito endpoint with the default quotas.

mod answer;
mod client;
mod endpoint;
mod ledger;
mod quota;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::process::Command;
use tokio::time::timeout_at;

use self::client::{Administrator, Load};
use self::endpoint::Endpoint;
use self::ledger::{Fault, Kind, Request};
use crate::error::BenchError;
use crate::instance::Instance;
use crate::server::Server;
use crate::subject::{ADMIN_API, ENVIRONMENT};

/// How long a run takes at most.
const LIMIT: Duration = Duration::from_mins(1);

const CREATIONS: usize = 1_000;
const READS_PER_CREATION: usize = 5;

/// Each creation reads the calling administrator twice (`GetUser`, `AdminListGroupsForUser`), so one administrator can
/// make five creations per second.
const READS_OF_CALLER: u32 = 2;

/// Four administrators need 50 s for the creations, and twice as many leave time for repeats.
const ADMINISTRATORS: usize = 8;

/// The violated expectations that an error lists.
const LISTED_FAULTS: usize = 10;

/// Creates 1,000 and reads 5,000 users through `admin-api`, against Cognito's default quotas
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The number of instances, which is the number of concurrent clients
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=500))]
    instances: u16,
    /// The target directory with the built programs
    #[arg(long, value_name = "DIRECTORY", default_value = "target")]
    target: PathBuf,
}

/// Sends the load and prints the results. Returns an error if a request is unfinished, or if the responses and the pool
/// disagree.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let deadline = tokio::time::Instant::now() + LIMIT;
    let file = arguments.target.join("lambda/admin-api/bootstrap");
    if !file.is_file() {
        return Err(BenchError::NotBuilt(file));
    }
    let requests = requests();
    let administrators: Vec<_> = (1..=ADMINISTRATORS).map(|number| format!("administrator-{number}")).collect();
    let existing = requests.iter().filter(|request| request.kind == Kind::Read);
    let existing: Vec<_> = existing.map(|request| request.username.clone()).collect();
    let endpoint = Arc::new(Endpoint::new(&administrators, &existing, Instant::now()));
    let server = Server::start(Arc::clone(&endpoint), None).await?;
    let url = format!("http://127.0.0.1:{}", server.port);

    let instances = timeout_at(deadline, start(&file, &url, arguments.instances)).await;
    let late = |_| BenchError::Load(format!("the instances did not start within {} s", LIMIT.as_secs()));
    let instances = instances.map_err(late)??;
    let subs = endpoint.subs();
    let administrator = |username: String| subs.get(&username).cloned().map(|sub| Administrator { username, sub });
    // Each administrator sends a creation and the reads after it.
    let callers = administrators.into_iter().filter_map(administrator);
    let callers = callers.flat_map(|caller| std::iter::repeat_n(caller, 1 + READS_PER_CREATION));
    let callers: Vec<_> = callers.collect();
    let progress = progress_bar(requests.len());
    let requests = requests.into_iter().zip(callers.into_iter().cycle()).collect();
    let load = Arc::new(Load::new(instances, requests, progress.clone()));
    let began = Instant::now();
    // After the time limit, the check reports the unfinished requests.
    if let Ok(sent) = timeout_at(deadline, load.send_all()).await {
        sent?;
    }
    let elapsed = began.elapsed();
    progress.finish_and_clear();

    let ledger = load.ledger();
    let totals = [("creations", ledger.total(Kind::Creation)), ("reads", ledger.total(Kind::Read))];
    println!("requests to admin-api, {} instances\n{}\n", arguments.instances, report::requests(&totals, elapsed));
    println!("calls to Cognito, with the default quotas\n{}\n", report::quotas(&endpoint.usage(), elapsed));
    println!("{}", note_on_administrators());
    match ledger.check(&endpoint.subs(), &endpoint.created())[..] {
        [] => Ok(()),
        ref faults => Err(failure(faults)),
    }
}

/// The requests in the order in which the clients take them. Each read is of another user.
fn requests() -> Vec<Request> {
    let creation = |number| Request { kind: Kind::Creation, username: format!("new-{number:04}") };
    let read = |number| Request { kind: Kind::Read, username: format!("user-{number:04}") };
    let reads_after = |number: usize| (number * READS_PER_CREATION..(number + 1) * READS_PER_CREATION).map(read);
    (0..CREATIONS).flat_map(|number| std::iter::once(creation(number)).chain(reads_after(number))).collect()
}

async fn start(file: &Path, endpoint_url: &str, count: u16) -> Result<Vec<Instance>, BenchError> {
    let mut instances = Vec::new();
    for _ in 0..count {
        let mut command = Command::new(file);
        command.env_clear().envs(ENVIRONMENT).envs(ADMIN_API.iter().copied()).env("AWS_ENDPOINT_URL", endpoint_url);
        instances.push(Instance::start("admin-api", command).await?.0);
    }
    Ok(instances)
}

fn progress_bar(requests: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} requests");
    ProgressBar::new(requests as u64).with_style(style.unwrap_or(ProgressStyle::default_bar()))
}

fn note_on_administrators() -> String {
    let reads = quota::READS_PER_USER;
    let (rate, seconds) = (reads / READS_OF_CALLER, LIMIT.as_secs());
    format!(
        "{ADMINISTRATORS} administrators send the requests, because Cognito limits the reads of one user to {reads} \
         per second, and each creation reads its caller {READS_OF_CALLER} times.\nOne administrator can make {rate} \
         creations per second, {} within {seconds} s. If Cognito counts only GetUser, it is twice as many.",
        u64::from(rate) * seconds,
    )
}

fn failure(faults: &[Fault]) -> BenchError {
    let mut lines: Vec<_> = faults.iter().take(LISTED_FAULTS).map(Fault::to_string).collect();
    if faults.len() > LISTED_FAULTS {
        lines.push(format!("and {} more", faults.len() - LISTED_FAULTS));
    }
    BenchError::Load(lines.join("\n"))
}
