//! Implements [`PoolSource`], the reads of a backup.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::operation::get_user_pool_mfa_config::GetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AuthFactorType, DefaultEmailOptionType, EmailSendingAccountType, ExplicitAuthFlowsType,
    IssuerType, LambdaConfigType, RecoveryOptionNameType, SchemaAttributeType, TimeUnitsType, UserPoolClientType,
    UserPoolTierType, UserPoolType, UsernameAttributeType, VerifiedAttributeType,
};
use domain::backup::{DescribedClient, DescribedUserPool, PoolSource};

use super::mfa::to_mode;
use super::user_pools::{OWN_TAGS, from_flow, seconds_in, to_client, to_user_pool};
use super::{Answer, AwsPlatform, none_if_absent};

/// `AuthSessionValidity` of a client that does not set it, in minutes.
const DEFAULT_SESSION_MINUTES: i32 = 3;

/// The longest value of a string attribute, which Cognito enforces without a constraint.
const MAX_VALUE_CHARS: u32 = 2048;

#[async_trait]
impl PoolSource for AwsPlatform {
    async fn described_user_pool(&self, id: &str) -> Answer<Option<DescribedUserPool>> {
        let Some(pool) = none_if_absent(self.user_pools.describe(id).await)? else { return Ok(None) };
        let mfa = self.user_pools.mfa_config(id).await?;
        let mut other_settings = user_pool_settings(&pool);
        other_settings.extend(mfa_settings(&mfa).map(str::to_owned));
        let providers = self.user_pools.identity_providers(id).await?;
        other_settings.extend(providers.into_iter().map(|name| format!("identity provider {name}")));
        let name = pool.name.clone().unwrap_or_default();
        Ok(Some(DescribedUserPool {
            name,
            pool: to_user_pool("DescribeUserPool", &pool, to_mode(&mfa))?,
            other_settings,
        }))
    }

    async fn described_clients(&self, user_pool_id: &str) -> Answer<Vec<DescribedClient>> {
        let clients = self.user_pools.described_clients(user_pool_id, |_| true).await?;
        let described = clients.iter().map(|client| {
            Ok(DescribedClient {
                name: client.client_name.clone().unwrap_or_default(),
                client: to_client("DescribeUserPoolClient", client)?,
                other_settings: client_settings(client),
            })
        });
        described.collect()
    }

    async fn other_identity_pool_settings(&self, id: &str) -> Answer<Vec<String>> {
        self.identity_pools.other_settings(id).await
    }

    async fn inline_policies(&self, role_name: &str) -> Answer<Vec<String>> {
        self.iam.inline_policies(role_name).await
    }
}

