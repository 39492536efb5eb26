//! Linked identities: what is sent to Cognito, and what is made of its refusals.

use domain::user_pool::error::Reason;
use domain::user_pool::identities::{ExternalIdentity, Identities};
use domain::user_pool::user::Username;
use serde_json::json;

use super::fake_aws::{FakeAws, offline_aws};
use super::response;
use crate::CognitoDirectory;

async fn pool(fake: &FakeAws) -> CognitoDirectory {
    offline_aws().await.with_http_client(fake.clone()).directory("pool")
}

fn mia() -> Username {
    "mia".parse().unwrap()
}

fn at(provider: &str) -> ExternalIdentity {
    ExternalIdentity { provider: provider.to_owned(), user_id: "118".to_owned() }
}

#[tokio::test]
async fn a_link_leads_from_the_identity_to_the_user_of_the_pool() {
    let fake = FakeAws::answering([]);
    pool(&fake).await.link(&mia(), &at("Google")).await.unwrap();
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

    pool(&fake).await.unlink(&at("Google")).await.unwrap();
    assert_eq!(fake.sent("AdminDisableProviderForUser"), json!({"UserPoolId": "pool", "User": identity}));
}

/// A pool in which the identity is linked already, and Mia has these identities.
fn linked_already(identities: &'static str) -> FakeAws {
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
async fn linking_again_is_no_error_for_the_same_user_and_one_for_any_other() {
    let same = linked_already(r#"[{"userId":"7","providerName":"SAML"},{"userId":"118","providerName":"Google"}]"#);
    pool(&same).await.link(&mia(), &at("Google")).await.unwrap();
    let others =
        [r#"[{"userId":"119","providerName":"Google"}]"#, r#"[{"userId":"118","providerName":"SAML"}]"#, "[]", ""];
    for identities in others {
        let error = pool(&linked_already(identities)).await.link(&mia(), &at("Google")).await.unwrap_err();
        assert_eq!(error.reason, Reason::AliasExists, "{identities}");
    }
}

#[tokio::test]
async fn refuses_an_identity_that_cannot_be_linked() {
    let has_signed_up =
        "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link";
    let table = [
        ("InvalidParameterException", has_signed_up, Reason::AliasExists),
        ("AliasExistsException", "", Reason::AliasExists),
        ("InvalidParameterException", "The provider Google does not exist for User Pool", Reason::InvalidRequest),
        ("UserNotFoundException", "User does not exist.", Reason::UserNotFound),
        ("LimitExceededException", "", Reason::LimitReached),
    ];
    for (code, message, expected) in table {
        let fake = FakeAws::refusing("AdminLinkProviderForUser", code, message);
        let error = pool(&fake).await.link(&mia(), &at("Google")).await.unwrap_err();
        assert_eq!((error.reason, error.operation), (expected, "AdminLinkProviderForUser"), "{message}");
        assert_eq!(fake.calls("AdminGetUser"), 0, "{message}");
    }
}

#[tokio::test]
async fn refuses_to_take_a_user_of_the_pool_for_an_external_identity() {
    let fake = FakeAws::answering([]);
    for own in ["Cognito", "COGNITO"] {
        let error = pool(&fake).await.unlink(&at(own)).await.unwrap_err();
        assert_eq!(error.reason, Reason::InvalidRequest, "{own}");
        let error = pool(&fake).await.link(&mia(), &at(own)).await.unwrap_err();
        assert_eq!(error.reason, Reason::InvalidRequest, "{own}");
    }
    assert_eq!(fake.calls("AdminDisableProviderForUser"), 0, "it would have locked the user out");
}
