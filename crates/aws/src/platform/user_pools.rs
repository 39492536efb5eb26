//! User pools, their app clients and groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, AliasAttributeType, AttributeDataType,
    DeletionProtectionType, ExplicitAuthFlowsType, IssuerType, LambdaConfigType, PreventUserExistenceErrorTypes,
    RecoveryOptionNameType, RecoveryOptionType, SchemaAttributeType, TimeUnitsType, UserAttributeUpdateSettingsType,
    UserPoolClientType, UserPoolPolicyType, UserPoolType, UsernameAttributeType, UsernameConfigurationType,
    VerifiedAttributeType,
};
use domain::platform::{AppClient, ClientState, MemberPage, TAG_KEY, UserPool, UserPoolState};
use domain::spec::{
    Alias, AttributeKind, AuthFlow, CUSTOM, CustomAttribute, MfaMode, PasswordPolicy, PoolName, SignInWith, Verifiable,
};

use super::update_requests::{self, client_units, password_policy};
use super::{Answer, none_if_absent};
use crate::failure::Failure;
use crate::users::to_time;

/// Maximum page size of Cognito's lists.
pub(super) const PAGE: i32 = 60;

#[derive(Debug, Clone)]
pub(crate) struct UserPools {
    pub(super) client: Client,
}

