//! The race with IAM: AWS credentials for a signed-in person, while IAM may not have heard of the role everywhere.
//!
//! AWS answers `InvalidIdentityPoolConfigurationException` both for "not yet" and for "never". So the first time it does, role, trust
//! policy, wiring and attachment are read and checked. Wrong: it stops at once and names the field. Right: it probes densely, and
//! then every two seconds, while time lasts. One success is not believed before a second one, because IAM's replicas do not learn of
//! a role at the same moment.

use thiserror::Error;

use super::verify::Subject;
use super::{Done, Outcome, ProvisionError, Provisioner, Resource};
use crate::platform::{PersonCredentials, Platform, PlatformError};
use crate::policy_document::check_trust;
use crate::retry::{Classified, ErrorClass, GaveUp, Situation, retry};
use crate::secret::Secret;

impl Provisioner<'_> {
    pub(super) async fn credentials_of(
        &self,
        subject: &Subject,
        identity_id: &str,
        id_token: &Secret,
    ) -> Result<Done<PersonCredentials>, ProvisionError> {
        let credentials = || self.platform.credentials(identity_id, &subject.pool.id, id_token);
        let confirmed = || async {
            credentials().await?;
            credentials().await
        };
        let first = match self.call(Situation::Settled, confirmed).await {
            Ok(first) => return Ok(Done::new(first.value, Outcome::Succeeded).after(first.attempts)),
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::RoleNotAssumable => gave_up,
            Err(error) => return Err(error),
        };
        self.check_role(subject).await?;
        match self.call(Situation::AwaitingPropagation, confirmed).await {
            Ok(later) => Ok(Done::new(later.value, Outcome::Succeeded)
                .after(first.attempts + later.attempts)
                .because("waited for IAM to propagate the role")),
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

    /// Whether the identity pool could hand out its role, were IAM up to date.
    async fn check_role(&self, subject: &Subject) -> Result<(), ProvisionError> {
        // What was written moments ago may not be what is read now; what has been there for long is.
        let situation = if subject.fresh { Situation::JustCreated } else { Situation::Settled };
        let look = || check_role(self.platform, subject);
        match retry(&self.clock, situation.with(self.rights), look, self).await {
            Ok(_) => Ok(()),
            Err(GaveUp { attempts, elapsed, last }) => Err(match last {
                NotRight::Unread(last) => GaveUp { attempts, elapsed, last }.into(),
                NotRight::Wrong(error) => error,
            }),
        }
    }
}

async fn check_role(platform: &dyn Platform, subject: &Subject) -> Result<(), NotRight> {
    let name = &subject.role_name;
    let missing = || ProvisionError::Missing { resource: Resource::Role, name: name.clone() };
    let role = platform.role(name).await?.ok_or_else(missing)?;
    check_trust(&role.document, &subject.identity_pool.id)
        .map_err(|fault| ProvisionError::Trust { role: name.clone(), fault })?;

    let identity_pool_id = subject.identity_pool.id.clone();
    let found = platform.authenticated_role(&identity_pool_id).await?;
    if found.as_deref() != Some(role.arn.as_str()) {
        return Err(ProvisionError::RoleNotSet { identity_pool_id, found, wanted: role.arn }.into());
    }

    let attached = platform.attached_policies(name).await?;
    // Both have the same name and account.
    let policy = role.arn.replacen(":role/", ":policy/", 1);
    if !attached.contains(&policy) {
        return Err(ProvisionError::NotAttached { policy, role: name.clone() }.into());
    }
    Ok(())
}

/// What keeps the role from being taken, as far as can be read.
#[derive(Debug, Error)]
enum NotRight {
    /// It could not be read.
    #[error(transparent)]
    Unread(#[from] PlatformError),
    /// Something about it is wrong.
    #[error(transparent)]
    Wrong(#[from] ProvisionError),
}

impl Classified for NotRight {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Unread(error) => error.class(),
            // Not there, or not as it was written: right after a write, IAM may not show it yet.
            Self::Wrong(_) => ErrorClass::NotFound,
        }
    }
}
