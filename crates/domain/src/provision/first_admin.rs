//! Creates the account of the first administrator once, and promotes no other account.

pub(super) mod record;

use std::collections::BTreeMap;
use std::time::Duration;

use self::record::{FirstAdmin, Record, parse_username, tag_key};
use super::{Outcome, ProvisionError, Provisioner, StepOutput};
use crate::platform::UserPool;
use crate::retry::{Classified, ErrorClass, Situation};
use crate::secret::Secret;
use crate::spec::{ADMINS, Spec};
use crate::user_pool::directory::{Directory, NewUser, WelcomeMessage};
use crate::user_pool::error::Reason;
use crate::user_pool::groups::Membership;
use crate::user_pool::user::{Attributes, CREATION_ATTRIBUTE, User, Username};

/// The maximum number of checks whether a concurrent run has promoted the account.
const MAX_READS: u32 = 5;
const READ_INTERVAL: Duration = Duration::from_secs(1);

impl Provisioner<'_> {
    /// Creates and promotes the account of the first administrator. Safe to repeat, even after a crash.
    ///
    /// Before the account is created, a tag of the pool records the hash of a random proof. The account has the proof
    /// in a reserved attribute, which no client can write, so a later run recognizes the account of an interrupted run.
    /// After the promotion, the tag records `done`, so a later run does not promote a removed administrator again.
    pub(super) async fn ensure_first_admin(
        &self,
        spec: &Spec,
        pool: &UserPool,
        address: &str,
        username: &str,
        found: Option<FirstAdmin>,
    ) -> Result<StepOutput<()>, ProvisionError> {
        let mut record = Record::of(pool, address);
        if record == Record::Done {
            return Ok(StepOutput::new((), Outcome::Unchanged));
        }
        let directory = self.platform.directory(&pool.id);
        let name = parse_username(username)?;
        let (mut holder, outcome) = if let Some(holder) = found {
            (holder, Outcome::Updated)
        } else {
            let proof = self.clock.nonce();
            record = record.with_proof(&proof);
            self.record(spec, pool, &record, address).await?;
            let (user, outcome) = self.invite(&*directory, &name, address, &proof).await?;
            let groups = match outcome {
                Outcome::Created => Vec::new(),
                _ => self.groups_of(&*directory, &user.id()).await?,
            };
            (FirstAdmin { user, groups }, outcome)
        };
        // Promote by id, because another account may have the name by then.
        let id = holder.user.id();
        if outcome == Outcome::Adopted && !record.proves(&holder.user) {
            self.wait_for_another_run(&*directory, &id, &mut holder).await?;
        }
        let is_admin = outcome != Outcome::Created && holder.is_admin(spec, username, &record)?;
        if !is_admin {
            self.user_call(Situation::Settled, || directory.add_to_group(&id, ADMINS)).await?;
        }
        self.record(spec, pool, &Record::Done, address).await?;
        if is_admin {
            return Ok(StepOutput::new((), Outcome::Unchanged));
        }
        let detail = if outcome == Outcome::Updated { "added to" } else { "invited and added to" };
        Ok(StepOutput::new((), outcome).with_detail(format!("{detail} {ADMINS}")))
    }

    async fn record(&self, spec: &Spec, pool: &UserPool, record: &Record, address: &str) -> Result<(), ProvisionError> {
        let tags = BTreeMap::from([(tag_key(address), record.tag_value())]);
        self.call(Situation::Settled, || self.platform.tag_user_pool(&pool.arn, &spec.name, &tags)).await?;
        Ok(())
    }

    async fn groups_of(&self, directory: &dyn Directory, name: &Username) -> Result<Vec<String>, ProvisionError> {
        let memberships = self.user_call(Situation::Settled, || directory.groups(name)).await?.value;
        Ok(Membership::names(&memberships).map(str::to_owned).collect())
    }

    /// Waits for a concurrent run that may have created the account with its own proof and may be about to promote it.
    async fn wait_for_another_run(
        &self,
        directory: &dyn Directory,
        name: &Username,
        holder: &mut FirstAdmin,
    ) -> Result<(), ProvisionError> {
        for _ in 0..MAX_READS {
            if holder.groups.iter().any(|group| group == ADMINS) || READ_INTERVAL >= self.clock.time_left() {
                break;
            }
            self.clock.sleep(READ_INTERVAL).await;
            holder.groups = self.groups_of(directory, name).await?;
        }
        Ok(())
    }

    /// Creates the account and sends the welcome message, once. If the name is taken or the response is lost, returns
    /// the account with this name. The caller must check its proof.
    async fn invite(
        &self,
        directory: &dyn Directory,
        username: &Username,
        address: &str,
        proof: &Secret,
    ) -> Result<(User, Outcome), ProvisionError> {
        let new = invitation(username, address, proof);
        let error = match self.user_call(Situation::Creating, || directory.create(&new)).await {
            Ok(created) => return Ok((created.value, Outcome::Created)),
            Err(error) => error,
        };
        if !matches!(error.last.class(), ErrorClass::AlreadyExists | ErrorClass::OutcomeUnknown) {
            return Err(error.into());
        }
        match self.user_call(Situation::Settled, || directory.get(username)).await {
            Ok(found) => Ok((found.value, Outcome::Adopted)),
            // The create call had no effect, so it is safe to repeat.
            Err(read) if read.last.reason == Reason::UserNotFound => {
                let created = self.user_call(Situation::Creating, || directory.create(&new)).await?;
                Ok((created.value, Outcome::Created))
            }
            Err(read) => Err(read.into()),
        }
    }
}

fn invitation(username: &Username, address: &str, proof: &Secret) -> NewUser {
    // The operator entered the address, so it counts as verified. This makes a password reset possible.
    let attributes = [("email", address), ("email_verified", "true"), (CREATION_ATTRIBUTE, proof.expose())];
    NewUser {
        username: username.clone(),
        attributes: Attributes::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        temporary_password: None,
        welcome_message: WelcomeMessage::Send,
    }
}
