//! Lambda functions of triggers.

use aws_sdk_lambda::Client;
use domain::doctor::Function;
use serde_json::Value;

use super::{Answer, none_if_absent};
use crate::failure::Failure;

/// The segments of a function's ARN before the version or alias.
const ARN_SEGMENTS: usize = 7;

#[derive(Debug, Clone)]
pub(super) struct Functions {
    client: Client,
}

impl Functions {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Returns a function, or `None` if it does not exist or is deleted during the calls.
    pub(super) async fn find(&self, arn: &str) -> Answer<Option<Function>> {
        let answer = self.client.get_function_configuration().function_name(arn).send().await;
        let answer = answer.map_err(|error| Failure::of("GetFunctionConfiguration", &error).into());
        let Some(configuration) = none_if_absent(answer)? else { return Ok(None) };
        let Some(reserved_concurrency) = self.reserved_concurrency(arn).await? else { return Ok(None) };
        Ok(Some(Function {
            state: configuration.state.map(|state| state.as_str().to_owned()),
            last_update_status: configuration.last_update_status.map(|status| status.as_str().to_owned()),
            reserved_concurrency,
            policy: self.policy(arn).await?,
        }))
    }

    async fn reserved_concurrency(&self, arn: &str) -> Answer<Option<Option<i32>>> {
        let segments: Vec<&str> = arn.split(':').take(ARN_SEGMENTS).collect();
        let answer = self.client.get_function_concurrency().function_name(segments.join(":")).send().await;
        let answer = none_if_absent(answer.map_err(|error| Failure::of("GetFunctionConcurrency", &error).into()))?;
        Ok(answer.map(|answer| answer.reserved_concurrent_executions))
    }

    /// Returns the resource policy, or null if there is none.
    async fn policy(&self, arn: &str) -> Answer<Value> {
        let answer = self.client.get_policy().function_name(arn).send().await;
        let answer = none_if_absent(answer.map_err(|error| Failure::of("GetPolicy", &error).into()))?;
        let policy = answer.and_then(|answer| answer.policy).unwrap_or_default();
        // An unreadable policy permits nothing.
        Ok(serde_json::from_str(&policy).unwrap_or_default())
    }
}
