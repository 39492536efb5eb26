//! Implements [`Directory`], the users of one pool, with Cognito's administrator calls.

mod filter;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::{DeliveryMediumType, MessageActionType, UserType};
use domain::secret::Secret;
use domain::user_pool::directory::{
    AttributeChanges, Comparison, Directory, Filter, FilterBy, NewUser, WelcomeMessage,
};
use domain::user_pool::error::UserPoolError;
use domain::user_pool::groups::Membership;
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::user::{Attributes, User, Username};

use crate::clients::UserPoolClients;
use crate::failure::Failure;
use crate::users::{to_attribute_types, to_user, to_users};

/// The administrator operations on one Cognito user pool. The user operations are in this file. Each other port has its
/// own file.
#[derive(Debug, Clone)]
pub struct CognitoDirectory {
    pub(crate) client: Client,
    /// Sends the requests that are not safe to repeat.
    pub(crate) once: Client,
    pub(crate) user_pool_id: String,
}

impl CognitoDirectory {
    pub(crate) fn new(clients: impl Into<UserPoolClients>, user_pool_id: &str) -> Self {
        let UserPoolClients { client, once } = clients.into();
        Self { client, once, user_pool_id: user_pool_id.to_owned() }
    }

    pub(crate) async fn get_user(&self, username: &Username) -> Result<AdminGetUserOutput, UserPoolError> {
        const OPERATION: &str = "AdminGetUser";
        let request = self.client.admin_get_user().user_pool_id(&self.user_pool_id).username(username.as_str());
        let user = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        // The SDK replaces a missing name by an empty one. Without this check, a response without fields would look
        // like a user without second factors.
        if user.username.is_empty() {
            return Err(Failure::missing(OPERATION, "Username").into());
        }
        Ok(user)
    }
}

#[async_trait]
impl Directory for CognitoDirectory {
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError> {
        const OPERATION: &str = "AdminCreateUser";
        let mut request = self
            .once
            .admin_create_user()
            .user_pool_id(&self.user_pool_id)
            .username(user.username.as_str())
            .set_user_attributes(Some(to_attribute_types(&user.attributes)))
            .set_temporary_password(user.temporary_password.as_ref().map(|password| password.expose().to_owned()));
        match user.welcome_message {
            WelcomeMessage::Suppress => request = request.message_action(MessageActionType::Suppress),
            WelcomeMessage::Send => request = request.desired_delivery_mediums(medium_for(&user.attributes)),
        }
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        to_user(OPERATION, answer.user.ok_or_else(|| Failure::missing(OPERATION, "User"))?)
    }

    async fn get(&self, username: &Username) -> Result<User, UserPoolError> {
        let answer = self.get_user(username).await?;
        // The response has the fields of an entry of `ListUsers`, except that the attributes have another name.
        let found = UserType::builder()
            .username(answer.username)
            .set_attributes(answer.user_attributes)
            .enabled(answer.enabled)
            .set_user_status(answer.user_status)
            .set_user_create_date(answer.user_create_date)
            .set_user_last_modified_date(answer.user_last_modified_date)
            .build();
        to_user("AdminGetUser", found)
    }

    async fn list(&self, filter: Option<&Filter>, page: &PageRequest) -> Result<Page<User>, UserPoolError> {
        const OPERATION: &str = "ListUsers";
        let answer = self
            .client
            .list_users()
            .user_pool_id(&self.user_pool_id)
            .set_filter(filter.map(filter::expression))
            .limit(i32::from(page.limit))
            .set_pagination_token(page.after.clone())
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(Page { entries: to_users(OPERATION, answer.users)?, next: answer.pagination_token })
    }

    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError> {
        let filter = Filter { by: FilterBy::Email, comparison: Comparison::BeginsWith, value: prefix.to_owned() };
        Ok(self.list(Some(&filter), &PageRequest { limit: 60, after: None }).await?.entries)
    }

    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError> {
        if !changes.set.is_empty() {
            self.once
                .admin_update_user_attributes()
                .user_pool_id(&self.user_pool_id)
                .username(username.as_str())
                .set_user_attributes(Some(to_attribute_types(&changes.set)))
                .send()
                .await
                .map_err(|error| Failure::of("AdminUpdateUserAttributes", &error))?;
        }
        if !changes.remove.is_empty() {
            self.client
                .admin_delete_user_attributes()
                .user_pool_id(&self.user_pool_id)
                .username(username.as_str())
                .set_user_attribute_names(Some(changes.remove.clone()))
                .send()
                .await
                .map_err(|error| Failure::of("AdminDeleteUserAttributes", &error))?;
        }
        Ok(())
    }

