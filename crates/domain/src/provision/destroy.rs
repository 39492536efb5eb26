//! `destroy`: takes away, in reverse order, what carries our tag. Tolerates what is gone; leaves what is to be retained.

use std::collections::BTreeSet;

use super::discover::Names;
use super::{Deployment, Done, Outcome, ProvisionError, Provisioner, Step, Work};
use crate::error_chain::causes;
use crate::platform::{IdentityPool, PlatformError, UserPool};
use crate::retry::{Classified, DETACHMENT_LIMIT, ErrorClass, Situation};
use crate::spec::{OnDelete, Spec};

/// What is taken away, in this order.
const STEPS: [Step; 4] = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];

impl Work<'_> {
    /// `only` is the id of the one user pool that may go, where that is known: the name may have passed to another one.
    pub(super) async fn destroy(&mut self, spec: &Spec, only: Option<&str>) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        provisioner.observer.discovering();
        let pool = provisioner.user_pool(spec).await?;
        let deployment = provisioner.deployment.as_ref();
        if let Some(reason) = retained(spec, pool.as_ref(), only, deployment) {
            for step in STEPS {
                self.step(step, async { Ok(Done::new((), Outcome::Retained).because(reason)) }).await?;
            }
            return Ok(());
        }
        self.receipt.user_pool_id = pool.as_ref().map(|pool| pool.id.clone());
        // Also what there are several of: before anything is touched.
        let identity_pool = provisioner.identity_pool(spec).await?;
        let names = provisioner.names(spec).await?;
        if pool.is_none() && only.is_some_and(|only| !belongs_to(identity_pool.as_ref(), only)) {
            return self.leave(&names, identity_pool.is_some()).await;
        }

        self.step(Step::IdentityPool, provisioner.delete_identity_pool(identity_pool)).await?;
        let needs_its_policy = self.step(Step::Role, provisioner.delete_role(spec, &names)).await?;
        self.step(Step::Policy, provisioner.delete_policy(spec, &names.policy_arn(), needs_its_policy)).await?;
        let user_pool_id = pool.map(|pool| pool.id);
        self.step(Step::UserPool, provisioner.delete_user_pool(user_pool_id)).await
    }

    /// The user pool that was meant is not there, and nothing says that the rest belonged to it.
    async fn leave(&mut self, names: &Names, identity_pool: bool) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let role =
            provisioner.call(Situation::Settled, || provisioner.platform.role(&names.iam)).await?.value.is_some();
        let arn = names.policy_arn();
        let policy = provisioner.call(Situation::Settled, || provisioner.platform.policy(&arn)).await?.value.is_some();
        for (step, there) in STEPS.into_iter().zip([identity_pool, role, policy, false]) {
            let done = if there {
                Done::new((), Outcome::Retained).because(
                    "the user pool that it was made for is not there: it may be another one's, or just being made; \
                     `poolkeeper destroy` takes it away by its name",
                )
            } else {
                Done::new((), Outcome::Absent)
            };
            self.step(step, async { Ok(done) }).await?;
        }
        Ok(())
    }
}

/// Whether an identity pool takes its people from this user pool.
fn belongs_to(identity_pool: Option<&IdentityPool>, user_pool_id: &str) -> bool {
    let providers = identity_pool.iter().flat_map(|pool| &pool.state.providers);
    providers.into_iter().any(|provider| provider.user_pool_id == user_pool_id)
}

/// Why nothing is taken away, where that is so. All or nothing: a pool without its identity pool would be half of something.
fn retained(
    spec: &Spec,
    pool: Option<&UserPool>,
    only: Option<&str>,
    deployment: Option<&Deployment>,
) -> Option<&'static str> {
    match (spec.on_delete, pool, only) {
        (OnDelete::Retain, ..) => Some("the spec says `on_delete`: `retain`"),
        (OnDelete::Delete, Some(pool), Some(only)) if pool.id != only => {
            Some("the name belongs to another user pool by now")
        }
        (OnDelete::Delete, Some(pool), _) if deployment.is_some_and(|deployment| !deployment.owns(pool)) => Some(
            "its tag `poolkeeper:stack` is not this stack: no deployment of this stack over it has succeeded, or another stack has taken it over",
        ),
        (OnDelete::Delete, Some(pool), _) if pool.state.deletion_protection => {
            Some("the user pool has deletion protection; apply the spec with `deletion_protection` false first")
        }
        (OnDelete::Delete, ..) => None,
    }
}

