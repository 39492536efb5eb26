//! Tests the requests and parsed responses of import jobs. The emulators do not support them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use domain::secret::Secret;
use domain::user_pool::error::Reason;
use domain::user_pool::import_jobs::{HashAlgorithm, ImportJob, ImportJobStatus, ImportJobs as _, NewImportJob};
use domain::user_pool::page::Page;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use crate::CognitoImportJobs;

/// The oracle compares this file with the service models of AWS.
const REQUESTS: &str = include_str!("../../../testkit/oracle/import_jobs.json");

const ROLE: &str = "arn:aws:iam::111122223333:role/import-logs";

async fn jobs(fake: &FakeAws) -> CognitoImportJobs {
    offline_aws().await.with_http_client(fake.clone()).import_jobs("eu-west-1_Ab12Cd34E")
}

/// A job as in the examples of the guide.
fn job(status: &str) -> Value {
    json!({
        "JobName": "poolkeeper-1", "JobId": "import-mAgUtd8PMm", "UserPoolId": "eu-west-1_Ab12Cd34E",
        "PreSignedUrl": "https://example.com/?X-Amz-Signature=canary", "CreationDate": 1_442_434_242.4,
        "Status": status, "CloudWatchLogsRoleArn": ROLE, "ImportedUsers": 2, "SkippedUsers": 3, "FailedUsers": 4,
        "CompletionMessage": "Too many users have failed or been skipped during the import.",
    })
}

fn parsed(status: ImportJobStatus) -> ImportJob {
    ImportJob {
        id: "import-mAgUtd8PMm".to_owned(),
        name: "poolkeeper-1".to_owned(),
        status,
        imported: 2,
        skipped: 3,
        failed: 4,
        message: Some("Too many users have failed or been skipped during the import.".to_owned()),
    }
}

fn new(algorithm: Option<HashAlgorithm>) -> NewImportJob {
    NewImportJob { name: "poolkeeper-1".to_owned(), role_arn: ROLE.to_owned(), algorithm }
}

#[tokio::test]
async fn sends_the_requests_of_the_golden_file() {
    let fake = FakeAws::answering([
        ("CreateUserImportJob", json!({"UserImportJob": job("Created")})),
        ("DescribeUserImportJob", json!({"UserImportJob": job("Failed")})),
        ("GetCSVHeader", json!({"CSVHeader": ["cognito:username"]})),
    ]);
    let jobs = jobs(&fake).await;
    for algorithm in
        [HashAlgorithm::Bcrypt, HashAlgorithm::Scrypt, HashAlgorithm::Argon2id, HashAlgorithm::Pbkdf2Sha256]
    {
        jobs.create_job(&new(Some(algorithm))).await.unwrap();
    }
    jobs.create_job(&new(None)).await.unwrap();
    jobs.start_job("import-mAgUtd8PMm").await.unwrap();
    jobs.job("import-mAgUtd8PMm").await.unwrap();
    jobs.jobs(Some("token")).await.unwrap();
    jobs.csv_header().await.unwrap();
    for token in [None, Some("f/1")] {
        jobs.log("/aws/cognito/userpools/1/shop", "import-1/job", token).await.unwrap();
    }
    let expected: Vec<(String, Value)> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(fake.requests(), expected);
}

#[tokio::test]
async fn reads_jobs_and_the_upload_url() {
    let fake = FakeAws::answering([
        ("CreateUserImportJob", json!({"UserImportJob": job("Created")})),
        ("DescribeUserImportJob", json!({"UserImportJob": job("Failed")})),
        ("ListUserImportJobs", json!({"UserImportJobs": [job("InProgress")], "PaginationToken": "next"})),
        ("GetCSVHeader", json!({"UserPoolId": "eu-west-1_Ab12Cd34E", "CSVHeader": ["cognito:username", "email"]})),
    ]);
    let jobs = jobs(&fake).await;
    let (created, url) = jobs.create_job(&new(None)).await.unwrap();
    assert_eq!(created, parsed(ImportJobStatus::Created));
    assert_eq!(url.expose(), "https://example.com/?X-Amz-Signature=canary");
    assert_eq!(jobs.job("import-1").await.unwrap(), parsed(ImportJobStatus::Failed));
    let page = jobs.jobs(None).await.unwrap();
    assert_eq!(page, Page { entries: vec![parsed(ImportJobStatus::InProgress)], next: Some("next".to_owned()) });
    assert_eq!(jobs.csv_header().await.unwrap(), ["cognito:username", "email"]);
}

#[tokio::test]
async fn a_response_without_a_job_is_an_error() {
    let fake = FakeAws::answering([("DescribeUserImportJob", json!({"UserImportJob": {"JobId": "import-1"}}))]);
    let jobs = jobs(&fake).await;
    assert_eq!(jobs.create_job(&new(None)).await.unwrap_err().reason, Reason::Internal);
    assert_eq!(jobs.job("import-1").await.unwrap_err().reason, Reason::Internal);
    assert_eq!(jobs.csv_header().await.unwrap_err().reason, Reason::Internal);
}

/// At the end of a stream, CloudWatch Logs returns the token of the request.
#[tokio::test]
async fn a_log_ends_with_a_repeated_token() {
    let events = json!([{"timestamp": 1, "message": "[SUCCEEDED] Line Number 1 - The import succeeded."}]);
    let fake = FakeAws::answering([("GetLogEvents", json!({"events": events, "nextForwardToken": "f/1"}))]);
    let jobs = jobs(&fake).await;
    let page = jobs.log("/aws/cognito/userpools/1/shop", "import-1/job", None).await.unwrap();
    assert_eq!((page.entries.len(), page.next.as_deref()), (1, Some("f/1")));
    assert_eq!(jobs.log("/aws/cognito/userpools/1/shop", "import-1/job", Some("f/1")).await.unwrap().next, None);
}

/// Uploads a file to a server that responds with this status line, and returns the request.
async fn upload(status: &str) -> (Result<(), domain::user_pool::error::UserPoolError>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file?X-Amz-Signature=canary", listener.local_addr().unwrap());
    let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nlocation: http://127.0.0.1:1/\r\n\r\n");
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"mia\n") {
            let mut part = [0; 4096];
            let length = connection.read(&mut part).unwrap();
            request.extend_from_slice(&part[..length]);
        }
        connection.write_all(response.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let jobs = jobs(&FakeAws::answering([])).await;
    let uploaded = jobs.upload(&Secret::new(url), &Secret::new("cognito:username\nmia\n")).await;
    (uploaded, server.join().unwrap())
}

#[tokio::test]
async fn a_file_is_uploaded_with_the_encryption_of_cognito() {
    let (uploaded, request) = upload("200 OK").await;
    uploaded.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "cognito:username\nmia\n");
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("PUT /file?X-Amz-Signature=canary HTTP/1.1"));
    let mut headers: Vec<_> = lines.filter(|line| !line.starts_with("host: ")).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["content-length: 21", "x-amz-server-side-encryption: aws:kms"]);
}

#[tokio::test]
async fn a_rejected_upload_follows_no_redirect_and_reveals_no_url() {
    for (status, reason) in [
        ("307 Temporary Redirect", Reason::Internal),
        ("403 Forbidden", Reason::Internal),
        ("503 Slow Down", Reason::Unavailable),
    ] {
        let error = upload(status).await.0.unwrap_err();
        assert_eq!(error.reason, reason, "{status}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
