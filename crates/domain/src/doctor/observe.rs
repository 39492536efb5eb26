//! Reads the state of a target.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::observed::{AssignedRole, Drift, Inspector, Observed, ObservedIdentityPool, Trigger, stack_name};
use super::{DoctorError, Target};
use crate::platform::{PlatformError, UserPool};
use crate::provision::{Observer, ProvisionError, Provisioner, STACK_TAG};
use crate::retry::{Clock, Listener, Rights, Situation, Waiting, retry};
use crate::spec::Spec;

/// Reads the state of a user pool and its related resources.
pub struct Doctor<'a> {
    /// AWS.
    pub inspector: &'a dyn Inspector,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Receives the progress.
    pub observer: &'a dyn Observer,
}

impl Doctor<'_> {
    /// Reads the state of the target.
    ///
    /// # Errors
    ///
    /// Returns an error if the target does not exist or is ambiguous, or if a read fails.
    pub async fn observe(&self, target: &Target) -> Result<Observed, DoctorError> {
        self.observer.discovering();
        let id = self.user_pool_id(target).await?;
        let user_pool = self.call(|| self.inspector.observed_user_pool(&id)).await?;
        let user_pool = user_pool.ok_or_else(|| DoctorError::NoUserPool(target.clone()))?;
        let clients = self.call(|| self.inspector.observed_clients(&id)).await?;
        let groups = self.call(|| self.inspector.groups(&id)).await?.len();
        let identity_providers = self.call(|| self.inspector.identity_provider_count(&id)).await?;
        let mut identity_pools = self.call(|| self.inspector.observed_identity_pools(&id)).await?;
        for pool in &mut identity_pools {
            pool.roles = self.roles(pool).await?;
        }
        let mut triggers = Vec::new();
        for (name, arn) in &user_pool.triggers {
            let function = self.call(|| self.inspector.function(arn)).await?;
            triggers.push(Trigger { name, function_arn: arn.clone(), function });
        }
        let drift = match target {
            Target::Spec { spec, file } => Some(Drift { file: file.clone(), plan: self.plan(spec).await? }),
            Target::UserPool(_) | Target::Stack(_) => None,
        };
        Ok(Observed {
            region: self.inspector.region().to_owned(),
            user_pool,
            clients,
            groups,
            identity_providers,
            identity_pools,
            triggers,
            drift,
        })
    }

    /// Returns the id of the target's user pool.
    ///
    /// # Errors
    ///
    /// Returns an error if no or several pools match, or if a read fails. A pool that is named by its id is not read.
    pub async fn user_pool_id(&self, target: &Target) -> Result<String, DoctorError> {
        let found = match target {
            Target::UserPool(id) => return Ok(id.clone()),
            Target::Stack(name) => {
                let mut pools = self.call(|| self.inspector.user_pools_of_stacks()).await?;
                pools.retain(|pool| is_of_stack(pool, name));
                pools
            }
            Target::Spec { spec, .. } => self.call(|| self.inspector.user_pools(&spec.name)).await?,
        };
        let mut ids: Vec<String> = found.into_iter().map(|pool| pool.id).collect();
        match ids.len() {
            0 => Err(DoctorError::NoUserPool(target.clone())),
            1 => Ok(ids.remove(0)),
            _ => Err(DoctorError::SeveralUserPools { target: target.clone(), ids }),
        }
    }

    async fn roles(&self, pool: &ObservedIdentityPool) -> Result<BTreeMap<String, AssignedRole>, DoctorError> {
        let mut roles = BTreeMap::new();
        for arn in pool.authenticated_role_arn.iter().chain(&pool.guest_role_arn) {
            let name = role_name(arn);
            let trust = self.call(|| self.inspector.role(name)).await?.map(|role| role.document);
            let policies = match trust {
                Some(_) => self.call(|| self.inspector.attached_policies(name)).await?,
                None => [].into(),
            };
            roles.insert(arn.clone(), AssignedRole { trust, policies });
        }
        Ok(roles)
    }

    /// Returns the plan, or the conflict between the deployment and the spec.
    async fn plan(&self, spec: &Spec) -> Result<Result<crate::provision::Plan, ProvisionError>, DoctorError> {
        let provisioner = Provisioner::new(self.inspector, Arc::clone(&self.clock), self.observer);
        match provisioner.plan(spec).await {
            Err(error @ (ProvisionError::Spec(_) | ProvisionError::Call(_) | ProvisionError::Users(_))) => {
                Err(error.into())
            }
            plan => Ok(plan),
        }
    }

    async fn call<T, Call, Answer>(&self, call: Call) -> Result<T, DoctorError>
    where
        T: Send,
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, PlatformError>> + Send,
    {
        Ok(retry(&self.clock, Situation::Settled.with(Rights::Settled), call, self).await?.value)
    }
}

impl Listener for Doctor<'_> {
    fn waiting(&self, waiting: &Waiting) {
        self.observer.waiting(waiting);
    }
}

fn is_of_stack(pool: &UserPool, stack: &str) -> bool {
    pool.tags.get(STACK_TAG).and_then(|id| stack_name(id)) == Some(stack)
}

/// Returns the name in the ARN of a role, without its path.
pub(super) fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
