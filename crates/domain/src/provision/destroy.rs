//! `destroy`: deletes the resources of the pool in reverse order, and reports what it retains.

use std::collections::BTreeSet;

use super::discover::Names;
use super::{Deployment, Outcome, ProvisionError, Provisioner, Run, Step, StepOutput};
use crate::error_chain::causes;
use crate::platform::{IdentityPool, PlatformError, UserPool};
use crate::retry::{Classified, DETACHMENT_LIMIT, ErrorClass, Situation};
use crate::spec::{OnDelete, Spec};

/// The deleted resources, in this order.
const STEPS: [Step; 4] = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];

impl Run<'_> {
    /// If `only` is set, deletes only the user pool with this id, because another pool may have the name.
    pub(super) async fn destroy(&mut self, spec: &Spec, only: Option<&str>) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        provisioner.observer.discovering();
        let pool = provisioner.user_pool(spec).await?;
        let deployment = provisioner.deployment.as_ref();
        if let Some(reason) = retention_reason(spec, pool.as_ref(), only, deployment) {
            for step in STEPS {
                self.step(step, async { Ok(StepOutput::new((), Outcome::Retained).with_detail(reason)) }).await?;
            }
            return Ok(());
        }
        self.receipt.user_pool_id = pool.as_ref().map(|pool| pool.id.clone());
        // Reject duplicates before the first change.
        let identity_pool = provisioner.identity_pool(spec).await?;
        let names = provisioner.names(spec).await?;
        if pool.is_none() && only.is_some_and(|only| !belongs_to(identity_pool.as_ref(), only)) {
            return self.report_leftovers(&names, identity_pool.is_some()).await;
        }

        self.step(Step::IdentityPool, provisioner.delete_identity_pool(identity_pool)).await?;
        let retains_policy = self.step(Step::Role, provisioner.delete_role(spec, &names)).await?;
        self.step(Step::Policy, provisioner.delete_policy(spec, &names.policy_arn(), retains_policy)).await?;
        let user_pool_id = pool.map(|pool| pool.id);
        self.step(Step::UserPool, provisioner.delete_user_pool(user_pool_id)).await
    }

    /// Reports the resources that may belong to another pool because the user pool does not exist.
    async fn report_leftovers(&mut self, names: &Names, identity_pool: bool) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let role =
            provisioner.call(Situation::Settled, || provisioner.platform.role(&names.iam)).await?.value.is_some();
        let arn = names.policy_arn();
        let policy = provisioner.call(Situation::Settled, || provisioner.platform.policy(&arn)).await?.value.is_some();
        for (step, exists) in STEPS.into_iter().zip([identity_pool, role, policy, false]) {
            let output = if exists {
                StepOutput::new((), Outcome::Retained).with_detail(
                    "the user pool does not exist, so this resource may belong to another pool or to a deployment in \
                     progress; `poolkeeper destroy` deletes the resource by name",
                )
            } else {
                StepOutput::new((), Outcome::Absent)
            };
            self.step(step, async { Ok(output) }).await?;
        }
        Ok(())
    }
}

/// Whether an identity pool accepts tokens of this user pool.
fn belongs_to(identity_pool: Option<&IdentityPool>, user_pool_id: &str) -> bool {
    let providers = identity_pool.iter().flat_map(|pool| &pool.state.providers);
    providers.into_iter().any(|provider| provider.user_pool_id == user_pool_id)
}

/// Why all resources are retained, or `None` if they are deleted.
fn retention_reason(
    spec: &Spec,
    pool: Option<&UserPool>,
    only: Option<&str>,
    deployment: Option<&Deployment>,
) -> Option<&'static str> {
    match (spec.on_delete, pool, only) {
        (OnDelete::Retain, ..) => Some("the spec sets `on_delete` to `retain`"),
        (OnDelete::Delete, Some(pool), Some(only)) if pool.id != only => Some("another user pool has this name now"),
        (OnDelete::Delete, Some(pool), _) if deployment.is_some_and(|deployment| !deployment.owns(pool)) => Some(
            "the pool's tag `poolkeeper:stack` does not name this stack, because no deployment of this stack has \
             succeeded with the pool or another stack has adopted it",
        ),
        (OnDelete::Delete, Some(pool), _) if pool.state.deletion_protection => {
            Some("the user pool has deletion protection; apply the spec with `deletion_protection` set to false first")
        }
        (OnDelete::Delete, ..) => None,
    }
}