impl UserPools {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) async fn find(&self, name: &PoolName) -> Answer<Vec<UserPool>> {
        self.with_tag(|pool| pool == name.as_str(), TAG_KEY, |value| value == name.as_str()).await
    }

    /// All user pools with an accepted name and an accepted value of the tag.
    pub(super) async fn with_tag(
        &self,
        accepts_name: impl Fn(&str) -> bool + Send,
        key: &str,
        accepts_value: impl Fn(&str) -> bool + Send,
    ) -> Answer<Vec<UserPool>> {
        let mut pages = self.client.list_user_pools().max_results(PAGE).into_paginator().send();
        let mut owned = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListUserPools", &error))?;
            let named = page.user_pools.unwrap_or_default().into_iter();
            let named = named.filter(|pool| pool.name.as_deref().is_some_and(&accepts_name));
            for id in named.filter_map(|pool| pool.id) {
                // A pool can be deleted between the two calls.
                let Some(pool) = none_if_absent(self.describe(&id).await)? else { continue };
                let tags = pool.user_pool_tags.as_ref();
                if tags.and_then(|tags| tags.get(key)).is_some_and(|value| accepts_value(value)) {
                    let Some(mfa) = none_if_absent(self.mfa(&id, &pool).await)? else { continue };
                    owned.push(to_user_pool("DescribeUserPool", &pool, mfa)?);
                }
            }
        }
        Ok(owned)
    }

    pub(super) async fn describe(&self, id: &str) -> Answer<UserPoolType> {
        let answer = self.client.describe_user_pool().user_pool_id(id).send().await;
        let answer = answer.map_err(|error| Failure::of("DescribeUserPool", &error))?;
        answer.user_pool.ok_or_else(|| Failure::missing("DescribeUserPool", "UserPool").into())
    }

    pub(crate) async fn create(
        &self,
        name: &PoolName,
        state: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Answer<UserPool> {
        const OPERATION: &str = "CreateUserPool";
        let lambda_config = LambdaConfigType::builder()
            .set_pre_sign_up(state.pre_sign_up_function_arn.clone())
            .set_user_migration(state.user_migration_function_arn.clone());
        // Allow account recovery only by e-mail, because SMS is weaker and needs an IAM role that Poolkeeper does not
        // create.
        let by_email = RecoveryOptionType::builder().priority(1).name(RecoveryOptionNameType::VerifiedEmail).build();
        let by_email = by_email.map_err(|_| Failure::missing(OPERATION, "RecoveryOption"))?;
        let case = UsernameConfigurationType::builder().case_sensitive(state.case_sensitive).build();
        let case = case.map_err(|_| Failure::missing(OPERATION, "CaseSensitive"))?;
        let aliases: Vec<_> = state.aliases.iter().map(|alias| to_alias(*alias)).collect();
        let sign_in_with_email = state.sign_in == SignInWith::Email;
        let schema: Vec<_> = custom_attributes.iter().map(to_schema).collect();
        let answer = self
            .client
            .create_user_pool()
            .pool_name(name.as_str())
            .set_user_pool_tags(Some(with_own_tag(name, tags)))
            .set_username_attributes(sign_in_with_email.then(|| vec![UsernameAttributeType::Email]))
            .set_alias_attributes((!aliases.is_empty()).then_some(aliases))
            .set_auto_verified_attributes(Some(to_verified(&state.auto_verified)))
            .user_attribute_update_settings(to_update_settings(&state.auto_verified))
            .username_configuration(case)
            .policies(
                UserPoolPolicyType::builder().password_policy(password_policy(None, &state.password_policy)).build(),
            )
            .admin_create_user_config(
                AdminCreateUserConfigType::builder().allow_admin_create_user_only(!state.self_sign_up).build(),
            )
            .account_recovery_setting(AccountRecoverySettingType::builder().recovery_mechanisms(by_email).build())
            .deletion_protection(to_protection(state.deletion_protection))
            .lambda_config(lambda_config.build())
            .set_schema((!schema.is_empty()).then_some(schema))
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        let pool = answer.user_pool.ok_or_else(|| Failure::missing(OPERATION, "UserPool"))?;
        // A new pool has no MFA. `Platform::set_mfa` sets it.
        to_user_pool(OPERATION, &pool, MfaMode::Off)
    }

    pub(crate) async fn update(&self, id: &str, state: &UserPoolState) -> Answer<()> {
        let current = self.describe(id).await?;
        let verified_before: BTreeSet<_> =
            current.auto_verified_attributes().iter().filter_map(from_verified).collect();
        let mut request = update_requests::user_pool(self.client.update_user_pool(), current);
        if verified_before != state.auto_verified {
            // The setting can contain only auto-verified attributes, so it changes only with them.
            request = request.user_attribute_update_settings(to_update_settings(&state.auto_verified));
        }
        let request = request
            .user_pool_id(id)
            .set_auto_verified_attributes(Some(to_verified(&state.auto_verified)))
            .deletion_protection(to_protection(state.deletion_protection));
        let request = update_requests::self_sign_up(request, state.self_sign_up);
        let request = update_requests::triggers(request, state);
        let request = update_requests::passwords(request, &state.password_policy);
        request.send().await.map_err(|error| Failure::of("UpdateUserPool", &error))?;
        Ok(())
    }

    pub(crate) async fn add_custom_attributes(&self, id: &str, attributes: &[CustomAttribute]) -> Answer<()> {
        let schema = attributes.iter().map(to_schema).collect();
        let request = self.client.add_custom_attributes().user_pool_id(id).set_custom_attributes(Some(schema));
        request.send().await.map_err(|error| Failure::of("AddCustomAttributes", &error))?;
        Ok(())
    }

    pub(crate) async fn tag(&self, arn: &str, name: &PoolName, tags: &BTreeMap<String, String>) -> Answer<()> {
        // The bootstrap's role permits setting tags only together with the pool's tag.
        let request = self.client.tag_resource().resource_arn(arn).set_tags(Some(with_own_tag(name, tags)));
        request.send().await.map_err(|error| Failure::of("TagResource", &error))?;
        Ok(())
    }

    pub(crate) async fn delete(&self, id: &str) -> Answer<()> {
        let answer = self.client.delete_user_pool().user_pool_id(id).send().await;
        answer.map_err(|error| Failure::of("DeleteUserPool", &error))?;
        Ok(())
    }

    pub(crate) async fn clients(&self, user_pool_id: &str, name: &str) -> Answer<Vec<AppClient>> {
        let described = self.described_clients(user_pool_id, |client| client == name).await?;
        described.iter().map(|client| to_client("DescribeUserPoolClient", client)).collect()
    }

    /// All app clients of a pool with an accepted name.
    pub(super) async fn described_clients(
        &self,
        user_pool_id: &str,
        accepts_name: impl Fn(&str) -> bool + Send,
    ) -> Answer<Vec<UserPoolClientType>> {
        let request = self.client.list_user_pool_clients().user_pool_id(user_pool_id).max_results(PAGE);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListUserPoolClients", &error))?;
            let named = page.user_pool_clients.unwrap_or_default().into_iter();
            let named = named.filter(|client| client.client_name.as_deref().is_some_and(&accepts_name));
            for id in named.filter_map(|client| client.client_id) {
                // A client can be deleted between the two calls.
                found.extend(none_if_absent(self.describe_client(user_pool_id, &id).await)?);
            }
        }
        Ok(found)
    }

    async fn describe_client(&self, user_pool_id: &str, id: &str) -> Answer<UserPoolClientType> {
        const OPERATION: &str = "DescribeUserPoolClient";
        let answer = self.client.describe_user_pool_client().user_pool_id(user_pool_id).client_id(id).send().await;
        let answer = answer.map_err(|error| Failure::of(OPERATION, &error))?;
        answer.user_pool_client.ok_or_else(|| Failure::missing(OPERATION, "UserPoolClient").into())
    }

    pub(crate) async fn create_client(
        &self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        state: &ClientState,
    ) -> Answer<AppClient> {
        const OPERATION: &str = "CreateUserPoolClient";
        let answer = self
            .client
            .create_user_pool_client()
            .user_pool_id(user_pool_id)
            .client_name(name)
            .generate_secret(with_secret)
            .set_explicit_auth_flows(Some(to_flows(state)))
            .access_token_validity(to_i32(state.access_token_minutes))
            .id_token_validity(to_i32(state.id_token_minutes))
            .refresh_token_validity(to_i32(state.refresh_token_days))
            .token_validity_units(client_units())
            .prevent_user_existence_errors(to_prevention(state.prevent_user_existence_errors))
            .set_write_attributes(Some(state.write_attributes.iter().cloned().collect()))
            .set_read_attributes(Some(state.read_attributes.iter().cloned().collect()))
            .enable_token_revocation(state.token_revocation)
            // Allows user context data for threat protection in self-service. Cognito accepts this setting only for a
            // client with a secret.
            .set_enable_propagate_additional_user_context_data(with_secret.then_some(true))
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        let client = answer.user_pool_client.ok_or_else(|| Failure::missing(OPERATION, "UserPoolClient"))?;
        to_client(OPERATION, &client)
    }

    pub(crate) async fn update_client(&self, user_pool_id: &str, id: &str, state: &ClientState) -> Answer<()> {
        let current = self.describe_client(user_pool_id, id).await?;
        update_requests::client(self.client.update_user_pool_client(), current)
            .user_pool_id(user_pool_id)
            .client_id(id)
            .set_explicit_auth_flows(Some(to_flows(state)))
            .access_token_validity(to_i32(state.access_token_minutes))
            .id_token_validity(to_i32(state.id_token_minutes))
            .refresh_token_validity(to_i32(state.refresh_token_days))
            .token_validity_units(client_units())
            .prevent_user_existence_errors(to_prevention(state.prevent_user_existence_errors))
            .set_write_attributes(Some(state.write_attributes.iter().cloned().collect()))
            .set_read_attributes(Some(state.read_attributes.iter().cloned().collect()))
            .enable_token_revocation(state.token_revocation)
            .send()
            .await
            .map_err(|error| Failure::of("UpdateUserPoolClient", &error))?;
        Ok(())
    }

    pub(crate) async fn delete_client(&self, user_pool_id: &str, id: &str) -> Answer<()> {
        let answer = self.client.delete_user_pool_client().user_pool_id(user_pool_id).client_id(id).send().await;
        answer.map_err(|error| Failure::of("DeleteUserPoolClient", &error))?;
        Ok(())
    }

    pub(crate) async fn groups(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        let mut pages = self.client.list_groups().user_pool_id(user_pool_id).limit(PAGE).into_paginator().send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListGroups", &error))?;
            names.extend(page.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name));
        }
        Ok(names)
    }

    pub(crate) async fn members(&self, user_pool_id: &str, group: &str) -> Answer<MemberPage> {
        let request = self.client.list_users_in_group().user_pool_id(user_pool_id).group_name(group).limit(PAGE);
        let page = request.send().await.map_err(|error| Failure::of("ListUsersInGroup", &error))?;
        let usernames = page.users.unwrap_or_default().into_iter().filter_map(|user| user.username).collect();
        Ok(MemberPage { usernames, is_last: page.next_token.is_none() })
    }

    pub(crate) async fn create_group(&self, user_pool_id: &str, name: &str) -> Answer<()> {
        let request = self.client.create_group().user_pool_id(user_pool_id).group_name(name);
        let answer = request.send().await;
        answer.map_err(|error| Failure::of("CreateGroup", &error))?;
        Ok(())
    }
}

