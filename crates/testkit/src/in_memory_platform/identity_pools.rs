//! Effects of calls on identity pools and identities.

use std::time::Duration;

use domain::platform::{IdentityPool, IdentityPoolState, TemporaryCredentials};
use domain::policy_document::check_trust;
use domain::retry::ErrorClass;
use domain::secret::Secret;
use domain::spec::PoolName;

use super::REGION;
use super::state::{Owned, State};

impl State {
    pub(super) fn create_identity_pool(
        &mut self,
        name: &PoolName,
        wanted: &IdentityPoolState,
        listed_at: Duration,
    ) -> IdentityPool {
        let pool = IdentityPool { id: format!("{REGION}:{}", self.next_number()), state: wanted.clone() };
        self.identity_pools.push(Owned::tagged(name, pool.clone(), listed_at));
        pool
    }

    pub(super) fn update_identity_pool(&mut self, id: &str, wanted: &IdentityPoolState) -> Result<(), ErrorClass> {
        let pool = self.identity_pools.iter_mut().find(|pool| pool.thing.id == id);
        pool.ok_or(ErrorClass::NotFound)?.thing.state = wanted.clone();
        Ok(())
    }

    pub(super) fn delete_identity_pool(&mut self, id: &str) -> Result<(), ErrorClass> {
        let before = self.identity_pools.len();
        self.identity_pools.retain(|pool| pool.thing.id != id);
        self.authenticated_roles.remove(id);
        if self.identity_pools.len() == before { Err(ErrorClass::NotFound) } else { Ok(()) }
    }

    pub(super) fn set_authenticated_role(&mut self, identity_pool_id: &str, role_arn: &str) {
        self.authenticated_roles.insert(identity_pool_id.to_owned(), role_arn.to_owned());
    }

    pub(super) fn identity(
        &mut self,
        identity_pool_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Result<String, ErrorClass> {
        let pool = self.identity_pools.iter().find(|pool| pool.thing.id == identity_pool_id);
        let providers = &pool.ok_or(ErrorClass::NotFound)?.thing.state.providers;
        if !providers.iter().any(|provider| provider.user_pool_id == user_pool_id) {
            return Err(ErrorClass::Invalid);
        }
        // In-memory tokens contain the user name, which identifies the identity.
        let id = format!("{identity_pool_id}:{}", id_token.expose());
        self.identities.insert(id.clone(), identity_pool_id.to_owned());
        Ok(id)
    }

    pub(super) fn credentials(&self, identity_id: &str, now: Duration) -> Result<TemporaryCredentials, ErrorClass> {
        let identity_pool_id = self.identities.get(identity_id).ok_or(ErrorClass::NotFound)?;
        let arn = self.authenticated_roles.get(identity_pool_id).ok_or(ErrorClass::RoleNotAssumable)?;
        let role = self.roles.values().find(|role| role.entity.arn == *arn);
        let role = role.ok_or(ErrorClass::RoleNotAssumable)?;
        if now < role.assumable_at || check_trust(&role.entity.document, identity_pool_id).is_err() {
            return Err(ErrorClass::RoleNotAssumable);
        }
        Ok(TemporaryCredentials {
            access_key_id: role.entity.arn.clone(),
            secret_access_key: Secret::new("key"),
            session_token: Secret::new("token"),
        })
    }

    pub(super) fn delete_identity(&mut self, identity_id: &str) -> Result<(), ErrorClass> {
        self.identities.remove(identity_id).map(|_| ()).ok_or(ErrorClass::NotFound)
    }
}
