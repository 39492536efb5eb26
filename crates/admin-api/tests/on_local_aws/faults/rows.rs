//! A request to each route, and the operation that does the route's work.

use serde_json::{Value, json};
use testkit::in_memory_jobs::{RUNNING_JOB, UPLOADED_FILE};

use crate::harness::ROOT_PASSWORD;

/// The password of the users of the table.
pub(crate) const PASSWORD: &str = "Password-of-user-1";

/// A request that passes all checks before the operation. `root`, `mia`, `dan` (disabled), `gus` (linked identity) and
/// `tim` (authenticator app) exist.
pub(crate) struct Row {
    pub(crate) route: &'static str,
    /// The user in the path, or the owner of the access token.
    pub(crate) user: &'static str,
    /// An object, or null for no body.
    pub(crate) body: Value,
    /// The operation that fails; `None` if the route calls no operation.
    pub(crate) operation: Option<&'static str>,
    /// The status after a response without fields, which is the response of Cognito to many writes.
    pub(crate) without_fields: u64,
}

impl Row {
    pub(crate) fn method(&self) -> &'static str {
        self.route.split_once(' ').unwrap().0
    }

    /// The path of the request. Placeholders are replaced by existing names.
    pub(crate) fn path(&self) -> String {
        let names = [
            ("{username}", self.user),
            ("{group}", "support"),
            ("{provider}", "Google"),
            ("{key}", "us-east-1_11111111-1111-4111-8111-111111111111"),
            ("{name}", "email"),
            ("{id}", RUNNING_JOB),
        ];
        let path = self.route.split_once(' ').unwrap().1.to_owned();
        names.iter().fold(path, |path, (placeholder, name)| path.replace(placeholder, name))
    }

    pub(crate) fn is_of_own_account(&self) -> bool {
        self.route.contains(" /v1/auth/")
    }
}

fn row(route: &'static str, user: &'static str, body: Value, operation: &'static str, without_fields: u64) -> Row {
    Row { route, user, body, operation: Some(operation), without_fields }
}

pub(crate) fn rows() -> Vec<Row> {
    [users(), groups(), jobs(), auth()].into_iter().flatten().collect()
}

fn users() -> Vec<Row> {
    let none = || Value::Null;
    let new = json!({"username": "new", "welcome_message": "suppress"});
    let password = json!({"password": PASSWORD, "permanent": true});
    let factor = json!({"enabled": ["SOFTWARE_TOKEN_MFA"]});
    vec![
        row("POST /v1/users", "", new, "AdminCreateUser", 500),
        row("GET /v1/users", "", none(), "ListUsers", 200),
        row("GET /v1/users?group=admins", "", none(), "ListUsersInGroup", 200),
        row("GET /v1/users/{username}", "mia", none(), "AdminGetUser", 500),
        row(
            "PATCH /v1/users/{username}",
            "mia",
            json!({"attributes": {"name": "Mia"}}),
            "AdminUpdateUserAttributes",
            204,
        ),
        row(
            "PATCH /v1/users/{username}",
            "mia",
            json!({"attributes": {"name": null}}),
            "AdminDeleteUserAttributes",
            204,
        ),
        row("DELETE /v1/users/{username}", "mia", none(), "AdminDeleteUser", 204),
        row("PUT /v1/users/{username}/password", "mia", password, "AdminSetUserPassword", 204),
        row("POST /v1/users/{username}/reset-password", "mia", none(), "AdminResetUserPassword", 200),
        row("POST /v1/users/{username}/confirm", "mia", none(), "AdminConfirmSignUp", 200),
        row("POST /v1/users/{username}/enable", "dan", none(), "AdminEnableUser", 200),
        row("POST /v1/users/{username}/disable", "mia", none(), "AdminDisableUser", 200),
        row("POST /v1/users/{username}/resend-invitation", "mia", none(), "AdminCreateUser", 500),
        row("POST /v1/users/{username}/sign-out", "mia", none(), "AdminUserGlobalSignOut", 200),
        row("GET /v1/users/{username}/mfa", "mia", none(), "AdminGetUser", 500),
        row("PUT /v1/users/{username}/mfa", "mia", factor, "AdminSetUserMFAPreference", 200),
        row("GET /v1/users/{username}/devices", "mia", none(), "AdminListDevices", 200),
        row("DELETE /v1/users/{username}/devices/{key}", "mia", none(), "AdminForgetDevice", 204),
        row("GET /v1/users/{username}/auth-events", "mia", none(), "AdminListUserAuthEvents", 200),
        row(
            "PUT /v1/users/{username}/identities/{provider}",
            "mia",
            json!({"user_id": "7"}),
            "AdminLinkProviderForUser",
            200,
        ),
        row("DELETE /v1/users/{username}/identities/{provider}", "gus", none(), "AdminDisableProviderForUser", 204),
        row("GET /v1/users/{username}/groups", "mia", none(), "AdminListGroupsForUser", 500),
        row("PUT /v1/users/{username}/groups/{group}", "mia", none(), "AdminAddUserToGroup", 204),
        row("DELETE /v1/users/{username}/groups/{group}", "mia", none(), "AdminRemoveUserFromGroup", 204),
    ]
}

