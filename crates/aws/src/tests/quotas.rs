//! Tests the request and parsed response of quotas.

use domain::user_pool::error::Reason;
use domain::user_pool::quota::{Category, RequestQuotas as _};
use serde_json::json;

use super::fake_aws::FakeAws;
use super::pool;

#[tokio::test]
async fn reads_the_provisioned_quota_of_one_category() {
    let limit = json!({"ProvisionedLimitValue": 75, "FreeLimitValue": 50});
    let fake = FakeAws::answering([("GetProvisionedLimit", json!({ "Limit": limit }))]);
    assert_eq!(pool(&fake).await.provisioned(Category::UserCreation).await.unwrap(), 75);
    let definition = json!({"LimitClass": "API_CATEGORY", "Attributes": {"Category": "UserCreation"}});
    assert_eq!(fake.sent("GetProvisionedLimit"), json!({ "LimitDefinition": definition }));
}

#[tokio::test]
async fn a_response_without_a_quota_is_an_error() {
    for answer in [json!({}), json!({"Limit": {"ProvisionedLimitValue": 0, "FreeLimitValue": 50}})] {
        let fake = FakeAws::answering([("GetProvisionedLimit", answer.clone())]);
        let error = pool(&fake).await.provisioned(Category::UserRead).await.unwrap_err();
        assert_eq!(error.reason, Reason::Internal, "{answer}");
    }
}
