//! Reads the current state of all resources of a spec once, before any change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::first_admin::record::{FirstAdmin, Record, parse_username};
use super::{ProvisionError, Provisioner, Resource, iam_name, policy_arn};
use crate::platform::{AppClient, IamEntity, IdentityPool, PlatformError, UserPool};
use crate::retry::Situation;
use crate::spec::{ClientKind, PoolName, Spec};
use crate::user_pool::error::Reason;
use crate::user_pool::groups::Membership;

/// The current state: the resources that belong to the pool, by tag or through the user pool.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) user_pool: Option<UserPool>,
    pub(super) clients: BTreeMap<ClientKind, AppClient>,
    pub(super) groups: BTreeSet<String>,
    /// The attributes that the identity providers of the user pool map.
    pub(super) mapped_attributes: BTreeSet<String>,
    pub(super) identity_pool: Option<IdentityPool>,
    /// The role of authenticated users of the identity pool, whether or not Poolkeeper manages it.
    pub(super) authenticated_role: Option<String>,
    pub(super) policy: Option<IamEntity>,
    pub(super) role: Option<IamEntity>,
    /// The policies that are attached to the role, whether or not Poolkeeper manages them.
    pub(super) attached: BTreeSet<String>,
    pub(super) first_admin: Option<FirstAdmin>,
    pub(super) names: Names,
}

/// The names of the resources of a spec in this account and Region.
#[derive(Debug, Default, Clone)]
pub(super) struct Names {
    pub(super) region: String,
    pub(super) account_id: String,
    /// The name of the role and of the policy.
    pub(super) iam: String,
}

impl Names {
    pub(super) fn policy_arn(&self) -> String {
        policy_arn(&self.account_id, &self.iam)
    }

    pub(super) fn role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account_id, self.iam)
    }

    pub(super) fn identity_pool_arn(&self, id: &str) -> String {
        format!("arn:aws:cognito-identity:{}:{}:identitypool/{id}", self.region, self.account_id)
    }
}

/// The delays before duplicates are an error. Two concurrent runs may both have created a resource, and one of them may
/// be about to delete its own. The total is longer than the waits in `create_once.rs`.
const DUPLICATE_WAITS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

