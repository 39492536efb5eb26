//! Creates a resource exactly once, even if the response is lost or a concurrent run creates the same resource.
//!
//! A create call is sent once, because Cognito and IAM support no idempotency tokens for it. User pools, app clients
//! and identity pools have no unique names, so these resources are listed after each create call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;

use super::discover::duplicates;
use super::{Outcome, ProvisionError, Provisioner, Resource, StepOutput};
use crate::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, Platform, PlatformError, UserPool,
    UserPoolState,
};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{CustomAttribute, PoolName};

/// The maximum number of create calls for one resource.
const MAX_ROUNDS: u32 = 5;

/// The maximum number of list calls until two agree.
const MAX_READS: u32 = 5;

/// The delay between two list calls. A create or delete may still be in progress.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The longest random delay before the next create call.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The creation of one kind of resource.
#[async_trait]
pub(super) trait Creation: Sync {
    type Created: Send + Sync;

    const RESOURCE: Resource;

    /// Whether the service rejects a second resource with the same name.
    const NAMES_ARE_UNIQUE: bool = false;

    async fn create(&self) -> Result<Self::Created, PlatformError>;

    /// Lists the resources of the pool.
    async fn find(&self) -> Result<Vec<Self::Created>, PlatformError>;

    /// Deletes the resource that this run created.
    async fn delete(&self, created: &Self::Created) -> Result<(), PlatformError>;

    fn id(created: &Self::Created) -> &str;

    /// The time of creation, if the service returns it.
    fn created_at(_created: &Self::Created) -> Option<OffsetDateTime> {
        None
    }
}

impl Provisioner<'_> {
    /// Creates exactly one resource, or adopts the resource of a concurrent run.
    ///
    /// If the response to the create call is lost, adopts the resource that two list calls return. If both list calls
    /// return nothing, repeats the create call after a random delay. The same applies after this run deleted its own
    /// resource, because the concurrent run may have deleted its resource too.
    pub(super) async fn create_once<C: Creation>(
        &self,
        creation: &C,
    ) -> Result<StepOutput<C::Created>, ProvisionError> {
        let mut attempts = 0;
        let mut round = 0;
        loop {
            round += 1;
            let (error, detail) = match self.call(Situation::Creating, || creation.create()).await {
                Ok(created) => {
                    attempts += created.attempts;
                    if C::NAMES_ARE_UNIQUE || self.keep_if_only(creation, &created.value).await? {
                        return Ok(StepOutput::new(created.value, Outcome::Created).with_attempts(attempts));
                    }
                    (None, "created by a concurrent run; the duplicate of this run was deleted")
                }
                Err(ProvisionError::Call(gave_up)) => {
                    attempts += gave_up.attempts;
                    let detail = match gave_up.last.class() {
                        ErrorClass::OutcomeUnknown => "the response to the create call was lost",
                        ErrorClass::AlreadyExists => "created by a concurrent run",
                        _ => return Err(gave_up.into()),
                    };
                    (Some(gave_up), detail)
                }
                Err(other) => return Err(other),
            };
            let found = self.find_settled(creation).await?;
            if found.len() > 1 {
                return Err(duplicates(C::RESOURCE, &found, C::id));
            }
            if let Some(found) = found.into_iter().next() {
                return Ok(StepOutput::new(found, Outcome::Adopted).with_attempts(attempts).with_detail(detail));
            }
            let wait = MAX_BACKOFF.mul_f64(self.clock.jitter());
            // Two list calls must fit into the remaining time.
            if round >= MAX_ROUNDS || wait + READ_INTERVAL >= self.clock.time_left() {
                return Err(match error {
                    Some(gave_up) => gave_up.into(),
                    None => ProvisionError::ConcurrentCreates { resource: C::RESOURCE },
                });
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Keeps the created resource and returns true if it is the only one. Otherwise deletes it. At most one run finds
    /// its resource alone, because the resource that is listed later is listed together with the earlier one.
    ///
    /// A run with the strictly older resource waits for the other resource to disappear. If the other resource remains,
    /// the run deletes its own. The older date does not prove that the resource was listed first, because a service may
    /// list a resource some time after its creation. In that case, the other run found its resource alone.
    async fn keep_if_only<C: Creation>(&self, creation: &C, own: &C::Created) -> Result<bool, ProvisionError> {
        let older = |other: &C::Created| match (C::created_at(own), C::created_at(other)) {
            (Some(own), Some(other)) => own < other,
            _ => false,
        };
        for read in 0..=MAX_READS {
            let found = self.call(Situation::Settled, || creation.find()).await?.value;
            let (own_found, others): (Vec<_>, Vec<_>) = found.iter().partition(|one| C::id(one) == C::id(own));
            if others.is_empty() && !own_found.is_empty() {
                return Ok(true);
            }
            if !others.iter().copied().all(older) {
                break;
            }
            if read == MAX_READS || READ_INTERVAL >= self.clock.time_left() {
                // The list contains no other resource, so this one is kept although the list does not contain it yet.
                if others.is_empty() {
                    return Ok(true);
                }
                break;
            }
            self.clock.sleep(READ_INTERVAL).await;
        }
        match self.call(Situation::Settled, || creation.delete(own)).await {
            Ok(_) => Ok(false),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists the resources after a create call with an unknown result, until two list calls agree. The creation, or the
    /// deletion by a concurrent run, may still be in progress.
    async fn find_settled<C: Creation>(&self, creation: &C) -> Result<Vec<C::Created>, ProvisionError> {
        let mut found = self.call(Situation::Settled, || creation.find()).await?.value;
        // This loop waits longer than `keep_if_only` does in a concurrent run.
        for _ in 0..MAX_READS + 2 {
            if C::NAMES_ARE_UNIQUE && !found.is_empty() || READ_INTERVAL >= self.clock.time_left() {
                break;
            }
            let before = ids::<C>(&found);
            self.clock.sleep(READ_INTERVAL).await;
            found = self.call(Situation::Settled, || creation.find()).await?.value;
            if found.len() < 2 && ids::<C>(&found) == before {
                break;
            }
        }
        Ok(found)
    }
}

fn ids<C: Creation>(found: &[C::Created]) -> BTreeSet<String> {
    found.iter().map(|one| C::id(one).to_owned()).collect()
}

pub(super) struct NewUserPool<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) name: &'a PoolName,
    pub(super) state: UserPoolState,
    pub(super) custom_attributes: &'a [CustomAttribute],
    pub(super) tags: BTreeMap<String, String>,
}

#[async_trait]
impl Creation for NewUserPool<'_> {
    type Created = UserPool;

    const RESOURCE: Resource = Resource::UserPool;

    async fn create(&self) -> Result<UserPool, PlatformError> {
        self.platform.create_user_pool(self.name, &self.state, self.custom_attributes, &self.tags).await
    }

    async fn find(&self) -> Result<Vec<UserPool>, PlatformError> {
        self.platform.user_pools(self.name).await
    }

    async fn delete(&self, pool: &UserPool) -> Result<(), PlatformError> {
        if pool.state.deletion_protection {
            let unprotected = UserPoolState { deletion_protection: false, ..pool.state.clone() };
            self.platform.update_user_pool(&pool.id, &unprotected).await?;
        }
        self.platform.delete_user_pool(&pool.id).await
    }

    fn id(pool: &UserPool) -> &str {
        &pool.id
    }

    fn created_at(pool: &UserPool) -> Option<OffsetDateTime> {
        pool.created_at
    }
}

pub(super) struct NewClient<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) user_pool_id: &'a str,
    pub(super) name: String,
    pub(super) with_secret: bool,
    pub(super) state: ClientState,
}

