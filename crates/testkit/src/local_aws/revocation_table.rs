//! The table of revocations, for tests that deploy no stack.

use super::{LocalAws, LocalAwsError, Tooling as _};

/// Creates the table as template.yaml does.
const CREATE: &str = r#"
import boto3, sys
boto3.client("dynamodb").create_table(
    TableName=sys.argv[1], BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "scope", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "scope", "KeyType": "HASH"}])
"#;

impl LocalAws {
    /// Creates an empty table of revocations.
    ///
    /// # Errors
    /// Returns an error if the emulator rejects the table.
    pub async fn create_revocation_table(&self, name: &str) -> Result<(), LocalAwsError> {
        let created = self.run("python", &["-c", CREATE, name], None).await?;
        if created.succeeded { Ok(()) } else { Err(LocalAwsError::Unreadable(created.last_lines())) }
    }
}
