//! Making something exactly once: where the answer of a create is lost, and where another run does the same at the same moment.
//!
//! No create of Cognito or IAM takes an idempotency token, and neither user pools nor app clients nor identity pools have unique
//! names. So a create is sent once, and then it is looked:
//!
//! - The answer was lost: what is found now, twice, is ours. Only when nothing is found, twice, it is created again.
//! - The create worked, and beside ours there is another one: two runs did the same at the same moment. Whoever is not strictly
//!   older withdraws the one that it has just made, whose id it knows from the answer to its own create, and takes the other; the older
//!   one stays only once the other has gone, and goes itself where it does not go. Nothing else is ever deleted here. So only a run that
//!   saw itself alone stays, and of two at most one does: whichever was listed later saw the other. Where both withdraw (identity pools
//!   have no date), both begin again after a random time. A list that does not even show our own after five seconds helps nobody: then
//!   what was made stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;

use super::discover::several;
use super::{Done, Outcome, ProvisionError, Provisioner, Resource};
use crate::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, Platform, PlatformError, UserPool,
    UserPoolState,
};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{CustomAttribute, PoolName};

/// How often it is tried to be the only one, and how often a create is sent that nobody can find afterwards.
const ROUNDS: u32 = 5;

/// How often it is looked until two looks say the same.
const LOOKS: u32 = 5;

/// How long it is waited between two looks: a create whose answer was lost, or a withdrawal, may still be under way.
const STILL_UNDER_WAY: Duration = Duration::from_secs(1);

/// The longest random wait before the next round.
const APART: Duration = Duration::from_secs(2);

/// A kind of thing that is created.
#[async_trait]
pub(super) trait Creation: Sync {
    type Thing: Send + Sync;

    const RESOURCE: Resource;

    /// Whether the service itself refuses a second one of the same name.
    const NAMES_ARE_UNIQUE: bool = false;

    async fn create(&self) -> Result<Self::Thing, PlatformError>;

    /// All that are ours.
    async fn find(&self) -> Result<Vec<Self::Thing>, PlatformError>;

    /// Deletes what has just been created.
    async fn withdraw(&self, thing: &Self::Thing) -> Result<(), PlatformError>;

    fn id(thing: &Self::Thing) -> &str;

    /// Where the service tells.
    fn created_at(_thing: &Self::Thing) -> Option<OffsetDateTime> {
        None
    }
}

