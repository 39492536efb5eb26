//! `users export`: writes the users of a pool to a file.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use domain::transfer::{Export, ExportError, NotMoved};
use domain::user_pool::quota::Category;
use serde_json::json;

use super::row_progress::RowProgress;
use super::{OpenPool, output, unless_interrupted};
use crate::arguments::{Quotas, SelectedPool};
use crate::error::CommandError;
use crate::run::{Session, print};
use crate::spec_file::is_standard_input;
use crate::{labels, new_file};

/// Exports to the file, or to standard output if it is `-`.
pub(super) async fn run(
    session: &Session,
    path: &Path,
    pool: SelectedPool,
    quotas: &Quotas,
    with_mfa: bool,
) -> Result<u8, CommandError> {
    let to_stdout = is_standard_input(path);
    if to_stdout && session.options.json {
        return Err(CommandError::Usage(
            "--json requires a file, because standard output receives the users".to_owned(),
        ));
    }
    let failed = |source| CommandError::UserFile { file: path.display().to_string(), source };
    if !to_stdout && path.exists() {
        return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "file exists; choose another name")));
    }
    let categories: &[Category] = if with_mfa { &[Category::UserRead] } else { &[] };
    let (user_pool_id, rows, parts) = unless_interrupted(async {
        let pool = OpenPool::find(session, pool, quotas, categories).await?;
        let (rows, parts) = if to_stdout {
            write(session, &pool, with_mfa, io::stdout().lock(), failed).await?
        } else {
            let file = new_file::create(path).map_err(failed)?;
            let written = write(session, &pool, with_mfa, file.as_file(), failed).await?;
            new_file::complete(file, path).map_err(failed)?;
            written
        };
        Ok((pool.user_pool_id, rows, parts))
    })
    .await?;
    if session.options.json {
        print(
            &json!({"user_pool_id": user_pool_id, "file": path.display().to_string(), "rows": rows, "not_moved": parts}),
        )?;
        return Ok(0);
    }
    let terminal = if to_stdout { &session.stderr } else { &session.stdout };
    let took = labels::duration(session.started.elapsed());
    terminal.write_lines(&[format!("Exported {rows} users ({took}).")]);
    terminal.write_lines(&output::not_moved(parts.into_iter(), terminal.width()));
    Ok(0)
}

/// Writes all users, and returns their number and what an import cannot move.
async fn write(
    session: &Session,
    pool: &OpenPool,
    with_mfa: bool,
    file: impl Write,
    failed: impl Fn(io::Error) -> CommandError,
) -> Result<(u64, BTreeSet<NotMoved>), CommandError> {
    session.progress.begin("reading the groups");
    let export = Export::start(pool.paced(), with_mfa).await;
    session.progress.pause();
    let export = export?;
    let mut progress = RowProgress::start(&session.stderr, export.facts().estimated_users.into(), 0);
    let mut written = 0;
    let exported = export.write(file, |rows| {
        progress.advance(rows - written, pool.pace.throttled());
        written = rows;
    });
    let exported = exported.await;
    progress.finish();
    exported.map_err(|error| match error {
        ExportError::Stopped(stop) => CommandError::Stopped(stop),
        ExportError::File(error) => failed(error),
    })
}
