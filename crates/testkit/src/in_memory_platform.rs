//! AWS in memory, as provisioning sees it, behind the ports [`Platform`] and [`InvitationKeys`](domain::invitation::InvitationKeys).
//!
//! It knows what our code depends on: tags, who may take which role, IAM's propagation delay, what a delete takes along. Its
//! faults are planned per operation: the nth call fails before it does anything, or does its work and loses the answer.

mod faults;
mod invitation_keys;
mod state;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::directory::Directory;
use domain::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, MemberPage, PersonCredentials, Platform,
    PlatformError, UserPool, UserPoolState,
};
use domain::policy_document::check_trust;
use domain::retry::{Clock, ErrorClass};
use domain::secret::Secret;
use domain::sessions::Sessions;
use domain::spec::{CustomAttribute, MfaMode, PoolName};
use fastrand::Rng;
use serde_json::Value;
use time::OffsetDateTime;

use crate::in_memory::{AUTHENTICATOR_SECRET, FACTOR_CODE, InMemoryPool};
use crate::virtual_clock::VirtualClock;

pub use faults::Fault;
use faults::Faults;
pub use invitation_keys::Parameter;
use state::{Named, Owned};
pub use state::{Role, State};
use users::Faulty;

/// The account that everything belongs to.
pub const ACCOUNT_ID: &str = "123456789012";

/// The region that everything is in.
pub const REGION: &str = "eu-west-1";

/// AWS in memory. Clones share everything.
#[derive(Debug, Clone)]
pub struct InMemoryPlatform {
    clock: VirtualClock,
    propagation: Duration,
    state: Arc<Mutex<State>>,
    faults: Arc<Mutex<Faults>>,
    order: Arc<Mutex<Option<Rng>>>,
    longest_lag: Arc<Mutex<Duration>>,
}

type Answer<T> = Result<T, PlatformError>;

impl InMemoryPlatform {
    /// An empty account. A new role can be taken `propagation` after it was created, by the time of `clock`.
    #[must_use]
    pub fn new(clock: &VirtualClock, propagation: Duration) -> Self {
        Self {
            clock: clock.clone(),
            propagation,
            state: Arc::default(),
            faults: Arc::default(),
            order: Arc::default(),
            longest_lag: Arc::default(),
        }
    }

    /// What is there. For tests to look at, and to change behind the back of the code under test.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a fault for the `nth` call of an operation, from 1. Operations are named as in the port.
    pub fn fail(&self, operation: &'static str, nth: usize, fault: Fault) {
        self.faults().plan(operation, nth, fault);
    }

    /// Plans a fault for the `nth` call from now on, from 1, whatever its operation.
    pub fn fail_at(&self, nth: usize, fault: Fault) {
        self.faults().plan_at(nth, fault);
    }

    /// Forgets all planned faults.
    pub fn heal(&self) {
        self.faults().forget();
    }

    /// From now on every call lets others go first, as often as this seed says: what runs at the same time is shuffled.
    pub fn shuffle(&self, seed: u64) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(Rng::with_seed(seed));
    }

    /// From now on lists show what is created only after a time, from none to this, as the seed of [`Self::shuffle`] says.
    pub fn lists_lag(&self, longest: Duration) {
        *self.longest_lag.lock().unwrap_or_else(PoisonError::into_inner) = longest;
    }

    fn lag(&self) -> Duration {
        let longest = *self.longest_lag.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.as_mut().map_or(Duration::ZERO, |order| longest.mul_f64(order.f64()))
    }

    /// All calls so far; those for users as `users.OPERATION`.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.faults().calls()
    }

    /// The calls so far that change something.
    #[must_use]
    pub fn writes(&self) -> Vec<&'static str> {
        const WRITES: [&str; 8] = ["create_", "update_", "delete_", "add_", "attach_", "detach_", "set_", "tag_"];
        let is_write = |call: &&str| WRITES.iter().any(|verb| call.starts_with(verb));
        self.calls().into_iter().filter(is_write).collect()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn let_others_go_first(&self) {
        let times =
            self.order.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map_or(0, |order| order.u8(0..6));
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, ErrorClass> + Send,
    ) -> Result<T, PlatformError> {
        self.let_others_go_first().await;
        let error = |class: ErrorClass| PlatformError {
            operation,
            class,
            request_id: None,
            source: format!("the platform in memory says {class:?}").into(),
        };
        let fault = self.faults().count(operation);
        match fault {
            None => work(&mut self.state()).map_err(error),
            Some(Fault::NotDone(class)) => Err(error(class)),
            Some(Fault::Stalled) => std::future::pending().await,
            Some(Fault::StalledAfterwards) => {
                work(&mut self.state()).map_err(error)?;
                std::future::pending().await
            }
            Some(Fault::AnswerLost) => {
                work(&mut self.state()).map_err(error)?;
                Err(error(ErrorClass::OutcomeUnknown))
            }
            #[expect(clippy::panic, reason = "the fault that this one stands for")]
            Some(Fault::Panic) => panic!("a planned panic"),
        }
    }
}