#[async_trait]
impl Creation for NewClient<'_> {
    type Created = AppClient;

    const RESOURCE: Resource = Resource::AppClient;

    async fn create(&self) -> Result<AppClient, PlatformError> {
        self.platform.create_client(self.user_pool_id, &self.name, self.with_secret, &self.state).await
    }

    async fn find(&self) -> Result<Vec<AppClient>, PlatformError> {
        self.platform.clients(self.user_pool_id, &self.name).await
    }

    async fn delete(&self, client: &AppClient) -> Result<(), PlatformError> {
        self.platform.delete_client(self.user_pool_id, &client.id).await
    }

    fn id(client: &AppClient) -> &str {
        &client.id
    }

    fn created_at(client: &AppClient) -> Option<OffsetDateTime> {
        client.created_at
    }
}

pub(super) struct NewIdentityPool<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) name: &'a PoolName,
    pub(super) state: IdentityPoolState,
}

#[async_trait]
impl Creation for NewIdentityPool<'_> {
    type Created = IdentityPool;

    const RESOURCE: Resource = Resource::IdentityPool;

    async fn create(&self) -> Result<IdentityPool, PlatformError> {
        self.platform.create_identity_pool(self.name, &self.state).await
    }

    async fn find(&self) -> Result<Vec<IdentityPool>, PlatformError> {
        self.platform.identity_pools(self.name).await
    }

    async fn delete(&self, pool: &IdentityPool) -> Result<(), PlatformError> {
        self.platform.delete_identity_pool(&pool.id).await
    }

    fn id(pool: &IdentityPool) -> &str {
        &pool.id
    }
}

pub(super) struct NewPolicy<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) name: &'a str,
    pub(super) arn: &'a str,
    pub(super) document: &'a Value,
    pub(super) pool: &'a PoolName,
}

#[async_trait]
impl Creation for NewPolicy<'_> {
    type Created = IamEntity;

    const RESOURCE: Resource = Resource::Policy;
    const NAMES_ARE_UNIQUE: bool = true;

    async fn create(&self) -> Result<IamEntity, PlatformError> {
        self.platform.create_policy(self.name, self.document, self.pool).await
    }

    async fn find(&self) -> Result<Vec<IamEntity>, PlatformError> {
        Ok(self.platform.policy(self.arn).await?.into_iter().collect())
    }

    async fn delete(&self, policy: &IamEntity) -> Result<(), PlatformError> {
        self.platform.delete_policy(&policy.arn).await
    }

    fn id(policy: &IamEntity) -> &str {
        &policy.arn
    }
}

pub(super) struct NewRole<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) name: &'a str,
    pub(super) trust: &'a Value,
    pub(super) pool: &'a PoolName,
    pub(super) boundary: Option<&'a str>,
}

#[async_trait]
impl Creation for NewRole<'_> {
    type Created = IamEntity;

    const RESOURCE: Resource = Resource::Role;
    const NAMES_ARE_UNIQUE: bool = true;

    async fn create(&self) -> Result<IamEntity, PlatformError> {
        self.platform.create_role(self.name, self.trust, self.pool, self.boundary).await
    }

    async fn find(&self) -> Result<Vec<IamEntity>, PlatformError> {
        Ok(self.platform.role(self.name).await?.into_iter().collect())
    }

    async fn delete(&self, _role: &IamEntity) -> Result<(), PlatformError> {
        self.platform.delete_role(self.name).await
    }

    fn id(role: &IamEntity) -> &str {
        &role.arn
    }
}
