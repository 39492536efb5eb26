//! Tests jobs on the emulator: the deployed routes, state machine and worker.

mod crashes;
mod exports;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::jobs::{Files as _, JobId, keys};
use domain::secret::Secret;
use domain::transfer::{Outcome, RowResult};
use local::api::{Answer, Api};
use local::arguments::Options;
use local::deployment::{Deployment, FIRST_ADMIN, pairs};
use local::failure::Failure;
use local::flows::first_admin;
use local::report::Report;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::local_aws::{LocalAws, Recording};

/// The first and the longest interval between two reads of a job. Each read takes time of the emulator from the workers.
const FIRST_INTERVAL: Duration = Duration::from_millis(200);
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);

/// What an administrator does with jobs.
struct Jobs<'d> {
    api: &'d Api,
    token: Secret,
    /// Sends requests to presigned URLs.
    http: reqwest::Client,
}

impl<'d> Jobs<'d> {
    async fn new(deployment: &'d Deployment) -> Self {
        let token = first_admin::sign_in(deployment, &mut Report::quiet()).await.unwrap().token;
        Self { api: &deployment.api, token, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Uploads a file, and returns its id.
    async fn upload(&self, content: &str) -> String {
        let upload = self.send(Method::POST, "/v1/jobs/uploads", Some(&json!({"type": "import"})), 201).await;
        let put = async |content: &str| {
            let mut request = self.http.put(upload["url"].as_str().unwrap()).body(content.to_owned());
            for (name, value) in upload["headers"].as_object().unwrap() {
                request = request.header(name, value.as_str().unwrap());
            }
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(put(content).await, 200);
        assert_eq!(put("{}").await, 412, "a file can be uploaded once");
        upload["id"].as_str().unwrap().to_owned()
    }

    /// Sends a request about jobs.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>, status: u16) -> Value {
        let call = async || self.api.call(method.clone(), path, Some(&self.token), body).await;
        self.repeat(call).await.expect(status).unwrap()
    }

    /// Repeats a request that fails because the emulator is busy.
    async fn repeat(&self, call: impl AsyncFn() -> Result<Answer, Failure>) -> Answer {
        loop {
            let answer = call().await.unwrap();
            if !answer.has_status(503) {
                return answer;
            }
            tokio::time::sleep(FIRST_INTERVAL).await;
        }
    }

    /// Starts an import with these fields.
    async fn start(&self, id: &str, options: &Value, status: u16) -> Value {
        let mut body = json!({"type": "import", "upload": id, "format": "json-lines"});
        body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.send(Method::POST, "/v1/jobs", Some(&body), status).await
    }

    /// Runs a job without an upload to the end, and returns it with its files.
    async fn run(&self, body: &Value) -> (Value, Vec<Vec<u8>>) {
        let key = fastrand::u128(..).to_string();
        let started = self.repeat(async || self.api.post_idempotent("/v1/jobs", &self.token, &key, body).await).await;
        let started = started.expect(202).unwrap();
        let id = started["id"].as_str().unwrap();
        (self.wait_until_ended(id).await, self.files(id).await)
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None, 200).await
    }

    /// Waits until the file is divided.
    async fn wait_until_divided(&self, id: &str) {
        while self.get(&format!("/v1/jobs/{id}")).await["progress"].is_null() {
            tokio::time::sleep(FIRST_INTERVAL).await;
        }
    }

    /// Waits until the job ended.
    async fn wait_until_ended(&self, id: &str) -> Value {
        let mut interval = FIRST_INTERVAL;
        loop {
            let job = self.get(&format!("/v1/jobs/{id}")).await;
            if job["status"] != "running" {
                return job;
            }
            tokio::time::sleep(interval).await;
            interval = interval.mul_f64(1.05).min(LONGEST_INTERVAL);
        }
    }

    /// Imports a file to the end, and returns its results.
    async fn import(&self, content: &str, options: &Value) -> (Value, Vec<RowResult>) {
        let id = self.upload(content).await;
        self.start(&id, options, 202).await;
        (self.wait_until_ended(&id).await, self.results(&id).await)
    }

    /// The entries of all pages.
    async fn list(&self, path: &str, member: &str, limit: u8) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit={limit}{cursor}")).await;
            entries.append(page[member].as_array_mut().unwrap());
            let Some(next) = page["next_cursor"].as_str() else { return entries };
            cursor = format!("&cursor={next}");
        }
    }

    /// The content of the result files.
    async fn files(&self, id: &str) -> Vec<Vec<u8>> {
        let mut files = Vec::new();
        for file in self.list(&format!("/v1/jobs/{id}/results"), "results", 2).await {
            let answer = self.http.get(file["url"].as_str().unwrap()).send().await.unwrap();
            files.push(answer.bytes().await.unwrap().to_vec());
        }
        files
    }

    async fn results(&self, id: &str) -> Vec<RowResult> {
        let text = String::from_utf8(self.files(id).await.concat()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The user names in a list.
    async fn names(&self, list: &str) -> Vec<String> {
        let users = self.list(&format!("/v1/{list}"), "users", 60).await;
        users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
    }
}

/// One user per line, each with about 300 bytes.
fn users(prefix: &str, count: usize) -> String {
    let user = |number: usize| {
        let attributes = json!({"email": format!("{prefix}{number}@example.com"), "email_verified": "true", "name": "x".repeat(200)});
        json!({"username": format!("{prefix}{number}"), "attributes": attributes, "groups": ["imported"]}).to_string()
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

/// The list contains a wrong position for one of more than ten chunks, which fails in the map and in the last step. A
/// dry run, because two workers could create a user at the same time, and the emulator would then create the user twice.
async fn a_failed_chunk_is_tolerated(jobs: &Jobs<'_>, deployment: &Deployment) {
    let id = jobs.upload(&users("many", 1200)).await;
    let options = json!({"dry_run": true, "create_groups": true});
    jobs.start(&id, &options, 202).await;
    jobs.wait_until_divided(&id).await;
    jobs.send(Method::DELETE, &format!("/v1/jobs/{id}"), None, 204).await;
    assert_eq!(jobs.wait_until_ended(&id).await["status"], "stopped");
    let bucket = deployment.cognito.job_bucket(deployment.stack.output("JobBucketName").unwrap());
    let lists = bucket.list(&format!("jobs/{id}/chunks-"), None, 2).await.unwrap().entries;
    let [list] = &lists[..] else { unreachable!("{lists:?}") };
    let correct = bucket.read(list).await.unwrap().unwrap();
    let mut chunks: Value = serde_json::from_slice(&correct).unwrap();
    let count = chunks.as_array().unwrap().len();
    assert!(count > 10, "{count}");
    let result = keys::result(&id.parse().unwrap(), chunks[count - 1]["first_line"].as_u64().unwrap());
    assert_eq!(bucket.version(&result).await.unwrap(), None, "the job was stopped before its last chunk");
    let failures = async || {
        let log = deployment.stack.log(&deployment.aws, "jobs-worker").await.unwrap();
        log.matches(r#""code":"InvalidFile""#).count()
    };
    let before = failures().await;
    chunks[count - 1]["offset"] = json!(1_000_000);
    bucket.replace(list, chunks.to_string().into()).await.unwrap();
    jobs.start(&id, &options, 202).await;
    let ended = jobs.wait_until_ended(&id).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("failed"), &json!("invalid-file")));
    assert_eq!(ended["progress"]["done"], json!(count - 1), "{ended}");
    assert_eq!(failures().await - before, 2, "the last step runs after the failure in the map");
    bucket.replace(list, correct).await.unwrap();
    jobs.start(&id, &options, 202).await;
    let ended = jobs.wait_until_ended(&id).await;
    assert_eq!((&ended["status"], &ended["summary"]["outcomes"]), (&json!("succeeded"), &json!({"created": 1200})));
}

#[tokio::test]
async fn jobs_import_uploaded_files() {
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    let schedule = ("BackupSchedule", "cron(0 3 * * ? *)");
    let parameters = [("Jobs", "true"), ("JobQuotaShare", "100"), ("JobWorkers", "2"), schedule];
    let options = Options { port: None, parameters: pairs(&parameters).collect() };
    let deployment = Box::pin(Deployment::deploy(aws, &options)).await.unwrap();
    let jobs = Jobs::new(&deployment).await;
    let create_groups = json!({"create_groups": true});

    // A file of several chunks, in which one line is wrong and one is about a user of another chunk.
    let id = jobs.upload(&(users("user", 150) + "not JSON\n\n{\"username\": \"USER0\"}\n")).await;
    let started = jobs.start(&id, &create_groups, 202).await;
    assert_eq!((&started["requested_by"], &started["attempts"]), (&json!(FIRST_ADMIN), &json!(1)));
    let ended = jobs.wait_until_ended(&id).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("succeeded"), &json!(null)));
    let results = jobs.results(&id).await;
    let lines: BTreeSet<u64> = results.iter().map(|result| result.line).collect();
    assert_eq!((results.len(), lines.len()), (152, 152));
    assert_eq!(outcomes(&results), [(Outcome::Created, 150), (Outcome::Failed, 2)].into());
    let failed: Vec<_> = results.iter().filter(|result| result.outcome == Outcome::Failed).collect();
    let failed: Vec<_> = failed.iter().map(|result| (result.line, result.code.map(<&str>::from).unwrap())).collect();
    assert_eq!(failed, [(151, "invalid-request"), (153, "duplicate-row")]);
    let summary = &ended["summary"];
    assert_eq!((&summary["rows"], &summary["outcomes"]["created"]), (&json!(152), &json!(150)));
    let progress = &ended["progress"];
    assert!(progress["chunks"].as_u64().unwrap() > 1 && progress["done"] == progress["chunks"], "{progress}");
    let bucket = deployment.cognito.job_bucket(deployment.stack.output("JobBucketName").unwrap());
    let upload = keys::upload(&id.parse::<JobId>().unwrap());
    assert_eq!(bucket.version(&upload).await.unwrap(), None, "the file is deleted");

    // A repeated request changes nothing.
    assert_eq!(jobs.start(&id, &create_groups, 200).await["attempts"], 1);
    jobs.start(&id, &json!({"dry_run": true}), 409).await;

    // CSV, and users who exist.
    let csv = "cognito:username,email,email_verified\nuser1,user1@example.com,TRUE\nanna,anna@example.com,TRUE\n";
    let (ended, results) = jobs.import(csv, &json!({"format": "csv"})).await;
    assert_eq!(ended["status"], "succeeded");
    let results: Vec<_> = results.iter().map(|result| (result.line, result.outcome)).collect();
    assert_eq!(results, [(2, Outcome::Unchanged), (3, Outcome::Created)]);

    // Each kind of change to an existing user. The emulator cannot delete attributes, so that the first row fails.
    let changes = r#"
        {"username": "user1", "attributes": {"name": ""}}
        {"username": "user2", "attributes": {"name": "Ann", "phone_number": "+491512345678", "phone_number_verified": "true"}, "mfa": {"enabled": ["SMS_MFA"]}}
        {"username": "user3", "enabled": false, "groups": ["imported"]}
        {"username": "anna", "password": {"permanent": "Correct-Horse-1"}}
        {"username": "zoe", "password": {"permanent": "Correct-Horse-1"}, "enabled": false}"#;
    let update = json!({"update": true, "trust_user_names": true});
    let (ended, results) = jobs.import(changes, &update).await;
    assert_eq!(ended["status"], "succeeded");
    let results: Vec<_> = results.iter().map(|result| result.outcome).collect();
    assert_eq!(results, [Outcome::Failed, Outcome::Updated, Outcome::Updated, Outcome::Unchanged, Outcome::Created]);
    let (ended, _) = jobs.import(r#"{"username": "user3", "enabled": true}"#, &update).await;
    assert_eq!(ended["summary"]["outcomes"], json!({"updated": 1}));

    // A job that cannot run says why. A restart is a further attempt.
    let id = jobs.upload("username\nmia\n").await;
    for attempts in [1, 2] {
        jobs.start(&id, &json!({"format": "csv"}), 202).await;
        let failed = jobs.wait_until_ended(&id).await;
        assert_eq!((&failed["status"], &failed["attempts"]), (&json!("failed"), &json!(attempts)));
        assert_eq!(failed["error"], "invalid-file");
    }
    let listed = jobs.get("/v1/jobs?limit=10").await;
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 5);

    exports::are_complete(&jobs, &deployment).await;

    a_failed_chunk_is_tolerated(&jobs, &deployment).await;

    // A stopped job. A restart is not tested here: two workers could create a user at the same time, and the emulator
    // would then create the user twice.
    let id = jobs.upload(&users("late", 400)).await;
    jobs.start(&id, &create_groups, 202).await;
    jobs.wait_until_divided(&id).await;
    for _ in 0..2 {
        jobs.send(Method::DELETE, &format!("/v1/jobs/{id}"), None, 204).await;
        assert_eq!(jobs.wait_until_ended(&id).await["status"], "stopped");
    }
    assert!(jobs.results(&id).await.len() < 400);

    let worker = deployment.stack.log(&deployment.aws, "jobs-worker").await.unwrap();
    assert!(worker.contains("chunk imported") && !worker.contains("example.com"), "{worker}");
    let api = deployment.stack.log(&deployment.aws, "jobs-api").await.unwrap();
    assert!(api.contains(&format!("job:{id}")) && !api.contains("uploads/import"), "{api}");
    let exporter = deployment.stack.log(&deployment.aws, "jobs-exporter").await.unwrap();
    assert!(exporter.contains("users exported") && !exporter.contains("example.com"), "{exporter}");
}
