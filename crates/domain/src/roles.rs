//! Roles: the permissions of each group, as in the template parameter `Roles` and the setting `ROLES`.

mod grants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use thiserror::Error;

use crate::permission::Permission;
use crate::user_pool::groups::GroupName;

pub use grants::Grants;

/// The name that grants every permission.
const ALL: &str = "all";

/// The prefix of `users:groups:NAME`, which limits `users:groups` to one group.
const ONE_GROUP: &str = "users:groups:";

/// The minimum similarity (0 to 1) for a spelling suggestion.
const SIMILAR: f64 = 0.6;

/// The permissions of each group. A group without an entry has none.
///
/// The text has one of two forms:
///
/// - `admins=all,readers=users:read+groups:read` needs no quotes in a shell.
/// - A JSON object, `{"admins": ["all"], "readers": ["users:read", "groups:read"]}`, also supports group names with
///   `,`, `=` and `+`.
///
/// `all` grants every permission. `users:groups:NAME` is the permission `users:groups` for the group `NAME` only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, Grants>);

/// The text is not a valid list of roles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RoleError {
    /// The text has neither form.
    #[error(
        "must be groups with permissions, such as `admins=all,readers=users:read+groups:read`, or a JSON object, \
         such as `{{\"admins\": [\"all\"]}}`"
    )]
    Form,
    /// A group name is not valid.
    #[error("invalid group name `{0}`; must be 1–128 characters without whitespace or control characters")]
    GroupName(String),
    /// A group has more than one entry.
    #[error("duplicate group `{0}`")]
    DuplicateGroup(String),
    /// A permission does not exist.
    #[error("unknown permission `{permission}` of the group `{group}`{}", hint(permission))]
    UnknownPermission {
        /// The group with the unknown permission.
        group: String,
        /// The text that is not a permission.
        permission: String,
    },
}

impl Roles {
    /// The permissions of these groups combined.
    pub fn permissions_of<'a>(&self, groups: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permission> {
        self.grants_of(groups).permissions().clone()
    }

    /// The grants of these groups combined.
    pub fn grants_of<'a>(&self, groups: impl IntoIterator<Item = &'a str>) -> Grants {
        let grants = groups.into_iter().filter_map(|group| self.0.get(group));
        grants.fold(Grants::default(), |all, grants| all.union(grants))
    }

    /// Whether the group has an entry, with or without permissions.
    #[must_use]
    pub fn has_entry(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// The groups that grant more than they do in `before`.
    pub fn widened<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        let none = Grants::default();
        let is_wider = move |group: &str, grants: &Grants| !before.0.get(group).unwrap_or(&none).covers(grants);
        self.0.iter().filter(move |(group, grants)| is_wider(group, grants)).map(|(group, _)| group.as_str())
    }

    /// All groups in the text: those with permissions, and those that can be assigned.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let assignable = self.0.values().filter_map(Grants::assignable_groups).flatten();
        self.0.keys().chain(assignable).map(String::as_str)
    }
}

impl FromStr for Roles {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let text = text.trim();
        let groups = if text.starts_with('{') { from_json(text)? } else { from_pairs(text)? };
        let mut roles = BTreeMap::new();
        for (group, permissions) in groups {
            let group =
                GroupName::try_from(group.clone()).map_err(|_| RoleError::GroupName(group))?.as_str().to_owned();
            let grants = grants_in(&group, &permissions)?;
            if roles.insert(group.clone(), grants).is_some() {
                return Err(RoleError::DuplicateGroup(group));
            }
        }
        Ok(Self(roles))
    }
}

fn grants_in(group: &str, names: &[String]) -> Result<Grants, RoleError> {
    let mut grants = Grants::default();
    for name in names {
        if let Ok(permission) = name.parse() {
            grants.allow(permission);
        } else if name == ALL {
            grants = Grants::all();
        } else if let Some(assignable) = name.strip_prefix(ONE_GROUP) {
            let assignable = GroupName::try_from(assignable.to_owned());
            grants.allow_assigning(assignable.map_err(|_| RoleError::GroupName(name.clone()))?.as_str());
        } else {
            return Err(RoleError::UnknownPermission { group: group.to_owned(), permission: name.clone() });
        }
    }
    Ok(grants)
}

