//! [`Groups`] on the in-memory pool.

use async_trait::async_trait;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::{Group, GroupDetails, GroupName, Groups};
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::user::User;
use time::OffsetDateTime;

use super::record::Record;
use super::snapshot::GroupSnapshot;
use super::{InMemoryDirectory, InMemoryPool, paging};

#[derive(Debug, Clone)]
pub(super) struct GroupRecord {
    name: GroupName,
    details: GroupDetails,
    pub(super) role_arn: Option<String>,
    created_at: OffsetDateTime,
    modified_at: OffsetDateTime,
}

impl GroupRecord {
    pub(super) fn new(name: GroupName, now: OffsetDateTime) -> Self {
        Self { name, details: GroupDetails::default(), role_arn: None, created_at: now, modified_at: now }
    }

    pub(super) fn snapshot(&self) -> GroupSnapshot {
        GroupSnapshot {
            role_arn: self.role_arn.clone(),
            description: self.details.description.clone(),
            precedence: self.details.precedence,
        }
    }

    fn group(&self) -> Group {
        Group {
            name: self.name.clone(),
            description: self.details.description.clone(),
            precedence: self.details.precedence,
            role_arn: self.role_arn.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
        }
    }
}

impl InMemoryPool {
    /// Sets the IAM role of a group, which no port can set.
    pub fn set_group_role(&self, group: &str, role_arn: &str) {
        if let Some(record) = self.state().groups.get_mut(group) {
            record.role_arn = Some(role_arn.to_owned());
        }
    }
}

#[async_trait]
impl Groups for InMemoryDirectory {
    async fn list_groups(&self, page: &PageRequest) -> Result<Page<Group>, UserPoolError> {
        let state = self.pool().call("list_groups")?;
        let page = paging::by_name(&state.groups, page, state.page_cap, |record| Some(record.group()));
        page.map_err(|reason| UserPoolError::new("list_groups", reason))
    }

    async fn group(&self, name: &GroupName) -> Result<Group, UserPoolError> {
        let state = self.pool().call("group")?;
        state.groups.get(name.as_str()).map(GroupRecord::group).ok_or_else(|| not_found("group"))
    }

    async fn create_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError> {
        let mut state = self.pool().call("create_group")?;
        if state.groups.contains_key(name.as_str()) {
            return Err(UserPoolError::new("create_group", Reason::GroupExists));
        }
        let now = state.next_time();
        let record = GroupRecord { details: details.clone(), ..GroupRecord::new(name.clone(), now) };
        let group = record.group();
        state.groups.insert(name.as_str().to_owned(), record);
        Ok(group)
    }

    async fn update_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError> {
        let mut state = self.pool().call("update_group")?;
        let now = state.next_time();
        let record = state.groups.get_mut(name.as_str()).ok_or_else(|| not_found("update_group"))?;
        let GroupDetails { description, precedence } = details.clone();
        let before = record.details.clone();
        record.details = GroupDetails {
            description: description.or(before.description),
            precedence: precedence.or(before.precedence),
        };
        record.modified_at = now;
        Ok(record.group())
    }

    async fn delete_group(&self, name: &GroupName) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("delete_group")?;
        state.groups.remove(name.as_str()).ok_or_else(|| not_found("delete_group"))?;
        for record in state.users.values_mut() {
            record.groups.remove(name.as_str());
        }
        Ok(())
    }

    async fn members(&self, name: &GroupName, page: &PageRequest) -> Result<Page<User>, UserPoolError> {
        let state = self.pool().call("members")?;
        if !state.groups.contains_key(name.as_str()) {
            return Err(not_found("members"));
        }
        let shown = |record: &Record| record.groups.contains(name.as_str()).then(|| record.user());
        let page = paging::by_name(&state.users, page, state.page_cap, shown);
        page.map_err(|reason| UserPoolError::new("members", reason))
    }
}

fn not_found(operation: &'static str) -> UserPoolError {
    UserPoolError::new(operation, Reason::GroupNotFound)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PASSWORD, at_most, name, pool, reason_of, walk};
    use super::*;

    fn group(text: &str) -> GroupName {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn update_keeps_omitted_fields() {
        let directory = pool().directory();
        let details = GroupDetails { description: Some("They write.".to_owned()), precedence: Some(7) };
        let created = directory.create_group(&group("writers"), &details).await.unwrap();
        directory.pool().set_group_role("writers", "arn:aws:iam::123456789012:role/writer");
        let change = GroupDetails { precedence: Some(1), ..GroupDetails::default() };
        let changed = directory.update_group(&group("writers"), &change).await.unwrap();
        assert_eq!((changed.description, changed.precedence), (details.description.clone(), Some(1)));
        assert_eq!(changed.role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/writer"));
        assert!(changed.modified_at > created.modified_at && changed.created_at == created.created_at);
        assert_eq!(reason_of(directory.create_group(&group("writers"), &details).await), Reason::GroupExists);
    }

    #[tokio::test]
    async fn deleted_group_has_no_members() {
        let pool = pool();
        let directory = pool.directory();
        directory.delete_group(&group("readers")).await.unwrap();
        assert!(pool.groups_of("mia").is_empty() && pool.user("mia").is_some());
        let readers = group("readers");
        assert_eq!(reason_of(directory.delete_group(&readers).await), Reason::GroupNotFound);
        assert_eq!(reason_of(directory.group(&readers).await), Reason::GroupNotFound);
        assert_eq!(reason_of(directory.update_group(&readers, &GroupDetails::default()).await), Reason::GroupNotFound);
        assert_eq!(reason_of(directory.members(&readers, &at_most(60)).await), Reason::GroupNotFound);
    }

    #[tokio::test]
    async fn lists_groups_and_members_in_pages() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &["admins"], &[]);
        pool.add_user("zoe", PASSWORD, &["readers", "writers"], &[]);
        let directory = pool.directory();
        let groups = walk(2, async |page| directory.list_groups(&page).await).await;
        let groups: Vec<Vec<_>> =
            groups.into_iter().map(|page| page.into_iter().map(|group| group.name.to_string()).collect()).collect();
        assert_eq!(groups, [vec!["admins", "readers"], vec!["writers"]]);
        let readers = group("readers");
        let members = walk(1, async |page| directory.members(&readers, &page).await).await;
        let members: Vec<_> = members.into_iter().flatten().map(|user| user.username).collect();
        assert_eq!(members, [name("mia"), name("zoe")]);
        pool.list_in_pages_of(1);
        let first = directory.members(&readers, &at_most(60)).await.unwrap();
        assert!(first.entries.is_empty() && first.next.is_some());
    }

    #[test]
    fn adding_an_existing_group_changes_nothing() {
        let pool = pool();
        pool.set_group_role("readers", "arn");
        pool.add_group("readers");
        assert_eq!(pool.state().groups["readers"].role_arn.as_deref(), Some("arn"));
    }
}
