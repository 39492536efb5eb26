//! The first administrator: invited once, and never a stranger.

use super::compare;
use super::look::FirstAdmin;
use super::{Done, Outcome, ProvisionError, Provisioner};
use crate::directory::{Directory, Invitation, NewUser};
use crate::group::Membership;
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{ADMINS, Spec, SpecError};
use crate::user::{Attributes, User, Username};
use crate::user_pool_error::Reason;

pub(super) fn parsed(username: &str) -> Result<Username, SpecError> {
    let no_username = |_| SpecError { field: "first_admin", problem: "expected an e-mail address".to_owned() };
    username.parse().map_err(no_username)
}

impl Provisioner<'_> {
    pub(super) async fn ensure_first_admin(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        address: &str,
        username: &str,
        found: Option<FirstAdmin>,
    ) -> Result<Done<()>, ProvisionError> {
        let directory = self.platform.directory(user_pool_id);
        let name = parsed(username)?;
        let (there, outcome) = if let Some(there) = found {
            (there, Outcome::Updated)
        } else {
            let (user, outcome) = self.invite(&*directory, &name, address).await?;
            let groups = match outcome {
                Outcome::Created => Vec::new(),
                _ => {
                    let memberships = self.users(Situation::Settled, || directory.groups(&name)).await?.value;
                    Membership::names(&memberships).map(str::to_owned).collect()
                }
            };
            (FirstAdmin { user, groups }, outcome)
        };
        if compare::first_admin(spec, address, username, &there)? {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        self.users(Situation::Settled, || directory.add_to_group(&name, ADMINS)).await?;
        let detail = if outcome == Outcome::Updated { "put into" } else { "invited into" };
        Ok(Done::new((), outcome).because(format!("{detail} {ADMINS}")))
    }

    /// Sends the invitation, once. Where somebody was faster, or the answer was lost, whoever is there now is given back, to be
    /// checked like anybody else.
    async fn invite(
        &self,
        directory: &dyn Directory,
        username: &Username,
        address: &str,
    ) -> Result<(User, Outcome), ProvisionError> {
        let new = invitation(username, address);
        let error = match self.users(Situation::Creating, || directory.create(&new)).await {
            Ok(created) => return Ok((created.value, Outcome::Created)),
            Err(error) => error,
        };
        if !matches!(error.last.class(), ErrorClass::AlreadyExists | ErrorClass::OutcomeUnknown) {
            return Err(error.into());
        }
        match self.users(Situation::Settled, || directory.get(username)).await {
            Ok(found) => Ok((found.value, Outcome::Adopted)),
            // Nobody is there: the create did nothing, and is safe to send again.
            Err(look) if look.last.reason == Reason::UserNotFound => {
                let created = self.users(Situation::Creating, || directory.create(&new)).await?;
                Ok((created.value, Outcome::Created))
            }
            Err(look) => Err(look.into()),
        }
    }
}

fn invitation(username: &Username, address: &str) -> NewUser {
    // The operator named the address: it counts as verified, so that a forgotten password can be reset.
    let attributes = [("email", address), ("email_verified", "true")];
    NewUser {
        username: username.clone(),
        attributes: Attributes::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        temporary_password: None,
        invitation: Invitation::Send,
    }
}
