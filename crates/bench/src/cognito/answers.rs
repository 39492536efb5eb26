//! The responses of the endpoint: a pool with 60 users that `pool-bootstrap` finds up to date.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::field;
use super::users::Users;
use crate::pool::{ACCOUNT, ADMIN, ADMIN_SUB, CLIENT_ID, POOL, POOL_ID, REGION, TABLE};

const IDENTITY_POOL_ID: &str = "eu-central-1:0e6f3f3b-6d4c-4f1e-9a55-2f6d0c8b7a11";
const WEB_CLIENT_ID: &str = "2example23456789";
const IAM_NAME: &str = "poolkeeper.shop.eu-central-1";
const TIME: f64 = 1_767_225_600.5;

/// The response to one operation.
pub(crate) enum Answer {
    /// The same JSON for every request.
    Json(Bytes),
    /// JSON for requests whose field has a value, and for other requests.
    Either { field: &'static str, value: &'static str, then: Bytes, otherwise: Bytes },
    /// The pages of a list of users.
    Users(Arc<Users>),
    /// XML of the query protocol.
    Xml(Bytes),
}

impl Answer {
    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Either { .. } | Self::Users(_) => "application/x-amz-json-1.1",
            Self::Xml(_) => "text/xml",
        }
    }

    /// The body. Returns `None` for an invalid request.
    pub(crate) fn body(&self, request: &Bytes) -> Option<Bytes> {
        match self {
            Self::Json(body) | Self::Xml(body) => Some(body.clone()),
            Self::Either { field: name, value, then, otherwise } => {
                let is_equal = field(request, name).as_deref() == Some(value);
                Some(if is_equal { then.clone() } else { otherwise.clone() })
            }
            Self::Users(users) => users.page(request),
        }
    }
}

/// The responses by operation.
pub(crate) fn all() -> HashMap<&'static str, Answer> {
    // No token is revoked.
    let no_items = json_answer(&json!({"Responses": {TABLE: []}, "UnprocessedKeys": {}}));
    users()
        .into_iter()
        .chain(user_pool())
        .chain(identity_pool())
        .chain(iam())
        .chain([("BatchGetItem", no_items)])
        .collect()
}

fn bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

fn json_answer(body: &Value) -> Answer {
    Answer::Json(bytes(body))
}

/// A user as lists contain it.
pub(super) fn user(number: usize, username: &str) -> Value {
    json!({
        "Username": username, "Attributes": attributes(number, username), "Enabled": true, "UserStatus": "CONFIRMED",
        "UserCreateDate": TIME, "UserLastModifiedDate": TIME,
    })
}

fn attributes(number: usize, username: &str) -> Value {
    json!([
        {"Name": "sub", "Value": format!("7f9d4c1e-0000-4000-8000-{number:012}")},
        {"Name": "email", "Value": format!("{username}@example.com")},
        {"Name": "email_verified", "Value": "true"},
        {"Name": "given_name", "Value": "Mia"},
        {"Name": "family_name", "Value": "Example"},
        {"Name": "custom:team", "Value": "blue"},
    ])
}

