//! The users of one pool: the port [`Directory`] on Cognito's administrator calls.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::Config;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, DeliveryMediumType, MessageActionType, UserStatusType, UserType,
};
use aws_smithy_types::DateTime;
use domain::directory::{AttributeChanges, Directory, Invitation, NewUser, Page, PageRequest};
use domain::secret::Secret;
use domain::user::{Attributes, User, UserStatus, Username};
use domain::user_pool_error::UserPoolError;
use time::OffsetDateTime;

use crate::classify::user_pool_error;
use crate::failure::Failure;

/// The users of one pool in Cognito.
#[derive(Debug, Clone)]
pub struct CognitoDirectory {
    client: Client,
    user_pool_id: String,
}

impl CognitoDirectory {
    pub(crate) fn new(client: Client, user_pool_id: &str) -> Self {
        Self { client, user_pool_id: user_pool_id.to_owned() }
    }
}

#[async_trait]
impl Directory for CognitoDirectory {
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError> {
        const OPERATION: &str = "AdminCreateUser";
        let mut request = self
            .client
            .admin_create_user()
            .user_pool_id(&self.user_pool_id)
            .username(user.username.as_str())
            .set_user_attributes(Some(to_attribute_types(&user.attributes)))
            .set_temporary_password(user.temporary_password.as_ref().map(|password| password.expose().to_owned()));
        match user.invitation {
            Invitation::Suppress => request = request.message_action(MessageActionType::Suppress),
            Invitation::Send => request = request.desired_delivery_mediums(medium_for(user)),
        }
        let answer = request
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        let created = answer.user.ok_or_else(|| user_pool_error(Failure::missing(OPERATION, "User")))?;
        to_user(OPERATION, created)
    }

    async fn get(&self, username: &Username) -> Result<User, UserPoolError> {
        const OPERATION: &str = "AdminGetUser";
        let answer = self
            .client
            .admin_get_user()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        // The same fields as in a list, but for another name of the attributes.
        let found = UserType::builder()
            .username(answer.username)
            .set_attributes(answer.user_attributes)
            .enabled(answer.enabled)
            .set_user_status(answer.user_status)
            .set_user_create_date(answer.user_create_date)
            .set_user_last_modified_date(answer.user_last_modified_date)
            .build();
        to_user(OPERATION, found)
    }

    async fn list(&self, page: &PageRequest) -> Result<Page, UserPoolError> {
        const OPERATION: &str = "ListUsers";
        let answer = self
            .client
            .list_users()
            .user_pool_id(&self.user_pool_id)
            .limit(i32::from(page.limit))
            .set_pagination_token(page.after.clone())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        let users = answer.users.unwrap_or_default().into_iter().map(|user| to_user(OPERATION, user));
        Ok(Page { users: users.collect::<Result<_, _>>()?, next: answer.pagination_token })
    }

    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError> {
        const OPERATION: &str = "ListUsers";
        let request = self.client.list_users().user_pool_id(&self.user_pool_id);
        let answer = request
            .filter(format!("email ^= {}", quoted(prefix)))
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        answer.users.unwrap_or_default().into_iter().map(|user| to_user(OPERATION, user)).collect()
    }

    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError> {
        if !changes.set.is_empty() {
            self.client
                .admin_update_user_attributes()
                .user_pool_id(&self.user_pool_id)
                .username(username.as_str())
                .set_user_attributes(Some(to_attribute_types(&changes.set)))
                .send()
                .await
                .map_err(|error| user_pool_error(Failure::of("AdminUpdateUserAttributes", &error)))?;
        }
        if !changes.remove.is_empty() {
            self.client
                .admin_delete_user_attributes()
                .user_pool_id(&self.user_pool_id)
                .username(username.as_str())
                .set_user_attribute_names(Some(changes.remove.clone()))
                .send()
                .await
                .map_err(|error| user_pool_error(Failure::of("AdminDeleteUserAttributes", &error)))?;
        }
        Ok(())
    }

    async fn delete(&self, username: &Username) -> Result<(), UserPoolError> {
        self.client
            .admin_delete_user()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("AdminDeleteUser", &error)))?;
        Ok(())
    }

    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError> {
        self.client
            .admin_set_user_password()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .password(password.expose())
            .permanent(permanent)
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("AdminSetUserPassword", &error)))?;
        Ok(())
    }

    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError> {
        self.client
            .admin_confirm_sign_up()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("AdminConfirmSignUp", &error)))?;
        Ok(())
    }

    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError> {
        self.client
            .admin_user_global_sign_out()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("AdminUserGlobalSignOut", &error)))?;
        Ok(())
    }

    async fn groups(&self, username: &Username) -> Result<Vec<String>, UserPoolError> {
        const OPERATION: &str = "AdminListGroupsForUser";
        let mut pages = self
            .client
            .admin_list_groups_for_user()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .into_paginator()
            .send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
            names.extend(page.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name));
        }
        Ok(names)
    }

    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        self.client
            .admin_add_user_to_group()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .group_name(group)
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("AdminAddUserToGroup", &error)))?;
        Ok(())
    }
}

/// A value in a filter: quotes and backslashes in it would end it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How the invitation reaches the user. Where nothing is said, Cognito takes SMS, and refuses it without a phone number.
fn medium_for(user: &NewUser) -> DeliveryMediumType {
    let only_a_phone = user.attributes.contains_key("phone_number") && !user.attributes.contains_key("email");
    if only_a_phone { DeliveryMediumType::Sms } else { DeliveryMediumType::Email }
}

/// For creates: no create of Cognito takes an idempotency token, so a repeat by the SDK after a lost answer could make a second
/// one, or report the first as somebody else's. Provisioning's clients repeat nothing anyway; the admin API's do.
pub(crate) fn sent_once() -> aws_sdk_cognitoidentityprovider::config::Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

pub(crate) fn to_attribute_types(attributes: &Attributes) -> Vec<AttributeType> {
    attributes
        .iter()
        // The builder fails only without a name.
        .filter_map(|(name, value)| AttributeType::builder().name(name).value(value).build().ok())
        .collect()
}

fn to_user(operation: &'static str, user: UserType) -> Result<User, UserPoolError> {
    let missing = |field| user_pool_error(Failure::missing(operation, field));
    let attributes = user.attributes.unwrap_or_default();
    Ok(User {
        username: user.username.and_then(|name| name.parse().ok()).ok_or_else(|| missing("Username"))?,
        status: to_status(&user.user_status.ok_or_else(|| missing("UserStatus"))?),
        enabled: user.enabled,
        attributes: attributes.into_iter().map(|each| (each.name, each.value.unwrap_or_default())).collect(),
        created_at: user.user_create_date.and_then(to_time).ok_or_else(|| missing("UserCreateDate"))?,
        modified_at: user.user_last_modified_date.and_then(to_time).ok_or_else(|| missing("UserLastModifiedDate"))?,
    })
}

fn to_status(status: &UserStatusType) -> UserStatus {
    match status {
        UserStatusType::Unconfirmed => UserStatus::Unconfirmed,
        UserStatusType::Confirmed => UserStatus::Confirmed,
        UserStatusType::ExternalProvider => UserStatus::ExternalProvider,
        UserStatusType::ForceChangePassword => UserStatus::ForceChangePassword,
        UserStatusType::ResetRequired => UserStatus::ResetRequired,
        UserStatusType::UnknownValue => UserStatus::Unknown,
        // ARCHIVED and COMPROMISED are documented as unused; and whatever Cognito adds.
        other => UserStatus::Other(other.as_str().to_owned()),
    }
}

pub(crate) fn to_time(moment: DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(moment.as_nanos()).ok()
}
