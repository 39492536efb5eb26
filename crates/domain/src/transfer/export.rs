//! The export engine: reads the users of a pool as rows.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufWriter, Write};
use std::pin::pin;

use futures::Stream;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use thiserror::Error;

use super::import::group_names;
use super::paced_pool::{PacedPool, Stop, is};
use super::pool_facts::{PoolFacts, is_movable};
use super::report::NotMoved;
use super::row::{MfaPreference, Origin, UserRow};
use crate::search::LARGEST_PAGE;
use crate::user_pool::error::Reason;
use crate::user_pool::groups::GroupName;
use crate::user_pool::page::{Page, PageRequest};
use crate::user_pool::quota::Category;
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::{User, UserStatus, Username};

/// How many users are read at the same time for their second factors.
const CONCURRENT_READS: usize = 32;

/// Why an export ended early.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The users cannot be read.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The users cannot be written.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// The groups of users. Kept in memory, because one request per user would take longer than the export.
#[derive(Debug, Default)]
pub struct Memberships {
    groups: Vec<GroupName>,
    /// The positions in `groups`. A set of names would need several times the memory.
    of: HashMap<Username, Vec<u32>>,
}

impl Memberships {
    /// Adds members of a group. Repeated memberships count once.
    pub fn add(&mut self, group: &GroupName, members: impl IntoIterator<Item = Username>) {
        let position = self.groups.iter().rposition(|known| known == group).unwrap_or_else(|| {
            self.groups.push(group.clone());
            self.groups.len() - 1
        });
        // A pool has at most 10,000 groups.
        let Ok(position) = u32::try_from(position) else { return };
        for member in members {
            let groups = self.of.entry(member).or_insert_with(|| Vec::with_capacity(1));
            groups.push(position);
        }
    }

    fn of(&self, user: &Username) -> BTreeSet<GroupName> {
        let positions = self.of.get(user).into_iter().flatten().filter_map(|position| usize::try_from(*position).ok());
        positions.filter_map(|position| self.groups.get(position).cloned()).collect()
    }
}

/// The members of a group, in pages. `after` is [`Page::next`] of the previous page.
pub(crate) async fn members(
    paced: &PacedPool<'_>,
    group: &GroupName,
    after: Option<String>,
) -> Result<Page<Username>, Stop> {
    let request = page_after(after);
    match paced.call(Category::UserList, || paced.pool.members(group, &request)).await {
        Ok(Page { entries, next }) => {
            Ok(Page { entries: entries.into_iter().map(|user| user.username).collect(), next })
        }
        // The group was deleted in the meantime.
        Err(failure) if is(&failure, Reason::GroupNotFound) => Ok(Page { entries: Vec::new(), next: None }),
        Err(failure) => Err(failure.into()),
    }
}

/// Reads all users of one user pool.
pub struct Export<'a> {
    paced: PacedPool<'a>,
    facts: PoolFacts,
    memberships: Memberships,
    with_mfa: bool,
}