fn users() -> [(&'static str, Answer); 6] {
    let listed: Vec<_> = (1..=60).map(|number| user(number, &format!("user-{number}"))).collect();
    let found = json!({
        "Username": "mia", "UserAttributes": attributes(1, "mia"), "Enabled": true, "UserStatus": "CONFIRMED",
        "UserCreateDate": TIME, "UserLastModifiedDate": TIME,
    });
    let mut created = user(1, "new@example.com");
    created["UserStatus"] = json!("FORCE_CHANGE_PASSWORD");
    let caller = json!({
        "Username": ADMIN, "UserAttributes": [{"Name": "sub", "Value": ADMIN_SUB}],
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"],
    });
    let groups = |name: &str| bytes(&json!({"Groups": [{"GroupName": name, "UserPoolId": POOL_ID}]}));
    let memberships =
        Answer::Either { field: "Username", value: ADMIN, then: groups("admins"), otherwise: groups("customers") };
    [
        ("AdminGetUser", json_answer(&found)),
        ("ListUsers", json_answer(&json!({"Users": listed}))),
        ("AdminCreateUser", json_answer(&json!({"User": created}))),
        ("AdminDisableUser", json_answer(&json!({}))),
        ("GetUser", json_answer(&caller)),
        ("AdminListGroupsForUser", memberships),
    ]
}

fn user_pool() -> [(&'static str, Answer); 6] {
    let pool = json!({"UserPool": {
        "Id": POOL_ID, "Name": POOL, "Arn": format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL_ID}"),
        "UserPoolTags": {"poolkeeper:pool": POOL}, "UsernameAttributes": ["email"], "MfaConfiguration": "OFF",
        "UsernameConfiguration": {"CaseSensitive": false}, "DeletionProtection": "INACTIVE", "LambdaConfig": {},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": false}, "CreationDate": TIME,
        "Policies": {"PasswordPolicy": {
            "MinimumLength": 12, "RequireLowercase": true, "RequireUppercase": true, "RequireNumbers": true,
            "RequireSymbols": true, "TemporaryPasswordValidityDays": 7,
        }},
        "SchemaAttributes": [
            {"Name": "sub", "AttributeDataType": "String", "Mutable": false, "Required": true},
            {"Name": "email", "AttributeDataType": "String", "Mutable": true, "Required": true},
            {"Name": "custom:poolkeeper_created", "AttributeDataType": "String", "Mutable": false, "Required": false},
        ],
    }});
    let backend = client(CLIENT_ID, "backend", Some("secret"), &["ALLOW_ADMIN_USER_PASSWORD_AUTH"]);
    let web = client(WEB_CLIENT_ID, "web", None, &["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"]);
    let clients = json!({"UserPoolClients": [
        {"ClientId": CLIENT_ID, "ClientName": format!("{POOL}-backend"), "UserPoolId": POOL_ID},
        {"ClientId": WEB_CLIENT_ID, "ClientName": format!("{POOL}-web"), "UserPoolId": POOL_ID},
    ]});
    let described =
        Answer::Either { field: "ClientId", value: CLIENT_ID, then: bytes(&backend), otherwise: bytes(&web) };
    [
        ("ListUserPools", json_answer(&json!({"UserPools": [{"Id": POOL_ID, "Name": POOL}]}))),
        ("DescribeUserPool", json_answer(&pool)),
        ("ListUserPoolClients", json_answer(&clients)),
        ("DescribeUserPoolClient", described),
        ("ListGroups", json_answer(&json!({"Groups": [{"GroupName": "admins"}, {"GroupName": "customers"}]}))),
        ("ListIdentityProviders", json_answer(&json!({"Providers": []}))),
    ]
}

fn client(id: &str, kind: &str, secret: Option<&str>, flows: &[&str]) -> Value {
    let writable = [
        "address",
        "birthdate",
        "email",
        "family_name",
        "gender",
        "given_name",
        "locale",
        "middle_name",
        "name",
        "nickname",
        "phone_number",
        "picture",
        "preferred_username",
        "profile",
        "updated_at",
        "website",
        "zoneinfo",
    ];
    let readable: Vec<_> = writable.iter().chain(&["email_verified", "phone_number_verified"]).collect();
    let flows: Vec<_> = flows.iter().chain(&["ALLOW_REFRESH_TOKEN_AUTH"]).collect();
    let mut client = json!({
        "ClientId": id, "ClientName": format!("{POOL}-{kind}"), "UserPoolId": POOL_ID, "ExplicitAuthFlows": flows,
        "AccessTokenValidity": 60, "IdTokenValidity": 60, "RefreshTokenValidity": 30,
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        "PreventUserExistenceErrors": "ENABLED", "EnableTokenRevocation": true, "WriteAttributes": writable,
        "ReadAttributes": readable, "CreationDate": TIME,
    });
    if let Some(secret) = secret {
        client["ClientSecret"] = json!(secret);
    }
    json!({"UserPoolClient": client})
}

fn identity_pool() -> [(&'static str, Answer); 3] {
    let provider = |client_id: &str| {
        let name = format!("cognito-idp.{REGION}.amazonaws.com/{POOL_ID}");
        json!({"ProviderName": name, "ClientId": client_id, "ServerSideTokenCheck": true})
    };
    let listed = json!({"IdentityPools": [{"IdentityPoolId": IDENTITY_POOL_ID, "IdentityPoolName": POOL}]});
    let described = json!({
        "IdentityPoolId": IDENTITY_POOL_ID, "IdentityPoolName": POOL, "AllowUnauthenticatedIdentities": false,
        "AllowClassicFlow": false, "IdentityPoolTags": {"poolkeeper:pool": POOL},
        "CognitoIdentityProviders": [provider(CLIENT_ID), provider(WEB_CLIENT_ID)],
    });
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{IAM_NAME}");
    let roles = json!({"IdentityPoolId": IDENTITY_POOL_ID, "Roles": {"authenticated": role}});
    [
        ("ListIdentityPools", json_answer(&listed)),
        ("DescribeIdentityPool", json_answer(&described)),
        ("GetIdentityPoolRoles", json_answer(&roles)),
    ]
}

fn iam() -> [(&'static str, Answer); 5] {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": IDENTITY_POOL_ID},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
        },
    }]});
    let access = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["cognito-identity:GetCredentialsForIdentity"],
        "Resource": [format!("arn:aws:cognito-identity:{REGION}:{ACCOUNT}:identitypool/{IDENTITY_POOL_ID}")],
    }]});
    let tags = format!("<Tags><member><Key>poolkeeper:pool</Key><Value>{POOL}</Value></member></Tags>");
    let date = "<CreateDate>2026-01-01T00:00:00Z</CreateDate>";
    let policy_arn = format!("arn:aws:iam::{ACCOUNT}:policy/{IAM_NAME}");
    let policy = format!("<Policy><Arn>{policy_arn}</Arn><DefaultVersionId>v1</DefaultVersionId>{date}{tags}</Policy>");
    let version =
        format!("<PolicyVersion><VersionId>v1</VersionId><Document>{}</Document></PolicyVersion>", text(&access));
    let role = format!(
        "<Role><Path>/</Path><RoleName>{IAM_NAME}</RoleName><RoleId>AROAEXAMPLE</RoleId>\
         <Arn>arn:aws:iam::{ACCOUNT}:role/{IAM_NAME}</Arn>{date}\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>{tags}</Role>",
        text(&trust)
    );
    let attached = format!(
        "<AttachedPolicies><member><PolicyName>{IAM_NAME}</PolicyName><PolicyArn>{policy_arn}</PolicyArn></member>\
         </AttachedPolicies><IsTruncated>false</IsTruncated>"
    );
    let caller = format!("<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn>");
    [
        ("GetCallerIdentity", xml("GetCallerIdentity", &caller)),
        ("GetPolicy", xml("GetPolicy", &policy)),
        ("GetPolicyVersion", xml("GetPolicyVersion", &version)),
        ("GetRole", xml("GetRole", &role)),
        ("ListAttachedRolePolicies", xml("ListAttachedRolePolicies", &attached)),
    ]
}

/// A document as XML text. IAM encodes documents by percent, but decoding accepts them without an encoding.
fn text(document: &Value) -> String {
    document.to_string().replace('"', "&quot;")
}

fn xml(operation: &str, result: &str) -> Answer {
    let body = format!(
        "<{operation}Response><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>5d2c6f0e</RequestId></ResponseMetadata></{operation}Response>"
    );
    Answer::Xml(body.into())
}
