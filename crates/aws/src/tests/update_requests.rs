//! Updates a resource in which every field of the service model is set, and checks that the request preserves it. A new
//! field in the model fails these tests until the adapter copies it or [`Update::decided`] lists it.

use std::collections::BTreeSet;

use domain::platform::{ClientState, IdentityPoolState, Platform, UserPoolState};
use domain::spec::{ClientKind, ClientSpec, MfaMode, PoolAttributes, Spec};
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws, success};
use super::response;
use super::sdk_source::{Member, Sdk};
use crate::AwsPlatform;

/// An update and the fields that it can change.
struct Update {
    operation: &'static str,
    input: Vec<Member>,
    /// The operation that reads the resource, and its response.
    read: &'static str,
    answer: Value,
    /// The resource in the response.
    current: Value,
    /// Fields with another name in the response: (request, response).
    renamed: &'static [(&'static str, &'static str)],
    /// Fields that the spec sets. Nested fields are separated by dots.
    decided: &'static [&'static str],
    /// The file to which a missing field must be added.
    file: &'static str,
}

impl Update {
    /// Returns the fields that the update does not preserve.
    async fn lost(&self, update: impl AsyncFnOnce(AwsPlatform)) -> Vec<String> {
        let (read, answer) = (self.read, self.answer.to_string());
        let fake = FakeAws::new(move |operation| {
            Ok(if operation == read { response(200, answer.clone()) } else { success(operation) })
        });
        update(offline_aws().await.with_http_client(fake.clone()).platform()).await;
        let sent = fake.sent(self.operation);

        let mut lost = Vec::new();
        for Member { name, .. } in &self.input {
            let renamed = self.renamed.iter().find(|(here, _)| here == name);
            match self.current.get(renamed.map_or(name.as_str(), |(_, there)| *there)) {
                Some(current) => self.compare(name, current, sent.get(name), &mut lost),
                None if self.decided.contains(&name.as_str()) => {}
                None => lost.push(format!(
                    "{} has a new field `{name}` that {} does not return: decide its value and add it to `decided`",
                    self.operation, self.read
                )),
            }
        }
        let known: BTreeSet<&str> = self.input.iter().map(|member| member.name.as_str()).collect();
        for path in self.decided {
            let field = path.split('.').next().unwrap();
            assert!(known.contains(field), "{} has no field `{field}`; remove it from `decided`", self.operation);
        }
        lost
    }

    fn compare(&self, path: &str, current: &Value, sent: Option<&Value>, lost: &mut Vec<String>) {
        match (current, sent) {
            (_, None) => {
                lost.push(format!("{} has a new field `{path}`: copy it in {}", self.operation, self.file));
            }
            (_, Some(_)) if self.decided.contains(&path) => {}
            (Value::Object(fields), Some(sent)) => {
                for (name, current) in fields {
                    self.compare(&format!("{path}.{name}"), current, sent.get(name), lost);
                }
            }
            (current, Some(sent)) if current == sent => {}
            (current, Some(sent)) => {
                lost.push(format!("{}: `{path}` was {current} and is sent as {sent}", self.operation));
            }
        }
    }
}

fn spec() -> Spec {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let spec = json!({"name": "shop", "pre_sign_up_function_arn": function, "user_migration_function_arn": function});
    serde_json::from_value(spec).unwrap()
}

#[tokio::test]
async fn user_pool_update_preserves_every_field_of_the_model() {
    let sdk = Sdk::of("cognitoidentityprovider");
    let current = sdk.complete(&sdk.members_of_type("UserPoolType"));
    let update = Update {
        operation: "UpdateUserPool",
        input: sdk.members_of_operation("UpdateUserPool", "Input"),
        read: "DescribeUserPool",
        answer: json!({ "UserPool": current }),
        current,
        renamed: &[("UserPoolId", "Id"), ("PoolName", "Name")],
        decided: &[
            "UserPoolId",
            "AutoVerifiedAttributes",
            "UserAttributeUpdateSettings",
            "DeletionProtection",
            "LambdaConfig.PreSignUp",
            "LambdaConfig.UserMigration",
            "AdminCreateUserConfig.AllowAdminCreateUserOnly",
            // Cognito rejects it together with `TemporaryPasswordValidityDays`.
            "AdminCreateUserConfig.UnusedAccountValidityDays",
            "Policies.PasswordPolicy.MinimumLength",
            "Policies.PasswordPolicy.RequireLowercase",
            "Policies.PasswordPolicy.RequireNumbers",
            "Policies.PasswordPolicy.RequireSymbols",
            "Policies.PasswordPolicy.RequireUppercase",
            "Policies.PasswordPolicy.TemporaryPasswordValidityDays",
        ],
        file: "platform/update_requests.rs",
    };
    let lost = update.lost(async |aws| aws.update_user_pool("pool-1", &UserPoolState::desired(&spec())).await.unwrap());
    assert_eq!(lost.await, Vec::<String>::new());
}