#[async_trait]
impl Platform for InMemoryPlatform {
    fn region(&self) -> &str {
        REGION
    }

    async fn account_id(&self) -> Answer<String> {
        self.call("account_id", |_| Ok(ACCOUNT_ID.to_owned())).await
    }

    async fn user_pools(&self, name: &PoolName) -> Answer<Vec<UserPool>> {
        self.call("user_pools", |state| Ok(Owned::ours(&state.user_pools, name, self.clock.now()))).await
    }

    async fn create_user_pool(
        &self,
        name: &PoolName,
        wanted: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Answer<UserPool> {
        let listed_at = self.clock.now() + self.lag();
        self.call("create_user_pool", |state| {
            let id = format!("{REGION}_pool{}", state.next_number());
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
                created_at: Some(state.next_moment()),
            };
            let users = InMemoryPool::new();
            if !wanted.self_sign_up {
                users.refuse_sign_ups();
            }
            users.auto_confirm(wanted.pre_sign_up_function_arn.is_some());
            state.users.insert(pool.id.clone(), users);
            state.user_pools.push(Owned::tagged(name, pool.clone(), listed_at));
            Ok(pool)
        })
        .await
    }

    async fn update_user_pool(&self, id: &str, wanted: &UserPoolState) -> Answer<()> {
        self.call("update_user_pool", |state| {
            let current = &mut state.user_pool(id)?.state;
            *current = UserPoolState { mfa: current.mfa, ..wanted.clone() };
            Ok(())
        })
        .await
    }

    async fn set_mfa(&self, id: &str, mfa: MfaMode) -> Answer<()> {
        self.call("set_mfa", |state| {
            state.user_pool(id)?.state.mfa = mfa;
            if let Some(users) = state.users.get(id) {
                users.mfa_is_required(mfa == MfaMode::Required);
            }
            Ok(())
        })
        .await
    }

    async fn tag_user_pool(&self, arn: &str, _: &PoolName, tags: &BTreeMap<String, String>) -> Answer<()> {
        self.call("tag_user_pool", |state| {
            let pool = state.user_pools.iter_mut().find(|pool| pool.thing.arn == arn).ok_or(ErrorClass::NotFound)?;
            pool.thing.tags.extend(tags.clone());
            Ok(())
        })
        .await
    }

    async fn mapped_attributes(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.call("mapped_attributes", |state| {
            state.user_pool(user_pool_id)?;
            Ok(state.mapped_attributes.get(user_pool_id).cloned().unwrap_or_default())
        })
        .await
    }

    async fn add_custom_attributes(&self, id: &str, attributes: &[CustomAttribute]) -> Answer<()> {
        self.call("add_custom_attributes", |state| {
            state.user_pool(id)?.custom_attributes.extend_from_slice(attributes);
            Ok(())
        })
        .await
    }

