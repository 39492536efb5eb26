//! The multi-factor authentication of a user pool.

use aws_sdk_cognitoidentityprovider::operation::get_user_pool_mfa_config::GetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::types::{SoftwareTokenMfaConfigType, UserPoolMfaType, UserPoolType};
use domain::spec::MfaMode;

use super::Answer;
use super::user_pools::UserPools;
use crate::failure::Failure;

impl UserPools {
    /// Returns the MFA mode of a pool. A pool without MFA needs no further call.
    pub(super) async fn mfa(&self, id: &str, pool: &UserPoolType) -> Answer<MfaMode> {
        match &pool.mfa_configuration {
            None | Some(UserPoolMfaType::Off) => Ok(MfaMode::Off),
            Some(_) => Ok(to_mode(&self.mfa_config(id).await?)),
        }
    }

    pub(super) async fn mfa_config(&self, id: &str) -> Answer<GetUserPoolMfaConfigOutput> {
        let answer = self.client.get_user_pool_mfa_config().user_pool_id(id).send().await;
        Ok(answer.map_err(|error| Failure::of("GetUserPoolMfaConfig", &error))?)
    }

    /// Sets the MFA mode and preserves the other settings, because `SetUserPoolMfaConfig` replaces everything. With MFA
    /// off, Cognito rejects second factors in the request. Passkeys are a first factor and are always preserved.
    pub(crate) async fn set_mfa(&self, id: &str, mfa: MfaMode) -> Answer<()> {
        let current = self.mfa_config(id).await?;
        let request = self.client.set_user_pool_mfa_config().user_pool_id(id);
        let request =
            request.mfa_configuration(from_mode(mfa)).set_web_authn_configuration(current.web_authn_configuration);
        let request = if mfa == MfaMode::Off {
            request
        } else {
            request
                .software_token_mfa_configuration(SoftwareTokenMfaConfigType::builder().enabled(true).build())
                .set_sms_mfa_configuration(current.sms_mfa_configuration)
                .set_email_mfa_configuration(current.email_mfa_configuration)
        };
        request.send().await.map_err(|error| Failure::of("SetUserPoolMfaConfig", &error))?;
        Ok(())
    }
}

pub(super) fn to_mode(config: &GetUserPoolMfaConfigOutput) -> MfaMode {
    let has_totp = config.software_token_mfa_configuration.as_ref().is_some_and(|totp| totp.enabled);
    match &config.mfa_configuration {
        None | Some(UserPoolMfaType::Off) => MfaMode::Off,
        Some(UserPoolMfaType::Optional) if has_totp => MfaMode::Optional,
        Some(UserPoolMfaType::On) if has_totp => MfaMode::Required,
        Some(_) => MfaMode::WithoutTotp,
    }
}

fn from_mode(mfa: MfaMode) -> UserPoolMfaType {
    match mfa {
        MfaMode::Off => UserPoolMfaType::Off,
        // A spec cannot contain `WithoutTotp`.
        MfaMode::Optional | MfaMode::WithoutTotp => UserPoolMfaType::Optional,
        MfaMode::Required => UserPoolMfaType::On,
    }
}
