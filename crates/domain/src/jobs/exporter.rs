//! The export of the users of a pool to files, in as many invocations as it takes.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{JobError, StoreError};
use super::files::{FileVersion, Files, KEYS_PER_PAGE, ensure_not_stopped, keys};
use super::id::JobId;
use crate::retry::Clock;
use crate::transfer::{Export, Memberships, NotMoved, Pace, PacedPool, Rates, Stop, Summary, group_names, members};
use crate::user_pool::UserPool;
use crate::user_pool::error::Reason;
use crate::user_pool::groups::GroupName;
use crate::user_pool::quota::{Category, RequestQuotas};
use crate::user_pool::user::Username;

/// The size at which a file ends. An export keeps one file in memory.
const FILE_BYTES: usize = 8 * 1024 * 1024;

/// The maximum number of memberships, which an export keeps in memory. With the longest user names, they take 1.3 GB.
const MAX_MEMBERSHIPS: u64 = 5_000_000;

/// How often users are written, so that a crash repeats only the pages since then, and a stopped export ends.
const KEEP_INTERVAL: Duration = Duration::from_secs(30);

/// How long calls to the user pool are repeated while it is unavailable. Then the state machine repeats the step.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the steps of exports. [`Clock::time_left`] is the time of the invocation.
pub struct Exporter<'a> {
    /// The bucket.
    pub files: &'a dyn Files,
    /// The user pool. Its calls are sent once, because the export repeats them.
    pub pool: &'a dyn UserPool,
    /// The quotas of the account.
    pub quotas: &'a dyn RequestQuotas,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// The share of the account's quotas that jobs use, from 0 to 1.
    pub quota_share: f64,
}

/// How far an export is. The bucket contains it, so that the next invocation continues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportState {
    /// What the next call reads.
    position: Position,
    /// The keys of the files with memberships.
    memberships: Vec<String>,
    /// The number of memberships so far.
    #[serde(default)]
    membership_count: u64,
    /// The files with users, in their order.
    pub files: Vec<ExportedFile>,
    /// The number of users so far.
    pub rows: u64,
    /// The estimated number of all users.
    pub estimated_rows: u32,
    /// The parts of users that an import of the files cannot move.
    pub not_moved: BTreeSet<NotMoved>,
}

/// A file with users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedFile {
    /// The key.
    pub key: String,
    /// The number of the first user, from 1.
    pub first_line: u64,
    /// The number of bytes.
    pub bytes: u64,
}

/// The position of an export. `after` continues a list of Cognito.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Position {
    /// Memberships are read, from this group.
    Members { group: Option<GroupName>, after: Option<String> },
    /// Users are read.
    Users { after: Option<String> },
    /// All users are written.
    End,
}

impl Default for Position {
    fn default() -> Self {
        Self::Members { group: None, after: None }
    }
}

impl ExportState {
    /// Whether all users are written.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.position == Position::End
    }

    /// The number of bytes of all users.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Members of a group: a line of a file with memberships.
#[derive(Debug, Serialize, Deserialize)]
struct GroupMembers {
    group: GroupName,
    members: Vec<Username>,
}

