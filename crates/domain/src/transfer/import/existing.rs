//! Rows whose user exists: the user is adopted, compared, and changed on request.

use super::creation::{PROOF_PREFIX, movable_mfa};
use super::differences::Differences;
use super::{CLOCK_TOLERANCE, Importer, Known, Work, attribute, not_moved_of_existing};
use crate::transfer::code::RowCode;
use crate::transfer::paced_pool::{Failure, PacedPool, is};
use crate::transfer::result::{Outcome, RowResult};
use crate::transfer::row::{RowError, UserRow};
use crate::user_pool::creation_name::is_named;
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::groups::Membership;
use crate::user_pool::quota::Category;
use crate::user_pool::user::{CREATION_ATTRIBUTE, User, UserStatus};

impl Importer<'_> {
    /// Handles a row whose user exists: created by an interrupted attempt, or not by this import. `taken` is Cognito's
    /// error.
    pub(super) async fn existing(&self, work: &mut Work<'_>, taken: UserPoolError) -> Result<RowResult, Failure> {
        match self.find(work.row).await? {
            Some(user) => self.existing_user(work, &user, None).await,
            None => Err(Failure::Row(taken)),
        }
    }

    /// Handles a row whose user was found. `has` are the known groups of a user that this import created. AWS does not
    /// document whether reading the groups of a user makes the user active, so they are only read if they are unknown.
    pub(super) async fn existing_user(
        &self,
        work: &mut Work<'_>,
        user: &User,
        has: Option<&[Membership]>,
    ) -> Result<RowResult, Failure> {
        match (self.line_of(user), has) {
            (Some(line), None) if line == work.line => self.adopt(work, user).await,
            (Some(line), Some(has)) if line == work.line => {
                work.completed.push("created".to_owned());
                self.complete(work, user, has).await
            }
            (Some(line), _) => {
                let result = work.result(Outcome::Failed);
                Ok(result.because(RowCode::DuplicateRow, format!("line {line} is about the same user")))
            }
            (None, _) if self.may_be_own(user) => {
                let problem = "the user was created during this import, perhaps by an interrupted attempt; the pool \
                               has no attribute `custom:poolkeeper_created` to prove it. Delete the user and import \
                               the row again";
                Ok(work.result(Outcome::Failed).because(RowCode::CreationUnproven, problem))
            }
            (None, _) => self.update(work, user).await,
        }
    }

    /// Whether another import created the user and did not set the password. Such a user cannot sign in. Only a caller
    /// of `AdminCreateUser` can set the proof of an import.
    fn is_incomplete(&self, row: &UserRow, user: &User) -> bool {
        self.facts.has_creation_attribute()
            && user.status == UserStatus::ForceChangePassword
            && user.attributes.get(CREATION_ATTRIBUTE).is_some_and(|proof| proof.starts_with(PROOF_PREFIX))
            && self.permanent_password(row).is_some()
    }

    /// The user of a row. `None` if the name is an alias of another user, or of no user.
    pub(super) async fn find(&self, row: &UserRow) -> Result<Option<User>, Failure> {
        let found = self.paced.call(Category::UserRead, || self.paced.pool.get(&row.username)).await;
        match found {
            Ok(user) => Ok(Some(user).filter(|user| is_named(user, &row.username))),
            Err(failure) if is(&failure, Reason::UserNotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Whether an interrupted attempt of this import may have created a user without a proof.
    fn may_be_own(&self, user: &User) -> bool {
        !self.facts.has_creation_attribute()
            && user.status == UserStatus::ForceChangePassword
            && user.created_at >= self.started_at - CLOCK_TOLERANCE
    }

    pub(super) async fn groups_of(&self, user: &User, row: &UserRow) -> Result<Vec<Membership>, Failure> {
        if row.groups.is_empty() {
            return Ok(Vec::new());
        }
        let id = user.id();
        self.paced.call(Category::UserResourceRead, || self.paced.pool.groups(&id)).await
    }

    async fn differences(&self, row: &UserRow, user: &User) -> Result<Differences, Failure> {
        let has = self.groups_of(user, row).await?;
        let mfa = match movable_mfa(row) {
            Some(_) => {
                let id = user.id();
                Some(self.paced.call(Category::UserRead, || self.paced.pool.mfa(&id)).await?)
            }
            None => None,
        };
        let mut differences = Differences::between(row, user, &has, mfa.as_ref());
        differences.password = self.is_incomplete(row, user);
        Ok(differences)
    }

    /// Updates a user that this import did not create.
    async fn update(&self, work: &mut Work<'_>, user: &User) -> Result<RowResult, Failure> {
        let differences = self.differences(work.row, user).await?;
        if let Some(decided) = self.decide(work, user, &differences) {
            return Ok(decided);
        }
        let PacedPool { pool, .. } = self.paced;
        let id = user.id();
        if differences.password {
            self.set_permanent_password(work, user).await?;
        }
        // One request each, so that a repeated request does not send another verification code.
        for changes in differences.attributes() {
            self.paced.call(Category::UserUpdate, || pool.change_attributes(&id, &changes)).await?;
        }
        work.completed.extend(differences.attribute_names());
        match differences.enabled {
            Some(true) => self.paced.call(Category::UserUpdate, || pool.enable(&id)).await?,
            Some(false) => self.paced.call(Category::UserUpdate, || pool.disable(&id)).await?,
            None => {}
        }
        work.completed.extend(differences.enabled.map(|_| "enabled".to_owned()));
        for group in &differences.groups {
            self.paced.call(Category::UserUpdate, || pool.add_to_group(&id, group.as_str())).await?;
            work.completed.push(format!("groups.{group}"));
        }
        if let Some(mfa) = &differences.mfa {
            self.paced.call(Category::UserResourceUpdate, || pool.set_mfa(&id, mfa)).await?;
        }
        let result = work.result(Outcome::Updated);
        Ok(RowResult { differences: differences.names(), not_moved: not_moved_of_existing(work.row), ..result })
    }

    /// The result of a row whose existing user is not changed.
    fn decide(&self, work: &Work<'_>, user: &User, differences: &Differences) -> Option<RowResult> {
        let row = work.row;
        if differences.is_empty() {
            return Some(RowResult { not_moved: not_moved_of_existing(row), ..work.result(Outcome::Unchanged) });
        }
        let names = differences.names();
        if differences.password && !self.options.update_existing {
            let problem = "an earlier import created the user and did not complete it; --update completes it";
            return Some(work.result(Outcome::Failed).because(RowCode::IncompleteUser, problem));
        }
        if !self.options.update_existing {
            let problem = "the user exists and differs from the row";
            let result = work.result(Outcome::Skipped).because(RowCode::UserExists, problem);
            return Some(RowResult { differences: names, ..result });
        }
        if let Some(name) = differences.attribute_names().find(|name| self.facts.is_immutable(attribute(name))) {
            let error = RowError::at(name, "differs, and the user pool does not allow changes of this attribute");
            return Some(RowResult::invalid(work.line, Some(&row.username), error));
        }
        // Otherwise a stranger who signed up with this user name would receive the attributes and groups of the row.
        let is_trusted = self.options.trust_user_names && user.status != UserStatus::Unconfirmed;
        if !is_trusted && !differences.password && !self.shares_verified_contact(row, user) {
            let problem = "the existing user has no verified e-mail address or phone number of the row, so it can \
                           belong to somebody else; --trust-user-names changes such users";
            let result = work.result(Outcome::Failed).because(RowCode::WrongState, problem);
            return Some(RowResult { differences: names, ..result });
        }
        None
    }

    fn shares_verified_contact(&self, row: &UserRow, user: &User) -> bool {
        ["email", "phone_number"].iter().any(|name| {
            let is_verified = user.attributes.get(&format!("{name}_verified"));
            let contact = user.attributes.get(*name).map(String::as_str);
            is_verified.is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
                && contact.is_some()
                && contact == self.facts.contact(row, name)
        })
    }

    /// What an import would do with a row.
    pub(super) async fn forecast(&self, work: &Work<'_>, known: Known) -> Result<RowResult, Failure> {
        let found = match known {
            Known::Listed(user) => Some(user),
            Known::Absent => None,
            _ => self.find(work.row).await?,
        };
        let Some(user) = found else {
            return Ok(match self.facts.check_password(work.row) {
                Ok(()) => RowResult { not_moved: self.not_moved(work.row), ..work.result(Outcome::Created) },
                Err(error) => RowResult::invalid(work.line, Some(&work.row.username), error),
            });
        };
        let differences = self.differences(work.row, &user).await?;
        Ok(self.decide(work, &user, &differences).unwrap_or_else(|| {
            let result = work.result(Outcome::Updated);
            RowResult { differences: differences.names(), not_moved: not_moved_of_existing(work.row), ..result }
        }))
    }
}