/// Prefix of the keys of Poolkeeper's tags.
pub(super) const OWN_TAGS: &str = "poolkeeper:";

fn with_own_tag(name: &PoolName, tags: &BTreeMap<String, String>) -> HashMap<String, String> {
    let own = (TAG_KEY.to_owned(), name.to_string());
    tags.iter().map(|(key, value)| (key.clone(), value.clone())).chain([own]).collect()
}

fn own_tags(pool: &UserPoolType) -> BTreeMap<String, String> {
    let tags = pool.user_pool_tags.iter().flatten().filter(|(key, _)| key.starts_with(OWN_TAGS));
    tags.map(|(key, value)| (key.clone(), value.clone())).collect()
}

pub(super) fn to_user_pool(operation: &'static str, pool: &UserPoolType, mfa: MfaMode) -> Answer<UserPool> {
    let missing = |field| Failure::missing(operation, field);
    let policy = pool.policies.as_ref().and_then(|policies| policies.password_policy.as_ref());
    let policy = policy.ok_or_else(|| missing("PasswordPolicy"))?;
    let sign_in = if pool.username_attributes().is_empty() { SignInWith::Username } else { SignInWith::Email };
    let state = UserPoolState {
        sign_in,
        aliases: pool.alias_attributes().iter().filter_map(from_alias).collect(),
        // A pool without the setting is case-sensitive.
        case_sensitive: pool.username_configuration.as_ref().is_none_or(|configuration| configuration.case_sensitive),
        auto_verified: pool.auto_verified_attributes().iter().filter_map(from_verified).collect(),
        password_policy: PasswordPolicy {
            minimum_length: to_u32(policy.minimum_length.unwrap_or_default()),
            require_lowercase: policy.require_lowercase,
            require_uppercase: policy.require_uppercase,
            require_numbers: policy.require_numbers,
            require_symbols: policy.require_symbols,
            temporary_password_validity_days: to_u32(policy.temporary_password_validity_days),
        },
        mfa,
        self_sign_up: pool.admin_create_user_config.as_ref().is_none_or(|it| !it.allow_admin_create_user_only),
        pre_sign_up_function_arn: pool.lambda_config.as_ref().and_then(|config| config.pre_sign_up.clone()),
        user_migration_function_arn: pool.lambda_config.as_ref().and_then(|config| config.user_migration.clone()),
        deletion_protection: pool.deletion_protection == Some(DeletionProtectionType::Active),
    };
    let id = pool.id.clone().ok_or_else(|| missing("Id"))?;
    Ok(UserPool {
        issuer: issuer(&id, pool).ok_or_else(|| missing("IssuerConfiguration"))?,
        id,
        arn: pool.arn.clone().ok_or_else(|| missing("Arn"))?,
        sms_role_arn: pool
            .sms_configuration
            .as_ref()
            .map(|sms| sms.sns_caller_arn.clone())
            .filter(|arn| !arn.is_empty()),
        state,
        custom_attributes: pool.schema_attributes().iter().filter_map(from_schema).collect(),
        required_attributes: pool.schema_attributes().iter().filter_map(required).collect(),
        tags: own_tags(pool),
        created_at: pool.creation_date.and_then(to_time),
    })
}