#[tokio::test]
async fn client_update_preserves_every_field_of_the_model() {
    let sdk = Sdk::of("cognitoidentityprovider");
    let current = sdk.complete(&sdk.members_of_type("UserPoolClientType"));
    let update = Update {
        operation: "UpdateUserPoolClient",
        input: sdk.members_of_operation("UpdateUserPoolClient", "Input"),
        read: "DescribeUserPoolClient",
        answer: json!({ "UserPoolClient": current }),
        current,
        renamed: &[],
        decided: &[
            "UserPoolId",
            "ClientId",
            "ExplicitAuthFlows",
            "AccessTokenValidity",
            "IdTokenValidity",
            "RefreshTokenValidity",
            "TokenValidityUnits.AccessToken",
            "TokenValidityUnits.IdToken",
            "TokenValidityUnits.RefreshToken",
            "PreventUserExistenceErrors",
            "ReadAttributes",
            "WriteAttributes",
        ],
        file: "platform/update_requests.rs",
    };
    let wanted = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
    let lost = update.lost(async |aws| aws.update_client("pool-1", "client-1", &wanted).await.unwrap());
    assert_eq!(lost.await, Vec::<String>::new());
}

#[tokio::test]
async fn mfa_update_preserves_every_field_of_the_model() {
    let sdk = Sdk::of("cognitoidentityprovider");
    let current = sdk.complete(&sdk.members_of_operation("GetUserPoolMfaConfig", "Output"));
    let update = Update {
        operation: "SetUserPoolMfaConfig",
        input: sdk.members_of_operation("SetUserPoolMfaConfig", "Input"),
        read: "GetUserPoolMfaConfig",
        answer: current.clone(),
        current,
        renamed: &[],
        decided: &["UserPoolId", "MfaConfiguration", "SoftwareTokenMfaConfiguration.Enabled"],
        file: "platform/mfa.rs",
    };
    for mfa in [MfaMode::Optional, MfaMode::Required] {
        let lost = update.lost(async |aws| aws.set_mfa("pool-1", mfa).await.unwrap());
        assert_eq!(lost.await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn identity_pool_update_preserves_every_field_of_the_model() {
    let sdk = Sdk::of("cognitoidentity");
    let current = sdk.complete(&sdk.members_of_operation("DescribeIdentityPool", "Output"));
    let update = Update {
        operation: "UpdateIdentityPool",
        input: sdk.members_of_operation("UpdateIdentityPool", "Input"),
        read: "DescribeIdentityPool",
        answer: current.clone(),
        current,
        renamed: &[],
        decided: &["IdentityPoolId", "AllowUnauthenticatedIdentities", "AllowClassicFlow", "CognitoIdentityProviders"],
        file: "platform/identity_pools.rs",
    };
    let wanted = IdentityPoolState { guests: false, classic_flow: false, providers: [].into() };
    let lost = update.lost(async |aws| aws.update_identity_pool("id-1", &wanted).await.unwrap());
    assert_eq!(lost.await, Vec::<String>::new());
}

#[tokio::test]
async fn identity_pool_role_update_preserves_every_field_of_the_model() {
    let sdk = Sdk::of("cognitoidentity");
    let mut current = sdk.complete(&sdk.members_of_operation("GetIdentityPoolRoles", "Output"));
    current["Roles"] = json!({"unauthenticated": "arn:guest", "authenticated": "arn:other"});
    let update = Update {
        operation: "SetIdentityPoolRoles",
        input: sdk.members_of_operation("SetIdentityPoolRoles", "Input"),
        read: "GetIdentityPoolRoles",
        answer: current.clone(),
        current,
        renamed: &[],
        decided: &["IdentityPoolId", "Roles.authenticated"],
        file: "platform/identity_pools.rs",
    };
    let lost = update.lost(async |aws| aws.set_authenticated_role("id-1", "arn:role").await.unwrap());
    assert_eq!(lost.await, Vec::<String>::new());
}

#[tokio::test]
async fn updates_omit_empty_texts() {
    let pool = json!({
        "SmsVerificationMessage": "", "EmailVerificationMessage": "", "EmailVerificationSubject": "Your code", "SmsAuthenticationMessage": "",
    });
    let client = json!({"ClientName": "web", "DefaultRedirectURI": ""});
    let fake = FakeAws::answering([
        ("DescribeUserPool", json!({ "UserPool": pool })),
        ("DescribeUserPoolClient", json!({ "UserPoolClient": client })),
    ]);
    let aws = offline_aws().await.with_http_client(fake.clone()).platform();
    aws.update_user_pool("pool-1", &UserPoolState::desired(&spec())).await.unwrap();
    let wanted = ClientState::desired(ClientKind::Web, &ClientSpec::default(), &PoolAttributes::default());
    aws.update_client("pool-1", "client-1", &wanted).await.unwrap();

    let sent = fake.sent("UpdateUserPool");
    assert_eq!(sent["EmailVerificationSubject"], "Your code");
    for empty in ["SmsVerificationMessage", "EmailVerificationMessage", "SmsAuthenticationMessage"] {
        assert_eq!(sent.get(empty), None, "{empty}");
    }
    let sent = fake.sent("UpdateUserPoolClient");
    assert_eq!((&sent["ClientName"], sent.get("DefaultRedirectURI")), (&json!("web"), None));
}
