//! The summary of an import or export, and what cannot be moved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::result::{Outcome, RowResult};

/// A part of a user that cannot be moved to another user pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum NotMoved {
    /// Cognito generates a new `sub`.
    Sub,
    /// Cognito generates a new user name, because users of the pool sign in with an e-mail address or phone number.
    GeneratedUsername,
    /// Cognito does not disclose passwords.
    Password,
    /// Cognito sets the hash of a password only when it creates the user, and creates the user enabled.
    PasswordHash,
    /// A user without a password, and without a verified e-mail address or phone number, cannot set one.
    PasswordRecovery,
    /// Cognito does not disclose the secrets of authenticator apps.
    AuthenticatorApp,
    /// Remembered devices belong to one user pool.
    Devices,
    /// Identities of external providers are created at the first sign-in.
    ExternalIdentities,
}

impl NotMoved {
    /// All parts, in the order of reports.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The part and why it is not moved, in one sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Sub => "`sub`: Cognito generates a new one for each user",
            Self::GeneratedUsername => "generated user names of pools with sign-in by e-mail address or phone number",
            Self::Password => "existing passwords: Cognito does not disclose them",
            Self::PasswordHash => {
                "password hashes of existing and of disabled users: import jobs create enabled users only"
            }
            Self::PasswordRecovery => {
                "\"forgot password\" of new users without a verified e-mail address or phone number: set their passwords"
            }
            Self::AuthenticatorApp => "secrets of authenticator apps: users enroll again",
            Self::Devices => "remembered devices",
            Self::ExternalIdentities => "users and identities of external providers: created at the next sign-in",
        }
    }
}

/// The number of rows per outcome and code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The number of rows.
    pub rows: u64,
    /// The number of rows by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The number of skipped and failed rows by code.
    pub codes: BTreeMap<&'static str, u64>,
    /// The parts of users that were not moved.
    pub not_moved: BTreeSet<NotMoved>,
}

impl Summary {
    /// Adds a result.
    pub fn add(&mut self, result: &RowResult) {
        self.rows += 1;
        *self.outcomes.entry(result.outcome).or_default() += 1;
        if let Some(code) = result.code {
            *self.codes.entry(<&str>::from(code)).or_default() += 1;
        }
        self.not_moved.extend(&result.not_moved);
    }

    /// The number of rows with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// Whether each row was imported or was already in the pool.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count(Outcome::Skipped) + self.count(Outcome::Failed) == 0
    }
}

impl<'a> FromIterator<&'a RowResult> for Summary {
    fn from_iter<I: IntoIterator<Item = &'a RowResult>>(results: I) -> Self {
        let mut summary = Self::default();
        for result in results {
            summary.add(result);
        }
        summary
    }
}
