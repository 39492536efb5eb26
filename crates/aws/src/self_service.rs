//! Implements [`SelfService`], the operations of users on their own account through one app client.

use async_trait::async_trait;
use domain::secret::Secret;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::self_service::{Myself, SelfService};
use domain::user_pool::sessions::{ClientContext, CodeDelivery, Factor};
use domain::user_pool::sign_in_security::Mfa;
use domain::user_pool::user::Username;

use crate::CognitoAppClient;
use crate::access_token::sub_and_session;
use crate::failure::Failure;
use crate::sessions::{to_delivery, verify_software_token};
use crate::sign_in_security::Preferences;
use crate::users::{to_attributes, to_factor, to_factors};

impl CognitoAppClient {
    async fn owner(&self, access_token: &Secret) -> Result<Myself, UserPoolError> {
        const OPERATION: &str = "GetUser";
        let request = self.client.get_user().access_token(access_token.expose());
        let user = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let (sub, session) = sub_and_session(access_token);
        let factors = to_factors(user.user_mfa_setting_list());
        let preferred_factor = user.preferred_mfa_setting().and_then(to_factor);
        let mut attributes = to_attributes(user.user_attributes);
        // The app client's read attributes can exclude `sub`.
        if let Some(sub) = sub {
            attributes.entry("sub".to_owned()).or_insert(sub);
        }
        Ok(Myself {
            username: user.username.parse().map_err(|_| Failure::missing(OPERATION, "Username"))?,
            attributes,
            factors,
            preferred_factor,
            session,
        })
    }
}

#[async_trait]
impl SelfService for CognitoAppClient {
    async fn confirm_sign_up(
        &self,
        username: &Username,
        code: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError> {
        self.once
            .confirm_sign_up()
            .client_id(&self.client_id)
            .username(username.as_str())
            .set_secret_hash(self.secret_hash(username).await?)
            .confirmation_code(code.expose())
            .set_user_context_data(self.user_context(context).await?)
            .send()
            .await
            .map_err(|error| Failure::of("ConfirmSignUp", &error))?;
        Ok(())
    }

    async fn resend_code(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        let answer = self
            .once
            .resend_confirmation_code()
            .client_id(&self.client_id)
            .username(username.as_str())
            .set_secret_hash(self.secret_hash(username).await?)
            .set_user_context_data(self.user_context(context).await?)
            .send()
            .await
            .map_err(|error| Failure::of("ResendConfirmationCode", &error))?;
        Ok(to_delivery(answer.code_delivery_details))
    }

    async fn forgot_password(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        let answer = self
            .once
            .forgot_password()
            .client_id(&self.client_id)
            .username(username.as_str())
            .set_secret_hash(self.secret_hash(username).await?)
            .set_user_context_data(self.user_context(context).await?)
            .send()
            .await
            .map_err(|error| Failure::of("ForgotPassword", &error))?;
        Ok(to_delivery(answer.code_delivery_details))
    }

    async fn reset_password(
        &self,
        username: &Username,
        code: &Secret,
        new_password: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError> {
        self.once
            .confirm_forgot_password()
            .client_id(&self.client_id)
            .username(username.as_str())
            .set_secret_hash(self.secret_hash(username).await?)
            .confirmation_code(code.expose())
            .password(new_password.expose())
            .set_user_context_data(self.user_context(context).await?)
            .send()
            .await
            .map_err(|error| Failure::of("ConfirmForgotPassword", &error))?;
        Ok(())
    }

    async fn myself(&self, access_token: &Secret) -> Result<Myself, UserPoolError> {
        self.ensure_own_token("GetUser", access_token)?;
        self.owner(access_token).await
    }

    async fn session_owner(&self, access_token: &Secret) -> Result<Myself, UserPoolError> {
        self.ensure_token_of_pool("GetUser", access_token)?;
        self.owner(access_token).await
    }

    async fn change_password(
        &self,
        access_token: &Secret,
        current: &Secret,
        new: &Secret,
    ) -> Result<(), UserPoolError> {
        const OPERATION: &str = "ChangePassword";
        self.ensure_own_token(OPERATION, access_token)?;
        self.once
            .change_password()
            .access_token(access_token.expose())
            .previous_password(current.expose())
            .proposed_password(new.expose())
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }

    async fn delete_myself(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        const OPERATION: &str = "DeleteUser";
        self.ensure_own_token(OPERATION, access_token)?;
        let request = self.once.delete_user().access_token(access_token.expose());
        request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }

    async fn send_attribute_code(
        &self,
        access_token: &Secret,
        attribute: &str,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        const OPERATION: &str = "GetUserAttributeVerificationCode";
        self.ensure_own_token(OPERATION, access_token)?;
        let request = self.once.get_user_attribute_verification_code();
        let request = request.access_token(access_token.expose()).attribute_name(attribute);
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(to_delivery(answer.code_delivery_details))
    }

    async fn verify_attribute(
        &self,
        access_token: &Secret,
        attribute: &str,
        code: &Secret,
    ) -> Result<(), UserPoolError> {
        self.ensure_own_token("VerifyUserAttribute", access_token)?;
        self.once
            .verify_user_attribute()
            .access_token(access_token.expose())
            .attribute_name(attribute)
            .code(code.expose())
            .send()
            .await
            .map_err(|error| Failure::of("VerifyUserAttribute", &error))?;
        Ok(())
    }

    async fn start_totp(&self, access_token: &Secret) -> Result<Secret, UserPoolError> {
        const OPERATION: &str = "AssociateSoftwareToken";
        self.ensure_own_token(OPERATION, access_token)?;
        let request = self.once.associate_software_token().access_token(access_token.expose());
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(Secret::new(answer.secret_code.ok_or_else(|| Failure::missing(OPERATION, "SecretCode"))?))
    }

    async fn verify_totp(
        &self,
        access_token: &Secret,
        code: &Secret,
        device_name: Option<&str>,
    ) -> Result<(), UserPoolError> {
        const OPERATION: &str = "VerifySoftwareToken";
        self.ensure_own_token(OPERATION, access_token)?;
        let request = self.once.verify_software_token().access_token(access_token.expose());
        verify_software_token(OPERATION, request, code, device_name).await?;
        Ok(())
    }

    async fn set_own_mfa(&self, access_token: &Secret, present: &[Factor], mfa: &Mfa) -> Result<(), UserPoolError> {
        const OPERATION: &str = "SetUserMFAPreference";
        self.ensure_own_token(OPERATION, access_token)?;
        let Some(Preferences { sms, app, email }) = Preferences::of(present, mfa) else { return Ok(()) };
        self.client
            .set_user_mfa_preference()
            .access_token(access_token.expose())
            .set_sms_mfa_settings(sms)
            .set_software_token_mfa_settings(app)
            .set_email_mfa_settings(email)
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }
}
