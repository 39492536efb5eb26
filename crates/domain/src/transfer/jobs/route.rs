//! Decides whether an import job creates the user of a row.

use super::{JobRows, Jobs};
use crate::transfer::hash;
use crate::transfer::lines::Line;
use crate::transfer::row::{Hash, RowError, RowPassword, UserRow};
use crate::user_pool::import_jobs::HashAlgorithm;

/// The way of a row.
pub(super) enum Route {
    /// `AdminCreateUser` and other calls.
    Calls,
    /// An import job, with this line of its file.
    Job { algorithm: Option<HashAlgorithm>, record: String },
    /// The row needs a job, and a job cannot create its user.
    Refused(RowError),
}

impl Jobs<'_> {
    pub(super) fn route(&self, line: &Line) -> Route {
        let Ok(row) = &line.row else { return Route::Calls };
        // A job creates enabled users, who could sign in before they are disabled.
        if row.invite || row.enabled == Some(false) || self.importer.rejects(line.number, row) {
            return Route::Calls;
        }
        let hash = match &row.password {
            Some(RowPassword::Hash(hash)) => Some(hash),
            None if self.importer.options.job_rows == JobRows::All => None,
            _ => return Route::Calls,
        };
        match self.record(line.number, row, hash) {
            Ok(record) => Route::Job { algorithm: hash.map(|hash| hash.algorithm), record },
            Err(error) if hash.is_some() => Route::Refused(error),
            Err(_) => Route::Calls,
        }
    }

    fn record(&self, line: u64, row: &UserRow, hash: Option<&Hash>) -> Result<String, RowError> {
        if !self.importer.facts().has_auto_verified_contact(row) {
            let problem = "import jobs require an e-mail address or phone number that is verified in the row, and that \
                           the user pool verifies (`AutoVerifiedAttributes`)";
            return Err(RowError::at("attributes", problem));
        }
        let hash = hash.map(hash::of_import_jobs).transpose()?;
        self.columns.line(&row.username, &self.importer.attributes_of_new(line, row), hash.as_ref())
    }
}