    async fn delete_user_pool(&self, id: &str) -> Answer<()> {
        self.call("delete_user_pool", |state| {
            if state.user_pool(id)?.state.deletion_protection {
                return Err(ErrorClass::Invalid);
            }
            state.user_pools.retain(|pool| pool.thing.id != id);
            state.clients.retain(|client| client.user_pool_id != id);
            state.groups.retain(|(user_pool_id, _)| user_pool_id != id);
            state.users.remove(id);
            Ok(())
        })
        .await
    }

    async fn clients(&self, user_pool_id: &str, name: &str) -> Answer<Vec<AppClient>> {
        self.call("clients", |state| {
            state.user_pool(user_pool_id)?;
            let named = state.clients.iter().filter(|it| it.user_pool_id == user_pool_id && it.name == name);
            Ok(named.map(|client| client.client.clone()).collect())
        })
        .await
    }

    async fn create_client(
        &self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        wanted: &ClientState,
    ) -> Answer<AppClient> {
        self.call("create_client", |state| {
            state.user_pool(user_pool_id)?;
            let id = format!("client{}", state.next_number());
            let created_at = Some(state.next_moment());
            let client = AppClient { id, has_secret: with_secret, state: wanted.clone(), created_at };
            let named = Named { user_pool_id: user_pool_id.to_owned(), name: name.to_owned(), client: client.clone() };
            state.clients.push(named);
            Ok(client)
        })
        .await
    }

    async fn update_client(&self, _user_pool_id: &str, id: &str, wanted: &ClientState) -> Answer<()> {
        self.call("update_client", |state| {
            let client = state.clients.iter_mut().find(|client| client.client.id == id);
            client.ok_or(ErrorClass::NotFound)?.client.state = wanted.clone();
            Ok(())
        })
        .await
    }

    async fn delete_client(&self, user_pool_id: &str, id: &str) -> Answer<()> {
        self.call("delete_client", |state| {
            let before = state.clients.len();
            state.clients.retain(|client| !(client.user_pool_id == user_pool_id && client.client.id == id));
            if state.clients.len() == before { Err(ErrorClass::NotFound) } else { Ok(()) }
        })
        .await
    }

    async fn groups(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.call("groups", |state| {
            let of_pool = state.groups.iter().filter(|(pool, _)| pool == user_pool_id);
            Ok(of_pool.map(|(_, group)| group.clone()).collect())
        })
        .await
    }

    async fn members(&self, user_pool_id: &str, group: &str) -> Answer<MemberPage> {
        self.call("members", |state| {
            let pool = state.users.get(user_pool_id).ok_or(ErrorClass::NotFound)?.snapshot();
            if !pool.groups.contains_key(group) {
                return Err(ErrorClass::NotFound);
            }
            let members = pool.users.into_values().filter(|user| user.groups.contains(group));
            Ok(MemberPage { usernames: members.map(|user| user.username).collect(), is_last: true })
        })
        .await
    }

    async fn create_group(&self, user_pool_id: &str, name: &str) -> Answer<()> {
        self.call("create_group", |state| {
            if !state.groups.insert((user_pool_id.to_owned(), name.to_owned())) {
                return Err(ErrorClass::AlreadyExists);
            }
            state.users.get(user_pool_id).ok_or(ErrorClass::NotFound)?.add_group(name);
            Ok(())
        })
        .await
    }

    async fn identity_pools(&self, name: &PoolName) -> Answer<Vec<IdentityPool>> {
        self.call("identity_pools", |state| Ok(Owned::ours(&state.identity_pools, name, self.clock.now()))).await
    }

    async fn create_identity_pool(&self, name: &PoolName, wanted: &IdentityPoolState) -> Answer<IdentityPool> {
        let listed_at = self.clock.now() + self.lag();
        self.call("create_identity_pool", |state| {
            let pool = IdentityPool { id: format!("{REGION}:{}", state.next_number()), state: wanted.clone() };
            state.identity_pools.push(Owned::tagged(name, pool.clone(), listed_at));
            Ok(pool)
        })
        .await
    }

