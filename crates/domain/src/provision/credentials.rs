//! Waits for IAM to propagate a role until an authenticated user receives AWS credentials.

use thiserror::Error;

use super::verify::Subject;
use super::{Outcome, ProvisionError, Provisioner, Resource, StepOutput};
use crate::platform::{Platform, PlatformError, TemporaryCredentials};
use crate::policy_document::check_trust;
use crate::retry::{Classified, ErrorClass, GaveUp, Situation, retry};
use crate::secret::Secret;

impl Provisioner<'_> {
    /// Requests credentials until two requests in a row succeed, because IAM replicas receive a role at different
    /// times.
    ///
    /// AWS returns `InvalidIdentityPoolConfigurationException` both before propagation and for a misconfigured role.
    /// The first such error therefore triggers [`Self::check_role`]. A misconfiguration fails immediately.
    pub(super) async fn await_credentials(
        &self,
        subject: &Subject,
        identity_id: &str,
        id_token: &Secret,
    ) -> Result<StepOutput<TemporaryCredentials>, ProvisionError> {
        let credentials = || self.platform.credentials(identity_id, &subject.pool.id, id_token);
        let twice = || async {
            credentials().await?;
            credentials().await
        };
        let first = match self.call(Situation::Settled, twice).await {
            Ok(first) => return Ok(StepOutput::new(first.value, Outcome::Succeeded).with_attempts(first.attempts)),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::RoleNotAssumable => gave_up,
            Err(error) => return Err(error),
        };
        self.check_role(subject).await?;
        match self.call(Situation::AwaitingPropagation, twice).await {
            Ok(later) => Ok(StepOutput::new(later.value, Outcome::Succeeded)
                .with_attempts(first.attempts + later.attempts)
                .with_detail("waited for IAM to propagate the role")),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::RoleNotAssumable => {
                Err(ProvisionError::NotAssumable {
                    role: subject.role_name.clone(),
                    identity_pool_id: subject.identity_pool.id.clone(),
                    gave_up: Box::new(GaveUp {
                        attempts: first.attempts + gave_up.attempts,
                        elapsed: first.elapsed + gave_up.elapsed,
                        last: gave_up.last,
                    }),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that the role and the identity pool are configured correctly.
    async fn check_role(&self, subject: &Subject) -> Result<(), ProvisionError> {
        // IAM may not yet return recent writes.
        let situation = if subject.fresh { Situation::JustCreated } else { Situation::Settled };
        let check = || check_role(self.platform, subject);
        match retry(&self.clock, situation.with(self.rights), check, self).await {
            Ok(_) => Ok(()),
            Err(GaveUp { attempts, elapsed, last }) => Err(match last {
                RoleCheckError::Read(last) => GaveUp { attempts, elapsed, last }.into(),
                RoleCheckError::Misconfigured(error) => error,
            }),
        }
    }
}

async fn check_role(platform: &dyn Platform, subject: &Subject) -> Result<(), RoleCheckError> {
    let name = &subject.role_name;
    let missing = || ProvisionError::Missing { resource: Resource::Role, name: name.clone() };
    let role = platform.role(name).await?.ok_or_else(missing)?;
    check_trust(&role.document, &subject.identity_pool.id)
        .map_err(|fault| ProvisionError::Trust { role: name.clone(), fault })?;

    let identity_pool_id = subject.identity_pool.id.clone();
    let found = platform.authenticated_role(&identity_pool_id).await?;
    if found.as_deref() != Some(role.arn.as_str()) {
        return Err(ProvisionError::RoleNotSet { identity_pool_id, found, expected: role.arn }.into());
    }

    let attached = platform.attached_policies(name).await?;
    // The role and the policy have the same name and account.
    let policy = role.arn.replacen(":role/", ":policy/", 1);
    if !attached.contains(&policy) {
        return Err(ProvisionError::NotAttached { policy, role: name.clone() }.into());
    }
    Ok(())
}

/// Why the check of the role failed.
#[derive(Debug, Error)]
enum RoleCheckError {
    /// The configuration could not be read.
    #[error(transparent)]
    Read(#[from] PlatformError),
    /// The configuration is wrong.
    #[error(transparent)]
    Misconfigured(#[from] ProvisionError),
}

impl Classified for RoleCheckError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Read(error) => error.class(),
            // IAM may not return a recent write yet.
            Self::Misconfigured(_) => ErrorClass::NotFound,
        }
    }
}
