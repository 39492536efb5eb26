//! Implements [`PoolSettings`], the settings of one pool.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::{DeletionProtectionType, SchemaAttributeType, UserPoolType};
use domain::user_pool::error::UserPoolError;
use domain::user_pool::settings::{AttributeDescription, PasswordPolicy, PoolDescription, PoolSettings};

use crate::CognitoDirectory;
use crate::failure::{Failure, Kind};
use crate::users::to_time;

const OPERATION: &str = "DescribeUserPool";

/// Cognito's default.
const DEFAULT_PASSWORD_LENGTH: u32 = 8;
const DEFAULT_TEMPORARY_PASSWORD_DAYS: u32 = 7;

#[async_trait]
impl PoolSettings for CognitoDirectory {
    async fn describe(&self) -> Result<PoolDescription, UserPoolError> {
        let answer = self.client.describe_user_pool().user_pool_id(&self.user_pool_id).send().await;
        let answer = answer.map_err(|error| Failure::of(OPERATION, &error))?;
        let pool = answer.user_pool.ok_or_else(|| Failure::missing(OPERATION, "UserPool"))?;
        Ok(to_description(&pool)?)
    }

    async fn has_client(&self, client_id: &str) -> Result<bool, UserPoolError> {
        let request = self.client.describe_user_pool_client().user_pool_id(&self.user_pool_id).client_id(client_id);
        match request.send().await.map_err(|error| Failure::of("DescribeUserPoolClient", &error)) {
            Ok(_) => Ok(true),
            // The pool exists, so the client does not.
            Err(Failure { kind: Kind::Service { code, .. }, .. }) if code == "ResourceNotFoundException" => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }
}

fn to_description(pool: &UserPoolType) -> Result<PoolDescription, Failure> {
    let creation = pool.admin_create_user_config.as_ref();
    Ok(PoolDescription {
        id: pool.id.clone().ok_or_else(|| missing("Id"))?,
        name: pool.name.clone().ok_or_else(|| missing("Name"))?,
        arn: pool.arn.clone(),
        estimated_users: pool.estimated_number_of_users.try_into().unwrap_or_default(),
        username_attributes: pool.username_attributes().iter().map(|each| each.as_str().to_owned()).collect(),
        aliases: pool.alias_attributes().iter().map(|each| each.as_str().to_owned()).collect(),
        auto_verified: pool.auto_verified_attributes().iter().map(|each| each.as_str().to_owned()).collect(),
        mfa: pool.mfa_configuration.as_ref().map_or("OFF", |mfa| mfa.as_str()).to_owned(),
        self_sign_up: creation.is_none_or(|it| !it.allow_admin_create_user_only),
        case_sensitive: pool.username_configuration.as_ref().is_none_or(|it| it.case_sensitive),
        deletion_protection: pool.deletion_protection == Some(DeletionProtectionType::Active),
        password_policy: to_password_policy(pool)?,
        attributes: pool.schema_attributes().iter().map(to_attribute).collect::<Result<_, _>>()?,
        created_at: pool.creation_date.and_then(to_time),
        modified_at: pool.last_modified_date.and_then(to_time),
    })
}

fn to_password_policy(pool: &UserPoolType) -> Result<PasswordPolicy, Failure> {
    let policy = pool.policies.as_ref().and_then(|policies| policies.password_policy.as_ref());
    let policy = policy.ok_or_else(|| missing("PasswordPolicy"))?;
    let positive = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
    // Older pools have only this setting.
    let older_days = pool.admin_create_user_config.as_ref().map(|it| it.unused_account_validity_days);
    let days = positive(policy.temporary_password_validity_days).or(older_days.and_then(positive));
    Ok(PasswordPolicy {
        minimum_length: policy.minimum_length.and_then(positive).unwrap_or(DEFAULT_PASSWORD_LENGTH),
        require_lowercase: policy.require_lowercase,
        require_uppercase: policy.require_uppercase,
        require_numbers: policy.require_numbers,
        require_symbols: policy.require_symbols,
        temporary_password_validity_days: days.unwrap_or(DEFAULT_TEMPORARY_PASSWORD_DAYS),
    })
}

fn to_attribute(attribute: &SchemaAttributeType) -> Result<AttributeDescription, Failure> {
    let kind = attribute.attribute_data_type.as_ref().ok_or_else(|| missing("AttributeDataType"))?;
    Ok(AttributeDescription {
        name: attribute.name.clone().ok_or_else(|| missing("SchemaAttributes.Name"))?,
        kind: kind.as_str().to_owned(),
        required: attribute.required.unwrap_or_default(),
        mutable: attribute.mutable.unwrap_or_default(),
    })
}

fn missing(field: &str) -> Failure {
    Failure::missing(OPERATION, field)
}
