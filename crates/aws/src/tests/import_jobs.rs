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
async fn a_job_is_created_with_role_and_algorithm() {
    let fake = FakeAws::answering([("CreateUserImportJob", json!({"UserImportJob": job("Created")}))]);
    let jobs = jobs(&fake).await;
    for (algorithm, name) in [
        (HashAlgorithm::Bcrypt, "BCRYPT"),
        (HashAlgorithm::Scrypt, "SCRYPT"),
        (HashAlgorithm::Argon2id, "ARGON2ID"),
        (HashAlgorithm::Pbkdf2Sha256, "PBKDF2_SHA256"),
    ] {
        let (created, url) = jobs.create_job(&new(Some(algorithm))).await.unwrap();
        assert_eq!(created, parsed(ImportJobStatus::Created));
        assert_eq!(url.expose(), "https://example.com/?X-Amz-Signature=canary");
        assert_eq!(
            fake.sent("CreateUserImportJob"),
            json!({
                "UserPoolId": "eu-west-1_Ab12Cd34E", "JobName": "poolkeeper-1", "CloudWatchLogsRoleArn": ROLE,
                "PasswordHashingAlgorithm": name,
            })
        );
    }
    jobs.create_job(&new(None)).await.unwrap();
    assert!(fake.sent("CreateUserImportJob").get("PasswordHashingAlgorithm").is_none());
}

#[tokio::test]
async fn jobs_are_started_read_and_listed_by_id() {
    let list = json!({"UserImportJobs": [job("InProgress")], "PaginationToken": "next"});
    let fake = FakeAws::answering([
        ("DescribeUserImportJob", json!({"UserImportJob": job("Failed")})),
        ("ListUserImportJobs", list),
        ("GetCSVHeader", json!({"UserPoolId": "eu-west-1_Ab12Cd34E", "CSVHeader": ["cognito:username", "email"]})),
    ]);
    let jobs = jobs(&fake).await;
    let by_id = json!({"UserPoolId": "eu-west-1_Ab12Cd34E", "JobId": "import-1"});
    jobs.start_job("import-1").await.unwrap();
    assert_eq!(fake.sent("StartUserImportJob"), by_id);
    assert_eq!(jobs.job("import-1").await.unwrap(), parsed(ImportJobStatus::Failed));
    assert_eq!(fake.sent("DescribeUserImportJob"), by_id);
    let page = jobs.jobs(Some("token")).await.unwrap();
    assert_eq!(page, Page { entries: vec![parsed(ImportJobStatus::InProgress)], next: Some("next".to_owned()) });
    let request = json!({"UserPoolId": "eu-west-1_Ab12Cd34E", "MaxResults": 60, "PaginationToken": "token"});
    assert_eq!(fake.sent("ListUserImportJobs"), request);
    assert_eq!(jobs.csv_header().await.unwrap(), ["cognito:username", "email"]);
    assert_eq!(fake.sent("GetCSVHeader"), json!({"UserPoolId": "eu-west-1_Ab12Cd34E"}));
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
    let group = "/aws/cognito/userpools/1/shop";
    let request = json!({"logGroupName": group, "logStreamName": "import-1/job", "startFromHead": true});
    assert_eq!(fake.sent("GetLogEvents"), request);
    assert_eq!(jobs.log(group, "import-1/job", Some("f/1")).await.unwrap().next, None);
    assert_eq!(fake.sent("GetLogEvents")["nextToken"], "f/1");
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
