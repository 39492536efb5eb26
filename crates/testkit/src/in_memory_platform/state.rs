//! The state of the account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::platform::{AppClient, IamEntity, IdentityPool, UserPool};
use domain::retry::ErrorClass;
use domain::spec::PoolName;
use time::OffsetDateTime;

use super::invitation_keys::Parameter;
use crate::in_memory::InMemoryPool;

/// The resources in the account.
#[derive(Debug, Default)]
pub struct State {
    /// User pools.
    pub user_pools: Vec<Owned<UserPool>>,
    /// The users of each user pool, by its id.
    pub users: BTreeMap<String, InMemoryPool>,
    /// The attributes that the identity providers of a user pool map, by its id.
    pub mapped_attributes: BTreeMap<String, BTreeSet<String>>,
    /// App clients.
    pub clients: Vec<Named>,
    /// Groups: user pool and name.
    pub groups: BTreeSet<(String, String)>,
    /// Identity pools.
    pub identity_pools: Vec<Owned<IdentityPool>>,
    /// The settings of all identity pools that a spec cannot contain.
    pub other_identity_pool_settings: Vec<String>,
    /// The inline policies of all roles.
    pub inline_policies: Vec<String>,
    /// The role of authenticated users, by identity pool.
    pub authenticated_roles: BTreeMap<String, String>,
    /// IAM policies by ARN.
    pub policies: BTreeMap<String, IamEntity>,
    /// IAM roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Identities, with the identity pool of each.
    pub identities: BTreeMap<String, String>,
    /// The parameter store, by name.
    pub parameters: BTreeMap<String, Parameter>,
    numbers: u32,
    moments: i64,
}

/// A resource with a name and a tag.
#[derive(Debug, Clone)]
pub struct Owned<T> {
    /// The name, which need not be unique.
    pub name: String,
    /// The value of the tag `poolkeeper:pool`.
    pub tag: Option<String>,
    /// The resource.
    pub thing: T,
    /// When list calls start to return the resource.
    pub listed_at: Duration,
}

impl<T: Clone> Owned<T> {
    pub(super) fn tagged(name: &PoolName, thing: T, listed_at: Duration) -> Self {
        Self { name: name.to_string(), tag: Some(name.to_string()), thing, listed_at }
    }

    pub(super) fn ours(all: &[Self], name: &PoolName, now: Duration) -> Vec<T> {
        let listed = all.iter().filter(|one| one.listed_at <= now);
        let ours = listed.filter(|one| one.name == name.as_str() && one.tag.as_deref() == Some(name.as_str()));
        ours.map(|one| one.thing.clone()).collect()
    }
}

/// An app client with its pool and name.
#[derive(Debug, Clone)]
pub struct Named {
    /// The user pool.
    pub user_pool_id: String,
    /// The name.
    pub name: String,
    /// The client.
    pub client: AppClient,
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// ARN, trust policy and tag.
    pub entity: IamEntity,
    /// The attached policies.
    pub policies: BTreeSet<String>,
    /// When the role can be assumed.
    pub assumable_at: Duration,
}

impl State {
    pub(super) fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// One second after the previous time, so that no two resources have the same creation time.
    pub(super) fn next_moment(&mut self) -> OffsetDateTime {
        self.moments += 1;
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(self.moments)
    }

    pub(super) fn user_pool(&mut self, id: &str) -> Result<&mut UserPool, ErrorClass> {
        let found = self.user_pools.iter_mut().find(|pool| pool.thing.id == id);
        found.map(|pool| &mut pool.thing).ok_or(ErrorClass::NotFound)
    }

    pub(super) fn role(&mut self, name: &str) -> Result<&mut Role, ErrorClass> {
        self.roles.get_mut(name).ok_or(ErrorClass::NotFound)
    }
}
