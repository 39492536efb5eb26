//! Effects of calls on user pools, app clients and groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::platform::{AppClient, ClientState, MemberPage, UserPool, UserPoolState};
use domain::retry::ErrorClass;
use domain::spec::{CustomAttribute, MfaMode, PoolName};

use super::state::{Named, Owned, State};
use super::{ACCOUNT_ID, REGION};
use crate::in_memory::InMemoryPool;

impl State {
    pub(super) fn create_user_pool(
        &mut self,
        name: &PoolName,
        wanted: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
        listed_at: Duration,
    ) -> UserPool {
        let id = format!("{REGION}_pool{}", self.next_number());
        let arn = format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT_ID}:userpool/{id}");
        let pool = UserPool {
            issuer: format!("https://cognito-idp.{REGION}.amazonaws.com/{id}"),
            id,
            arn,
            sms_role_arn: None,
            state: UserPoolState { mfa: MfaMode::Off, ..wanted.clone() },
            custom_attributes: custom_attributes.to_vec(),
            required_attributes: BTreeSet::new(),
            tags: tags.clone(),
            created_at: Some(self.next_moment()),
        };
        let users = InMemoryPool::new();
        if !wanted.self_sign_up {
            users.refuse_sign_ups();
        }
        users.auto_confirm(wanted.pre_sign_up_function_arn.is_some());
        self.users.insert(pool.id.clone(), users);
        self.user_pools.push(Owned::tagged(name, pool.clone(), listed_at));
        pool
    }

    pub(super) fn update_user_pool(&mut self, id: &str, wanted: &UserPoolState) -> Result<(), ErrorClass> {
        let current = &mut self.user_pool(id)?.state;
        *current = UserPoolState { mfa: current.mfa, ..wanted.clone() };
        Ok(())
    }

    pub(super) fn set_mfa(&mut self, id: &str, mfa: MfaMode) -> Result<(), ErrorClass> {
        self.user_pool(id)?.state.mfa = mfa;
        if let Some(users) = self.users.get(id) {
            users.mfa_is_required(mfa == MfaMode::Required);
        }
        Ok(())
    }

    pub(super) fn tag_user_pool(&mut self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), ErrorClass> {
        let pool = self.user_pools.iter_mut().find(|pool| pool.thing.arn == arn).ok_or(ErrorClass::NotFound)?;
        pool.thing.tags.extend(tags.clone());
        Ok(())
    }

    pub(super) fn mapped_attributes(&mut self, user_pool_id: &str) -> Result<BTreeSet<String>, ErrorClass> {
        self.user_pool(user_pool_id)?;
        Ok(self.mapped_attributes.get(user_pool_id).cloned().unwrap_or_default())
    }

    pub(super) fn add_custom_attributes(&mut self, id: &str, attributes: &[CustomAttribute]) -> Result<(), ErrorClass> {
        self.user_pool(id)?.custom_attributes.extend_from_slice(attributes);
        Ok(())
    }

    pub(super) fn delete_user_pool(&mut self, id: &str) -> Result<(), ErrorClass> {
        if self.user_pool(id)?.state.deletion_protection {
            return Err(ErrorClass::Invalid);
        }
        self.user_pools.retain(|pool| pool.thing.id != id);
        self.clients.retain(|client| client.user_pool_id != id);
        self.groups.retain(|(user_pool_id, _)| user_pool_id != id);
        self.users.remove(id);
        Ok(())
    }

    pub(super) fn clients(&mut self, user_pool_id: &str, name: &str) -> Result<Vec<AppClient>, ErrorClass> {
        self.user_pool(user_pool_id)?;
        let named = self.clients.iter().filter(|it| it.user_pool_id == user_pool_id && it.name == name);
        Ok(named.map(|client| client.client.clone()).collect())
    }

    pub(super) fn create_client(
        &mut self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        wanted: &ClientState,
    ) -> Result<AppClient, ErrorClass> {
        self.user_pool(user_pool_id)?;
        let id = format!("client{}", self.next_number());
        let created_at = Some(self.next_moment());
        let client = AppClient { id, has_secret: with_secret, state: wanted.clone(), created_at };
        let named = Named { user_pool_id: user_pool_id.to_owned(), name: name.to_owned(), client: client.clone() };
        self.clients.push(named);
        Ok(client)
    }

    pub(super) fn update_client(&mut self, id: &str, wanted: &ClientState) -> Result<(), ErrorClass> {
        let client = self.clients.iter_mut().find(|client| client.client.id == id);
        client.ok_or(ErrorClass::NotFound)?.client.state = wanted.clone();
        Ok(())
    }

    pub(super) fn delete_client(&mut self, user_pool_id: &str, id: &str) -> Result<(), ErrorClass> {
        let before = self.clients.len();
        self.clients.retain(|client| !(client.user_pool_id == user_pool_id && client.client.id == id));
        if self.clients.len() == before { Err(ErrorClass::NotFound) } else { Ok(()) }
    }

    pub(super) fn groups(&self, user_pool_id: &str) -> BTreeSet<String> {
        let of_pool = self.groups.iter().filter(|(pool, _)| pool == user_pool_id);
        of_pool.map(|(_, group)| group.clone()).collect()
    }

    pub(super) fn members(&self, user_pool_id: &str, group: &str) -> Result<MemberPage, ErrorClass> {
        let pool = self.users.get(user_pool_id).ok_or(ErrorClass::NotFound)?.snapshot();
        if !pool.groups.contains_key(group) {
            return Err(ErrorClass::NotFound);
        }
        let members = pool.users.into_values().filter(|user| user.groups.contains(group));
        Ok(MemberPage { usernames: members.map(|user| user.username).collect(), is_last: true })
    }

    pub(super) fn create_group(&mut self, user_pool_id: &str, name: &str) -> Result<(), ErrorClass> {
        if !self.groups.insert((user_pool_id.to_owned(), name.to_owned())) {
            return Err(ErrorClass::AlreadyExists);
        }
        self.users.get(user_pool_id).ok_or(ErrorClass::NotFound)?.add_group(name);
        Ok(())
    }
}
