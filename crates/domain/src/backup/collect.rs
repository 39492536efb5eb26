//! Reads a pool for a backup or a comparison.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use thiserror::Error;

use super::digest::Digest;
use super::settings::{ClientRecord, GroupRecord, Settings};
use super::source::PoolSource;
use crate::provision::{Observer, ProvisionError, Provisioner};
use crate::retry::Clock;
use crate::search::LARGEST_PAGE;
use crate::transfer::{Export, ExportError, NotMoved, PacedPool, Stop};
use crate::user_pool::page::PageRequest;
use crate::user_pool::quota::Category;

/// Why a pool could not be read completely.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The pool does not exist.
    #[error("user pool {0} does not exist in this account and Region")]
    NoUserPool(String),
    /// The settings cannot be read.
    #[error("{}", .0.with_causes())]
    Settings(#[from] ProvisionError),
    /// The groups or users cannot be read.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The users cannot be written.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl From<ExportError> for BackupError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Stopped(stop) => Self::Stopped(stop),
            ExportError::File(error) => Self::File(error),
        }
    }
}

/// What an export of the users wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedUsers {
    /// The number of users.
    pub rows: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The SHA-256 hash, in hexadecimal digits.
    pub sha256: String,
    /// Whether the users have their second factors.
    pub with_mfa: bool,
    /// The parts of users that are not in the export.
    pub not_moved: BTreeSet<NotMoved>,
}

/// Reads one user pool. Changes nothing.
pub struct Backup<'a> {
    /// The settings and app clients.
    pub source: &'a dyn PoolSource,
    /// The groups and users.
    pub paced: PacedPool<'a>,
    /// Time and randomness, with the deadline of the calls that read settings.
    pub clock: Arc<dyn Clock>,
    /// Receives the retries of the calls that read settings.
    pub observer: &'a dyn Observer,
}

impl Backup<'_> {
    /// Reads the settings, app clients and groups of a pool.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool does not exist or cannot be read.
    pub async fn settings(&self, user_pool_id: &str) -> Result<Settings, BackupError> {
        let provisioner = Provisioner::new(self.source, Arc::clone(&self.clock), self.observer);
        let described = provisioner.describe(self.source, user_pool_id).await?;
        let Some(described) = described else { return Err(BackupError::NoUserPool(user_pool_id.to_owned())) };
        let clients = described.clients.into_iter().map(|(client, in_spec)| ClientRecord {
            id: client.client.id,
            name: client.name,
            has_secret: client.client.has_secret,
            in_spec,
            settings: client.client.state,
            other_settings: client.other_settings,
        });
        let mut clients: Vec<_> = clients.collect();
        clients.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(Settings {
            region: self.source.region().to_owned(),
            user_pool_id: user_pool_id.to_owned(),
            user_pool_name: described.name,
            spec: described.spec,
            clients,
            groups: self.groups().await?,
            not_included: described.not_included,
        })
    }

    async fn groups(&self) -> Result<Vec<GroupRecord>, Stop> {
        let PacedPool { pool, .. } = self.paced;
        let mut groups = Vec::new();
        let mut request = PageRequest { limit: LARGEST_PAGE, after: None };
        loop {
            let page = self.paced.call(Category::UserPoolResourceRead, || pool.list_groups(&request)).await?;
            groups.extend(page.entries.into_iter().map(GroupRecord::from));
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(groups)
    }

    /// Writes all users to `out`, one per line. `progress` receives the number of users so far and the estimated number
    /// of all users.
    ///
    /// # Errors
    ///
    /// Returns an error if the users cannot be read or written. `out` is then incomplete.
    pub async fn export<W: Write>(
        &self,
        with_mfa: bool,
        out: W,
        mut progress: impl FnMut(u64, u32),
    ) -> Result<ExportedUsers, BackupError> {
        let export = Export::start(self.paced, with_mfa).await?;
        let estimated = export.facts().estimated_users;
        let mut digest = Digest::new(out);
        let (rows, not_moved) = export.write(&mut digest, |rows| progress(rows, estimated)).await?;
        digest.flush()?;
        let (bytes, sha256) = digest.finish();
        Ok(ExportedUsers { rows, bytes, sha256, with_mfa, not_moved })
    }
}