impl<'a> Export<'a> {
    /// Reads the settings, groups and memberships of the pool. `with_mfa` adds the second factors of each user, with one
    /// request per user that counts towards the monthly active users.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool cannot be read.
    pub async fn start(paced: PacedPool<'a>, with_mfa: bool) -> Result<Self, Stop> {
        let mut memberships = Memberships::default();
        for group in group_names(&paced).await? {
            let mut after = None;
            loop {
                let page = members(&paced, &group, after).await?;
                memberships.add(&group, page.entries);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Self::with_memberships(paced, memberships, with_mfa).await
    }

    /// Like [`Self::start`], with memberships that were read before.
    ///
    /// # Errors
    ///
    /// Returns an error if the settings cannot be read.
    pub async fn with_memberships(
        paced: PacedPool<'a>,
        memberships: Memberships,
        with_mfa: bool,
    ) -> Result<Self, Stop> {
        Ok(Self { paced, facts: paced.facts().await?, memberships, with_mfa })
    }

    /// The settings of the pool.
    #[must_use]
    pub fn facts(&self) -> &PoolFacts {
        &self.facts
    }

    /// Reads the users in pages. Users who are created, changed or deleted during the export may be missing or outdated.
    /// Ends after an error.
    pub fn pages(&self) -> impl Stream<Item = Result<Vec<UserRow>, Stop>> + '_ {
        stream::try_unfold(Some(None), async |after| {
            let Some(after) = after else { return Ok(None) };
            let Page { entries, next } = self.page(after).await?;
            Ok(Some((entries, next.map(Some))))
        })
    }

    /// Reads a page of users. `after` is [`Page::next`] of the previous page, which Cognito accepts for an hour.
    ///
    /// # Errors
    ///
    /// Returns an error if the page cannot be read.
    pub async fn page(&self, after: Option<String>) -> Result<Page<UserRow>, Stop> {
        let request = page_after(after);
        let page = self.paced.call(Category::UserList, || self.paced.pool.list(None, &request)).await?;
        Ok(Page { entries: self.rows(page.entries).await?, next: page.next })
    }

    /// Writes all users to `out`, one per line, and returns their number and what an import cannot move. `progress`
    /// receives the number of users so far.
    ///
    /// # Errors
    ///
    /// Returns an error if the users cannot be read or written. `out` is then incomplete.
    pub async fn write<W: Write>(
        &self,
        out: W,
        mut progress: impl FnMut(u64),
    ) -> Result<(u64, BTreeSet<NotMoved>), ExportError> {
        let (mut out, mut rows, mut not_moved) = (BufWriter::new(out), 0, BTreeSet::new());
        let mut pages = pin!(self.pages());
        while let Some(page) = pages.try_next().await? {
            for row in &page {
                serde_json::to_writer(&mut out, row).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
                not_moved.extend(self.not_moved(row));
            }
            rows += page.len() as u64;
            progress(rows);
        }
        out.flush()?;
        Ok((rows, not_moved))
    }

    async fn rows(&self, users: Vec<User>) -> Result<Vec<UserRow>, Stop> {
        if !self.with_mfa {
            return Ok(users.into_iter().map(|user| self.row(user)).collect());
        }
        let rows = stream::iter(users).map(|user| self.row_with_mfa(user)).buffered(CONCURRENT_READS);
        rows.try_filter_map(async |row| Ok(row)).try_collect().await
    }

    /// The row of a user with the second factors. `None` if the user was deleted in the meantime.
    async fn row_with_mfa(&self, user: User) -> Result<Option<UserRow>, Stop> {
        let id = user.id();
        let mfa = match self.paced.call(Category::UserRead, || self.paced.pool.mfa(&id)).await {
            Err(failure) if is(&failure, Reason::UserNotFound) => return Ok(None),
            mfa => mfa?,
        };
        let enabled: BTreeSet<_> = mfa.enabled.into_iter().collect();
        let mfa = (!enabled.is_empty()).then_some(MfaPreference { enabled, preferred: mfa.preferred });
        Ok(Some(UserRow { mfa, ..self.row(user) }))
    }

    fn row(&self, user: User) -> UserRow {
        let groups = self.memberships.of(&user.username);
        let mut row = UserRow::new(self.facts.creation_name(&user));
        let sub = user.attributes.get("sub").cloned();
        row.attributes = user.attributes.into_iter().filter(|(name, _)| is_movable(name)).collect();
        row.enabled = Some(user.enabled);
        row.groups = groups;
        let (status, created_at, modified_at) = (user.status, user.created_at, user.modified_at);
        row.origin = Some(Origin { sub, status, created_at, modified_at });
        row
    }

    /// What an import of this row into another pool cannot move.
    #[must_use]
    pub fn not_moved(&self, row: &UserRow) -> Vec<NotMoved> {
        let is_federated = row.origin.as_ref().is_some_and(|origin| origin.status == UserStatus::ExternalProvider);
        let has_app = row.mfa.as_ref().is_some_and(|mfa| mfa.enabled.contains(&Factor::SoftwareTokenMfa));
        let parts = [
            (true, NotMoved::Sub),
            (self.facts.generates_usernames(), NotMoved::GeneratedUsername),
            (!is_federated, NotMoved::Password),
            (has_app || !self.with_mfa, NotMoved::AuthenticatorApp),
            (true, NotMoved::Devices),
            (is_federated, NotMoved::ExternalIdentities),
        ];
        parts.into_iter().filter(|(is_lost, _)| *is_lost).map(|(_, part)| part).collect()
    }
}

fn page_after(after: Option<String>) -> PageRequest {
    PageRequest { limit: LARGEST_PAGE, after }
}