    async fn delete(&self, username: &Username) -> Result<(), UserPoolError> {
        let request = self.once.admin_delete_user().user_pool_id(&self.user_pool_id).username(username.as_str());
        request.send().await.map_err(|error| Failure::of("AdminDeleteUser", &error))?;
        Ok(())
    }

    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError> {
        self.once
            .admin_set_user_password()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .password(password.expose())
            .permanent(permanent)
            .send()
            .await
            .map_err(|error| Failure::of("AdminSetUserPassword", &error))?;
        Ok(())
    }

    async fn reset_password(&self, username: &Username) -> Result<(), UserPoolError> {
        let request =
            self.once.admin_reset_user_password().user_pool_id(&self.user_pool_id).username(username.as_str());
        request.send().await.map_err(|error| Failure::of("AdminResetUserPassword", &error))?;
        Ok(())
    }

    async fn resend_invitation(&self, username: &Username, attributes: &Attributes) -> Result<User, UserPoolError> {
        const OPERATION: &str = "AdminCreateUser";
        // Each call creates another password and sends another message.
        let answer = self
            .once
            .admin_create_user()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .message_action(MessageActionType::Resend)
            .desired_delivery_mediums(medium_for(attributes))
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        to_user(OPERATION, answer.user.ok_or_else(|| Failure::missing(OPERATION, "User"))?)
    }

    async fn enable(&self, username: &Username) -> Result<(), UserPoolError> {
        let request = self.client.admin_enable_user().user_pool_id(&self.user_pool_id).username(username.as_str());
        request.send().await.map_err(|error| Failure::of("AdminEnableUser", &error))?;
        Ok(())
    }

    async fn disable(&self, username: &Username) -> Result<(), UserPoolError> {
        let request = self.client.admin_disable_user().user_pool_id(&self.user_pool_id).username(username.as_str());
        request.send().await.map_err(|error| Failure::of("AdminDisableUser", &error))?;
        Ok(())
    }

    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError> {
        let request = self.client.admin_confirm_sign_up().user_pool_id(&self.user_pool_id).username(username.as_str());
        request.send().await.map_err(|error| Failure::of("AdminConfirmSignUp", &error))?;
        Ok(())
    }

    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError> {
        let request = self.client.admin_user_global_sign_out().user_pool_id(&self.user_pool_id);
        let answer = request.username(username.as_str()).send().await;
        answer.map_err(|error| Failure::of("AdminUserGlobalSignOut", &error))?;
        Ok(())
    }

    async fn groups(&self, username: &Username) -> Result<Vec<Membership>, UserPoolError> {
        const OPERATION: &str = "AdminListGroupsForUser";
        let request = self.client.admin_list_groups_for_user().user_pool_id(&self.user_pool_id);
        let mut pages = request.username(username.as_str()).into_paginator().send();
        let mut memberships = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(OPERATION, &error))?;
            // Otherwise an administrator would look like a user without groups. For such a user, Cognito sends an empty
            // list, on which Amplify's AdminQueries depends as well (`result.Groups.forEach`).
            for group in page.groups.ok_or_else(|| Failure::missing(OPERATION, "Groups"))? {
                let name = group.group_name.ok_or_else(|| Failure::missing(OPERATION, "GroupName"))?;
                memberships.push(Membership { group: name, role_arn: group.role_arn });
            }
        }
        Ok(memberships)
    }

    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        let request = self.client.admin_add_user_to_group().user_pool_id(&self.user_pool_id);
        let answer = request.username(username.as_str()).group_name(group).send().await;
        answer.map_err(|error| Failure::of("AdminAddUserToGroup", &error))?;
        Ok(())
    }

    async fn remove_from_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        let request = self.client.admin_remove_user_from_group().user_pool_id(&self.user_pool_id);
        let answer = request.username(username.as_str()).group_name(group).send().await;
        answer.map_err(|error| Failure::of("AdminRemoveUserFromGroup", &error))?;
        Ok(())
    }
}

/// Returns the delivery medium of a welcome message. Cognito's default is SMS, which it rejects for users without a phone
/// number.
fn medium_for(attributes: &Attributes) -> DeliveryMediumType {
    let has_only_phone = attributes.contains_key("phone_number") && !attributes.contains_key("email");
    if has_only_phone { DeliveryMediumType::Sms } else { DeliveryMediumType::Email }
}
