//! What a restore creates from a backup, besides the users.

use std::collections::BTreeMap;

use serde::Serialize;

use super::settings::{GroupRecord, Settings};
use crate::search::LARGEST_PAGE;
use crate::spec::{PoolName, Spec};
use crate::transfer::{PacedPool, Stop, is};
use crate::user_pool::error::Reason;
use crate::user_pool::groups::{Group, GroupName};
use crate::user_pool::page::PageRequest;
use crate::user_pool::quota::Category;

/// The spec of a restored pool.
#[derive(Debug, Clone)]
pub struct RestoredSpec {
    /// The spec.
    pub spec: Spec,
    /// What is in the backup and is not restored.
    pub not_restored: Vec<String>,
}

/// The spec with which a pool is restored under a new name.
///
/// The pool has no triggers, because the functions do not permit calls from a new pool. It has no self sign-up, because
/// the triggers may have rejected strangers, and because a stranger could take the user name of a user that is not
/// imported yet. The spec invites no administrator, whatever the archive contains.
#[must_use]
pub fn restored_spec(settings: &Settings, name: PoolName) -> RestoredSpec {
    let mut spec = settings.spec.clone();
    spec.name = name;
    spec.first_admin = None;
    spec.groups.clear();
    spec.verify = false;
    let mut not_restored = Vec::new();
    if std::mem::take(&mut spec.self_sign_up) {
        not_restored.push("self sign-up: enable it when the pool is in use".to_owned());
    }
    for (trigger, arn) in [
        ("pre-sign-up", spec.pre_sign_up_function_arn.take()),
        ("user migration", spec.user_migration_function_arn.take()),
    ] {
        not_restored.extend(arn.map(|arn| format!("{trigger} trigger {arn}")));
    }
    let clients = settings.clients.iter().filter(|client| !client.in_spec);
    not_restored.extend(clients.map(|client| format!("app client {}", client.name)));
    let roles = settings.groups.iter().filter_map(|group| Some((&group.name, group.role_arn.as_ref()?)));
    not_restored.extend(roles.map(|(group, role)| format!("role {role} of the group {group}")));
    RestoredSpec { spec, not_restored }
}

/// The number of groups by what a restore did with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RestoredGroups {
    /// Created.
    pub created: u64,
    /// Existed with another description or precedence.
    pub updated: u64,
    /// Existed, and was not changed.
    pub unchanged: u64,
}

/// What a restore does with existing groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingGroups {
    /// They are not changed.
    Keep,
    /// Their description and precedence are set.
    Update,
    /// Like [`Self::Update`], except for groups with an IAM role, for which Cognito requires `iam:PassRole`.
    UpdateWithoutRole,
}

/// Creates missing groups, and sets the description and precedence of existing groups as requested. Safe to repeat. Never
/// sets the role of a group.
///
/// # Errors
///
/// Returns an error if the caller lacks a permission or the pool is unavailable.
pub async fn restore_groups(
    paced: PacedPool<'_>,
    groups: &[GroupRecord],
    existing: ExistingGroups,
) -> Result<RestoredGroups, Stop> {
    let PacedPool { pool, .. } = paced;
    let mut present = present(paced).await?;
    let mut restored = RestoredGroups::default();
    for group in groups {
        let details = group.details();
        let mut current = present.remove(&group.name);
        if current.is_none() {
            let create = || pool.create_group(&group.name, &details);
            match paced.call(Category::UserPoolResourceUpdate, create).await {
                Ok(_) => restored.created += 1,
                // An attempt with a lost response, or another run, created the group.
                Err(failure) if is(&failure, Reason::GroupExists) => {
                    let read = || pool.group(&group.name);
                    current = Some(paced.call(Category::UserPoolResourceRead, read).await?);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let Some(current) = current.map(GroupRecord::from) else { continue };
        let is_kept = match existing {
            ExistingGroups::Keep => true,
            ExistingGroups::Update => false,
            ExistingGroups::UpdateWithoutRole => current.role_arn.is_some(),
        };
        let is_same = group.description.as_ref().is_none_or(|text| current.description.as_ref() == Some(text))
            && group.precedence.is_none_or(|number| current.precedence == Some(number));
        if is_same || is_kept {
            restored.unchanged += 1;
        } else {
            let update = || pool.update_group(&group.name, &details);
            paced.call(Category::UserPoolResourceUpdate, update).await?;
            restored.updated += 1;
        }
    }
    Ok(restored)
}

async fn present(paced: PacedPool<'_>) -> Result<BTreeMap<GroupName, Group>, Stop> {
    let mut groups = BTreeMap::new();
    let mut request = PageRequest { limit: LARGEST_PAGE, after: None };
    loop {
        let page = paced.call(Category::UserPoolResourceRead, || paced.pool.list_groups(&request)).await?;
        groups.extend(page.entries.into_iter().map(|group| (group.name.clone(), group)));
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(groups),
        }
    }
}