    async fn update_identity_pool(&self, id: &str, wanted: &IdentityPoolState) -> Answer<()> {
        self.call("update_identity_pool", |state| {
            let pool = state.identity_pools.iter_mut().find(|pool| pool.thing.id == id);
            pool.ok_or(ErrorClass::NotFound)?.thing.state = wanted.clone();
            Ok(())
        })
        .await
    }

    async fn delete_identity_pool(&self, id: &str) -> Answer<()> {
        self.call("delete_identity_pool", |state| {
            let before = state.identity_pools.len();
            state.identity_pools.retain(|pool| pool.thing.id != id);
            state.authenticated_roles.remove(id);
            if state.identity_pools.len() == before { Err(ErrorClass::NotFound) } else { Ok(()) }
        })
        .await
    }

    async fn authenticated_role(&self, identity_pool_id: &str) -> Answer<Option<String>> {
        self.call("authenticated_role", |state| Ok(state.authenticated_roles.get(identity_pool_id).cloned())).await
    }

    async fn set_authenticated_role(&self, identity_pool_id: &str, role_arn: &str) -> Answer<()> {
        self.call("set_authenticated_role", |state| {
            state.authenticated_roles.insert(identity_pool_id.to_owned(), role_arn.to_owned());
            Ok(())
        })
        .await
    }

    async fn policy(&self, arn: &str) -> Answer<Option<IamEntity>> {
        self.call("policy", |state| Ok(state.policies.get(arn).cloned())).await
    }

    async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Answer<IamEntity> {
        self.call("create_policy", |state| {
            let arn = format!("arn:aws:iam::{ACCOUNT_ID}:policy/{name}");
            if state.policies.contains_key(&arn) {
                return Err(ErrorClass::AlreadyExists);
            }
            let policy = IamEntity {
                arn: arn.clone(),
                document: document.clone(),
                boundary: None,
                tagged: Some(pool.as_str().to_owned()),
                created_at: None,
            };
            state.policies.insert(arn, policy.clone());
            Ok(policy)
        })
        .await
    }

    async fn update_policy(&self, arn: &str, document: &Value) -> Answer<()> {
        self.call("update_policy", |state| {
            state.policies.get_mut(arn).ok_or(ErrorClass::NotFound)?.document = document.clone();
            Ok(())
        })
        .await
    }

    async fn delete_policy(&self, arn: &str) -> Answer<()> {
        self.call("delete_policy", |state| {
            if state.roles.values().any(|role| role.policies.contains(arn)) {
                return Err(ErrorClass::Conflict);
            }
            state.policies.remove(arn).map(|_| ()).ok_or(ErrorClass::NotFound)
        })
        .await
    }

    async fn role(&self, name: &str) -> Answer<Option<IamEntity>> {
        self.call("role", |state| Ok(state.roles.get(name).map(|role| role.entity.clone()))).await
    }

    async fn set_boundary(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("set_boundary", |state| {
            state.role(role_name)?.entity.boundary = Some(policy_arn.to_owned());
            Ok(())
        })
        .await
    }