impl Provisioner<'_> {
    async fn delete_identity_pool(&self, found: Option<IdentityPool>) -> Result<StepOutput<()>, ProvisionError> {
        let Some(found) = found else { return Ok(StepOutput::new((), Outcome::Absent)) };
        self.delete(Situation::Settled, || self.platform.delete_identity_pool(&found.id)).await
    }

    /// Deletes the role. Returns whether the role is retained and still has the pool's policy attached.
    async fn delete_role(&self, spec: &Spec, names: &Names) -> Result<StepOutput<bool>, ProvisionError> {
        let name = &names.iam;
        match self.role(spec, name).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(StepOutput::new(false, Outcome::Absent)),
            Err(error @ ProvisionError::NotOwned { .. }) => return Ok(retained_role(error.to_string(), false)),
            Err(error) => return Err(error),
        }
        // A deleted role has no attached policies.
        let attached = match self.call(Situation::Settled, || self.platform.attached_policies(name)).await {
            Ok(attached) => attached.value,
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        let own_policy = names.policy_arn();
        let foreign: Vec<&str> = attached.iter().map(String::as_str).filter(|arn| *arn != own_policy).collect();
        if !foreign.is_empty() {
            let detail = format!(
                "the role has attached policies that Poolkeeper does not manage: {}; detach them, then run \
                 `poolkeeper destroy`",
                foreign.join(", ")
            );
            return Ok(retained_role(detail, true));
        }
        // Detach the policy even if the list does not contain it, because IAM may return the previous state.
        self.delete(Situation::Settled, || self.platform.detach_policy(name, &own_policy)).await?;
        match self.delete(Situation::JustDetached, || self.platform.delete_role(name)).await {
            Ok(output) => Ok(StepOutput {
                value: false,
                outcome: output.outcome,
                attempts: output.attempts,
                detail: output.detail,
            }),
            Err(error) => in_use_detail(error).map(|detail| retained_role(detail, false)),
        }
    }

    async fn delete_policy(
        &self,
        spec: &Spec,
        arn: &str,
        retained_by_role: bool,
    ) -> Result<StepOutput<()>, ProvisionError> {
        match self.policy(spec, arn).await {
            Ok(Some(_)) if retained_by_role => {
                return Ok(
                    StepOutput::new((), Outcome::Retained).with_detail("attached to the role, which is retained")
                );
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(StepOutput::new((), Outcome::Absent)),
            Err(error @ ProvisionError::NotOwned { .. }) => {
                return Ok(StepOutput::new((), Outcome::Retained).with_detail(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        match self.delete(Situation::JustDetached, || self.platform.delete_policy(arn)).await {
            Ok(output) => Ok(output),
            Err(error) => in_use_detail(error).map(|detail| StepOutput::new((), Outcome::Retained).with_detail(detail)),
        }
    }

    async fn delete_user_pool(&self, id: Option<String>) -> Result<StepOutput<()>, ProvisionError> {
        let Some(id) = id else { return Ok(StepOutput::new((), Outcome::Absent)) };
        self.delete(Situation::Settled, || self.platform.delete_user_pool(&id)).await
    }

    /// Deletes a resource. "Not found" counts as success.
    async fn delete<Call, Answer>(&self, situation: Situation, call: Call) -> Result<StepOutput<()>, ProvisionError>
    where
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<(), PlatformError>> + Send,
    {
        match self.call(situation, call).await {
            Ok(deleted) => Ok(StepOutput::new((), Outcome::Deleted).with_attempts(deleted.attempts)),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => {
                // An earlier attempt with a lost response deleted the resource.
                let outcome = if gave_up.attempts > 1 { Outcome::Deleted } else { Outcome::Absent };
                Ok(StepOutput::new((), outcome).with_attempts(gave_up.attempts))
            }
            Err(error) => Err(error),
        }
    }
}

fn retained_role(detail: String, with_own_policy: bool) -> StepOutput<bool> {
    StepOutput::new(with_own_policy, Outcome::Retained).with_detail(detail)
}

/// The reason to retain a resource that is still in use after the propagation time of IAM. Returns the error if the
/// retries ended earlier.
fn in_use_detail(error: ProvisionError) -> Result<String, ProvisionError> {
    match error {
        ProvisionError::Call(gave_up)
            if gave_up.last.class() == ErrorClass::Conflict && gave_up.elapsed >= DETACHMENT_LIMIT =>
        {
            Ok(format!("in use by a resource that Poolkeeper does not manage: {}", causes(&gave_up)))
        }
        error => Err(error),
    }
}