/// The groups in the order of the text, including duplicates.
type Groups = Vec<(String, Vec<String>)>;

/// `group=permission+permission,group=permission`, with optional spaces around the separators.
fn from_pairs(text: &str) -> Result<Groups, RoleError> {
    let pair = |pair: &str| {
        let (group, permissions) = pair.split_once('=').ok_or(RoleError::Form)?;
        let permissions = permissions.split('+').map(|permission| permission.trim().to_owned()).collect();
        Ok((group.trim().to_owned(), permissions))
    };
    text.split(',').map(pair).collect()
}

fn from_json(text: &str) -> Result<Groups, RoleError> {
    serde_json::from_str::<Members>(text).map(|members| members.0).map_err(|_| RoleError::Form)
}

/// The members of a JSON object. Unlike a map, this keeps duplicate members.
struct Members(Groups);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of lists")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Groups::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Suggests the most similar name, or lists all names.
fn hint(wrong: &str) -> String {
    let names = || Permission::ALL.iter().copied().map(Permission::as_str).chain([ALL]);
    let similarity = |name: &str| strsim::normalized_damerau_levenshtein(name, wrong);
    match names().max_by(|one, other| similarity(one).total_cmp(&similarity(other))) {
        Some(name) if similarity(name) >= SIMILAR => format!("; did you mean `{name}`?"),
        _ => format!("; known permissions are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(text: &str) -> Roles {
        text.parse().unwrap_or_else(|error| unreachable!("{text}: {error}"))
    }

    fn error_of(text: &str) -> RoleError {
        text.parse::<Roles>().err().unwrap_or_else(|| unreachable!("{text} is accepted"))
    }

    #[test]
    fn both_forms_are_equivalent() {
        let table = [
            ("admins=all", r#"{"admins": ["all"]}"#),
            (
                "admins=all,readers=users:read+groups:read",
                r#"{"admins":["all"],"readers":["users:read","groups:read"]}"#,
            ),
            (" a = users:read + pool:read , b = all ", r#" {"a": ["pool:read", "users:read"], "b": ["all"]} "#),
            ("a=users:read+all", r#"{"a": ["users:read", "all"]}"#),
        ];
        for (pairs, json) in table {
            assert_eq!(roles(pairs), roles(json), "{pairs}");
        }
    }

    #[test]
    fn all_grants_every_permission() {
        assert_eq!(roles("admins=all").permissions_of(["admins"]), Permission::ALL.iter().copied().collect());
    }

    #[test]
    fn lists_the_groups_that_can_be_assigned() {
        let both = [
            "support=users:read+users:groups:visitors+users:groups:guests",
            r#"{"support": ["users:groups:guests", "users:groups:visitors", "users:read"]}"#,
        ];
        for text in both {
            let grants = roles(text).grants_of(["support"]);
            assert!(grants.allows(Permission::UsersGroups) && grants.allows(Permission::UsersRead), "{text}");
            assert!(!grants.allows(Permission::UsersCreate), "{text}");
            assert!(grants.may_assign("visitors") && grants.may_assign("guests"), "{text}");
            assert!(!grants.may_assign("admins") && !grants.may_assign("visitor"), "{text}");
            assert_eq!(roles(text).groups().collect::<Vec<_>>(), ["support", "guests", "visitors"], "{text}");
        }
        let unlimited = roles("support=users:groups:visitors+users:groups").grants_of(["support"]);
        assert!(unlimited.may_assign("admins"));
        let json = roles(r#"{"support": ["users:groups:a,b=c+d"]}"#).grants_of(["support"]);
        assert!(json.may_assign("a,b=c+d"));
    }

    #[test]
    fn rejects_assignable_groups_that_cannot_be_names() {
        for wrong in ["a=users:groups:", r#"{"a": ["users:groups:two words"]}"#] {
            assert!(matches!(error_of(wrong), RoleError::GroupName(_)), "{wrong}");
        }
    }

    #[test]
    fn permissions_of_several_groups_add_up() {
        let roles = roles("admins=users:create+users:read,support=users:read+users:password");
        assert_eq!(roles.permissions_of(["support"]), [Permission::UsersRead, Permission::UsersPassword].into());
        assert_eq!(roles.permissions_of(["admins", "support"]).len(), 3);
        assert_eq!(roles.groups().collect::<Vec<_>>(), ["admins", "support"]);
    }

    #[test]
    fn widened_groups_grant_more_than_before() {
        let before = roles("a=users:read,b=users:read,c=all,d=users:groups:guests");
        let after = roles("a=users:read,b=users:read+pool:read,c=users:read,d=users:groups:visitors,e=pool:read");
        assert_eq!(after.widened(&before).collect::<Vec<_>>(), ["b", "d", "e"]);
    }

    #[test]
    fn groups_without_an_entry_have_no_permission() {
        let roles = roles("admins=all");
        for group in ["", "admin", "Admins", "admins-x", "x,admins"] {
            assert!(roles.permissions_of([group]).is_empty(), "{group:?}");
            assert!(!roles.has_entry(group), "{group:?}");
        }
        assert!(Roles::default().permissions_of(["admins"]).is_empty());
    }

    #[test]
    fn json_supports_group_names_that_pairs_do_not() {
        let roles = roles(r#"{"a=b,c": ["users:read"], "none": []}"#);
        assert_eq!(roles.permissions_of(["a=b,c"]), [Permission::UsersRead].into());
        assert!(roles.has_entry("none") && roles.permissions_of(["none"]).is_empty());
        assert_eq!(
            error_of("a=b=users:read"),
            RoleError::UnknownPermission { group: "a".to_owned(), permission: "b=users:read".to_owned() }
        );
    }

    #[test]
    fn rejects_other_forms() {
        // The second-to-last text is JSON whose quotes a shell removed.
        let table = [
            "",
            "[]",
            "null",
            "admins",
            "admins:all",
            "admins=all,",
            ",",
            r#"{"admins": "users:read"}"#,
            r#"{"admins": [1]}"#,
            r#"{"admins": {}}"#,
            "{admins:[users:read]}",
            r#"{"admins": ["all"]} x"#,
        ];
        for wrong in table {
            assert_eq!(error_of(wrong), RoleError::Form, "{wrong}");
        }
        let expected = "must be groups with permissions, such as `admins=all,readers=users:read+groups:read`, or a JSON \
                        object, such as `{\"admins\": [\"all\"]}`";
        assert_eq!(RoleError::Form.to_string(), expected);
    }

    #[test]
    fn rejects_invalid_group_names() {
        for wrong in ["=all", "a b=all", r#"{"": ["all"]}"#, r#"{"a b": ["all"]}"#] {
            assert!(matches!(error_of(wrong), RoleError::GroupName(_)), "{wrong}");
        }
    }

    #[test]
    fn rejects_duplicate_groups() {
        for wrong in ["admins=users:read,admins=all", r#"{"admins": ["users:read"], "admins": ["all"]}"#] {
            assert_eq!(error_of(wrong).to_string(), "duplicate group `admins`", "{wrong}");
        }
    }

    #[test]
    fn suggests_the_most_similar_permission() {
        let table = [
            ("admins=users:raed", "users:read"),
            ("admins=user:read", "users:read"),
            ("admins=users.create", "users:create"),
            ("admins=al", "all"),
            (r#"{"admins": ["users:read", "invitation:create"]}"#, "invitations:create"),
        ];
        for (wrong, meant) in table {
            let error = error_of(wrong).to_string();
            assert!(
                error.starts_with("unknown permission `") && error.contains("` of the group `admins`; "),
                "{error}"
            );
            assert!(error.ends_with(&format!("; did you mean `{meant}`?")), "{error}");
        }
    }

    #[test]
    fn lists_all_permissions_if_none_is_similar() {
        for wrong in ["admins=*", "admins=", "admins=fly"] {
            let error = error_of(wrong).to_string();
            assert!(error.contains("; known permissions are users:create, "), "{error}");
            assert!(error.ends_with(", jobs:read, all"), "{error}");
        }
    }
}
