//! Implements [`RequestQuotas`], the request rate quotas of the account.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::{LimitClass, LimitDefinitionType};
use domain::user_pool::error::UserPoolError;
use domain::user_pool::quota::{Category, RequestQuotas};

use crate::CognitoDirectory;
use crate::failure::Failure;

#[async_trait]
impl RequestQuotas for CognitoDirectory {
    async fn provisioned(&self, category: Category) -> Result<u32, UserPoolError> {
        const OPERATION: &str = "GetProvisionedLimit";
        let definition = LimitDefinitionType::builder()
            .limit_class(LimitClass::ApiCategory)
            .attributes("Category", <&str>::from(category))
            .build()
            .map_err(|_| Failure::missing(OPERATION, "LimitDefinition"))?;
        let request = self.client.get_provisioned_limit().limit_definition(definition);
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let limit = answer.limit.ok_or_else(|| Failure::missing(OPERATION, "Limit"))?;
        let quota = u32::try_from(limit.provisioned_limit_value).ok().filter(|quota| *quota > 0);
        Ok(quota.ok_or_else(|| Failure::missing(OPERATION, "ProvisionedLimitValue"))?)
    }
}
