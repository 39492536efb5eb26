//! Imports a file while workers are killed, responses are lost, calls are throttled, and a proxy enforces the quotas of
//! Cognito.
//! `make jobs` runs the test with more rows and kills, or with `FAULTS=0` only with the quotas.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::transfer::Outcome;
use domain::user_pool::quota::Category;
use fastrand::Rng;
use local::arguments::Options;
use local::deployment::{Deployment, pairs};
use local::soak::processes::Processes;
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::LocalAws;
use tokio::time::sleep;

use super::{Jobs, outcomes};

/// One call in this many fails.
const FAULT_INTERVAL: u64 = 50;

/// How often the memory of the workers is read.
const READ_INTERVAL: Duration = Duration::from_millis(100);

/// Reads a number from the environment.
fn read_number(variable: &str, default: usize) -> usize {
    let value = startup::environment()(variable);
    value.filter(|text| !text.is_empty()).map_or(default, |text| text.parse().unwrap())
}

fn is_invited(row: usize) -> bool {
    row.is_multiple_of(2)
}

/// Only the first rows of a large file have a group. For each membership, the emulator iterates over all users, and
/// fails if another call creates one in the meantime.
fn is_member(row: usize) -> bool {
    row < 2000 && row % 20 == 1
}

fn write_rows(rows: usize) -> String {
    let row = |number: usize| {
        let name = format!("user{number}");
        let attributes =
            json!({"email": format!("{name}@example.com"), "email_verified": "true", "name": "x".repeat(200)});
        let groups: &[_] = if is_member(number) { &["imported"] } else { &[] };
        let mut row = json!({"username": name, "attributes": attributes, "groups": groups});
        // The quota of AdminCreateUser, the only call for most rows, limits both.
        if is_invited(number) {
            row["invite"] = json!(true);
        } else {
            row["password"] = json!({"temporary": "Correct-Horse-1"});
        }
        row.to_string() + "\n"
    };
    (0..rows).map(row).collect()
}

/// Admits as many calls per second as Cognito does by default, and lets some calls fail.
#[derive(Default)]
struct Cognito {
    /// Whether calls fail that are within the quotas.
    fails: bool,
    /// When the next call of a category is admitted, at the earliest.
    next: BTreeMap<Category, Instant>,
    /// The number of calls of each operation.
    calls: BTreeMap<String, u64>,
    /// The number of calls of each operation with this fault.
    faults: BTreeMap<(Fault, String), u64>,
}

impl Cognito {
    fn category(operation: &str) -> Option<Category> {
        Some(match operation {
            "AdminCreateUser" => Category::UserCreation,
            "AdminSetUserPassword" => Category::UserAccountRecovery,
            "AdminGetUser" => Category::UserRead,
            "AdminListGroupsForUser" => Category::UserResourceRead,
            "AdminAddUserToGroup" => Category::UserUpdate,
            "DescribeUserPool" => Category::UserPoolRead,
            "ListGroups" => Category::UserPoolResourceRead,
            "CreateGroup" => Category::UserPoolResourceUpdate,
            _ => return None,
        })
    }

    fn decide(&mut self, operation: &str) -> Option<Fault> {
        let calls = self.calls.entry(operation.to_owned()).or_default();
        *calls += 1;
        let faults =
            [Fault::AnswerLost, Fault::Throttled, Fault::FailedAfterSuccess, Fault::NotSent, Fault::Unavailable];
        let fault = match *calls % FAULT_INTERVAL {
            _ if !self.fails => self.is_over_quota(operation).then_some(Fault::Throttled),
            // The faults differ from call to call of one operation.
            0 => Some(faults[usize::try_from(*calls / FAULT_INTERVAL).unwrap() % faults.len()]),
            // Half of the created users are invited, and the response is lost after the invitation was sent.
            10 | 20 | 30 | 40 if operation == "AdminCreateUser" => Some(Fault::AnswerLost),
            _ => self.is_over_quota(operation).then_some(Fault::Throttled),
        };
        if let Some(fault) = fault {
            *self.faults.entry((fault, operation.to_owned())).or_default() += 1;
        }
        fault
    }

    /// Whether the quota of an operation is used up. The others of a job have no published quota or are called once.
    fn is_over_quota(&mut self, operation: &str) -> bool {
        let Some(category) = Self::category(operation) else { return false };
        let now = Instant::now();
        let next = self.next.entry(category).or_insert(now);
        // AWS publishes no burst. A second's worth of calls can arrive at once.
        let is_over = *next > now + Duration::from_secs(1);
        if !is_over {
            *next = now.max(*next) + Duration::from_secs(1) / category.default_quota();
        }
        is_over
    }

    fn count_of(&self, fault: Fault) -> u64 {
        self.faults.iter().filter(|((of, _), _)| *of == fault).map(|(_, count)| count).sum()
    }
}

/// Kills workers, and reads their memory.
#[derive(Debug, Default)]
struct Killer {
    killed: AtomicUsize,
    /// The peak memory of a worker in kilobytes.
    peak: AtomicU64,
}

