//! Second factors of a user.

pub(crate) mod get;
pub(crate) mod set;

use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::Mfa;
use domain::user_pool::user::Username;
use serde::Serialize;
use utoipa::ToSchema;

/// The second factors of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mfa, example = json!({
    "username": "mia", "enabled": ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], "preferred": "SOFTWARE_TOKEN_MFA"
}))]
pub(crate) struct MfaView {
    /// The user name. For `GET`, as in the path.
    username: Username,
    /// The enabled factors.
    enabled: Vec<Factor>,
    /// The preferred factor. Null if the user has no factor or chooses a factor at each sign-in.
    #[schema(required = true)]
    preferred: Option<Factor>,
}

impl MfaView {
    fn of(username: Username, mfa: Mfa) -> Self {
        let Mfa { enabled, preferred } = mfa;
        Self { username, enabled, preferred }
    }
}
