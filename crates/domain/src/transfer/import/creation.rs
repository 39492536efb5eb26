//! Creates the user of a row, and completes the users of interrupted attempts.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Importer, Work, loses_hash};
use crate::secret::Secret;
use crate::transfer::code::RowCode;
use crate::transfer::paced_pool::{Failure, PacedPool, Stop};
use crate::transfer::result::{Outcome, RowResult};
use crate::transfer::row::{MfaPreference, RowPassword, UserRow};
use crate::user_pool::directory::{NewUser, WelcomeMessage, temporary_password_before};
use crate::user_pool::groups::{GroupName, Membership};
use crate::user_pool::quota::Category;
use crate::user_pool::sessions::Factor;
use crate::user_pool::sign_in_security::Mfa;
use crate::user_pool::user::{Attributes, CREATION_ATTRIBUTE, User, UserStatus};

/// The beginning of the proofs of all imports.
pub(super) const PROOF_PREFIX: &str = "import.";

impl Importer<'_> {
    /// Creates the user of a row. Safe to repeat, because the second creation of a user fails.
    pub(super) async fn create(&self, work: &Work<'_>) -> Result<User, Failure> {
        let row = work.row;
        let attributes = self.attributes_of_new(work.line, row);
        let temporary_password = match &row.password {
            Some(RowPassword::Temporary(password)) => Some(password.clone()),
            Some(RowPassword::Permanent(password)) => Some(temporary_password_before(password)),
            Some(RowPassword::Hash(_)) | None => None,
        };
        let welcome_message = if row.invite { WelcomeMessage::Send } else { WelcomeMessage::Suppress };
        let user = NewUser { username: row.username.clone(), attributes, temporary_password, welcome_message };
        self.paced.call(Category::UserCreation, || self.paced.pool.create(&user)).await
    }

    /// The attributes of a new user, with the proof.
    pub(in crate::transfer) fn attributes_of_new(&self, line: u64, row: &UserRow) -> Attributes {
        let mut attributes = row.attributes.clone();
        attributes.retain(|_, value| !value.is_empty());
        // Cognito does the same. The medium of an invitation depends on it.
        attributes.extend(self.facts.sign_in_attribute(row).map(|name| (name.to_owned(), row.username.to_string())));
        if self.facts.has_creation_attribute() {
            attributes.insert(CREATION_ATTRIBUTE.to_owned(), self.proof(line));
        }
        attributes
    }

    /// The proof that this import created a user for this line. It contains a hash of the id, because a user who can
    /// read the own proof must not be able to compute the proof of another line.
    fn proof(&self, line: u64) -> String {
        let hash = Sha256::digest(format!("{}.{line}", self.id));
        format!("{PROOF_PREFIX}{line}.{}", URL_SAFE_NO_PAD.encode(hash))
    }

    /// The line for which this import created the user. Users who signed up have no valid proof.
    pub(in crate::transfer) fn line_of(&self, user: &User) -> Option<u64> {
        let proof = user.attributes.get(CREATION_ATTRIBUTE).filter(|_| user.status != UserStatus::Unconfirmed)?;
        let line = proof.strip_prefix(PROOF_PREFIX)?.split('.').next()?.parse().ok()?;
        (*proof == self.proof(line)).then_some(line)
    }

    /// Makes the changes that follow the creation. `has` are the groups that the user is in already.
    pub(super) async fn complete(
        &self,
        work: &mut Work<'_>,
        user: &User,
        has: &[Membership],
    ) -> Result<RowResult, Failure> {
        let PacedPool { pool, .. } = self.paced;
        let (row, id) = (work.row, user.id());
        // First, so that a disabled user can never sign in.
        if row.enabled == Some(false) && user.enabled {
            self.paced.call(Category::UserUpdate, || pool.disable(&id)).await?;
            work.completed.push("disabled".to_owned());
        }
        self.set_permanent_password(work, user).await?;
        // Before the groups, so that no user has their permissions without the second factor.
        if let Some(mfa) = movable_mfa(row) {
            self.paced.call(Category::UserResourceUpdate, || pool.set_mfa(&id, &mfa)).await?;
        }
        for group in missing_groups(row, has) {
            self.paced.call(Category::UserUpdate, || pool.add_to_group(&id, group.as_str())).await?;
            work.completed.push(format!("groups.{group}"));
        }
        Ok(RowResult { not_moved: self.not_moved(row), ..work.result(Outcome::Created) })
    }

    /// Sets the permanent password of a user with a temporary one.
    pub(super) async fn set_permanent_password(&self, work: &mut Work<'_>, user: &User) -> Result<(), Failure> {
        if let Some(password) = self.permanent_password(work.row)
            && user.status == UserStatus::ForceChangePassword
        {
            let id = user.id();
            let set = || self.paced.pool.set_password(&id, &password, true);
            self.paced.call(Category::UserAccountRecovery, set).await?;
            work.completed.push("password".to_owned());
        }
        Ok(())
    }

    /// The permanent password of a new user. A user without password and invitation receives a random one, because
    /// Cognito sends no code to a user with a temporary password.
    pub(super) fn permanent_password(&self, row: &UserRow) -> Option<Secret> {
        match &row.password {
            Some(RowPassword::Permanent(password)) => Some(password.clone()),
            None if !row.invite => Some(self.facts.random_password(&self.paced.clock.nonce())),
            Some(RowPassword::Hash(_)) if loses_hash(row) => {
                Some(self.facts.random_password(&self.paced.clock.nonce()))
            }
            Some(RowPassword::Temporary(_) | RowPassword::Hash(_)) | None => None,
        }
    }

    /// Handles an invitation that was not sent. Cognito does not document whether it creates the user.
    pub(super) async fn not_invited(&self, work: &mut Work<'_>) -> Result<RowResult, Failure> {
        self.mail_quota_is_used_up.store(true, Ordering::Relaxed);
        match self.find(work.row).await? {
            Some(user) if self.line_of(&user) == Some(work.line) => {
                self.adopt(work, &user).await?;
                let problem = "the user was created, and the invitation was not sent; resend it tomorrow";
                let result = work.result(Outcome::Failed).because(RowCode::MailQuotaExceeded, problem);
                Ok(RowResult { completed: std::mem::take(&mut work.completed), ..result })
            }
            _ => Err(Stop::MailQuota.into()),
        }
    }

    /// Handles a creation that failed with an unexpected error.
    pub(super) async fn perhaps_created(&self, work: &mut Work<'_>, failure: Failure) -> Result<RowResult, Failure> {
        match self.find(work.row).await {
            Ok(Some(user)) if self.line_of(&user) == Some(work.line) => self.adopt(work, &user).await,
            Ok(_) => Err(failure),
            // The pool cannot be read any more, for example because it was deleted.
            Err(Failure::Row(error)) => Err(Stop::Call(error).into()),
            Err(stop) => Err(stop),
        }
    }

    /// Completes a user of an interrupted attempt.
    pub(super) async fn adopt(&self, work: &mut Work<'_>, user: &User) -> Result<RowResult, Failure> {
        work.completed.push("created".to_owned());
        let has = self.groups_of(user, work.row).await?;
        self.complete(work, user, &has).await
    }
}

pub(super) fn missing_groups<'r>(row: &'r UserRow, has: &[Membership]) -> Vec<&'r GroupName> {
    row.groups.iter().filter(|group| Membership::names(has).all(|name| name != group.as_str())).collect()
}

/// The second factors of a row that can be set without the user.
pub(super) fn movable_mfa(row: &UserRow) -> Option<Mfa> {
    let MfaPreference { enabled, preferred } = row.mfa.as_ref()?;
    let is_movable = |factor: &Factor| *factor != Factor::SoftwareTokenMfa;
    let enabled: Vec<Factor> = enabled.iter().copied().filter(is_movable).collect();
    let preferred = preferred.filter(is_movable);
    (!enabled.is_empty()).then_some(Mfa { enabled, preferred })
}