    async fn create_role(
        &self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
    ) -> Answer<IamEntity> {
        let assumable_at = self.clock.now() + self.propagation;
        self.call("create_role", |state| {
            if state.roles.contains_key(name) {
                return Err(ErrorClass::AlreadyExists);
            }
            let entity = IamEntity {
                arn: format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}"),
                document: trust.clone(),
                boundary: boundary.map(str::to_owned),
                tagged: Some(pool.as_str().to_owned()),
                // Nobody has made it moments ago, unless a test says so.
                created_at: None,
            };
            let role = Role { entity: entity.clone(), policies: BTreeSet::new(), assumable_at };
            state.roles.insert(name.to_owned(), role);
            Ok(entity)
        })
        .await
    }

    async fn update_trust(&self, role_name: &str, trust: &Value) -> Answer<()> {
        self.call("update_trust", |state| {
            state.roles.get_mut(role_name).ok_or(ErrorClass::NotFound)?.entity.document = trust.clone();
            Ok(())
        })
        .await
    }

    async fn attached_policies(&self, role_name: &str) -> Answer<BTreeSet<String>> {
        self.call("attached_policies", |state| Ok(state.role(role_name)?.policies.clone())).await
    }

    async fn attach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("attach_policy", |state| {
            if !state.policies.contains_key(policy_arn) {
                return Err(ErrorClass::NotFound);
            }
            state.role(role_name)?.policies.insert(policy_arn.to_owned());
            Ok(())
        })
        .await
    }

    async fn detach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("detach_policy", |state| {
            if state.role(role_name)?.policies.remove(policy_arn) { Ok(()) } else { Err(ErrorClass::NotFound) }
        })
        .await
    }

    async fn delete_role(&self, name: &str) -> Answer<()> {
        self.call("delete_role", |state| {
            if !state.role(name)?.policies.is_empty() {
                return Err(ErrorClass::Conflict);
            }
            state.roles.remove(name);
            Ok(())
        })
        .await
    }

    async fn identity(&self, identity_pool_id: &str, user_pool_id: &str, id_token: &Secret) -> Answer<String> {
        self.call("identity", |state| {
            let pool = state.identity_pools.iter().find(|pool| pool.thing.id == identity_pool_id);
            let providers = &pool.ok_or(ErrorClass::NotFound)?.thing.state.providers;
            if !providers.iter().any(|provider| provider.user_pool_id == user_pool_id) {
                return Err(ErrorClass::Invalid);
            }
            // The tokens in memory are made up of the user's name: one identity per user.
            let id = format!("{identity_pool_id}:{}", id_token.expose());
            state.identities.insert(id.clone(), identity_pool_id.to_owned());
            Ok(id)
        })
        .await
    }

    async fn credentials(&self, identity_id: &str, _: &str, _: &Secret) -> Answer<PersonCredentials> {
        let now = self.clock.now();
        self.call("credentials", |state| {
            let identity_pool_id = state.identities.get(identity_id).ok_or(ErrorClass::NotFound)?;
            let arn = state.authenticated_roles.get(identity_pool_id).ok_or(ErrorClass::RoleNotAssumable)?;
            let role = state.roles.values().find(|role| role.entity.arn == *arn);
            let role = role.ok_or(ErrorClass::RoleNotAssumable)?;
            if now < role.assumable_at || check_trust(&role.entity.document, identity_pool_id).is_err() {
                return Err(ErrorClass::RoleNotAssumable);
            }
            Ok(PersonCredentials {
                access_key_id: role.entity.arn.clone(),
                secret_access_key: Secret::new("key"),
                session_token: Secret::new("token"),
            })
        })
        .await
    }

    async fn caller_arn(&self, credentials: &PersonCredentials) -> Answer<String> {
        let role = credentials.access_key_id.rsplit('/').next().unwrap_or_default().to_owned();
        self.call("caller_arn", |_| {
            Ok(format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/CognitoIdentityCredentials"))
        })
        .await
    }

    async fn delete_identity(&self, identity_id: &str) -> Answer<()> {
        self.call("delete_identity", |state| {
            state.identities.remove(identity_id).map(|_| ()).ok_or(ErrorClass::NotFound)
        })
        .await
    }

    fn authenticator_code(&self, secret: &Secret, _at: OffsetDateTime) -> Option<Secret> {
        (secret.expose() == AUTHENTICATOR_SECRET).then(|| Secret::new(FACTOR_CODE))
    }

    fn directory(&self, user_pool_id: &str) -> Box<dyn Directory> {
        let directory = self.state().users.get(user_pool_id).cloned().unwrap_or_default().directory();
        Box::new(Faulty::new(self, directory))
    }

    fn sessions(&self, user_pool_id: &str, _client_id: &str) -> Box<dyn Sessions> {
        let sessions = self.state().users.get(user_pool_id).cloned().unwrap_or_default().sessions();
        Box::new(Faulty::new(self, sessions))
    }
}