impl Provisioner<'_> {
    /// Makes one, and exactly one.
    pub(super) async fn establish<C: Creation>(&self, creation: &C) -> Result<Done<C::Thing>, ProvisionError> {
        let mut attempts = 0;
        let mut round = 0;
        loop {
            round += 1;
            let (error, detail) = match self.call(Situation::Creating, || creation.create()).await {
                Ok(created) => {
                    attempts += created.attempts;
                    if C::NAMES_ARE_UNIQUE || self.stays(creation, &created.value).await? {
                        return Ok(Done::new(created.value, Outcome::Created).after(attempts));
                    }
                    (None, "another run made it at the same moment; ours was withdrawn")
                }
                Err(ProvisionError::Call(gave_up)) => {
                    attempts += gave_up.attempts;
                    let detail = match gave_up.last.class() {
                        ErrorClass::OutcomeUnknown => "the answer to the create was lost",
                        ErrorClass::AlreadyExists => "another run made it at the same moment",
                        _ => return Err(gave_up.into()),
                    };
                    (Some(gave_up), detail)
                }
                Err(other) => return Err(other),
            };
            let found = self.found_after(creation).await?;
            if found.len() > 1 {
                return Err(several(C::RESOURCE, &found, C::id));
            }
            if let Some(found) = found.into_iter().next() {
                return Ok(Done::new(found, Outcome::Adopted).after(attempts).because(detail));
            }
            let wait = APART.mul_f64(self.clock.jitter());
            // Without time for two looks, nobody knows that there is nothing.
            if round >= ROUNDS || wait + STILL_UNDER_WAY >= self.clock.time_left() {
                return Err(match error {
                    Some(gave_up) => gave_up.into(),
                    None => ProvisionError::NeverAlone { resource: C::RESOURCE },
                });
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Whether what was just created stays. Otherwise it is withdrawn.
    ///
    /// Of two, the older one stays when the other has gone. That it is older does not yet say that it was seen first: a service may
    /// take its time between giving it a date and listing it. Then the other one saw itself alone, and this one goes.
    async fn stays<C: Creation>(&self, creation: &C, own: &C::Thing) -> Result<bool, ProvisionError> {
        let older = |other: &C::Thing| match (C::created_at(own), C::created_at(other)) {
            (Some(own), Some(other)) => own < other,
            _ => false,
        };
        for look in 0..=LOOKS {
            let found = self.call(Situation::Settled, || creation.find()).await?.value;
            let (own_found, others): (Vec<_>, Vec<_>) = found.iter().partition(|one| C::id(one) == C::id(own));
            if others.is_empty() && !own_found.is_empty() {
                return Ok(true);
            }
            if !others.iter().copied().all(older) {
                break;
            }
            if look == LOOKS || STILL_UNDER_WAY >= self.clock.time_left() {
                // A list that never showed our own shows nobody else's either.
                if others.is_empty() {
                    return Ok(true);
                }
                break;
            }
            self.clock.sleep(STILL_UNDER_WAY).await;
        }
        match self.call(Situation::Settled, || creation.withdraw(own)).await {
            Ok(_) => Ok(false),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is there after a create that left nothing of ours that we know of. Believed is only what two looks say alike: a create
    /// may still be under way, and what another run has made it may be about to withdraw.
    async fn found_after<C: Creation>(&self, creation: &C) -> Result<Vec<C::Thing>, ProvisionError> {
        let mut found = self.call(Situation::Settled, || creation.find()).await?.value;
        // Longer than another run waits for ours to go.
        for _ in 0..LOOKS + 2 {
            if C::NAMES_ARE_UNIQUE && !found.is_empty() || STILL_UNDER_WAY >= self.clock.time_left() {
                break;
            }
            let before = ids::<C>(&found);
            self.clock.sleep(STILL_UNDER_WAY).await;
            found = self.call(Situation::Settled, || creation.find()).await?.value;
            if found.len() < 2 && ids::<C>(&found) == before {
                break;
            }
        }
        Ok(found)
    }
}

fn ids<C: Creation>(found: &[C::Thing]) -> BTreeSet<String> {
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
    type Thing = UserPool;

    const RESOURCE: Resource = Resource::UserPool;

    async fn create(&self) -> Result<UserPool, PlatformError> {
        self.platform.create_user_pool(self.name, &self.state, self.custom_attributes, &self.tags).await
    }

    async fn find(&self) -> Result<Vec<UserPool>, PlatformError> {
        self.platform.user_pools(self.name).await
    }

    async fn withdraw(&self, pool: &UserPool) -> Result<(), PlatformError> {
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
    type Thing = AppClient;

    const RESOURCE: Resource = Resource::AppClient;

    async fn create(&self) -> Result<AppClient, PlatformError> {
        self.platform.create_client(self.user_pool_id, &self.name, self.with_secret, &self.state).await
    }

    async fn find(&self) -> Result<Vec<AppClient>, PlatformError> {
        self.platform.clients(self.user_pool_id, &self.name).await
    }

    async fn withdraw(&self, client: &AppClient) -> Result<(), PlatformError> {
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
    type Thing = IdentityPool;

    const RESOURCE: Resource = Resource::IdentityPool;

    async fn create(&self) -> Result<IdentityPool, PlatformError> {
        self.platform.create_identity_pool(self.name, &self.state).await
    }

    async fn find(&self) -> Result<Vec<IdentityPool>, PlatformError> {
        self.platform.identity_pools(self.name).await
    }

    async fn withdraw(&self, pool: &IdentityPool) -> Result<(), PlatformError> {
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
    type Thing = IamEntity;

    const RESOURCE: Resource = Resource::Policy;
    const NAMES_ARE_UNIQUE: bool = true;

    async fn create(&self) -> Result<IamEntity, PlatformError> {
        self.platform.create_policy(self.name, self.document, self.pool).await
    }

    async fn find(&self) -> Result<Vec<IamEntity>, PlatformError> {
        Ok(self.platform.policy(self.arn).await?.into_iter().collect())
    }

    async fn withdraw(&self, policy: &IamEntity) -> Result<(), PlatformError> {
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
    type Thing = IamEntity;

    const RESOURCE: Resource = Resource::Role;
    const NAMES_ARE_UNIQUE: bool = true;

    async fn create(&self) -> Result<IamEntity, PlatformError> {
        self.platform.create_role(self.name, self.trust, self.pool, self.boundary).await
    }

    async fn find(&self) -> Result<Vec<IamEntity>, PlatformError> {
        Ok(self.platform.role(self.name).await?.into_iter().collect())
    }

    async fn withdraw(&self, _role: &IamEntity) -> Result<(), PlatformError> {
        self.platform.delete_role(self.name).await
    }

    fn id(role: &IamEntity) -> &str {
        &role.arn
    }
}