/// The names of the settings that a new pool of Poolkeeper does not have and a spec cannot contain.
fn user_pool_settings(pool: &UserPoolType) -> Vec<String> {
    let has_text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let policies = pool.policies.as_ref();
    let creation = pool.admin_create_user_config.as_ref();
    let mail = pool.email_configuration.as_ref();
    let template = pool.verification_message_template.as_ref();
    let settings = [
        ("SmsVerificationMessage", has_text(&pool.sms_verification_message)),
        ("EmailVerificationMessage", has_text(&pool.email_verification_message)),
        ("EmailVerificationSubject", has_text(&pool.email_verification_subject)),
        ("SmsAuthenticationMessage", has_text(&pool.sms_authentication_message)),
        (
            "VerificationMessageTemplate",
            template.is_some_and(|it| {
                let texts = [
                    &it.sms_message,
                    &it.email_message,
                    &it.email_subject,
                    &it.email_message_by_link,
                    &it.email_subject_by_link,
                ];
                let by_code =
                    it.default_email_option.as_ref().is_none_or(|it| *it == DefaultEmailOptionType::ConfirmWithCode);
                texts.into_iter().any(has_text) || !by_code
            }),
        ),
        (
            "UserAttributeUpdateSettings",
            pool.user_attribute_update_settings.as_ref().is_some_and(|it| {
                let verified: BTreeSet<&str> = it
                    .attributes_require_verification_before_update()
                    .iter()
                    .map(VerifiedAttributeType::as_str)
                    .collect();
                verified != pool.auto_verified_attributes().iter().map(VerifiedAttributeType::as_str).collect()
            }),
        ),
        ("DeviceConfiguration", pool.device_configuration.is_some()),
        (
            "EmailConfiguration",
            mail.is_some_and(|it| {
                let texts = [&it.source_arn, &it.reply_to_email_address, &it.from, &it.configuration_set];
                it.email_sending_account == Some(EmailSendingAccountType::Developer) || texts.into_iter().any(has_text)
            }),
        ),
        ("SmsConfiguration", pool.sms_configuration.as_ref().is_some_and(|it| !it.sns_caller_arn.is_empty())),
        (
            "UserPoolTags",
            pool.user_pool_tags.iter().flatten().any(|(key, _)| !key.starts_with(OWN_TAGS) && !key.starts_with("aws:")),
        ),
        ("Domain", has_text(&pool.domain)),
        ("CustomDomain", has_text(&pool.custom_domain)),
        (
            "AdminCreateUserConfig.InviteMessageTemplate",
            creation
                .and_then(|it| it.invite_message_template.as_ref())
                .is_some_and(|it| [&it.sms_message, &it.email_message, &it.email_subject].into_iter().any(has_text)),
        ),
        ("UserPoolAddOns", pool.user_pool_add_ons.is_some()),
        ("AccountRecoverySetting", !recovers_by_email(pool)),
        ("UserPoolTier", pool.user_pool_tier.as_ref().is_some_and(|tier| *tier != UserPoolTierType::Essentials)),
        ("KeyConfiguration", pool.key_configuration.is_some()),
        (
            "IssuerConfiguration",
            pool.issuer_configuration
                .as_ref()
                .is_some_and(|it| it.r#type.as_ref().is_some_and(|it| *it != IssuerType::Original)),
        ),
        ("AcrConfiguration", pool.acr_configuration.as_ref().is_some_and(|levels| !levels.is_empty())),
        (
            "Policies.PasswordPolicy.PasswordHistorySize",
            policies
                .and_then(|it| it.password_policy.as_ref())
                .is_some_and(|it| it.password_history_size.is_some_and(|size| size > 0)),
        ),
        (
            "Policies.SignInPolicy",
            policies
                .and_then(|it| it.sign_in_policy.as_ref())
                .is_some_and(|it| it.allowed_first_auth_factors().iter().any(|it| *it != AuthFactorType::Password)),
        ),
        ("UsernameAttributes: phone_number", pool.username_attributes().contains(&UsernameAttributeType::PhoneNumber)),
    ];
    let triggers = pool.lambda_config.iter().flat_map(triggers).map(|name| format!("LambdaConfig.{name}"));
    let attributes = pool.schema_attributes().iter().flat_map(attribute_settings);
    set(settings).chain(triggers).chain(attributes).collect()
}

/// The names that are set.
fn set<const N: usize>(settings: [(&'static str, bool); N]) -> impl Iterator<Item = String> {
    settings.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned())
}

/// Whether users recover their accounts only by e-mail, as in a new pool.
fn recovers_by_email(pool: &UserPoolType) -> bool {
    let options =
        pool.account_recovery_setting.as_ref().map(AccountRecoverySettingType::recovery_mechanisms).unwrap_or_default();
    matches!(options, [option] if option.name == RecoveryOptionNameType::VerifiedEmail)
}

/// The triggers that a spec cannot contain.
fn triggers(config: &LambdaConfigType) -> Vec<&'static str> {
    let is_set = |arn: &Option<String>| arn.as_ref().is_some_and(|arn| !arn.is_empty());
    let triggers = [
        ("CustomMessage", is_set(&config.custom_message)),
        ("PostConfirmation", is_set(&config.post_confirmation)),
        ("PreAuthentication", is_set(&config.pre_authentication)),
        ("PostAuthentication", is_set(&config.post_authentication)),
        ("DefineAuthChallenge", is_set(&config.define_auth_challenge)),
        ("CreateAuthChallenge", is_set(&config.create_auth_challenge)),
        ("VerifyAuthChallengeResponse", is_set(&config.verify_auth_challenge_response)),
        ("PreTokenGeneration", is_set(&config.pre_token_generation)),
        ("PreTokenGenerationConfig", config.pre_token_generation_config.is_some()),
        ("CustomSMSSender", config.custom_sms_sender.is_some()),
        ("CustomEmailSender", config.custom_email_sender.is_some()),
        ("KMSKeyID", is_set(&config.kms_key_id)),
        ("InboundFederation", config.inbound_federation.is_some()),
    ];
    triggers.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}

/// The constraints of an attribute, and attributes for developers only.
fn attribute_settings(attribute: &SchemaAttributeType) -> Vec<String> {
    let name = attribute.name.as_deref().unwrap_or_default();
    if attribute.developer_only_attribute.unwrap_or_default() {
        return vec![format!("attribute {name}")];
    }
    let is_custom = name.starts_with(domain::spec::CUSTOM);
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u32>().ok());
    let is_short = attribute.string_attribute_constraints.as_ref().is_some_and(|it| {
        number(&it.min_length).is_some_and(|length| length > 0)
            || number(&it.max_length).is_some_and(|length| length < MAX_VALUE_CHARS)
    });
    let is_limited = attribute
        .number_attribute_constraints
        .as_ref()
        .is_some_and(|it| it.min_value.is_some() || it.max_value.is_some());
    let settings = [
        ("constraints", is_custom && (is_short || is_limited)),
        // `sub` never changes. A spec has the mutability of custom attributes.
        ("Mutable", !is_custom && name != "sub" && attribute.mutable == Some(false)),
    ];
    let settings = settings.into_iter().filter(|(_, is_set)| *is_set);
    settings.map(|(setting, _)| format!("attribute {name}: {setting}")).collect()
}

