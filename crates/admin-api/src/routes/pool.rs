//! `GET /v1/pool`: the settings of the user pool, without secrets.

pub(crate) mod revoke_all;

use axum::Json;
use axum::extract::State;
use domain::user_pool::settings::{AttributeDescription, PasswordPolicy, PoolDescription};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::error::ApiError;

/// The settings of the user pool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pool, example = json!({
    "id": "eu-central-1_Ab12Cd34E",
    "name": "poolkeeper",
    "arn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab12Cd34E",
    "estimated_users": 1250,
    "username_attributes": [],
    "aliases": ["email"],
    "auto_verified": ["email"],
    "mfa": "OPTIONAL",
    "self_sign_up": true,
    "case_sensitive": false,
    "deletion_protection": true,
    "password_policy": {
        "minimum_length": 12, "require_lowercase": true, "require_uppercase": true, "require_numbers": true,
        "require_symbols": true, "temporary_password_validity_days": 7,
    },
    "attributes": [
        {"name": "sub", "kind": "String", "required": true, "mutable": false},
        {"name": "name", "kind": "String", "required": false, "mutable": true},
        {"name": "email", "kind": "String", "required": true, "mutable": true},
        {"name": "email_verified", "kind": "Boolean", "required": false, "mutable": true},
        {"name": "custom:team", "kind": "String", "required": false, "mutable": true},
    ],
    "created_at": "2026-01-05T07:58:12.345Z",
    "modified_at": "2026-01-05T07:58:12.345Z",
}))]
pub(crate) struct PoolView {
    id: String,
    name: String,
    #[schema(required = true)]
    arn: Option<String>,
    /// The approximate number of users.
    estimated_users: u32,
    /// Attributes that users sign in with instead of a user name; empty if they sign in with a user name.
    username_attributes: Vec<String>,
    /// Attributes that users can sign in with in addition to the user name.
    aliases: Vec<String>,
    /// Attributes that Cognito verifies by sending a code.
    auto_verified: Vec<String>,
    /// Whether sign-ins request a second factor: `OFF`, `ON` or `OPTIONAL`.
    mfa: String,
    /// Whether users can sign themselves up.
    self_sign_up: bool,
    /// Whether user names are case-sensitive, so that `Mia` and `mia` are two users.
    case_sensitive: bool,
    /// Whether Cognito rejects the deletion of the pool.
    deletion_protection: bool,
    password_policy: PasswordPolicyView,
    /// The attributes that users can have.
    attributes: Vec<AttributeView>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    created_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    modified_at: Option<OffsetDateTime>,
}

/// The password policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PasswordPolicy)]
#[expect(clippy::struct_excessive_bools, reason = "one field for each setting of Cognito")]
struct PasswordPolicyView {
    /// The minimum number of characters.
    minimum_length: u32,
    require_lowercase: bool,
    require_uppercase: bool,
    require_numbers: bool,
    require_symbols: bool,
    /// Validity of temporary passwords in days.
    temporary_password_validity_days: u32,
}

/// An attribute that users can have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PoolAttribute)]
struct AttributeView {
    /// The name with its prefix, e.g. `email` or `custom:team`.
    name: String,
    /// `String`, `Number`, `DateTime` or `Boolean`.
    kind: String,
    /// Whether every user must have the attribute.
    required: bool,
    /// Whether the attribute can be changed after it is set.
    mutable: bool,
}

impl From<PoolDescription> for PoolView {
    fn from(pool: PoolDescription) -> Self {
        Self {
            id: pool.id,
            name: pool.name,
            arn: pool.arn,
            estimated_users: pool.estimated_users,
            username_attributes: pool.username_attributes,
            aliases: pool.aliases,
            auto_verified: pool.auto_verified,
            mfa: pool.mfa,
            self_sign_up: pool.self_sign_up,
            case_sensitive: pool.case_sensitive,
            deletion_protection: pool.deletion_protection,
            password_policy: pool.password_policy.into(),
            attributes: pool.attributes.into_iter().map(Into::into).collect(),
            created_at: pool.created_at,
            modified_at: pool.modified_at,
        }
    }
}

impl From<PasswordPolicy> for PasswordPolicyView {
    fn from(policy: PasswordPolicy) -> Self {
        Self {
            minimum_length: policy.minimum_length,
            require_lowercase: policy.require_lowercase,
            require_uppercase: policy.require_uppercase,
            require_numbers: policy.require_numbers,
            require_symbols: policy.require_symbols,
            temporary_password_validity_days: policy.temporary_password_validity_days,
        }
    }
}

impl From<AttributeDescription> for AttributeView {
    fn from(attribute: AttributeDescription) -> Self {
        let AttributeDescription { name, kind, required, mutable } = attribute;
        Self { name, kind, required, mutable }
    }
}

/// Get the pool's settings
///
/// Returns sign-in options, password policy and attributes. The response contains no secrets.
#[utoipa::path(
    get, path = "/v1/pool", tag = "pool", operation_id = "get_pool",
    responses((status = 200, description = "The settings of the user pool.", body = PoolView)),
    extensions(("x-problems" = json!(["invalid-request"])))
)]
pub(crate) async fn handle(State(app): State<App>) -> Result<Json<PoolView>, ApiError> {
    Ok(Json(app.pool.describe().await?.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, USER_POOL_ID};

    #[tokio::test]
    async fn returns_the_settings_of_the_pool() {
        let api = Api::new();
        api.pool.require_mfa();
        api.pool.require_attribute("name");
        api.pool.temporary_passwords_live_for(3);
        let answer = api.call(Call::get("/v1/pool")).await;
        let attribute = |name: &str, kind: &str, required: bool, mutable: bool| json!({"name": name, "kind": kind, "required": required, "mutable": mutable});
        let expected = json!({
            "id": USER_POOL_ID,
            "name": "example",
            "arn": format!("arn:aws:cognito-idp:eu-central-1:123456789012:userpool/{USER_POOL_ID}"),
            "estimated_users": 5,
            "username_attributes": [],
            "aliases": ["email", "phone_number", "preferred_username"],
            "auto_verified": ["email"],
            "mfa": "ON",
            "self_sign_up": true,
            "case_sensitive": true,
            "deletion_protection": false,
            "password_policy": {
                "minimum_length": 8, "require_lowercase": true, "require_uppercase": true, "require_numbers": true,
                "require_symbols": true, "temporary_password_validity_days": 3,
            },
            "attributes": [
                attribute("sub", "String", true, false),
                attribute("email", "String", false, true),
                attribute("email_verified", "Boolean", false, true),
                attribute("phone_number", "String", false, true),
                attribute("phone_number_verified", "Boolean", false, true),
                attribute("name", "String", true, true),
                attribute("preferred_username", "String", false, true),
                attribute("custom:team", "String", false, true),
            ],
            "created_at": "1970-01-01T00:00:00Z",
            "modified_at": "1970-01-01T00:00:00Z",
        });
        assert_eq!((answer.status, answer.body), (200, expected));
    }
}