impl Provisioner<'_> {
    async fn delete_identity_pool(&self, found: Option<IdentityPool>) -> Result<Done<()>, ProvisionError> {
        let Some(found) = found else { return Ok(Done::new((), Outcome::Absent)) };
        self.delete(Situation::Settled, || self.platform.delete_identity_pool(&found.id)).await
    }

    /// Says whether a role stays that our policy is still attached to.
    async fn delete_role(&self, spec: &Spec, names: &Names) -> Result<Done<bool>, ProvisionError> {
        let name = &names.iam;
        match self.role(spec, name).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Done::new(false, Outcome::Absent)),
            // Something with our name and without our tag.
            Err(error @ ProvisionError::NotOurs { .. }) => return Ok(stays(error.to_string(), false)),
            Err(error) => return Err(error),
        }
        // One that is gone by now has nothing attached either.
        let attached = match self.call(Situation::Settled, || self.platform.attached_policies(name)).await {
            Ok(attached) => attached.value,
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        let ours = names.policy_arn();
        let foreign: Vec<&str> = attached.iter().map(String::as_str).filter(|arn| *arn != ours).collect();
        if !foreign.is_empty() {
            let detail = format!(
                "has policies that are not ours: {}; detach them, then `poolkeeper destroy` takes it away",
                foreign.join(", ")
            );
            return Ok(stays(detail, true));
        }
        // Also where the list does not show it: IAM may show what was before.
        self.delete(Situation::Settled, || self.platform.detach_policy(name, &ours)).await?;
        match self.delete(Situation::JustDetached, || self.platform.delete_role(name)).await {
            Ok(done) => Ok(Done { value: false, outcome: done.outcome, attempts: done.attempts, detail: done.detail }),
            Err(error) => in_use(error).map(|detail| stays(detail, false)),
        }
    }

    async fn delete_policy(&self, spec: &Spec, arn: &str, needed_by_role: bool) -> Result<Done<()>, ProvisionError> {
        match self.policy(spec, arn).await {
            Ok(Some(_)) if needed_by_role => {
                return Ok(Done::new((), Outcome::Retained).because("the role stays, and has it"));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Done::new((), Outcome::Absent)),
            Err(error @ ProvisionError::NotOurs { .. }) => {
                return Ok(Done::new((), Outcome::Retained).because(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        match self.delete(Situation::JustDetached, || self.platform.delete_policy(arn)).await {
            Ok(done) => Ok(done),
            Err(error) => in_use(error).map(|detail| Done::new((), Outcome::Retained).because(detail)),
        }
    }

    async fn delete_user_pool(&self, id: Option<String>) -> Result<Done<()>, ProvisionError> {
        let Some(id) = id else { return Ok(Done::new((), Outcome::Absent)) };
        self.delete(Situation::Settled, || self.platform.delete_user_pool(&id)).await
    }

    /// A delete, where "not found" is as good as done.
    async fn delete<Call, Answer>(&self, situation: Situation, call: Call) -> Result<Done<()>, ProvisionError>
    where
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<(), PlatformError>> + Send,
    {
        match self.call(situation, call).await {
            Ok(deleted) => Ok(Done::new((), Outcome::Deleted).after(deleted.attempts)),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => {
                // After an attempt whose answer was lost, it was that one.
                let outcome = if gave_up.attempts > 1 { Outcome::Deleted } else { Outcome::Absent };
                Ok(Done::new((), outcome).after(gave_up.attempts))
            }
            Err(error) => Err(error),
        }
    }
}

fn stays(detail: String, with_our_policy: bool) -> Done<bool> {
    Done::new(with_our_policy, Outcome::Retained).because(detail)
}

/// What is in use after all the waiting for IAM is used by something that is not ours: it stays, and the receipt says so. Where there
/// was no time for that waiting, nobody knows.
fn in_use(error: ProvisionError) -> Result<String, ProvisionError> {
    match error {
        ProvisionError::Call(gave_up)
            if gave_up.last.class() == ErrorClass::Conflict && gave_up.elapsed >= DETACHMENT_LIMIT =>
        {
            Ok(format!("something that is not ours uses it: {}", causes(&gave_up)))
        }
        error => Err(error),
    }
}
