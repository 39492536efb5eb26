//! Implements the ports of jobs with an S3 bucket and a Step Functions state machine.

mod bucket;
mod state_machine;

use domain::jobs::StoreError;

pub use bucket::JobBucket;
pub use state_machine::JobStateMachine;

use crate::Aws;
use crate::failure::{Failure, Kind};

impl Aws {
    /// Returns the files of jobs in the bucket with this name.
    #[must_use]
    pub fn job_bucket(&self, name: &str) -> JobBucket {
        JobBucket::new(&self.config, name)
    }

    /// Returns the executions of the state machine with this ARN.
    #[must_use]
    pub fn job_state_machine(&self, arn: &str) -> JobStateMachine {
        JobStateMachine::new(&self.config, arn)
    }
}

fn unavailable(failure: Failure) -> StoreError {
    let (operation, is_denied) = (failure.operation, has_code(&failure, &["AccessDenied", "AccessDeniedException"]));
    let source = Box::new(failure);
    if is_denied { StoreError::Forbidden { operation, source } } else { StoreError::Unavailable { operation, source } }
}

/// Whether the service returned one of these codes.
fn has_code(failure: &Failure, codes: &[&str]) -> bool {
    matches!(&failure.kind, Kind::Service { code, .. } if codes.contains(&code.as_str()))
}

/// Whether the service returned this HTTP status. Responses to `HEAD` have no body with a code.
fn has_status(failure: &Failure, expected: u16) -> bool {
    matches!(failure.kind, Kind::Service { status, .. } if status == expected)
}
