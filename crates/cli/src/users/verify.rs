//! `users verify`: compares a pool with a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::pin::pin;

use domain::transfer::{Comparison, Export, Lines, Mismatch};
use futures::TryStreamExt as _;
use serde_json::json;

use super::row_progress::RowProgress;
use super::{OpenPool, format_of, unless_interrupted};
use crate::arguments::{Quotas, SelectedPool};
use crate::error::CommandError;
use crate::layout::wrap;
use crate::run::{INCOMPLETE, Session, print};

/// How many differing users are printed without `--json`.
const PRINTED: usize = 20;

/// The result of a comparison.
pub(crate) struct Verified {
    pub(crate) user_pool_id: String,
    pub(crate) rows: u64,
    /// The rows that cannot be read.
    pub(crate) unreadable: u64,
    /// The rows that an import skips: federated and unconfirmed users, and users with an earlier row.
    pub(crate) not_compared: u64,
    /// The users of the pool that are in no row.
    pub(crate) others: u64,
    pub(crate) mismatches: Vec<Mismatch>,
}

/// Compares the pool with the file.
pub(super) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
) -> Result<u8, CommandError> {
    let verified = unless_interrupted(verify(session, path, pool, quotas)).await?;
    let Verified { user_pool_id, rows, unreadable, not_compared, others, mismatches } = &verified;
    if session.options.json {
        print(&json!({
            "user_pool_id": user_pool_id, "rows": rows, "unreadable": unreadable, "not_compared": not_compared, "other_users": others,
            "mismatches": mismatches,
        }))?;
    } else {
        session.stdout.write_lines(&lines(&verified, session.stdout.width()));
    }
    Ok(if mismatches.is_empty() && *unreadable == 0 { 0 } else { INCOMPLETE })
}

async fn verify(session: &Session, path: &Path, pool: SelectedPool, quotas: &Quotas) -> Result<Verified, CommandError> {
    let failed = |source| CommandError::UserFile { file: path.display().to_string(), source };
    let file = File::open(path).map_err(failed)?;
    let lines = Lines::new(format_of(path), BufReader::new(file)).map_err(failed)?;
    let pool = OpenPool::find(session, pool, quotas, &[]).await?;
    compare(session, &pool, lines, false, failed).await
}

/// Compares the pool with rows. `is_exact` means that the rows describe all users completely.
pub(crate) async fn compare(
    session: &Session,
    pool: &OpenPool,
    lines: Lines<impl BufRead>,
    is_exact: bool,
    failed: impl Fn(io::Error) -> CommandError,
) -> Result<Verified, CommandError> {
    session.progress.begin("reading the groups");
    let export = Export::start(pool.paced(), false).await;
    session.progress.pause();
    let export = export?;
    let facts = export.facts();
    let mut comparison = if is_exact { Comparison::exact(facts) } else { Comparison::new(facts) };
    let (mut rows, mut unreadable, mut not_compared) = (0, 0, 0);
    for line in lines {
        let line = line.map_err(&failed)?;
        rows += 1;
        match line.row {
            Ok(row) => not_compared += u64::from(!comparison.expect(line.number, row)),
            Err(_) => unreadable += 1,
        }
    }
    let mut progress = RowProgress::start(&session.steps, export.facts().estimated_users.into(), 0);
    let (mut mismatches, mut pages) = (Vec::new(), pin!(export.pages()));
    while let Some(users) = pages.try_next().await? {
        mismatches.extend(users.iter().filter_map(|user| comparison.found(user)));
        progress.advance(users.len() as u64, pool.pace.throttled());
    }
    progress.finish();
    let others = comparison.others;
    mismatches.extend(comparison.missing());
    mismatches.sort_by_key(|mismatch| mismatch.line);
    Ok(Verified { user_pool_id: pool.user_pool_id.clone(), rows, unreadable, not_compared, others, mismatches })
}

pub(crate) fn lines(verified: &Verified, width: usize) -> Vec<String> {
    let Verified { rows, unreadable, not_compared, others, mismatches, .. } = verified;
    let mut lines = Vec::new();
    for Mismatch { line, username, differences } in mismatches.iter().take(PRINTED) {
        let text = if differences.is_empty() {
            format!("✗ line {line} {username}: missing in the user pool")
        } else {
            format!("✗ line {line} {username}: differs in {}", differences.join(", "))
        };
        lines.extend(wrap("", &text, 4, width));
    }
    if mismatches.len() > PRINTED {
        lines.push(format!("… and {} more; --json lists all", mismatches.len() - PRINTED));
    }
    let mut parts = vec![format!("{rows} rows"), format!("{} differ or are missing", mismatches.len())];
    for (count, what) in [(*unreadable, "cannot be read"), (*not_compared, "are not imported")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.push(format!("{others} other users in the pool"));
    lines.extend(wrap("", &format!("Compared: {}.", parts.join(", ")), 0, width));
    if !mismatches.is_empty() {
        let hint = "Lists of Cognito lag behind changes. After an import, compare again in a minute.";
        lines.extend(wrap("", hint, 0, width));
    }
    lines
}
