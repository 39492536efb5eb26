//! `destroy`: takes away, in reverse order, what carries our tag. Tolerates what is gone; leaves what is to be retained.

use std::collections::BTreeSet;

use super::{Done, Outcome, ProvisionError, Provisioner, Step, Work};
use crate::causes::causes;
use crate::platform::{IdentityPool, PlatformError, UserPool};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{OnDelete, Spec};

/// What is taken away, in this order.
const STEPS: [Step; 4] = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];

impl Work<'_> {
    /// `only` is the id of the one user pool that may go, where that is known: the name may have passed to another one.
    pub(super) async fn destroy(&mut self, spec: &Spec, only: Option<&str>) -> Result<(), ProvisionError> {
        let hands = self.hands.clone();
        hands.observer.looking();
        let pool = hands.user_pool(spec).await?;
        if let Some(reason) = retained(spec, pool.as_ref(), only) {
            for step in STEPS {
                self.step(step, async { Ok(Done::new((), Outcome::Retained).because(reason)) }).await?;
            }
            return Ok(());
        }
        self.receipt.user_pool_id = pool.as_ref().map(|pool| pool.id.clone());
        // Also what there are several of: before anything is touched.
        let identity_pool = hands.identity_pool(spec).await?;
        let names = hands.names(spec).await?;

        self.step(Step::IdentityPool, hands.delete_identity_pool(identity_pool)).await?;
        self.step(Step::Role, hands.delete_role(spec, &names.iam)).await?;
        self.step(Step::Policy, hands.delete_policy(spec, &names.policy_arn())).await?;
        let user_pool_id = pool.map(|pool| pool.id);
        self.step(Step::UserPool, hands.delete_user_pool(user_pool_id)).await
    }
}

/// Why nothing is taken away, where that is so. All or nothing: a pool without its identity pool would be half of something.
fn retained(spec: &Spec, pool: Option<&UserPool>, only: Option<&str>) -> Option<&'static str> {
    match (spec.on_delete, pool, only) {
        (OnDelete::Retain, ..) => Some("the spec says `on_delete`: `retain`"),
        (OnDelete::Delete, Some(pool), Some(only)) if pool.id != only => {
            Some("the name belongs to another user pool by now")
        }
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

    async fn delete_role(&self, spec: &Spec, name: &str) -> Result<Done<()>, ProvisionError> {
        match self.role(spec, name).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Done::new((), Outcome::Absent)),
            Err(error) => return not_ours(error),
        }
        // One that is gone by now has nothing attached either.
        let attached = match self.call(Situation::Settled, || self.platform.attached_policies(name)).await {
            Ok(attached) => attached.value,
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::NotFound => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        for policy_arn in &attached {
            self.delete(Situation::Settled, || self.platform.detach_policy(name, policy_arn)).await?;
        }
        in_use(self.delete(Situation::JustDetached, || self.platform.delete_role(name)).await)
    }

    async fn delete_policy(&self, spec: &Spec, arn: &str) -> Result<Done<()>, ProvisionError> {
        match self.policy(spec, arn).await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Done::new((), Outcome::Absent)),
            Err(error) => return not_ours(error),
        }
        in_use(self.delete(Situation::JustDetached, || self.platform.delete_policy(arn)).await)
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

/// Something with our name and without our tag is somebody else's: it stays, and the receipt says so.
fn not_ours(error: ProvisionError) -> Result<Done<()>, ProvisionError> {
    match error {
        ProvisionError::NotOurs { .. } => Ok(Done::new((), Outcome::Retained).because(error.to_string())),
        error => Err(error),
    }
}

/// What is in use after all the waiting for IAM is used by something that is not ours: it stays, and the receipt says so.
fn in_use(deleted: Result<Done<()>, ProvisionError>) -> Result<Done<()>, ProvisionError> {
    match deleted {
        Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::Conflict => {
            let detail = format!("something that is not ours uses it: {}", causes(&gave_up));
            Ok(Done::new((), Outcome::Retained).after(gave_up.attempts).because(detail))
        }
        other => other,
    }
}
