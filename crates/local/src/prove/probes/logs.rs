//! The levels of the log lines in the account.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::{Claim, Observed, ProbeContext, only_on_aws};
use crate::failure::Failure;

pub(super) const LEVELS: Claim = only_on_aws("CloudWatch receives log lines of level INFO, and none of lower levels");

/// The maximum number of reads, one every two seconds, until the logs contain a line.
const ATTEMPTS: u32 = 15;

pub(super) async fn levels(context: &ProbeContext<'_>) -> Result<Observed, Failure> {
    let prefix = format!("/aws/lambda/{}", context.deployment.pool());
    let mut counts = Value::Null;
    for _ in 0..ATTEMPTS {
        counts = context.deployment.aws.script(&["levels", &prefix], None).await?;
        if counts["INFO"].is_number() {
            break;
        }
        sleep(Duration::from_secs(2)).await;
    }
    let known = ["INFO", "WARN", "ERROR", "platform"];
    let levels = counts.as_object().into_iter().flatten();
    let holds = counts["INFO"].is_number() && levels.clone().all(|(level, _)| known.contains(&level.as_str()));
    Ok(Observed::that(holds, format!("lines by level: {counts}")))
}
