//! The port for operations of users on their own account, with a code or an access token.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::sessions::{ClientContext, CodeDelivery, Factor};
use crate::user_pool::sign_in_security::Mfa;
use crate::user_pool::user::{Attributes, Username};

/// The owner of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// The user name, not an alias.
    pub username: Username,
    /// All attributes, `sub` included.
    pub attributes: Attributes,
    /// The enabled second factors.
    pub factors: Vec<Factor>,
    /// The preferred second factor.
    pub preferred_factor: Option<Factor>,
    /// The session of the token (`origin_jti`); `None` if the app client does not support token revocation.
    pub session: Option<String>,
}

impl Myself {
    /// Whether the authenticator app is enabled as a second factor.
    #[must_use]
    pub fn has_totp(&self) -> bool {
        self.factors.contains(&Factor::SoftwareTokenMfa)
    }

    /// The second factors with the authenticator app enabled and preferred.
    #[must_use]
    pub fn mfa_with_totp(&self) -> Mfa {
        let mut enabled = self.mfa_without_totp().enabled;
        enabled.push(Factor::SoftwareTokenMfa);
        Mfa { enabled, preferred: Some(Factor::SoftwareTokenMfa) }
    }

    /// The second factors with the authenticator app disabled.
    #[must_use]
    pub fn mfa_without_totp(&self) -> Mfa {
        let is_other = |factor: &Factor| *factor != Factor::SoftwareTokenMfa;
        Mfa {
            enabled: self.factors.iter().copied().filter(is_other).collect(),
            preferred: self.preferred_factor.filter(is_other),
        }
    }
}

/// Operations of users on their own account, through one app client.
///
/// If the app client prevents user existence errors, methods with a user name MUST return the same result for an
/// unknown user as for a user who receives a code. `WrongState` (for a confirmed user, or a user without an address for
/// a code) still reveals that the user exists, as in Cognito. Sign-up reveals existing names as well.
///
/// Methods with an access token MUST return `InvalidCredentials` if the token is wrong, expired, signed out, or issued
/// for another pool or client.
#[async_trait]
pub trait SelfService: Send + Sync {
    /// Confirms a sign-up with a code. MUST return `CodeMismatch` or `CodeExpired` for a wrong code, and `WrongState`
    /// for a confirmed user.
    async fn confirm_sign_up(
        &self,
        username: &Username,
        code: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError>;

    /// Sends another code for a sign-up. MUST return `WrongState` for a confirmed user.
    async fn resend_code(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Sends a code for a new password. MUST return `WrongState` if the status does not allow it or no code can be
    /// sent.
    async fn forgot_password(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Sets a new password with a code. MUST return `CodeMismatch`, `CodeExpired` or `InvalidPassword` for a wrong code
    /// or password.
    async fn reset_password(
        &self,
        username: &Username,
        code: &Secret,
        new_password: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError>;

    /// Returns the owner of the token.
    async fn myself(&self, access_token: &Secret) -> Result<Myself, UserPoolError>;

    /// Returns the owner of an access token of any client of the pool, to end the owner's sessions.
    async fn session_owner(&self, access_token: &Secret) -> Result<Myself, UserPoolError>;

    /// Changes the owner's password. MUST return `InvalidCredentials` for a wrong current password, and
    /// `InvalidPassword` for a new one that the pool rejects. Does not end sessions.
    async fn change_password(&self, access_token: &Secret, current: &Secret, new: &Secret)
    -> Result<(), UserPoolError>;

    /// Deletes the owner. A repeated call returns `InvalidCredentials`.
    async fn delete_myself(&self, access_token: &Secret) -> Result<(), UserPoolError>;

    /// Sends a code that verifies an attribute (`email` or `phone_number`). MUST return `InvalidRequest` for an
    /// attribute that the user does not have or that cannot be verified. Returns `None` if Cognito does not report the
    /// destination.
    async fn send_attribute_code(
        &self,
        access_token: &Secret,
        attribute: &str,
    ) -> Result<Option<CodeDelivery>, UserPoolError>;

    /// Verifies an attribute with a code. MUST return `CodeMismatch` or `CodeExpired` for a wrong code, and
    /// `AliasExists` if the attribute is an alias of another user.
    async fn verify_attribute(
        &self,
        access_token: &Secret,
        attribute: &str,
        code: &Secret,
    ) -> Result<(), UserPoolError>;

    /// Generates a TOTP secret for an authenticator app. An enrolled app stops working immediately. In a pool with
    /// optional MFA, the password alone is sufficient until [`Self::verify_totp`]. MUST return `WrongState` if the pool
    /// does not offer TOTP.
    async fn start_totp(&self, access_token: &Secret) -> Result<Secret, UserPoolError>;

    /// Verifies that the authenticator app has the secret of the last [`Self::start_totp`]. The app replaces the
    /// previous one, but this call does not enable it. MUST return `CodeMismatch` for a wrong code and if no enrollment
    /// was started.
    async fn verify_totp(
        &self,
        access_token: &Secret,
        code: &Secret,
        device_name: Option<&str>,
    ) -> Result<(), UserPoolError>;

    /// Enables the factors in `mfa`, and disables the other factors in `present`. Safe to repeat. MUST return
    /// `WrongState` if any of these factors is not set up or not offered by the pool.
    async fn set_own_mfa(&self, access_token: &Secret, present: &[Factor], mfa: &Mfa) -> Result<(), UserPoolError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn myself(factors: &[Factor], preferred_factor: Option<Factor>) -> Myself {
        let username = "mia".parse().unwrap();
        Myself { username, attributes: Attributes::new(), factors: factors.to_vec(), preferred_factor, session: None }
    }

    #[test]
    fn totp_is_preferred_once_and_the_other_factors_stay() {
        use Factor::{EmailOtp, SoftwareTokenMfa};
        type Factors = &'static [Factor];
        let table: [(Factors, Option<Factor>, Factors, Option<Factor>); 4] = [
            (&[], None, &[], None),
            (&[EmailOtp], Some(EmailOtp), &[EmailOtp], Some(EmailOtp)),
            (&[SoftwareTokenMfa], Some(SoftwareTokenMfa), &[], None),
            (&[EmailOtp, SoftwareTokenMfa], Some(SoftwareTokenMfa), &[EmailOtp], None),
        ];
        for (factors, preferred, others, other_preferred) in table {
            let myself = myself(factors, preferred);
            let without = Mfa { enabled: others.to_vec(), preferred: other_preferred };
            assert_eq!(myself.mfa_without_totp(), without, "{factors:?}");
            let enabled = [others, &[SoftwareTokenMfa]].concat();
            assert_eq!(myself.mfa_with_totp(), Mfa { enabled, preferred: Some(SoftwareTokenMfa) }, "{factors:?}");
            assert_eq!(myself.has_totp(), factors.contains(&SoftwareTokenMfa));
        }
    }
}
