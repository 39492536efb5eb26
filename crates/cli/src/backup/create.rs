//! `backup`: writes a user pool to a new archive.

use std::io::{self, BufReader, BufWriter, Seek as _};
use std::path::Path;

use domain::backup::{Manifest, write};
use domain::user_pool::quota::Category;
use serde_json::json;
use tempfile::tempfile_in;

use super::{failed, in_file, list, reader};
use crate::arguments::{Quotas, SelectedPool};
use crate::error::CommandError;
use crate::layout::wrap;
use crate::run::{Session, print};
use crate::users::{OpenPool, RowProgress, output, unless_interrupted};
use crate::{labels, new_file};

/// Backs the pool up.
pub(crate) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
    with_mfa: bool,
) -> Result<u8, CommandError> {
    if path.exists() {
        let exists = io::Error::new(io::ErrorKind::AlreadyExists, "file exists; choose another name");
        return Err(in_file(path, exists));
    }
    let manifest = Box::pin(unless_interrupted(back_up(session, path, pool, quotas, with_mfa))).await?;
    if session.options.json {
        print(&json!({"file": path.display().to_string(), "manifest": manifest}))?;
        return Ok(0);
    }
    let (counts, width) = (manifest.counts, session.stdout.width());
    let took = labels::duration(session.started.elapsed());
    let text = format!(
        "Backed up {} users, {} groups and {} app clients ({took}).",
        counts.users, counts.groups, counts.clients
    );
    let mut lines = wrap("", &text, 0, width);
    lines.extend(list("Not in the backup:", &manifest.not_included, width));
    lines.extend(output::not_moved(manifest.not_moved.iter().copied(), width));
    session.stdout.write_lines(&lines);
    Ok(0)
}

async fn back_up(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
    with_mfa: bool,
) -> Result<Manifest, CommandError> {
    let categories: &[Category] = if with_mfa { &[Category::UserRead] } else { &[] };
    let pool = OpenPool::find(session, pool, quotas, categories).await?;
    let backup = reader(session, &pool);
    let created_at = pool.clock.wall_time();
    session.progress.begin("reading the settings");
    let settings = backup.settings(&pool.user_pool_id).await;
    session.progress.pause();
    let settings = settings.map_err(failed(path))?;

    // The archive contains the length of the users before the users. The file has no name, so that it cannot remain.
    let mut users = tempfile_in(new_file::folder(path)).map_err(|error| in_file(path, error))?;
    let (mut progress, mut written) = (None, 0);
    let exported = backup.export(with_mfa, &mut users, |rows, estimated| {
        let progress = progress.get_or_insert_with(|| RowProgress::start(&session.steps, estimated.into(), 0));
        progress.advance(rows - written, pool.pace.throttled());
        written = rows;
    });
    let exported = exported.await;
    if let Some(progress) = progress {
        progress.finish();
    }
    let exported = exported.map_err(failed(path))?;

    let file = new_file::create(path).map_err(|error| in_file(path, error))?;
    let save = || {
        users.rewind()?;
        let users = BufReader::with_capacity(1 << 16, &users);
        let out = BufWriter::with_capacity(1 << 16, file.as_file());
        write(&settings, exported, created_at, users, out)
    };
    let manifest = save().map_err(|error| in_file(path, error))?;
    new_file::complete(file, path).map_err(|error| in_file(path, error))?;
    Ok(manifest)
}
