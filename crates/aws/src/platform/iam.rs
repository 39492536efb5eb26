//! IAM: the role of authenticated users and its policy.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{PolicyVersion, Tag};
use domain::platform::{IamEntity, TAG_KEY};
use domain::spec::PoolName;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Answer, none_if_absent};
use crate::failure::Failure;
use crate::users::to_time;

/// IAM's limit for the versions of a policy.
const MAX_VERSIONS: usize = 5;

#[derive(Debug, Clone)]
pub(crate) struct Iam {
    client: Client,
}

impl Iam {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) async fn policy(&self, arn: &str) -> Answer<Option<IamEntity>> {
        let answer = self.client.get_policy().policy_arn(arn).send().await;
        let Some(answer) = none_if_absent(answer.map_err(|error| Failure::of("GetPolicy", &error).into()))? else {
            return Ok(None);
        };
        let policy = answer.policy.ok_or_else(|| Failure::missing("GetPolicy", "Policy"))?;
        let version_id = policy.default_version_id.ok_or_else(|| Failure::missing("GetPolicy", "DefaultVersionId"))?;
        let version = self
            .client
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version_id)
            .send()
            .await
            .map_err(|error| Failure::of("GetPolicyVersion", &error))?;
        let document = version.policy_version.and_then(|version| version.document);
        let document = document.ok_or_else(|| Failure::missing("GetPolicyVersion", "Document"))?;
        Ok(Some(IamEntity {
            arn: arn.to_owned(),
            document: to_json(&document),
            boundary: None,
            tagged: owner_tag(policy.tags.as_deref()),
            created_at: policy.create_date.and_then(to_time),
        }))
    }

    pub(crate) async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Answer<IamEntity> {
        let answer = self
            .client
            .create_policy()
            .policy_name(name)
            .description(format!("Permissions of authenticated users of the user pool {pool}"))
            .policy_document(document.to_string())
            .tags(pool_tag(pool)?)
            .send()
            .await
            .map_err(|error| Failure::of("CreatePolicy", &error))?;
        let arn = answer.policy.and_then(|policy| policy.arn).ok_or_else(|| Failure::missing("CreatePolicy", "Arn"))?;
        Ok(IamEntity {
            arn,
            document: document.clone(),
            boundary: None,
            tagged: Some(pool.to_string()),
            created_at: None,
        })
    }

    pub(crate) async fn update_policy(&self, arn: &str, document: &Value) -> Answer<()> {
        let mut versions = self.versions(arn).await?;
        if versions.len() >= MAX_VERSIONS {
            versions.sort_by_key(|version| version.create_date);
            if let Some(oldest) = versions.iter().find(|version| !version.is_default_version) {
                self.delete_version(arn, oldest).await?;
            }
        }
        self.client
            .create_policy_version()
            .policy_arn(arn)
            .policy_document(document.to_string())
            .set_as_default(true)
            .send()
            .await
            .map_err(|error| Failure::of("CreatePolicyVersion", &error))?;
        Ok(())
    }

    pub(crate) async fn delete_policy(&self, arn: &str) -> Answer<()> {
        for version in self.versions(arn).await?.iter().filter(|version| !version.is_default_version) {
            self.delete_version(arn, version).await?;
        }
        let answer = self.client.delete_policy().policy_arn(arn).send().await;
        answer.map_err(|error| Failure::of("DeletePolicy", &error))?;
        Ok(())
    }

    async fn versions(&self, arn: &str) -> Answer<Vec<PolicyVersion>> {
        let mut pages = self.client.list_policy_versions().policy_arn(arn).into_paginator().send();
        let mut versions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListPolicyVersions", &error))?;
            versions.extend(page.versions.unwrap_or_default());
        }
        Ok(versions)
    }

    async fn delete_version(&self, arn: &str, version: &PolicyVersion) -> Answer<()> {
        let id = version.version_id.as_deref().ok_or_else(|| Failure::missing("ListPolicyVersions", "VersionId"))?;
        let answer = self.client.delete_policy_version().policy_arn(arn).version_id(id).send().await;
        none_if_absent(answer.map_err(|error| Failure::of("DeletePolicyVersion", &error).into()))?;
        Ok(())
    }

    pub(crate) async fn role(&self, name: &str) -> Answer<Option<IamEntity>> {
        let answer = self.client.get_role().role_name(name).send().await;
        let Some(answer) = none_if_absent(answer.map_err(|error| Failure::of("GetRole", &error).into()))? else {
            return Ok(None);
        };
        let role = answer.role.ok_or_else(|| Failure::missing("GetRole", "Role"))?;
        let trust = role.assume_role_policy_document;
        let trust = trust.ok_or_else(|| Failure::missing("GetRole", "AssumeRolePolicyDocument"))?;
        let tagged = owner_tag(role.tags.as_deref());
        let created_at = to_time(role.create_date);
        let boundary = role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn);
        Ok(Some(IamEntity { arn: role.arn, document: to_json(&trust), boundary, tagged, created_at }))
    }

    pub(crate) async fn create_role(
        &self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
    ) -> Answer<IamEntity> {
        let answer = self
            .client
            .create_role()
            .role_name(name)
            .description(format!("Role of authenticated users of the user pool {pool}"))
            .assume_role_policy_document(trust.to_string())
            .set_permissions_boundary(boundary.map(str::to_owned))
            .tags(pool_tag(pool)?)
            .send()
            .await
            .map_err(|error| Failure::of("CreateRole", &error))?;
        let role = answer.role.ok_or_else(|| Failure::missing("CreateRole", "Role"))?;
        let created_at = to_time(role.create_date);
        let boundary = boundary.map(str::to_owned);
        Ok(IamEntity { arn: role.arn, document: trust.clone(), boundary, tagged: Some(pool.to_string()), created_at })
    }

    pub(crate) async fn set_boundary(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        let request = self.client.put_role_permissions_boundary().role_name(role_name).permissions_boundary(policy_arn);
        request.send().await.map_err(|error| Failure::of("PutRolePermissionsBoundary", &error))?;
        Ok(())
    }

    pub(crate) async fn update_trust(&self, role_name: &str, trust: &Value) -> Answer<()> {
        self.client
            .update_assume_role_policy()
            .role_name(role_name)
            .policy_document(trust.to_string())
            .send()
            .await
            .map_err(|error| Failure::of("UpdateAssumeRolePolicy", &error))?;
        Ok(())
    }

    pub(crate) async fn attached_policies(&self, role_name: &str) -> Answer<BTreeSet<String>> {
        let mut pages = self.client.list_attached_role_policies().role_name(role_name).into_paginator().send();
        let mut arns = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListAttachedRolePolicies", &error))?;
            arns.extend(page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn));
        }
        Ok(arns)
    }

    #[cfg(any(test, feature = "backup"))]
    pub(crate) async fn inline_policies(&self, role_name: &str) -> Answer<Vec<String>> {
        let mut pages = self.client.list_role_policies().role_name(role_name).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            names.extend(page.map_err(|error| Failure::of("ListRolePolicies", &error))?.policy_names);
        }
        Ok(names)
    }

    pub(crate) async fn attach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        let answer = self.client.attach_role_policy().role_name(role_name).policy_arn(policy_arn).send().await;
        answer.map_err(|error| Failure::of("AttachRolePolicy", &error))?;
        Ok(())
    }

    pub(crate) async fn detach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        let answer = self.client.detach_role_policy().role_name(role_name).policy_arn(policy_arn).send().await;
        answer.map_err(|error| Failure::of("DetachRolePolicy", &error))?;
        Ok(())
    }

    pub(crate) async fn delete_role(&self, name: &str) -> Answer<()> {
        let answer = self.client.delete_role().role_name(name).send().await;
        answer.map_err(|error| Failure::of("DeleteRole", &error))?;
        Ok(())
    }
}

/// Decodes a document, which IAM returns percent-encoded (RFC 3986). Invalid JSON becomes null, which differs from
/// every wanted document.
fn to_json(document: &str) -> Value {
    let decoded = percent_decode_str(document).decode_utf8_lossy();
    serde_json::from_str(&decoded).unwrap_or_default()
}

fn pool_tag(pool: &PoolName) -> Answer<Tag> {
    let tag = Tag::builder().key(TAG_KEY).value(pool.as_str()).build();
    tag.map_err(|_| Failure::missing("Tag", "Key").into())
}

fn owner_tag(tags: Option<&[Tag]>) -> Option<String> {
    tags?.iter().find(|tag| tag.key == TAG_KEY).map(|tag| tag.value.clone())
}