impl Exporter<'_> {
    /// Writes the users to files. Does nothing if they are written. `attempt` is the name of the execution.
    ///
    /// # Errors
    ///
    /// Returns an error if users are missing. The next call continues.
    pub async fn export(&self, id: &JobId, attempt: &str, with_mfa: bool) -> Result<ExportState, JobError> {
        let (state, version) = self.versioned_state(id).await?;
        if state.is_complete() {
            return Ok(state);
        }
        let pace = Pace::new(Arc::clone(&self.clock), &self.rates(with_mfa).await);
        let paced = PacedPool { pool: self.pool, pace: &pace, clock: &*self.clock, patience: PATIENCE };
        let kept_at = self.clock.now();
        let nonce = self.clock.nonce().expose().to_owned();
        let mut run =
            Run { exporter: self, paced, id, attempt, nonce, state, version, content: Vec::new(), rows: 0, kept_at };
        let result = run.export(with_mfa).await;
        if let Err(JobError::Stop(_)) = result {
            // The pages so far are not read again.
            run.keep().await?;
        }
        result.map(|()| run.state)
    }

    /// How far the export is.
    ///
    /// # Errors
    ///
    /// Returns an error if the state cannot be read.
    pub async fn state(&self, id: &JobId) -> Result<ExportState, JobError> {
        Ok(self.versioned_state(id).await?.0)
    }

    /// The state with the `ETag` of its file, which is `None` before the first file.
    async fn versioned_state(&self, id: &JobId) -> Result<(ExportState, Option<String>), JobError> {
        let key = keys::export(id);
        let Some(FileVersion { size, etag, .. }) = self.files.version(&key).await? else {
            return Ok((ExportState::default(), None));
        };
        let text = self.files.read_part(&key, &etag, 0, size).await.map_err(JobError::Store)?;
        let state = serde_json::from_slice(&text).map_err(|error| JobError::InvalidFile(error.to_string()))?;
        Ok((state, Some(etag)))
    }

    /// Only reads of single users have a quota that can be raised.
    async fn rates(&self, with_mfa: bool) -> Rates {
        let categories: &[Category] = if with_mfa { &[Category::UserRead] } else { &[] };
        // Without the permission, or during an outage, default quotas are used.
        let (rates, _) = Rates::of_account(self.quotas, &*self.clock, categories.iter().copied()).await;
        rates.share(self.quota_share)
    }

    /// Checks that the export ended and that each of its files exists. No invocation changes a file.
    ///
    /// # Errors
    ///
    /// Returns an error if the export did not end or if a file was deleted.
    pub async fn ensure_complete(&self, id: &JobId, state: &ExportState) -> Result<(), JobError> {
        if !state.is_complete() {
            let expected = u64::from(state.estimated_rows).max(state.rows);
            return Err(JobError::Incomplete { found: state.rows, expected, unit: "users" });
        }
        let present: HashSet<_> = self.keys(&keys::results(id)).await?.into_iter().collect();
        let found = state.files.iter().filter(|file| present.contains(&file.key)).count() as u64;
        let expected = state.files.len() as u64;
        if found == expected { Ok(()) } else { Err(JobError::Incomplete { found, expected, unit: "files" }) }
    }

    /// Whether the job has a summary.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn is_summarized(&self, id: &JobId) -> Result<bool, JobError> {
        Ok(self.files.version(&keys::summary(id)).await?.is_some())
    }

    /// Writes the summary, and deletes the files that are not results. With `with_users`, all users are deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn complete(&self, id: &JobId, state: &ExportState, with_users: bool) -> Result<Summary, JobError> {
        let summary = Summary { rows: state.rows, not_moved: state.not_moved.clone(), ..Summary::default() };
        self.files.create(&keys::summary(id), json(&summary)).await?;
        // Also the files of invocations that another one overtook.
        for key in self.keys(&keys::all_memberships(id)).await? {
            self.files.delete(&key).await?;
        }
        let results: HashSet<_> = state.files.iter().filter(|_| !with_users).map(|file| &file.key).collect();
        for key in self.keys(&keys::results(id)).await? {
            if !results.contains(&key) {
                self.files.delete(&key).await?;
            }
        }
        Ok(summary)
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let page = self.files.list(prefix, after, KEYS_PER_PAGE).await?;
            keys.extend(page.entries);
            after = page.next;
            if after.is_none() {
                return Ok(keys);
            }
        }
    }
}

/// One invocation of an export. The state describes the files and `content`.
struct Run<'a> {
    exporter: &'a Exporter<'a>,
    paced: PacedPool<'a>,
    id: &'a JobId,
    attempt: &'a str,
    /// Part of the keys of this invocation's files.
    nonce: String,
    state: ExportState,
    /// The `ETag` of the state in the bucket.
    version: Option<String>,
    /// The lines that are not written yet.
    content: Vec<u8>,
    /// The number of users in `content`.
    rows: u64,
    kept_at: Duration,
}

