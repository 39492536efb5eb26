//! Implements [`Groups`], the groups of one pool.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::GroupType;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{Group, GroupDetails, GroupName, Groups};
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::user::User;

use crate::CognitoDirectory;
use crate::failure::Failure;
use crate::users::{to_time, to_users};

#[async_trait]
impl Groups for CognitoDirectory {
    async fn list_groups(&self, page: &PageRequest) -> Result<Page<Group>, UserPoolError> {
        const OPERATION: &str = "ListGroups";
        let answer = self
            .client
            .list_groups()
            .user_pool_id(&self.user_pool_id)
            .limit(i32::from(page.limit))
            .set_next_token(page.after.clone())
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        let groups = answer.groups.unwrap_or_default().into_iter().map(|group| to_group(OPERATION, Some(group)));
        Ok(Page { entries: groups.collect::<Result<_, _>>()?, next: answer.next_token })
    }

    async fn group(&self, name: &GroupName) -> Result<Group, UserPoolError> {
        const OPERATION: &str = "GetGroup";
        let request = self.client.get_group().user_pool_id(&self.user_pool_id).group_name(name.as_str());
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        to_group(OPERATION, answer.group)
    }

    async fn create_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError> {
        const OPERATION: &str = "CreateGroup";
        // A retry would fail, because the first request may have created the group.
        let answer = self
            .once
            .create_group()
            .user_pool_id(&self.user_pool_id)
            .group_name(name.as_str())
            .set_description(details.description.clone())
            .set_precedence(to_precedence(OPERATION, details.precedence)?)
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        to_group(OPERATION, answer.group)
    }

    async fn update_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError> {
        const OPERATION: &str = "UpdateGroup";
        let precedence = to_precedence(OPERATION, details.precedence)?;
        // AWS does not document the effect of an absent field, so the current values are sent.
        let present = self.group(name).await?;
        let answer = self
            .client
            .update_group()
            .user_pool_id(&self.user_pool_id)
            .group_name(name.as_str())
            .set_description(details.description.clone().or(present.description))
            .set_precedence(precedence.or(to_precedence(OPERATION, present.precedence)?))
            .set_role_arn(present.role_arn)
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        to_group(OPERATION, answer.group)
    }

    async fn delete_group(&self, name: &GroupName) -> Result<(), UserPoolError> {
        let request = self.once.delete_group().user_pool_id(&self.user_pool_id).group_name(name.as_str());
        request.send().await.map_err(|error| Failure::of("DeleteGroup", &error))?;
        Ok(())
    }

    async fn members(&self, name: &GroupName, page: &PageRequest) -> Result<Page<User>, UserPoolError> {
        const OPERATION: &str = "ListUsersInGroup";
        let answer = self
            .client
            .list_users_in_group()
            .user_pool_id(&self.user_pool_id)
            .group_name(name.as_str())
            .limit(i32::from(page.limit))
            .set_next_token(page.after.clone())
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(Page { entries: to_users(OPERATION, answer.users)?, next: answer.next_token })
    }
}

fn to_group(operation: &'static str, group: Option<GroupType>) -> Result<Group, UserPoolError> {
    let missing = |field| Failure::missing(operation, field);
    let group = group.ok_or_else(|| missing("Group"))?;
    Ok(Group {
        name: group.group_name.and_then(|name| name.parse().ok()).ok_or_else(|| missing("GroupName"))?,
        description: group.description,
        precedence: group.precedence.and_then(|number| number.try_into().ok()),
        // An emulator returns an empty ARN.
        role_arn: group.role_arn.filter(|arn| !arn.is_empty()),
        created_at: group.creation_date.and_then(to_time).ok_or_else(|| missing("CreationDate"))?,
        modified_at: group.last_modified_date.and_then(to_time).ok_or_else(|| missing("LastModifiedDate"))?,
    })
}

/// Converts a precedence. Cognito's maximum is 2^31 - 1.
fn to_precedence(operation: &'static str, precedence: Option<u32>) -> Result<Option<i32>, UserPoolError> {
    let number = precedence.map(i32::try_from).transpose();
    number.map_err(|_| UserPoolError::new(operation, Reason::InvalidRequest))
}
