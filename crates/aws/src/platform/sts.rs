//! STS: the account and the identity of given credentials.

use aws_sdk_cognitoidentityprovider::config::Credentials;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use domain::platform::TemporaryCredentials;

use super::Answer;
use crate::Aws;
use crate::failure::Failure;

const OPERATION: &str = "GetCallerIdentity";

#[derive(Debug, Clone)]
pub(super) struct Sts {
    aws: Aws,
}

impl Sts {
    pub(super) fn new(aws: Aws) -> Self {
        Self { aws }
    }

    pub(super) async fn account_id(&self) -> Answer<String> {
        let identity = self.caller(self.aws.sts()).await?;
        identity.account.ok_or_else(|| Failure::missing(OPERATION, "Account").into())
    }

    pub(super) async fn caller_arn(&self, credentials: &TemporaryCredentials) -> Answer<String> {
        let credentials = Credentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose(),
            Some(credentials.session_token.expose().to_owned()),
            None,
            "identity pool",
        );
        let identity = self.caller(self.aws.sts_with(credentials)).await?;
        identity.arn.ok_or_else(|| Failure::missing(OPERATION, "Arn").into())
    }

    async fn caller(&self, client: aws_sdk_sts::Client) -> Answer<GetCallerIdentityOutput> {
        let answer = client.get_caller_identity().send().await;
        answer.map_err(|error| Failure::of(OPERATION, &error).into())
    }
}