impl Run<'_> {
    async fn export(&mut self, with_mfa: bool) -> Result<(), JobError> {
        if let Position::Members { group, after } = self.state.position.clone() {
            self.members(group, after).await?;
        }
        if let Position::Users { after } = self.state.position.clone() {
            self.users(after, with_mfa).await?;
        }
        Ok(())
    }

    async fn members(&mut self, first: Option<GroupName>, mut after: Option<String>) -> Result<(), JobError> {
        for group in group_names(&self.paced).await? {
            if first.as_ref().is_some_and(|first| group < *first) {
                continue;
            }
            // The position belongs to the first group, which can have been deleted in the meantime.
            let mut after = after.take().filter(|_| first.as_ref() == Some(&group));
            self.state.position = Position::Members { group: Some(group.clone()), after: after.clone() };
            loop {
                let page = members(&self.paced, &group, after).await.map_err(expired)?;
                if !page.entries.is_empty() {
                    self.state.membership_count += page.entries.len() as u64;
                    let (found, limit) = (self.state.membership_count, MAX_MEMBERSHIPS);
                    if found > limit {
                        return Err(JobError::TooLarge { found, limit, unit: "memberships" });
                    }
                    self.append(&GroupMembers { group: group.clone(), members: page.entries });
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
                self.state.position = Position::Members { group: Some(group.clone()), after: after.clone() };
                self.keep_if_due().await?;
            }
        }
        self.keep().await?;
        self.state.position = Position::Users { after: None };
        Ok(())
    }

    async fn users(&mut self, mut after: Option<String>, with_mfa: bool) -> Result<(), JobError> {
        let export = Export::with_memberships(self.paced, self.memberships().await?, with_mfa).await?;
        self.state.estimated_rows = export.facts().estimated_users;
        loop {
            let page = export.page(after).await.map_err(expired)?;
            for row in &page.entries {
                self.append(row);
                self.state.not_moved.extend(export.not_moved(row));
            }
            self.rows += page.entries.len() as u64;
            after = page.next;
            if after.is_none() {
                break;
            }
            self.state.position = Position::Users { after: after.clone() };
            self.keep_if_due().await?;
        }
        self.state.position = Position::End;
        self.keep().await
    }

    async fn memberships(&self) -> Result<Memberships, JobError> {
        let mut memberships = Memberships::default();
        let expected = self.state.memberships.len() as u64;
        for (found, key) in (0..).zip(&self.state.memberships) {
            let text = self.exporter.files.read(key).await?;
            let text = text.ok_or(JobError::Incomplete { found, expected, unit: "files with memberships" })?;
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line = serde_json::from_slice(line).map_err(|error| JobError::InvalidFile(error.to_string()))?;
                let GroupMembers { group, members } = line;
                memberships.add(&group, members);
            }
        }
        Ok(memberships)
    }

    fn append(&mut self, line: &impl Serialize) {
        self.content.extend(json(line));
        self.content.push(b'\n');
    }

    async fn keep_if_due(&mut self) -> Result<(), JobError> {
        let is_due = self.content.len() >= FILE_BYTES || self.exporter.clock.now() >= self.kept_at + KEEP_INTERVAL;
        if is_due { self.keep().await } else { Ok(()) }
    }

    /// Writes the lines so far and then the state, if no other invocation continued the export in the meantime. Without
    /// the state, the file is not part of the export.
    async fn keep(&mut self) -> Result<(), JobError> {
        let Exporter { files, clock, .. } = self.exporter;
        let content = std::mem::take(&mut self.content);
        if !content.is_empty() {
            let bytes = content.len() as u64;
            let key = if let Position::Members { .. } = self.state.position {
                let key = keys::memberships(self.id, self.state.memberships.len(), &self.nonce);
                self.state.memberships.push(key.clone());
                key
            } else {
                let first_line = self.state.rows + 1;
                let key = keys::exported(self.id, first_line, &self.nonce);
                self.state.files.push(ExportedFile { key: key.clone(), first_line, bytes });
                self.state.rows += std::mem::take(&mut self.rows);
                key
            };
            files.replace(&key, content).await?;
        }
        let version = files.exchange(&keys::export(self.id), self.version.as_deref(), json(&self.state)).await;
        self.version = Some(version.map_err(JobError::Store)?);
        self.kept_at = clock.now();
        ensure_not_stopped(*files, self.id, self.attempt).await
    }
}

/// Cognito rejects a position in a list after an hour.
fn expired(stop: Stop) -> JobError {
    match stop {
        Stop::Call(error) if error.reason == Reason::InvalidRequest => JobError::Expired(error),
        stop => stop.into(),
    }
}

/// Serialization of these types cannot fail.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
