//! Builds update requests that preserve every field outside the spec. `UpdateUserPoolClient` resets every absent field,
//! and `UpdateUserPool` some of them.

use aws_sdk_cognitoidentityprovider::operation::update_user_pool::builders::UpdateUserPoolFluentBuilder;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool_client::builders::UpdateUserPoolClientFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, LambdaConfigType, PasswordPolicyType, TimeUnitsType, TokenValidityUnitsType,
    UserPoolClientType, UserPoolPolicyType, UserPoolType,
};
use domain::platform::UserPoolState;
use domain::spec::PasswordPolicy;

/// Copies all current settings of a user pool into the request.
pub(super) fn user_pool(request: UpdateUserPoolFluentBuilder, current: UserPoolType) -> UpdateUserPoolFluentBuilder {
    request
        .set_pool_name(current.name)
        .set_policies(current.policies)
        .set_deletion_protection(current.deletion_protection)
        .set_lambda_config(current.lambda_config)
        .set_auto_verified_attributes(current.auto_verified_attributes)
        .set_sms_verification_message(unless_empty(current.sms_verification_message))
        .set_email_verification_message(unless_empty(current.email_verification_message))
        .set_email_verification_subject(unless_empty(current.email_verification_subject))
        .set_verification_message_template(current.verification_message_template)
        .set_sms_authentication_message(unless_empty(current.sms_authentication_message))
        .set_user_attribute_update_settings(current.user_attribute_update_settings)
        .set_mfa_configuration(current.mfa_configuration)
        .set_device_configuration(current.device_configuration)
        .set_email_configuration(current.email_configuration)
        .set_sms_configuration(current.sms_configuration)
        .set_user_pool_tags(current.user_pool_tags)
        .set_admin_create_user_config(current.admin_create_user_config)
        .set_user_pool_add_ons(current.user_pool_add_ons)
        .set_account_recovery_setting(current.account_recovery_setting)
        .set_user_pool_tier(current.user_pool_tier)
        .set_key_configuration(current.key_configuration)
        .set_issuer_configuration(current.issuer_configuration)
        .set_acr_configuration(current.acr_configuration)
}

/// Sets whether users can sign up themselves. The invitation message is preserved.
pub(super) fn self_sign_up(request: UpdateUserPoolFluentBuilder, allowed: bool) -> UpdateUserPoolFluentBuilder {
    let current = request.get_admin_create_user_config().clone();
    let template = current.and_then(|config| config.invite_message_template);
    // Without `UnusedAccountValidityDays`, the SDK sends 0. Cognito rejects other values together with
    // `TemporaryPasswordValidityDays`.
    let config = AdminCreateUserConfigType::builder()
        .allow_admin_create_user_only(!allowed)
        .set_invite_message_template(template)
        .build();
    request.admin_create_user_config(config)
}

/// Sets the triggers of the spec and preserves all other triggers.
pub(super) fn triggers(request: UpdateUserPoolFluentBuilder, wanted: &UserPoolState) -> UpdateUserPoolFluentBuilder {
    let current = request.get_lambda_config().clone();
    let mut config = current.unwrap_or_else(|| LambdaConfigType::builder().build());
    config.pre_sign_up.clone_from(&wanted.pre_sign_up_function_arn);
    config.user_migration.clone_from(&wanted.user_migration_function_arn);
    request.lambda_config(config)
}

/// Sets the password policy and preserves the sign-in policy and the password history.
pub(super) fn passwords(request: UpdateUserPoolFluentBuilder, wanted: &PasswordPolicy) -> UpdateUserPoolFluentBuilder {
    let current = request.get_policies().clone();
    let mut policies = current.unwrap_or_else(|| UserPoolPolicyType::builder().build());
    policies.password_policy = Some(password_policy(policies.password_policy, wanted));
    request.policies(policies)
}

/// Returns the wanted password policy with the current password history.
pub(super) fn password_policy(current: Option<PasswordPolicyType>, wanted: &PasswordPolicy) -> PasswordPolicyType {
    PasswordPolicyType::builder()
        .set_password_history_size(current.and_then(|policy| policy.password_history_size))
        .minimum_length(i32::try_from(wanted.minimum_length).unwrap_or(i32::MAX))
        .require_lowercase(wanted.require_lowercase)
        .require_uppercase(wanted.require_uppercase)
        .require_numbers(wanted.require_numbers)
        .require_symbols(wanted.require_symbols)
        .temporary_password_validity_days(i32::try_from(wanted.temporary_password_validity_days).unwrap_or(i32::MAX))
        .build()
}

/// Copies all current settings of an app client into the request.
pub(super) fn client(
    request: UpdateUserPoolClientFluentBuilder,
    current: UserPoolClientType,
) -> UpdateUserPoolClientFluentBuilder {
    request
        .set_client_name(current.client_name)
        .refresh_token_validity(current.refresh_token_validity)
        .set_access_token_validity(current.access_token_validity)
        .set_id_token_validity(current.id_token_validity)
        .set_token_validity_units(current.token_validity_units)
        .set_read_attributes(current.read_attributes)
        .set_write_attributes(current.write_attributes)
        .set_explicit_auth_flows(current.explicit_auth_flows)
        .set_supported_identity_providers(current.supported_identity_providers)
        .set_callback_urls(current.callback_urls)
        .set_logout_urls(current.logout_urls)
        .set_default_redirect_uri(unless_empty(current.default_redirect_uri))
        .set_allowed_o_auth_flows(current.allowed_o_auth_flows)
        .set_allowed_o_auth_scopes(current.allowed_o_auth_scopes)
        .set_allowed_o_auth_flows_user_pool_client(current.allowed_o_auth_flows_user_pool_client)
        .set_analytics_configuration(current.analytics_configuration)
        .set_prevent_user_existence_errors(current.prevent_user_existence_errors)
        .set_enable_token_revocation(current.enable_token_revocation)
        .set_enable_propagate_additional_user_context_data(current.enable_propagate_additional_user_context_data)
        .set_auth_session_validity(current.auth_session_validity)
        .set_refresh_token_rotation(current.refresh_token_rotation)
}

/// The time units of the spec.
pub(super) fn client_units() -> TokenValidityUnitsType {
    TokenValidityUnitsType::builder()
        .access_token(TimeUnitsType::Minutes)
        .id_token(TimeUnitsType::Minutes)
        .refresh_token(TimeUnitsType::Days)
        .build()
}

/// Returns the text, or `None` if it is empty, because the service model allows no empty text in an update.
fn unless_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
