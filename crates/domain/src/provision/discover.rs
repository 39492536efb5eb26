//! What is there: everything of a spec's pool, read once and before anything is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::first_admin::Record;
use super::{ProvisionError, Provisioner, Resource, iam_name, policy_arn};
use crate::platform::{AppClient, IamEntity, IdentityPool, PlatformError, UserPool};
use crate::retry::Situation;
use crate::spec::{ClientKind, PoolName, Spec};
use crate::user_pool::error::Reason;
use crate::user_pool::groups::Membership;
use crate::user_pool::user::User;

/// What is there. Holds only what is ours: by its tag, or because its pool is.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) user_pool: Option<UserPool>,
    pub(super) clients: BTreeMap<ClientKind, AppClient>,
    pub(super) groups: BTreeSet<String>,
    /// The attributes that the identity providers of the user pool map.
    pub(super) mapped_attributes: BTreeSet<String>,
    pub(super) identity_pool: Option<IdentityPool>,
    /// The role that the identity pool gives to signed-in people, whosever it is.
    pub(super) authenticated_role: Option<String>,
    pub(super) policy: Option<IamEntity>,
    pub(super) role: Option<IamEntity>,
    /// The policies on the role, whosever they are.
    pub(super) attached: BTreeSet<String>,
    pub(super) first_admin: Option<FirstAdmin>,
    pub(super) names: Names,
}

/// Who holds the first administrator's name.
#[derive(Debug)]
pub(super) struct FirstAdmin {
    pub(super) user: User,
    pub(super) groups: Vec<String>,
}

/// What everything of a spec is called in this account and region.
#[derive(Debug, Default, Clone)]
pub(super) struct Names {
    pub(super) region: String,
    pub(super) account_id: String,
    /// Of the role and of the policy.
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

/// Of two runs at the same moment, both may have made a pool, and one is about to withdraw its own: so long it is looked again
/// before two of a kind are taken for a fact.
///
/// Longer than a run waits for another one to go (`create.rs`).
const SETTLING: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

impl Provisioner<'_> {
    /// Reads everything.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::Several`] and [`ProvisionError::NotOurs`], and where something cannot be read.
    pub(super) async fn discover(&self, spec: &Spec) -> Result<Found, ProvisionError> {
        let names = self.names(spec).await?;
        let user_pool = self.user_pool(spec).await?;
        let mut found = Found { names, ..Found::default() };
        if let Some(pool) = &user_pool {
            for kind in ClientKind::ALL {
                if let Some(client) = self.client(spec, &pool.id, kind).await? {
                    found.clients.insert(kind, client);
                }
            }
            let mapped = self.call(Situation::Settled, || self.platform.mapped_attributes(&pool.id)).await?;
            found.mapped_attributes = mapped.value;
            found.groups = self.call(Situation::Settled, || self.platform.groups(&pool.id)).await?.value;
            found.first_admin = self.holder_of_the_first_admins_name(spec, pool).await?;
        }
        // The proof is recorded before the account is created: tags that are read after the account hold its proof.
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

    /// The user pool of the spec, where there is one.
    pub(super) async fn user_pool(&self, spec: &Spec) -> Result<Option<UserPool>, ProvisionError> {
        let name = &spec.name;
        self.only(Resource::UserPool, |pool: &UserPool| &pool.id, || self.platform.user_pools(name)).await
    }

    /// The app client of this kind, where there is one.
    pub(super) async fn client(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        kind: ClientKind,
    ) -> Result<Option<AppClient>, ProvisionError> {
        let name = client_name(&spec.name, kind);
        let look = || self.platform.clients(user_pool_id, &name);
        self.only(Resource::AppClient, |client: &AppClient| &client.id, look).await
    }

    /// The identity pool of the spec, where there is one.
    pub(super) async fn identity_pool(&self, spec: &Spec) -> Result<Option<IdentityPool>, ProvisionError> {
        let name = &spec.name;
        self.only(Resource::IdentityPool, |pool: &IdentityPool| &pool.id, || self.platform.identity_pools(name)).await
    }

    /// The policy of the spec, where there is one, and only if it is ours.
    pub(super) async fn policy(&self, spec: &Spec, arn: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.policy(arn)).await?.value;
        found.iter().try_for_each(|policy| ours(Resource::Policy, spec, policy))?;
        Ok(found)
    }

    /// The role of the spec, where there is one, and only if it is ours.
    pub(super) async fn role(&self, spec: &Spec, name: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.role(name)).await?.value;
        found.iter().try_for_each(|role| ours(Resource::Role, spec, role))?;
        Ok(found)
    }

    async fn holder_of_the_first_admins_name(
        &self,
        spec: &Spec,
        pool: &UserPool,
    ) -> Result<Option<FirstAdmin>, ProvisionError> {
        let (Some(address), Some(username)) = (&spec.first_admin, spec.first_admin_username()) else { return Ok(None) };
        if Record::of(pool, address) == Record::Done {
            return Ok(None);
        }
        let username = super::first_admin::parsed(username)?;
        let directory = self.platform.directory(&pool.id);
        let user = match self.users(Situation::Settled, || directory.get(&username)).await {
            Ok(found) => found.value,
            Err(error) if error.last.reason == Reason::UserNotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let memberships = self.users(Situation::Settled, || directory.groups(&username)).await?.value;
        let groups = Membership::names(&memberships).map(str::to_owned).collect();
        Ok(Some(FirstAdmin { user, groups }))
    }

    /// The one thing of a kind that is ours, or none.
    async fn only<T, Look, Answer>(
        &self,
        resource: Resource,
        id: fn(&T) -> &str,
        look: Look,
    ) -> Result<Option<T>, ProvisionError>
    where
        T: Send,
        Look: Fn() -> Answer + Send + Sync,
        Answer: Future<Output = Result<Vec<T>, PlatformError>> + Send,
    {
        let mut found = self.call(Situation::Settled, &look).await?.value;
        for wait in SETTLING {
            if found.len() < 2 || wait >= self.clock.time_left() {
                break;
            }
            self.clock.sleep(wait).await;
            found = self.call(Situation::Settled, &look).await?.value;
        }
        if found.len() > 1 {
            return Err(several(resource, &found, id));
        }
        Ok(found.into_iter().next())
    }
}

pub(super) fn several<T>(resource: Resource, found: &[T], id: fn(&T) -> &str) -> ProvisionError {
    ProvisionError::Several { resource, ids: found.iter().map(|one| id(one).to_owned()).collect() }
}

pub(super) fn client_name(pool: &PoolName, kind: ClientKind) -> String {
    format!("{pool}-{}", kind.as_str())
}

/// # Errors
///
/// [`ProvisionError::NotOurs`] without our tag.
pub(super) fn ours(resource: Resource, spec: &Spec, entity: &IamEntity) -> Result<(), ProvisionError> {
    if entity.tagged.as_deref() == Some(spec.name.as_str()) {
        Ok(())
    } else {
        Err(ProvisionError::NotOurs { resource, id: entity.arn.clone() })
    }
}
