//! Lists the members of groups that receive permissions, for a check by the operator.

use std::fmt;

use super::{ProvisionError, Provisioner};
use crate::platform::MemberPage;
use crate::retry::{Classified, ErrorClass, Situation};

/// The maximum number of names in a message.
const MAX_NAMES: usize = 10;

/// The members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMembers {
    /// The name of the group.
    pub group: String,
    /// The first page of members.
    pub members: MemberPage,
}

/// For example ``group `support` has 2 members: ada, bob``, with at most ten names.
impl fmt::Display for GroupMembers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MemberPage { usernames, is_last } = &self.members;
        let (count, more) = (usernames.len(), if *is_last { "" } else { "more than " });
        let noun = if count == 1 && *is_last { "member" } else { "members" };
        let shown = usernames.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = if count > MAX_NAMES || !*is_last { ", …" } else { "" };
        write!(formatter, "group `{}` has {more}{count} {noun}: {shown}{rest}", self.group)
    }
}

impl Provisioner<'_> {
    /// Lists the members of the non-empty groups, in the order of the groups. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the members of a group cannot be read.
    pub async fn members(&self, user_pool_id: &str, groups: &[String]) -> Result<Vec<GroupMembers>, ProvisionError> {
        let mut all = Vec::new();
        for group in groups {
            let page = || self.platform.members(user_pool_id, group);
            match self.call(Situation::Settled, page).await {
                Ok(page) if page.value.usernames.is_empty() => {}
                Ok(page) => all.push(GroupMembers { group: group.clone(), members: page.value }),
                // Roles can name a deleted group.
                Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(count: usize, is_last: bool) -> String {
        let usernames = (1..=count).map(|number| format!("u{number}")).collect();
        GroupMembers { group: "support".to_owned(), members: MemberPage { usernames, is_last } }.to_string()
    }

    #[test]
    fn lists_ten_members_and_whether_there_are_more() {
        assert_eq!(text(1, true), "group `support` has 1 member: u1");
        let ten = "u1, u2, u3, u4, u5, u6, u7, u8, u9, u10";
        assert_eq!(text(10, true), format!("group `support` has 10 members: {ten}"));
        assert_eq!(text(11, true), format!("group `support` has 11 members: {ten}, …"));
        assert_eq!(text(60, false), format!("group `support` has more than 60 members: {ten}, …"));
    }
}