impl Provisioner<'_> {
    /// Reads the current state.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::Duplicates`] if several resources have the name and tag of the pool,
    /// [`ProvisionError::NotOwned`] if a role or policy has the name without the tag, or the error of a failed read.
    pub(super) async fn discover(&self, spec: &Spec) -> Result<Found, ProvisionError> {
        let names = self.names(spec).await?;
        let user_pool = self.user_pool(spec).await?;
        let mut found = Found { names, ..Found::default() };
        if let Some(pool) = &user_pool {
            for kind in ClientKind::ALL.iter().copied() {
                if let Some(client) = self.client(spec, &pool.id, kind).await? {
                    found.clients.insert(kind, client);
                }
            }
            let mapped = self.call(Situation::Settled, || self.platform.mapped_attributes(&pool.id)).await?;
            found.mapped_attributes = mapped.value;
            found.groups = self.call(Situation::Settled, || self.platform.groups(&pool.id)).await?.value;
            found.first_admin = self.find_first_admin(spec, pool).await?;
        }
        // The proof is stored in the pool's tags before the account is created. Read the tags again after the account,
        // so that they include the proof.
        found.user_pool = if found.first_admin.is_some() { self.user_pool(spec).await? } else { user_pool };
        found.identity_pool = self.identity_pool(spec).await?;
        if let Some(pool) = &found.identity_pool {
            let role = self.call(Situation::Settled, || self.platform.authenticated_role(&pool.id)).await?;
            found.authenticated_role = role.value;
        }
        found.policy = self.policy(spec, &found.names.policy_arn()).await?;
        found.role = self.role(spec, &found.names.iam).await?;
        if found.role.is_some() {
            let name = &found.names.iam;
            found.attached = self.call(Situation::Settled, || self.platform.attached_policies(name)).await?.value;
        }
        Ok(found)
    }

    pub(super) async fn names(&self, spec: &Spec) -> Result<Names, ProvisionError> {
        let region = self.platform.region().to_owned();
        let account_id = self.call(Situation::Settled, || self.platform.account_id()).await?.value;
        let iam = iam_name(&spec.name, &region);
        Ok(Names { region, account_id, iam })
    }

    /// The user pool of the spec, if it exists.
    pub(super) async fn user_pool(&self, spec: &Spec) -> Result<Option<UserPool>, ProvisionError> {
        let name = &spec.name;
        self.find_one(Resource::UserPool, |pool: &UserPool| &pool.id, || self.platform.user_pools(name)).await
    }

    /// The app client of this kind, if it exists.
    pub(super) async fn client(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        kind: ClientKind,
    ) -> Result<Option<AppClient>, ProvisionError> {
        let name = client_name(&spec.name, kind);
        let list = || self.platform.clients(user_pool_id, &name);
        self.find_one(Resource::AppClient, |client: &AppClient| &client.id, list).await
    }

    /// The identity pool of the spec, if it exists.
    pub(super) async fn identity_pool(&self, spec: &Spec) -> Result<Option<IdentityPool>, ProvisionError> {
        let name = &spec.name;
        self.find_one(Resource::IdentityPool, |pool: &IdentityPool| &pool.id, || self.platform.identity_pools(name))
            .await
    }

    /// The policy of the spec, if it exists. Fails if its tag does not name this pool.
    pub(super) async fn policy(&self, spec: &Spec, arn: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.policy(arn)).await?.value;
        found.iter().try_for_each(|policy| ensure_owned(Resource::Policy, spec, policy))?;
        Ok(found)
    }

    /// The role of the spec, if it exists. Fails if its tag does not name this pool.
    pub(super) async fn role(&self, spec: &Spec, name: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.role(name)).await?.value;
        found.iter().try_for_each(|role| ensure_owned(Resource::Role, spec, role))?;
        Ok(found)
    }

    async fn find_first_admin(&self, spec: &Spec, pool: &UserPool) -> Result<Option<FirstAdmin>, ProvisionError> {
        let (Some(address), Some(username)) = (&spec.first_admin, spec.first_admin_username()) else { return Ok(None) };
        if Record::of(pool, address) == Record::Done {
            return Ok(None);
        }
        let username = parse_username(username)?;
        let directory = self.platform.directory(&pool.id);
        let user = match self.user_call(Situation::Settled, || directory.get(&username)).await {
            Ok(found) => found.value,
            Err(error) if error.last.reason == Reason::UserNotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let memberships = self.user_call(Situation::Settled, || directory.groups(&username)).await?.value;
        let groups = Membership::names(&memberships).map(str::to_owned).collect();
        Ok(Some(FirstAdmin { user, groups }))
    }

    /// The only resource of a kind, if it exists.
    async fn find_one<T, List, Answer>(
        &self,
        resource: Resource,
        id: fn(&T) -> &str,
        list: List,
    ) -> Result<Option<T>, ProvisionError>
    where
        T: Send,
        List: Fn() -> Answer + Send + Sync,
        Answer: Future<Output = Result<Vec<T>, PlatformError>> + Send,
    {
        let mut found = self.call(Situation::Settled, &list).await?.value;
        for wait in DUPLICATE_WAITS {
            if found.len() < 2 || wait >= self.clock.time_left() {
                break;
            }
            self.clock.sleep(wait).await;
            found = self.call(Situation::Settled, &list).await?.value;
        }
        if found.len() > 1 {
            return Err(duplicates(resource, &found, id));
        }
        Ok(found.into_iter().next())
    }
}

pub(super) fn duplicates<T>(resource: Resource, found: &[T], id: fn(&T) -> &str) -> ProvisionError {
    ProvisionError::Duplicates { resource, ids: found.iter().map(|one| id(one).to_owned()).collect() }
}

pub(super) fn client_name(pool: &PoolName, kind: ClientKind) -> String {
    format!("{pool}-{}", kind.as_str())
}

/// Checks that a role or policy belongs to the pool of the spec.
///
/// # Errors
///
/// Returns [`ProvisionError::NotOwned`] if the tag does not name the pool of the spec.
pub(super) fn ensure_owned(resource: Resource, spec: &Spec, entity: &IamEntity) -> Result<(), ProvisionError> {
    if entity.tagged.as_deref() == Some(spec.name.as_str()) {
        Ok(())
    } else {
        Err(ProvisionError::NotOwned { resource, id: entity.arn.clone() })
    }
}