fn mfa_settings(config: &GetUserPoolMfaConfigOutput) -> impl Iterator<Item = &'static str> {
    let web = config.web_authn_configuration.as_ref();
    let settings = [
        ("SmsMfaConfiguration", config.sms_mfa_configuration.is_some()),
        ("EmailMfaConfiguration", config.email_mfa_configuration.is_some()),
        ("WebAuthnConfiguration", web.is_some()),
    ];
    settings.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name)
}

/// The names of the settings that a new client of Poolkeeper does not have and a spec cannot contain.
fn client_settings(client: &UserPoolClientType) -> Vec<String> {
    let has_secret = client.client_secret.is_some();
    let units = client.token_validity_units.as_ref();
    let is_whole = |validity: Option<i32>, unit: Option<&TimeUnitsType>, whole: u32| {
        let validity = u32::try_from(validity.unwrap_or_default()).unwrap_or_default();
        unit.is_none_or(|unit| validity.saturating_mul(seconds_in(unit)).is_multiple_of(whole))
    };
    let other_flow = |flow: &ExplicitAuthFlowsType| from_flow(flow).is_none();
    let settings = [
        ("SupportedIdentityProviders", client.supported_identity_providers().iter().any(|name| name != "COGNITO")),
        ("CallbackURLs", !client.callback_urls().is_empty()),
        ("LogoutURLs", !client.logout_urls().is_empty()),
        ("DefaultRedirectURI", client.default_redirect_uri.as_ref().is_some_and(|uri| !uri.is_empty())),
        ("AllowedOAuthFlows", !client.allowed_o_auth_flows().is_empty()),
        ("AllowedOAuthScopes", !client.allowed_o_auth_scopes().is_empty()),
        ("AllowedOAuthFlowsUserPoolClient", client.allowed_o_auth_flows_user_pool_client.unwrap_or_default()),
        ("AnalyticsConfiguration", client.analytics_configuration.is_some()),
        ("EnableTokenRevocation", !client.enable_token_revocation.unwrap_or_default()),
        (
            "EnablePropagateAdditionalUserContextData",
            client.enable_propagate_additional_user_context_data.is_some_and(|it| it != has_secret),
        ),
        (
            "AuthSessionValidity",
            client.auth_session_validity.is_some_and(|minutes| minutes > 0 && minutes != DEFAULT_SESSION_MINUTES),
        ),
        ("RefreshTokenRotation", client.refresh_token_rotation.is_some()),
        ("ExplicitAuthFlows: flows with an old name", client.explicit_auth_flows().iter().any(other_flow)),
        (
            "AccessTokenValidity: seconds",
            !is_whole(client.access_token_validity, units.and_then(|it| it.access_token.as_ref()), 60),
        ),
        (
            "IdTokenValidity: seconds",
            !is_whole(client.id_token_validity, units.and_then(|it| it.id_token.as_ref()), 60),
        ),
        (
            "RefreshTokenValidity: parts of a day",
            !is_whole(
                Some(client.refresh_token_validity),
                units.and_then(|it| it.refresh_token.as_ref()),
                24 * 60 * 60,
            ),
        ),
    ];
    set(settings).collect()
}
