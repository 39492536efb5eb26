//! `users verify`: compares a pool with a file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::pin::pin;

use domain::transfer::{Comparison, Export, Lines, Mismatch};
use futures::TryStreamExt as _;
use serde_json::json;

use super::row_progress::RowProgress;
use super::{OpenPool, format_of};
use crate::arguments::{Quotas, SelectedPool};
use crate::error::CommandError;
use crate::interrupt::interrupted;
use crate::layout::wrap;
use crate::run::{INCOMPLETE, Session, print};

/// How many differing users are printed without `--json`.
const PRINTED: usize = 20;

/// The result of a comparison.
struct Verified {
    user_pool_id: String,
    rows: u64,
    /// The rows that an import skips or cannot read.
    not_compared: u64,
    /// The users of the pool that are in no row.
    others: u64,
    mismatches: Vec<Mismatch>,
}

/// Compares the pool with the file.
pub(super) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
) -> Result<u8, CommandError> {
    let verified = tokio::select! {
        verified = verify(session, path, pool, quotas) => verified?,
        () = interrupted() => return Err(CommandError::Interrupted { action: None, during: None, steps: Vec::new() }),
    };
    let Verified { user_pool_id, rows, not_compared, others, mismatches } = &verified;
    if session.options.json {
        print(&json!({
            "user_pool_id": user_pool_id, "rows": rows, "not_compared": not_compared, "other_users": others,
            "mismatches": mismatches,
        }))?;
    } else {
        session.stdout.write_lines(&lines(&verified, session.stdout.width()));
    }
    Ok(if mismatches.is_empty() && *not_compared == 0 { 0 } else { INCOMPLETE })
}

async fn verify(session: &Session, path: &Path, pool: SelectedPool, quotas: &Quotas) -> Result<Verified, CommandError> {
    let failed = |source| CommandError::UserFile { file: path.display().to_string(), source };
    let file = File::open(path).map_err(failed)?;
    let lines = Lines::new(format_of(path), BufReader::new(file)).map_err(failed)?;
    let OpenPool { user_pool_id, directory, clock, pace, patience } = OpenPool::find(session, pool, quotas).await?;
    session.progress.begin("reading the groups");
    let export = Export::start(&directory, &pace, &clock, patience, false).await;
    session.progress.pause();
    let export = export?;
    let mut comparison = Comparison::new(export.facts());
    let (mut rows, mut not_compared) = (0, 0);
    for line in lines {
        let line = line.map_err(failed)?;
        rows += 1;
        if !line.row.is_ok_and(|row| comparison.expect(line.number, row)) {
            not_compared += 1;
        }
    }
    let mut progress = RowProgress::start(&session.steps, export.facts().estimated_users.into(), 0);
    let (mut mismatches, mut pages) = (Vec::new(), pin!(export.pages()));
    while let Some(users) = pages.try_next().await? {
        mismatches.extend(users.iter().filter_map(|user| comparison.found(user)));
        progress.advance(users.len() as u64, pace.throttled());
    }
    progress.finish();
    let others = comparison.others;
    mismatches.extend(comparison.missing());
    mismatches.sort_by_key(|mismatch| mismatch.line);
    Ok(Verified { user_pool_id, rows, not_compared, others, mismatches })
}

fn lines(verified: &Verified, width: usize) -> Vec<String> {
    let Verified { rows, not_compared, others, mismatches, .. } = verified;
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
    if *not_compared > 0 {
        parts.push(format!("{not_compared} cannot be imported"));
    }
    parts.push(format!("{others} other users in the pool"));
    lines.extend(wrap("", &format!("Compared: {}.", parts.join(", ")), 0, width));
    lines
}
