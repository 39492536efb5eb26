//! The port for what people do with their own account: with a code that was sent to them, or with their access token.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::sessions::{ClientContext, CodeDelivery, Factor};
use crate::user::{Attributes, Username};
use crate::user_pool_error::UserPoolError;

/// The owner of an access token, as the pool knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// The real user name.
    pub username: Username,
    /// All attributes, `sub` included.
    pub attributes: Attributes,
    /// The second factors that are switched on.
    pub factors: Vec<Factor>,
    /// The one that is asked for.
    pub preferred_factor: Option<Factor>,
}

/// What people do with their own account, through one app client.
///
/// Where the app client hides who exists, methods with a user name MUST answer for an unknown user as for one who could have been sent
/// a code. `WrongState` still tells that somebody is there (who is confirmed already, say, or has no address for a code): Cognito
/// answers so itself, and sign-up tells which names are taken anyway.
///
/// Methods with an access token MUST answer `InvalidCredentials` for one that is wrong, expired, signed out, or of another pool or client.
#[async_trait]
pub trait SelfService: Send + Sync {
    /// Confirms a sign-up with the code that was sent. MUST answer `CodeMismatch`, `CodeExpired`, and `WrongState` for a user who is
    /// confirmed already.
    async fn confirm_sign_up(
        &self,
        username: &Username,
        code: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError>;

    /// Sends the code of a sign-up again. MUST answer `WrongState` for a user who is confirmed already.
    async fn resend_code(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Sends a code for a new password. MUST answer `WrongState` for a user whose status does not allow it, or to whom no code can be
    /// sent.
    async fn forgot_password(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Sets a new password with the code that was sent. MUST answer `CodeMismatch`, `CodeExpired` and `InvalidPassword`.
    async fn reset_password(
        &self,
        username: &Username,
        code: &Secret,
        new_password: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError>;

    /// The owner of the token.
    async fn myself(&self, access_token: &Secret) -> Result<Myself, UserPoolError>;

    /// Sends the code that verifies an attribute (`email` or `phone_number`). MUST answer `InvalidRequest` for an attribute that the
    /// user does not have, or that cannot be verified. Where the code went is optional in Cognito's answer.
    async fn send_attribute_code(
        &self,
        access_token: &Secret,
        attribute: &str,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Verifies an attribute with the code that was sent. MUST answer `CodeMismatch`, `CodeExpired`, and `AliasExists` where another
    /// user holds the address.
    async fn verify_attribute(
        &self,
        access_token: &Secret,
        attribute: &str,
        code: &Secret,
    ) -> Result<(), UserPoolError>;
}