/// Returns the issuer of a pool's tokens, or `None` for an unknown issuer type. `IssuerConfigurationType` in the
/// service model defines the formats. Their region is the pool's primary region, with which its id begins.
fn issuer(id: &str, pool: &UserPoolType) -> Option<String> {
    let (region, _) = id.split_once('_')?;
    let host = match pool.issuer_configuration.as_ref().and_then(|configuration| configuration.r#type.as_ref()) {
        None | Some(IssuerType::Original) => "cognito-idp",
        Some(IssuerType::Updated) => "issuer-cognito-idp",
        Some(_) => return None,
    };
    Some(format!("https://{host}.{region}.amazonaws.com/{id}"))
}

pub(super) fn to_client(operation: &'static str, client: &UserPoolClientType) -> Answer<AppClient> {
    let units = client.token_validity_units.as_ref();
    let minutes = |validity: Option<i32>, unit: Option<&TimeUnitsType>| {
        // Cognito's defaults are one hour and the unit hours.
        let seconds = to_u32(validity.filter(|validity| *validity > 0).unwrap_or(1))
            * seconds_in(unit.unwrap_or(&TimeUnitsType::Hours));
        seconds / 60
    };
    let refresh_unit = units.and_then(|units| units.refresh_token.as_ref()).unwrap_or(&TimeUnitsType::Days);
    let state = ClientState {
        auth_flows: client.explicit_auth_flows().iter().filter_map(from_flow).collect(),
        access_token_minutes: minutes(
            client.access_token_validity,
            units.and_then(|units| units.access_token.as_ref()),
        ),
        id_token_minutes: minutes(client.id_token_validity, units.and_then(|units| units.id_token.as_ref())),
        refresh_token_days: to_u32(client.refresh_token_validity) * seconds_in(refresh_unit)
            / seconds_in(&TimeUnitsType::Days),
        prevent_user_existence_errors: client.prevent_user_existence_errors
            == Some(PreventUserExistenceErrorTypes::Enabled),
        token_revocation: client.enable_token_revocation.unwrap_or_default(),
        write_attributes: client.write_attributes().iter().cloned().collect(),
        read_attributes: client.read_attributes().iter().cloned().collect(),
    };
    Ok(AppClient {
        id: client.client_id.clone().ok_or_else(|| Failure::missing(operation, "ClientId"))?,
        has_secret: client.client_secret.is_some(),
        state,
        created_at: client.creation_date.and_then(to_time),
    })
}

