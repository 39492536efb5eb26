//! Implements [`ImportJobs`], the import jobs of one user pool and their logs.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{PasswordHashingAlgorithmType, UserImportJobType};
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::import_jobs::{HashAlgorithm, ImportJob, ImportJobStatus, ImportJobs, NewImportJob};
use domain::user_pool::page::Page;

use crate::clients::UserPoolClients;
use crate::failure::Failure;
use crate::http_requests::{HttpRequestError, HttpRequests};

/// The maximum page size of `ListUserImportJobs`.
const LARGEST_PAGE: i32 = 60;

/// How long an upload of 100 MB can take. The URL is valid for 15 minutes.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// The header that Cognito's presigned URLs require.
const ENCRYPTION: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");

/// The import jobs of one user pool.
#[derive(Debug, Clone)]
pub struct CognitoImportJobs {
    client: Client,
    /// Sends the requests that are not safe to repeat.
    once: Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    http: HttpRequests,
    user_pool_id: String,
}

impl CognitoImportJobs {
    pub(crate) fn new(
        clients: impl Into<UserPoolClients>,
        logs: aws_sdk_cloudwatchlogs::Client,
        user_pool_id: &str,
    ) -> Self {
        let UserPoolClients { client, once } = clients.into();
        Self { client, once, logs, http: HttpRequests::to_any_server(), user_pool_id: user_pool_id.to_owned() }
    }
}

#[async_trait]
impl ImportJobs for CognitoImportJobs {
    async fn csv_header(&self) -> Result<Vec<String>, UserPoolError> {
        const OPERATION: &str = "GetCSVHeader";
        let answer = self.client.get_csv_header().user_pool_id(&self.user_pool_id).send().await;
        let answer = answer.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(answer.csv_header.ok_or_else(|| Failure::missing(OPERATION, "CSVHeader"))?)
    }

    async fn create_job(&self, job: &NewImportJob) -> Result<(ImportJob, Secret), UserPoolError> {
        const OPERATION: &str = "CreateUserImportJob";
        let request = self
            .once
            .create_user_import_job()
            .user_pool_id(&self.user_pool_id)
            .job_name(&job.name)
            .cloud_watch_logs_role_arn(&job.role_arn)
            .set_password_hashing_algorithm(job.algorithm.map(to_algorithm));
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let mut created = answer.user_import_job.ok_or_else(|| Failure::missing(OPERATION, "UserImportJob"))?;
        let url = created.pre_signed_url.take().ok_or_else(|| Failure::missing(OPERATION, "PreSignedUrl"))?;
        Ok((to_job(OPERATION, created)?, Secret::new(url)))
    }

    async fn upload(&self, url: &Secret, csv: &Secret) -> Result<(), UserPoolError> {
        let (name, value) = ENCRYPTION;
        let headers = [(name, value.to_owned())];
        let sent = self.http.upload(url.expose(), &headers, csv.expose().as_bytes().to_vec(), UPLOAD_TIMEOUT).await;
        sent.map_err(|error| {
            let reason = match &error {
                HttpRequestError::Timeout(_) => Reason::DeadlineExceeded,
                HttpRequestError::Connection(_) | HttpRequestError::Status(500..) => Reason::Unavailable,
                _ => Reason::Internal,
            };
            UserPoolError { source: Some(Box::new(error)), ..UserPoolError::new("upload of the import file", reason) }
        })
    }

    async fn start_job(&self, id: &str) -> Result<(), UserPoolError> {
        let request = self.once.start_user_import_job().user_pool_id(&self.user_pool_id).job_id(id);
        request.send().await.map_err(|error| Failure::of("StartUserImportJob", &error))?;
        Ok(())
    }

    async fn job(&self, id: &str) -> Result<ImportJob, UserPoolError> {
        const OPERATION: &str = "DescribeUserImportJob";
        let request = self.client.describe_user_import_job().user_pool_id(&self.user_pool_id).job_id(id);
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        to_job(OPERATION, answer.user_import_job.ok_or_else(|| Failure::missing(OPERATION, "UserImportJob"))?)
    }

    async fn jobs(&self, after: Option<&str>) -> Result<Page<ImportJob>, UserPoolError> {
        const OPERATION: &str = "ListUserImportJobs";
        let request = self.client.list_user_import_jobs().user_pool_id(&self.user_pool_id).max_results(LARGEST_PAGE);
        let answer = request.set_pagination_token(after.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| Failure::of(OPERATION, &error))?;
        let jobs = answer.user_import_jobs.unwrap_or_default().into_iter();
        let entries = jobs.map(|job| to_job(OPERATION, job)).collect::<Result<_, _>>()?;
        Ok(Page { entries, next: answer.pagination_token })
    }

    async fn log(&self, group: &str, stream: &str, after: Option<&str>) -> Result<Page<String>, UserPoolError> {
        let request = self.logs.get_log_events().log_group_name(group).log_stream_name(stream).start_from_head(true);
        let answer = request.set_next_token(after.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| Failure::of("GetLogEvents", &error))?;
        let entries = answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message).collect();
        // At the end of the stream, CloudWatch Logs returns the token of the request.
        Ok(Page { entries, next: answer.next_forward_token.filter(|next| Some(next.as_str()) != after) })
    }
}

fn to_algorithm(algorithm: HashAlgorithm) -> PasswordHashingAlgorithmType {
    match algorithm {
        HashAlgorithm::Bcrypt => PasswordHashingAlgorithmType::Bcrypt,
        HashAlgorithm::Scrypt => PasswordHashingAlgorithmType::Scrypt,
        HashAlgorithm::Argon2id => PasswordHashingAlgorithmType::Argon2Id,
        HashAlgorithm::Pbkdf2Sha256 => PasswordHashingAlgorithmType::Pbkdf2Sha256,
    }
}

fn to_job(operation: &'static str, job: UserImportJobType) -> Result<ImportJob, UserPoolError> {
    let missing = |field| Failure::missing(operation, field);
    let status = job.status.ok_or_else(|| missing("Status"))?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(ImportJob {
        id: job.job_id.ok_or_else(|| missing("JobId"))?,
        name: job.job_name.ok_or_else(|| missing("JobName"))?,
        status: status.as_str().parse().unwrap_or_else(|_| ImportJobStatus::Other(status.as_str().to_owned())),
        imported: count(job.imported_users),
        skipped: count(job.skipped_users),
        failed: count(job.failed_users),
        message: job.completion_message,
    })
}
