//! `GET /v1/me`: the caller and their permissions.

use std::collections::BTreeSet;

use axum::Json;
use domain::permission::Permission;
use domain::roles::Grants;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authz::access::{Authorized, SecondFactor};
use crate::authz::caller::Caller;

/// The caller, according to the token or the AWS signature.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Caller)]
enum Me {
    #[schema(title = "UserCaller")]
    User {
        username: String,
        sub: String,
        groups: BTreeSet<String>,
        permissions: BTreeSet<Permission>,
        /// The groups that the caller can assign with `users:groups`; null if the caller can assign any group.
        #[schema(required = true)]
        assignable_groups: Option<BTreeSet<String>>,
        mfa: CallerMfa,
    },
    #[schema(title = "IamCaller")]
    Iam { arn: String, permissions: BTreeSet<Permission> },
}

/// The second factor of the caller.
#[derive(Debug, Serialize, ToSchema)]
struct CallerMfa {
    /// Whether the deployment requires a second factor of the caller.
    required: bool,
    /// Whether the caller lacks the required second factor. Other admin routes then return `mfa-required`.
    missing: bool,
}

impl CallerMfa {
    fn of(second_factor: Option<SecondFactor>) -> Self {
        Self { required: second_factor.is_some(), missing: second_factor == Some(SecondFactor::Missing) }
    }
}

impl Me {
    fn of(caller: Caller, grants: &Grants, second_factor: Option<SecondFactor>) -> Self {
        let permissions = grants.permissions().clone();
        match caller {
            Caller::User { username, sub, groups, .. } => Self::User {
                username: username.into(),
                sub,
                groups,
                permissions,
                assignable_groups: grants.assignable_groups().cloned(),
                mfa: CallerMfa::of(second_factor),
            },
            Caller::Iam { arn } => Self::Iam { arn, permissions },
        }
    }
}

/// Get the caller
///
/// Returns the caller's groups and permissions. If the deployment requires a second factor of the caller, reads from
/// the user pool whether the caller has one.
#[utoipa::path(
    get, path = "/v1/me", tag = "pool", operation_id = "get_caller",
    responses((status = 200, description = "The caller.", body = Me, examples(
        ("user" = (summary = "With an access token", value = json!({
            "kind": "user", "username": "mia", "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7", "groups": ["support"],
            "permissions": ["users:read", "users:groups"], "assignable_groups": ["visitors"],
            "mfa": {"required": true, "missing": false},
        }))),
        ("iam" = (summary = "With an AWS signature", value = json!({
            "kind": "iam", "arn": "arn:aws:iam::123456789012:role/support", "permissions": [],
        }))),
    ))),
)]
pub(crate) async fn handle(authorized: Authorized) -> Json<impl Serialize> {
    let Authorized { caller, grants, second_factor, .. } = authorized;
    Json(Me::of(caller, &grants, second_factor))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, iam, token};

    #[tokio::test]
    async fn returns_groups_and_permissions_of_the_token() {
        let answer = Api::new().call(Call::get("/v1/me").by(token("ray", "[readers visitors]"))).await;
        assert_eq!(answer.status, 200);
        let expected = json!({
            "kind": "user", "username": "ray", "sub": answer.body["sub"],
            "groups": ["readers", "visitors"], "permissions": ["users:read"], "assignable_groups": [],
            "mfa": {"required": false, "missing": false}
        });
        assert_eq!(answer.body, expected);
    }

    #[tokio::test]
    async fn an_aws_principal_has_no_permissions() {
        let arn = "arn:aws:iam::123456789012:role/support";
        let answer = Api::new().call(Call::get("/v1/me").by(iam(arn))).await;
        assert_eq!((answer.status, answer.body), (200, json!({"kind": "iam", "arn": arn, "permissions": []})));
    }
}