pub(super) fn seconds_in(unit: &TimeUnitsType) -> u32 {
    match unit {
        TimeUnitsType::Seconds => 1,
        TimeUnitsType::Minutes => 60,
        TimeUnitsType::Days => 24 * 60 * 60,
        // Hours and unknown units. An update corrects a wrong value.
        _ => 60 * 60,
    }
}

/// Converts a number of the spec, whose ranges all fit.
fn to_i32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn to_u32(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn to_protection(active: bool) -> DeletionProtectionType {
    if active { DeletionProtectionType::Active } else { DeletionProtectionType::Inactive }
}

fn to_prevention(enabled: bool) -> PreventUserExistenceErrorTypes {
    if enabled { PreventUserExistenceErrorTypes::Enabled } else { PreventUserExistenceErrorTypes::Legacy }
}

fn to_alias(alias: Alias) -> AliasAttributeType {
    match alias {
        Alias::Email => AliasAttributeType::Email,
        Alias::PhoneNumber => AliasAttributeType::PhoneNumber,
        Alias::PreferredUsername => AliasAttributeType::PreferredUsername,
    }
}

fn from_alias(alias: &AliasAttributeType) -> Option<Alias> {
    match alias {
        AliasAttributeType::Email => Some(Alias::Email),
        AliasAttributeType::PhoneNumber => Some(Alias::PhoneNumber),
        AliasAttributeType::PreferredUsername => Some(Alias::PreferredUsername),
        _ => None,
    }
}

fn to_verified(attributes: &BTreeSet<Verifiable>) -> Vec<VerifiedAttributeType> {
    let to_type = |attribute: &Verifiable| match attribute {
        Verifiable::Email => VerifiedAttributeType::Email,
        Verifiable::PhoneNumber => VerifiedAttributeType::PhoneNumber,
    };
    attributes.iter().map(to_type).collect()
}

pub(super) fn from_verified(attribute: &VerifiedAttributeType) -> Option<Verifiable> {
    match attribute {
        VerifiedAttributeType::Email => Some(Verifiable::Email),
        VerifiedAttributeType::PhoneNumber => Some(Verifiable::PhoneNumber),
        _ => None,
    }
}

/// Keeps a verified attribute until its new value is verified. Otherwise a typing error would lock the user out.
fn to_update_settings(attributes: &BTreeSet<Verifiable>) -> UserAttributeUpdateSettingsType {
    UserAttributeUpdateSettingsType::builder()
        .set_attributes_require_verification_before_update(Some(to_verified(attributes)))
        .build()
}

fn to_schema(attribute: &CustomAttribute) -> SchemaAttributeType {
    let kind = match attribute.kind {
        AttributeKind::String => AttributeDataType::String,
        AttributeKind::Number => AttributeDataType::Number,
        // A spec cannot contain this type.
        AttributeKind::Other => AttributeDataType::from("Other"),
    };
    SchemaAttributeType::builder().name(&attribute.name).attribute_data_type(kind).mutable(attribute.mutable).build()
}

fn from_schema(attribute: &SchemaAttributeType) -> Option<CustomAttribute> {
    let kind = match attribute.attribute_data_type.as_ref()? {
        AttributeDataType::String => AttributeKind::String,
        AttributeDataType::Number => AttributeKind::Number,
        _ => AttributeKind::Other,
    };
    let name = attribute.name.as_deref()?.strip_prefix(CUSTOM)?.to_owned();
    Some(CustomAttribute { name, kind, mutable: attribute.mutable.unwrap_or(true) })
}

/// Returns the name of a required attribute. `sub` is also marked as required, but users cannot write it.
fn required(attribute: &SchemaAttributeType) -> Option<String> {
    let is_required = attribute.required.unwrap_or_default();
    attribute.name.clone().filter(|name| is_required && name != "sub")
}

fn to_flows(state: &ClientState) -> Vec<ExplicitAuthFlowsType> {
    let to_flow = |flow: &AuthFlow| match flow {
        AuthFlow::AllowAdminUserPasswordAuth => ExplicitAuthFlowsType::AllowAdminUserPasswordAuth,
        AuthFlow::AllowCustomAuth => ExplicitAuthFlowsType::AllowCustomAuth,
        AuthFlow::AllowUserPasswordAuth => ExplicitAuthFlowsType::AllowUserPasswordAuth,
        AuthFlow::AllowUserSrpAuth => ExplicitAuthFlowsType::AllowUserSrpAuth,
        AuthFlow::AllowUserAuth => ExplicitAuthFlowsType::AllowUserAuth,
        AuthFlow::AllowRefreshTokenAuth => ExplicitAuthFlowsType::AllowRefreshTokenAuth,
    };
    state.auth_flows.iter().map(to_flow).collect()
}

pub(super) fn from_flow(flow: &ExplicitAuthFlowsType) -> Option<AuthFlow> {
    match flow {
        ExplicitAuthFlowsType::AllowAdminUserPasswordAuth => Some(AuthFlow::AllowAdminUserPasswordAuth),
        ExplicitAuthFlowsType::AllowCustomAuth => Some(AuthFlow::AllowCustomAuth),
        ExplicitAuthFlowsType::AllowUserPasswordAuth => Some(AuthFlow::AllowUserPasswordAuth),
        ExplicitAuthFlowsType::AllowUserSrpAuth => Some(AuthFlow::AllowUserSrpAuth),
        ExplicitAuthFlowsType::AllowUserAuth => Some(AuthFlow::AllowUserAuth),
        ExplicitAuthFlowsType::AllowRefreshTokenAuth => Some(AuthFlow::AllowRefreshTokenAuth),
        // Cognito does not accept the old names, such as `ADMIN_NO_SRP_AUTH`, together with the new ones.
        _ => None,
    }
}