impl Killer {
    /// Kills random workers at random times, `kills` times within `duration`. Does not end.
    async fn run(&self, processes: &Processes, kills: usize, duration: Duration, mut random: Rng) {
        let started = Instant::now();
        let mut times: Vec<Duration> = (0..kills).map(|_| duration.mul_f64(random.f64())).collect();
        times.sort();
        loop {
            sleep(READ_INTERVAL).await;
            let workers: Vec<_> = processes.read().into_iter().filter(|one| one.function == "jobs-worker").collect();
            let peak = workers.iter().map(|worker| worker.usage.memory_kb).max().unwrap_or_default();
            self.peak.fetch_max(peak, Ordering::Relaxed);
            let is_due = times.get(self.killed.load(Ordering::Relaxed)).is_some_and(|time| started.elapsed() >= *time);
            if is_due && !workers.is_empty() {
                let id = workers[random.usize(..workers.len())].id.to_string();
                let is_killed = Command::new("kill").args(["-9", &id]).status().unwrap().success();
                self.killed.fetch_add(is_killed.into(), Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test]
async fn each_row_has_one_user_and_one_result_after_crashes() {
    let [rows, kills, seed, faults] = [("ROWS", 240), ("KILLS", 3), ("SEED", 1), ("FAULTS", 1)]
        .map(|(name, default)| read_number(&format!("POOLKEEPER_TEST_{name}"), default));
    let aws = LocalAws::start(None).await.unwrap();
    // The token of the administrator outlives the import.
    let parameters = [("Jobs", "true"), ("JobQuotaShare", "100"), ("BackendAccessTokenMinutes", "1440")];
    let options = Options { port: None, parameters: pairs(&parameters).collect() };
    let deployment = Box::pin(Deployment::deploy(aws, &options)).await.unwrap();
    let jobs = Jobs::new(&deployment).await;

    let random = Rng::with_seed(seed as u64);
    let cognito = Arc::new(Mutex::new(Cognito { fails: faults > 0, ..Cognito::default() }));
    let proxy = FaultProxy::start(deployment.aws.endpoint_url()).await.unwrap();
    let decided = Arc::clone(&cognito);
    proxy.decide(move |operation| decided.lock().unwrap().decide(operation));
    let worker = deployment.stack.output("JobsWorkerFunctionArn").unwrap();
    let endpoint = ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER".to_owned(), proxy.endpoint_url().to_owned());
    deployment.stack.set(&deployment.aws, worker, &[endpoint]).await.unwrap();

    let Some(processes) = Processes::of(&deployment) else {
        println!("No worker is killed, because this system has no /proc");
        return;
    };
    let id = jobs.upload(&write_rows(rows)).await;
    let (started, killer) = (Instant::now(), Killer::default());
    let at_full_rate = Duration::from_secs(rows as u64) / Category::UserCreation.default_quota();
    jobs.start(&id, &json!({"create_groups": true}), 202).await;
    jobs.wait_until_divided(&id).await;
    let job = tokio::select! {
        job = jobs.wait_until_ended(&id) => job,
        () = killer.run(&processes, kills, at_full_rate, random) => unreachable!("the killer does not end"),
    };
    {
        let cognito = cognito.lock().unwrap();
        println!(
            "{rows} rows in {:.1} s, {:.1} s at the full rate; {} kills; peak memory of a worker {} KiB; calls {:?}; faults {:?}",
            started.elapsed().as_secs_f64(),
            at_full_rate.as_secs_f64(),
            killer.killed.load(Ordering::Relaxed),
            killer.peak.load(Ordering::Relaxed),
            cognito.calls,
            cognito.faults,
        );
        assert_eq!((&job["status"], &job["attempts"], &job["error"]), (&json!("succeeded"), &json!(1), &json!(null)));
        assert_eq!(killer.killed.load(Ordering::Relaxed), kills);
        for fault in [Fault::AnswerLost, Fault::Throttled] {
            assert!(faults == 0 || cognito.count_of(fault) > 0, "{fault:?}");
        }
    }

    let expected: BTreeMap<String, usize> = (0..rows).map(|number| (format!("user{number}"), 1)).collect();
    assert_eq!(job["summary"]["outcomes"], json!({"created": rows}));
    let results = jobs.results(&id).await;
    assert_eq!(outcomes(&results), [(Outcome::Created, rows)].into());
    assert_eq!(counts(results.into_iter().filter_map(|result| result.username).map(Into::into)), expected);
    assert_eq!(counts(jobs.names("users").await.into_iter().filter(|name| name.starts_with("user"))), expected);
    assert_eq!(jobs.names("groups/imported/users").await.len(), (0..rows).filter(|number| is_member(*number)).count());
    let mails = deployment.aws.mails().await.unwrap();
    let invited = mails.into_iter().flat_map(|mail| mail.to).filter(|address| address.starts_with("user"));
    let addresses = (0..rows).filter(|number| is_invited(*number)).map(|number| format!("user{number}@example.com"));
    assert_eq!(counts(invited), counts(addresses));
}

/// How often each text occurs.
fn counts(texts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts
}
