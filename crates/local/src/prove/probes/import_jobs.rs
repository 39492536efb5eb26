//! The columns of import jobs. No job is created.

use domain::user_pool::error::Reason;
use domain::user_pool::import_jobs::ImportJobs as _;
use domain::user_pool::user::CREATION_ATTRIBUTE;

use super::{Claim, Observed, ProbeContext, only_on_aws};
use crate::failure::Failure;

pub(super) const COLUMNS: Claim =
    only_on_aws("The columns of import jobs contain the attribute that proves who created a user");

/// The statement without a probe.
pub(super) const HASHES: &str = "Import jobs of Cognito create users with password hashes";

pub(super) async fn columns(context: &ProbeContext<'_>) -> Result<Observed, Failure> {
    let jobs = context.deployment.aws.cognito.import_jobs(context.deployment.stack.output("UserPoolId")?);
    let columns = match jobs.csv_header().await {
        Ok(columns) => columns,
        Err(error) if error.reason == Reason::NotSupportedByEndpoint => {
            return Ok(Observed::that(false, "the endpoint does not support import jobs"));
        }
        Err(error) => return Err(error.into()),
    };
    let contains = |column: &str| columns.iter().any(|name| name == column);
    let hash = if contains("password_hash") { "with" } else { "without" };
    Ok(Observed::that(contains(CREATION_ATTRIBUTE), format!("{} columns, {hash} password_hash", columns.len())))
}
