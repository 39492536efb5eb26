//! Tests jobs on the emulator: the state machine of the template with the deployed worker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::{Aws, SystemClock};
use domain::jobs::{Control, Files as _, ImportJob, JobId, JobOptions, JobStatus, JobView, Start, keys};
use domain::retry::Clock as _;
use domain::transfer::{Format, Outcome, RowResult};
use domain::user_pool::page::PageRequest;
use local::arguments::Options;
use local::deployment::{Deployment, pairs};
use serde_json::{Value, json};
use testkit::local_aws::{LocalAws, Recording};

/// How often the state of a job is read.
const INTERVAL: Duration = Duration::from_millis(200);

/// What a caller of the API does with jobs.
struct Jobs {
    files: aws::JobBucket,
    executions: aws::JobStateMachine,
    clock: SystemClock,
    http: reqwest::Client,
}

impl Jobs {
    fn new(deployment: &Deployment) -> Self {
        let output = |name| deployment.stack.output(name).unwrap();
        let aws: &Aws = &deployment.cognito;
        Self {
            files: aws.job_bucket(output("JobBucketName")),
            executions: aws.job_state_machine(output("JobStateMachineArn")),
            clock: SystemClock::starting_now(Duration::MAX),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn control(&self) -> Control<'_> {
        Control { files: &self.files, executions: &self.executions, clock: &self.clock }
    }

    /// Uploads a file with the URL that a caller receives.
    async fn upload(&self, content: &str) -> JobId {
        let upload = self.control().upload().await.unwrap();
        let put = async |content: &str| {
            let request = self.http.put(upload.url.expose()).header("if-none-match", "*").body(content.to_owned());
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(put(content).await, 200);
        assert_eq!(put("{}").await, 412, "a file can be uploaded once");
        upload.id
    }

    fn job(&self, id: &JobId, format: Format, options: JobOptions) -> ImportJob {
        let (requested_by, requested_at) = ("admin".to_owned(), self.clock.wall_time());
        ImportJob { id: id.clone(), format, options, requested_by, requested_at }
    }

    async fn start(&self, id: &JobId, format: Format, options: JobOptions) {
        let started = self.control().start(self.job(id, format, options)).await.unwrap();
        assert!(matches!(started, Start::Started(_)), "{started:?}");
    }

    /// Waits until the job ended.
    async fn end(&self, id: &JobId) -> JobView {
        loop {
            let view = self.control().find(id).await.unwrap().unwrap();
            if view.status != JobStatus::Running {
                return view;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The results, downloaded with the URLs that a caller receives.
    async fn results(&self, id: &JobId) -> Vec<RowResult> {
        let (mut results, mut after) = (Vec::new(), None);
        loop {
            let page = self.control().results(id, PageRequest { limit: 3, after }).await.unwrap();
            for file in page.files.entries {
                let text = self.http.get(file.url.expose()).send().await.unwrap().text().await.unwrap();
                results.extend(text.lines().map(|line| serde_json::from_str::<RowResult>(line).unwrap()));
            }
            after = page.files.next;
            if after.is_none() {
                return results;
            }
        }
    }
}

/// One user per line, each with about 300 bytes.
fn users(count: usize) -> String {
    let user = |number: usize| {
        let attributes =
            json!({"email": format!("user{number}@example.com"), "email_verified": "true", "name": "x".repeat(200)});
        json!({"username": format!("user{number}"), "attributes": attributes, "groups": ["imported"]}).to_string()
            + "\n"
    };
    (0..count).map(user).collect()
}

fn outcomes(results: &[RowResult]) -> BTreeMap<Outcome, usize> {
    let mut outcomes = BTreeMap::new();
    for result in results {
        *outcomes.entry(result.outcome).or_default() += 1;
    }
    outcomes
}

#[tokio::test]
async fn jobs_import_uploaded_files() {
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    let parameters = [("Jobs", "true"), ("JobQuotaShare", "100")];
    let options = Options { port: None, parameters: pairs(&parameters).collect() };
    let deployment = Box::pin(Deployment::deploy(aws, &options)).await.unwrap();
    let jobs = Jobs::new(&deployment);
    let create_groups = JobOptions { create_groups: true, ..JobOptions::default() };

    // A file of several chunks, in which one line is wrong and one is about a user of another chunk.
    let id = jobs.upload(&(users(150) + "not JSON\n\n{\"username\": \"USER0\"}\n")).await;
    jobs.start(&id, Format::JsonLines, create_groups).await;
    let ended = jobs.end(&id).await;
    assert_eq!((ended.status, ended.error.as_deref()), (JobStatus::Succeeded, None));
    let results = jobs.results(&id).await;
    let lines: BTreeSet<u64> = results.iter().map(|result| result.line).collect();
    assert_eq!((results.len(), lines.len()), (152, 152));
    assert_eq!(outcomes(&results), [(Outcome::Created, 150), (Outcome::Failed, 2)].into());
    let failed: Vec<_> = results.iter().filter(|result| result.outcome == Outcome::Failed).collect();
    let failed: Vec<_> = failed.iter().map(|result| (result.line, result.code.map(<&str>::from).unwrap())).collect();
    assert_eq!(failed, [(151, "invalid-request"), (153, "duplicate-row")]);
    let summary = ended.summary.unwrap();
    assert_eq!((&summary["rows"], &summary["outcomes"]["created"]), (&json!(152), &json!(150)));
    let progress = ended.progress.unwrap();
    assert!(progress.total > 1 && progress.done == progress.total && progress.failed == 0, "{progress:?}");
    assert_eq!(jobs.files.version(&keys::upload(&id)).await.unwrap(), None, "the file is deleted");

    // A repeated request changes nothing.
    let again = jobs.control().start(jobs.job(&id, Format::JsonLines, create_groups)).await.unwrap();
    assert!(matches!(again, Start::Exists(view) if view.attempts == 1));

    // CSV, and users who exist.
    let csv = "cognito:username,email,email_verified\nuser1,user1@example.com,TRUE\nanna,anna@example.com,TRUE\n";
    let id = jobs.upload(csv).await;
    jobs.start(&id, Format::Csv, JobOptions::default()).await;
    assert_eq!(jobs.end(&id).await.status, JobStatus::Succeeded);
    let results: Vec<_> = jobs.results(&id).await.iter().map(|result| (result.line, result.outcome)).collect();
    assert_eq!(results, [(2, Outcome::Unchanged), (3, Outcome::Created)]);

    // Each kind of change to an existing user. The emulator cannot delete attributes, so that the first row fails.
    let changes = r#"
        {"username": "user1", "attributes": {"name": ""}}
        {"username": "user2", "attributes": {"name": "Ann", "phone_number": "+491512345678", "phone_number_verified": "true"}, "mfa": {"enabled": ["SMS_MFA"]}}
        {"username": "user3", "enabled": false, "groups": ["imported"]}
        {"username": "anna", "password": {"permanent": "Correct-Horse-1"}}
        {"username": "zoe", "password": {"permanent": "Correct-Horse-1"}, "enabled": false}"#;
    let id = jobs.upload(changes).await;
    let update = JobOptions { update: true, trust_user_names: true, ..JobOptions::default() };
    jobs.start(&id, Format::JsonLines, update).await;
    assert_eq!(jobs.end(&id).await.status, JobStatus::Succeeded);
    let results: Vec<_> = jobs.results(&id).await.iter().map(|result| result.outcome).collect();
    assert_eq!(results, [Outcome::Failed, Outcome::Updated, Outcome::Updated, Outcome::Unchanged, Outcome::Created]);
    let id = jobs.upload(r#"{"username": "user3", "enabled": true}"#).await;
    jobs.start(&id, Format::JsonLines, update).await;
    assert_eq!(jobs.end(&id).await.summary.unwrap()["outcomes"], json!({"updated": 1}));

    // A job that cannot run says why. A restart is a further attempt.
    let id = jobs.upload("username\nmia\n").await;
    for attempts in [1, 2] {
        jobs.start(&id, Format::Csv, JobOptions::default()).await;
        let failed = jobs.end(&id).await;
        assert_eq!((failed.status, failed.attempts), (JobStatus::Failed, attempts));
        assert_eq!(failed.error.as_deref(), Some("InvalidFile"));
    }
    let listed = jobs.control().list(&PageRequest { limit: 10, after: None }).await.unwrap();
    assert_eq!(listed.entries.len(), 5);

    let log = deployment.stack.log(&deployment.aws, "jobs-worker").await.unwrap();
    assert!(log.contains("chunk imported") && !log.contains("example.com"), "{log}");
    let _: Value = summary;
}