fn groups() -> Vec<Row> {
    let none = || Value::Null;
    let invitation = || json!({"email": "new@example.com"});
    vec![
        row("POST /v1/groups", "", json!({"name": "sales"}), "CreateGroup", 500),
        row("GET /v1/groups", "", none(), "ListGroups", 200),
        row("GET /v1/groups/{group}", "", none(), "GetGroup", 500),
        row("PATCH /v1/groups/{group}", "", json!({"precedence": 1}), "UpdateGroup", 500),
        row("DELETE /v1/groups/{group}", "", none(), "DeleteGroup", 204),
        row("GET /v1/groups/{group}/users", "", none(), "ListUsersInGroup", 200),
        row("POST /v1/invitations", "", invitation(), "ListUsers", 201),
        row("POST /v1/invitations", "", invitation(), "GetParameter", 500),
        row("GET /v1/pool", "", none(), "DescribeUserPool", 500),
        // These APIs have no session gate.
        row("POST /v1/pool/revoke-all", "", json!({"client_id": "1example"}), "DescribeUserPoolClient", 409),
        Row { route: "GET /v1/me", user: "", body: none(), operation: None, without_fields: 200 },
    ]
}

/// The jobs are in memory, so only the check of the caller calls the user pool.
fn jobs() -> Vec<Row> {
    let read = |route| Row { route, user: "", body: Value::Null, operation: None, without_fields: 200 };
    let upload = json!({"type": "import"});
    let start = json!({"type": "import", "upload": UPLOADED_FILE, "format": "csv"});
    vec![
        row("POST /v1/jobs/uploads", "", upload, "GetUser", 500),
        row("POST /v1/jobs", "", start, "GetUser", 500),
        read("GET /v1/jobs"),
        read("GET /v1/jobs/{id}"),
        read("GET /v1/jobs/{id}/results"),
        row("DELETE /v1/jobs/{id}", "", Value::Null, "GetUser", 500),
    ]
}

fn auth() -> Vec<Row> {
    let none = || Value::Null;
    let sign_up = json!({"username": "ann", "password": PASSWORD, "attributes": {"email": "ann@example.com"}});
    let sign_in = json!({"username": "root", "password": ROOT_PASSWORD});
    let challenge = json!({
        "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": "a-session-that-is-not-known",
        "new_password": PASSWORD
    });
    let refresh = json!({"username": "root", "refresh_token": "a-token-that-is-not-known"});
    let revoke = json!({"refresh_token": "a-token-that-is-not-known"});
    let named = || json!({"username": "mia"});
    let code = || json!({"code": "123456"});
    let user_code = json!({"username": "mia", "code": "123456"});
    let reset = json!({"username": "mia", "code": "123456", "new_password": PASSWORD});
    let change = json!({"current_password": ROOT_PASSWORD, "new_password": PASSWORD});
    vec![
        row("POST /v1/auth/sign-up", "root", sign_up, "SignUp", 500),
        row("POST /v1/auth/confirm-sign-up", "root", user_code, "ConfirmSignUp", 204),
        row("POST /v1/auth/resend-code", "root", named(), "ResendConfirmationCode", 200),
        row("POST /v1/auth/sign-in", "root", sign_in, "AdminInitiateAuth", 500),
        row("POST /v1/auth/challenge", "root", challenge, "AdminRespondToAuthChallenge", 500),
        row("POST /v1/auth/refresh", "root", refresh, "AdminInitiateAuth", 500),
        row("POST /v1/auth/sign-out", "root", revoke, "RevokeToken", 200),
        row("POST /v1/auth/sign-out", "root", none(), "GlobalSignOut", 200),
        row("POST /v1/auth/forgot-password", "root", named(), "ForgotPassword", 200),
        row("POST /v1/auth/reset-password", "root", reset, "ConfirmForgotPassword", 204),
        row("GET /v1/auth/me", "root", none(), "GetUser", 500),
        row("PUT /v1/auth/me/password", "root", change, "ChangePassword", 204),
        row("DELETE /v1/auth/me", "tim", none(), "DeleteUser", 204),
        row("POST /v1/auth/me/totp", "root", none(), "AssociateSoftwareToken", 500),
        row("POST /v1/auth/me/totp/verify", "root", code(), "VerifySoftwareToken", 500),
        row("DELETE /v1/auth/me/totp", "tim", none(), "SetUserMFAPreference", 204),
        row("POST /v1/auth/attributes/{name}/code", "root", none(), "GetUserAttributeVerificationCode", 200),
        row("POST /v1/auth/attributes/{name}/verify", "root", code(), "VerifyUserAttribute", 204),
    ]
}
