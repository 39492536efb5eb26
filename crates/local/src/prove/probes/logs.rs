//! The log lines that arrive in the account, by level.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::{Observed, Probing, Question, only_on_aws};
use crate::failure::Failure;

pub(super) const LEVELS: Question = only_on_aws("Lines of level INFO reach CloudWatch, and none below it");

/// How often the logs are read until they show something, once in two seconds: they lag behind.
const ATTEMPTS: u32 = 15;

pub(super) async fn levels(probing: &Probing<'_>) -> Result<Observed, Failure> {
    let prefix = format!("/aws/lambda/{}", probing.scene.pool());
    let mut counts = Value::Null;
    for _ in 0..ATTEMPTS {
        counts = probing.scene.aws.script(&["levels", &prefix], None).await?;
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
