//! `diff`: compares a user pool with an archive.

use std::collections::BTreeSet;
use std::path::Path;

use domain::backup::differences;
use domain::provision::Difference;
use serde_json::json;

use super::{failed, in_file, list, open, reader};
use crate::arguments::{Quotas, SelectedPool};
use crate::error::CommandError;
use crate::plan_view;
use crate::run::{INCOMPLETE, Session, print};
use crate::users::{OpenPool, Source, Verified, compare, compared_lines, unless_interrupted};

/// Compares the pool with the archive.
pub(crate) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
) -> Result<u8, CommandError> {
    let (file, archive) = open(path)?;
    let source = Source::section(path, file, &archive.users)?;
    let work = Box::pin(unless_interrupted(async {
        let pool = OpenPool::find(session, pool, quotas, &[]).await?;
        session.progress.begin("reading the settings");
        let settings = reader(session, &pool).settings(&pool.user_pool_id).await;
        session.progress.pause();
        let settings = settings.map_err(failed(path))?;
        let users = compare(session, &pool, source.rows()?, true, |error| in_file(path, error)).await?;
        let not_compared: BTreeSet<String> =
            archive.settings.not_included.iter().chain(&settings.not_included).cloned().collect();
        Ok((differences(&archive.settings, &settings), not_compared, users))
    }));
    let (settings, not_compared, users) = work.await?;
    source.ensure_unchanged()?;
    let Verified { user_pool_id, rows, unreadable, not_compared: rows_not_compared, others, mismatches } = &users;
    if session.options.json {
        print(&json!({
            "user_pool_id": user_pool_id, "backup_of": archive.manifest.user_pool_id, "settings": settings,
            "not_compared": not_compared,
            "users": {
                "rows": rows, "unreadable": unreadable, "not_compared": rows_not_compared, "other_users": others,
                "mismatches": mismatches,
            },
        }))?;
    } else {
        let width = session.stdout.width();
        session.stdout.write_lines(&lines(&settings, &users, width));
        let not_compared: Vec<_> = not_compared.into_iter().collect();
        session.stdout.write_lines(&list("Not compared:", &not_compared, width));
    }
    let is_equal = settings.is_empty() && mismatches.is_empty() && *others == 0 && *unreadable == 0;
    Ok(if is_equal { 0 } else { INCOMPLETE })
}

fn lines(settings: &[Difference], users: &Verified, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if !settings.is_empty() {
        lines.push("Settings (user pool → backup):".to_owned());
    }
    for Difference { field, current, wanted } in settings {
        plan_view::push_difference(field, current, wanted, width, &mut lines);
    }
    lines.extend(compared_lines(users, width));
    lines
}
