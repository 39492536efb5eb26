//! Implements [`Executions`] with a Step Functions state machine.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus as Status;
use domain::jobs::{Execution, ExecutionStatus, Executions, StoreError};
use domain::user_pool::page::{Page, PageRequest};

use super::{has_code, unavailable};
use crate::failure::Failure;
use crate::users::to_time;

/// The state machine.
#[derive(Debug, Clone)]
pub struct JobStateMachine {
    client: Client,
    arn: String,
}

const START: &str = "StartExecution";
const DESCRIBE: &str = "DescribeExecution";
const LIST: &str = "ListExecutions";
const STOP: &str = "StopExecution";

impl JobStateMachine {
    pub(crate) fn new(config: &SdkConfig, arn: &str) -> Self {
        Self { client: Client::new(config), arn: arn.to_owned() }
    }

    /// The ARN of an execution differs from that of its state machine in the resource type and in the name at its end.
    fn execution(&self, name: &str) -> String {
        format!("{}:{name}", self.arn.replacen(":stateMachine:", ":execution:", 1))
    }
}

#[async_trait]
impl Executions for JobStateMachine {
    async fn start(&self, name: &str, input: &str) -> Result<bool, StoreError> {
        let request = self.client.start_execution().state_machine_arn(&self.arn).name(name).input(input);
        match request.send().await.map_err(|error| Failure::of(START, &error)) {
            Ok(_) => Ok(true),
            Err(failure) if has_code(&failure, &["ExecutionAlreadyExists"]) => Ok(false),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn find(&self, name: &str) -> Result<Option<Execution>, StoreError> {
        let answer = self.client.describe_execution().execution_arn(self.execution(name)).send().await;
        match answer.map_err(|error| Failure::of(DESCRIBE, &error)) {
            Ok(answer) => {
                let started_at = to_time(answer.start_date);
                Ok(Some(Execution {
                    status: status(&answer.status),
                    input: answer.input.unwrap_or_default(),
                    started_at: started_at.ok_or_else(|| unavailable(Failure::missing(DESCRIBE, "startDate")))?,
                    ended_at: answer.stop_date.and_then(to_time),
                    error: answer.error,
                }))
            }
            Err(failure) if has_code(&failure, &["ExecutionDoesNotExist"]) => Ok(None),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<String>, StoreError> {
        let request = self.client.list_executions().state_machine_arn(&self.arn).max_results(page.limit.into());
        let answer = request.set_next_token(page.after.clone()).send().await;
        let answer = answer.map_err(|error| match Failure::of(LIST, &error) {
            failure if has_code(&failure, &["InvalidToken"]) => StoreError::ExpiredPosition,
            failure => unavailable(failure),
        })?;
        let entries = answer.executions.into_iter().map(|execution| execution.name).collect();
        Ok(Page { entries, next: answer.next_token })
    }

    async fn stop(&self, name: &str) -> Result<bool, StoreError> {
        let answer = self.client.stop_execution().execution_arn(self.execution(name)).send().await;
        match answer.map_err(|error| Failure::of(STOP, &error)) {
            Ok(_) => Ok(true),
            // AWS does not document the answer for an execution that ended.
            Err(failure) if has_code(&failure, &["ExecutionDoesNotExist", "ValidationException"]) => Ok(false),
            Err(failure) => Err(unavailable(failure)),
        }
    }
}

fn status(status: &Status) -> ExecutionStatus {
    match status {
        Status::Running | Status::PendingRedrive => ExecutionStatus::Running,
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Aborted => ExecutionStatus::Aborted,
        _ => ExecutionStatus::Failed,
    }
}
