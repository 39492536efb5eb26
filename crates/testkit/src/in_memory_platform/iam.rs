//! Effects of calls on IAM policies and roles.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::platform::IamEntity;
use domain::retry::ErrorClass;
use domain::spec::PoolName;
use serde_json::Value;

use super::ACCOUNT_ID;
use super::state::{Role, State};

impl State {
    pub(super) fn create_policy(
        &mut self,
        name: &str,
        document: &Value,
        pool: &PoolName,
    ) -> Result<IamEntity, ErrorClass> {
        let arn = format!("arn:aws:iam::{ACCOUNT_ID}:policy/{name}");
        if self.policies.contains_key(&arn) {
            return Err(ErrorClass::AlreadyExists);
        }
        let policy = IamEntity {
            arn: arn.clone(),
            document: document.clone(),
            boundary: None,
            tagged: Some(pool.as_str().to_owned()),
            created_at: None,
        };
        self.policies.insert(arn, policy.clone());
        Ok(policy)
    }

    pub(super) fn update_policy(&mut self, arn: &str, document: &Value) -> Result<(), ErrorClass> {
        self.policies.get_mut(arn).ok_or(ErrorClass::NotFound)?.document = document.clone();
        Ok(())
    }

    pub(super) fn delete_policy(&mut self, arn: &str) -> Result<(), ErrorClass> {
        if self.roles.values().any(|role| role.policies.contains(arn)) {
            return Err(ErrorClass::Conflict);
        }
        self.policies.remove(arn).map(|_| ()).ok_or(ErrorClass::NotFound)
    }

    pub(super) fn set_boundary(&mut self, role_name: &str, policy_arn: &str) -> Result<(), ErrorClass> {
        self.role(role_name)?.entity.boundary = Some(policy_arn.to_owned());
        Ok(())
    }

    pub(super) fn create_role(
        &mut self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
        assumable_at: Duration,
    ) -> Result<IamEntity, ErrorClass> {
        if self.roles.contains_key(name) {
            return Err(ErrorClass::AlreadyExists);
        }
        let entity = IamEntity {
            arn: format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}"),
            document: trust.clone(),
            boundary: boundary.map(str::to_owned),
            tagged: Some(pool.as_str().to_owned()),
            // The role is not new unless a test sets the time.
            created_at: None,
        };
        let role = Role { entity: entity.clone(), policies: BTreeSet::new(), assumable_at };
        self.roles.insert(name.to_owned(), role);
        Ok(entity)
    }

    pub(super) fn update_trust(&mut self, role_name: &str, trust: &Value) -> Result<(), ErrorClass> {
        self.roles.get_mut(role_name).ok_or(ErrorClass::NotFound)?.entity.document = trust.clone();
        Ok(())
    }

    pub(super) fn attached_policies(&mut self, role_name: &str) -> Result<BTreeSet<String>, ErrorClass> {
        Ok(self.role(role_name)?.policies.clone())
    }

    pub(super) fn attach_policy(&mut self, role_name: &str, policy_arn: &str) -> Result<(), ErrorClass> {
        if !self.policies.contains_key(policy_arn) {
            return Err(ErrorClass::NotFound);
        }
        self.role(role_name)?.policies.insert(policy_arn.to_owned());
        Ok(())
    }

    pub(super) fn detach_policy(&mut self, role_name: &str, policy_arn: &str) -> Result<(), ErrorClass> {
        if self.role(role_name)?.policies.remove(policy_arn) { Ok(()) } else { Err(ErrorClass::NotFound) }
    }

    pub(super) fn delete_role(&mut self, name: &str) -> Result<(), ErrorClass> {
        if !self.role(name)?.policies.is_empty() {
            return Err(ErrorClass::Conflict);
        }
        self.roles.remove(name);
        Ok(())
    }
}
