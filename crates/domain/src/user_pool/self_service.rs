//! The port for what people do with their own account: with a code that was sent to them, or with their access token.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::sessions::{ClientContext, CodeDelivery, Factor};
use crate::user_pool::sign_in_security::Mfa;
use crate::user_pool::user::{Attributes, Username};

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

impl Myself {
    /// Whether an authenticator app is switched on as a second factor.
    #[must_use]
    pub fn has_totp(&self) -> bool {
        self.factors.contains(&Factor::SoftwareTokenMfa)
    }

    /// The second factors with the authenticator app switched on and preferred.
    #[must_use]
    pub fn mfa_with_totp(&self) -> Mfa {
        let mut enabled = self.mfa_without_totp().enabled;
        enabled.push(Factor::SoftwareTokenMfa);
        Mfa { enabled, preferred: Some(Factor::SoftwareTokenMfa) }
    }

    /// The second factors with the authenticator app switched off.
    #[must_use]
    pub fn mfa_without_totp(&self) -> Mfa {
        let is_other = |factor: &Factor| *factor != Factor::SoftwareTokenMfa;
        Mfa {
            enabled: self.factors.iter().copied().filter(is_other).collect(),
            preferred: self.preferred_factor.filter(is_other),
        }
    }
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

    /// Generates a TOTP secret for an authenticator app. An app that is enrolled stops working at once: in a pool with optional second
    /// factors, the password alone is enough until [`Self::verify_totp`]. MUST answer `WrongState` if the pool does not offer TOTP.
    async fn start_totp(&self, access_token: &Secret) -> Result<Secret, UserPoolError>;

    /// Verifies that the authenticator app has the secret of the last [`Self::start_totp`]. From then on it replaces the app before.
    /// Does not switch it on. MUST answer `CodeMismatch` for a wrong code and if no enrollment was started.
    async fn verify_totp(
        &self,
        access_token: &Secret,
        code: &Secret,
        device_name: Option<&str>,
    ) -> Result<(), UserPoolError>;

    /// Switches the factors of `mfa` on and the others of `present` off. Safe to repeat. MUST answer `WrongState` if one of them is not
    /// set up, or the pool does not offer it; also if it was to be switched off.
    async fn set_own_mfa(&self, access_token: &Secret, present: &[Factor], mfa: &Mfa) -> Result<(), UserPoolError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn myself(factors: &[Factor], preferred_factor: Option<Factor>) -> Myself {
        let username = "mia".parse().unwrap();
        Myself { username, attributes: Attributes::new(), factors: factors.to_vec(), preferred_factor }
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
