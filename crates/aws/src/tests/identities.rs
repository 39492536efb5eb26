//! Tests the requests and errors of linked identities.

use domain::user_pool::error::Reason;
use domain::user_pool::identities::{ExternalIdentity, Identities};
use serde_json::json;

use super::fake_aws::FakeAws;
use super::{mia, pool, response};

fn external_identity(provider: &str) -> ExternalIdentity {
    ExternalIdentity { provider: provider.to_owned(), user_id: "118".to_owned() }
}

#[tokio::test]
async fn links_and_unlinks_an_identity() {
    let fake = FakeAws::answering([]);
    pool(&fake).await.link(&mia(), &external_identity("Google")).await.unwrap();
    let identity = json!({
        "ProviderName": "Google",
        "ProviderAttributeName": "Cognito_Subject",
        "ProviderAttributeValue": "118",
    });
    let expected = json!({
        "UserPoolId": "pool",
        "DestinationUser": {"ProviderName": "Cognito", "ProviderAttributeValue": "mia"},
        "SourceUser": identity,
    });
    assert_eq!(fake.sent("AdminLinkProviderForUser"), expected);

    pool(&fake).await.unlink(&external_identity("Google")).await.unwrap();
    assert_eq!(fake.sent("AdminDisableProviderForUser"), json!({"UserPoolId": "pool", "User": identity}));
}

/// Returns a pool that rejects the link as a duplicate, and in which the user has these identities.
fn already_linked(identities: &'static str) -> FakeAws {
    FakeAws::new(move |operation| {
        if operation == "AdminGetUser" {
            let attributes = json!([{"Name": "identities", "Value": identities}]);
            return Ok(response(200, json!({"Username": "mia", "UserAttributes": attributes}).to_string()));
        }
        let message = "SourceUser is already linked to DestinationUser";
        Ok(response(400, json!({"__type": "InvalidParameterException", "message": message}).to_string()))
    })
}

#[tokio::test]
async fn linking_again_succeeds_only_for_the_same_user() {
    let same = already_linked(r#"[{"userId":"7","providerName":"SAML"},{"userId":"118","providerName":"Google"}]"#);
    pool(&same).await.link(&mia(), &external_identity("Google")).await.unwrap();
    let others =
        [r#"[{"userId":"119","providerName":"Google"}]"#, r#"[{"userId":"118","providerName":"SAML"}]"#, "[]", ""];
    for identities in others {
        let error =
            pool(&already_linked(identities)).await.link(&mia(), &external_identity("Google")).await.unwrap_err();
        assert_eq!(error.reason, Reason::AliasExists, "{identities}");
    }
}

#[tokio::test]
async fn rejects_identities_that_cannot_be_linked() {
    let has_signed_up =
        "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link";
    let table = [
        (has_signed_up, Reason::AliasExists),
        ("The provider Google does not exist for User Pool", Reason::InvalidRequest),
    ];
    for (message, expected) in table {
        let fake = FakeAws::rejecting("AdminLinkProviderForUser", "InvalidParameterException", message);
        let error = pool(&fake).await.link(&mia(), &external_identity("Google")).await.unwrap_err();
        assert_eq!((error.reason, error.operation), (expected, "AdminLinkProviderForUser"), "{message}");
        assert_eq!(fake.calls("AdminGetUser"), 0, "{message}");
    }
}

#[tokio::test]
async fn rejects_cognito_as_an_external_provider() {
    let fake = FakeAws::answering([]);
    for provider in ["Cognito", "COGNITO"] {
        let error = pool(&fake).await.unlink(&external_identity(provider)).await.unwrap_err();
        assert_eq!(error.reason, Reason::InvalidRequest, "{provider}");
        let error = pool(&fake).await.link(&mia(), &external_identity(provider)).await.unwrap_err();
        assert_eq!(error.reason, Reason::InvalidRequest, "{provider}");
    }
    assert_eq!(fake.calls("AdminDisableProviderForUser"), 0, "this call would disable the user");
}
